/* SPDX-License-Identifier: Apache-2.0 */
/* cores.c: the helper thread, slices of windows, the bare ping-pong. */
#define _GNU_SOURCE
#include "cores.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#define SLICE_NS       UINT64_C(10000000)
#define FLOOR_NS       UINT64_C(1000000)
#define SPREAD_NS      UINT64_C(300000000)
#define SPREAD_PART_NS UINT64_C(20000000)
#define SETTLE_NS      UINT64_C(20000000) /* to compare the time stamp counter with the clock */
#define WINDOW_MAX     16384u
#define FLOOR_WINDOW   64u
#define FLOOR_MOVE_MAX 1.5
#define RETRY_MAX      200u
#define NAP_NS         100000

/* One side of the bare ping-pong; a line of its own, and none beside it for the prefetcher. */
struct bare_line {
    _Alignas(256) _Atomic uint64_t word;
};

static struct {
    struct bare_line there;
    struct bare_line back;
    _Alignas(256) const struct bench_way *_Atomic way; /* what the helper is to serve */
    _Alignas(256) const struct bench_way *_Atomic taken;
    _Alignas(256) atomic_bool stop;
    atomic_bool end;
    int cpus[2];
    pthread_t helper;
    double ns_per_tick;
} cores;

/* ---- the floor ---- */

static void serve_bare(void *state, const atomic_bool *stop)
{
    (void)state;
    uint64_t seen = atomic_load(&cores.back.word);
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        uint64_t word = atomic_load_explicit(&cores.there.word, memory_order_acquire);
        if (word != seen) {
            seen = word;
            atomic_store_explicit(&cores.back.word, word, memory_order_release);
        }
    }
}

static uint64_t step_bare(void *state)
{
    (void)state;
    uint64_t word = atomic_load_explicit(&cores.there.word, memory_order_relaxed) + 1;
    atomic_store_explicit(&cores.there.word, word, memory_order_release);
    while (atomic_load_explicit(&cores.back.word, memory_order_acquire) != word) {
    }
    return 1;
}

static const struct bench_way bare = {serve_bare, step_bare, NULL, FLOOR_WINDOW};

const struct bench_way *bench_cores_bare(void)
{
    return &bare;
}

/* ---- threads ---- */

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *help(void *state)
{
    (void)state;
    pin(cores.cpus[1]);
    bench_real_time(true); /* for good: it naps when the other side is not in a slice */
    while (!atomic_load(&cores.end)) {
        const struct bench_way *way = atomic_load(&cores.way);
        if (way == NULL) { /* whoever is measured without us may be on this CPU */
            const struct timespec nap = {.tv_nsec = NAP_NS};
            nanosleep(&nap, NULL);
            continue;
        }
        atomic_store(&cores.taken, way);
        way->serve(way->state, &cores.stop);
        atomic_store(&cores.way, NULL);
        atomic_store(&cores.taken, NULL);
    }
    return NULL;
}

static void start_way(const struct bench_way *way)
{
    if (way->serve == NULL) {
        return;
    }
    atomic_store(&cores.stop, false);
    atomic_store(&cores.way, way);
    while (atomic_load(&cores.taken) != way) {
        sched_yield();
    }
}

static void stop_way(void)
{
    atomic_store(&cores.stop, true);
    while (atomic_load(&cores.taken) != NULL) {
        sched_yield();
    }
}

static bool choose_cpus(void)
{
    cpu_set_t set;
    int found = 0;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return false;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++) {
        if (CPU_ISSET((size_t)cpu, &set)) {
            cores.cpus[found++] = cpu;
        }
    }
    return found == 2;
}

static void compare_clocks(void)
{
    uint64_t begin = bench_wall_ns();
    uint64_t ticks = __rdtsc();
    uint64_t now = begin;
    while (now - begin < SETTLE_NS) {
        now = bench_wall_ns();
    }
    cores.ns_per_tick = (double)(now - begin) / (double)(__rdtsc() - ticks);
}

bool bench_cores_begin(void)
{
    if (!choose_cpus()) {
        return false;
    }
    if (cores.ns_per_tick <= 0) {
        compare_clocks();
    }
    atomic_store(&cores.end, false);
    pin(cores.cpus[0]);
    bench_require(pthread_create(&cores.helper, NULL, help, NULL) == 0, "cannot start a thread");
    return true;
}

void bench_cores_far(bool far)
{
    bench_real_time(far);
    pin(cores.cpus[far ? 1 : 0]);
}

void bench_cores_end(void)
{
    atomic_store(&cores.end, true);
    pthread_join(cores.helper, NULL);
}

/* ---- slices ---- */

/* ns per unit of the median window. */
static double slice(const struct bench_way *way, uint64_t slice_ns)
{
    static double windows[WINDOW_MAX];
    size_t count = 0;
    uint64_t ticks_max = (uint64_t)((double)bench_scaled(slice_ns) / cores.ns_per_tick);
    start_way(way);
    uint64_t begin = __rdtsc();
    uint64_t before = begin;
    while (before - begin < ticks_max && count < WINDOW_MAX) {
        uint64_t units = 0;
        for (unsigned i = 0; i < way->window; i++) {
            uint64_t more = way->step(way->state);
            bench_require(more != 0, "a message was lost or changed");
            units += more;
        }
        uint64_t now = __rdtsc();
        windows[count++] = (double)(now - before) * cores.ns_per_tick / (double)units;
        before = now;
    }
    stop_way();
    bench_sort(windows, count);
    return bench_at(windows, count, 500);
}

/* One way: half of a round trip. */
static double floor_ns(void)
{
    return slice(&bare, FLOOR_NS) / 2;
}

double bench_cores_floor(void)
{
    cpu_set_t set;
    if (pthread_getaffinity_np(pthread_self(), sizeof set, &set) != 0 || !bench_cores_begin()) {
        return 0;
    }
    bench_real_time(true);
    double floor = floor_ns();
    bench_real_time(false);
    bench_cores_end();
    bench_require(pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0, "affinity");
    return floor;
}

static bool moved(double before, double after)
{
    return before > after * FLOOR_MOVE_MAX || after > before * FLOOR_MOVE_MAX;
}

void bench_cores_pair(const struct bench_row *row, const struct bench_way *ours,
                      const struct bench_way *other)
{
    bench_cores_pair_by_mode(row, 0, ours, other);
}

void bench_cores_pair_by_mode(const struct bench_row *row, double target_b,
                              const struct bench_way *ours, const struct bench_way *other)
{
    static struct bench_samples samples;
    unsigned retries = 0;
    unsigned retries_max = (unsigned)bench_scaled(RETRY_MAX);
    samples = (struct bench_samples){.count = bench_pairs(SLICE_NS), .target_b = target_b};
    for (size_t i = 0; i < samples.count;) {
        bool first = i % 2 == 0; /* who goes first alternates too */
        samples.real_time = bench_real_time(true);
        double before = floor_ns();
        double one = slice(first ? ours : other, SLICE_NS);
        double two = slice(first ? other : ours, SLICE_NS);
        double after = floor_ns();
        bench_real_time(false);
        if (moved(before, after) && retries++ < retries_max) {
            continue;
        }
        samples.ours[i] = first ? one : two;
        samples.other[i] = first ? two : one;
        samples.floor[i++] = (before + after) / 2;
    }
    bench_report(row, &samples);
}

void bench_cores_spread(const struct bench_way *way, bool half, struct bench_histogram *histogram)
{
    double unit = cores.ns_per_tick * (half ? 0.5 : 1);
    uint64_t part_ns = bench_scaled(SPREAD_PART_NS);
    uint64_t ticks_max = (uint64_t)((double)part_ns / cores.ns_per_tick);
    bench_histogram_clear(histogram);
    for (uint64_t part = 0; part < SPREAD_NS / SPREAD_PART_NS; part++) {
        bench_real_time(true);
        start_way(way);
        bench_require(way->step(way->state) != 0, "a message was lost or changed");
        uint64_t begin = __rdtsc();
        uint64_t before = begin;
        while (before - begin < ticks_max) {
            uint64_t units = way->step(way->state);
            bench_require(units != 0, "a message was lost or changed");
            uint64_t now = __rdtsc();
            bench_histogram_add(histogram, (double)(now - before) * unit / (double)units);
            before = now;
        }
        stop_way();
        bench_real_time(false);
    }
}
