/* SPDX-License-Identifier: Apache-2.0 */
/*
 * growth.c: how the cost of a record grows with its size, and with the number of tenants, contexts
 * and channels that take turns: one curve for each, with a line for the session alone and one for a
 * worker between its rings on each backend. Each point is a ratio to the first one of its line, of
 * slices that alternate.
 */
#include "growth.h"
#include "measure.h"
#include "plot.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POINTS_MAX 16u
#define PAIR_NS    (5 * GROWTH_SLICE_NS) /* with what is between the slices */
#define LINES_MAX  3u
#define SMALL      64u /* bytes of payload where the size is not what grows */
#define CHANNELS   64u /* the most that a worker has; as many contexts, shared out among them */

enum growth_kind { GROWTH_SIZE, GROWTH_TENANTS, GROWTH_CONTEXTS, GROWTH_CHANNELS };

struct curve {
    enum growth_kind kind;
    const char *name;
    const char *unit;
    const char *image;
    const char *title;
    const char *note;
    struct bench_plot_axis x;
    struct bench_plot_axis y;
    uint32_t tenants; /* of a place, and contexts of each */
    uint32_t contexts;
    uint32_t points[POINTS_MAX]; /* ends with 0 */
};

static const struct curve curves[] = {
    {GROWTH_SIZE,
     "size",
     "bytes",
     "echo",
     "Cost of a record by its size",
     "CPU time of one echo record, against one of 64 bytes; short form, batches of 32.",
     {"payload", BENCH_PLOT_BYTES},
     {"CPU time, ratio to 64 B", BENCH_PLOT_RATIOS},
     1,
     4,
     {64, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536}},
    {GROWTH_TENANTS,
     "tenants",
     "tenants",
     "small_tenants",
     "Cost of a record by the number of tenants",
     "CPU time of one 64-byte record, against one tenant alone; tenants take turns.",
     {"tenants that take turns", BENCH_PLOT_COUNT},
     {"CPU time, ratio to one tenant", BENCH_PLOT_RATIO},
     256,
     1,
     {1, 2, 4, 16, 64, 128, 256}},
    {GROWTH_CONTEXTS,
     "contexts",
     "contexts",
     "small_contexts",
     "Cost of a record by the number of contexts",
     "CPU time of one 64-byte record, against one context alone; contexts take turns.",
     {"contexts of one tenant that take turns", BENCH_PLOT_COUNT},
     {"CPU time, ratio to one context", BENCH_PLOT_RATIO},
     1,
     4096,
     {1, 4, 16, 64, 256, 512, 1024, 2048, 4096}},
    {GROWTH_CHANNELS,
     "channels",
     "channels",
     "small_tenants",
     "Cost of a record by the number of channels",
     "CPU time of one 64-byte record, against one channel; as many records and contexts in all.",
     {"channels of one worker, all busy", BENCH_PLOT_COUNT},
     {"CPU time, ratio to one channel", BENCH_PLOT_RATIO},
     CHANNELS,
     1,
     {1, 2, 4, 8, 16, 32, CHANNELS}},
};

/* ---- one line of a curve ---- */

struct line {
    const char *name; /* session, or a backend */
    struct growth_session *session;
    struct growth_rings *rings;
    void *points[POINTS_MAX];
    size_t count;
};

static struct growth_use use_of(const struct curve *curve, uint32_t x)
{
    struct growth_use use = {SMALL, 1, 1};
    use.size = curve->kind == GROWTH_SIZE ? x : use.size;
    if (curve->kind == GROWTH_CHANNELS) {
        use.channels = x;
        use.contexts = CHANNELS;
    }
    if (curve->kind == GROWTH_TENANTS || curve->kind == GROWTH_CONTEXTS) {
        use.contexts = x; /* with one context each, tenant and context are one */
    }
    return use;
}

static void line_begin(struct line *line, const struct curve *curve,
                       const struct sealed_image *image, const char *backend)
{
    *line = (struct line){.name = backend == NULL ? "session" : backend};
    if (backend == NULL) {
        line->session = growth_session_new(curve->tenants, curve->contexts);
    } else {
        line->rings = growth_rings_new(image, backend, curve->tenants, curve->contexts);
    }
    for (; line->count < POINTS_MAX && curve->points[line->count] != 0; line->count++) {
        const struct growth_use use = use_of(curve, curve->points[line->count]);
        line->points[line->count] = backend == NULL ? (void *)growth_stock_new(line->session, &use)
                                                    : (void *)growth_blocks_new(line->rings, &use);
    }
}

static void line_end(struct line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        if (line->session != NULL) {
            growth_stock_free(line->points[i]);
        } else {
            growth_blocks_free(line->points[i]);
        }
    }
    if (line->session != NULL) {
        growth_session_free(line->session);
    } else {
        growth_rings_free(line->rings);
    }
}

static void take(const struct line *line, size_t index, struct bench_samples *samples)
{
    double (*slice)(void *) = line->session != NULL ? growth_session_slice : growth_rings_slice;
    *samples = (struct bench_samples){.count = bench_pairs(PAIR_NS)};
    (void)slice(line->points[index]); /* caches, pages */
    for (size_t i = 0; i < samples->count; i++) {
        bool first = i % 2 == 0; /* who goes first alternates too */
        samples->ours[i] = first ? slice(line->points[index]) : 0;
        samples->other[i] = slice(line->points[0]);
        samples->ours[i] = first ? samples->ours[i] : slice(line->points[index]);
    }
}

/* Every point for the plot; the last one is a row of the table as well. */
static void measure_line(const struct curve *curve, const struct line *line,
                         struct bench_plot_line *plot)
{
    static struct bench_samples samples;
    static char names[LINES_MAX][64];
    static size_t named;
    char what[64], first[64];
    *plot = (struct bench_plot_line){.count = line->count, .dots = true};
    for (size_t i = 0; i < line->count; i++) {
        struct bench_point point = {
            .curve = curve->name, .line = line->name, .unit = curve->unit, .x = curve->points[i]};
        take(line, i, &samples);
        bench_curve(&point, &samples);
        plot->x[i] = point.x;
        plot->y[i] = point.ratio;
        plot->low[i] = point.p10;
        plot->high[i] = point.p90;
        if (i == 0) {
            char *name = names[named++ % LINES_MAX];
            snprintf(name, sizeof names[0], "%s: 1 is %.0f ns", line->name, point.ns);
            plot->name = name;
        }
    }
    snprintf(what, sizeof what, "a record, %u %s, %s", curve->points[line->count - 1], curve->unit,
             line->name);
    snprintf(first, sizeof first, "%u %s", curve->points[0],
             curve->points[0] == 1 ? "alone" : curve->unit);
    const struct bench_row row = {0, what, "CPU time", first, BENCH_COST, 0};
    bench_report(&row, &samples);
}

static void measure_curve(const struct curve *curve, const char *const *backends, size_t count)
{
    static struct bench_plot_line lines[LINES_MAX];
    static struct sealed_image image;
    static struct line line;
    char path[BENCH_PATH_MAX];
    const struct bench_plot plot = {curve->title, curve->note, curve->x, curve->y, lines, count};
    sealed_image_find(&image, curve->image);
    for (size_t i = 0; i < count; i++) {
        line_begin(&line, curve, &image, backends[i]);
        measure_line(curve, &line, &lines[i]);
        line_end(&line);
    }
    sealed_image_free(&image);
    bench_require(!bench_svg(curve->name, path) || bench_plot_write(path, &plot),
                  "cannot write the plot");
}

static const char help[] =
    "usage: growth [--curve size|tenants|contexts|channels] [--json] [--seconds N]\n"
    "              [--svg PREFIX]\n\n"
    "CPU time of a record by its size, and by the number of tenants, contexts and channels that\n"
    "take turns: in the session alone, and in a worker between both rings, on each backend; as\n"
    "ratios to the first point. Plots: size, tenants, contexts, channels.\n\n";

/* Takes our argument out, for bench_begin() to judge the rest; NULL: all curves. */
static const char *take_curve(int *argc, char **argv)
{
    const char *name = NULL;
    for (int i = 1; i + 1 < *argc; i++) {
        if (strcmp(argv[i], "--curve") == 0) {
            name = argv[i + 1];
            memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof *argv);
            *argc -= 2;
        }
    }
    return name;
}

int main(int argc, char **argv)
{
    static const char *const backends[LINES_MAX] = {NULL, "process", "kvm"};
    const char *only = take_curve(&argc, argv);
    bool any = false;
    bench_begin(argc, argv, help);
    size_t count = LINES_MAX;
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        fprintf(stderr, "growth: no /dev/kvm: its lines are left out\n");
        count--;
    }
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (only != NULL && strcmp(only, curves[i].name) != 0) {
            continue;
        }
        any = true;
        size_t left_out = curves[i].kind == GROWTH_CHANNELS ? 1 : 0; /* a session knows none */
        measure_curve(&curves[i], backends + left_out, count - left_out);
    }
    bench_require(any, "growth: no such curve: see --help");
    return 0;
}
