/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead_loops.h: what a sealed pipeline is measured against: opening and sealing records of one size
 * in a loop, with no transport, by OpenSSL's EVP and by our own batched kernels.
 */
#ifndef CSN_BENCH_AEAD_LOOPS_H
#define CSN_BENCH_AEAD_LOOPS_H

#include <stdint.h>

struct aead_loops;

/* size: bytes of plain text, up to 65,536. */
struct aead_loops *aead_loops_new(uint32_t size);
void aead_loops_free(struct aead_loops *loops);
/* Each opens and seals some records (a batch of 32) and returns how many: a bench_side. */
uint64_t aead_loops_evp(void *state);
uint64_t aead_loops_own(void *state);

#endif
