/* SPDX-License-Identifier: Apache-2.0 */
/* view_json.c: a picture as one JSON object, the facts of the page. */
#include "view.h"
#include "view_fields.h"
#include "view_text.h"
#include <inttypes.h>

struct writer {
    struct csn_view_text text;
    bool wants_comma;
};

/* Before each value; key: NULL in an array. */
static void begin_value(struct writer *writer, const char *key)
{
    csn_view_put(&writer->text, writer->wants_comma ? "," : "");
    if (key != NULL) {
        csn_view_put_json(&writer->text, key);
        csn_view_put(&writer->text, ":");
    }
    writer->wants_comma = true;
}

static void begin(struct writer *writer, const char *key, const char *bracket)
{
    begin_value(writer, key);
    csn_view_put(&writer->text, bracket);
    writer->wants_comma = false;
}

static void end(struct writer *writer, const char *bracket)
{
    csn_view_put(&writer->text, bracket);
    writer->wants_comma = true;
}

static void number(struct writer *writer, const char *key, uint64_t value)
{
    begin_value(writer, key);
    csn_view_putf(&writer->text, "%" PRIu64, value);
}

/* What is no number in JSON is null. */
static void real(struct writer *writer, const char *key, double value)
{
    begin_value(writer, key);
    if (__builtin_isfinite(value)) {
        csn_view_putf(&writer->text, "%.9g", value);
    } else {
        csn_view_put(&writer->text, "null");
    }
}

static void boolean(struct writer *writer, const char *key, bool value)
{
    begin_value(writer, key);
    csn_view_put(&writer->text, value ? "true" : "false");
}

static void string(struct writer *writer, const char *key, const char *value)
{
    begin_value(writer, key);
    csn_view_put_json(&writer->text, value);
}

static void hex(struct writer *writer, const char *key, const uint8_t *bytes, size_t size)
{
    begin_value(writer, key);
    csn_view_put(&writer->text, "\"");
    csn_view_put_hex(&writer->text, bytes, size);
    csn_view_put(&writer->text, "\"");
}

static void fields(struct writer *writer, const struct csn_view_field *fields, uint32_t count,
                   const void *of)
{
    for (uint32_t i = 0; i < count; i++) {
        number(writer, fields[i].key, csn_view_field_value(&fields[i], of));
    }
}

static void requests(struct writer *writer, const struct csn_view *view)
{
    begin(writer, "latency_bounds_s", "[");
    for (uint32_t i = 0; i + 1 < CSN_VIEW_BUCKETS; i++) {
        real(writer, NULL, csn_view_bounds[i]);
    }
    end(writer, "]");
    begin(writer, "requests", "{");
    for (uint32_t route = 0; route < CSN_VIEW_ROUTE_COUNT; route++) {
        const struct csn_view_requests *of = &view->requests[route];
        begin(writer, csn_view_route_name(route), "{");
        begin(writer, "by_status", "{");
        for (uint32_t i = 0; i < CSN_VIEW_STATUSES; i++) {
            number(writer, csn_view_status_name(i), of->by_status[i]);
        }
        end(writer, "}");
        begin(writer, "buckets", "[");
        for (uint32_t i = 0; i < CSN_VIEW_BUCKETS; i++) {
            number(writer, NULL, of->buckets[i]);
        }
        end(writer, "]");
        real(writer, "seconds", of->seconds);
        end(writer, "}");
    }
    end(writer, "}");
    begin(writer, "enclave_answers", "{");
    for (uint32_t code = 0; code < sizeof view->inside_codes / sizeof view->inside_codes[0];
         code++) {
        if (csn_view_code_name(code) != NULL) {
            number(writer, csn_view_code_name(code), view->inside_codes[code]);
        }
    }
    end(writer, "}");
}

static void instance(struct writer *writer, const struct csn_view_instance *instance)
{
    begin(writer, NULL, "{");
    string(writer, "service", instance->service);
    string(writer, "state", csn_view_state_name(instance->state));
    string(writer, "detail", instance->detail);
    string(writer, "image", instance->image_name);
    hex(writer, "measurement", instance->measurement, sizeof instance->measurement);
    hex(writer, "signer", instance->signer_key, sizeof instance->signer_key);
    number(writer, "security_version", instance->security_version);
    boolean(writer, "debug", instance->debug);
    string(writer, "backend", instance->backend);
    string(writer, "evidence", instance->evidence_type);
    boolean(writer, "insecure_evidence", csn_view_is_software(instance));
    hex(writer, "boot_id", instance->boot_id, sizeof instance->boot_id);
    number(writer, "ohttp_key_id", instance->ohttp_key_id);
    hex(writer, "ohttp_keys_sha256", instance->ohttp_keys_hash, sizeof instance->ohttp_keys_hash);
    number(writer, "grants", instance->grant_count);
    number(writer, "start_s", instance->start_s);
    number(writer, "restarts", instance->restarts);
    begin(writer, "workers", "[");
    for (uint32_t i = 0; i < csn_view_workers(instance); i++) {
        begin(writer, NULL, "{");
        fields(writer, csn_view_worker_fields, CSN_VIEW_WORKER_FIELDS, &instance->workers[i]);
        end(writer, "}");
    }
    end(writer, "]");
    end(writer, "}");
}

static void tenant(struct writer *writer, const struct csn_view_tenant *tenant)
{
    begin(writer, NULL, "{");
    string(writer, "label", tenant->label);
    number(writer, "requests", tenant->requests);
    number(writer, "refused_rate", tenant->refused_rate);
    number(writer, "refused_quota", tenant->refused_quota);
    end(writer, "}");
}

static void points(struct writer *writer, const char *key, const float *values, uint32_t count)
{
    begin(writer, key, "[");
    for (uint32_t i = 0; i < count; i++) {
        real(writer, NULL, (double)values[i]);
    }
    end(writer, "]");
}

size_t csn_view_json(const struct csn_view *view, char *bytes, size_t room)
{
    struct writer writer = {.text = {.bytes = bytes, .room = room}};
    begin(&writer, NULL, "{");
    string(&writer, "version", view->version);
    number(&writer, "now_s", view->now_s);
    number(&writer, "start_s", view->start_s);
    boolean(&writer, "ready", view->is_ready);
    boolean(&writer, "draining", view->is_draining);
    begin(&writer, "front", "{");
    fields(&writer, csn_view_front_fields, CSN_VIEW_FRONT_FIELDS, &view->front);
    end(&writer, "}");
    requests(&writer, view);
    begin(&writer, "instances", "[");
    for (uint32_t i = 0; i < csn_view_instances(view); i++) {
        instance(&writer, &view->instances[i]);
    }
    end(&writer, "]");
    begin(&writer, "tenants", "[");
    for (uint32_t i = 0; i < csn_view_tenants(view); i++) {
        tenant(&writer, &view->tenants[i]);
    }
    end(&writer, "]");
    begin(&writer, "plots", "{");
    number(&writer, "seconds_apart", CSN_VIEW_POINT_S);
    uint32_t count = csn_view_points(view);
    points(&writer, "requests_per_s", view->requests_per_s, count);
    points(&writer, "errors_per_s", view->errors_per_s, count);
    points(&writer, "latency_p99_ms", view->latency_p99_ms, count);
    end(&writer, "}");
    end(&writer, "}");
    csn_view_put(&writer.text, "\n");
    return csn_view_end(&writer.text);
}
