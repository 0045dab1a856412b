/* SPDX-License-Identifier: Apache-2.0 */
/* pause.c: see pause.h. */
#include "pause.h"
#include <time.h>

#define PAUSE_MIN_NS 10000L
#define PAUSE_MAX_NS 200000L

uint64_t csn_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void csn_pause_begin(struct csn_pause *pause, uint64_t limit_ns)
{
    *pause = (struct csn_pause){.end_ns = csn_now_ns() + limit_ns, .pause_ns = PAUSE_MIN_NS};
}

bool csn_pause(struct csn_pause *pause)
{
    if (csn_now_ns() >= pause->end_ns) {
        return false;
    }
    const struct timespec time = {.tv_nsec = pause->pause_ns};
    nanosleep(&time, NULL);
    if (pause->pause_ns < PAUSE_MAX_NS) {
        pause->pause_ns += pause->pause_ns / 4;
    }
    return true;
}
