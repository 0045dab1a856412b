/* SPDX-License-Identifier: Apache-2.0 */
/* plot.c: see plot.h. Texts are the program's own: none needs escaping. */
#include "plot.h"
#include <math.h>
#include <stdio.h>

#define WIDTH     800
#define HEIGHT    480
#define LEFT      84
#define RIGHT     752
#define TOP       72
#define BOTTOM    412
#define TICKS_MAX 64u
#define NEARLY    0.05 /* of a power of ten: no decade is begun for that little */
#define LEGEND    18   /* from one line of it to the next */

/* Where an axis begins and ends, in what its scale counts: value, power of ten, power of two. */
struct span {
    enum bench_plot_scale scale;
    double from;
    double to;
    double step;
};

static double position(enum bench_plot_scale scale, double value)
{
    switch (scale) {
    case BENCH_PLOT_NS:
    case BENCH_PLOT_RATIOS:
        return log10(value > 0 ? value : 1);
    case BENCH_PLOT_BYTES:
    case BENCH_PLOT_COUNT:
        return log2(value > 0 ? value : 1);
    default:
        return value;
    }
}

/* 1, 2 or 5 times a power of ten: about `count` of them make the whole. */
static double round_step(double whole, double count)
{
    double least = whole / count;
    double power = pow(10, floor(log10(least)));
    double times = least / power;
    return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

static void widen(struct span *span, double value)
{
    double at = position(span->scale, value);
    span->from = at < span->from ? at : span->from;
    span->to = at > span->to ? at : span->to;
}

static struct span span_of(const struct bench_plot *plot, bool up)
{
    struct span span = {.scale = up ? plot->y.scale : plot->x.scale, .from = 1e9, .to = -1e9};
    for (size_t i = 0; i < plot->count; i++) {
        const struct bench_plot_line *line = &plot->lines[i];
        for (size_t k = 0; k < line->count; k++) {
            widen(&span, up ? line->y[k] : line->x[k]);
            if (up && line->high[k] > line->low[k]) {
                widen(&span, line->high[k]); /* its low end may be cut off: no axis begins for it */
            }
        }
    }
    span.step = 1;
    if (span.scale == BENCH_PLOT_RATIO) {
        span.from = 0;
        span.to = span.to > 0 ? span.to : 1;
        span.step = round_step(span.to, 6);
        span.to = ceil(span.to * 1.02 / span.step) * span.step;
    } else if (span.scale == BENCH_PLOT_NS || span.scale == BENCH_PLOT_RATIOS) {
        span.from = floor(span.from + NEARLY);
        span.to = ceil(span.to - NEARLY) > span.from ? ceil(span.to - NEARLY) : span.from + 1;
    } else if (span.to - span.from > 9) {
        span.step = 2;
    }
    span.to = span.to > span.from ? span.to : span.from + 1;
    return span;
}

static double along(const struct span *span, double at)
{
    return LEFT + (RIGHT - LEFT) * (at - span->from) / (span->to - span->from);
}

static double above(const struct span *span, double at)
{
    at = at < span->from ? span->from : at > span->to ? span->to : at;
    return BOTTOM - (BOTTOM - TOP) * (at - span->from) / (span->to - span->from);
}

static void tick_text(char text[32], enum bench_plot_scale scale, double at)
{
    static const char *const shares[] = {"0", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"};
    double value = scale == BENCH_PLOT_NS || scale == BENCH_PLOT_RATIOS     ? pow(10, at)
                   : scale == BENCH_PLOT_BYTES || scale == BENCH_PLOT_COUNT ? exp2(at)
                                                                            : at;
    if (scale == BENCH_PLOT_NS) {
        double unit = value < 1e3 ? 1 : value < 1e6 ? 1e3 : value < 1e9 ? 1e6 : 1e9;
        snprintf(text, 32, "%g %s", value / unit,
                 unit == 1     ? "ns"
                 : unit == 1e3 ? "us"
                 : unit == 1e6 ? "ms"
                               : "s");
    } else if (scale == BENCH_PLOT_BYTES) {
        snprintf(text, 32, value < 1024 ? "%g B" : "%g KiB", value < 1024 ? value : value / 1024);
    } else if (scale == BENCH_PLOT_NINES) {
        size_t nines = (size_t)(at + 0.5);
        snprintf(text, 32, "%s", shares[nines < 6 ? nines : 5]);
    } else {
        snprintf(text, 32, "%g", value);
    }
}

static void draw_ticks(FILE *file, const struct span *span, bool up)
{
    char text[32];
    for (unsigned i = 0; i < TICKS_MAX; i++) {
        double at = span->from + span->step * i;
        if (at > span->to + span->step / 1000) {
            break;
        }
        tick_text(text, span->scale, at);
        double x = up ? LEFT : along(span, at);
        double y = up ? above(span, at) : BOTTOM;
        fprintf(file,
                "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n",
                x, up ? y : TOP, up ? RIGHT : x, y, up ? x - 8 : x, up ? y + 4 : y + 20,
                up ? "end" : "middle", text);
    }
}

/* The reader's page decides between both sets of colours; where nothing is said: the light one. */
static void draw_style(FILE *file)
{
    static const char *const colours[2][BENCH_PLOT_LINES_MAX] = {
        {"#0969da", "#bc4c00", "#1a7f37", "#8250df", "#bf3989", "#7d6608", "#0f7b8a", "#57606a"},
        {"#58a6ff", "#f0883e", "#3fb950", "#bc8cff", "#f778ba", "#d4b106", "#39c5cf", "#b1bac4"}};
    static const char *const page[2] = {
        ".page{fill:#fff} text{fill:#1f2328} .grid{stroke:#d8dee4} .note{fill:#59636e}\n",
        "@media (prefers-color-scheme: dark){\n"
        ".page{fill:#0d1117} text{fill:#e6edf3} .grid{stroke:#30363d} .note{fill:#9198a1}\n"};
    fputs("<style>\n.line{fill:none;stroke-width:2;stroke-linejoin:round}\n"
          ".spread{stroke-width:1.2;opacity:.6}\n",
          file);
    for (size_t dark = 0; dark < 2; dark++) {
        fputs(page[dark], file);
        for (size_t i = 0; i < BENCH_PLOT_LINES_MAX; i++) {
            fprintf(file, ".s%zu{stroke:%s} .f%zu{fill:%s}%s", i, colours[dark][i], i,
                    colours[dark][i], i % 2 == 0 ? " " : "\n");
        }
    }
    fputs("}\n</style>\n", file);
}

static void draw_head(FILE *file, const struct bench_plot *plot)
{
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
            "height=\"%d\" role=\"img\" aria-labelledby=\"title note\" "
            "font-family=\"system-ui, sans-serif\" font-size=\"13\">\n"
            "<title id=\"title\">%s</title>\n<desc id=\"note\">%s</desc>\n",
            WIDTH, HEIGHT, WIDTH, HEIGHT, plot->title, plot->note);
    draw_style(file);
    fprintf(file,
            "<rect class=\"page\" width=\"100%%\" height=\"100%%\"/>\n"
            "<text x=\"%d\" y=\"28\" font-size=\"17\" font-weight=\"600\">%s</text>\n"
            "<text class=\"note\" x=\"%d\" y=\"50\">%s</text>\n",
            LEFT, plot->title, LEFT, plot->note);
    fprintf(file,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n"
            "<text transform=\"translate(20 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
            (LEFT + RIGHT) / 2, BOTTOM + 46, plot->x.label, (TOP + BOTTOM) / 2, plot->y.label);
}

static void draw_points(FILE *file, const struct bench_plot_line *line, size_t index,
                        const struct span *x, const struct span *y)
{
    for (size_t i = 0; i < line->count; i++) {
        double at = along(x, position(x->scale, line->x[i]));
        if (line->high[i] > line->low[i]) {
            fprintf(file,
                    "<line class=\"spread s%zu\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                    index, at, above(y, position(y->scale, line->low[i])), at,
                    above(y, position(y->scale, line->high[i])));
        }
        fprintf(file, "<circle class=\"f%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>\n", index, at,
                above(y, position(y->scale, line->y[i])));
    }
}

/* Lines differ in their dashes too, for who does not tell their colours. */
static void draw_line(FILE *file, const struct bench_plot_line *line, size_t index,
                      const struct span *x, const struct span *y)
{
    static const char *const dashes[BENCH_PLOT_LINES_MAX] = {"none", "8 3",  "2 3", "10 3 2 3",
                                                             "5 5",  "12 4", "1 4", "6 2 1 2 1 2"};
    int row = TOP + 16 + LEGEND * (int)index;
    fprintf(file, "<polyline class=\"line s%zu\" stroke-dasharray=\"%s\" points=\"", index,
            dashes[index]);
    for (size_t i = 0; i < line->count; i++) {
        fprintf(file, "%.1f,%.1f ", along(x, position(x->scale, line->x[i])),
                above(y, position(y->scale, line->y[i])));
    }
    fputs("\"/>\n", file);
    if (line->dots) {
        draw_points(file, line, index, x, y);
    }
    fprintf(file,
            "<line class=\"line s%zu\" stroke-dasharray=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" "
            "y2=\"%d\"/><text x=\"%d\" y=\"%d\">%s</text>\n",
            index, dashes[index], LEFT + 12, row - 4, LEFT + 44, row - 4, LEFT + 52, row,
            line->name);
}

bool bench_plot_write(const char *path, const struct bench_plot *plot)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    struct span x = span_of(plot, false);
    struct span y = span_of(plot, true);
    fputs("<!-- SPDX-License-Identifier: Apache-2.0 -->\n", file);
    draw_head(file, plot);
    draw_ticks(file, &x, false);
    draw_ticks(file, &y, true);
    for (size_t i = 0; i < plot->count && i < BENCH_PLOT_LINES_MAX; i++) {
        draw_line(file, &plot->lines[i], i, &x, &y);
    }
    fputs("</svg>\n", file);
    return fclose(file) == 0;
}
