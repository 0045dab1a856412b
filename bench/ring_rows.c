/* SPDX-License-Identifier: Apache-2.0 */
/* ring_rows.c: the ring against the bare ping-pong. */
#include "ring_rows.h"
#include "ring_ways.h"

void bench_row_latency(const struct bench_way *trip)
{
    const struct bench_row row = {.goal = 2,
                                  .what = "one-way latency, 16 B",
                                  .ours = "ring, round trip",
                                  .other = "bare ping-pong",
                                  .kind = BENCH_COST,
                                  .target = 1.25};
    bench_cores_pair(&row, trip, bench_cores_bare());
}

void bench_ring_rows(void)
{
    static struct bench_histogram histogram;
    struct bench_way trip = bench_ring_trip(16);
    bench_row_latency(&trip);
    bench_cores_spread(bench_cores_bare(), true, &histogram);
    bench_histogram_print(&histogram, "bare ping-pong, one way", bench_json());
    bench_cores_spread(&trip, true, &histogram);
    bench_histogram_print(&histogram, "ring, one way", bench_json());
    bench_ring_free(&trip);
}
