/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclave_store.h: what an enclave keeps outside: objects that its host holds, and journals in them
 * that the host can neither read nor change unseen.
 *
 * An image with CSN_WIRE_FLAG_STORE in its manifest has one more channel per worker, over which it
 * asks and the host answers. Where the host was given no store, every call is CSN_ERR_MISSING.
 *
 * Trust:    the host may answer anything, late, or never. Bytes of an object are foreign bytes. An
 *           answer that was not asked for, or is not of the form that was, ends the channel: every
 *           call from then on is CSN_ERR_PEER. A host that never answers stops the worker.
 * Threads:  one worker. A call returns when the host has answered.
 * Memory:   one message each way, carved at start; no allocation.
 */
#ifndef CAISSON_ENCLAVE_STORE_H
#define CAISSON_ENCLAVE_STORE_H

#include <caisson/enclave.h>
#include <caisson/wire/outside.h>

/* The worker's; NULL without the flag. In a grant hook: view->outside. */
struct cse_outside *cse_outside(struct cse_call *call);

/*
 * ---- objects ----
 *
 * object: a name as outside.h has it. CSN_ERR_ARGUMENT: it is not, or sizes are beyond what fits.
 * CSN_ERR_UNKNOWN: no such object. CSN_ERR_MISSING: no store. CSN_ERR_SPACE: the host has no space.
 * CSN_ERR_SYSTEM: it failed. CSN_ERR_PEER: the host broke the protocol. CSN_ERR_STATE: a stream is
 * being read (below).
 */
CSN_MUST_USE csn_err cse_outside_size(struct cse_outside *outside, const char *object,
                                      uint64_t *size);
/*
 * Up to size bytes from offset on, at most cse_outside_read_max(). *bytes: where they lie, private,
 * 16-byte aligned, writable, until the next call. *got: how many; fewer only at the object's end.
 */
CSN_MUST_USE csn_err cse_outside_read(struct cse_outside *outside, const char *object,
                                      uint64_t offset, uint32_t size, uint8_t **bytes,
                                      uint32_t *got);
uint32_t cse_outside_read_max(const struct cse_outside *outside);
uint32_t cse_outside_write_max(const struct cse_outside *outside);
/* The object is cut to offset, then these bytes follow; not durable before cse_outside_sync(). */
CSN_MUST_USE csn_err cse_outside_append(struct cse_outside *outside, const char *object,
                                        uint64_t offset, const uint8_t *bytes, uint32_t size);
CSN_MUST_USE csn_err cse_outside_sync(struct cse_outside *outside, const char *object);
/*
 * In parts, from offset 0 on; the last call makes them the object, durably, in one step: after a
 * crash it is the old one or the new one.
 */
CSN_MUST_USE csn_err cse_outside_part(struct cse_outside *outside, const char *object,
                                      uint64_t offset, const uint8_t *bytes, uint32_t size);
CSN_MUST_USE csn_err cse_outside_replace(struct cse_outside *outside, const char *object,
                                         uint64_t size);
CSN_MUST_USE csn_err cse_outside_remove(struct cse_outside *outside, const char *object);

/*
 * Reading an object from one end to the other, with several reads under way, so that the host's
 * work and ours go on at the same time. From begin to the last piece (or end) no other call of this
 * header may be made.
 *
 *     csn_err err = cse_outside_stream_begin(outside, "weights", 0, size, 65536);
 *     while (err == CSN_OK && size != 0) {
 *         err = cse_outside_stream_next(outside, &bytes, &got);       // got: 65536, or the rest
 *         ...
 *         size -= got;
 *     }
 *     cse_outside_stream_end(outside);
 *
 * piece_size: of every piece but the last; at most cse_outside_read_max(). An object that is
 * shorter than it should be: CSN_ERR_FORMAT. Bytes lie as those of cse_outside_read(), and stay
 * until the next call. stream_end may always be called; it waits for what is under way.
 */
CSN_MUST_USE csn_err cse_outside_stream_begin(struct cse_outside *outside, const char *object,
                                              uint64_t offset, uint64_t size, uint32_t piece_size);
CSN_MUST_USE csn_err cse_outside_stream_next(struct cse_outside *outside, uint8_t **bytes,
                                             uint32_t *got);
void cse_outside_stream_end(struct cse_outside *outside);

/*
 * ---- journals ----
 *
 * A log of records and a snapshot, sealed under a key that comes from the grant. It is of one
 * tenant and one name; records are numbered and chained; what was acknowledged is there after a
 * crash at any byte, in the order in which it was appended, or opening says that it is not.
 *
 * What the host can still do: nothing but keep it from being opened, while this enclave lives, and
 * with a counter (csn_wire_counter) also afterwards. Without a counter it can give a later start an
 * older copy, or give two enclaves a copy each: docs/CAVEATS.md.
 *
 * One writer: with a counter a journal that is opened elsewhere fails here at its next append.
 */
#define CSE_JOURNAL_NAME_MAX 16u
#define CSE_JOURNAL_SIZE     2048u

struct cse_journal; /* private; see CSE_JOURNAL_SIZE */

struct cse_journal_hooks {
    /* Forget all that was applied: a replay begins. Called before the first apply. */
    void (*clear)(void *state);
    /*
     * One record, as it was appended or saved, in order; bytes are gone when it returns, and it
     * calls nothing of this header. Not CSN_OK: opening ends with this.
     */
    csn_err (*apply)(void *state, uint8_t *bytes, uint32_t size);
    /*
     * The log has grown: write what it amounts to, as records, by cse_journal_save(). Not CSN_OK:
     * no snapshot is made, the log stays. Called between batches. NULL: never.
     */
    csn_err (*save)(void *state, struct cse_journal *journal);
    void *state;
};

struct cse_journal_options {
    struct cse_outside *outside;
    const uint8_t *tenant;                  /* 32 bytes: view->tenant */
    const uint8_t *secret;                  /* 32 bytes: view->secret */
    const char *name;                       /* 1 to 16 of a-z, 0-9, '-'; of the service's choice */
    const struct csn_wire_counter *counter; /* copied; NULL: none */
    uint64_t snapshot_after;                /* bytes of log at least; 0: 1 MiB */
    struct cse_journal_hooks hooks;
};

/*
 * journal: CSE_JOURNAL_SIZE bytes, 64-byte aligned, zeroed before the first call, the caller's (say
 * in the worker's state, which outlives grants). It keeps what it knows of the last acknowledged
 * record: a second open of the same journal is held to that, and a journal of another tenant or
 * name is refused by CSN_ERR_ARGUMENT. To be called from a grant hook, or a handler.
 *
 * CSN_OK: replayed, nothing is lost, and this enclave writes from here on. If the host has no space
 * for that, it is opened all the same, for reading; appends will fail.
 * CSN_ERR_AUTH: not what we wrote, or damaged. CSN_ERR_REPLAY: an older copy, or another enclave
 * has written since. CSN_ERR_POLICY: the counter is not the one that the grant names, or not a
 * counter. Or what apply() or the store said. The journal is closed then: every append fails.
 */
CSN_MUST_USE csn_err cse_journal_open(struct cse_journal *journal,
                                      const struct cse_journal_options *options);
/* The same again, with what the last open was given: for a journal that is not good any more. */
CSN_MUST_USE csn_err cse_journal_reopen(struct cse_journal *journal);
/* Opened, and no append has failed since. If not: reopen it, which replays it. */
bool cse_journal_is_good(const struct cse_journal *journal);
/* Wipes keys and memory of it; what the host keeps stays. */
void cse_journal_close(struct cse_journal *journal);

/*
 * In a handler: one record. It is sealed and on its way; the batch's answers leave when the host
 * says that it is durable and the counter has moved (one sync and one increment for a batch). If
 * that fails the tenant's answers from this one on leave as status UNAVAILABLE, the journal is no
 * longer good, and what is in memory is ahead of it: reopen it before the next use.
 * size: 1 to cse_journal_record_max(). CSN_ERR_STATE: not good: answer UNAVAILABLE.
 */
CSN_MUST_USE csn_err cse_journal_append(struct cse_call *call, struct cse_journal *journal,
                                        const uint8_t *bytes, uint32_t size);
/* The same, durable when it returns; for a grant hook, where there is no batch. */
CSN_MUST_USE csn_err cse_journal_write(struct cse_journal *journal, const uint8_t *bytes,
                                       uint32_t size);
/* In the save hook: one record of the snapshot. */
CSN_MUST_USE csn_err cse_journal_save(struct cse_journal *journal, const uint8_t *bytes,
                                      uint32_t size);
uint32_t cse_journal_record_max(const struct cse_outside *outside);

#endif
