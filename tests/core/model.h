/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h: the accessor of src/core/xcopy.h once more, over a machine with store buffers.
 *
 * Two threads run the real ring and event code as coroutines. Their stores go to a buffer of their
 * own and reach memory later, in order (TSO); model_explore() runs every interleaving of loads and
 * of stores reaching memory. Outside of an exploration accesses are direct and are counted.
 */
#ifndef TESTS_CORE_MODEL_H
#define TESTS_CORE_MODEL_H

#include "core/xcopy.h"
#include <stdbool.h>
#include <stdint.h>

#define MODEL_THREADS 2

struct model_case {
    void (*reset)(void); /* before each run: memory and both ends */
    void (*threads[MODEL_THREADS])(void);
    bool (*check)(void); /* after each run, all stores in memory: is all well? */
};

struct model_result {
    uint64_t runs;
    uint64_t bad;
    bool complete; /* every interleaving was run */
};

struct model_result model_explore(const struct model_case *model_case, uint64_t runs_max);
/* Inside a run: sleep until the low half of the word differs from seen, or a wake comes. */
void model_park(const struct csn_shared *word, uint32_t seen);
void model_wake(void);
/* Inside a check: was this thread left asleep? */
bool model_sleeps(uint32_t thread);

/* Direct mode: loads of each word of [base, base + 8 * count) are counted in loads[]. */
void model_count_loads(const void *base, uint32_t word_count, uint32_t *loads);

#endif
