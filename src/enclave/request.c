/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c: oblivious requests: from the bytes of a message to a sealed response (docs/WIRE.md).
 *
 * Trust:    anyone who has the public key can send one; what is refused before it opened gets a
 *           code that depends on public bytes only. From then on the host sees ANSWERED, and sizes
 *           that follow from the size of the message.
 * Bounds:   one key exchange, and one pass over the bytes, for each message; there is no tenant
 *           before it opened whom it could be charged to.
 */
#include "request.h"
#include "held.h"
#include "http.h"
#include <caisson/wire/stop.h>

#define CHUNKS_MAX 256u /* each costs a key schedule, however short it is */

struct opened {
    struct csn_ohttp_exchange exchange;
    uint32_t size_class;
    uint8_t *plain;
    uint32_t plain_size;
};

static uint32_t code_of(csn_err result)
{
    switch (result) {
    case CSN_OK:
        return CSN_WIRE_DONE;
    case CSN_ERR_UNKNOWN:
        return CSN_WIRE_REJECT_KEY;
    case CSN_ERR_SUITE:
        return CSN_WIRE_REJECT_SUITE;
    case CSN_ERR_AUTH:
        return CSN_WIRE_REJECT_AUTH;
    case CSN_ERR_LIMIT:
        return CSN_WIRE_REJECT_SIZE;
    default:
        return CSN_WIRE_REJECT_FRAMING;
    }
}

/* Each chunk is opened where it lies, then moved to the end of those before it. */
static csn_err open_chunks(struct opened *opened, uint32_t size)
{
    struct csn_ohttp_chunk chunk = {.end = 0};
    uint8_t *bytes = opened->plain;
    for (uint32_t i = 0; i < CHUNKS_MAX; i++) {
        CSN_TRY(csn_ohttp_chunk_find(bytes, size, chunk.end, true, UINT32_MAX, &chunk));
        uint8_t *sealed = bytes + chunk.offset;
        CSN_TRY(csn_ohttp_open(&opened->exchange, chunk.final, sealed, chunk.size, sealed));
        uint32_t plain_size = chunk.size - CSN_OHTTP_TAG_SIZE;
        __builtin_memmove(bytes + opened->plain_size, sealed, plain_size);
        opened->plain_size += plain_size;
        if (chunk.final) {
            return CSN_OK;
        }
    }
    return CSN_ERR_LIMIT;
}

static csn_err open_bytes(struct opened *opened, uint32_t size)
{
    if (opened->exchange.form == CSN_OHTTP_CHUNKED) {
        return open_chunks(opened, size);
    }
    CSN_TRY(csn_ohttp_open(&opened->exchange, true, opened->plain, size, opened->plain));
    opened->plain_size = size - CSN_OHTTP_TAG_SIZE;
    return CSN_OK;
}

static uint32_t open_request(struct cse_session *session, const struct cse_input *input,
                             struct opened *opened)
{
    struct csn_wire_request head;
    const uint32_t before = sizeof head + CSN_OHTTP_HEAD_SIZE;
    if (!cse_has_routes(session) || input->size < before) {
        return CSN_WIRE_REJECT_FRAMING;
    }
    __builtin_memcpy(&head, input->bytes, sizeof head);
    if (head.form > CSN_OHTTP_CHUNKED || head.reserved != 0) {
        return CSN_WIRE_REJECT_FRAMING;
    }
    opened->size_class = cse_request_class(input->size);
    if (opened->size_class >= session->class_count) {
        return CSN_WIRE_REJECT_SIZE;
    }
    csn_err result = csn_ohttp_receive(&opened->exchange, &session->options.instance->request_key,
                                       (enum csn_ohttp_form)head.form, input->bytes + sizeof head);
    opened->plain = input->bytes + before;
    return code_of(result == CSN_OK ? open_bytes(opened, input->size - before) : result);
}

/* ---- the response ---- */

static void begin_call(struct cse_session *session, const struct cse_input *input,
                       const struct opened *opened, struct cse_call *call)
{
    uint32_t front = csn_ohttp_nonce_size(&opened->exchange);
    *call = (struct cse_call){.session = session, .answer = {.session = session, .input = input}};
    if (opened->exchange.form == CSN_OHTTP_CHUNKED) {
        front += CSE_REQUEST_FRONT - CSN_OHTTP_NONCE_SIZE_MAX;
    }
    call->shape.head_size = front;
    call->shape.plain_size = session->rooms[opened->size_class] + CSE_REQUEST_BESIDE;
    struct cse_pending *first =
        cse_answer_begin(session, input, &call->shape, session->manifest->outputs_per_input_max);
    call->first = (uint32_t)(first - session->pending);
}

void cse_request_front(struct cse_pending *pending, const struct csn_ohttp_answer *answer,
                       const uint8_t *nonce, uint32_t nonce_size)
{
    const struct cse_shape *shape = &pending->shape;
    uint8_t head[8];
    uint32_t head_size = 0;
    if (answer->form == CSN_OHTTP_CHUNKED) {
        head_size =
            csn_ohttp_chunk_head(shape->plain_size + CSN_OHTTP_TAG_SIZE, pending->final, head);
    }
    uint8_t *plain = pending->bytes + shape->head_size;
    pending->shape.head_size = nonce_size + head_size;
    pending->bytes = plain - pending->shape.head_size;
    __builtin_memcpy(pending->bytes, nonce, nonce_size);
    __builtin_memcpy(pending->bytes + nonce_size, head, head_size);
    pending->answer = (struct csn_wire_answer){
        .code = CSN_WIRE_ANSWERED,
        .size = pending->shape.head_size + pending->shape.plain_size + CSN_OHTTP_TAG_SIZE};
}

/* Padded with zeros to the end of the last output; sealed when all of the batch is. */
static void finish(struct cse_call *call, const struct csn_ohttp_exchange *exchange, uint32_t size,
                   uint32_t count)
{
    struct cse_session *session = call->session;
    const uint32_t room = cse_call_room(call);
    uint8_t nonce[CSN_OHTTP_NONCE_SIZE_MAX];
    uint32_t nonce_size = csn_ohttp_nonce_size(exchange);
    struct csn_ohttp_answer *answer = &session->request_answers[session->request_answer_count++];
    cse_random_or_panic(session, nonce, nonce_size);
    csn_ohttp_answer(exchange, nonce, answer);
    for (uint32_t i = 0; i < count; i++) {
        struct cse_pending *pending = &session->pending[call->first + i];
        const uint32_t filled = size < room ? size : room;
        __builtin_memset(cse_answer_payload(pending) + filled, 0, room - filled);
        size -= filled;
        pending->final = i + 1 == count;
        pending->request = answer;
        cse_request_front(pending, answer, nonce, i == 0 ? nonce_size : 0);
        pending->owner = call->answer.tenant;
    }
}

static void serve(struct cse_session *session, const struct cse_input *input,
                  const struct opened *opened)
{
    struct cse_call call;
    struct cse_http http = {.bytes = opened->plain,
                            .size = opened->plain_size,
                            .encapsulation = opened->exchange.encapsulation,
                            .joined = opened->exchange.form == CSN_OHTTP_WHOLE};
    uint32_t size = 0;
    uint32_t count = 1;
    begin_call(session, input, opened, &call);
    enum csn_wire_status status = cse_http_serve(&call, &http, &size, &count);
    if (status == CSE_LATER) {
        cse_held_begin_request(&call, &opened->exchange);
        return;
    }
    if (status != CSN_WIRE_STATUS_OK) {
        cse_panic(CSN_WIRE_STOP_ASSERT); /* CSE_REQUEST_BESIDE holds every problem */
    }
    finish(&call, &opened->exchange, size, count);
}

void cse_request_take(struct cse_session *session, const struct cse_input *input)
{
    struct opened opened = {.plain = NULL};
    uint32_t code = open_request(session, input, &opened);
    if (code == CSN_WIRE_DONE) {
        session->options.stats->records_served++;
        serve(session, input, &opened);
    } else {
        session->options.stats->records_refused++;
        cse_answer_plain(session, input, code, NULL, 0);
    }
    csn_wipe(&opened, sizeof opened);
}
