/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_rig.h: an enclave's end of a store without the enclave: its asks go to a store_double, and
 * a journal over them keeps a list of what was applied.
 */
#ifndef TESTS_ENCLAVE_STORE_RIG_H
#define TESTS_ENCLAVE_STORE_RIG_H

#include "../../src/enclave/journal.h"
#include "store_double.h"

#define RIG_RECORDS_MAX 4096u

struct rig_record {
    uint32_t size;
    uint8_t first; /* its bytes count up from here */
};

/* One boot of an enclave. */
struct store_rig {
    struct store_double *store;
    struct csn_wire_manifest manifest;
    uint8_t boot_id[16];
    struct csn_pool pool;
    void *memory;
    struct cse_outside *outside;
    struct cse_journal *journal;
    uint8_t tenant[32];
    uint8_t secret[32];
    const char *name;
    const struct csn_wire_counter *counter;
    uint64_t snapshot_after;
    bool saves; /* has a save hook */
    /* the state */
    uint32_t count;
    uint32_t clears;
    struct rig_record records[RIG_RECORDS_MAX];
};

/* The store outlives the rig: a crash is rig_end() and rig_begin(). */
void rig_begin(struct store_rig *rig, struct store_double *store);
void rig_end(struct store_rig *rig);
/* Opens rig->journal with what the rig says. */
csn_err rig_open(struct store_rig *rig);
/* Writes one more record, and if that is acknowledged adds it to the state. */
csn_err rig_write(struct store_rig *rig, uint32_t size);
/* The state is the first count of records that rig_write() makes, of these sizes in turn. */
bool rig_is(const struct store_rig *rig, const uint32_t *sizes, uint32_t size_count,
            uint32_t count);

#endif
