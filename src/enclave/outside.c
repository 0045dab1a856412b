/* SPDX-License-Identifier: Apache-2.0 */
/* outside.c: asks, and what is checked of their answers (include/caisson/wire/outside.h). */
#include "outside.h"
#include "../core/bytes.h"
#include <caisson/wire/channel.h>

#define ALIGN       64u
#define ASK_SIZE    ((uint32_t)sizeof(struct csn_wire_outside_ask))
#define ANSWER_SIZE ((uint32_t)sizeof(struct csn_wire_outside_answer))

/* ---- at start ---- */

static uint64_t round_up(uint64_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

static uint64_t buffer_size(const struct csn_wire_manifest *manifest)
{
    return round_up((uint64_t)manifest->input_size_max + ALIGN);
}

uint64_t cse_outside_pool_size(const struct csn_wire_manifest *manifest)
{
    if ((manifest->flags & CSN_WIRE_FLAG_STORE) == 0) {
        return 0;
    }
    return round_up(sizeof(struct cse_outside)) + buffer_size(manifest) +
           round_up(manifest->output_size_max);
}

csn_err cse_outside_init(struct cse_outside **outside_out, struct csn_pool *pool,
                         const struct cse_outside_options *options)
{
    const struct csn_wire_manifest *manifest = options->manifest;
    if ((manifest->flags & CSN_WIRE_FLAG_STORE) == 0) {
        *outside_out = NULL;
        return CSN_OK;
    }
    struct cse_outside *outside = csn_pool_carve(pool, round_up(sizeof *outside), ALIGN);
    uint8_t *buffer = csn_pool_carve(pool, buffer_size(manifest), ALIGN);
    uint8_t *sealed = csn_pool_carve(pool, round_up(manifest->output_size_max), ALIGN);
    if (outside == NULL || buffer == NULL || sealed == NULL) {
        return CSN_ERR_MEMORY;
    }
    outside->options = *options;
    outside->buffer = buffer;
    outside->sealed = sealed;
    outside->next = 1;
    outside->oldest = 1;
    *outside_out = outside;
    return CSN_OK;
}

uint32_t cse_outside_read_max(const struct cse_outside *outside)
{
    return outside->options.manifest->input_size_max - ANSWER_SIZE;
}

uint32_t cse_outside_write_max(const struct cse_outside *outside)
{
    return outside->options.manifest->output_size_max - ASK_SIZE;
}

/* ---- one ask, one answer ---- */

bool cse_object_name_is_valid(const char *object)
{
    uint32_t size = 0;
    for (; size <= CSN_WIRE_OBJECT_NAME_MAX && object[size] != 0; size++) {
        const char c = object[size];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return false;
        }
    }
    return size != 0 && size <= CSN_WIRE_OBJECT_NAME_MAX;
}

static csn_err fail(struct cse_outside *outside)
{
    outside->fate = CSN_ERR_PEER;
    return CSN_ERR_PEER;
}

static csn_err error_of(uint32_t status)
{
    switch (status) {
    case CSN_WIRE_OUTSIDE_OK:
        return CSN_OK;
    case CSN_WIRE_OUTSIDE_MISSING:
        return CSN_ERR_UNKNOWN;
    case CSN_WIRE_OUTSIDE_NONE:
        return CSN_ERR_MISSING;
    case CSN_WIRE_OUTSIDE_FULL:
        return CSN_ERR_SPACE;
    default:
        return CSN_ERR_SYSTEM;
    }
}

/* bytes: those that follow the ask. */
static csn_err put(struct cse_outside *outside, struct csn_wire_outside_ask *ask,
                   const char *object, const uint8_t *bytes)
{
    if (outside->fate != CSN_OK) {
        return outside->fate;
    }
    for (uint32_t i = 0; object != NULL && object[i] != 0; i++) {
        ask->object[i] = object[i];
    }
    const uint32_t follows = bytes == NULL ? 0 : ask->size;
    const struct csn_ring_piece pieces[2] = {{ask, sizeof *ask}, {bytes, follows}};
    if (outside->options.port.put(outside->options.port.state, outside->next, pieces) != CSN_OK) {
        return fail(outside);
    }
    outside->next++;
    return CSN_OK;
}

/* The answer to the oldest ask, which wanted at most size_max bytes; they lie behind its head. */
static csn_err take(struct cse_outside *outside, uint32_t size_max, bool has_value,
                    struct csn_wire_outside_answer *answer)
{
    struct csn_ring_message message;
    if (outside->fate != CSN_OK) {
        return outside->fate;
    }
    if (outside->options.port.take(outside->options.port.state, outside->buffer, &message) !=
            CSN_OK ||
        message.tag != outside->oldest || message.final || message.size < sizeof *answer) {
        return fail(outside);
    }
    __builtin_memcpy(answer, outside->buffer, sizeof *answer);
    const bool ok = answer->status == CSN_WIRE_OUTSIDE_OK;
    if (answer->status > CSN_WIRE_OUTSIDE_STATUS_LAST ||
        answer->size != message.size - sizeof *answer || answer->size > (ok ? size_max : 0) ||
        answer->value > (ok && has_value ? CSN_WIRE_OBJECT_SIZE_MAX : 0)) {
        return fail(outside);
    }
    outside->oldest++;
    return error_of(answer->status);
}

/* What was put without waiting for it; its failures are kept for who settles. */
static csn_err drain(struct cse_outside *outside, uint64_t left)
{
    struct csn_wire_outside_answer answer;
    while (outside->next - outside->oldest > left) {
        csn_err result = take(outside, 0, false, &answer);
        if (outside->pending == CSN_OK) {
            outside->pending = result;
        }
        if (outside->fate != CSN_OK) {
            return outside->fate;
        }
    }
    return CSN_OK;
}

static csn_err check(const struct cse_outside *outside, const char *object, uint64_t offset,
                     uint64_t size)
{
    if (outside->stream.open) {
        return CSN_ERR_STATE;
    }
    if (!cse_object_name_is_valid(object) || offset > CSN_WIRE_OBJECT_SIZE_MAX ||
        size > CSN_WIRE_OBJECT_SIZE_MAX - offset) {
        return CSN_ERR_ARGUMENT;
    }
    return CSN_OK;
}

static csn_err ask_for(struct cse_outside *outside, const char *object,
                       struct csn_wire_outside_ask *ask, const uint8_t *bytes, uint32_t wanted,
                       struct csn_wire_outside_answer *answer)
{
    CSN_TRY(drain(outside, 0));
    CSN_TRY(put(outside, ask, object, bytes));
    return take(outside, wanted, ask->operation == CSN_WIRE_OUTSIDE_SIZE, answer);
}

/* Those that are answered by a status alone. */
static csn_err ask_plain(struct cse_outside *outside, uint32_t operation, const char *object,
                         uint64_t offset)
{
    struct csn_wire_outside_ask ask = {.operation = operation, .offset = offset};
    struct csn_wire_outside_answer answer;
    CSN_TRY(check(outside, object, offset, 0));
    return ask_for(outside, object, &ask, NULL, 0, &answer);
}

static csn_err ask_with(struct cse_outside *outside, uint32_t operation, const char *object,
                        uint64_t offset, const struct csn_ring_piece *piece)
{
    struct csn_wire_outside_ask ask = {
        .operation = operation, .offset = offset, .size = piece->size};
    struct csn_wire_outside_answer answer;
    CSN_TRY(check(outside, object, offset, piece->size));
    if (piece->size > cse_outside_write_max(outside)) {
        return CSN_ERR_ARGUMENT;
    }
    return ask_for(outside, object, &ask, piece->bytes, 0, &answer);
}

/* ---- objects ---- */

csn_err cse_outside_size(struct cse_outside *outside, const char *object, uint64_t *size)
{
    struct csn_wire_outside_ask ask = {.operation = CSN_WIRE_OUTSIDE_SIZE};
    struct csn_wire_outside_answer answer;
    CSN_TRY(check(outside, object, 0, 0));
    CSN_TRY(ask_for(outside, object, &ask, NULL, 0, &answer));
    *size = answer.value;
    return CSN_OK;
}

csn_err cse_outside_read(struct cse_outside *outside, const char *object, uint64_t offset,
                         uint32_t size, uint8_t **bytes, uint32_t *got)
{
    struct csn_wire_outside_ask ask = {
        .operation = CSN_WIRE_OUTSIDE_READ, .offset = offset, .size = size};
    struct csn_wire_outside_answer answer;
    CSN_TRY(check(outside, object, offset, size));
    if (size > cse_outside_read_max(outside)) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(ask_for(outside, object, &ask, NULL, size, &answer));
    *bytes = outside->buffer + ANSWER_SIZE;
    *got = answer.size;
    return CSN_OK;
}

csn_err cse_outside_append(struct cse_outside *outside, const char *object, uint64_t offset,
                           const uint8_t *bytes, uint32_t size)
{
    const struct csn_ring_piece piece = {bytes, size};
    return ask_with(outside, CSN_WIRE_OUTSIDE_APPEND, object, offset, &piece);
}

csn_err cse_outside_part(struct cse_outside *outside, const char *object, uint64_t offset,
                         const uint8_t *bytes, uint32_t size)
{
    const struct csn_ring_piece piece = {bytes, size};
    return ask_with(outside, CSN_WIRE_OUTSIDE_PART, object, offset, &piece);
}

csn_err cse_outside_sync(struct cse_outside *outside, const char *object)
{
    return ask_plain(outside, CSN_WIRE_OUTSIDE_SYNC, object, 0);
}

csn_err cse_outside_replace(struct cse_outside *outside, const char *object, uint64_t size)
{
    return ask_plain(outside, CSN_WIRE_OUTSIDE_REPLACE, object, size);
}

csn_err cse_outside_remove(struct cse_outside *outside, const char *object)
{
    return ask_plain(outside, CSN_WIRE_OUTSIDE_REMOVE, object, 0);
}

csn_err cse_outside_put_append(struct cse_outside *outside, const char *object, uint64_t offset,
                               const uint8_t *bytes, uint32_t size)
{
    struct csn_wire_outside_ask ask = {
        .operation = CSN_WIRE_OUTSIDE_APPEND, .offset = offset, .size = size};
    CSN_TRY(check(outside, object, offset, size));
    if (size > cse_outside_write_max(outside)) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(drain(outside, CSE_OUTSIDE_ASKS_MAX - 1));
    return put(outside, &ask, object, bytes);
}

csn_err cse_outside_settle(struct cse_outside *outside)
{
    CSN_TRY(drain(outside, 0));
    const csn_err result = outside->pending;
    outside->pending = CSN_OK;
    return result;
}

csn_err cse_outside_tpm(struct cse_outside *outside, const uint8_t *command, uint32_t size,
                        uint8_t **response, uint32_t *response_size)
{
    struct csn_wire_outside_ask ask = {.operation = CSN_WIRE_OUTSIDE_TPM, .size = size};
    struct csn_wire_outside_answer answer;
    uint32_t wanted = cse_outside_read_max(outside);
    if (outside->stream.open || size > cse_outside_write_max(outside)) {
        return CSN_ERR_STATE;
    }
    wanted = wanted < CSN_WIRE_OUTSIDE_TPM_SIZE ? wanted : CSN_WIRE_OUTSIDE_TPM_SIZE;
    CSN_TRY(ask_for(outside, NULL, &ask, command, wanted, &answer));
    *response = outside->buffer + ANSWER_SIZE;
    *response_size = answer.size;
    return CSN_OK;
}

/* ---- from one end to the other ---- */

/* Reads that may be under way: their answers fit the in ring wherever they have to wrap. */
static uint32_t stream_depth(const struct cse_outside *outside, uint32_t piece_size)
{
    const uint32_t lines = csn_wire_lines(ANSWER_SIZE + piece_size);
    const uint32_t fit = (outside->options.manifest->input_line_count - 1) / lines;
    if (fit <= 2) {
        return 1;
    }
    return fit - 1 < CSE_OUTSIDE_STREAM_MAX ? fit - 1 : CSE_OUTSIDE_STREAM_MAX;
}

static uint32_t piece_at(const struct cse_outside_stream *stream, uint64_t offset)
{
    const uint64_t left = stream->end - offset;
    return left < stream->piece_size ? (uint32_t)left : stream->piece_size;
}

csn_err cse_outside_stream_begin(struct cse_outside *outside, const char *object, uint64_t offset,
                                 uint64_t size, uint32_t piece_size)
{
    CSN_TRY(check(outside, object, offset, size));
    if (piece_size == 0 || piece_size > cse_outside_read_max(outside)) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(drain(outside, 0));
    struct cse_outside_stream *stream = &outside->stream;
    *stream = (struct cse_outside_stream){.open = true,
                                          .asked = offset,
                                          .taken = offset,
                                          .end = offset + size,
                                          .piece_size = piece_size,
                                          .depth = stream_depth(outside, piece_size)};
    for (uint32_t i = 0; object[i] != 0; i++) {
        stream->object[i] = object[i];
    }
    return CSN_OK;
}

csn_err cse_outside_stream_next(struct cse_outside *outside, uint8_t **bytes, uint32_t *got)
{
    struct cse_outside_stream *stream = &outside->stream;
    if (!stream->open || stream->taken == stream->end) {
        return CSN_ERR_STATE;
    }
    while (stream->asked != stream->end && outside->next - outside->oldest < stream->depth) {
        struct csn_wire_outside_ask ask = {.operation = CSN_WIRE_OUTSIDE_READ,
                                           .offset = stream->asked,
                                           .size = piece_at(stream, stream->asked)};
        CSN_TRY(put(outside, &ask, stream->object, NULL));
        stream->asked += ask.size;
    }
    struct csn_wire_outside_answer answer;
    const uint32_t wanted = piece_at(stream, stream->taken);
    CSN_TRY(take(outside, wanted, false, &answer));
    if (answer.size != wanted) {
        return CSN_ERR_FORMAT; /* the object ends too early */
    }
    stream->taken += wanted;
    stream->open = stream->taken != stream->end;
    *bytes = outside->buffer + ANSWER_SIZE;
    *got = wanted;
    return CSN_OK;
}

void cse_outside_stream_end(struct cse_outside *outside)
{
    struct csn_wire_outside_answer answer;
    while (outside->fate == CSN_OK && outside->next != outside->oldest) {
        csn_err result = take(outside, cse_outside_read_max(outside), false, &answer);
        (void)result; /* nobody wants it any more */
    }
    outside->stream.open = false;
}
