/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.h: a small AES-256-CTR generator (fast key erasure), seeded from a source with health
 * checks. In an enclave the source is RDRAND, never the host; hosted it is getrandom(2).
 *
 * Threads:  one owner per struct csn_random.
 * Failure:  a source that is stuck, constant, repeating, too short of distinct bytes or failing is
 *           CSN_ERR_ENTROPY and nothing was produced. NIST SP 800-90B: repetition count and
 *           adaptive proportion tests, on 64-bit words.
 */
#ifndef CSN_CRYPTO_RANDOM_H
#define CSN_CRYPTO_RANDOM_H

#include <caisson/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One 64-bit word of raw entropy; false on failure. state is the source's own. */
typedef bool (*csn_random_source)(void *state, uint64_t *word);

struct csn_random {
    uint8_t key[32];
    uint8_t buffer[512];
    uint32_t buffer_used;     /* bytes of buffer that were handed out (and wiped) */
    uint32_t failed;          /* not 0: the source was found unhealthy; sticky */
    uint64_t refills;         /* buffers made */
    uint64_t last;            /* the source's previous word, for the continuous tests */
    uint64_t last_difference; /* previous word minus the one before it */
    csn_random_source source;
    void *state;
};

/* RDRAND, 64-bit form only, at most 10 tries a word. */
bool csn_random_rdrand(void *state, uint64_t *word);
/* Hosted only (not linked into images): getrandom(2). After fork() a copy repeats: init it anew. */
bool csn_random_system(void *state, uint64_t *word);

CSN_MUST_USE csn_err csn_random_init(struct csn_random *random, csn_random_source source,
                                     void *state);
/* size bytes; refilled from the source every 2^16 bytes at least. CSN_ERR_ENTROPY: output wiped. */
CSN_MUST_USE csn_err csn_random_fill(struct csn_random *random, void *bytes, size_t size);

#endif
