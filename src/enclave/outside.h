/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outside.h: the enclave's end of its store: asks go out, answers come back in the same order.
 *
 * Trust:    every answer is foreign: its tag, form, status and sizes are checked before any of it
 *           is used, and what does not fit ends the store for good.
 * Threads:  one worker.
 * Bounds:   what is under way is limited so that the host always has room to answer; nothing here
 *           can wait for a host that waits for us.
 */
#ifndef CSE_ENCLAVE_OUTSIDE_H
#define CSE_ENCLAVE_OUTSIDE_H

#include "core/pool.h"
#include "core/ring.h"
#include "crypto/random.h"
#include <caisson/enclave_store.h>

#define CSE_OUTSIDE_ASKS_MAX   16u /* under way that are answered by one line each */
#define CSE_OUTSIDE_STREAM_MAX 8u  /* reads under way */

/* What carries them: the ring (outside_ring.c), or a double in a test. Either waits as needed. */
struct cse_outside_port {
    csn_err (*put)(void *state, uint64_t tag, const struct csn_ring_piece pieces[2]);
    csn_err (*take)(void *state, uint8_t *target, struct csn_ring_message *message);
    void *state;
};

struct cse_outside_stream {
    bool open;
    char object[CSN_WIRE_OBJECT_NAME_MAX + 1];
    uint64_t asked; /* up to this offset */
    uint64_t taken;
    uint64_t end;
    uint32_t piece_size;
    uint32_t depth; /* reads under way at most */
};

struct cse_outside_options {
    const struct csn_wire_manifest *manifest;
    struct cse_outside_port port;
    struct csn_random *random; /* the worker's */
    const uint8_t *boot_id;    /* 16 bytes */
    uint32_t worker;
};

struct cse_writing; /* journal.h */

struct cse_outside {
    struct cse_outside_options options;
    csn_err fate;    /* CSN_OK, or CSN_ERR_PEER for ever */
    csn_err pending; /* the first failure of what was put without waiting for it */
    uint64_t next;   /* tag of the next ask */
    uint64_t oldest; /* of the oldest that is not answered */
    uint8_t *buffer; /* one answer: the largest message in */
    uint8_t *sealed; /* one record of a journal: the largest message out */
    struct cse_outside_stream stream;
    struct cse_writing *dirty;                 /* journals with records of this batch */
    struct cse_writing *grown;                 /* and those that a snapshot may be made of, */
    void (*tend)(struct cse_outside *outside); /* between batches; NULL: nothing is to do */
};

/* Bytes that cse_outside_init() carves; 0 without the flag. */
uint64_t cse_outside_pool_size(const struct csn_wire_manifest *manifest);
CSN_MUST_USE csn_err cse_outside_init(struct cse_outside **outside, struct csn_pool *pool,
                                      const struct cse_outside_options *options);

/* An append that is under way when this returns: settle() says what became of all of them. */
CSN_MUST_USE csn_err cse_outside_put_append(struct cse_outside *outside, const char *object,
                                            uint64_t offset, const uint8_t *bytes, uint32_t size);
CSN_MUST_USE csn_err cse_outside_settle(struct cse_outside *outside);
/* A TPM's command; *response lies as the bytes of cse_outside_read(). */
CSN_MUST_USE csn_err cse_outside_tpm(struct cse_outside *outside, const uint8_t *command,
                                     uint32_t size, uint8_t **response, uint32_t *response_size);
bool cse_object_name_is_valid(const char *object);

#endif
