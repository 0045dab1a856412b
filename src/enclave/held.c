/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held.c: places for calls whose answers come later; how they are taken, ended, dropped, and wiped.
 *
 * A place is a copy of all that an answer is sealed with, so that nothing that changes between
 * batches (contexts that are evicted, salts that are renewed) touches what was promised. Answers of
 * held calls are in the full form for that reason, whatever the record's form was.
 */
#include "held.h"
#include "request.h"
#include <caisson/wire/stop.h>

struct cse_step {
    struct cse_session *session;
};

/* ---- places ---- */

uint32_t cse_held_bytes(const struct csn_wire_manifest *manifest)
{
    const uint32_t count = cse_class_count(manifest);
    return count == 0 ? 0 : csn_wire_output_room(manifest, count - 1) + CSE_REQUEST_BESIDE;
}

void cse_held_lay(struct cse_session *session, struct cse_held *places, uint8_t *bytes)
{
    const uint32_t size = cse_held_bytes(session->manifest);
    session->held = places;
    for (uint32_t i = 0; i < session->manifest->held_max; i++) {
        places[i].index = i;
        places[i].session = session;
        places[i].bytes = bytes + (uint64_t)i * size;
    }
}

/* Everything but what lets the host be told that it is over. */
static void wipe(struct cse_held *held)
{
    const struct cse_held kept = {
        .index = held->index, .session = held->session, .bytes = held->bytes, .input = held->input};
    csn_wipe(held->bytes, held->last_size);
    csn_wipe(held, sizeof *held);
    *held = kept;
}

static void release(struct cse_held *held)
{
    wipe(held);
    held->session->held_count--;
}

static struct cse_held *find_free(struct cse_session *session)
{
    for (uint32_t i = 0; i < session->manifest->held_max; i++) {
        if (session->held[i].state == CSE_HELD_FREE) {
            return &session->held[i];
        }
    }
    return NULL;
}

/* A record's: who asked, in which context, along which route. */
static void keep_record(struct cse_held *held, const struct cse_call *call)
{
    const struct cse_opening *opening = call->answer.opening;
    held->context = *call->answer.context;
    csn_wipe(&held->context.replier, sizeof held->context.replier);
    held->opening = (struct cse_opening){.sequence = opening->sequence,
                                         .size_class = opening->size_class,
                                         .route = held->route,
                                         .route_size = opening->route_size};
    __builtin_memcpy(held->route, opening->route, opening->route_size);
    held->answer.context = &held->context;
    held->answer.opening = &held->opening;
    held->shape.head_size = (uint32_t)sizeof(struct csn_wire_record) + opening->route_size;
    held->shape.result_size = sizeof(struct csn_wire_result);
    held->shape.plain_size = held->shape.result_size + cse_call_room(call);
}

struct cse_held *cse_hold(struct cse_call *call)
{
    struct cse_session *session = call->session;
    if (session->options.service->step == NULL || call->held != NULL || call->emitted_count != 0 ||
        call->answer.consumer != NULL || session->held_count == session->manifest->held_max ||
        (call->http != NULL && cse_call_room(call) < 2 * CSE_HELD_BESIDE)) {
        return NULL;
    }
    struct cse_held *held = find_free(session);
    session->held_count++;
    held->state = CSE_HELD_OPEN;
    held->http = call->http != NULL;
    held->input.tag = call->answer.input->tag;
    held->input.channel = call->answer.input->channel;
    held->credential = call->credential;
    held->shape = call->shape;
    held->answer = call->answer;
    held->answer.short_form = false;
    held->answer.input = &held->input;
    if (call->answer.opening != NULL) {
        keep_record(held, call);
    }
    call->held = held;
    return held;
}

void cse_held_release(struct cse_call *call)
{
    release(call->held);
    call->held = NULL;
}

/* The host keeps to the order of its inputs: this one's answer is that it comes later. */
void cse_held_begin(struct cse_call *call)
{
    struct cse_session *session = call->session;
    struct cse_held *held = call->held;
    for (uint32_t i = call->first; i < session->pending_count; i++) { /* what a handler wrote */
        csn_wipe(cse_answer_payload(&session->pending[i]), cse_call_room(call));
    }
    cse_answer_drop(session, call->first);
    held->detail = call->detail;
    held->has_detail = call->has_detail;
    cse_answer_plain(session, call->answer.input, CSN_WIRE_HELD, NULL, 0);
    session->pending[session->pending_count - 1].final = false;
}

void cse_held_begin_request(struct cse_call *call, const struct csn_ohttp_exchange *exchange)
{
    struct cse_held *held = call->held;
    held->form = exchange->form == CSN_OHTTP_WHOLE ? CSE_HELD_WHOLE : CSE_HELD_CHUNKED;
    held->nonce_size = csn_ohttp_nonce_size(exchange);
    cse_random_or_panic(call->session, held->nonce, held->nonce_size);
    csn_ohttp_answer(exchange, held->nonce, &held->request);
    cse_held_begin(call);
}

/* ---- what the service may ask ---- */

uint32_t cse_held_index(const struct cse_held *held)
{
    return held->index;
}

struct cse_held *cse_held_at(struct cse_step *step, uint32_t index)
{
    struct cse_session *session = step->session;
    bool open = index < session->manifest->held_max && session->held[index].state == CSE_HELD_OPEN;
    return open ? &session->held[index] : NULL;
}

void *cse_held_state(const struct cse_held *held)
{
    return held->answer.tenant->grant->state;
}

const uint8_t *cse_held_tenant(const struct cse_held *held)
{
    return held->answer.tenant->id;
}

bool cse_held_budget_take(struct cse_held *held, uint64_t count)
{
    return cse_ledger_take(held->session, held->answer.tenant, held->credential, count);
}

uint32_t cse_held_part_max(const struct cse_held *held)
{
    return cse_held_content_max(held);
}

bool cse_step_random(struct cse_step *step, void *bytes, uint32_t size)
{
    return csn_random_fill(step->session->options.random, bytes, size) == CSN_OK;
}

void *cse_step_scratch(struct cse_step *step, uint32_t size)
{
    return csn_scratch_take(&step->session->scratch, size);
}

/* ---- parts ---- */

static bool has_room(const struct cse_held *held)
{
    const struct cse_outlet *outlet = held->session->outlet;
    uint32_t size = held->state == CSE_HELD_DROPPED ? (uint32_t)sizeof(struct csn_wire_answer)
                                                    : cse_held_message_max(held);
    return outlet->room(outlet->state, held->input.channel, size);
}

bool cse_held_room(struct cse_held *held)
{
    struct cse_session *session = held->session;
    if (session->outlet == NULL) {
        return false;
    }
    if (held->form == CSE_HELD_WHOLE || has_room(held)) {
        return true;
    }
    held->wanting = session->step_count;
    session->wanting_count++;
    return false;
}

/* Behind what is collected; false: too much. */
static bool collect(struct cse_held *held, const uint8_t *bytes, uint32_t size)
{
    if (size > cse_held_content_max(held) - held->last_size) {
        return false;
    }
    if (size != 0) {
        __builtin_memcpy(held->bytes + held->last_size, bytes, size);
    }
    held->last_size += size;
    return true;
}

csn_err cse_held_emit(struct cse_held *held, const uint8_t *bytes, uint32_t size)
{
    if (held->session->outlet == NULL || held->state != CSE_HELD_OPEN) {
        return CSN_ERR_STATE;
    }
    if (held->form == CSE_HELD_WHOLE) {
        return collect(held, bytes, size) ? CSN_OK : CSN_ERR_SPACE;
    }
    if (size > cse_held_content_max(held)) {
        return CSN_ERR_SPACE;
    }
    if (held->part == CSE_HELD_PART_MAX) {
        return CSN_ERR_LIMIT;
    }
    if (!cse_held_room(held)) {
        return CSN_AGAIN;
    }
    cse_held_send(held, false, bytes, size);
    return CSN_OK;
}

static void send_last(struct cse_held *held)
{
    struct cse_session *session = held->session;
    if (held->state == CSE_HELD_DROPPED) {
        cse_answer_plain(session, &held->input, CSN_WIRE_DROPPED, NULL, 0);
        cse_answer_flush(session);
    } else {
        cse_held_send(held, true, held->bytes, held->last_size);
    }
    release(held);
}

void cse_held_finish(struct cse_held *held, cse_status status, const uint8_t *bytes, uint32_t size)
{
    if (held->session->outlet == NULL || held->state != CSE_HELD_OPEN) {
        cse_panic(CSN_WIRE_STOP_ASSERT); /* a place that is not the service's, or not its turn */
    }
    if ((uint32_t)status > CSN_WIRE_STATUS_LAST) {
        status = CSN_WIRE_STATUS_INTERNAL;
    }
    if (status == CSN_WIRE_STATUS_OK && !collect(held, bytes, size)) {
        status = CSN_WIRE_STATUS_TOO_LARGE;
    }
    held->end = status;
    held->state = CSE_HELD_ENDED;
    if (has_room(held)) {
        send_last(held);
    } else {
        held->session->ended_count++;
    }
}

/* ---- dropped ---- */

static void drop(struct cse_held *held)
{
    struct cse_session *session = held->session;
    const struct cse_service *service = session->options.service;
    if (held->state == CSE_HELD_OPEN && service->dropped != NULL) {
        service->dropped(session->worker_state, held->index);
    }
    session->ended_count += held->state == CSE_HELD_OPEN;
    wipe(held);
    held->state = CSE_HELD_DROPPED;
}

void cse_held_cancel(struct cse_session *session, const struct cse_input *input)
{
    struct csn_wire_cancel cancel = {.kind = 0};
    if (input->size == sizeof cancel) {
        __builtin_memcpy(&cancel, input->bytes, sizeof cancel);
    }
    if (cancel.kind == 0 || cancel.reserved != 0) {
        cse_answer_plain(session, input, CSN_WIRE_REJECT_FRAMING, NULL, 0);
        return;
    }
    for (uint32_t i = 0; session->held_count != 0 && i < session->manifest->held_max; i++) {
        struct cse_held *held = &session->held[i];
        if (held->state != CSE_HELD_FREE && held->input.tag == cancel.tag &&
            held->input.channel == input->channel) {
            drop(held);
        }
    }
    cse_answer_plain(session, input, CSN_WIRE_CANCELLED, NULL, 0);
}

void cse_held_drop_tenant(struct cse_session *session, const struct cse_tenant *tenant)
{
    for (uint32_t i = 0; session->held_count != 0 && i < session->manifest->held_max; i++) {
        struct cse_held *held = &session->held[i];
        if (held->state != CSE_HELD_FREE && held->answer.tenant == tenant) {
            drop(held);
        }
    }
}

/* A channel that is broken takes no last word. */
static void lost(struct cse_session *session, uint32_t channel)
{
    for (uint32_t i = 0; session->held_count != 0 && i < session->manifest->held_max; i++) {
        struct cse_held *held = &session->held[i];
        if (held->state != CSE_HELD_FREE && held->input.channel == channel) {
            drop(held);
            session->ended_count--;
            release(held);
        }
    }
}

/* ---- the run loop's side ---- */

static bool is_holding(const struct cse_session *session)
{
    return session->held_count != 0;
}

static void send_ended(struct cse_session *session)
{
    for (uint32_t i = 0; session->ended_count != 0 && i < session->manifest->held_max; i++) {
        struct cse_held *held = &session->held[i];
        if (held->state >= CSE_HELD_ENDED && has_room(held)) {
            session->ended_count--;
            send_last(held);
        }
    }
}

static bool run_step(struct cse_session *session, const struct cse_outlet *outlet)
{
    struct cse_step step = {.session = session};
    session->sink = outlet->sink;
    session->sink_state = outlet->state;
    session->outlet = outlet;
    session->step_count++;
    session->wanting_count = 0;
    send_ended(session);
    bool more = session->options.service->step(session->worker_state, &step);
    csn_scratch_reset(&session->scratch);
    session->outlet = NULL;
    return more;
}

/* True if there is room now that a step, or a last part, found wanting. */
static bool has_waited(struct cse_session *session, const struct cse_outlet *outlet)
{
    bool waited = false;
    session->outlet = outlet;
    for (uint32_t i = 0; !waited && session->ended_count + session->wanting_count != 0 &&
                         i < session->manifest->held_max;
         i++) {
        const struct cse_held *held = &session->held[i];
        waited = (held->state >= CSE_HELD_ENDED ||
                  (held->state == CSE_HELD_OPEN && held->wanting == session->step_count)) &&
                 has_room(held);
    }
    session->outlet = NULL;
    return waited;
}

const struct cse_tending cse_held_tending = {
    .is_holding = is_holding, .step = run_step, .has_waited = has_waited, .lost = lost};
