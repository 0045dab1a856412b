/* SPDX-License-Identifier: Apache-2.0 */
/* rings.c: the ring against the bare wire, its own trusting twin, and rings of others. */
#include "ring_peers.h"
#include "ring_rows.h"
#include "ring_ways.h"
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: rings [--json] [--seconds N] [--svg PREFIX]\n\n"
    "One-way latency of the ring, and 8, 64 and 1,024 byte records by value, between two cores:\n"
    "against the bare ping-pong of two lines, against the same ring without its checks, and\n"
    "against the rings of DPDK, Boost and Concurrency Kit, where this build has them.\n"
    "Plots: latency, stream, checks.\n\n";

struct bench_way bench_twin_stream(uint32_t size, uint32_t burst);
void bench_twin_free(struct bench_way *way);

static const uint32_t sizes[3] = {8, 64, 1024};

/* ---- goal 2: latency ---- */

static void latency(void)
{
    static struct bench_histogram histograms[BENCH_PLOT_SERIES_MAX];
    struct bench_series series[BENCH_PLOT_SERIES_MAX] = {{"bare ping-pong", &histograms[0]},
                                                         {"ring", &histograms[1]}};
    struct bench_way ours = bench_ring_trip(16);
    size_t count = 2;
    bench_row_latency(&ours);
    bench_cores_spread(bench_cores_bare(), true, &histograms[0]);
    bench_cores_spread(&ours, true, &histograms[1]);
    for (size_t i = 0; bench_ring_peers[i] != NULL; i++) {
        const struct bench_ring_peer *peer = bench_ring_peers[i];
        struct bench_way way = peer->trip[0]();
        const struct bench_row row = {.goal = strncmp(peer->name, "ck", 2) != 0 ? 2 : 0,
                                      .what = "one-way latency, 16 B",
                                      .ours = "round trip, half",
                                      .other = peer->name,
                                      .kind = BENCH_COST,
                                      .target = strncmp(peer->name, "ck", 2) != 0 ? 0.8 : 0};
        bench_cores_pair(&row, &ours, &way);
        series[count] = (struct bench_series){peer->name, &histograms[count]};
        bench_cores_spread(&way, true, &histograms[count++]);
    }
    for (size_t i = 0; i < count; i++) {
        bench_histogram_print(&histograms[i], series[i].name, bench_json());
    }
    bench_histogram_svg("latency", "One-way latency between two cores", series, count);
    bench_ring_free(&ours);
}

/* ---- goal 3: streams ---- */

/* Each burst by itself, for the plots of goals 3 and 4: time of one record of it. */
static void spread_of(const char *name, const struct bench_way *way, struct bench_series *series,
                      struct bench_histogram *histogram, const char *prefix)
{
    char what[64];
    bench_cores_spread(way, false, histogram);
    snprintf(what, sizeof what, "%s, %s", prefix, name);
    bench_histogram_print(histogram, what, bench_json());
    *series = (struct bench_series){name, histogram};
}

static void streams(uint32_t burst)
{
    static struct bench_histogram histograms[BENCH_PLOT_SERIES_MAX];
    struct bench_series series[BENCH_PLOT_SERIES_MAX];
    static const char *const texts[2][3] = {
        {"8 B records, one at a time", "64 B records, one at a time", "1 KiB records, one by one"},
        {"8 B records, bursts of 32", "64 B records, bursts of 32", "1 KiB records, bursts of 32"}};
    for (size_t s = 0; s < 3; s++) {
        struct bench_way ours = bench_ring_stream(sizes[s], burst);
        bool plotted = s == 1 && burst == BENCH_BURST_MAX; /* goal 3 */
        size_t count = 0;
        if (plotted) {
            spread_of("ring", &ours, &series[0], &histograms[0], texts[1][1]);
            count = 1;
        }
        for (size_t i = 0; bench_ring_peers[i] != NULL; i++) {
            const struct bench_ring_peer *peer = bench_ring_peers[i];
            bool goal = plotted && strncmp(peer->name, "rte", 3) == 0;
            struct bench_way way = peer->stream[s](burst);
            const struct bench_row row = {.goal = goal ? 3 : 0,
                                          .what = texts[burst != 1][s],
                                          .ours = "by value, hostile peer",
                                          .other = peer->name,
                                          .kind = BENCH_FASTER,
                                          .target = goal ? 1.4 : 0};
            bench_cores_pair(&row, &ours, &way);
            if (plotted && count < BENCH_PLOT_SERIES_MAX) {
                spread_of(peer->name, &way, &series[count], &histograms[count], texts[1][1]);
                count++;
            }
        }
        if (plotted) {
            bench_histogram_svg("stream", "64-byte records in bursts of 32: time a record", series,
                                count);
        }
        bench_ring_free(&ours);
    }
}

/* ---- goal 4: what the checks cost ---- */

static void safety(void)
{
    static const char *const texts[3] = {"checks, 8 B records", "checks, 64 B records",
                                         "checks, 1 KiB records"};
    static const double targets[3] = {0, 0.93, 0.98};
    static const char *const names[2][3] = {{"", "64 B, checked", "1 KiB, checked"},
                                            {"", "64 B, trusting twin", "1 KiB, trusting twin"}};
    static struct bench_histogram histograms[4];
    struct bench_series series[4];
    size_t count = 0;
    for (size_t s = 0; s < 3; s++) {
        struct bench_way ours = bench_ring_stream(sizes[s], BENCH_BURST_MAX);
        struct bench_way twin = bench_twin_stream(sizes[s], BENCH_BURST_MAX);
        const struct bench_row row = {.goal = targets[s] > 0 ? 4 : 0,
                                      .what = texts[s],
                                      .ours = "bursts of 32",
                                      .other = "trusting twin",
                                      .kind = BENCH_FASTER,
                                      .target = targets[s]};
        bench_cores_pair(&row, &ours, &twin);
        if (targets[s] > 0) {
            spread_of(names[0][s], &ours, &series[count], &histograms[count], "checks");
            count++;
            spread_of(names[1][s], &twin, &series[count], &histograms[count], "checks");
            count++;
        }
        bench_ring_free(&ours);
        bench_twin_free(&twin);
    }
    bench_histogram_svg("checks", "The ring and its trusting twin, bursts of 32: time a record",
                        series, count);
}

int main(int argc, char **argv)
{
    bench_begin(argc, argv, help);
    bench_require(bench_cores_begin(), "rings: needs two CPUs, one for each side");
    for (size_t i = 0; bench_ring_peers_missing[i] != NULL; i++) {
        fprintf(stderr, "rings: no %s: its rows are left out\n", bench_ring_peers_missing[i]);
    }
    latency();
    streams(BENCH_BURST_MAX);
    streams(1);
    safety();
    bench_cores_end();
    return 0;
}
