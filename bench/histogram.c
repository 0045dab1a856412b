/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.c: buckets by binary exponent and the six bits after it; a plot by percentile. */
#include "histogram.h"
#include "measure.h"
#include "plot.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define UNIT 64.0 /* steps of a ns: 1 part in 64 from 1 ns on, up to 17 s */

#define NINES_MAX    5.0 /* the axis ends at 99.999 % */
#define NINES_POINTS 101u

static size_t bucket_of(double ns)
{
    uint64_t value = ns * UNIT < 1 ? 1 : (uint64_t)(ns * UNIT);
    unsigned exponent = 63 - (unsigned)__builtin_clzll(value);
    uint64_t share = exponent >= 6 ? (value >> (exponent - 6)) - BENCH_HISTOGRAM_SHARES
                                   : (value << (6 - exponent)) - BENCH_HISTOGRAM_SHARES;
    exponent = exponent < BENCH_HISTOGRAM_DOUBLES ? exponent : BENCH_HISTOGRAM_DOUBLES - 1;
    return (size_t)exponent * BENCH_HISTOGRAM_SHARES + (size_t)share;
}

/* The upper end of a bucket. */
static double value_of(size_t bucket)
{
    double share = (double)(bucket % BENCH_HISTOGRAM_SHARES + 1) / BENCH_HISTOGRAM_SHARES;
    return ldexp(1 + share, (int)(bucket / BENCH_HISTOGRAM_SHARES)) / UNIT;
}

void bench_histogram_clear(struct bench_histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

void bench_histogram_add(struct bench_histogram *histogram, double ns)
{
    histogram->buckets[bucket_of(ns)]++;
    histogram->count++;
    histogram->max = ns > histogram->max ? ns : histogram->max;
}

double bench_histogram_at(const struct bench_histogram *histogram, double share)
{
    double wanted = share * (double)histogram->count;
    uint64_t seen = 0;
    for (size_t i = 0; i < sizeof histogram->buckets / sizeof histogram->buckets[0]; i++) {
        seen += histogram->buckets[i];
        if (seen != 0 && (double)seen >= wanted) {
            double value = value_of(i);
            return value < histogram->max ? value : histogram->max;
        }
    }
    return histogram->max;
}

void bench_histogram_print(const struct bench_histogram *histogram, const char *what, bool json)
{
    static const double shares[] = {0.5, 0.9, 0.99, 0.999, 0.9999, 1};
    static const char *const names[] = {"p50", "p90", "p99", "p99.9", "p99.99", "max"};
    printf(json ? "{\"histogram\":\"%s\",\"samples\":%llu" : "  %-34s %9llu samples", what,
           (unsigned long long)histogram->count);
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        printf(json ? ",\"%s\":%.1f" : "  %s %.1f", names[i],
               bench_histogram_at(histogram, shares[i]));
    }
    puts(json ? "}" : " ns");
}

/* ---- the plot ---- */

void bench_histogram_svg(const char *name, const char *title, const struct bench_series *series,
                         size_t count)
{
    char path[BENCH_PATH_MAX];
    static struct bench_plot_line lines[BENCH_PLOT_LINES_MAX];
    const struct bench_plot plot = {
        .title = title,
        .note = "Each duration by itself. Lower is better; a step up is what one in so many waits.",
        .x = {"share of the durations that are not longer", BENCH_PLOT_NINES},
        .y = {"time", BENCH_PLOT_NS},
        .lines = lines,
        .count = count < BENCH_PLOT_LINES_MAX ? count : BENCH_PLOT_LINES_MAX};
    for (size_t i = 0; i < plot.count; i++) {
        lines[i] = (struct bench_plot_line){.name = series[i].name, .count = NINES_POINTS};
        for (size_t k = 0; k < NINES_POINTS; k++) {
            double nines = NINES_MAX * (double)k / (NINES_POINTS - 1);
            lines[i].x[k] = nines;
            lines[i].y[k] = bench_histogram_at(series[i].histogram, 1 - pow(10, -nines));
        }
    }
    bench_require(!bench_svg(name, path) || bench_plot_write(path, &plot), "cannot write the plot");
}
