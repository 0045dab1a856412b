/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_service.c: requests of the listener: who may ask, and what becomes of it. */
#include "proxy_state.h"
#include <stdio.h>
#include <string.h>

#define TARGET_MAX CSN_HTTP1_TARGET_SIZE_MAX

/* ---- who may ask ---- */

/* "name", or "name:port". */
static bool is_host(const struct csn_http1_text *host, const char *name)
{
    size_t size = strlen(name);
    if (host->size < size || strncasecmp(host->bytes, name, size) != 0) {
        return false;
    }
    if (host->size == size) {
        return true;
    }
    size_t digits = 0;
    for (size_t i = size + 1; i < host->size; i++) {
        digits += host->bytes[i] >= '0' && host->bytes[i] <= '9';
    }
    return host->bytes[size] == ':' && digits != 0 && digits == host->size - size - 1;
}

/* A page that had its own name point here comes with that name. */
static bool host_is_loopback(const struct csv_proxy *proxy, const struct csn_http1_text *host)
{
    return is_host(host, "localhost") || is_host(host, "127.0.0.1") || is_host(host, "[::1]") ||
           is_host(host, proxy->options.address);
}

static bool is_text(const struct csn_http1_text *text, const char *string)
{
    return text->size == strlen(string) && memcmp(text->bytes, string, text->size) == 0;
}

/*
 * What browsers send along with what a page asks for, wherever the page is from; programs send
 * neither. "none": somebody typed the address.
 */
static bool is_from_a_page(const struct csn_exchange *exchange)
{
    bool found = false;
    for (uint32_t i = 0; i < exchange->field_count; i++) {
        const struct csn_http1_field *field = &exchange->fields[i];
        found = found || csn_http1_is(&field->name, "origin") ||
                (csn_http1_is(&field->name, "sec-fetch-site") && !is_text(&field->value, "none"));
    }
    return found;
}

static void refuse(struct csv_proxy *proxy, struct csn_exchange *exchange, uint32_t status,
                   const char *type, const char *title)
{
    const struct csv_call_problem problem = {.status = status, .type = type, .title = title};
    proxy->refused++; /* the others are counted when they end */
    csv_proxy_problem(exchange, &problem);
}

static size_t begin(void *state, struct csn_exchange *exchange)
{
    struct csv_proxy *proxy = state;
    if (!host_is_loopback(proxy, &exchange->host)) {
        refuse(proxy, exchange, 403, "urn:caisson:problem:host",
               "Requests name this proxy by a name of loopback");
        return SIZE_MAX;
    }
    if (is_from_a_page(exchange)) {
        refuse(proxy, exchange, 403, "urn:caisson:problem:origin",
               "Pages in a browser may not use this proxy");
        return SIZE_MAX;
    }
    return CSV_CALL_CONTENT_MAX;
}

/* ---- what becomes of it ---- */

static uint32_t copy_fields(const struct csn_exchange *exchange,
                            struct csv_call_field fields[CSN_HTTP1_FIELDS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < exchange->field_count && count < CSN_HTTP1_FIELDS_MAX; i++) {
        const struct csn_http1_field *field = &exchange->fields[i];
        fields[count++] = (struct csv_call_field){.name = field->name.bytes,
                                                  .value = field->value.bytes,
                                                  .name_size = (uint32_t)field->name.size,
                                                  .value_size = (uint32_t)field->value.size};
    }
    return count;
}

static csn_err start(struct csv_proxy *proxy, struct csn_exchange *exchange, struct csv_call **call)
{
    struct csv_call_field fields[CSN_HTTP1_FIELDS_MAX];
    char path[TARGET_MAX + 2];
    int size = snprintf(path, sizeof path, "%.*s%s%.*s", (int)exchange->path.size,
                        exchange->path.bytes, exchange->query.size != 0 ? "?" : "",
                        (int)exchange->query.size, exchange->query.bytes);
    if (size >= (int)sizeof path || exchange->body_size > CSV_CALL_CONTENT_MAX) {
        return CSN_ERR_LIMIT;
    }
    const struct csv_call_request request = {.method =
                                                 exchange->method == CSN_HTTP1_GET ? "GET" : "POST",
                                             .path = path,
                                             .fields = fields,
                                             .field_count = copy_fields(exchange, fields),
                                             .content = exchange->body,
                                             .content_size = (uint32_t)exchange->body_size,
                                             .in_parts = true};
    return csv_call_start(proxy->caller, &request, exchange, call);
}

static void request(void *state, struct csn_exchange *exchange)
{
    struct csv_proxy *proxy = state;
    struct csv_call *call = NULL;
    if (is_text(&exchange->path, CSV_PROXY_STATUS_PATH)) {
        csv_proxy_status(proxy, exchange);
        return;
    }
    switch (start(proxy, exchange, &call)) {
    case CSN_OK:
        exchange->state = call;
        csv_upstream_begin(proxy->upstream);
        csv_proxy_finish(proxy);
        return;
    case CSN_ERR_ARGUMENT:
        refuse(proxy, exchange, 400, "urn:caisson:problem:request",
               "Not a request that can be sealed");
        return;
    case CSN_ERR_LIMIT:
        refuse(proxy, exchange, 413, "urn:caisson:problem:too-large",
               "The request is too large, or has too many fields");
        return;
    default:
        refuse(proxy, exchange, 503, "urn:caisson:problem:busy", "Too many requests under way");
        return;
    }
}

static void gone(void *state, struct csn_exchange *exchange)
{
    struct csv_proxy *proxy = state;
    if (exchange->state != NULL) {
        csv_call_destroy(exchange->state);
        exchange->state = NULL;
        if (proxy->upstream != NULL) { /* else the proxy is ending */
            csv_upstream_begin(proxy->upstream);
        }
    }
}

static void done(void *state, const struct csn_exchange *exchange)
{
    (void)state;
    (void)exchange;
}

const struct csn_service csv_proxy_service = {begin, request, gone, done};

/* Each verification that ended, once. */
static void tell(struct csv_proxy *proxy)
{
    const struct csv_call_pin *pin = csv_caller_pin(proxy->caller);
    csn_err result = csv_caller_result(proxy->caller);
    uint64_t appraisals = pin != NULL ? pin->appraisals : proxy->told_appraisals;
    if (csv_caller_state(proxy->caller) == CSV_CALLER_VERIFYING ||
        (result == proxy->told && appraisals == proxy->told_appraisals)) {
        return;
    }
    proxy->told = result;
    proxy->told_appraisals = appraisals;
    if (proxy->options.told != NULL) {
        proxy->options.told(proxy->options.told_state, proxy->caller);
    }
}

/* What came of it since the last time; whole: the last of it. */
static void pass_on(struct csn_exchange *exchange, struct csv_call *call, bool whole)
{
    const struct csv_call_response *response = csv_call_response(call);
    if (exchange->status == 0) {
        csv_proxy_begin(exchange, response);
    }
    if (whole || response->content_size != 0) {
        csn_exchange_piece(exchange, response->content, response->content_size, whole);
    }
    csv_call_consumed(call);
}

void csv_proxy_finish(struct csv_proxy *proxy)
{
    struct csv_call *call;
    tell(proxy);
    while ((call = csv_caller_moved(proxy->caller)) != NULL) {
        pass_on(csv_call_tag(call), call, false);
    }
    while ((call = csv_caller_finished(proxy->caller)) != NULL) {
        struct csn_exchange *exchange = csv_call_tag(call);
        exchange->state = NULL;
        const bool good = csv_call_result(call) == CSN_OK;
        proxy->answered += good;
        proxy->failed += !good;
        if (exchange->status != 0 && good) {
            pass_on(exchange, call, true);
        } else if (!good && csv_call_response(call) != NULL) {
            pass_on(exchange, call, false); /* the rest is missing */
            csn_exchange_break(exchange);
        } else if (good) {
            csv_proxy_answer(exchange, csv_call_response(call));
        } else {
            csv_proxy_problem(exchange, csv_call_problem(call));
        }
        csv_call_destroy(call);
    }
}
