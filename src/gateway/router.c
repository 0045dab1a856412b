/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router.c: what a request asks for, from public data alone: method, path, content type, label,
 * address. Whatever can be refused is refused before its body comes.
 */
#include "route.h"
#include "visit.h"
#include <caisson/wire/message.h>
#include <string.h>
#include <time.h>

static const struct csn_problem not_found = {.status = 404, .title = "Nothing is here"};
static const struct csn_problem no_service = {.status = 404, .title = "No such service"};
static const struct csn_problem no_tenant = {.status = 404, .title = "No such tenant"};
static const struct csn_problem post_only = {
    .status = 405, .title = "POST is for this", .allows_post = true};
static const struct csn_problem get_only = {
    .status = 405, .title = "GET is for this", .allows_get = true};
static const struct csn_problem bad_query = {
    .status = 400,
    .title = "The query is not understood",
    .detail = "Known are nonce (64 hex digits, for evidence), service and instance (a number)."};

/* ---- what is meant ---- */

static bool is_type(const struct csn_exchange *exchange, const char *type)
{
    const struct csn_http1_text *given = csn_exchange_field(exchange, "content-type");
    return given != NULL && csn_http1_is(given, type);
}

/* The body's type; sets the visit's route, or refuses. */
static bool read_type(struct csn_visit *visit)
{
    static const struct csn_problem wrong = {
        .status = 415,
        .title = "Unknown type of content",
        .detail = "message/ohttp-req, message/ohttp-chunked-req, or at /records "
                  "application/vnd.caisson.records"};
    const struct csn_exchange *exchange = visit->exchange;
    bool good;
    if (visit->route == CSN_VIEW_ROUTE_RECORDS) {
        good = is_type(exchange, "application/vnd.caisson.records");
    } else {
        visit->is_chunked = is_type(exchange, "message/ohttp-chunked-req");
        good = visit->is_chunked || is_type(exchange, "message/ohttp-req");
    }
    if (!good) {
        csn_visit_refuse(visit, &wrong);
    }
    return good;
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_nonce(struct csn_visit *visit)
{
    struct csn_http1_text text = csn_route_query(&visit->exchange->query, "nonce");
    bool good = text.size == 2 * sizeof visit->nonce.nonce;
    for (size_t i = 0; good && i < sizeof visit->nonce.nonce; i++) {
        int high = nibble(text.bytes[2 * i]);
        int low = nibble(text.bytes[2 * i + 1]);
        good = high >= 0 && low >= 0;
        visit->nonce.nonce[i] = (uint8_t)(high << 4 | (low & 15));
    }
    return good;
}

/*
 * Which instance a client is told of: the one that it asks for, or one that follows from its
 * address, so that keys and evidence are of the same.
 */
static bool read_slot(struct csn_visit *visit)
{
    struct csn_http1_text text = csn_route_query(&visit->exchange->query, "instance");
    if (text.bytes == NULL) {
        uint32_t hash = 2166136261u; /* FNV-1a */
        for (const char *at = visit->exchange->client; *at != 0; at++) {
            hash = (hash ^ (uint8_t)*at) * 16777619u;
        }
        visit->slot = hash ^ hash >> 16;
        return true;
    }
    visit->slot = text.size == 1 ? (uint32_t)(text.bytes[0] - '0') : UINT32_MAX;
    return visit->slot < CSN_CONFIG_INSTANCES_MAX;
}

/* ---- rates ---- */

/* False: over its rate or quota, and refused. */
static bool take_turn(struct csn_visit *visit, uint32_t tenant)
{
    struct csn_gateway *gateway = visit->gateway;
    struct csn_problem over = {.status = 429};
    const struct csn_when when = {.now_ns = csn_front_now(gateway->front),
                                  .now_s = (uint64_t)time(NULL)};
    enum csn_allowed allowed =
        tenant != UINT32_MAX ? csn_tenants_take(&gateway->tenants, tenant, &when, &over.retry_s)
                             : csn_tenants_take_client(&gateway->tenants, visit->exchange->client,
                                                       &when, &over.retry_s);
    over.title =
        allowed == CSN_OVER_QUOTA ? "The quota of the day is used up" : "Too many requests";
    if (allowed != CSN_ALLOWED) {
        csn_visit_refuse(visit, &over);
    }
    return allowed == CSN_ALLOWED;
}

/* ---- the head ---- */

/* Service and tenant; false: refused. */
static bool read_names(struct csn_visit *visit, const struct csn_route *route, uint32_t *tenant)
{
    struct csn_gateway *gateway = visit->gateway;
    struct csn_http1_text name = route->service;
    if (route->kind == CSN_ROUTE_EVIDENCE) {
        name = csn_route_query(&visit->exchange->query, "service");
    }
    visit->fleet = csn_gateway_fleet(gateway, name.bytes, name.size);
    *tenant = UINT32_MAX;
    if (visit->fleet == NULL) {
        csn_visit_refuse(visit, &no_service);
        return false;
    }
    memcpy(visit->service, visit->fleet->plan.service.name,
           strlen(visit->fleet->plan.service.name) + 1);
    if (route->label.size != 0) {
        *tenant = csn_tenants_find(&gateway->tenants, route->label.bytes, route->label.size);
        if (*tenant == UINT32_MAX) {
            csn_visit_refuse(visit, &no_tenant);
            return false;
        }
        memcpy(visit->tenant, route->label.bytes, route->label.size);
    }
    return true;
}

/* How much body may come. */
static size_t body_limit(const struct csn_visit *visit)
{
    static const size_t head_size = sizeof(struct csn_wire_request);
    const struct csn_unit *unit = csn_fleet_serving(visit->fleet);
    if (visit->route == CSN_VIEW_ROUTE_RECORDS) {
        return visit->gateway->config->body_size_max;
    }
    return unit != NULL ? csn_enclave_manifest(unit->enclave)->input_size_max - head_size : 0;
}

/* No unit is current or retiring: the body would be for nothing. */
static bool is_served(struct csn_visit *visit)
{
    static const struct csn_problem starting = {
        .status = 503, .title = "No enclave of the service is ready", .retry_s = 1};
    bool served = csn_fleet_serving(visit->fleet) != NULL;
    if (!served) {
        csn_visit_refuse(visit, &starting);
    }
    return served;
}

static size_t begin_post(struct csn_visit *visit, const struct csn_route *route, uint32_t tenant)
{
    if (route->kind == CSN_ROUTE_EVIDENCE) {
        csn_visit_refuse(visit, &get_only);
        return SIZE_MAX;
    }
    visit->route = route->kind == CSN_ROUTE_RECORDS ? CSN_VIEW_ROUTE_RECORDS : CSN_VIEW_ROUTE_OHTTP;
    if (!read_type(visit) || !take_turn(visit, tenant) || !is_served(visit)) {
        return SIZE_MAX;
    }
    return body_limit(visit);
}

static size_t begin_get(struct csn_visit *visit, const struct csn_route *route)
{
    if (route->kind == CSN_ROUTE_RECORDS) {
        csn_visit_refuse(visit, &post_only);
        return SIZE_MAX;
    }
    bool wants_evidence = route->kind == CSN_ROUTE_EVIDENCE;
    visit->route = wants_evidence ? CSN_VIEW_ROUTE_EVIDENCE : CSN_VIEW_ROUTE_KEYS;
    if (!read_slot(visit) || (wants_evidence && !read_nonce(visit))) {
        csn_visit_refuse(visit, &bad_query);
        return SIZE_MAX;
    }
    return wants_evidence && !take_turn(visit, UINT32_MAX) ? SIZE_MAX : 0;
}

static size_t begin(void *state, struct csn_exchange *exchange)
{
    struct csn_visit *visit = csn_visit_create(state, exchange);
    uint32_t tenant = UINT32_MAX;
    if (visit == NULL) {
        csn_exchange_problem(exchange, 503, NULL, "Out of memory", NULL);
        return SIZE_MAX;
    }
    const struct csn_route route = csn_route_read(&exchange->path);
    if (route.kind == CSN_ROUTE_NONE) {
        csn_visit_refuse(visit, &not_found);
        return SIZE_MAX;
    }
    if (!read_names(visit, &route, &tenant)) {
        return SIZE_MAX;
    }
    return exchange->method == CSN_HTTP1_POST ? begin_post(visit, &route, tenant)
                                              : begin_get(visit, &route);
}

/* ---- the body, and the end ---- */

static void request(void *state, struct csn_exchange *exchange)
{
    static void (*const asks[CSN_VIEW_ROUTE_COUNT])(struct csn_visit *) = {
        [CSN_VIEW_ROUTE_OHTTP] = csn_ask_ohttp,
        [CSN_VIEW_ROUTE_RECORDS] = csn_ask_records,
        [CSN_VIEW_ROUTE_KEYS] = csn_ask_keys,
        [CSN_VIEW_ROUTE_EVIDENCE] = csn_ask_evidence,
    };
    struct csn_visit *visit = exchange->state;
    (void)state;
    csn_visit_hold(visit); /* an answer may end the exchange, and with it the visit */
    asks[visit->route](visit);
    csn_visit_release(visit);
}

static void over(struct csn_exchange *exchange, uint32_t status)
{
    struct csn_visit *visit = exchange->state;
    if (visit != NULL) {
        exchange->state = NULL;
        csn_visit_over(visit, exchange, status);
    }
}

static void gone(void *state, struct csn_exchange *exchange)
{
    (void)state;
    over(exchange, exchange->status); /* what the front answered, or 0 */
}

static void done(void *state, const struct csn_exchange *exchange)
{
    struct csn_visit *visit = exchange->state;
    (void)state;
    if (visit != NULL) {
        csn_visit_over(visit, exchange, exchange->status);
    }
}

const struct csn_service csn_router_service = {
    .begin = begin, .request = request, .gone = gone, .done = done};
