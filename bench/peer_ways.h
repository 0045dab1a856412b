/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_ways.h: the end of a peer's file, after it has defined PEER_LIBRARY, struct peer_record
 * (PEER_SIZE bytes), and over its queue: peer_new(), peer_put() and peer_take(), which move up to
 * count records and say how many.
 */
#include "peer.h"
#include <stdlib.h>
#include <string.h>

#define PEER_BURST_MAX 32u
#define PEER_UNITS     1024u
#define PEER_WINDOW    64u
#define PEER_SIDE      4096u /* as in ring_ways.c */

struct peer_rig {
    void *there;
    void *back;
    uint32_t burst;
    _Alignas(PEER_SIDE) uint64_t sent;
    struct peer_record source[PEER_BURST_MAX];
    _Alignas(PEER_SIDE) uint64_t received;
    struct peer_record target[PEER_BURST_MAX];
    _Alignas(PEER_SIDE) struct peer_record echo;
};

static void serve_trip(void *state, const atomic_bool *stop)
{
    struct peer_rig *rig = state;
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        if (peer_take(rig->there, &rig->echo, 1) == 1) {
            while (peer_put(rig->back, &rig->echo, 1) == 0) {
            }
        }
    }
}

static uint64_t step_trip(void *state)
{
    struct peer_rig *rig = state;
    rig->source[0].words[0]++;
    while (peer_put(rig->there, rig->source, 1) == 0) {
    }
    while (peer_take(rig->back, rig->target, 1) == 0) {
    }
    return rig->target[0].words[0] == rig->source[0].words[0];
}

static void serve_stream(void *state, const atomic_bool *stop)
{
    struct peer_rig *rig = state;
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        for (uint32_t i = 0; i < rig->burst; i++) {
            rig->source[i].words[0] = rig->sent + i;
        }
        rig->sent += peer_put(rig->there, rig->source, rig->burst);
    }
}

static uint64_t step_stream(void *state)
{
    struct peer_rig *rig = state;
    uint64_t wrong = 0;
    for (uint32_t done = 0; done < rig->burst;) {
        uint32_t count = peer_take(rig->there, rig->target, rig->burst - done);
        for (uint32_t i = 0; i < count; i++) {
            wrong |= rig->target[i].words[0] ^ rig->received++;
        }
        done += count;
    }
    return wrong == 0 ? rig->burst : 0;
}

static struct peer_rig *make_rig(uint32_t burst)
{
    struct peer_rig *rig = aligned_alloc(PEER_SIDE, sizeof *rig);
    bench_require(rig != NULL, "no memory for a peer's ring");
    memset(rig, 0, sizeof *rig);
    rig->burst = burst;
    rig->there = peer_new();
    rig->back = peer_new();
    bench_require(rig->there != NULL && rig->back != NULL, "cannot make a peer's ring");
    return rig;
}

struct bench_way PEER_JOIN(PEER_LIBRARY, PEER_SIZE, trip)(void)
{
    return (struct bench_way){serve_trip, step_trip, make_rig(1), PEER_WINDOW};
}

struct bench_way PEER_JOIN(PEER_LIBRARY, PEER_SIZE, stream)(uint32_t burst)
{
    return (struct bench_way){serve_stream, step_stream, make_rig(burst), PEER_UNITS / burst};
}
