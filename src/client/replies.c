/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replies.c: what comes back to a producer, in either form (docs/WIRE.md sections 4 and 9).
 *
 * Trust:    answers come through the host, which may forge, repeat, drop and reorder; what opens
 *           was sealed by an enclave that knows this context's secrets.
 * Keys:     a reply in the full form has one of its own; short ones share the key that the answer
 *           to the last hello gave, by epochs of 2^20. Each counter counts once.
 */
#include "sealer.h"

#define SHORT_SIZE  ((uint32_t)sizeof(struct csn_wire_short))
#define BRIEF_SIZE  ((uint32_t)sizeof(struct csn_wire_short_result))
#define SHORT_EXTRA (SHORT_SIZE + CSN_WIRE_TAG_SIZE)

/* ---- the full form ---- */

/* A hello's answer: from here on its salt is the one of short answers. Older ones come to nothing.
 */
static csn_err take_hello(struct csv_sealer *sealer, const struct csn_wire_result *result,
                          const uint8_t *payload)
{
    struct csv_replies *replies = &sealer->replies;
    struct csn_wire_hello hello;
    if (result->payload_size != sizeof hello || result->sequence < CSN_WIRE_SEQUENCE_HELLO) {
        return CSN_ERR_FORMAT;
    }
    if (result->sequence >= CSN_WIRE_SEQUENCE_HELLO + sealer->hello_sequence) {
        return CSN_ERR_UNKNOWN;
    }
    if (replies->used && result->sequence <= replies->hello_sequence) {
        return CSN_ERR_REPLAY;
    }
    __builtin_memcpy(&hello, payload, sizeof hello);
    *replies = (struct csv_replies){.used = true,
                                    .handle = result->handle,
                                    .hello_sequence = result->sequence,
                                    .about = {.grant_version = result->grant_version}};
    __builtin_memcpy(replies->stream, result->stream, sizeof replies->stream);
    __builtin_memcpy(replies->about.salt, hello.salt, sizeof hello.salt);
    __builtin_memcpy(replies->about.grant_digest, result->grant_digest, 32);
    csn_short_reply_id(&sealer->binding, sealer->encapsulation, &replies->about);
    csn_short_reply_key(sealer->secrets->context.reply, &replies->about, 0,
                        &sealer->secrets->reply_key);
    return CSN_OK;
}

static csn_err open_full(struct csv_sealer *sealer, struct csv_open_item *item, uint8_t *plain)
{
    struct csv_sealed sealed;
    struct csn_wire_result read;
    CSN_TRY(csv_sealed_parse(item->record, item->size, CSN_WIRE_DIRECTION_REPLY, &sealed));
    const struct csn_wire_record *header = &sealed.header;
    if (__builtin_memcmp(header->tenant, sealer->binding.tenant, 32) != 0 ||
        __builtin_memcmp(header->key_id, sealer->binding.key_id, 8) != 0 ||
        header->credential != sealer->binding.credential) {
        return CSN_ERR_UNKNOWN;
    }
    CSN_TRY(csv_answer_open(&sealed, sealer->secrets->context.reply, plain));
    CSN_TRY(csv_result_read(plain, header->cipher_size, &read));
    if (read.sequence != header->sequence || read.credential != header->credential ||
        read.grant_version != header->grant_version) {
        return CSN_ERR_FORMAT;
    }
    if (read.grant_version < sealer->grant_version) {
        return CSN_ERR_POLICY;
    }
    item->payload_size = read.payload_size;
    if ((read.flags & CSN_WIRE_RESULT_SHORT) != 0) {
        CSN_TRY(take_hello(sealer, &read, plain + CSV_RESULT_SIZE));
        item->payload_size = 0; /* it was for us */
    }
    item->header = read;
    __builtin_memcpy(item->payload, plain + CSV_RESULT_SIZE, item->payload_size);
    return CSN_OK;
}

/* ---- the short form ---- */

static bool is_short(const struct csv_open_item *item)
{
    return item->size >= sizeof(uint32_t) && (csn_load_u32(item->record) & CSN_WIRE_SHORT) != 0;
}

/* Header and item for the AEAD; nothing is believed yet. */
static csn_err prepare(struct csv_sealer *sealer, const struct csv_open_item *item, uint8_t *plain,
                       uint32_t slot)
{
    const struct csv_replies *replies = &sealer->replies;
    struct csn_wire_short_aad *aad = &sealer->short_aads[slot];
    const uint8_t *bytes = item->record;
    if (item->size < SHORT_EXTRA + BRIEF_SIZE) {
        return CSN_ERR_FORMAT;
    }
    __builtin_memcpy(&aad->header, bytes, SHORT_SIZE);
    if (aad->header.cipher_size != item->size - SHORT_EXTRA ||
        aad->header.sequence >= CSN_WIRE_SEQUENCE_HELLO) {
        return CSN_ERR_FORMAT;
    }
    if (!replies->used || aad->header.handle != (CSN_WIRE_SHORT | replies->handle)) {
        return CSN_ERR_UNKNOWN;
    }
    __builtin_memcpy(aad->context_id, replies->about.id, 32);
    sealer->items[slot] =
        (struct csn_gcm_item){.key = &sealer->secrets->reply_key.key,
                              .aad = (const uint8_t *)aad,
                              .aad_size = sizeof *aad,
                              .size = aad->header.cipher_size,
                              .input = bytes + SHORT_SIZE,
                              .output = plain,
                              /* read only by open */
                              .tag = (uint8_t *)(uintptr_t)bytes + item->size - CSN_WIRE_TAG_SIZE,
                              .result = CSN_ERR_AUTH};
    csn_aead_nonce(sealer->secrets->reply_key.iv, aad->header.sequence, sealer->items[slot].nonce);
    return CSN_OK;
}

/* What an authentic answer says; its counter is used up whatever comes of it. */
static csn_err accept(struct csv_sealer *sealer, uint64_t counter, const uint8_t *plain,
                      uint32_t size, struct csv_open_item *item)
{
    struct csv_replies *replies = &sealer->replies;
    struct csn_wire_short_result brief;
    uint32_t room = size - BRIEF_SIZE;
    if (!csn_window_accept(&replies->window, counter)) {
        return CSN_ERR_REPLAY;
    }
    __builtin_memcpy(&brief, plain, sizeof brief);
    const uint64_t sequence = brief.word & CSN_WIRE_SEQUENCE_LAST;
    const uint32_t status = (uint32_t)(brief.word >> CSN_WIRE_SHORT_STATUS_SHIFT) & 0xff;
    const uint32_t flags = (uint32_t)(brief.word >> CSN_WIRE_SHORT_FLAGS_SHIFT);
    const bool refused = flags == CSN_WIRE_RESULT_TOMBSTONE;
    const uint32_t payload_size = refused ? 0 : brief.size;
    if ((flags != 0 && flags != CSN_WIRE_RESULT_FIN && !refused) || status > CSN_WIRE_STATUS_LAST ||
        (status != CSN_WIRE_STATUS_OK) != refused || payload_size > room || brief.part_count == 0 ||
        brief.part >= brief.part_count ||
        !csn_is_zero_ct(plain + BRIEF_SIZE + payload_size, room - payload_size)) {
        return CSN_ERR_FORMAT;
    }
    if (sequence >= sealer->sequence) {
        return CSN_ERR_UNKNOWN; /* an answer to what was never asked */
    }
    struct csn_wire_result *header = &item->header; /* field by field: a quarter of the time */
    header->version = 1;
    header->status = (uint16_t)status;
    header->payload_size = payload_size;
    header->flags = flags;
    header->handle = 0;
    header->sequence = sequence;
    header->credential = sealer->binding.credential;
    header->grant_version = replies->about.grant_version;
    header->part = brief.part;
    header->part_count = brief.part_count;
    header->detail = refused ? brief.size : 0;
    __builtin_memcpy(header->stream, replies->stream, sizeof replies->stream);
    __builtin_memset(header->record_id, 0, sizeof header->record_id);
    __builtin_memcpy(header->grant_digest, replies->about.grant_digest, 32);
    item->payload_size = payload_size;
    __builtin_memcpy(item->payload, plain + BRIEF_SIZE, payload_size);
    return CSN_OK;
}

/* Of another epoch than the last: a key for this one alone, kept only if it proves to be newer. */
static csn_err open_epoch(struct csv_sealer *sealer, struct csv_open_item *item, uint32_t slot)
{
    struct csv_replies *replies = &sealer->replies;
    struct csn_gcm_item *gcm = &sealer->items[slot];
    struct csn_record_key key;
    uint64_t counter = sealer->short_aads[slot].header.sequence;
    uint64_t epoch = csn_short_reply_epoch(counter);
    csn_short_reply_key(sealer->secrets->context.reply, &replies->about, epoch, &key);
    gcm->key = &key.key;
    csn_aead_nonce(key.iv, counter, gcm->nonce);
    csn_gcm_open_batch(gcm, 1);
    if (gcm->result == CSN_OK && epoch > replies->epoch) {
        sealer->secrets->reply_key = key;
        replies->epoch = epoch;
    }
    csn_wipe(&key, sizeof key);
    return gcm->result == CSN_OK ? accept(sealer, counter, gcm->output, gcm->size, item)
                                 : gcm->result;
}

/* ---- batches ---- */

/* Opens the short answers so far, all under one key, and judges them in order. */
static void finish(struct csv_sealer *sealer, struct csv_open_item *items, uint32_t *ready)
{
    csn_gcm_open_batch(sealer->items, *ready);
    for (uint32_t i = 0; i < *ready; i++) {
        const struct csn_gcm_item *gcm = &sealer->items[i];
        struct csv_open_item *item = &items[sealer->item_index[i]];
        item->result = gcm->result;
        if (item->result == CSN_OK) {
            item->result =
                accept(sealer, sealer->short_aads[i].header.sequence, gcm->output, gcm->size, item);
        }
    }
    *ready = 0;
}

static void open_some(struct csv_sealer *sealer, struct csv_open_item *items, uint32_t count)
{
    uint32_t ready = 0;
    uint64_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *plain = sealer->plain.bytes + used;
        used += items[i].size;
        if (!is_short(&items[i])) {
            finish(sealer, items, &ready); /* it may end the key that the others are under */
            items[i].result = open_full(sealer, &items[i], plain);
            continue;
        }
        items[i].result = prepare(sealer, &items[i], plain, ready);
        if (items[i].result != CSN_OK) {
            continue;
        }
        uint64_t counter = sealer->short_aads[ready].header.sequence;
        if (csn_short_reply_epoch(counter) == sealer->replies.epoch) {
            sealer->item_index[ready++] = i;
            continue;
        }
        uint32_t slot = ready;
        finish(sealer, items, &ready); /* the key may change: the others go first */
        items[i].result = open_epoch(sealer, &items[i], slot);
    }
    finish(sealer, items, &ready);
}

csn_err csv_reply_open_batch(struct csv_sealer *sealer, struct csv_open_item *items, uint32_t count)
{
    if (sealer->secrets->alive != CSV_SEALER_ALIVE) {
        return CSN_ERR_UNKNOWN; /* a child's: its parent's answers are not for it */
    }
    for (uint32_t done = 0; done < count;) {
        uint32_t step = count - done < CSV_SEALER_BATCH ? count - done : CSV_SEALER_BATCH;
        CSN_TRY(csv_plain_reserve(&sealer->plain, items + done, step));
        open_some(sealer, items + done, step);
        done += step;
    }
    return CSN_OK;
}

csn_err csv_reply_open(struct csv_sealer *sealer, const void *record, uint32_t size,
                       struct csn_wire_result *result, uint8_t *payload, uint32_t *payload_size)
{
    struct csv_open_item item = {.record = record, .size = size, .payload = payload};
    CSN_TRY(csv_reply_open_batch(sealer, &item, 1));
    CSN_TRY(item.result);
    *result = item.header;
    *payload_size = item.payload_size;
    return CSN_OK;
}
