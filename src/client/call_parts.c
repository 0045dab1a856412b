/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_parts.c: answers as they come: outputs of a record, or chunks of an oblivious response, and
 * from them the head and the content of the response.
 *
 * Trust:  each part is opened before anything of it is looked at; they follow each other, and only
 *         the last one says that it is. An exchange that ends without it is told as cut off,
 *         whoever cut it.
 * Again:  once something was handed out the call is not tried again. A response that is whole with
 *         its first part, as every refusal is, is looked at as others are: csv_trip_answer().
 */
#include "../core/bytes.h"
#include "caller.h"
#include "sealed.h"
#include <stdlib.h>
#include <string.h>

#define PART_SIZE_MAX (4u << 20) /* of a frame or chunk */
#define PARTS_MAX     65535u     /* of a record */
#define FRAME         4u
#define WHOLE_MAX     (16u << 20) /* of a response that is kept until it is whole */

/* ---- bytes ---- */

csn_err csv_bytes_add(struct csv_bytes *bytes, const void *more, size_t size)
{
    if (size > bytes->room - bytes->size) {
        size_t room = 2 * bytes->room + size + 256;
        uint8_t *larger = malloc(room);
        if (larger == NULL) {
            return CSN_ERR_MEMORY;
        }
        size_t kept = bytes->size;
        if (kept != 0) {
            memcpy(larger, bytes->at, kept);
        }
        csv_bytes_free(bytes);
        *bytes = (struct csv_bytes){larger, kept, room};
    }
    if (size != 0) {
        memcpy(bytes->at + bytes->size, more, size);
        bytes->size += size;
    }
    return CSN_OK;
}

void csv_bytes_free(struct csv_bytes *bytes)
{
    if (bytes->at != NULL) {
        csn_wipe(bytes->at, bytes->room);
        free(bytes->at);
    }
    *bytes = (struct csv_bytes){0};
}

static void drop_front(struct csv_bytes *bytes, size_t size)
{
    if (size != 0) { /* without any, at may be NULL */
        bytes->size -= size;
        memmove(bytes->at, bytes->at + size, bytes->size);
    }
}

void csv_parts_free(struct csv_parts *parts)
{
    if (parts != NULL) {
        csv_bytes_free(&parts->raw);
        csv_bytes_free(&parts->plain);
        csn_wipe(parts, sizeof *parts);
        free(parts);
    }
}

/* ---- the response ---- */

/* The content among bytes that follow the head. */
static csn_err take_content(struct csv_trip *trip, uint8_t *bytes, size_t size)
{
    uint32_t content_size;
    CSN_TRY(csn_bhttp_flow_take(&trip->parts->flow, bytes, (uint32_t)size, &content_size));
    return csv_trip_content(trip, bytes, content_size) ? CSN_OK : CSN_ERR_MEMORY;
}

/* Hands out the head, once it is there. */
static csn_err try_begin(struct csv_trip *trip)
{
    struct csv_parts *parts = trip->parts;
    struct csn_bhttp_message head;
    uint32_t used;
    csn_err err = csn_bhttp_flow_begin(&parts->flow, parts->plain.at, (uint32_t)parts->plain.size,
                                       &head, &used);
    if (err == CSN_AGAIN) {
        return CSN_OK;
    }
    CSN_TRY(err);
    uint8_t *rest = parts->plain.at + used;
    size_t size = parts->plain.size - used;
    csv_trip_begin(trip, &parts->plain, &head); /* the call keeps the bytes where they are */
    return take_content(trip, rest, size);
}

/* One opened part's bytes, which are changed. */
static csn_err take_plain(struct csv_trip *trip, uint8_t *bytes, size_t size)
{
    struct csv_parts *parts = trip->parts;
    if (trip->call->has_begun) {
        return take_content(trip, bytes, size);
    }
    if (parts->plain.size + size > WHOLE_MAX) {
        return CSN_ERR_LIMIT;
    }
    CSN_TRY(csv_bytes_add(&parts->plain, bytes, size));
    return parts->is_stream ? try_begin(trip) : CSN_OK;
}

/* ---- records ---- */

static csn_err take_output(struct csv_trip *trip, const uint8_t *body, uint32_t size)
{
    struct csv_parts *parts = trip->parts;
    struct csn_wire_result result;
    uint32_t payload_size;
    uint8_t *payload = malloc(csv_plain_size(size) + 1);
    csn_err err = payload == NULL ? CSN_ERR_MEMORY
                                  : csv_reply_open(trip->context->sealer, body, size, &result,
                                                   payload, &payload_size);
    if (err == CSN_OK && (result.sequence != trip->sequence || result.part != parts->count ||
                          parts->count == PARTS_MAX || parts->final)) {
        err = CSN_ERR_AUTH; /* an answer, but not to this, or not the next one */
    }
    if (err == CSN_OK) {
        parts->count++;
        parts->is_stream = result.part_count == 0;
        parts->final = result.part_count == parts->count;
        parts->status = result.status;
        parts->detail = result.detail;
        err = take_plain(trip, payload, payload_size);
    }
    if (payload != NULL) {
        csn_wipe(payload, csv_plain_size(size));
    }
    free(payload);
    return err;
}

/* False: the trip is seen to. */
static bool take_frame(struct csv_caller *caller, struct csv_trip *trip, struct csv_frames *frames,
                       csn_err *err)
{
    struct csv_parts *parts = trip->parts;
    struct csn_wire_answer answer;
    const uint8_t *body;
    if (parts->hello_due) {
        parts->hello_due = false;
        return csv_records_take_hello(caller, trip, frames);
    }
    if (!csv_frames_next(frames, &answer, &body)) {
        *err = CSN_ERR_FORMAT;
    } else if (trip->call == NULL) {
        /* Nobody waits: only the hello's answer was of use. */
    } else if (answer.code != CSN_WIRE_DONE && parts->count == 0) {
        csv_trip_rejected(caller, trip, answer.code);
        return false;
    } else if (answer.code == CSN_WIRE_DROPPED) {
        csv_trip_fail(trip, &csv_fault_answer,
                      "the enclave gave it up after %u parts: the grant was replaced, or somebody "
                      "on the way had it cancelled",
                      parts->count);
        return false;
    } else {
        *err = answer.code == CSN_WIRE_DONE ? take_output(trip, body, answer.size) : CSN_ERR_FORMAT;
    }
    return true;
}

/* All frames that are there. False: the trip is seen to. */
static bool take_frames(struct csv_caller *caller, struct csv_trip *trip, csn_err *err)
{
    struct csv_bytes *raw = &trip->parts->raw;
    size_t done = 0;
    while (*err == CSN_OK && raw->size - done >= FRAME) {
        struct csv_frames frames = {raw->at + done, 0};
        uint32_t size = csn_load_u32(frames.bytes);
        if (size > PART_SIZE_MAX) {
            *err = CSN_ERR_LIMIT;
            return true;
        }
        if (size > raw->size - done - FRAME) {
            break;
        }
        frames.size = FRAME + (size_t)size;
        done += frames.size;
        if (!take_frame(caller, trip, &frames, err)) {
            return false;
        }
    }
    drop_front(raw, done);
    return true;
}

/* ---- chunks ---- */

static csn_err take_chunk(struct csv_trip *trip, const struct csn_ohttp_chunk *chunk)
{
    struct csv_parts *parts = trip->parts;
    uint8_t *sealed = parts->raw.at + chunk->offset;
    CSN_TRY(csn_ohttp_answer_open(&parts->answer, chunk->final, sealed, chunk->size, sealed));
    parts->count++;
    parts->final = chunk->final;
    parts->is_stream = !chunk->final || parts->is_stream;
    return take_plain(trip, sealed, chunk->size - CSN_OHTTP_TAG_SIZE);
}

static csn_err take_chunks(struct csv_trip *trip, bool is_whole)
{
    struct csv_parts *parts = trip->parts;
    struct csn_ohttp_chunk chunk = {.end = 0};
    const uint32_t nonce_size = csn_ohttp_nonce_size(&trip->exchange);
    csn_err err = CSN_OK;
    if (!parts->has_key) {
        if (parts->raw.size < nonce_size) {
            return CSN_OK;
        }
        csn_ohttp_answer(&trip->exchange, parts->raw.at, &parts->answer);
        parts->has_key = true;
        chunk.end = nonce_size;
    }
    while (err == CSN_OK && !parts->final) {
        err = csn_ohttp_chunk_find(parts->raw.at, (uint32_t)parts->raw.size, chunk.end, is_whole,
                                   PART_SIZE_MAX, &chunk);
        err = err == CSN_OK ? take_chunk(trip, &chunk) : err;
    }
    drop_front(&parts->raw, chunk.end);
    return err == CSN_AGAIN ? CSN_OK : err;
}

/* ---- both ---- */

/* The first bytes of an answer; false: it is none of this protocol, and the trip is seen to. */
static bool begin(struct csv_caller *caller, struct csv_trip *trip,
                  const struct csv_fetched *fetched)
{
    if (trip->kind == CSV_TRIP_RECORD) {
        if (!csv_records_is_answered(caller, trip, fetched)) {
            return false;
        }
        if (trip->context->worker[0] == 0) {
            csv_fetched_worker(fetched, trip->context->worker);
        }
    } else if (fetched->status != 200) {
        csv_trip_refused(caller, trip, fetched);
        return false;
    } else if (!csv_fetched_is(fetched, CSV_OBLIVIOUS_PARTS_TYPE)) {
        csv_trip_fail(trip, &csv_fault_protocol, "the answer is not " CSV_OBLIVIOUS_PARTS_TYPE);
        return false;
    }
    trip->parts = calloc(1, sizeof *trip->parts);
    if (trip->parts == NULL) {
        csv_trip_fail(trip, &csv_fault_memory, "out of memory");
        return false;
    }
    trip->parts->hello_due = trip->hello;
    return true;
}

/* The exchange is over. */
static void end(struct csv_caller *caller, struct csv_trip *trip, const struct csv_fetched *fetched)
{
    struct csv_parts *parts = trip->parts;
    const bool begun = trip->call != NULL && trip->call->has_begun;
    if (trip->call == NULL) {
        return;
    }
    if (!parts->final || parts->raw.size != 0) {
        if (fetched->status == 0 && !begun) {
            csv_trip_refused(caller, trip, fetched);
        } else {
            csv_trip_fail(trip, &csv_fault_answer, "the answer was cut off after %u parts%s%s",
                          parts->count, fetched->status == 0 && fetched->fault != NULL ? ": " : "",
                          fetched->status == 0 && fetched->fault != NULL ? fetched->fault : "");
        }
    } else if (parts->status != CSN_WIRE_STATUS_OK && !begun) {
        csv_trip_tombstone(trip, parts->status, parts->detail);
    } else if (parts->status != CSN_WIRE_STATUS_OK) {
        csv_trip_fail(trip, &csv_fault_answer,
                      "the service failed when it had begun to answer (status %u)", parts->status);
    } else if (!begun) {
        uint8_t *bytes = parts->plain.at;
        size_t size = parts->plain.size;
        parts->plain = (struct csv_bytes){0};
        csv_trip_answer(trip, bytes, size);
    } else if (!csn_bhttp_flow_is_whole(&parts->flow)) {
        csv_trip_fail(trip, &csv_fault_protocol, "the enclave's response ends within its framing");
    } else {
        csv_trip_end(trip);
    }
}

bool csv_parts_take(struct csv_caller *caller, struct csv_trip *trip,
                    const struct csv_fetched *fetched, bool is_whole)
{
    const bool broken_off = trip->parts != NULL && fetched->status == 0;
    if (trip->parts == NULL && !begin(caller, trip, fetched)) {
        return false;
    }
    struct csv_parts *parts = trip->parts;
    csn_err err =
        broken_off ? CSN_OK : csv_bytes_add(&parts->raw, fetched->body, fetched->body_size);
    if (err == CSN_OK && !broken_off) {
        if (trip->kind != CSV_TRIP_RECORD) {
            err = trip->call != NULL ? take_chunks(trip, is_whole) : CSN_OK;
        } else if (!take_frames(caller, trip, &err)) {
            return false;
        }
    }
    if (err != CSN_OK) {
        csv_trip_fail(trip, err == CSN_ERR_MEMORY ? &csv_fault_memory : &csv_fault_answer,
                      "the answer does not open as one to this request: %s", csn_err_name(err));
        return false;
    }
    if (is_whole) {
        end(caller, trip, fetched);
    }
    return true;
}
