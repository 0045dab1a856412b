/* SPDX-License-Identifier: Apache-2.0 */
/* visit.c: see visit.h. */
#include "visit.h"
#include <caisson/wire/message.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- life ---- */

struct csn_visit *csn_visit_create(struct csn_gateway *gateway, struct csn_exchange *exchange)
{
    struct csn_visit *visit = calloc(1, sizeof *visit);
    if (visit == NULL) {
        return NULL;
    }
    visit->gateway = gateway;
    visit->exchange = exchange;
    visit->holds = 1;
    visit->route = CSN_VIEW_ROUTE_OTHER;
    const struct csn_http1_text *trace = csn_exchange_field(exchange, "traceparent");
    if (trace != NULL && csn_traceparent_is(trace->bytes, trace->size)) {
        memcpy(visit->traceparent, trace->bytes, trace->size);
    }
    exchange->state = visit;
    return visit;
}

void csn_visit_release(struct csn_visit *visit)
{
    if (--visit->holds == 0) {
        free(visit);
    }
}

void csn_visit_over(struct csn_visit *visit, const struct csn_exchange *exchange, uint32_t status)
{
    struct csn_gateway *gateway = visit->gateway;
    struct timespec now;
    struct timespec wall;
    clock_gettime(CLOCK_MONOTONIC, &now);
    clock_gettime(CLOCK_REALTIME, &wall);
    uint64_t now_ns = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    uint64_t duration = now_ns > exchange->begin_ns ? now_ns - exchange->begin_ns : 0;
    csn_counters_add(&gateway->counters, visit->route, status, duration);
    const struct csn_access access = {
        .now_s = (uint64_t)wall.tv_sec,
        .now_ms = (uint32_t)(wall.tv_nsec / 1000000),
        .method = exchange->method == CSN_HTTP1_POST ? "POST" : "GET",
        .route = csn_view_route_name(visit->route),
        .service = visit->service[0] != 0 ? visit->service : NULL,
        .tenant = visit->tenant[0] != 0 ? visit->tenant : NULL,
        .client = exchange->client,
        .trace = visit->traceparent[0] != 0 ? visit->traceparent + 3 : NULL,
        .status = status,
        .version = exchange->version,
        .is_tls = exchange->is_tls,
        .duration_ns = duration,
        .size_in = exchange->body_size,
        .size_out = exchange->answer_size,
    };
    csn_access_log_add(&gateway->log, &access);
    visit->exchange = NULL;
    csn_visit_give_room(visit);
    csn_visit_cancel(visit);
    csn_visit_release(visit);
}

/* ---- answers ---- */

static struct csn_http1_text text_of(const char *text)
{
    return (struct csn_http1_text){text, strlen(text)};
}

static void add_field(struct csn_answer_head *head, const char *name, const char *value)
{
    head->more[head->more_count++] = (struct csn_http1_field){text_of(name), text_of(value)};
}

static struct csn_answer_head head_of(const struct csn_visit *visit, uint32_t status,
                                      const char *type)
{
    struct csn_answer_head head = {.status = status, .content_type = type};
    if (visit->traceparent[0] != 0) {
        add_field(&head, "traceparent", visit->traceparent);
    }
    if (visit->token[0] != 0) {
        add_field(&head, "caisson-worker", visit->token);
    }
    return head;
}

/* The front may be done with an exchange within its answer: nothing is touched after that. */
static struct csn_exchange *take_exchange(struct csn_visit *visit)
{
    struct csn_exchange *exchange = visit->exchange;
    visit->exchange = NULL;
    return exchange;
}

void csn_visit_answer(struct csn_visit *visit, const char *type, const char *cache,
                      const void *body, size_t size)
{
    struct csn_answer_head head = head_of(visit, 200, type);
    head.cache_control = cache;
    csn_exchange_answer(take_exchange(visit), &head, body, size);
}

void csn_visit_begin(struct csn_visit *visit, const char *type)
{
    const struct csn_answer_head head = head_of(visit, 200, type);
    visit->has_begun = true;
    csn_exchange_begin(visit->exchange, &head);
}

void csn_visit_piece(struct csn_visit *visit, const void *bytes, size_t size, bool final)
{
    csn_exchange_piece(final ? take_exchange(visit) : visit->exchange, bytes, size, final);
}

void csn_visit_break(struct csn_visit *visit)
{
    csn_exchange_break(take_exchange(visit));
}

void csn_visit_cancel(struct csn_visit *visit)
{
    if (visit->pump != NULL) {
        csn_pump_cancel(visit->pump, visit);
    }
}

void csn_visit_refuse(struct csn_visit *visit, const struct csn_problem *problem)
{
    char body[512];
    char retry[16];
    struct csn_answer_head head = head_of(visit, problem->status, "application/problem+json");
    const char *type = problem->type != NULL ? problem->type : "about:blank";
    const char *detail = problem->detail;
    int size =
        snprintf(body, sizeof body, "{\"type\":\"%s\",\"title\":\"%s\",\"status\":%u%s%s%s}", type,
                 problem->title, problem->status, detail != NULL ? ",\"detail\":\"" : "",
                 detail != NULL ? detail : "", detail != NULL ? "\"" : "");
    if (problem->retry_s != 0) {
        snprintf(retry, sizeof retry, "%u", problem->retry_s);
        add_field(&head, "retry-after", retry);
    }
    if (problem->allows_get || problem->allows_post) {
        add_field(&head, "allow",
                  !problem->allows_post  ? "GET"
                  : !problem->allows_get ? "POST"
                                         : "GET, POST");
    }
    csn_exchange_answer(take_exchange(visit), &head, body, (size_t)size);
}

/* ---- what the asks have in common ---- */

bool csn_visit_worker(struct csn_visit *visit, struct csn_unit **unit, struct csn_pump **pump)
{
    static const struct csn_problem gone = {
        .status = 409,
        .type = CSN_PROBLEM_WORKER_GONE,
        .title = "That worker is gone",
        .detail = "Begin anew: what was kept for you (handles, challenges) went with it."};
    const struct csn_http1_text *token = csn_exchange_field(visit->exchange, "caisson-worker");
    struct csn_unit *found = NULL;
    *pump = NULL;
    if (token == NULL) {
        return true;
    }
    struct csn_pump *named = csn_fleet_by_token(visit->fleet, token->bytes, token->size, &found);
    if (named == NULL || (*unit != NULL && found != *unit)) {
        csn_visit_refuse(visit, &gone);
        return false;
    }
    *unit = found;
    *pump = named;
    return true;
}

void csn_visit_refuse_place(struct csn_visit *visit, csn_err err)
{
    static const struct csn_problem busy = {.status = 503, .title = "Busy", .retry_s = 1};
    static const struct csn_problem large = {.status = 413, .title = "Too large for the service"};
    csn_visit_refuse(visit, err == CSN_ERR_SPACE ? &large : &busy);
}
