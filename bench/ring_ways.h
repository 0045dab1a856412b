/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_ways.h: the ring between two cores, for cores.h: a message there and back, and a stream.
 *
 * Built twice: over the ring as it is, and over its trusting twin (ring_twin.h renames both).
 * Each message begins with its number, which the receiving side compares.
 */
#ifndef CSN_BENCH_RING_WAYS_H
#define CSN_BENCH_RING_WAYS_H

#include "cores.h"

#define BENCH_RING_LINES    4096u /* 256 KiB */
#define BENCH_RING_SIZE_MAX 1024u
#define BENCH_BURST_MAX     32u

struct bench_ring_rig;

/* One message of size bytes (8 or more) under way; a step is a round trip. */
struct bench_way bench_ring_trip(uint32_t size);
/* Messages of size bytes (a multiple of 8), written, published and read burst by burst. */
struct bench_way bench_ring_stream(uint32_t size, uint32_t burst);
/* The same, each message written and read by a call of its own. */
struct bench_way bench_ring_singly(uint32_t size, uint32_t burst);
void bench_ring_free(struct bench_way *way);

#endif
