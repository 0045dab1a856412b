/* SPDX-License-Identifier: Apache-2.0 */
/* park.h: what a worker spends on looking in vain before it parks, for park.c. */
#ifndef CSN_BENCH_PARK_H
#define CSN_BENCH_PARK_H

#include <stdint.h>

struct park_looks;
struct park_looks *park_looks_new(uint32_t channels);
void park_looks_free(struct park_looks *looks);
/* state: looks. A bench_side (measure.h): one wait up to the gate, which returns at once. */
uint64_t park_looks_wait(void *state);

#endif
