/* SPDX-License-Identifier: Apache-2.0 */
/* ring_ways.c: both ends of two rings, one thread each. */
#include "ring_ways.h"
#include "core/ring.h"
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE   64u
#define SIDE_SIZE   4096u /* apart: a core fetches more of a page than it was asked for */
#define TRIP_WINDOW 64u
#define MANY_MAX    256u  /* bytes of a message; larger ones are better written one by one */
#define UNITS       1024u /* messages in a window of a stream */

struct pipe {
    _Alignas(SIDE_SIZE) struct csn_ring_writer writer;
    _Alignas(SIDE_SIZE) struct csn_ring_reader reader;
    uint8_t *memory;
};

struct bench_ring_rig {
    uint32_t size;
    uint32_t burst;
    struct pipe there;
    struct pipe back;
    _Alignas(SIDE_SIZE) uint64_t sent;
    uint64_t source[BENCH_BURST_MAX][BENCH_RING_SIZE_MAX / 8];
    _Alignas(SIDE_SIZE) uint64_t received;
    uint64_t target[BENCH_BURST_MAX][BENCH_RING_SIZE_MAX / 8];
    _Alignas(SIDE_SIZE) uint64_t echo[BENCH_RING_SIZE_MAX / 8];
};

/* ---- a message there and back ---- */

static void put(struct csn_ring_writer *writer, const uint64_t *body, uint32_t size)
{
    const struct csn_ring_piece pieces[2] = {{body, size}, {NULL, 0}};
    while (csn_ring_write(writer, body[0], true, pieces) != CSN_OK) {
        /* one message is under way: there is room, or there will be at once */
    }
    (void)csn_ring_publish(writer);
}

static void serve_trip(void *state, const atomic_bool *stop)
{
    struct bench_ring_rig *rig = state;
    struct csn_ring_message message;
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        if (csn_ring_read(&rig->there.reader, rig->echo, &message) == CSN_OK) {
            put(&rig->back.writer, rig->echo, message.size);
        }
    }
}

static uint64_t step_trip(void *state)
{
    struct bench_ring_rig *rig = state;
    struct csn_ring_message message;
    csn_err error;
    rig->source[0][0]++;
    put(&rig->there.writer, rig->source[0], rig->size);
    do {
        error = csn_ring_read(&rig->back.reader, rig->target[0], &message);
    } while (error == CSN_AGAIN);
    return error == CSN_OK && message.size == rig->size && rig->target[0][0] == rig->source[0][0];
}

/* ---- a stream ---- */

/* The messages of a burst lie one behind the other, as those of the peers do. */
static void serve_stream(void *state, const atomic_bool *stop)
{
    struct bench_ring_rig *rig = state;
    const struct csn_ring_piece messages = {rig->source, rig->size};
    uint32_t words = rig->size / 8;
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        uint32_t count = rig->burst;
        for (uint32_t i = 0; i < count; i++) {
            rig->source[0][i * words] = rig->sent + i;
        }
        if (csn_ring_write_many(&rig->there.writer, rig->sent, true, &messages, &count) == CSN_OK) {
            rig->sent += count;
            (void)csn_ring_publish(&rig->there.writer);
        }
    }
}

static uint64_t step_stream(void *state)
{
    struct bench_ring_rig *rig = state;
    struct csn_ring_message message;
    uint32_t words = rig->size / 8;
    uint64_t wrong = 0;
    for (uint32_t done = 0; done < rig->burst;) {
        uint32_t count = rig->burst - done;
        csn_err error = csn_ring_read_many(&rig->there.reader, rig->target, &message, &count);
        wrong |= (uint64_t)(error != CSN_OK && error != CSN_AGAIN);
        wrong |= (uint64_t)(count != 0 && message.tag != rig->received);
        for (uint32_t i = 0; i < count; i++) {
            wrong |= rig->target[0][i * words] ^ rig->received++;
        }
        done += wrong != 0 ? rig->burst : count;
    }
    return wrong == 0 ? rig->burst : 0;
}

/* One call for each message. */
static void serve_singly(void *state, const atomic_bool *stop)
{
    struct bench_ring_rig *rig = state;
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        for (uint32_t i = 0; i < rig->burst; i++) {
            const struct csn_ring_piece pieces[2] = {{rig->source[i], rig->size}, {NULL, 0}};
            rig->source[i][0] = rig->sent;
            if (csn_ring_write(&rig->there.writer, rig->sent, true, pieces) != CSN_OK) {
                break;
            }
            rig->sent++;
        }
        (void)csn_ring_publish(&rig->there.writer);
    }
}

static uint64_t step_singly(void *state)
{
    struct bench_ring_rig *rig = state;
    struct csn_ring_message message;
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < rig->burst; i++) {
        csn_err error;
        do {
            error = csn_ring_read(&rig->there.reader, rig->target[i], &message);
        } while (error == CSN_AGAIN);
        wrong |= (uint64_t)(error != CSN_OK) | (rig->target[i][0] ^ rig->received++);
    }
    return wrong == 0 ? rig->burst : 0;
}

/* ---- making one ---- */

static void make_pipe(struct pipe *pipe, uint32_t size)
{
    pipe->memory = aligned_alloc(4096, BENCH_RING_LINES * LINE_SIZE + 4096);
    bench_require(pipe->memory != NULL, "no memory for a ring");
    memset(pipe->memory, 0, BENCH_RING_LINES * LINE_SIZE + 4096);
    struct csn_shared *lines = (struct csn_shared *)(pipe->memory + 4096);
    struct csn_shared *credit = (struct csn_shared *)pipe->memory;
    bool made =
        csn_ring_writer_init(&pipe->writer, lines, credit, BENCH_RING_LINES, size) == CSN_OK &&
        csn_ring_reader_init(&pipe->reader, lines, credit, BENCH_RING_LINES, size) == CSN_OK;
    bench_require(made, "cannot make a ring");
}

static struct bench_ring_rig *make_rig(uint32_t size, uint32_t burst)
{
    struct bench_ring_rig *rig = aligned_alloc(SIDE_SIZE, sizeof *rig);
    bench_require(rig != NULL, "no memory for a ring");
    memset(rig, 0, sizeof *rig);
    rig->size = size;
    rig->burst = burst;
    make_pipe(&rig->there, size);
    make_pipe(&rig->back, size);
    return rig;
}

struct bench_way bench_ring_trip(uint32_t size)
{
    return (struct bench_way){serve_trip, step_trip, make_rig(size, 1), TRIP_WINDOW};
}

struct bench_way bench_ring_singly(uint32_t size, uint32_t burst)
{
    return (struct bench_way){serve_singly, step_singly, make_rig(size, burst), UNITS / burst};
}

struct bench_way bench_ring_stream(uint32_t size, uint32_t burst)
{
    return burst == 1 || size > MANY_MAX ? bench_ring_singly(size, burst)
                                         : (struct bench_way){serve_stream, step_stream,
                                                              make_rig(size, burst), UNITS / burst};
}

void bench_ring_free(struct bench_way *way)
{
    struct bench_ring_rig *rig = way->state;
    free(rig->there.memory);
    free(rig->back.memory);
    free(rig);
    way->state = NULL;
}
