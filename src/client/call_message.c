/* SPDX-License-Identifier: Apache-2.0 */
/* call_message.c: a call: the request as it will be sealed, the response as it was opened. */
#include "../core/bytes.h"
#include "caller.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the request ---- */

/* Fields of one connection, or of the protocol itself: not part of what is sealed. */
static bool is_left_out(const struct csn_bhttp_text *name)
{
    static const char *const names[] = {
        "connection", "content-length",    "host",           "keep-alive",    "proxy-connection",
        "te",         "trailer",           "upgrade",        "authorization", "transfer-encoding",
        "expect",     "caisson-challenge", "caisson-purpose"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        found = found || csn_bhttp_is_name(name, names[i]);
    }
    return found;
}

static struct csn_bhttp_text text_of(const char *bytes, size_t size)
{
    return (struct csn_bhttp_text){(const uint8_t *)bytes, (uint32_t)size};
}

/* 0 to 63. */
static csn_err take_purpose(struct csv_call *call, const struct csv_call_field *field)
{
    const char *digits = field->value;
    bool good = field->value_size == 1 || field->value_size == 2;
    call->purpose = 0;
    for (uint32_t i = 0; good && i < field->value_size; i++) {
        good = digits[i] >= '0' && digits[i] <= '9';
        call->purpose = call->purpose * 10 + (uint32_t)(digits[i] - '0');
    }
    return good && call->purpose < 64 ? CSN_OK : CSN_ERR_ARGUMENT;
}

static csn_err take_fields(struct csv_call *call, const struct csv_call_request *request,
                           struct csn_bhttp_message *message)
{
    for (uint32_t i = 0; i < request->field_count; i++) {
        const struct csv_call_field *field = &request->fields[i];
        struct csn_bhttp_text name = text_of(field->name, field->name_size);
        if (csn_bhttp_is_name(&name, "caisson-purpose")) {
            CSN_TRY(take_purpose(call, field));
        }
        if (is_left_out(&name)) {
            continue;
        }
        if (message->header_count == CSV_CALL_FIELDS_MAX) {
            return CSN_ERR_LIMIT;
        }
        message->fields[message->header_count++] =
            (struct csn_bhttp_field){name, text_of(field->value, field->value_size)};
    }
    return CSN_OK;
}

uint32_t csv_call_padded(const struct csv_call *call, uint32_t size)
{
    uint32_t wanted = size > call->padded_min ? size : call->padded_min;
    uint32_t index = wanted <= CSN_WIRE_PAYLOAD_MAX
                         ? csn_wire_class_for(wanted + CSN_WIRE_CLASS_BESIDE)
                         : CSN_WIRE_CLASS_COUNT;
    return index < CSN_WIRE_CLASS_COUNT
               ? csn_wire_input_class(index) - CSN_WIRE_CLASS_BESIDE
               : (size + CSN_WIRE_PAYLOAD_MAX - 1) / CSN_WIRE_PAYLOAD_MAX * CSN_WIRE_PAYLOAD_MAX;
}

/* Writes the request down as it will be sealed, and reads it back into call->message. */
static csn_err encode(struct csv_call *call, const struct csv_call_request *request)
{
    const struct csv_caller *caller = call->caller;
    const char *authority = request->authority != NULL ? request->authority : caller->authority;
    uint32_t room = caller->way == CSV_CALL_RECORDS ? CSN_WIRE_PAYLOAD_MAX
                                                    : CSV_CALL_CONTENT_MAX + CSN_WIRE_PAYLOAD_MAX;
    uint32_t fault;
    struct csn_bhttp_message message = {.method = text_of(request->method, strlen(request->method)),
                                        .scheme = text_of("https", 5),
                                        .authority = text_of(authority, strlen(authority)),
                                        .path = text_of(request->path, strlen(request->path))};
    if (request->content_size > CSV_CALL_CONTENT_MAX) {
        return CSN_ERR_LIMIT;
    }
    CSN_TRY(take_fields(call, request, &message));
    message.content =
        (struct csn_bhttp_text){(const uint8_t *)request->content, request->content_size};
    csn_err err = csn_bhttp_write(&message, NULL, 0, &call->plain_size);
    if (err != CSN_ERR_SPACE) {
        return err == CSN_OK ? CSN_ERR_INTERNAL : err;
    }
    if (call->plain_size > room) {
        return CSN_ERR_LIMIT;
    }
    /* Zeros behind it are padding of the format itself. */
    call->plain = calloc(1, call->plain_size > CSN_WIRE_PAYLOAD_MAX ? call->plain_size
                                                                    : CSN_WIRE_PAYLOAD_MAX);
    if (call->plain == NULL) {
        return CSN_ERR_MEMORY;
    }
    CSN_TRY(csn_bhttp_write(&message, call->plain, call->plain_size, &call->plain_size));
    return csn_bhttp_read(call->plain, call->plain_size, &call->message, &fault);
}

csn_err csv_call_start(struct csv_caller *caller, const struct csv_call_request *request, void *tag,
                       struct csv_call **call_out)
{
    if (caller->call_count >= caller->call_count_max) {
        return CSN_BUSY;
    }
    struct csv_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return CSN_ERR_MEMORY;
    }
    call->caller = caller;
    call->tag = tag;
    call->result = CSN_AGAIN;
    call->in_parts = request->in_parts;
    call->purpose = caller->purpose;
    call->padded_min = caller->padded_min;
    call->after = caller->calls;
    if (caller->calls != NULL) {
        caller->calls->before = call;
    }
    caller->calls = call;
    caller->call_count++;
    call->state = CSV_CALL_DONE; /* in no queue */
    csn_err err = encode(call, request);
    if (err != CSN_OK) {
        csv_call_destroy(call);
        return err;
    }
    call->state = CSV_CALL_WAITING;
    csv_queue_push(&caller->waiting, call);
    *call_out = call;
    return CSN_OK;
}

static void wipe_and_free(uint8_t *bytes, size_t size)
{
    if (bytes != NULL) {
        csn_wipe(bytes, size);
        free(bytes);
    }
}

void csv_call_destroy(struct csv_call *call)
{
    if (call == NULL) {
        return;
    }
    struct csv_caller *caller = call->caller;
    csv_queue_remove(&caller->waiting, call);
    csv_queue_remove(&caller->done, call);
    csv_queue_remove(&caller->moved, call);
    for (struct csv_trip *trip = caller->trips; trip != NULL; trip = trip->next) {
        trip->call = trip->call == call ? NULL : trip->call;
    }
    *(call->before != NULL ? &call->before->after : &caller->calls) = call->after;
    if (call->after != NULL) {
        call->after->before = call->before;
    }
    caller->call_count--;
    wipe_and_free(call->plain, call->plain_size);
    wipe_and_free(call->answer, call->answer_size);
    csv_bytes_free(&call->content);
    csn_wipe(call, sizeof *call);
    free(call);
}

/* ---- the response ---- */

void csv_call_done(struct csv_call *call, csn_err result)
{
    if (call->is_moved) {
        call->is_moved = false;
        csv_queue_remove(&call->caller->moved, call);
    }
    call->result = result;
    call->state = CSV_CALL_DONE;
    csv_queue_push(&call->caller->done, call);
}

/*
 * What the enclave itself says of a request that it did not serve, and that is tried otherwise: its
 * answer would be larger than the request's class allows, or it wants a challenge. True: so it is.
 */
static bool is_tried_otherwise(struct csv_trip *trip, const struct csn_bhttp_message *response)
{
    struct csv_call *call = trip->call;
    const struct csn_bhttp_text *content = &response->content;
    if (trip->once || content->size == 0) {
        return false;
    }
    if (response->status == 413 && call->padded_min < CSN_WIRE_PAYLOAD_MAX &&
        csv_problem_is(content->bytes, content->size, CSV_PROBLEM_URN "answer-too-large")) {
        call->padded_min = CSN_WIRE_PAYLOAD_MAX;
    } else if (response->status == 428 && trip->kind == CSV_TRIP_OBLIVIOUS &&
               csv_problem_is(content->bytes, content->size, CSV_PROBLEM_URN "challenge")) {
        call->caller->once = true;
    } else {
        return false;
    }
    csv_trip_requeue(trip);
    return true;
}

/* The challenge was used up by another delivery of the same bytes, whose answer was kept back. */
static bool is_delivered_before(const struct csv_trip *trip,
                                const struct csn_bhttp_message *response)
{
    const struct csn_bhttp_text *content = &response->content;
    return trip->once && trip->kind == CSV_TRIP_OBLIVIOUS && response->status == 412 &&
           csv_problem_is(content->bytes, content->size, CSV_PROBLEM_URN "challenge-used");
}

static void fail_delivered_before(struct csv_trip *trip)
{
    csv_trip_fail(trip, &csv_fault_unanswered,
                  "it came there twice, or late: this is the answer to the later delivery");
}

static void set_response(struct csv_call *call, const struct csn_bhttp_message *message)
{
    for (uint32_t i = 0; i < message->header_count; i++) {
        call->fields[i] =
            (struct csv_call_field){.name = (const char *)message->fields[i].name.bytes,
                                    .value = (const char *)message->fields[i].value.bytes,
                                    .name_size = message->fields[i].name.size,
                                    .value_size = message->fields[i].value.size};
    }
    call->response = (struct csv_call_response){.status = message->status,
                                                .fields = call->fields,
                                                .field_count = message->header_count,
                                                .content = message->content.bytes,
                                                .content_size = message->content.size};
}

/* ---- in parts ---- */

static void set_moved(struct csv_call *call)
{
    if (!call->is_moved) {
        call->is_moved = true;
        csv_queue_push(&call->caller->moved, call);
    }
}

void csv_trip_begin(struct csv_trip *trip, struct csv_bytes *bytes,
                    const struct csn_bhttp_message *head)
{
    struct csv_call *call = trip->call;
    call->answer = bytes->at;
    call->answer_size = bytes->room;
    *bytes = (struct csv_bytes){0};
    call->has_begun = true;
    set_response(call, head);
    set_moved(call);
}

bool csv_trip_content(struct csv_trip *trip, const uint8_t *bytes, size_t size)
{
    struct csv_call *call = trip->call;
    if (size > UINT32_MAX - call->content.size ||
        csv_bytes_add(&call->content, bytes, size) != CSN_OK) {
        return false;
    }
    call->response.content = call->content.at;
    call->response.content_size = (uint32_t)call->content.size;
    if (size != 0) {
        set_moved(call);
    }
    return true;
}

void csv_trip_end(struct csv_trip *trip)
{
    struct csv_call *call = trip->call;
    trip->call = NULL;
    csv_call_done(call, CSN_OK);
}

void csv_call_consumed(struct csv_call *call)
{
    if (call->has_begun) {
        csn_wipe(call->content.at, call->content.size);
        call->content.size = 0;
        call->response.content_size = 0;
    }
}

/* ---- whole ---- */

void csv_trip_answer(struct csv_trip *trip, uint8_t *bytes, size_t size)
{
    struct csn_bhttp_message message;
    struct csv_call *call = trip->call;
    uint32_t fault;
    if (call == NULL) {
        wipe_and_free(bytes, size);
    } else if (csn_bhttp_read(bytes, (uint32_t)size, &message, &fault) != CSN_OK ||
               !message.is_response) {
        wipe_and_free(bytes, size);
        csv_trip_fail(trip, &csv_fault_protocol,
                      "the enclave's answer is not an HTTP response (at byte %u)", fault);
    } else if (is_delivered_before(trip, &message)) {
        wipe_and_free(bytes, size);
        fail_delivered_before(trip);
    } else if (is_tried_otherwise(trip, &message)) {
        wipe_and_free(bytes, size);
    } else {
        trip->call = NULL;
        call->answer = bytes;
        call->answer_size = size;
        set_response(call, &message);
        csv_call_done(call, CSN_OK);
    }
}

/* enum csn_wire_status in HTTP, as an enclave says it where there is room for a response. */
static uint32_t http_status(uint32_t status)
{
    static const uint16_t statuses[] = {500, 400, 422, 413, 403, 429, 409,
                                        413, 403, 404, 500, 503, 503};
    return status < sizeof statuses / sizeof statuses[0] ? statuses[status] : 500;
}

void csv_trip_tombstone(struct csv_trip *trip, uint32_t status, uint32_t detail)
{
    struct csv_call *call = trip->call;
    if (status == CSN_WIRE_STATUS_REPLAY) {
        fail_delivered_before(trip);
        return;
    }
    if (status == CSN_WIRE_STATUS_TOO_LARGE && !trip->once &&
        call->padded_min < CSN_WIRE_PAYLOAD_MAX) {
        call->padded_min = CSN_WIRE_PAYLOAD_MAX;
        csv_trip_requeue(trip);
        return;
    }
    trip->call = NULL;
    int size =
        snprintf(call->problem.detail, sizeof call->problem.detail,
                 "{\"type\":\"" CSV_PROBLEM_URN "status-%u\",\"title\":\"The enclave refuses "
                 "it\",\"status\":%u,\"offset\":%u}",
                 status, http_status(status), detail);
    call->fields[0] = (struct csv_call_field){"content-type", "application/problem+json", 12, 24};
    call->response = (struct csv_call_response){.status = http_status(status),
                                                .fields = call->fields,
                                                .field_count = 1,
                                                .content = (const uint8_t *)call->problem.detail,
                                                .content_size = (uint32_t)size};
    csv_call_done(call, CSN_OK);
}

csn_err csv_call_result(const struct csv_call *call)
{
    return call->result;
}

void *csv_call_tag(const struct csv_call *call)
{
    return call->tag;
}

const struct csv_call_response *csv_call_response(const struct csv_call *call)
{
    return call->result == CSN_OK || call->has_begun ? &call->response : NULL;
}

const struct csv_call_problem *csv_call_problem(const struct csv_call *call)
{
    return call->result == CSN_OK || call->result == CSN_AGAIN ? NULL : &call->problem;
}
