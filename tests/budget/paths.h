/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths.h: the ways of a record whose instructions are counted, each a batch of 32 at a time.
 *
 * A path makes its state once and then does BUDGET_BATCHES batches at most; it ends the program
 * where a record comes out wrong. The kernels are those that valgrind knows: AES-NI and portable
 * SHA-256. Threads: one.
 */
#ifndef TESTS_BUDGET_PATHS_H
#define TESTS_BUDGET_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUDGET_BATCH    32u
#define BUDGET_PAYLOADS 128u /* different ones; the rounds repeat them, so that they compare */
#define BUDGET_BATCHES  16u
#define BUDGET_SIZE     256u  /* of a plain payload */
#define BUDGET_SIZE_MAX 2048u /* of a sealed record */

typedef void *path_begin(void);
typedef void path_batch(void *state); /* BUDGET_BATCH records */

struct path {
    const char *name;
    path_begin *begin;
    path_batch *batch;
    void (*end)(void *state);
};

void budget_require(bool done, const char *what);
/* Zeros, on a line's boundary. */
void *budget_make(size_t size);

/* path_ring.c, built twice: over the ring, and over its trusting twin (bench/ring_twin.h). */
path_begin ring_64_begin, ring_1024_begin, twin_64_begin, twin_1024_begin;
path_batch ring_one_batch, ring_burst_batch, twin_one_batch, twin_burst_batch;
/* path_parts.c: one part of a record's way alone. */
path_begin gcm_begin, ff1_begin, hmac_begin, json_begin, named_begin;
path_batch gcm_seal_batch, gcm_open_batch, gcm_seal_one, ff1_batch, ff1_one, hmac_batch, hmac_one,
    json_batch, named_batch;
/* path_session.c: whole ways, through the session of the enclave and the client library. */
path_begin echo_begin, short_begin, http_begin, card_begin;
path_batch session_batch, client_seal_batch, client_open_batch;
void session_end(void *state);

#endif
