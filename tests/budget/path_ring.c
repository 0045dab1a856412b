/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_ring.c: a batch of messages, written, published and read: a call for each, or as a burst.
 *
 * Built over the ring and, with bench/ring_twin.h before it, over the same ring that trusts its
 * peer: what the two counts differ by is what the checks cost (goal 4), on any load.
 */
#include "core/ring.h"
#include "paths.h"

#ifdef CSN_BENCH_RING_TWIN_H
#define NAMED(name) twin_##name
#else
#define NAMED(name) ring_##name
#endif

#define LINES_MAX  2048u
#define WORDS_MAX  128u /* of a message */
#define LINES_64   256u
#define LINES_1024 2048u

struct ring {
    _Alignas(64) uint8_t lines[LINES_MAX * 64];
    _Alignas(64) uint8_t credit[64];
    struct csn_ring_writer writer;
    struct csn_ring_reader reader;
    uint32_t size; /* of a message */
    uint64_t number;
    uint64_t bodies[BUDGET_BATCH * WORDS_MAX];
};

static void *begin(uint32_t size, uint32_t line_count)
{
    struct ring *ring = budget_make(sizeof *ring);
    struct csn_shared *lines = (struct csn_shared *)ring->lines;
    struct csn_shared *credit = (struct csn_shared *)ring->credit;
    ring->size = size;
    budget_require(csn_ring_writer_init(&ring->writer, lines, credit, line_count, size) == CSN_OK &&
                       csn_ring_reader_init(&ring->reader, lines, credit, line_count, size) ==
                           CSN_OK,
                   "no ring");
    return ring;
}

void *NAMED(64_begin)(void)
{
    return begin(64, LINES_64);
}

void *NAMED(1024_begin)(void)
{
    return begin(8 * WORDS_MAX, LINES_1024);
}

void NAMED(one_batch)(void *state)
{
    struct ring *ring = state;
    struct csn_ring_message message;
    const struct csn_ring_piece pieces[2] = {{ring->bodies, ring->size}, {NULL, 0}};
    const uint64_t first = ring->number;
    bool done = true;
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        ring->bodies[0] = ring->number;
        done &= csn_ring_write(&ring->writer, ring->number++, true, pieces) == CSN_OK;
    }
    csn_ring_publish(&ring->writer);
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        done &= csn_ring_read(&ring->reader, ring->bodies, &message) == CSN_OK &&
                message.tag == first + i && ring->bodies[0] == first + i;
    }
    budget_require(done, "a ring lost or changed a message");
}

/* A burst is one run of messages or, round the ring's end, two. */
void NAMED(burst_batch)(void *state)
{
    struct ring *ring = state;
    struct csn_ring_message message;
    const struct csn_ring_piece messages = {ring->bodies, ring->size};
    const uint32_t words = ring->size / 8;
    uint32_t count = BUDGET_BATCH;
    bool done = true;
    for (uint32_t i = 0; i < BUDGET_BATCH; i++) {
        ring->bodies[i * words] = ring->number + i;
    }
    done &= csn_ring_write_many(&ring->writer, ring->number, true, &messages, &count) == CSN_OK &&
            count == BUDGET_BATCH;
    csn_ring_publish(&ring->writer);
    for (uint32_t seen = 0; done && seen < BUDGET_BATCH; seen += count) {
        count = BUDGET_BATCH - seen;
        done &= csn_ring_read_many(&ring->reader, ring->bodies, &message, &count) == CSN_OK &&
                message.tag == ring->number + seen;
        for (uint32_t i = 0; i < count; i++) {
            done &= ring->bodies[i * words] == ring->number + seen + i;
        }
    }
    ring->number += BUDGET_BATCH;
    budget_require(done, "a ring lost or changed a burst");
}
