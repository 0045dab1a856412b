/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park.c: what waiting costs, and whether the constants of src/enclave/loop.h and
 * src/host/channel.c fit: how long a worker and a host look before they sleep, what a sleep and a
 * wake cost, and how long there is nothing to do. The argument is in docs/PERFORMANCE.md, Waiting:
 * who looks for as long as a sleep and a wake cost never spends more than twice what it would have
 * spent if it had known how long there is nothing to do.
 */
#define _GNU_SOURCE
#include "park.h"
#include "block.h"
#include "core/event.h"
#include "histogram.h"
#include "host/enclave.h"
#include "measure.h"
#include "plot.h"
#include "sealed.h"
#include <caisson/wire/channel.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD      64u
#define SLICE_CYCLES 64u
#define SLICE_NS     UINT64_C(20000000)
#define LOOKS_NS     UINT64_C(1000000)
#define SETTLE_NS    30000L
#define WAIT_NS      UINT64_C(100000) /* of a host that is answered by nobody */
#define HOST_SPIN_NS 10000.0          /* as in src/host/channel.c */
#define TICK_NS      50000L           /* as the demo's producer sleeps */
#define GAPS         2000u
#define SPINS        9 /* of the plot: 1/16 to 16 times the cost */

struct rig {
    struct sealed_image image;
    struct sealed_tenant tenant;
    struct sealed sealed;
};

static const uint8_t payload[PAYLOAD] = {1, 2, 3};

static void rig_start(struct rig *rig, const char *backend, const char *image)
{
    sealed_image_find(&rig->image, image);
    sealed_tenant_new(&rig->tenant, &rig->image, true);
    sealed_start(&rig->sealed, &rig->image, &rig->tenant, backend);
    sealed_short(&rig->sealed);
}

static void rig_stop(struct rig *rig)
{
    sealed_stop(&rig->sealed);
    sealed_tenant_free(&rig->tenant);
    sealed_image_free(&rig->image);
}

static void await_park(const struct rig *rig)
{
    const struct csn_host_channel *channel = csn_channel_at(rig->sealed.enclave, 0);
    const struct timespec pause = {.tv_nsec = SETTLE_NS};
    uint64_t begin = bench_wall_ns();
    do {
        nanosleep(&pause, NULL);
        bench_require(bench_wall_ns() - begin < UINT64_C(10000000000), "the worker never sleeps");
    } while (csn_shared_load(channel->worker_event, CSN_WIRE_EVENT_ARMED) == 0);
    nanosleep(&pause, NULL);
}

/* ---- what a sleep and a wake cost ---- */

struct cycle {
    double worker; /* CPU time of one record that finds the worker asleep, to its next sleep */
    double asleep; /* the trip of that record, wall time */
    double host;   /* CPU time of this side in it */
};

static struct cycle take_cycles(struct rig *rig)
{
    static double asleep[SLICE_CYCLES], host[SLICE_CYCLES];
    await_park(rig);
    uint64_t begin = block_core_ns(); /* of all enclaves: the others sleep */
    for (size_t i = 0; i < SLICE_CYCLES; i++) {
        uint64_t thread = bench_thread_ns();
        uint64_t wall = bench_wall_ns();
        sealed_echo(&rig->sealed, payload, sizeof payload);
        asleep[i] = (double)(bench_wall_ns() - wall);
        host[i] = (double)(bench_thread_ns() - thread);
        await_park(rig);
    }
    struct cycle cycle = {.worker = (double)(block_core_ns() - begin) / SLICE_CYCLES};
    bench_sort(asleep, SLICE_CYCLES);
    bench_sort(host, SLICE_CYCLES);
    cycle.asleep = bench_at(asleep, SLICE_CYCLES, 500);
    cycle.host = bench_at(host, SLICE_CYCLES, 500);
    return cycle;
}

/* A record that finds the worker looking. */
static double take_awake(struct rig *rig)
{
    double trips[SLICE_CYCLES];
    for (size_t i = 0; i < SLICE_CYCLES; i++) {
        uint64_t begin = bench_wall_ns();
        sealed_echo(&rig->sealed, payload, sizeof payload);
        trips[i] = (double)(bench_wall_ns() - begin);
    }
    bench_sort(trips, SLICE_CYCLES);
    return bench_at(trips, SLICE_CYCLES, 500);
}

/* CPU time of a host that sleeps for nothing, without what it looks before. */
static double host_sleep_ns(struct rig *rig)
{
    double times[SLICE_CYCLES];
    for (size_t i = 0; i < SLICE_CYCLES; i++) {
        uint64_t begin = bench_thread_ns();
        bench_require(csn_enclave_wait(rig->sealed.enclave, 0, WAIT_NS) == CSN_AGAIN, "an answer");
        double spent = (double)(bench_thread_ns() - begin) - HOST_SPIN_NS;
        times[i] = spent > 1 ? spent : 1;
    }
    bench_sort(times, SLICE_CYCLES);
    return bench_at(times, SLICE_CYCLES, 500);
}

/* CPU time of one whole wait in this process, up to the gate. */
static double looks_ns(struct park_looks *looks)
{
    uint64_t begin = bench_thread_ns();
    uint64_t count = 0;
    while (bench_thread_ns() - begin < LOOKS_NS) {
        count += park_looks_wait(looks);
    }
    return (double)(bench_thread_ns() - begin) / (double)count;
}

/*
 * ns of a worker's sleep and wake: what the eager image's worker spends on a record, which does
 * nothing but that and the record. What the usual one spends beyond it is what it looks before.
 */
static double measure_cost(struct rig *rig, struct rig *eager, struct park_looks *looks,
                           const char *backend)
{
    static struct bench_samples whole, used, latency, host;
    char what[4][64];
    snprintf(what[0], sizeof what[0], "a worker's longest look, %s", backend);
    snprintf(what[1], sizeof what[1], "waits that end in a park, %s", backend);
    snprintf(what[2], sizeof what[2], "echo of a worker asleep, %s", backend);
    snprintf(what[3], sizeof what[3], "host looks, then sleeps, %s", backend);
    const struct bench_row rows[] = {
        {0, what[0], "CPU", "park and wake, CPU", BENCH_COST, 0},
        {0, what[1], "as it looks, CPU", "park and wake, CPU", BENCH_COST, 0},
        {0, what[2], "asleep", "worker that looks", BENCH_COST, 0},
        {0, what[3], "10 us", "sleep and wake, CPU", BENCH_COST, 0}};
    whole.count = used.count = latency.count = host.count = bench_pairs(SLICE_NS);
    for (size_t i = 0; i < whole.count; i++) {
        whole.ours[i] = looks_ns(looks);
        struct cycle usual = take_cycles(rig);
        struct cycle cycle = take_cycles(eager);
        whole.other[i] = used.other[i] = cycle.worker;
        used.ours[i] = usual.worker;
        latency.ours[i] = usual.asleep;
        latency.other[i] = take_awake(rig);
        host.ours[i] = HOST_SPIN_NS;
        host.other[i] = host_sleep_ns(rig);
    }
    bench_report(&rows[0], &whole);
    bench_report(&rows[1], &used);
    bench_report(&rows[2], &latency);
    bench_report(&rows[3], &host);
    return bench_at(used.other, used.count, 500);
}

/* ---- how long there is nothing to do ---- */

/* From an answer to the next record: at once, or after the sleep of a producer with a rate. */
static void take_gaps(struct rig *rig, bool sleeps, double gaps[GAPS])
{
    const struct timespec tick = {.tv_nsec = TICK_NS};
    uint64_t before = 0;
    for (size_t i = 0; i <= GAPS; i++) {
        uint64_t begin = bench_wall_ns();
        if (i > 0) {
            gaps[i - 1] = (double)(begin - before);
        }
        sealed_echo(&rig->sealed, payload, sizeof payload);
        before = bench_wall_ns();
        if (sleeps) {
            nanosleep(&tick, NULL);
        }
    }
}

/* What waiting costs in all, to what it would cost who knows each gap. */
static double to_best(const double *gaps, double spin, double cost)
{
    double spent = 0;
    double best = 0;
    for (size_t i = 0; i < GAPS; i++) {
        spent += gaps[i] < spin ? gaps[i] : spin + cost;
        best += gaps[i] < cost ? gaps[i] : cost;
    }
    return spent / best;
}

/* Gaps that end just when the looking did. */
static double worst(double spin, double cost)
{
    return (spin + cost) / (spin < cost ? spin : cost);
}

static void measure_gaps(struct rig *rig, double cost, const char *backend)
{
    static double gaps[2][GAPS];
    static struct bench_histogram histogram;
    static struct bench_plot_line lines[3] = {{.name = "the worst gaps there can be"},
                                              {.name = "measured: one record after the other"},
                                              {.name = "measured: a producer that sleeps 50 us"}};
    char path[BENCH_PATH_MAX], note[128], what[64];
    for (size_t kind = 0; kind < 2; kind++) {
        take_gaps(rig, kind == 1, gaps[kind]);
        bench_histogram_clear(&histogram);
        for (size_t i = 0; i < GAPS; i++) {
            bench_histogram_add(&histogram, gaps[kind][i]);
        }
        snprintf(what, sizeof what, "gaps, %s, %s", backend,
                 kind == 0 ? "one after the other" : "sleeping producer");
        bench_histogram_print(&histogram, what, bench_json());
    }
    for (int i = 0; i < SPINS; i++) {
        double share = ldexp(1, i - SPINS / 2);
        for (size_t k = 0; k < 3; k++) {
            lines[k].count = SPINS;
            lines[k].dots = true;
            lines[k].x[i] = share;
            lines[k].y[i] =
                k == 0 ? worst(share * cost, cost) : to_best(gaps[k - 1], share * cost, cost);
        }
    }
    snprintf(note, sizeof note,
             "CPU time, to that of who knows each gap; a park and wake is %.1f us.", cost / 1000);
    const struct bench_plot plot = {.title = "Waiting: what it costs to look for how long",
                                    .note = note,
                                    .x = {"time of looking, in parks and wakes", BENCH_PLOT_COUNT},
                                    .y = {"cost, ratio to the best possible", BENCH_PLOT_RATIO},
                                    .lines = lines,
                                    .count = 3};
    bench_require(!bench_svg(backend, path) || bench_plot_write(path, &plot),
                  "cannot write the plot");
}

static const char help[] =
    "usage: park [--json] [--seconds N] [--svg PREFIX]\n\n"
    "How long a worker and a host look before they sleep, beside what a sleep and a wake cost, on\n"
    "each backend; how long there is nothing to do; what other times of looking would cost.\n"
    "Plots: process, kvm.\n\n";

int main(int argc, char **argv)
{
    static const char *const backends[] = {"process", "kvm"};
    static struct rig rig, eager;
    bench_begin(argc, argv, help);
    struct park_looks *one = park_looks_new(1);
    struct park_looks *two = park_looks_new(2); /* as the echo enclave */
    struct park_looks *most = park_looks_new(64);
    const struct bench_row row = {
        0, "looks in vain, 64 channels", "before a park", "one channel", BENCH_COST, 0};
    bench_pair_of(&row, park_looks_wait, most, park_looks_wait, one);
    for (size_t i = 0; i < 2; i++) {
        if (strcmp(backends[i], "kvm") == 0 && access("/dev/kvm", R_OK | W_OK) != 0) {
            fprintf(stderr, "park: no /dev/kvm: its rows are left out\n");
            continue;
        }
        rig_start(&rig, backends[i], "echo");
        rig_start(&eager, backends[i], "../tests/cli/zero_eager_echo");
        double cost = measure_cost(&rig, &eager, two, backends[i]);
        measure_gaps(&rig, cost, backends[i]);
        rig_stop(&eager);
        rig_stop(&rig);
    }
    park_looks_free(one);
    park_looks_free(two);
    park_looks_free(most);
    return 0;
}
