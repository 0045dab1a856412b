/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scale.c: goal 12: two workers beside one, and what a thousand idle channels cost.
 *
 * There may be no third core for a client, so none runs while the clock does: each worker finds a
 * block of records in its ring (block.h). One slice has a block in one ring, its neighbour a block
 * in both. Two figures of the same slices: wall time, which is what a user gets and which other
 * work on the machine spoils; and core time of the enclave per record, which says what the workers
 * cost each other by all that they share: caches, memory, lines of the rings. N workers that do
 * not share anything reach N times the rate of one, on N free cores, if the core time stays.
 * Slices are in the real-time class where that is allowed (measure.h): the workers for good, but
 * they have work in slices only.
 */
#define _GNU_SOURCE
#include "block.h"
#include "cores.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WORKER_COUNT  2u
#define PAYLOAD_SIZE  64u
#define SLICE_RECORDS 100000u
#define SLICE_NS      UINT64_C(20000000)
#define IDLE_NS       200000000L
#define SETTLE_NS     300000000L

struct pair {
    struct sealed sealed[WORKER_COUNT];
    struct block blocks[WORKER_COUNT];
    uint32_t count;
};

struct slice_ns {
    double wall; /* per record */
    double core;
    bool real_time;
};

static const char *const backends[] = {"process", "kvm"};

/* A block for `workers` of them, from the first one on; the last publication starts the clock. */
static struct slice_ns slice(struct pair *pair, uint32_t first, uint32_t workers)
{
    for (uint32_t i = 0; i < workers; i++) {
        block_fill(&pair->blocks[first + i], pair->count);
    }
    bool real_time = bench_real_time(true);
    uint64_t core = block_core_ns();
    uint64_t wall = bench_wall_ns();
    for (uint32_t i = 0; i < workers; i++) {
        block_publish(&pair->blocks[first + i]);
    }
    for (uint32_t i = 0; i < workers; i++) {
        block_wait(&pair->blocks[first + i]);
    }
    wall = bench_wall_ns() - wall;
    core = block_core_ns() - core;
    bench_real_time(false);
    for (uint32_t i = 0; i < workers; i++) {
        block_drain(&pair->blocks[first + i]);
    }
    double records = (double)workers * pair->count;
    return (struct slice_ns){
        .wall = (double)wall / records, .core = (double)core / records, .real_time = real_time};
}

static void start_pair(struct pair *pair, const struct sealed_image *image,
                       const struct sealed_tenant *tenant, const char *backend)
{
    bench_real_time(true); /* what it starts inherits it */
    sealed_start(&pair->sealed[0], image, tenant, backend);
    bench_real_time(false);
    sealed_join(&pair->sealed[1], &pair->sealed[0], image, tenant, 1);
    pair->count = (uint32_t)bench_scaled(SLICE_RECORDS);
    for (uint32_t i = 0; i < WORKER_COUNT; i++) {
        sealed_short(&pair->sealed[i]);
        block_init(&pair->blocks[i], &pair->sealed[i], PAYLOAD_SIZE);
        if (pair->count > pair->blocks[i].count_max) {
            pair->count = pair->blocks[i].count_max;
        }
    }
}

static void report_pair(const char *backend, struct bench_samples *wall, struct bench_samples *core)
{
    char what[2][64];
    snprintf(what[0], sizeof what[0], "rate, wall time, %s", backend);
    snprintf(what[1], sizeof what[1], "2 / core time a record, %s", backend);
    const struct bench_row rows[] = {
        {12, what[0], "two workers", "one worker", BENCH_FASTER, 1.9},
        {12, what[1], "two workers", "one worker", BENCH_FASTER, 1.9},
    };
    bench_report(&rows[0], wall);
    bench_report(&rows[1], core);
}

/* Each slice by itself: wall time of a record. */
static void report_spread(const char *backend, const struct bench_samples *wall)
{
    static struct bench_histogram histograms[2];
    static const struct bench_series series[2] = {{"two workers", &histograms[0]},
                                                  {"one worker", &histograms[1]}};
    const double *slices[2] = {wall->ours, wall->other};
    char text[64];
    for (size_t k = 0; k < 2; k++) {
        bench_histogram_clear(&histograms[k]);
        for (size_t i = 0; i < wall->count; i++) {
            bench_histogram_add(&histograms[k], slices[k][i]);
        }
        snprintf(text, sizeof text, "a record of a slice, %s, %s", series[k].name, backend);
        bench_histogram_print(&histograms[k], text, bench_json());
    }
    snprintf(text, sizeof text, "One worker and two on %s: wall time a record, by slice", backend);
    bench_histogram_svg(backend, text, series, 2);
}

static void run_pair(const struct sealed_image *image, const struct sealed_tenant *tenant,
                     const char *backend)
{
    static struct bench_samples wall, core;
    static struct pair pair;
    start_pair(&pair, image, tenant, backend);
    wall.count = core.count = bench_pairs(SLICE_NS);
    (void)slice(&pair, 0, WORKER_COUNT); /* pages of the rings, caches */
    for (size_t i = 0; i < wall.count; i++) {
        wall.floor[i] = core.floor[i] = bench_cores_floor();
        struct slice_ns one = slice(&pair, i % WORKER_COUNT, 1); /* each of them in turn */
        struct slice_ns two = slice(&pair, 0, WORKER_COUNT);
        wall.real_time = core.real_time = two.real_time;
        wall.ours[i] = two.wall;
        wall.other[i] = one.wall;
        core.ours[i] = two.core / WORKER_COUNT;
        core.other[i] = one.core;
    }
    report_spread(backend, &wall);
    report_pair(backend, &wall, &core);
    sealed_stop(&pair.sealed[1]);
    sealed_stop(&pair.sealed[0]);
}

/* Core time of enclave and host, beside the time that passes while nothing is asked of either. */
static void run_idle(const struct sealed_image *image, const struct sealed_tenant *tenant,
                     const char *backend)
{
    static struct bench_samples samples;
    const struct timespec settle = {.tv_nsec = SETTLE_NS};
    const struct timespec pause = {.tv_nsec = (long)bench_scaled(IDLE_NS)};
    char what[64];
    struct sealed sealed;
    snprintf(what, sizeof what, "1,000 idle channels, %s", backend);
    const struct bench_row row = {12, what, "core time", "time that passes", BENCH_COST, 0.02};
    sealed_start(&sealed, image, tenant, backend);
    bench_require(csn_enclave_channel_count(sealed.enclave) == 1000, "another image");
    nanosleep(&settle, NULL);
    samples.count = BENCH_PAIR_MIN;
    for (size_t i = 0; i < samples.count; i++) {
        uint64_t core = block_core_ns();
        uint64_t wall = bench_wall_ns();
        uint64_t own = bench_thread_ns(); /* what the measuring itself costs is not the channels' */
        nanosleep(&pause, NULL);
        own = bench_thread_ns() - own;
        samples.other[i] = (double)(bench_wall_ns() - wall);
        samples.ours[i] = (double)(block_core_ns() - core + own);
    }
    static const uint8_t payload[PAYLOAD_SIZE] = {1};
    sealed_echo(&sealed, payload, sizeof payload); /* it was idle, not dead */
    bench_report(&row, &samples);
    sealed_stop(&sealed);
}

static const char help[] =
    "usage: scale [--json] [--seconds N] [--svg PREFIX]\n\n"
    "Goal 12: two workers beside one where no client runs, in wall time and in core time, and the\n"
    "core time of an enclave with a thousand idle channels, on each backend.\n"
    "Plots: process, kvm.\n\n";

int main(int argc, char **argv)
{
    static struct sealed_image pair, thousand;
    static struct sealed_tenant tenant;
    bench_begin(argc, argv, help);
    sealed_image_find(&pair, "small_pair");
    sealed_image_find(&thousand, "small_thousand");
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        if (strcmp(backends[i], "kvm") == 0 && access("/dev/kvm", R_OK | W_OK) != 0) {
            fprintf(stderr, "scale: no /dev/kvm: its rows are left out\n");
            continue;
        }
        sealed_tenant_new(&tenant, &pair, true);
        run_pair(&pair, &tenant, backends[i]);
        sealed_tenant_free(&tenant);
        sealed_tenant_new(&tenant, &thousand, true);
        run_idle(&thousand, &tenant, backends[i]);
        sealed_tenant_free(&tenant);
    }
    sealed_image_free(&pair);
    sealed_image_free(&thousand);
    return 0;
}
