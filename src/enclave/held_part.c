/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held_part.c: one part of an answer that comes later: laid out, sealed, handed over.
 *
 * Records:  a part is an output with its number; how many there are is said by the last one alone,
 *           so an answer that was cut off is seen to be.
 * Requests: the response in the framing of unknown length: its head with the first part, then each
 *           part as one piece of content in one chunk; only the last chunk has the final mark.
 */
#include "held.h"
#include "http.h"
#include "request.h"
#include <caisson/wire/stop.h>

#define LENGTH_SIZE  4u /* of a varint below 2^30 */
#define STREAM_TYPE  "text/event-stream"
#define FRAMING_PART 3u /* a response of unknown length (RFC 9292) */

uint32_t cse_held_message_max(const struct cse_held *held)
{
    return (uint32_t)sizeof(struct csn_wire_answer) + held->shape.head_size +
           held->shape.plain_size + CSN_WIRE_TAG_SIZE;
}

static uint32_t room_of(const struct cse_held *held)
{
    return held->shape.plain_size - held->shape.result_size;
}

uint32_t cse_held_content_max(const struct cse_held *held)
{
    return room_of(held) - (held->http ? CSE_HELD_BESIDE : 0);
}

/* ---- a response over HTTP ---- */

static void put_length(uint8_t *at, uint32_t length)
{
    at[0] = (uint8_t)(0x80 | length >> 24);
    at[1] = (uint8_t)(length >> 16);
    at[2] = (uint8_t)(length >> 8);
    at[3] = (uint8_t)length;
}

static uint32_t put_text(uint8_t *at, const char *string)
{
    const struct csn_bhttp_text text = csn_bhttp_text(string);
    at[0] = (uint8_t)text.size; /* below 64 */
    __builtin_memcpy(at + 1, text.bytes, text.size);
    return 1 + text.size;
}

/* Status 200 and one header, the section's end behind it. */
static uint32_t put_head(uint8_t *at, const char *type)
{
    uint32_t size = 0;
    at[size++] = FRAMING_PART;
    at[size++] = 0x40;
    at[size++] = 200;
    size += put_text(at + size, "content-type");
    size += put_text(at + size, type);
    at[size++] = 0;
    return size;
}

static bool is_stream(const char *type)
{
    const struct csn_bhttp_text text = csn_bhttp_text(type);
    return text.size >= sizeof STREAM_TYPE - 1 &&
           __builtin_memcmp(text.bytes, STREAM_TYPE, sizeof STREAM_TYPE - 1) == 0;
}

/* A line that readers of event streams skip: ":", blanks, line feed; or a line feed alone. */
static void put_comment(uint8_t *at, uint32_t size)
{
    if (size > 1) {
        at[0] = ':';
        __builtin_memset(at + 1, ' ', size - 2);
    }
    if (size != 0) {
        at[size - 1] = '\n';
    }
}

static uint32_t class_room(const struct cse_held *held, uint32_t size)
{
    return cse_smallest_room(held->session, size, cse_held_content_max(held));
}

/* What goes before and behind the part's own bytes; returns bytes in all. */
static uint32_t put_response(const struct cse_held *held, bool final, const uint8_t *bytes,
                             uint32_t size, uint8_t *at)
{
    uint32_t used = held->part == 0 ? put_head(at, held->type) : 0;
    uint32_t content = size;
    if (held->form == CSE_HELD_CHUNKED && !final && is_stream(held->type)) {
        content = class_room(held, size);
    }
    if (content != 0) { /* a piece of no bytes would end the content */
        put_length(at + used, content);
        used += LENGTH_SIZE;
        if (size != 0) {
            __builtin_memcpy(at + used, bytes, size);
        }
        put_comment(at + used + size, content - size);
        used += content;
    }
    if (final) {
        at[used++] = 0;
        at[used++] = 0;
    }
    return used;
}

/* The whole of a collected one; its content is behind the head. */
static uint32_t put_whole(const struct cse_held *held, uint8_t *at)
{
    uint32_t used;
    if (cse_http_head(held->type, at, room_of(held), &used) != CSN_OK) {
        cse_panic(CSN_WIRE_STOP_ASSERT); /* CSE_HELD_BESIDE holds every head */
    }
    put_length(at + used, held->last_size);
    used += LENGTH_SIZE;
    __builtin_memcpy(at + used, held->bytes, held->last_size);
    used += held->last_size;
    at[used++] = 0;
    return used;
}

static uint32_t put_problem(const struct cse_held *held, uint8_t *at)
{
    const struct cse_problem problem = {.refusal = (enum cse_refusal)held->end,
                                        .has_offset = held->has_detail,
                                        .offset = held->detail};
    uint32_t used = 0;
    return cse_problem_write(&problem, at, room_of(held), &used) == CSN_OK ? used : 0;
}

/* ---- sealing ---- */

static void send_record(struct cse_held *held, bool final, const uint8_t *bytes, uint32_t size)
{
    struct cse_session *session = held->session;
    struct cse_outcome outcome = {.part = held->part, .part_count = final ? held->part + 1 : 0};
    struct cse_pending *pending = cse_answer_begin(session, &held->input, &held->shape, 1);
    uint8_t *at = cse_answer_payload(pending);
    uint32_t room = class_room(held, size) + (held->http ? CSE_HELD_BESIDE : 0);
    bool failed = final && held->end != CSN_WIRE_STATUS_OK;
    if (failed && held->http && held->part == 0) {
        room = room_of(held);
        outcome.payload_size = put_problem(held, at);
        failed = outcome.payload_size == 0;
    } else if (!failed && held->http) {
        outcome.payload_size = put_response(held, final, bytes, size, at);
    } else if (!failed) {
        outcome.payload_size = size;
        if (size != 0) {
            __builtin_memcpy(at, bytes, size);
        }
    }
    if (failed) {
        outcome.status = held->end;
        outcome.flags = CSN_WIRE_RESULT_TOMBSTONE;
        outcome.detail = held->detail;
    }
    pending->shape.plain_size = pending->shape.result_size + room;
    pending->final = final;
    cse_answer_finish(session, pending, &held->answer, &outcome);
}

/* What stands in the slot from its payload on, as one chunk or as all of the response. */
static void seal_request(struct cse_held *held, struct cse_pending *pending, bool final,
                         uint32_t size)
{
    uint8_t *plain = cse_answer_payload(pending);
    pending->shape.plain_size = size;
    pending->final = final;
    cse_request_front(pending, &held->request, held->nonce, held->part == 0 ? held->nonce_size : 0);
    if (csn_ohttp_answer_seal(&held->request, final, plain, size, plain) != CSN_OK) {
        cse_panic(CSN_WIRE_STOP_ASSERT); /* behind the final one */
    }
}

static void send_chunk(struct cse_held *held, bool final, const uint8_t *bytes, uint32_t size)
{
    struct cse_session *session = held->session;
    const bool failed = final && held->end != CSN_WIRE_STATUS_OK;
    if (failed && held->part != 0) {
        cse_answer_plain(session, &held->input, CSN_WIRE_DROPPED, NULL, 0);
        return;
    }
    struct cse_pending *pending = cse_answer_begin(session, &held->input, &held->shape, 1);
    uint8_t *at = cse_answer_payload(pending);
    uint32_t used;
    uint32_t padded = room_of(held);
    if (failed) {
        used = put_problem(held, at);
    } else if (held->form == CSE_HELD_WHOLE) {
        used = put_whole(held, at);
    } else {
        used = put_response(held, final, bytes, size, at);
        padded = used + (final ? class_room(held, size) - size : 0);
    }
    __builtin_memset(at + used, 0, padded - used);
    seal_request(held, pending, final, padded);
}

void cse_held_send(struct cse_held *held, bool final, const uint8_t *bytes, uint32_t size)
{
    if (held->form == CSE_HELD_RECORD) {
        send_record(held, final, bytes, size);
    } else {
        send_chunk(held, final, bytes, size);
    }
    cse_answer_flush(held->session);
    held->part++;
}
