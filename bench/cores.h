/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cores.h: what takes two cores: this thread and a helper, each on a CPU of its own, exchange in
 * slices that alternate between ways of doing it.
 *
 * A slice is cut into windows of some microseconds and counts as its median window, so that the
 * moments in which somebody else had one of the CPUs, which are few windows but long ones, do not
 * count. Beside each pair of slices the bare ping-pong is taken: two lines, each written by one
 * side and polled by the other. A pair whose floor moved by more than half is taken again. Both
 * threads are in the real-time class meanwhile, where that is allowed (measure.h).
 *
 * Threads: bench_cores_begin() starts the helper; everything else is called by the one thread.
 */
#ifndef CSN_BENCH_CORES_H
#define CSN_BENCH_CORES_H

#include "histogram.h"
#include "measure.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One way of exchanging something between two cores. State is kept from slice to slice. */
struct bench_way {
    /* The helper's part, until *stop is true; NULL: the far side is no thread of ours. */
    void (*serve)(void *state, const atomic_bool *stop);
    /* This side's part: a trip, or a burst that was received. Returns units; 0: it went wrong. */
    uint64_t (*step)(void *state);
    void *state;
    unsigned window; /* steps between two looks at the clock: some microseconds of them */
};

/* Chooses two CPUs, pins this thread, starts the helper. False: there is only one. */
bool bench_cores_begin(void);
void bench_cores_end(void);
/* This thread goes to the far CPU and its class, so that what it now starts runs there; and back.
 */
void bench_cores_far(bool far);

/* Alternating slices of both ways and the floor, 15 pairs at least, then bench_report(). */
void bench_cores_pair(const struct bench_row *row, const struct bench_way *ours,
                      const struct bench_way *other);
/* The same for a goal that depends on the placement: the row's target is mode A's. */
void bench_cores_pair_by_mode(const struct bench_row *row, double target_b,
                              const struct bench_way *ours, const struct bench_way *other);
/* The time of a unit of each step, by itself, for some time: half of it, a trip's, if half is set.
 */
void bench_cores_spread(const struct bench_way *way, bool half, struct bench_histogram *histogram);
/*
 * One way of the bare ping-pong now, for pairs that are not slices of ways: the helper is started
 * for it and ended again, and this thread is where it may be as before. 0: there is one CPU.
 */
double bench_cores_floor(void);
/* The bare ping-pong as a way; a step is a round trip. */
const struct bench_way *bench_cores_bare(void);

#endif
