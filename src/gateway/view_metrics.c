/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_metrics.c: a picture as Prometheus text (version 0.0.4). Each family once, with its HELP and
 * TYPE; no label is the name of a tenant beyond its label in the configuration.
 */
#include "view.h"
#include "view_fields.h"
#include "view_text.h"
#include <inttypes.h>

#define LABELS_MAX 10u

struct label {
    const char *name;
    const char *value;
};

/* What is written, and the labels of the series that come next. */
struct writer {
    struct csn_view_text text;
    const struct csn_view *view;
    struct label labels[LABELS_MAX];
    uint32_t label_count;
};

static void family(struct writer *writer, const char *name, const char *type, const char *help)
{
    csn_view_putf(&writer->text, "# HELP %s %s.\n# TYPE %s %s\n", name, help, name, type);
}

static void name_and_labels(struct writer *writer, const char *name)
{
    csn_view_put(&writer->text, name);
    for (uint32_t i = 0; i < writer->label_count; i++) {
        csn_view_putf(&writer->text, "%s%s=\"", i == 0 ? "{" : ",", writer->labels[i].name);
        csn_view_put_label(&writer->text, writer->labels[i].value);
        csn_view_put(&writer->text, "\"");
    }
    csn_view_put(&writer->text, writer->label_count > 0 ? "} " : " ");
}

static void sample(struct writer *writer, const char *name, uint64_t value)
{
    name_and_labels(writer, name);
    csn_view_putf(&writer->text, "%" PRIu64 "\n", value);
}

/* Labels are a stack: what a caller pushed it pops. */
static void push(struct writer *writer, const char *name, const char *value)
{
    if (writer->label_count < LABELS_MAX) {
        writer->labels[writer->label_count++] = (struct label){name, value};
    }
}

static void pop(struct writer *writer, uint32_t count)
{
    writer->label_count -= count < writer->label_count ? count : writer->label_count;
}

/* caisson_[PART]KEY[_total] */
static void field_family(struct writer *writer, const char *part,
                         const struct csn_view_field *field, char name[64])
{
    struct csn_view_text text = {.bytes = name, .room = 64};
    csn_view_putf(&text, "caisson_%s%s%s", part, field->key, field->is_gauge ? "" : "_total");
    csn_view_end(&text);
    family(writer, name, field->is_gauge ? "gauge" : "counter", field->help);
}

static void gateway(struct writer *writer)
{
    const struct csn_view *view = writer->view;
    family(writer, "caisson_build_info", "gauge", "Always 1: which version runs");
    push(writer, "version", view->version);
    sample(writer, "caisson_build_info", 1);
    pop(writer, 1);
    family(writer, "caisson_start_time_seconds", "gauge", "UNIX time at which the gateway started");
    sample(writer, "caisson_start_time_seconds", view->start_s);
    family(writer, "caisson_ready", "gauge", "1 while each service has a current instance");
    sample(writer, "caisson_ready", view->is_ready);
    family(writer, "caisson_draining", "gauge", "1 once the gateway takes no more connections");
    sample(writer, "caisson_draining", view->is_draining);
    for (uint32_t i = 0; i < CSN_VIEW_FRONT_FIELDS; i++) {
        const struct csn_view_field *field = &csn_view_front_fields[i];
        char name[64];
        field_family(writer, "", field, name);
        sample(writer, name, csn_view_field_value(field, &view->front));
    }
}

static void histogram(struct writer *writer, const struct csn_view_requests *requests)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < CSN_VIEW_BUCKETS; i++) {
        sum += requests->buckets[i];
        struct csn_view_text text = {.bytes = (char[32]){0}, .room = 32};
        if (i + 1 < CSN_VIEW_BUCKETS) {
            csn_view_putf(&text, "%.10g", csn_view_bounds[i]);
        } else {
            csn_view_put(&text, "+Inf");
        }
        csn_view_end(&text);
        push(writer, "le", text.bytes);
        sample(writer, "caisson_request_duration_seconds_bucket", sum);
        pop(writer, 1);
    }
    name_and_labels(writer, "caisson_request_duration_seconds_sum");
    csn_view_putf(&writer->text, "%.9g\n", requests->seconds);
    sample(writer, "caisson_request_duration_seconds_count", sum);
}

static void requests(struct writer *writer)
{
    const struct csn_view *view = writer->view;
    family(writer, "caisson_requests_total", "counter",
           "Requests by what was asked for and class of status; gone: the client left before");
    for (uint32_t route = 0; route < CSN_VIEW_ROUTE_COUNT; route++) {
        push(writer, "route", csn_view_route_name(route));
        for (uint32_t i = 0; i < CSN_VIEW_STATUSES; i++) {
            push(writer, "status", csn_view_status_name(i));
            sample(writer, "caisson_requests_total", view->requests[route].by_status[i]);
            pop(writer, 1);
        }
        pop(writer, 1);
    }
    family(writer, "caisson_request_duration_seconds", "histogram",
           "From a request's head to the last byte of its answer");
    for (uint32_t route = 0; route < CSN_VIEW_ROUTE_COUNT; route++) {
        push(writer, "route", csn_view_route_name(route));
        histogram(writer, &view->requests[route]);
        pop(writer, 1);
    }
    family(writer, "caisson_enclave_answers_total", "counter",
           "Answers of enclaves by their code, as the host sees it");
    for (uint32_t code = 0; code < sizeof view->inside_codes / sizeof view->inside_codes[0];
         code++) {
        if (csn_view_code_name(code) != NULL) {
            push(writer, "code", csn_view_code_name(code));
            sample(writer, "caisson_enclave_answers_total", view->inside_codes[code]);
            pop(writer, 1);
        }
    }
}

/* How many instances of its service are in that state. */
static uint64_t count_of_service(const struct csn_view *view, uint32_t instance,
                                 enum csn_view_state state)
{
    uint64_t count = 0;
    for (uint32_t i = instance; i < csn_view_instances(view); i++) {
        count += view->instances[i].state == state && csn_view_same_service(view, i, instance);
    }
    return count;
}

static void services(struct writer *writer)
{
    const struct csn_view *view = writer->view;
    family(writer, "caisson_instances", "gauge", "Instances of a service by their state");
    for (uint32_t i = 0; i < csn_view_instances(view); i++) {
        if (csn_view_is_first_of_service(view, i)) {
            push(writer, "service", view->instances[i].service);
            for (uint32_t state = CSN_VIEW_STARTING; state <= CSN_VIEW_DOWN; state++) {
                push(writer, "state", csn_view_state_name(state));
                sample(writer, "caisson_instances", count_of_service(view, i, state));
                pop(writer, 1);
            }
            pop(writer, 1);
        }
    }
}

/* Text of a number or of bytes, for a label. */
struct word {
    char bytes[128];
};

static const char *word_hex(struct word *word, const uint8_t *bytes, size_t size)
{
    struct csn_view_text text = {.bytes = word->bytes, .room = sizeof word->bytes};
    csn_view_put_hex(&text, bytes, size);
    csn_view_end(&text);
    return word->bytes;
}

static const char *word_number(struct word *word, uint32_t number)
{
    struct csn_view_text text = {.bytes = word->bytes, .room = sizeof word->bytes};
    csn_view_putf(&text, "%" PRIu32, number);
    csn_view_end(&text);
    return word->bytes;
}

static void push_instance(struct writer *writer, const struct csn_view_instance *instance,
                          struct word *boot)
{
    push(writer, "service", instance->service);
    push(writer, "boot", word_hex(boot, instance->boot_id, sizeof instance->boot_id));
}

static void instance_info(struct writer *writer, const struct csn_view_instance *instance)
{
    struct word boot;
    struct word words[4];
    push_instance(writer, instance, &boot);
    push(writer, "image", instance->image_name);
    push(writer, "measurement", word_hex(&words[0], instance->measurement, 48));
    push(writer, "signer", word_hex(&words[1], instance->signer_key, 32));
    push(writer, "security_version", word_number(&words[2], instance->security_version));
    push(writer, "backend", instance->backend);
    push(writer, "evidence", instance->evidence_type);
    push(writer, "debug", instance->debug ? "1" : "0");
    push(writer, "ohttp_key_id", word_number(&words[3], instance->ohttp_key_id));
    sample(writer, "caisson_instance_info", 1);
    pop(writer, LABELS_MAX);
}

enum instance_number { INSTANCE_START, INSTANCE_GRANTS, INSTANCE_RESTARTS };

static uint64_t instance_value(const struct csn_view_instance *instance, enum instance_number which)
{
    switch (which) {
    case INSTANCE_START:
        return instance->start_s;
    case INSTANCE_GRANTS:
        return instance->grant_count;
    default:
        return instance->restarts;
    }
}

static void instances(struct writer *writer)
{
    static const struct {
        const char *name;
        const char *type;
        const char *help;
    } families[] = {
        [INSTANCE_START] = {"caisson_instance_start_time_seconds", "gauge",
                            "UNIX time at which the instance started"},
        [INSTANCE_GRANTS] = {"caisson_instance_grants", "gauge",
                             "Grants that the instance accepted since it booted"},
        [INSTANCE_RESTARTS] = {"caisson_instance_restarts_total", "counter",
                               "Starts after a crash, since the gateway started"},
    };
    const struct csn_view *view = writer->view;
    family(writer, "caisson_instance_info", "gauge", "Always 1: what an instance is");
    for (uint32_t i = 0; i < csn_view_instances(view); i++) {
        if (csn_view_has_series(view, i)) {
            instance_info(writer, &view->instances[i]);
        }
    }
    for (uint32_t which = 0; which < sizeof families / sizeof families[0]; which++) {
        family(writer, families[which].name, families[which].type, families[which].help);
        for (uint32_t i = 0; i < csn_view_instances(view); i++) {
            if (csn_view_has_series(view, i)) {
                struct word boot;
                push_instance(writer, &view->instances[i], &boot);
                sample(writer, families[which].name, instance_value(&view->instances[i], which));
                pop(writer, 2);
            }
        }
    }
}

static void workers_of(struct writer *writer, const struct csn_view_instance *instance,
                       const struct csn_view_field *field, const char *name)
{
    struct word boot;
    push_instance(writer, instance, &boot);
    for (uint32_t i = 0; i < csn_view_workers(instance); i++) {
        struct word number;
        push(writer, "worker", word_number(&number, i));
        sample(writer, name, csn_view_field_value(field, &instance->workers[i]));
        pop(writer, 1);
    }
    pop(writer, 2);
}

static void workers(struct writer *writer)
{
    const struct csn_view *view = writer->view;
    for (uint32_t k = 0; k < CSN_VIEW_WORKER_FIELDS; k++) {
        char name[64];
        field_family(writer, "worker_", &csn_view_worker_fields[k], name);
        for (uint32_t i = 0; i < csn_view_instances(view); i++) {
            if (csn_view_has_series(view, i)) {
                workers_of(writer, &view->instances[i], &csn_view_worker_fields[k], name);
            }
        }
    }
}

static void tenants(struct writer *writer)
{
    const struct csn_view *view = writer->view;
    family(writer, "caisson_tenant_requests_total", "counter", "Requests that named the tenant");
    for (uint32_t i = 0; i < csn_view_tenants(view); i++) {
        push(writer, "tenant", view->tenants[i].label);
        sample(writer, "caisson_tenant_requests_total", view->tenants[i].requests);
        pop(writer, 1);
    }
    family(writer, "caisson_tenant_refused_total", "counter",
           "Of these, the ones refused by its rate limit or by its quota");
    for (uint32_t i = 0; i < csn_view_tenants(view); i++) {
        push(writer, "tenant", view->tenants[i].label);
        push(writer, "reason", "rate");
        sample(writer, "caisson_tenant_refused_total", view->tenants[i].refused_rate);
        pop(writer, 1);
        push(writer, "reason", "quota");
        sample(writer, "caisson_tenant_refused_total", view->tenants[i].refused_quota);
        pop(writer, 2);
    }
}

size_t csn_view_metrics(const struct csn_view *view, char *bytes, size_t room)
{
    struct writer writer = {.text = {.bytes = bytes, .room = room}, .view = view};
    gateway(&writer);
    requests(&writer);
    services(&writer);
    instances(&writer);
    workers(&writer);
    tenants(&writer);
    return csn_view_end(&writer.text);
}
