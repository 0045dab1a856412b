/* SPDX-License-Identifier: Apache-2.0 */
/* ring_rows.h: the rows of the ring that need no peer, for rings.c and `caisson bench rings`. */
#ifndef CSN_BENCH_RING_ROWS_H
#define CSN_BENCH_RING_ROWS_H

#include "cores.h"

/* One-way latency against the bare ping-pong (goal 2). */
void bench_row_latency(const struct bench_way *trip);
/* All of them, and the spread of the latency. */
void bench_ring_rows(void);

#endif
