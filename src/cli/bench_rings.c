/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_rings.c: a round trip over a pair of rings against the least that two cores can do: two
 * cache lines, each written by one side and polled by the other.
 */
#define _GNU_SOURCE
#include "bench.h"
#include "cli.h"
#include "core/ring.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LINE_COUNT  256u
#define BODY_SIZE   16u
#define SLICE_NS    UINT64_C(50000000)
#define PAIR_MIN    15u
#define PAIR_MAX    512u
#define TRIP_STRIDE 64u /* trips between two looks at the clock */

enum mode { MODE_FLOOR, MODE_RINGS, MODE_END };

/* One side of the bare ping-pong; a line of its own. */
struct floor_line {
    _Alignas(64) _Atomic uint64_t word;
};

struct rig {
    struct floor_line there;
    struct floor_line back;
    _Alignas(64) _Atomic uint32_t mode;
    _Alignas(64) _Atomic uint32_t mode_taken;
    _Alignas(64) struct csn_ring_writer writer; /* pinger's ends */
    struct csn_ring_reader reader;
    _Alignas(64) struct csn_ring_writer peer_writer;
    struct csn_ring_reader peer_reader;
    int cpus[2];
};

static void serve_floor(struct rig *rig)
{
    uint64_t seen = atomic_load(&rig->there.word);
    atomic_store(&rig->mode_taken, MODE_FLOOR);
    while (atomic_load_explicit(&rig->mode, memory_order_relaxed) == MODE_FLOOR) {
        uint64_t word = atomic_load_explicit(&rig->there.word, memory_order_acquire);
        if (word != seen) {
            seen = word;
            atomic_store_explicit(&rig->back.word, word, memory_order_release);
        } else {
            __builtin_ia32_pause();
        }
    }
}

static void serve_rings(struct rig *rig)
{
    uint64_t body[BODY_SIZE / 8];
    struct csn_ring_message message;
    atomic_store(&rig->mode_taken, MODE_RINGS);
    while (atomic_load_explicit(&rig->mode, memory_order_relaxed) == MODE_RINGS) {
        if (csn_ring_read(&rig->peer_reader, body, &message) != CSN_OK) {
            __builtin_ia32_pause();
            continue;
        }
        const struct csn_ring_piece pieces[2] = {{body, BODY_SIZE}, {NULL, 0}};
        while (csn_ring_write(&rig->peer_writer, message.tag, true, pieces) == CSN_AGAIN) {
            __builtin_ia32_pause(); /* the pinger has one message under way: never for long */
        }
        csn_ring_publish(&rig->peer_writer);
    }
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *peer(void *state)
{
    struct rig *rig = state;
    pin(rig->cpus[1]);
    for (;;) {
        switch (atomic_load(&rig->mode)) {
        case MODE_FLOOR:
            serve_floor(rig);
            break;
        case MODE_RINGS:
            serve_rings(rig);
            break;
        default:
            return NULL;
        }
    }
}

static void trip_floor(struct rig *rig)
{
    uint64_t word = atomic_load_explicit(&rig->there.word, memory_order_relaxed) + 1;
    atomic_store_explicit(&rig->there.word, word, memory_order_release);
    while (atomic_load_explicit(&rig->back.word, memory_order_acquire) != word) {
        __builtin_ia32_pause();
    }
}

/* False if the rings lost or changed the message: then no number is worth anything. */
static bool trip_rings(struct rig *rig)
{
    static uint64_t tag;
    tag++;
    const uint64_t body[BODY_SIZE / 8] = {tag, ~tag};
    uint64_t answer[BODY_SIZE / 8];
    struct csn_ring_message message;
    const struct csn_ring_piece pieces[2] = {{body, BODY_SIZE}, {NULL, 0}};
    csn_err error;
    if (csn_ring_write(&rig->writer, tag, true, pieces) != CSN_OK) {
        return false;
    }
    csn_ring_publish(&rig->writer);
    while ((error = csn_ring_read(&rig->reader, answer, &message)) == CSN_AGAIN) {
        __builtin_ia32_pause();
    }
    return error == CSN_OK && message.tag == tag && memcmp(answer, body, BODY_SIZE) == 0;
}

/* Nanoseconds of one trip, taken over a slice; negative when a trip went wrong. */
static double slice(struct rig *rig, enum mode mode)
{
    atomic_store(&rig->mode, mode);
    while (atomic_load(&rig->mode_taken) != mode) {
        sched_yield();
    }
    uint64_t trips = 0;
    uint64_t start = cli_now_ns();
    uint64_t now = start;
    while (now - start < SLICE_NS) {
        for (unsigned i = 0; i < TRIP_STRIDE; i++) {
            if (mode == MODE_FLOOR) {
                trip_floor(rig);
            } else if (!trip_rings(rig)) {
                return -1;
            }
        }
        trips += TRIP_STRIDE;
        now = cli_now_ns();
    }
    return (double)(now - start) / (double)trips;
}

static bool make_rings(struct rig *rig, uint8_t *memory)
{
    struct csn_shared *in = (struct csn_shared *)memory;
    struct csn_shared *out = (struct csn_shared *)(memory + LINE_COUNT * 64);
    struct csn_shared *in_credit = (struct csn_shared *)(memory + LINE_COUNT * 128);
    struct csn_shared *out_credit = (struct csn_shared *)(memory + LINE_COUNT * 128 + 64);
    return csn_ring_writer_init(&rig->writer, in, in_credit, LINE_COUNT, BODY_SIZE) == CSN_OK &&
           csn_ring_reader_init(&rig->peer_reader, in, in_credit, LINE_COUNT, BODY_SIZE) ==
               CSN_OK &&
           csn_ring_writer_init(&rig->peer_writer, out, out_credit, LINE_COUNT, BODY_SIZE) ==
               CSN_OK &&
           csn_ring_reader_init(&rig->reader, out, out_credit, LINE_COUNT, BODY_SIZE) == CSN_OK;
}

static bool choose_cpus(int cpus[2])
{
    cpu_set_t set;
    int found = 0;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return false;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++) {
        if (CPU_ISSET((size_t)cpu, &set)) {
            cpus[found++] = cpu;
        }
    }
    return found == 2;
}

/* Quartiles further apart than this say that the machine was busy, and the median says little. */
#define QUARTILE_RATIO_MAX 1.5

static void report(const struct bench_options *options, const struct rig *rig, double *ratios,
                   double *rings, double *floors, size_t count)
{
    bench_sort(ratios, count);
    bench_sort(rings, count);
    bench_sort(floors, count);
    bool noisy = bench_at(ratios, count, 750) > QUARTILE_RATIO_MAX * bench_at(ratios, count, 250);
    if (noisy) {
        cli_fail(0, "rings: the quartiles lie far apart: the machine is busy, measure again");
    }
    if (options->json) {
        printf(
            "{\"bench\":\"rings\",\"noisy\":%s,\"pairs\":%zu,\"ratio\":{\"min\":%.3f,\"p25\":%.3f,"
            "\"p50\":%.3f,\"p75\":%.3f,\"max\":%.3f},\"rings_ns\":%.1f,\"floor_ns\":%.1f,"
            "\"cpus\":[%d,%d]}\n",
            noisy ? "true" : "false", count, ratios[0], bench_at(ratios, count, 250),
            bench_at(ratios, count, 500), bench_at(ratios, count, 750), ratios[count - 1],
            bench_at(rings, count, 500), bench_at(floors, count, 500), rig->cpus[0], rig->cpus[1]);
        return;
    }
    printf("ring round trip / bare two-line round trip, %zu pairs of 50 ms slices, CPUs %d and %d\n"
           "  ratio   median %.2f   quartiles %.2f to %.2f   range %.2f to %.2f\n"
           "  rings   median %.0f ns\n  floor   median %.0f ns\n",
           count, rig->cpus[0], rig->cpus[1], bench_at(ratios, count, 500),
           bench_at(ratios, count, 250), bench_at(ratios, count, 750), ratios[0], ratios[count - 1],
           bench_at(rings, count, 500), bench_at(floors, count, 500));
}

int bench_rings(const struct bench_options *options)
{
    static struct rig rig;
    static _Alignas(64) uint8_t memory[LINE_COUNT * 128 + 128];
    static double ratios[PAIR_MAX], rings[PAIR_MAX], floors[PAIR_MAX];
    pthread_t thread;
    uint64_t wish = options->seconds * 10; /* a pair takes a tenth of a second */
    size_t count = wish < PAIR_MIN ? PAIR_MIN : wish > PAIR_MAX ? PAIR_MAX : (size_t)wish;
    if (!choose_cpus(rig.cpus)) {
        return cli_fail(CLI_FAILURE, "rings: needs two CPUs, one for each side");
    }
    if (!make_rings(&rig, memory)) {
        return cli_fail(CLI_FAILURE, "rings: cannot make the rings");
    }
    pin(rig.cpus[0]);
    atomic_store(&rig.mode_taken, MODE_END);
    if (pthread_create(&thread, NULL, peer, &rig) != 0) {
        return cli_fail(CLI_FAILURE, "rings: cannot start a thread");
    }
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        /* Which side goes first alternates too. */
        enum mode first = i % 2 ? MODE_RINGS : MODE_FLOOR;
        double one = slice(&rig, first);
        double two = slice(&rig, first == MODE_FLOOR ? MODE_RINGS : MODE_FLOOR);
        floors[i] = first == MODE_FLOOR ? one : two;
        rings[i] = first == MODE_FLOOR ? two : one;
        good = floors[i] > 0 && rings[i] > 0;
        ratios[i] = good ? rings[i] / floors[i] : 0;
        cli_progress("rings", i + 1, count);
    }
    atomic_store(&rig.mode, MODE_END);
    pthread_join(thread, NULL);
    if (!good) {
        return cli_fail(CLI_FAILURE, "rings: a message was lost or changed");
    }
    report(options, &rig, ratios, rings, floors, count);
    return CLI_OK;
}
