/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pause.h: looks at what comes within some milliseconds as a rule, and in a minute at worst. For
 * 5 ms only with sched_yield() in between, since sleeping and waking costs a tenth of what is
 * waited for; whoever is ready to run gets this CPU. Then it sleeps, a quarter longer each time.
 *
 * Threads: each has its own struct.
 */
#ifndef CSN_BACKEND_PAUSE_H
#define CSN_BACKEND_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

struct csn_pause {
    uint64_t spin_end_ns;
    uint64_t end_ns;
    long pause_ns;
};

/* CLOCK_MONOTONIC. */
uint64_t csn_now_ns(void);
void csn_pause_begin(struct csn_pause *pause, uint64_t limit_ns);
/* Returns when the next look is due; false: the limit is over. */
bool csn_pause(struct csn_pause *pause);

#endif
