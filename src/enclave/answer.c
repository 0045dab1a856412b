/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c: building, sealing and handing over answers (docs/WIRE.md sections 6 and 9).
 *
 * Plaintext is built where its ciphertext will lie, sealed in place with the others of its batch,
 * then handed to the sink in the order of the inputs. No key and nonce are used twice: outputs take
 * their sender's next sequence number, short replies their context's next counter, replies in the
 * full form a key from a fresh 32-byte nonce.
 */
#include "state.h"
#include <caisson/wire/stop.h>

#define RECORD_SIZE ((uint32_t)sizeof(struct csn_wire_record))
#define RESULT_SIZE ((uint32_t)sizeof(struct csn_wire_result))
#define SHORT_SIZE  ((uint32_t)sizeof(struct csn_wire_short))
#define BRIEF_SIZE  ((uint32_t)sizeof(struct csn_wire_short_result))
#define SLOT_ALIGN  64u

void cse_random_or_panic(struct cse_session *session, void *bytes, size_t size)
{
    if (csn_random_fill(session->options.random, bytes, size) != CSN_OK) {
        cse_panic(CSN_WIRE_STOP_ENTROPY);
    }
}

/* ---- room ---- */

/* body_size: all that follows the answer's head. */
static uint32_t slot_size(uint32_t body_size)
{
    return (body_size + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
}

static void reserve(struct cse_session *session, uint32_t count, uint32_t body_size)
{
    uint64_t room = (uint64_t)count * slot_size(body_size);
    if (session->pending_count + count > CSE_PENDING_MAX ||
        session->area_size - session->area_used < room) {
        cse_answer_flush(session);
    }
    if (session->area_size < room || count > CSE_PENDING_MAX) {
        cse_panic(CSN_WIRE_STOP_ASSERT); /* cse_session_init() sized the area for the largest */
    }
}

static struct cse_pending *take_slot(struct cse_session *session, const struct cse_input *input,
                                     uint32_t body_size)
{
    struct cse_pending *pending = &session->pending[session->pending_count++];
    pending->channel = input->channel;
    pending->tag = input->tag;
    pending->final = true;
    pending->alone = false;
    pending->request = NULL;
    pending->owner = NULL;
    pending->answer = (struct csn_wire_answer){.code = CSN_WIRE_DONE, .size = body_size};
    pending->bytes = session->area + session->area_used;
    session->area_used += slot_size(body_size);
    return pending;
}

static uint32_t sealed_size(const struct cse_shape *shape)
{
    return shape->head_size + shape->plain_size + CSN_WIRE_TAG_SIZE;
}

struct cse_pending *cse_answer_begin(struct cse_session *session, const struct cse_input *input,
                                     const struct cse_shape *shape, uint32_t count)
{
    uint32_t size = sealed_size(shape);
    reserve(session, count, size);
    struct cse_pending *pending = take_slot(session, input, size);
    pending->shape = *shape;
    return pending;
}

struct cse_pending *cse_answer_slot(struct cse_session *session, const struct cse_input *input,
                                    const struct cse_shape *shape)
{
    struct cse_pending *pending = take_slot(session, input, sealed_size(shape));
    pending->shape = *shape;
    return pending;
}

void cse_answer_drop(struct cse_session *session, uint32_t first)
{
    session->pending_count = first;
    session->area_used = (uint32_t)(session->pending[first].bytes - session->area);
}

void cse_answer_keep(struct cse_session *session, uint32_t pending_count)
{
    const struct cse_pending *last = &session->pending[pending_count - 1];
    session->pending_count = pending_count;
    session->area_used = (uint32_t)(last->bytes - session->area) + slot_size(last->answer.size);
}

uint8_t *cse_answer_payload(struct cse_pending *pending)
{
    return pending->bytes + pending->shape.head_size + pending->shape.result_size;
}

void cse_answer_plain(struct cse_session *session, const struct cse_input *input, uint32_t code,
                      const void *body, uint32_t size)
{
    reserve(session, 1, size);
    struct cse_pending *pending = take_slot(session, input, size);
    pending->answer.code = code;
    if (size != 0) {
        __builtin_memcpy(pending->bytes, body, size);
    }
}

/* ---- sealing ---- */

void cse_sender_salt(struct cse_session *session, struct cse_sender *sender)
{
    cse_random_or_panic(session, sender->salt, sizeof sender->salt);
    csn_record_key_from_salt(sender->secrets.base, sender->salt, &sender->key);
    sender->salt_count = 0;
}

/* Before slots are taken for up to count records: what waits is sealed under the old key first. */
void cse_sender_refresh(struct cse_session *session, struct cse_sender *sender, uint32_t count)
{
    if (!CSN_CHECK(CSE_CHECK_SALT_LIMIT, sender->salt_count + count <= CSN_WIRE_SALT_RECORDS_MAX)) {
        cse_answer_flush(session);
        cse_sender_salt(session, sender);
    }
}

/* Takes the next sequence number; the only place that does. */
void cse_sender_header(struct cse_sender *sender, struct csn_wire_record *header)
{
    if (sender->sequence >= CSN_WIRE_SEQUENCE_HELLO) {
        cse_panic(CSN_WIRE_STOP_ASSERT); /* 2^47 records: a new grant was due centuries ago */
    }
    sender->salt_count++;
    header->sequence = sender->sequence++;
    header->mode = CSN_WIRE_MODE_IDEMPOTENT;
    __builtin_memcpy(header->salt, sender->salt, sizeof header->salt);
    __builtin_memcpy(header->encapsulation, sender->encapsulation, 32);
    __builtin_memcpy(header->commitment, sender->secrets.commitment, 32);
}

static void header_common(struct csn_wire_record *header, const uint8_t tenant[32],
                          uint64_t grant_version, uint32_t cipher_size)
{
    *header = (struct csn_wire_record){.kind = CSN_WIRE_RECORD,
                                       .version = CSN_WIRE_RECORD_VERSION,
                                       .suite = CSN_WIRE_SUITE,
                                       .encapsulation_size = 32,
                                       .cipher_size = cipher_size,
                                       .grant_version = grant_version};
    __builtin_memcpy(header->tenant, tenant, 32);
}

/* The answer's head, and the item that seals what lies in the slot once all of the batch is. */
static void ready(struct cse_session *session, struct cse_pending *pending, uint32_t code,
                  const struct csn_record_key *key, const uint8_t nonce[12])
{
    uint8_t *plain = pending->bytes + pending->shape.head_size;
    struct csn_gcm_item *item = &session->seal_items[session->seal_count++];
    item->key = &key->key;
    item->aad = pending->bytes;
    item->aad_size = pending->shape.head_size;
    item->size = pending->shape.plain_size;
    item->input = plain;
    item->output = plain;
    item->tag = plain + pending->shape.plain_size;
    __builtin_memcpy(item->nonce, nonce, 12);
    pending->answer = (struct csn_wire_answer){.code = code, .size = sealed_size(&pending->shape)};
}

/* The result before the payload that is there, and zeros behind it. */
static void put_result(struct cse_pending *pending, const void *result, uint32_t payload_size)
{
    const struct cse_shape *shape = &pending->shape;
    uint8_t *plain = pending->bytes + shape->head_size;
    uint32_t filled = shape->result_size + payload_size;
    __builtin_memcpy(plain, result, shape->result_size);
    __builtin_memset(plain + filled, 0, shape->plain_size - filled);
}

/* ---- the short form ---- */

void cse_replier_begin(struct cse_session *session, const struct cse_grant *grant,
                       struct cse_context *context)
{
    struct cse_replier *replier = &context->replier;
    struct csn_short_reply *about = &replier->about;
    cse_random_or_panic(session, about->salt, sizeof about->salt);
    csn_short_reply_id(&context->binding, context->encapsulation, about);
    about->grant_version = grant->version;
    __builtin_memcpy(about->grant_digest, grant->digest, sizeof about->grant_digest);
    csn_short_reply_key(context->secrets.reply, about, 0, &replier->key);
    replier->counter = 0;
    replier->epoch = 0;
    replier->used = true;
}

void cse_replier_refresh(struct cse_session *session, struct cse_context *context, uint32_t count)
{
    struct cse_replier *replier = &context->replier;
    uint64_t epoch = csn_short_reply_epoch(replier->counter + count - 1);
    if (epoch == replier->epoch) {
        return;
    }
    cse_answer_flush(session); /* what waits is of the old key */
    csn_short_reply_key(context->secrets.reply, &replier->about, epoch, &replier->key);
    replier->epoch = epoch;
    if (csn_short_reply_epoch(replier->counter) != epoch) {
        replier->counter = epoch * CSN_WIRE_SALT_RECORDS_MAX;
    }
}

/* The only place that takes a counter. */
static uint64_t take_counter(struct cse_replier *replier)
{
    if (replier->counter >= CSN_WIRE_SEQUENCE_HELLO) {
        cse_panic(CSN_WIRE_STOP_ASSERT); /* 2^47 answers to one hello */
    }
    return replier->counter++;
}

/* Word by word what finish_full() does with structs: it is most of the cost of a small answer. */
static void finish_short(struct cse_session *session, struct cse_pending *pending,
                         const struct cse_answer *answer, const struct cse_outcome *outcome)
{
    struct cse_replier *replier = &answer->context->replier;
    const uint32_t plain_size = pending->shape.plain_size;
    const uint32_t filled = BRIEF_SIZE + outcome->payload_size;
    const uint64_t counter = take_counter(replier);
    const uint64_t first =
        csn_wire_short_first(answer->opening->short_aad.header.handle, plain_size);
    const bool refused = (outcome->flags & CSN_WIRE_RESULT_TOMBSTONE) != 0;
    const uint64_t size = refused ? outcome->detail : outcome->payload_size;
    uint8_t *plain = pending->bytes + SHORT_SIZE;
    csn_store_pair(pending->bytes, first, counter);
    csn_store_pair(&pending->aad.header, first, counter);
    __builtin_memcpy(pending->aad.context_id, replier->about.id, 32);
    csn_store_pair(plain,
                   csn_wire_short_word(answer->opening->sequence, outcome->status, outcome->flags),
                   size | (uint64_t)outcome->part << 32 | (uint64_t)outcome->part_count << 48);
    if (filled != plain_size) {
        __builtin_memset(plain + filled, 0, plain_size - filled);
    }
    pending->alone = true;
    pending->answer.size = SHORT_SIZE + plain_size + CSN_WIRE_TAG_SIZE;

    struct csn_gcm_item *item = &session->seal_items[session->seal_count++];
    item->key = &replier->key.key;
    csn_aead_nonce(replier->key.iv, counter, item->nonce);
    item->aad = (const uint8_t *)&pending->aad;
    item->aad_size = sizeof pending->aad;
    item->size = plain_size;
    item->input = plain;
    item->output = plain;
    item->tag = plain + plain_size;
}

/* ---- the full form ---- */

/* A key of its own for each reply, from a response nonce that never repeats. */
static struct csn_record_key *reply_key(struct cse_session *session, const uint8_t reply[32],
                                        struct csn_wire_record *header)
{
    struct csn_record_key *key = &session->reply_keys[session->reply_key_count++];
    cse_random_or_panic(session, header->encapsulation, sizeof header->encapsulation);
    csn_reply_key(reply, header->encapsulation, header->sequence, key, header->commitment);
    return key;
}

static void full_result(const struct cse_answer *answer, const struct cse_outcome *outcome,
                        struct csn_wire_result *result)
{
    const struct cse_grant *grant = answer->tenant->grant;
    const struct cse_context *context = answer->context;
    *result = (struct csn_wire_result){.version = 1,
                                       .status = (uint16_t)outcome->status,
                                       .payload_size = outcome->payload_size,
                                       .flags = outcome->flags,
                                       .handle = outcome->handle,
                                       .sequence = answer->opening->sequence,
                                       .credential = context->binding.credential,
                                       .grant_version = grant->version,
                                       .part = (uint16_t)outcome->part,
                                       .part_count = (uint16_t)outcome->part_count,
                                       .detail = outcome->detail};
    __builtin_memcpy(result->stream, context->stream, sizeof result->stream);
    csn_record_id(&context->id_prefix, answer->opening->sequence, grant->version,
                  result->record_id);
    __builtin_memcpy(result->grant_digest, grant->digest, 32);
}

static void finish_full(struct cse_session *session, struct cse_pending *pending,
                        const struct cse_answer *answer, const struct cse_outcome *outcome)
{
    struct csn_wire_result result;
    struct csn_wire_record header;
    uint8_t nonce[12];
    const struct csn_record_key *key;
    uint32_t route_size = pending->shape.head_size - RECORD_SIZE;
    header_common(&header, answer->tenant->id, answer->tenant->grant->version,
                  pending->shape.plain_size);
    header.route_size = (uint16_t)route_size;
    if (answer->consumer != NULL) {
        header.direction = CSN_WIRE_DIRECTION_OUTPUT;
        header.credential = answer->wire_consumer->credential;
        __builtin_memcpy(header.key_id, answer->consumer->key_id, 8);
        cse_sender_header(&answer->consumer->output, &header);
        key = &answer->consumer->output.key;
        csn_aead_nonce(key->iv, header.sequence, nonce);
    } else {
        const struct csn_binding *binding = &answer->context->binding;
        header.direction = CSN_WIRE_DIRECTION_REPLY;
        header.mode = binding->mode;
        header.credential = binding->credential;
        header.sequence = answer->opening->sequence;
        header.challenge = binding->challenge.counter;
        __builtin_memcpy(header.key_id, binding->key_id, 8);
        key = reply_key(session, answer->context->secrets.reply, &header);
        __builtin_memcpy(nonce, key->iv, sizeof nonce);
    }
    uint8_t *at = pending->bytes;
    __builtin_memcpy(at, &header, sizeof header);
    if (route_size != 0) {
        __builtin_memcpy(at + sizeof header, answer->opening->route, route_size);
    }
    full_result(answer, outcome, &result);
    put_result(pending, &result, outcome->payload_size);
    ready(session, pending, CSN_WIRE_DONE, key, nonce);
}

void cse_answer_finish(struct cse_session *session, struct cse_pending *pending,
                       const struct cse_answer *answer, const struct cse_outcome *outcome)
{
    if (answer->short_form) {
        finish_short(session, pending, answer, outcome);
    } else {
        finish_full(session, pending, answer, outcome);
    }
}

void cse_answer_receipt(struct cse_session *session, const struct cse_input *input,
                        const struct cse_receipt *receipt)
{
    const struct cse_shape shape = {
        .head_size = RECORD_SIZE, .result_size = RESULT_SIZE, .plain_size = CSN_WIRE_FIXED_SIZE};
    struct cse_pending *pending = cse_answer_begin(session, input, &shape, 1);
    struct csn_wire_record header;
    header_common(&header, receipt->tenant, receipt->header->grant_version, shape.plain_size);
    header.direction = CSN_WIRE_DIRECTION_RECEIPT;
    header.mode = CSN_WIRE_MODE_IDEMPOTENT;
    header.sequence = receipt->header->grant_version;
    __builtin_memcpy(header.key_id, session->instance_key_id, 8);
    struct csn_record_key *key = reply_key(session, receipt->reply, &header);

    struct csn_wire_result result = {.version = 1,
                                     .status = (uint16_t)receipt->status,
                                     .payload_size = sizeof(struct csn_wire_receipt),
                                     .sequence = receipt->header->grant_version,
                                     .grant_version = receipt->header->grant_version,
                                     .part_count = 1,
                                     .detail = receipt->detail};
    __builtin_memcpy(result.grant_digest, receipt->digest, 32);
    struct csn_wire_receipt body = {.worker = session->options.worker,
                                    .worker_count = session->manifest->worker_count};
    __builtin_memcpy(body.boot_id, session->options.instance->boot_id, 16);

    __builtin_memcpy(pending->bytes, &header, sizeof header);
    __builtin_memcpy(cse_answer_payload(pending), &body, sizeof body);
    put_result(pending, &result, sizeof body);
    ready(session, pending, CSN_WIRE_GRANTED, key, key->iv);
}

/* ---- out ---- */

void cse_answer_complete(struct cse_session *session)
{
    const struct cse_service *service = session->options.service;
    if (service->complete != NULL && !CSN_CHECK(CSE_CHECK_COMPLETE, false)) {
        service->complete(session->batch);
    }
}

/* Outputs of one request are the chunks of its answer, in their order. */
static void seal_requests(struct cse_session *session)
{
    for (uint32_t i = 0; i < session->pending_count; i++) {
        struct cse_pending *pending = &session->pending[i];
        uint8_t *plain = pending->bytes + pending->shape.head_size;
        if (pending->request != NULL &&
            csn_ohttp_answer_seal(pending->request, pending->final, plain,
                                  pending->shape.plain_size, plain) != CSN_OK) {
            cse_panic(CSN_WIRE_STOP_ASSERT); /* one output too many, or behind the final one */
        }
    }
    csn_wipe(session->request_answers,
             session->request_answer_count * sizeof session->request_answers[0]);
    session->request_answer_count = 0;
}

void cse_answer_flush(struct cse_session *session)
{
    cse_answer_complete(session);
    if (session->settle != NULL) {
        session->settle(session);
    }
    const struct csn_ring_piece none = {NULL, 0};
    csn_gcm_seal_batch(session->seal_items, session->seal_count);
    if (session->request_answer_count != 0) {
        seal_requests(session);
    }
    for (uint32_t i = 0; i < session->pending_count; i++) {
        const struct cse_pending *pending = &session->pending[i];
        const struct csn_ring_piece head = {&pending->answer, sizeof pending->answer};
        const struct csn_ring_piece body = {pending->bytes, pending->answer.size};
        const struct csn_ring_piece pieces[2] = {pending->alone ? body : head,
                                                 pending->alone ? none : body};
        session->sink(session->sink_state, pending->channel, pending->tag, pending->final, pieces);
    }
    csn_wipe(session->reply_keys, session->reply_key_count * sizeof session->reply_keys[0]);
    session->reply_key_count = 0;
    session->seal_count = 0;
    session->pending_count = 0;
    session->area_used = 0;
}
