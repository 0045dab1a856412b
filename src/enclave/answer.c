/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c: building, sealing and handing over answers (docs/WIRE.md sections 6 and 9).
 *
 * Plaintext is built where its ciphertext will lie, sealed in place with the others of its batch,
 * then handed to the sink in the order of the inputs. No key and nonce are used twice: outputs take
 * their sender's next sequence number, replies a key from a fresh 32-byte nonce.
 */
#include "state.h"
#include <caisson/wire/stop.h>

#define RECORD_SIZE ((uint32_t)sizeof(struct csn_wire_record))
#define ANSWER_SIZE ((uint32_t)sizeof(struct csn_wire_answer))
#define RESULT_SIZE ((uint32_t)sizeof(struct csn_wire_result))
#define SLOT_ALIGN  64u

void cse_random_or_panic(struct cse_session *session, void *bytes, size_t size)
{
    if (csn_random_fill(session->options.random, bytes, size) != CSN_OK) {
        cse_panic(CSN_WIRE_STOP_ENTROPY);
    }
}

/* ---- room ---- */

static uint32_t slot_size(uint32_t plain_size)
{
    return ((uint32_t)CSE_SLOT_OVERHEAD + plain_size + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
}

void cse_answer_reserve(struct cse_session *session, uint32_t count, uint32_t plain_size)
{
    uint64_t room = (uint64_t)count * slot_size(plain_size);
    if (session->pending_count + count > CSE_PENDING_MAX ||
        session->area_size - session->area_used < room) {
        cse_answer_flush(session);
    }
    if (session->area_size < room || count > CSE_PENDING_MAX) {
        cse_panic(CSN_WIRE_STOP_ASSERT); /* cse_session_init() sized the area for the largest */
    }
}

struct cse_pending *cse_answer_slot(struct cse_session *session, const struct cse_input *input,
                                    uint32_t plain_size)
{
    struct cse_pending *pending = &session->pending[session->pending_count++];
    *pending = (struct cse_pending){.channel = input->channel,
                                    .tag = input->tag,
                                    .final = true,
                                    .bytes = session->area + session->area_used};
    session->area_used += slot_size(plain_size);
    return pending;
}

/* The route comes later and has any length up to its limit: payloads start behind the largest. */
uint8_t *cse_answer_payload(struct cse_pending *pending)
{
    return pending->bytes + ANSWER_SIZE + RECORD_SIZE + pending->route_size + RESULT_SIZE;
}

void cse_answer_plain(struct cse_session *session, const struct cse_input *input, uint32_t code,
                      const void *body, uint32_t size)
{
    cse_answer_reserve(session, 1, size);
    struct cse_pending *pending = cse_answer_slot(session, input, size);
    const struct csn_wire_answer answer = {.code = code, .size = size};
    __builtin_memcpy(pending->bytes, &answer, sizeof answer);
    if (size != 0) {
        __builtin_memcpy(pending->bytes + sizeof answer, body, size);
    }
    pending->size = size;
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

/* Points the item at what lies in the slot; header, route and plaintext are complete. */
static void ready(struct cse_pending *pending, const struct csn_record_key *key,
                  const uint8_t nonce[12], uint32_t plain_size)
{
    uint8_t *aad = pending->bytes + ANSWER_SIZE;
    uint32_t aad_size = RECORD_SIZE + pending->route_size;
    pending->size = aad_size + plain_size + CSN_WIRE_TAG_SIZE;
    pending->sealed = true;
    pending->item = (struct csn_gcm_item){.key = &key->key,
                                          .aad = aad,
                                          .aad_size = aad_size,
                                          .size = plain_size,
                                          .input = aad + aad_size,
                                          .output = aad + aad_size,
                                          .tag = aad + aad_size + plain_size};
    __builtin_memcpy(pending->item.nonce, nonce, 12);
    const struct csn_wire_answer answer = {.code = CSN_WIRE_DONE, .size = pending->size};
    __builtin_memcpy(pending->bytes, &answer, sizeof answer);
}

/* A key of its own for each reply, from a response nonce that never repeats. */
static struct csn_record_key *reply_key(struct cse_session *session, struct cse_pending *pending,
                                        const uint8_t reply[32], struct csn_wire_record *header)
{
    struct csn_record_key *key = &session->reply_keys[pending - session->pending];
    cse_random_or_panic(session, header->encapsulation, sizeof header->encapsulation);
    csn_reply_key(reply, header->encapsulation, header->sequence, key, header->commitment);
    return key;
}

void cse_answer_finish(struct cse_session *session, struct cse_pending *pending,
                       const struct cse_answer *answer, const struct csn_wire_result *result,
                       uint32_t plain_size)
{
    struct csn_wire_record header;
    uint8_t nonce[12];
    const struct csn_record_key *key;
    header_common(&header, answer->tenant->id, answer->tenant->grant->version, plain_size);
    header.route_size = (uint16_t)pending->route_size;
    if (answer->consumer != NULL) {
        header.direction = CSN_WIRE_DIRECTION_OUTPUT;
        header.credential = answer->wire_consumer->credential;
        __builtin_memcpy(header.key_id, answer->consumer->key_id, 8);
        cse_sender_header(&answer->consumer->output, &header);
        key = &answer->consumer->output.key;
        csn_record_nonce(key->iv, header.sequence, nonce);
    } else {
        const struct csn_binding *binding = &answer->context->binding;
        header.direction = CSN_WIRE_DIRECTION_REPLY;
        header.mode = binding->mode;
        header.credential = binding->credential;
        header.sequence = answer->opening->sequence;
        header.challenge = binding->challenge.counter;
        __builtin_memcpy(header.key_id, binding->key_id, 8);
        key = reply_key(session, pending, answer->context->secrets.reply, &header);
        __builtin_memcpy(nonce, key->iv, sizeof nonce);
    }
    uint8_t *at = pending->bytes + ANSWER_SIZE;
    __builtin_memcpy(at, &header, sizeof header);
    if (pending->route_size != 0) {
        __builtin_memcpy(at + sizeof header, answer->opening->route, pending->route_size);
    }
    uint8_t *plain = at + sizeof header + pending->route_size;
    __builtin_memcpy(plain, result, sizeof *result);
    uint32_t filled = RESULT_SIZE + result->payload_size;
    __builtin_memset(plain + filled, 0, plain_size - filled);
    ready(pending, key, nonce, plain_size);
}

void cse_answer_receipt(struct cse_session *session, const struct cse_input *input,
                        const struct cse_receipt *receipt)
{
    uint32_t plain_size = csn_wire_output_class(0);
    cse_answer_reserve(session, 1, plain_size);
    struct cse_pending *pending = cse_answer_slot(session, input, plain_size);
    struct csn_wire_record header;
    header_common(&header, receipt->tenant, receipt->header->grant_version, plain_size);
    header.direction = CSN_WIRE_DIRECTION_RECEIPT;
    header.mode = CSN_WIRE_MODE_IDEMPOTENT;
    header.sequence = receipt->header->grant_version;
    __builtin_memcpy(header.key_id, session->instance_key_id, 8);
    struct csn_record_key *key = reply_key(session, pending, receipt->reply, &header);

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

    uint8_t *at = pending->bytes + ANSWER_SIZE;
    __builtin_memcpy(at, &header, sizeof header);
    at += sizeof header;
    __builtin_memset(at, 0, plain_size);
    __builtin_memcpy(at, &result, sizeof result);
    __builtin_memcpy(at + sizeof result, &body, sizeof body);
    ready(pending, key, key->iv, plain_size);
    const struct csn_wire_answer granted = {.code = CSN_WIRE_GRANTED, .size = pending->size};
    __builtin_memcpy(pending->bytes, &granted, sizeof granted);
}

/* ---- out ---- */

void cse_answer_flush(struct cse_session *session)
{
    const struct cse_service *service = session->options.service;
    uint32_t count = 0;
    if (service->complete != NULL && !CSN_CHECK(CSE_CHECK_COMPLETE, false)) {
        service->complete(session->batch);
    }
    for (uint32_t i = 0; i < session->pending_count; i++) {
        if (session->pending[i].sealed) {
            session->seal_items[count++] = session->pending[i].item;
        }
    }
    csn_gcm_seal_batch(session->seal_items, count);
    for (uint32_t i = 0; i < session->pending_count; i++) {
        const struct cse_pending *pending = &session->pending[i];
        const struct csn_ring_piece pieces[2] = {{pending->bytes, ANSWER_SIZE},
                                                 {pending->bytes + ANSWER_SIZE, pending->size}};
        session->sink(session->sink_state, pending->channel, pending->tag, pending->final, pieces);
    }
    csn_wipe(session->reply_keys, session->pending_count * sizeof session->reply_keys[0]);
    session->pending_count = 0;
    session->area_used = 0;
}
