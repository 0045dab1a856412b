/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plot.h: lines over two axes as an SVG file that needs nothing beside it: titles, units, a text
 * for who cannot see it, and colours that change with the reader's light or dark page.
 */
#ifndef CSN_BENCH_PLOT_H
#define CSN_BENCH_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#define BENCH_PLOT_LINES_MAX  8u
#define BENCH_PLOT_POINTS_MAX 128u

/* How an axis is divided and its ticks are written. */
enum bench_plot_scale {
    BENCH_PLOT_RATIO,  /* from 0, evenly */
    BENCH_PLOT_RATIOS, /* by powers of ten */
    BENCH_PLOT_NS,     /* by powers of ten: 100 ns, 1 us */
    BENCH_PLOT_BYTES,  /* by powers of two: 64 B, 1 KiB */
    BENCH_PLOT_COUNT,  /* by powers of two */
    BENCH_PLOT_NINES,  /* a share as its number of nines: 0 is 0 %, 2 is 99 % */
};

struct bench_plot_axis {
    const char *label; /* what, and its unit */
    enum bench_plot_scale scale;
};

struct bench_plot_line {
    const char *name;
    size_t count;
    bool dots; /* each point is a measurement of its own; spread is drawn where high > low */
    double x[BENCH_PLOT_POINTS_MAX];
    double y[BENCH_PLOT_POINTS_MAX];
    double low[BENCH_PLOT_POINTS_MAX];
    double high[BENCH_PLOT_POINTS_MAX];
};

struct bench_plot {
    const char *title;
    const char *note; /* one sentence below the title: how it was measured */
    struct bench_plot_axis x;
    struct bench_plot_axis y;
    const struct bench_plot_line *lines;
    size_t count; /* of lines */
};

/* False: it cannot be written. */
bool bench_plot_write(const char *path, const struct bench_plot *plot);

#endif
