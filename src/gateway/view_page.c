/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_page.c: a picture as one HTML document, complete without script, fonts, images or any other
 * request. What an operator must not miss stands first: debug images and evidence that proves
 * nothing.
 */
#include "view_page.h"
#include "view_fields.h"
#include <inttypes.h>
#include <time.h>

void csn_view_put_name(struct csn_view_text *text, const char *name)
{
    csn_view_put(text, "<bdi>");
    csn_view_put_html(text, name);
    csn_view_put(text, "</bdi>");
}

void csn_view_put_time(struct csn_view_text *text, uint64_t time_s)
{
    time_t time = (time_t)time_s;
    struct tm parts;
    char bytes[64];
    if (gmtime_r(&time, &parts) != NULL &&
        strftime(bytes, sizeof bytes, "%Y-%m-%d %H:%M:%S UTC", &parts) > 0) {
        csn_view_put(text, bytes);
    } else {
        csn_view_putf(text, "%" PRIu64 " s", time_s); /* a year beyond all calendars */
    }
}

void csn_view_put_count(struct csn_view_text *text, uint64_t count)
{
    csn_view_put(text, "<td>");
    csn_view_put_grouped(text, count);
    csn_view_put(text, "</td>");
}

void csn_view_put_row(struct csn_view_text *text, const char *name, uint64_t count)
{
    csn_view_putf(text, "<tr><th scope=\"row\">%s</th>", name);
    csn_view_put_count(text, count);
    csn_view_put(text, "</tr>\n");
}

static void put_duration(struct csn_view_text *text, uint64_t seconds)
{
    static const struct {
        uint64_t size_s;
        const char *unit;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    uint32_t first = 0;
    while (first < 3 && seconds < units[first].size_s) {
        first++;
    }
    csn_view_putf(text, "%" PRIu64 " %s", seconds / units[first].size_s, units[first].unit);
    if (first < 3) {
        csn_view_putf(text, " %" PRIu64 " %s",
                      seconds % units[first].size_s / units[first + 1].size_s,
                      units[first + 1].unit);
    }
}

/* ---- what must not be missed ---- */

static void put_loud(struct csn_view_text *text, const char *what,
                     const struct csn_view_instance *instance, const char *why)
{
    csn_view_putf(text, "<p class=\"loud bad\"><b>%s</b>: service ", what);
    csn_view_put_name(text, instance->service);
    csn_view_put(text, ", image ");
    csn_view_put_name(text, instance->image_name);
    csn_view_put(text, ". ");
    csn_view_put(text, why);
    csn_view_put(text, "</p>\n");
}

static void put_warnings(struct csn_view_text *text, const struct csn_view *view)
{
    for (uint32_t i = 0; i < csn_view_instances(view); i++) {
        const struct csn_view_instance *instance = &view->instances[i];
        if (instance->debug) {
            put_loud(text, "Debug image", instance,
                     "It is built for looking inside: send it nothing that is secret. Verifiers "
                     "refuse it unless told otherwise.");
        }
        if (csn_view_is_software(instance)) {
            put_loud(text, "Insecure evidence", instance,
                     "Its evidence is software: whoever holds the key file can forge it, and root "
                     "on this machine can read its memory. For development only; verifiers refuse "
                     "it unless told otherwise.");
        }
        if (instance->state == CSN_VIEW_DOWN) {
            put_loud(text, "Down", instance, "");
        }
    }
    if (csn_view_instances(view) == 0) {
        csn_view_put(text, "<p class=\"loud wait\"><b>Nothing runs here</b>: no instance.</p>\n");
    }
}

/* ---- the page ---- */

static void put_head(struct csn_view_text *text, const struct csn_view *view)
{
    csn_view_put(text, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                       "<title>Caisson gateway</title>"
                       "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                       "<link rel=\"icon\" href=\"data:,\"><style>");
    csn_view_put(text, csn_view_style);
    csn_view_put(text, "</style></head>\n<body><header><h1>Caisson gateway</h1><p>");
    csn_view_put(text, view->is_ready ? "<span class=\"pill good\">ready</span>"
                                      : "<span class=\"pill bad\">not ready</span>");
    csn_view_put(text, view->is_draining ? " <span class=\"pill wait\">draining</span>" : "");
    csn_view_put(text, " <span class=\"soft\">version ");
    csn_view_put_name(text, view->version);
    csn_view_put(text, ", up ");
    put_duration(text, view->now_s > view->start_s ? view->now_s - view->start_s : 0);
    csn_view_put(text, ", as of ");
    csn_view_put_time(text, view->now_s);
    csn_view_put(text, "</span></p></header>\n<main>\n");
}

/* The values of all plots, so that they can be read. */
static void put_values(struct csn_view_text *text, const struct csn_view *view, uint32_t count)
{
    csn_view_put(text, "<details class=\"card\"><summary>Values of the plots</summary>"
                       "<div class=\"scroll\"><table id=\"values\"><thead><tr>"
                       "<th scope=\"col\">Seconds ago</th><th scope=\"col\">Requests per second"
                       "</th><th scope=\"col\">Errors per second</th><th scope=\"col\">"
                       "99 % answered within, ms</th></tr></thead><tbody>\n");
    for (uint32_t i = count; i > 0; i--) {
        csn_view_putf(text,
                      "<tr><th scope=\"row\">%u</th><td>%.4g</td><td>%.4g</td><td>%.4g</td></tr>\n",
                      (count - i) * CSN_VIEW_POINT_S, (double)view->requests_per_s[i - 1],
                      (double)view->errors_per_s[i - 1], (double)view->latency_p99_ms[i - 1]);
    }
    csn_view_put(text, "</tbody></table></div></details>\n");
}

static void put_traffic(struct csn_view_text *text, const struct csn_view *view)
{
    uint32_t count = csn_view_points(view);
    const struct csn_view_plot plots[] = {
        {"plot-requests", "Requests per second", view->requests_per_s, count},
        {"plot-errors", "Errors per second", view->errors_per_s, count},
        {"plot-latency", "99 % answered within, ms", view->latency_p99_ms, count},
    };
    csn_view_put(text, "<section aria-labelledby=\"traffic\"><h2 id=\"traffic\">Traffic</h2>\n"
                       "<div class=\"plots\">\n");
    for (uint32_t i = 0; i < sizeof plots / sizeof plots[0]; i++) {
        csn_view_put_plot(text, &plots[i]);
    }
    csn_view_put(text, "</div>\n");
    put_values(text, view, count);
    csn_view_put(text, "</section>\n");
}

size_t csn_view_page(const struct csn_view *view, char *bytes, size_t room)
{
    struct csn_view_text text = {.bytes = bytes, .room = room};
    put_head(&text, view);
    put_warnings(&text, view);
    csn_view_put_instances(&text, view);
    put_traffic(&text, view);
    csn_view_put_requests(&text, view);
    csn_view_put(&text, "<div class=\"two\">\n");
    csn_view_put_tenants(&text, view);
    csn_view_put_front(&text, view);
    csn_view_put_answers(&text, view);
    csn_view_put(&text, "</div>\n</main>\n<footer>Counters since the gateway started; reload for "
                        "new ones. The same as <a href=\"/metrics\">metrics</a> and as "
                        "<a href=\"/view.json\">JSON</a>. Of requests this host sees their sizes' "
                        "classes and when they come, not what is in them.</footer>"
                        "</body></html>\n");
    return csn_view_end(&text);
}
