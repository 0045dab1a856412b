/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_records.c: calls as records of a context: POST /records, ring messages with their sizes in
 * front, there and back.
 *
 * The first call of a context goes in the full form behind a hello; those that come meanwhile wait
 * for its answer, which gives the handle and the worker that all of them go to.
 */
#include "../core/bytes.h"
#include "caller.h"
#include <stdlib.h>
#include <string.h>

#define RECORDS_TYPE "application/vnd.caisson.records"
#define ANSWERS_TYPE "application/vnd.caisson.answers"
#define FRAME        4u
#define PARTS_MAX    255u

/* ---- contexts ---- */

void csv_context_release(struct csv_call_context *context)
{
    if (context != NULL && --context->references == 0) {
        csv_sealer_destroy(context->sealer);
        free(context);
    }
}

void csv_caller_drop_context(struct csv_caller *caller)
{
    csv_context_release(caller->context);
    caller->context = NULL;
}

static csn_err make_sealer(struct csv_caller *caller, struct csv_call_context *context,
                           const struct csn_wire_challenge *challenge)
{
    const struct csv_sealer_options options = {.recipient = &caller->recipient,
                                               .credential = &caller->credential,
                                               .grant_version = caller->grant_version_min,
                                               .challenge = challenge};
    csn_err err = csv_sealer_create(&options, &context->sealer);
    context->phase = CSV_CONTEXT_HELLO_DUE;
    return err;
}

/* The caller's current one; NULL: the call that waits first has failed. */
static struct csv_call_context *current_context(struct csv_caller *caller)
{
    if (caller->context != NULL) {
        return caller->context;
    }
    struct csv_call_context *context = calloc(1, sizeof *context);
    csn_err err = CSN_ERR_MEMORY;
    if (context != NULL) {
        context->references = 1;
        context->once = caller->once;
        context->phase = CSV_CONTEXT_CHALLENGE_DUE;
        err = context->once ? CSN_OK : make_sealer(caller, context, NULL);
    }
    if (err != CSN_OK) {
        struct csv_call *call = caller->waiting.first;
        csv_context_release(context);
        csv_queue_remove(&caller->waiting, call);
        csv_call_fail(call, &csv_fault_memory, "no context: %s", csn_err_name(err));
        return NULL;
    }
    caller->context = context;
    return context;
}

static bool is_current(const struct csv_caller *caller, const struct csv_trip *trip)
{
    return trip->context != NULL && trip->context == caller->context;
}

/* ---- there ---- */

static void address(struct csv_caller *caller, struct csv_trip *trip, uint32_t answer_size_max)
{
    csv_trip_path(trip, caller, "/records");
    trip->content_type = RECORDS_TYPE;
    trip->accept = ANSWERS_TYPE;
    trip->answer_size_max = answer_size_max;
}

struct csv_trip *csv_records_challenge(struct csv_caller *caller, enum csv_trip_kind kind,
                                       struct csv_call *call)
{
    struct csv_trip *trip = csv_trip_new(caller, kind, call);
    if (trip == NULL || !csv_trip_body(trip, FRAME + sizeof(uint32_t))) {
        if (trip != NULL) {
            csv_trip_fail(trip, &csv_fault_memory, "out of memory");
        }
        csv_trip_free(trip);
        return NULL;
    }
    csn_store_u32(trip->body, sizeof(uint32_t));
    csn_store_u32(trip->body + FRAME, CSN_WIRE_CHALLENGE);
    address(caller, trip, 1024);
    return trip;
}

/* The call's record behind what is in the body already; grows it. */
static csn_err seal_call(struct csv_trip *trip)
{
    const struct csv_call *call = trip->call;
    uint32_t size = csv_call_padded(call, call->plain_size);
    uint8_t *at = trip->body + trip->body_size;
    struct csv_seal_item item = {.payload = call->plain,
                                 .payload_size = size,
                                 .operation = CSN_WIRE_OPERATION_HTTP,
                                 .purpose = call->purpose,
                                 .record = at + FRAME,
                                 .record_size_max = csv_record_size(size, 0)};
    CSN_TRY(csv_seal_batch(trip->context->sealer, &item, 1));
    CSN_TRY(item.result);
    csn_store_u32(at, item.record_size);
    trip->sequence = item.sequence;
    trip->body_size += FRAME + item.record_size;
    return CSN_OK;
}

static csn_err seal(struct csv_trip *trip)
{
    uint32_t hello_room = csv_record_size(0, 0);
    uint32_t room = csv_record_size(csv_call_padded(trip->call, trip->call->plain_size), 0);
    uint32_t size = 0;
    if (!csv_trip_body(trip, (size_t)2 * FRAME + hello_room + room)) {
        return CSN_ERR_MEMORY;
    }
    trip->body_size = 0;
    if (trip->hello) {
        CSN_TRY(csv_seal_hello(trip->context->sealer, trip->body + FRAME, hello_room, &size));
        csn_store_u32(trip->body, size);
        trip->body_size = FRAME + size;
    }
    return seal_call(trip);
}

static struct csv_trip *send_record(struct csv_caller *caller, struct csv_call_context *context)
{
    struct csv_trip *trip = csv_trip_new(caller, CSV_TRIP_RECORD, caller->waiting.first);
    if (trip == NULL) {
        return NULL;
    }
    trip->context = context;
    context->references++;
    trip->once = context->once;
    trip->hello = context->phase == CSV_CONTEXT_HELLO_DUE;
    memcpy(trip->worker, context->worker, sizeof trip->worker);
    csn_err err = seal(trip);
    if (err == CSN_ERR_LIMIT || err == CSN_ERR_STATE) {
        /* The stream is at its end, or this process is a fork of its owner: another context. */
        csv_caller_drop_context(caller);
        trip->once = false; /* nothing has left */
        csv_trip_again(trip, &csv_fault_memory, "no record: %s", csn_err_name(err));
    } else if (err != CSN_OK) {
        csv_trip_fail(trip, &csv_fault_memory, "no record: %s", csn_err_name(err));
    }
    if (err != CSN_OK) {
        csv_trip_free(trip);
        return NULL;
    }
    /* Full and room for whatever the image makes of it, twice the input and then some. */
    address(caller, trip, 4u << 20);
    trip->sealed = true;
    trip->in_parts = trip->call->in_parts;
    trip->answer_size_max = trip->in_parts ? SIZE_MAX / 2 : trip->answer_size_max;
    context->phase = trip->hello ? CSV_CONTEXT_HELLO : context->phase;
    return trip;
}

struct csv_trip *csv_records_next(struct csv_caller *caller)
{
    struct csv_call_context *context = current_context(caller);
    struct csv_trip *trip = NULL;
    if (context == NULL) {
        return NULL;
    }
    switch (context->phase) {
    case CSV_CONTEXT_CHALLENGE_DUE:
        trip = csv_records_challenge(caller, CSV_TRIP_CONTEXT_CHALLENGE, caller->waiting.first);
        if (trip != NULL) {
            trip->context = context;
            context->references++;
            context->phase = CSV_CONTEXT_CHALLENGE;
        }
        return trip;
    case CSV_CONTEXT_HELLO_DUE:
    case CSV_CONTEXT_WARM:
        return send_record(caller, context);
    case CSV_CONTEXT_CHALLENGE:
    case CSV_CONTEXT_HELLO:
        return NULL; /* calls wait for its answer */
    }
    return NULL;
}

/* ---- back ---- */

bool csv_frames_next(struct csv_frames *frames, struct csn_wire_answer *answer,
                     const uint8_t **body)
{
    uint32_t begin;
    if (frames->size < FRAME) {
        return false;
    }
    uint32_t size = csn_load_u32(frames->bytes);
    if (size > frames->size - FRAME ||
        !csn_wire_answer_read(frames->bytes + FRAME, size, answer, &begin)) {
        return false;
    }
    *body = frames->bytes + FRAME + begin;
    frames->bytes += FRAME + size;
    frames->size -= FRAME + size;
    return true;
}

bool csv_records_is_answered(struct csv_caller *caller, struct csv_trip *trip,
                             const struct csv_fetched *fetched)
{
    if (fetched->status != 200) {
        csv_trip_refused(caller, trip, fetched);
        return false;
    }
    if (!csv_fetched_is(fetched, ANSWERS_TYPE)) {
        csv_trip_fail(trip, &csv_fault_protocol, "the answer is not " ANSWERS_TYPE);
        return false;
    }
    return true;
}

static csn_err take_challenge(struct csv_caller *caller, struct csv_trip *trip,
                              const struct csv_fetched *fetched,
                              const struct csn_wire_challenge *challenge)
{
    struct csv_call *call = trip->call;
    if (trip->kind == CSV_TRIP_CALL_CHALLENGE && call != NULL) {
        csv_fetched_worker(fetched, call->challenge_worker);
        csv_trip_requeue(trip);
        call->challenge = *challenge;
        call->challenged = true;
    } else if (is_current(caller, trip)) {
        csv_fetched_worker(fetched, trip->context->worker);
        CSN_TRY(make_sealer(caller, trip->context, challenge));
        csv_trip_requeue(trip);
    } else {
        csv_trip_requeue(trip);
    }
    return CSN_OK;
}

void csv_records_take_challenge(struct csv_caller *caller, struct csv_trip *trip,
                                const struct csv_fetched *fetched)
{
    struct csv_frames frames = {fetched->body, fetched->body_size};
    struct csn_wire_answer answer = {.code = CSN_WIRE_REJECT_FRAMING};
    struct csn_wire_challenge challenge;
    const uint8_t *body = NULL;
    csn_err err = CSN_ERR_PEER;
    if (csv_records_is_answered(caller, trip, fetched)) {
        if (!csv_frames_next(&frames, &answer, &body) || frames.size != 0) {
            csv_trip_fail(trip, &csv_fault_protocol, "the answer is cut off, or too long");
        } else if (answer.code != CSN_WIRE_CHALLENGED || answer.size != sizeof challenge) {
            csv_trip_rejected(caller, trip, answer.code);
        } else {
            memcpy(&challenge, body, sizeof challenge);
            err = CSN_OK;
        }
    }
    if (err == CSN_OK && memcmp(challenge.boot_id, caller->pin.boot_id, 16) != 0) {
        /* Of another boot than the one that was appraised. */
        csv_caller_distrust(caller, trip->appraisal);
        csv_trip_again(trip, &csv_fault_refused,
                       "requests do not reach the enclave that was appraised");
        err = CSN_ERR_PEER;
    }
    err = err == CSN_OK ? take_challenge(caller, trip, fetched, &challenge) : err;
    if (err != CSN_OK && is_current(caller, trip)) {
        csv_caller_drop_context(caller);
    }
    csv_trip_fail(trip, &csv_fault_memory, "no context: %s", csn_err_name(err));
}

bool csv_records_take_hello(struct csv_caller *caller, struct csv_trip *trip,
                            struct csv_frames *frames)
{
    struct csn_wire_answer answer;
    struct csn_wire_result result;
    const uint8_t *body;
    uint8_t payload[sizeof(struct csn_wire_record) + CSN_WIRE_FIXED_SIZE];
    uint32_t size;
    if (!csv_frames_next(frames, &answer, &body)) {
        csv_trip_fail(trip, &csv_fault_protocol, "the answer is cut off");
        return false;
    }
    if (answer.code != CSN_WIRE_DONE) {
        csv_trip_rejected(caller, trip, answer.code);
        return false;
    }
    csn_err err =
        csv_plain_size(answer.size) > sizeof payload
            ? CSN_ERR_FORMAT
            : csv_reply_open(trip->context->sealer, body, answer.size, &result, payload, &size);
    if (err != CSN_OK) {
        csv_trip_fail(trip, &csv_fault_answer, "the answer to the hello does not open: %s",
                      csn_err_name(err));
        return false;
    }
    if ((result.flags & CSN_WIRE_RESULT_SHORT) != 0) {
        csv_sealer_short(trip->context->sealer, result.handle);
    }
    trip->context->phase = CSV_CONTEXT_WARM;
    return true;
}

struct joined {
    uint8_t *bytes;
    size_t size, room;
    uint32_t parts;
    struct csn_wire_result last;
};

/* One output of the call: the parts follow each other, and nothing else comes between. */
static csn_err take_part(struct csv_trip *trip, const uint8_t *body, uint32_t size,
                         struct joined *joined)
{
    uint32_t payload_size;
    if (joined->room - joined->size < csv_plain_size(size) || joined->parts == PARTS_MAX) {
        return CSN_ERR_LIMIT;
    }
    CSN_TRY(csv_reply_open(trip->context->sealer, body, size, &joined->last,
                           joined->bytes + joined->size, &payload_size));
    if (joined->last.sequence != trip->sequence || joined->last.part != joined->parts) {
        return CSN_ERR_AUTH; /* an answer, but not to this */
    }
    joined->size += payload_size;
    joined->parts++;
    return CSN_OK;
}

static csn_err join(struct csv_caller *caller, struct csv_trip *trip, struct csv_frames *frames,
                    struct joined *joined)
{
    struct csn_wire_answer answer;
    const uint8_t *body;
    while (csv_frames_next(frames, &answer, &body)) {
        if (answer.code != CSN_WIRE_DONE && joined->parts == 0) {
            csv_trip_rejected(caller, trip, answer.code);
            return CSN_OK;
        }
        CSN_TRY(answer.code == CSN_WIRE_DONE ? CSN_OK : CSN_ERR_FORMAT);
        CSN_TRY(take_part(trip, body, answer.size, joined));
    }
    return frames->size == 0 && joined->parts != 0 && joined->last.part_count == joined->parts
               ? CSN_OK
               : CSN_ERR_FORMAT;
}

static void take_outputs(struct csv_caller *caller, struct csv_trip *trip,
                         struct csv_frames *frames)
{
    struct joined joined = {.bytes = malloc(frames->size + 1), .room = frames->size};
    csn_err err = joined.bytes != NULL ? join(caller, trip, frames, &joined) : CSN_ERR_MEMORY;
    if (err != CSN_OK) {
        csv_trip_fail(trip, err == CSN_ERR_MEMORY ? &csv_fault_memory : &csv_fault_answer,
                      "the answer does not open as one to this request: %s%s", csn_err_name(err),
                      err == CSN_ERR_FORMAT ? " (or the credential's answers go to a consumer, or "
                                              "it was cut off)"
                                            : "");
    } else if (trip->call != NULL && joined.last.status != CSN_WIRE_STATUS_OK) {
        csv_trip_tombstone(trip, joined.last.status, joined.last.detail);
    } else if (trip->call != NULL) {
        csv_trip_answer(trip, joined.bytes, joined.size); /* and the bytes are gone */
        return;
    }
    if (joined.bytes != NULL) {
        csn_wipe(joined.bytes, joined.room);
    }
    free(joined.bytes);
}

void csv_records_end(struct csv_caller *caller, struct csv_trip *trip)
{
    if (trip->hello && trip->context->phase != CSV_CONTEXT_WARM && is_current(caller, trip)) {
        csv_caller_drop_context(caller); /* the next call begins another */
    }
}

void csv_records_take(struct csv_caller *caller, struct csv_trip *trip,
                      const struct csv_fetched *fetched)
{
    struct csv_frames frames = {fetched->body, fetched->body_size};
    struct csv_call_context *context = trip->context;
    if (csv_records_is_answered(caller, trip, fetched)) {
        if (context->worker[0] == 0) {
            csv_fetched_worker(fetched, context->worker);
        }
        if (!trip->hello || csv_records_take_hello(caller, trip, &frames)) {
            take_outputs(caller, trip, &frames);
        }
    }
    csv_records_end(caller, trip);
}
