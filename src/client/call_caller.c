/* SPDX-License-Identifier: Apache-2.0 */
/* call_caller.c: a caller's life, what is to be done next, and who gets what comes back. */
#include "../core/bytes.h"
#include "caller.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CALL_COUNT 256u /* the default */

/* ---- life ---- */

static bool name_is_good(const char *name)
{
    size_t size = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");
    return name[size] == 0 && size != 0 && size <= CSV_CALL_NAME_SIZE_MAX;
}

csn_err csv_caller_create(const struct csv_caller_options *options, struct csv_caller **caller_out)
{
    const char *authority = options->authority != NULL ? options->authority : "caisson.invalid";
    if (options->policy == NULL || options->credential == NULL ||
        options->way > CSV_CALL_OBLIVIOUS || options->purpose > 63 ||
        options->padded_size_min > CSN_WIRE_PAYLOAD_MAX ||
        (options->service != NULL && !name_is_good(options->service)) ||
        (options->label != NULL && (options->service == NULL || !name_is_good(options->label))) ||
        strlen(authority) >= sizeof((struct csv_caller *)0)->authority) {
        return CSN_ERR_ARGUMENT;
    }
    struct csv_caller *caller = calloc(1, sizeof *caller);
    if (caller == NULL) {
        return CSN_ERR_MEMORY;
    }
    caller->policy = options->policy;
    caller->credential = *options->credential;
    memcpy(caller->authority, authority, strlen(authority) + 1);
    if (options->service != NULL) {
        memcpy(caller->service, options->service, strlen(options->service) + 1);
    }
    if (options->label != NULL) {
        memcpy(caller->label, options->label, strlen(options->label) + 1);
    }
    caller->way = options->way;
    caller->once = options->once;
    caller->purpose = options->purpose;
    caller->padded_min = options->padded_size_min;
    caller->grant_version_min = options->grant_version_min;
    caller->evidence_age_max = options->evidence_age_max;
    caller->retry_after = options->retry_after != 0 ? options->retry_after : 1;
    caller->call_count_max = options->call_count_max != 0 ? options->call_count_max : CALL_COUNT;
    caller->result = CSN_ERR_STATE;
    *caller_out = caller;
    return CSN_OK;
}

void csv_caller_destroy(struct csv_caller *caller)
{
    if (caller == NULL) {
        return;
    }
    while (caller->calls != NULL) {
        csv_call_destroy(caller->calls);
    }
    while (caller->trips != NULL) {
        struct csv_trip *trip = caller->trips;
        caller->trips = trip->next;
        csv_trip_free(trip);
    }
    csv_caller_drop_context(caller);
    csv_verdict_free(caller->verdict);
    csn_wipe(caller, sizeof *caller);
    free(caller);
}

/* ---- what was verified ---- */

uint32_t csv_caller_state(const struct csv_caller *caller)
{
    switch (caller->phase) {
    case CSV_PHASE_IDLE:
        return CSV_CALLER_IDLE;
    case CSV_PHASE_READY:
        return CSV_CALLER_READY;
    case CSV_PHASE_REFUSED:
        return CSV_CALLER_REFUSED;
    default:
        return CSV_CALLER_VERIFYING;
    }
}

void csv_caller_verify(struct csv_caller *caller)
{
    if (csv_caller_state(caller) != CSV_CALLER_VERIFYING) {
        caller->phase = CSV_PHASE_EVIDENCE_DUE;
        caller->keys_tries = 0;
    }
}

void csv_caller_distrust(struct csv_caller *caller, uint64_t appraisal)
{
    if (caller->phase == CSV_PHASE_READY && caller->appraisal == appraisal) {
        csv_caller_drop_context(caller);
        csv_caller_verify(caller);
    }
}

csn_err csv_caller_result(const struct csv_caller *caller)
{
    return caller->result;
}

const char *csv_caller_explain(const struct csv_caller *caller)
{
    return caller->explain;
}

const struct csv_verdict *csv_caller_verdict(const struct csv_caller *caller)
{
    return caller->verdict;
}

const struct csv_call_pin *csv_caller_pin(const struct csv_caller *caller)
{
    return caller->phase == CSV_PHASE_READY ? &caller->pin : NULL;
}

/* ---- queues and trips ---- */

void csv_queue_push(struct csv_call_queue *queue, struct csv_call *call)
{
    call->behind = NULL;
    if (queue->last != NULL) {
        queue->last->behind = call;
    } else {
        queue->first = call;
    }
    queue->last = call;
}

static struct csv_call *pop(struct csv_call_queue *queue)
{
    struct csv_call *call = queue->first;
    if (call != NULL) {
        queue->first = call->behind;
        queue->last = queue->first != NULL ? queue->last : NULL;
        call->behind = NULL;
    }
    return call;
}

void csv_queue_remove(struct csv_call_queue *queue, const struct csv_call *call)
{
    struct csv_call *before = NULL;
    for (struct csv_call *at = queue->first; at != NULL; before = at, at = at->behind) {
        if (at != call) {
            continue;
        }
        *(before != NULL ? &before->behind : &queue->first) = at->behind;
        queue->last = queue->last == at ? before : queue->last;
        return;
    }
}

struct csv_trip *csv_trip_new(struct csv_caller *caller, enum csv_trip_kind kind,
                              struct csv_call *call)
{
    struct csv_trip *trip = calloc(1, sizeof *trip);
    if (call != NULL) { /* it is the first that waits */
        (void)pop(&caller->waiting);
        call->state = CSV_CALL_SENT;
    }
    if (trip == NULL) {
        if (call != NULL) {
            csv_call_fail(call, &csv_fault_memory, "out of memory");
        }
        return NULL;
    }
    trip->id = ++caller->trip_id;
    trip->kind = kind;
    trip->call = call;
    trip->appraisal = caller->appraisal;
    return trip;
}

bool csv_trip_body(struct csv_trip *trip, size_t size)
{
    trip->body = calloc(1, size);
    trip->body_size = trip->body != NULL ? size : 0;
    return trip->body != NULL;
}

void csv_trip_free(struct csv_trip *trip)
{
    if (trip == NULL) {
        return;
    }
    csv_context_release(trip->context);
    csv_parts_free(trip->parts);
    free(trip->body);
    csn_wipe(trip, sizeof *trip);
    free(trip);
}

void csv_trip_path(struct csv_trip *trip, const struct csv_caller *caller, const char *start)
{
    (void)snprintf(trip->path, sizeof trip->path, "%s%s%s%s%s", start,
                   caller->service[0] != 0 ? "/" : "", caller->service,
                   caller->label[0] != 0 ? "/" : "", caller->label);
}

static void put_field(struct csv_fetch *fetch, const char *name, const char *value)
{
    fetch->fields[fetch->field_count++] = (struct csv_call_field){
        .name = name,
        .value = value,
        .name_size = (uint32_t)strlen(name),
        .value_size = (uint32_t)strlen(value),
    };
}

static void describe(const struct csv_trip *trip, struct csv_fetch *fetch)
{
    *fetch = (struct csv_fetch){.id = trip->id,
                                .method = trip->content_type != NULL ? "POST" : "GET",
                                .path = trip->path,
                                .body = trip->body,
                                .body_size = trip->body_size,
                                .answer_size_max = trip->answer_size_max,
                                .in_parts = trip->in_parts};
    put_field(fetch, "Accept", trip->accept);
    if (trip->content_type != NULL) {
        put_field(fetch, "Content-Type", trip->content_type);
    }
    if (trip->worker[0] != 0) {
        put_field(fetch, "Caisson-Worker", trip->worker);
    }
}

/* ---- what is to be done ---- */

/* Evidence has an age, and a refusal is not for ever. */
static void look_at_clock(struct csv_caller *caller)
{
    int64_t age = caller->now - caller->pin.appraised_at;
    int64_t since = caller->now - caller->refused_at;
    if (caller->waiting.first == NULL) {
        return;
    }
    if (caller->phase == CSV_PHASE_READY && caller->evidence_age_max != 0 &&
        (age < 0 || age >= caller->evidence_age_max)) {
        csv_caller_distrust(caller, caller->appraisal);
    } else if (caller->phase == CSV_PHASE_IDLE) {
        csv_caller_verify(caller);
    } else if (caller->phase == CSV_PHASE_REFUSED) {
        if (since < 0 || since >= caller->retry_after) {
            csv_caller_verify(caller);
        } else {
            csv_verify_fail_waiting(caller);
        }
    }
}

/* One step; *moved: something happened, even where no trip came of it. */
static struct csv_trip *step(struct csv_caller *caller, bool *moved)
{
    enum csv_caller_phase phase = caller->phase;
    struct csv_call *call = caller->waiting.first;
    struct csv_trip *trip = NULL;
    if (phase == CSV_PHASE_EVIDENCE_DUE) {
        trip = csv_verify_evidence(caller);
    } else if (phase == CSV_PHASE_KEYS_DUE) {
        trip = csv_verify_keys(caller);
    } else if (phase == CSV_PHASE_READY && call != NULL) {
        trip =
            caller->way == CSV_CALL_RECORDS ? csv_records_next(caller) : csv_oblivious_next(caller);
    }
    *moved = caller->phase != phase || caller->waiting.first != call;
    return trip;
}

bool csv_caller_next(struct csv_caller *caller, int64_t now, struct csv_fetch *fetch)
{
    struct csv_trip *trip = NULL;
    bool moved = true;
    caller->now = now;
    while (trip == NULL && moved) {
        look_at_clock(caller);
        trip = step(caller, &moved);
    }
    if (trip == NULL) {
        return false;
    }
    trip->next = caller->trips;
    caller->trips = trip;
    describe(trip, fetch);
    return true;
}

/* ---- what came back ---- */

bool csv_fetched_is(const struct csv_fetched *fetched, const char *media_type)
{
    size_t size = strlen(media_type);
    const char *type = fetched->content_type;
    return type != NULL && strncasecmp(type, media_type, size) == 0 &&
           (type[size] == 0 || type[size] == ';' || type[size] == ' ');
}

void csv_fetched_worker(const struct csv_fetched *fetched, char worker[CSV_CALLER_WORKER_SIZE])
{
    size_t size = 0;
    worker[0] = 0;
    if (fetched->worker == NULL) {
        return;
    }
    while (size < CSV_CALLER_WORKER_SIZE && fetched->worker[size] > ' ' &&
           fetched->worker[size] < 0x7f) {
        size++;
    }
    if (size < CSV_CALLER_WORKER_SIZE && fetched->worker[size] == 0) {
        memcpy(worker, fetched->worker, size + 1);
    }
}

static struct csv_trip *find_trip(struct csv_caller *caller, uint64_t id)
{
    for (struct csv_trip **at = &caller->trips; *at != NULL; at = &(*at)->next) {
        struct csv_trip *trip = *at;
        if (trip->id == id) {
            *at = trip->next;
            return trip;
        }
    }
    return NULL;
}

void csv_caller_take(struct csv_caller *caller, int64_t now, const struct csv_fetched *fetched)
{
    struct csv_trip *trip = find_trip(caller, fetched->id);
    caller->now = now;
    if (trip == NULL) {
        return;
    }
    struct csv_fetched checked = *fetched;
    if (fetched->status != 0 && fetched->body_size > trip->answer_size_max) {
        checked = (struct csv_fetched){.id = fetched->id, .fault = "the answer is too large"};
    }
    switch (trip->kind) {
    case CSV_TRIP_EVIDENCE:
        csv_verify_take_evidence(caller, &checked);
        break;
    case CSV_TRIP_KEYS:
        csv_verify_take_keys(caller, &checked);
        break;
    case CSV_TRIP_CONTEXT_CHALLENGE:
    case CSV_TRIP_CALL_CHALLENGE:
        csv_records_take_challenge(caller, trip, &checked);
        break;
    case CSV_TRIP_RECORD:
        if (!trip->in_parts) {
            csv_records_take(caller, trip, &checked);
        } else {
            (void)csv_parts_take(caller, trip, &checked, true);
            csv_records_end(caller, trip);
        }
        break;
    case CSV_TRIP_OBLIVIOUS:
        if (!trip->in_parts) {
            csv_oblivious_take(caller, trip, &checked);
        } else {
            (void)csv_parts_take(caller, trip, &checked, true);
        }
        break;
    }
    csv_trip_free(trip);
}

static void end_trip(struct csv_caller *caller, struct csv_trip *trip)
{
    (void)find_trip(caller, trip->id);
    if (trip->kind == CSV_TRIP_RECORD) {
        csv_records_end(caller, trip);
    }
    csv_trip_free(trip);
}

bool csv_caller_more(struct csv_caller *caller, int64_t now, const struct csv_fetched *fetched)
{
    struct csv_trip *trip = caller->trips;
    caller->now = now;
    while (trip != NULL && trip->id != fetched->id) {
        trip = trip->next;
    }
    if (trip == NULL || !trip->in_parts) {
        return false;
    }
    bool goes_on = csv_parts_take(caller, trip, fetched, false);
    if (!goes_on) {
        end_trip(caller, trip);
    }
    return goes_on;
}

/* The answer to a hello is worth waiting for: the context is for others, too. */
static bool is_abandoned(const struct csv_trip *trip)
{
    return trip->in_parts && trip->call == NULL &&
           (!trip->hello || trip->context->phase == CSV_CONTEXT_WARM);
}

bool csv_caller_abandoned(struct csv_caller *caller, uint64_t *id)
{
    for (struct csv_trip *trip = caller->trips; trip != NULL; trip = trip->next) {
        if (is_abandoned(trip)) {
            *id = trip->id;
            end_trip(caller, trip);
            return true;
        }
    }
    return false;
}

struct csv_call *csv_caller_moved(struct csv_caller *caller)
{
    struct csv_call *call = pop(&caller->moved);
    if (call != NULL) {
        call->is_moved = false;
    }
    return call;
}

struct csv_call *csv_caller_finished(struct csv_caller *caller)
{
    return pop(&caller->done);
}
