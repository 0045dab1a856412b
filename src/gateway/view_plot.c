/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_plot.c: one value over the last minutes as SVG inside the page: drawn in units of CSS pixels
 * at its ordinary width, coloured by classes of the page's style. Its title and what it comes to
 * are text; the values themselves are in the table beneath the plots.
 */
#include "view_page.h"

#define WIDTH  360
#define HEIGHT 170
#define LEFT   52
#define RIGHT  350
#define TOP    10
#define BOTTOM 142
#define TICKS  4.0 /* about as many of the value's axis */
#define LEAST  0.001

/* What is no number, or below 0, is drawn at 0. */
static double value_of(const struct csn_view_plot *plot, uint32_t i)
{
    double value = (double)plot->values[i];
    return __builtin_isfinite(value) && value > 0 ? value : 0;
}

static double most_of(const struct csn_view_plot *plot)
{
    double most = 0;
    for (uint32_t i = 0; i < plot->count; i++) {
        most = value_of(plot, i) > most ? value_of(plot, i) : most;
    }
    return most;
}

/* The least 1, 2 or 5 times a power of ten of which TICKS reach the most; a float has an end. */
static double step_for(double most)
{
    static const double times[] = {1, 2, 5};
    double power = LEAST;
    for (uint32_t i = 0; i < 3 * 45; i++) {
        double step = times[i % 3] * power;
        if (step * TICKS >= most) {
            return step;
        }
        power *= i % 3 == 2 ? 10 : 1;
    }
    return most;
}

/* The last point is now, at the right. */
static double across(const struct csn_view_plot *plot, uint32_t i)
{
    return RIGHT - (RIGHT - LEFT) * (double)(plot->count - 1 - i) / (CSN_VIEW_POINTS - 1);
}

static void put_axes(struct csn_view_text *text, double step, double end)
{
    for (uint32_t i = 0; i * step <= end * 1.001; i++) {
        double y = BOTTOM - (BOTTOM - TOP) * (i * step) / end;
        csn_view_putf(text,
                      "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                      "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.10g</text>",
                      i == 0 ? "axis" : "grid", LEFT, RIGHT, y, y, LEFT - 6, y + 4, i * step);
    }
    uint32_t minutes = (CSN_VIEW_POINTS - 1) * CSN_VIEW_POINT_S / 60 + 1;
    csn_view_putf(text,
                  "<text class=\"tick\" x=\"%d\" y=\"%d\">%u min ago</text>"
                  "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"end\">now</text>",
                  LEFT, BOTTOM + 18, minutes, RIGHT, BOTTOM + 18);
}

static void put_line(struct csn_view_text *text, const struct csn_view_plot *plot, double end)
{
    csn_view_putf(text, "<path class=\"area\" d=\"M%.1f %d", across(plot, 0), BOTTOM);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < plot->count; i++) {
            double y = BOTTOM - (BOTTOM - TOP) * value_of(plot, i) / end;
            csn_view_putf(text, "%s%.1f %.1f", pass == 1 && i == 0 ? "M" : "L", across(plot, i), y);
        }
        csn_view_putf(text, pass == 0 ? "V%dZ\"/><path class=\"line\" d=\"" : "\"/>", BOTTOM);
    }
    uint32_t last = plot->count - 1;
    csn_view_putf(text, "<circle class=\"dot\" cx=\"%d\" cy=\"%.1f\" r=\"3\"/>", RIGHT,
                  BOTTOM - (BOTTOM - TOP) * value_of(plot, last) / end);
}

void csn_view_put_plot(struct csn_view_text *text, const struct csn_view_plot *plot)
{
    double most = most_of(plot);
    double step = step_for(most > 0 ? most : 1);
    uint32_t ticks = 1;
    while (ticks * step < most) {
        ticks++;
    }
    double end = ticks * step;
    csn_view_putf(text, "<figure><figcaption><b>%s</b> ", plot->title);
    if (plot->count == 0) {
        csn_view_put(text, "no values yet");
    } else {
        csn_view_putf(text, "now %.4g, at most %.4g", value_of(plot, plot->count - 1), most);
    }
    csn_view_putf(text,
                  "</figcaption><svg id=\"%s\" viewBox=\"0 0 %d %d\" role=\"img\" "
                  "aria-labelledby=\"%s-title\"><title id=\"%s-title\">%s, last %u minutes: at "
                  "most %.4g</title>",
                  plot->id, WIDTH, HEIGHT, plot->id, plot->id, plot->title,
                  CSN_VIEW_POINTS * CSN_VIEW_POINT_S / 60, most);
    put_axes(text, step, end);
    if (plot->count > 0) {
        put_line(text, plot, end);
    }
    csn_view_put(text, "</svg></figure>\n");
}
