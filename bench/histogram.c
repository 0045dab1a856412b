/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.c: buckets by binary exponent and the six bits after it; a plot by percentile. */
#include "histogram.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define UNIT 16.0 /* the smallest step is a sixteenth of a ns */

#define WIDTH     760
#define HEIGHT    420
#define LEFT      70
#define RIGHT     740
#define TOP       50
#define BOTTOM    370
#define NINES_MAX 5.0 /* the axis ends at 99.999 % */

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

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* Along: how many nines. Up: powers of ten of ns, from 10 ns to 10 ms. */
static double along(double nines)
{
    return LEFT + (RIGHT - LEFT) * clamp(nines / NINES_MAX, 0, 1);
}

static double up(double ns)
{
    return BOTTOM - (BOTTOM - TOP) * clamp((log10(ns) - 1) / 6, 0, 1);
}

static void draw_axes(FILE *file, const char *title)
{
    static const char *const shares[] = {"0", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"};
    static const char *const values[] = {"10 ns",  "100 ns", "1 us", "10 us",
                                         "100 us", "1 ms",   "10 ms"};
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"12\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
            "<text x=\"%d\" y=\"28\" font-size=\"16\">%s</text>\n",
            WIDTH, HEIGHT, LEFT, title);
    for (int i = 0; i <= 5; i++) {
        double x = along(i);
        fprintf(file,
                "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#ddd\"/>"
                "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                x, TOP, x, BOTTOM, x, BOTTOM + 18, shares[i]);
    }
    for (int i = 0; i <= 6; i++) {
        double y = up(pow(10, i + 1));
        fprintf(file,
                "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                LEFT, y, RIGHT, y, LEFT - 6, y + 4, values[i]);
    }
}

static void draw_series(FILE *file, const struct bench_series *series, size_t index)
{
    static const char *const colours[BENCH_PLOT_SERIES_MAX] = {
        "#1b6ca8", "#888888", "#c8553d", "#3a7d44", "#8e5ea2", "#b8860b", "#20a4a4", "#444444"};
    fprintf(file, "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"",
            colours[index]);
    for (double nines = 0; nines <= NINES_MAX; nines += 0.05) {
        double share = 1 - pow(10, -nines);
        fprintf(file, "%.1f,%.1f ", along(nines), up(bench_histogram_at(series->histogram, share)));
    }
    fprintf(file, "\"/>\n<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>\n", LEFT + 12,
            TOP + 16 + (int)index * 16, colours[index], series->name);
}

bool bench_histogram_plot(const char *path, const char *title, const struct bench_series *series,
                          size_t count)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    draw_axes(file, title);
    for (size_t i = 0; i < count && i < BENCH_PLOT_SERIES_MAX; i++) {
        draw_series(file, &series[i], i);
    }
    fputs("</svg>\n", file);
    return fclose(file) == 0;
}
