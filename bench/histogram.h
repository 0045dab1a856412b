/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histogram.h: durations in buckets that grow with their value, so that any percentile of any
 * number of samples is known to 1 part in 64 (from 1 ns on), in the manner of HdrHistogram; and
 * their plot.
 */
#ifndef CSN_BENCH_HISTOGRAM_H
#define CSN_BENCH_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_HISTOGRAM_SHARES  64u /* buckets to each doubling */
#define BENCH_HISTOGRAM_DOUBLES 40u
#define BENCH_PLOT_SERIES_MAX   8u /* as many lines as a plot has */

struct bench_histogram {
    uint64_t count;
    double max;
    uint64_t buckets[BENCH_HISTOGRAM_DOUBLES * BENCH_HISTOGRAM_SHARES];
};

void bench_histogram_clear(struct bench_histogram *histogram);
void bench_histogram_add(struct bench_histogram *histogram, double ns);
/* The value that this share of the samples (0 to 1) does not exceed. */
double bench_histogram_at(const struct bench_histogram *histogram, double share);
/* One line: p50, p90, p99, p99.9, p99.99, largest; text or JSON. */
void bench_histogram_print(const struct bench_histogram *histogram, const char *what, bool json);

/* Percentiles of up to BENCH_PLOT_SERIES_MAX histograms as an SVG file. */
struct bench_series {
    const char *name;
    const struct bench_histogram *histogram;
};
/* Where --svg PREFIX was given (measure.h): PREFIX-NAME.svg, or the program ends. */
void bench_histogram_svg(const char *name, const char *title, const struct bench_series *series,
                         size_t count);

#endif
