/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_log.h: what changes a store: entries, one or more in a record of the journal.
 *
 * A handler puts entries together and commits them: into the journal first, then into the store, by
 * the same code that replays a journal. Each is its head and a body that its kind tells the size
 * of.
 */
#ifndef TRA_LOG_H
#define TRA_LOG_H

#include "tra_state.h"

enum tra_entry_kind {
    TRA_ENTRY_KEY = 1,     /* struct tra_policy_of_key: a new key, or another policy */
    TRA_ENTRY_VERSION = 2, /* struct tra_entry_version: becomes the newest */
    TRA_ENTRY_DROP = 3,    /* a version is gone; number 0: the key with all of them */
    TRA_ENTRY_USES = 4,    /* u64: uses up to here are reserved */
    TRA_ENTRY_MARK = 5,    /* nothing but the number of the change: the last one of a snapshot */
};

struct tra_entry {
    uint32_t kind;
    uint32_t number; /* of the version; KEY: 0 */
    uint64_t change; /* number of the change in the store */
    uint8_t key_id[16];
};
_Static_assert(sizeof(struct tra_entry) == 32, "no padding");

struct tra_entry_version {
    uint64_t reserved;
    struct tra_birth birth;
    uint8_t secret[TRA_SECRET_MAX];
    uint8_t secret_size;
    uint8_t origin;
    uint8_t unused[6];
};
_Static_assert(sizeof(struct tra_entry_version) == 208, "no padding");

#define TRA_LOG_SIZE 1024u /* the largest change: a policy and sixteen versions dropped */

struct tra_log {
    uint32_t size;
    uint8_t bytes[TRA_LOG_SIZE];
};

void tra_log_key(struct tra_log *log, const struct tra_store *store,
                 const struct tra_policy_of_key *policy);
void tra_log_version(struct tra_log *log, const struct tra_store *store,
                     const struct tra_policy_of_key *policy, const struct tra_version *version);
void tra_log_drop(struct tra_log *log, const struct tra_store *store, const uint8_t key_id[16],
                  uint32_t number);
/* All of a store, as changes that lead to it; each goes to the journal's snapshot. */
csn_err tra_log_save(struct tra_store *store, struct cse_journal *journal);
/* Into the journal, then into the store; the log is wiped. Not OK: nothing has changed. */
cse_status tra_log_commit(struct tra_work *work, struct tra_log *log);
cse_status tra_log_uses(struct tra_work *work, struct tra_version *version, uint64_t to);

/* One record of a journal. CSN_ERR_FORMAT: not a change that could follow what was there. */
csn_err tra_log_apply(struct tra_store *store, const uint8_t *bytes, uint32_t size);

#endif
