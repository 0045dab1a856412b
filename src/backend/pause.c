/* SPDX-License-Identifier: Apache-2.0 */
/* pause.c: see pause.h. */
#include "pause.h"
#include <sched.h>
#include <time.h>

#define PAUSE_SPIN_NS UINT64_C(5000000)

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
    uint64_t now_ns = csn_now_ns();
    *pause = (struct csn_pause){.spin_end_ns = now_ns + PAUSE_SPIN_NS,
                                .end_ns = now_ns + limit_ns,
                                .pause_ns = PAUSE_MIN_NS};
}

bool csn_pause(struct csn_pause *pause)
{
    uint64_t now_ns = csn_now_ns();
    if (now_ns >= pause->end_ns) {
        return false;
    }
    if (now_ns < pause->spin_end_ns) {
        sched_yield();
        return true;
    }
    const struct timespec time = {.tv_nsec = pause->pause_ns};
    nanosleep(&time, NULL);
    if (pause->pause_ns < PAUSE_MAX_NS) {
        pause->pause_ns += pause->pause_ns / 4;
    }
    return true;
}
