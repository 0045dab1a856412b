/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pause.h: looks at what comes within a millisecond as a rule, and in a minute at worst: close
 * together first, so that the wait is not longer than what is waited for; then further apart.
 *
 * Threads: each has its own struct.
 */
#ifndef CSN_BACKEND_PAUSE_H
#define CSN_BACKEND_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

struct csn_pause {
    uint64_t end_ns;
    long pause_ns;
};

/* CLOCK_MONOTONIC. */
uint64_t csn_now_ns(void);
void csn_pause_begin(struct csn_pause *pause, uint64_t limit_ns);
/* Sleeps until the next look is due; false: the limit is over. */
bool csn_pause(struct csn_pause *pause);

#endif
