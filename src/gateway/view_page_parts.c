/* SPDX-License-Identifier: Apache-2.0 */
/* view_page_parts.c: what runs here, and the tables of the page. */
#include "view_fields.h"
#include "view_page.h"
#include <inttypes.h>

/* A table of workers longer than this is folded. */
#define WORKERS_SHOWN 8u

static void begin_fact(struct csn_view_text *text, const char *name)
{
    csn_view_putf(text, "<dt>%s</dt><dd>", name);
}

static void put_fact(struct csn_view_text *text, const char *name, const char *value)
{
    begin_fact(text, name);
    csn_view_put_name(text, value);
    csn_view_put(text, "</dd>\n");
}

static void put_fact_hex(struct csn_view_text *text, const char *name, const uint8_t *bytes,
                         size_t size)
{
    begin_fact(text, name);
    csn_view_put(text, "<code>");
    csn_view_put_hex(text, bytes, size);
    csn_view_put(text, "</code></dd>\n");
}

static void put_fact_count(struct csn_view_text *text, const char *name, uint64_t count)
{
    begin_fact(text, name);
    csn_view_put_grouped(text, count);
    csn_view_put(text, "</dd>\n");
}

static void put_facts(struct csn_view_text *text, const struct csn_view_instance *instance)
{
    csn_view_put(text, "<dl>\n");
    put_fact(text, "Image", instance->image_name);
    put_fact_hex(text, "Measurement", instance->measurement, sizeof instance->measurement);
    put_fact_hex(text, "Signer", instance->signer_key, sizeof instance->signer_key);
    put_fact_count(text, "Security version", instance->security_version);
    put_fact(text, "Backend", instance->backend);
    put_fact(text, "Evidence", instance->evidence_type);
    put_fact_hex(text, "Boot id", instance->boot_id, sizeof instance->boot_id);
    begin_fact(text, "Oblivious HTTP key id");
    csn_view_putf(text, "<code>0x%02x</code></dd>\n", instance->ohttp_key_id);
    put_fact_hex(text, "SHA-256 of its keys", instance->ohttp_keys_hash,
                 sizeof instance->ohttp_keys_hash);
    put_fact_count(text, "Grants", instance->grant_count);
    begin_fact(text, "Started");
    csn_view_put_time(text, instance->start_s);
    csn_view_put(text, "</dd>\n");
    put_fact_count(text, "Restarts", instance->restarts);
    csn_view_put(text, "</dl>\n");
}

/* Columns are the fields; their headings are the keys in words, what they mean is their title. */
static void put_heading(struct csn_view_text *text, const struct csn_view_field *field)
{
    csn_view_putf(text, "<th scope=\"col\" title=\"%s\">", field->help);
    for (const char *c = field->key; *c != 0; c++) {
        csn_view_putf(text, "%c", *c == '_' ? ' ' : *c);
    }
    csn_view_put(text, "</th>");
}

static void put_workers(struct csn_view_text *text, const struct csn_view_instance *instance)
{
    uint32_t count = csn_view_workers(instance);
    csn_view_putf(text,
                  "<details%s><summary>%u worker%s</summary><div class=\"scroll\">"
                  "<table class=\"workers\"><thead><tr><th scope=\"col\">worker</th>",
                  count <= WORKERS_SHOWN ? " open" : "", count, count == 1 ? "" : "s");
    for (uint32_t k = 0; k < CSN_VIEW_WORKER_FIELDS; k++) {
        put_heading(text, &csn_view_worker_fields[k]);
    }
    csn_view_put(text, "</tr></thead><tbody>\n");
    for (uint32_t i = 0; i < count; i++) {
        csn_view_putf(text, "<tr><th scope=\"row\">%u</th>", i);
        for (uint32_t k = 0; k < CSN_VIEW_WORKER_FIELDS; k++) {
            csn_view_put_count(
                text, csn_view_field_value(&csn_view_worker_fields[k], &instance->workers[i]));
        }
        csn_view_put(text, "</tr>\n");
    }
    csn_view_put(text, "</tbody></table></div></details>\n");
}

static const char *state_class(enum csn_view_state state)
{
    switch (state) {
    case CSN_VIEW_CURRENT:
        return "good";
    case CSN_VIEW_DOWN:
        return "bad";
    default:
        return "wait";
    }
}

static void put_instance(struct csn_view_text *text, const struct csn_view_instance *instance)
{
    csn_view_put(text, "<article class=\"card\"><h3>");
    csn_view_put_name(text, instance->service);
    csn_view_putf(text, " <span class=\"pill %s\">%s</span>", state_class(instance->state),
                  csn_view_state_name(instance->state));
    csn_view_put(text, instance->debug ? " <span class=\"pill bad\">debug image</span>" : "");
    csn_view_put(text, csn_view_is_software(instance)
                           ? " <span class=\"pill bad\">insecure evidence</span>"
                           : "");
    csn_view_put(text, "</h3>\n");
    if (instance->detail != NULL && *instance->detail != 0) {
        csn_view_put(text, "<p class=\"loud bad\">");
        csn_view_put_name(text, instance->detail);
        csn_view_put(text, "</p>\n");
    }
    put_facts(text, instance);
    put_workers(text, instance);
    csn_view_put(text, "</article>\n");
}

void csn_view_put_instances(struct csn_view_text *text, const struct csn_view *view)
{
    csn_view_put(text, "<section aria-labelledby=\"runs\"><h2 id=\"runs\">What runs here</h2>\n");
    for (uint32_t i = 0; i < csn_view_instances(view); i++) {
        put_instance(text, &view->instances[i]);
    }
    csn_view_put(text, "</section>\n");
}

/* ---- tables ---- */

static void begin_table(struct csn_view_text *text, const char *id, const char *title)
{
    csn_view_putf(text,
                  "<section aria-labelledby=\"%s-title\"><h2 id=\"%s-title\">%s</h2>"
                  "<div class=\"card scroll\"><table id=\"%s\"><thead><tr>",
                  id, id, title, id);
}

static void end_table(struct csn_view_text *text)
{
    csn_view_put(text, "</tbody></table></div></section>\n");
}

/* Within which bound a share of the answers was, in per cent of them; no answers: nothing. */
static void put_within(struct csn_view_text *text, const struct csn_view_requests *requests,
                       uint32_t share)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < CSN_VIEW_BUCKETS; i++) {
        all += requests->buckets[i];
    }
    uint64_t sum = 0;
    uint32_t bucket = 0;
    while (bucket < CSN_VIEW_BUCKETS - 1) {
        sum += requests->buckets[bucket];
        if ((double)sum * 100 >= (double)all * share) {
            break;
        }
        bucket++;
    }
    if (all == 0) {
        csn_view_put(text, "<td></td>");
    } else if (bucket == CSN_VIEW_BUCKETS - 1) {
        csn_view_putf(text, "<td>over %.10g s</td>", csn_view_bounds[bucket - 1]);
    } else {
        csn_view_putf(text, "<td>%.10g ms</td>", csn_view_bounds[bucket] * 1000);
    }
}

static void put_buckets(struct csn_view_text *text, const struct csn_view *view)
{
    csn_view_put(text, "<details class=\"card\"><summary>How long answers took</summary>"
                       "<div class=\"scroll\"><table id=\"latency\"><thead><tr>"
                       "<th scope=\"col\">Up to</th>");
    for (uint32_t route = 0; route < CSN_VIEW_ROUTE_COUNT; route++) {
        csn_view_putf(text, "<th scope=\"col\">%s</th>", csn_view_route_name(route));
    }
    csn_view_put(text, "</tr></thead><tbody>\n");
    for (uint32_t i = 0; i < CSN_VIEW_BUCKETS; i++) {
        csn_view_put(text, "<tr><th scope=\"row\">");
        if (i + 1 < CSN_VIEW_BUCKETS) {
            csn_view_putf(text, "%.10g ms</th>", csn_view_bounds[i] * 1000);
        } else {
            csn_view_put(text, "longer</th>");
        }
        for (uint32_t route = 0; route < CSN_VIEW_ROUTE_COUNT; route++) {
            csn_view_put_count(text, view->requests[route].buckets[i]);
        }
        csn_view_put(text, "</tr>\n");
    }
    csn_view_put(text, "</tbody></table></div></details>\n");
}

void csn_view_put_requests(struct csn_view_text *text, const struct csn_view *view)
{
    begin_table(text, "requests", "Requests");
    csn_view_put(text, "<th scope=\"col\">Asked for</th>");
    for (uint32_t i = 1; i < CSN_VIEW_STATUSES; i++) {
        csn_view_putf(text, "<th scope=\"col\">%s</th>", csn_view_status_name(i));
    }
    csn_view_put(text, "<th scope=\"col\">client left</th><th scope=\"col\">half within</th>"
                       "<th scope=\"col\">99 % within</th></tr></thead><tbody>\n");
    for (uint32_t route = 0; route < CSN_VIEW_ROUTE_COUNT; route++) {
        const struct csn_view_requests *requests = &view->requests[route];
        csn_view_putf(text, "<tr><th scope=\"row\">%s</th>", csn_view_route_name(route));
        for (uint32_t i = 1; i < CSN_VIEW_STATUSES; i++) {
            csn_view_put_count(text, requests->by_status[i]);
        }
        csn_view_put_count(text, requests->by_status[0]);
        put_within(text, requests, 50);
        put_within(text, requests, 99);
        csn_view_put(text, "</tr>\n");
    }
    end_table(text);
    put_buckets(text, view);
}

void csn_view_put_tenants(struct csn_view_text *text, const struct csn_view *view)
{
    begin_table(text, "tenants", "Tenants");
    csn_view_put(text, "<th scope=\"col\">Label</th><th scope=\"col\">requests</th>"
                       "<th scope=\"col\">over the rate</th><th scope=\"col\">over the quota</th>"
                       "</tr></thead><tbody>\n");
    for (uint32_t i = 0; i < csn_view_tenants(view); i++) {
        const struct csn_view_tenant *tenant = &view->tenants[i];
        csn_view_put(text, "<tr><th scope=\"row\">");
        csn_view_put_name(text, tenant->label);
        csn_view_put(text, "</th>");
        csn_view_put_count(text, tenant->requests);
        csn_view_put_count(text, tenant->refused_rate);
        csn_view_put_count(text, tenant->refused_quota);
        csn_view_put(text, "</tr>\n");
    }
    if (csn_view_tenants(view) == 0) {
        csn_view_put(text, "<tr><th scope=\"row\" colspan=\"4\">none by a label</th></tr>\n");
    }
    end_table(text);
}

void csn_view_put_front(struct csn_view_text *text, const struct csn_view *view)
{
    begin_table(text, "front", "Connections");
    csn_view_put(text, "<th scope=\"col\">What</th><th scope=\"col\">count</th></tr></thead>"
                       "<tbody>\n");
    for (uint32_t i = 0; i < CSN_VIEW_FRONT_FIELDS; i++) {
        const struct csn_view_field *field = &csn_view_front_fields[i];
        csn_view_put_row(text, field->help, csn_view_field_value(field, &view->front));
    }
    end_table(text);
}

void csn_view_put_answers(struct csn_view_text *text, const struct csn_view *view)
{
    begin_table(text, "answers", "Answers of enclaves");
    csn_view_put(text, "<th scope=\"col\">Code</th><th scope=\"col\">count</th></tr></thead>"
                       "<tbody>\n");
    for (uint32_t code = 0; code < sizeof view->inside_codes / sizeof view->inside_codes[0];
         code++) {
        if (csn_view_code_name(code) != NULL) {
            csn_view_put_row(text, csn_view_code_name(code), view->inside_codes[code]);
        }
    }
    end_table(text);
}
