/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opener.c: a consumer: opens outputs and fields, drops repeats, tells what is missing.
 *
 * Trust:    records come through the host, which may forge, repeat, drop and reorder; what opens
 *           was sealed by an enclave that holds this consumer's credential.
 * Memory:   a fixed table of contexts (oldest out), a list of streams that grows.
 */
#include "sealed.h"
#include "stream.h"
#include <stdlib.h>

#define CONTEXT_COUNT 64u
#define BATCH_MAX     64u

struct out_context {
    bool used;
    uint64_t last_used;
    struct csn_binding binding;
    uint8_t encapsulation[32];
    uint8_t salt[16];
    struct csn_record_secrets secrets;
    struct csn_record_key key;
};

struct csv_opener {
    struct csv_consumer consumer;
    struct csn_wire_recipient recipient;
    uint8_t key_id[8];
    uint64_t grant_version_min;
    bool has_digest;
    uint8_t grant_digest[32];
    uint64_t clock;
    struct out_context contexts[CONTEXT_COUNT];
    struct out_context trial; /* of a record that has not authenticated yet */
    uint32_t stream_count;
    uint32_t stream_room;
    uint32_t stream_last; /* the one used last */
    struct csv_stream_state *streams;
    struct csn_gcm_item items[BATCH_MAX];
    struct csv_sealed sealed[BATCH_MAX];
    uint32_t item_index[BATCH_MAX];
    struct csv_plain plain;
};

csn_err csv_opener_create(const struct csv_opener_options *options, struct csv_opener **opener_out)
{
    struct csv_opener *opener = aligned_alloc(64, (sizeof *opener + 63) / 64 * 64);
    if (opener == NULL) {
        return CSN_ERR_MEMORY;
    }
    __builtin_memset(opener, 0, sizeof *opener);
    opener->consumer = *options->consumer;
    __builtin_memcpy(opener->recipient.secret_key, options->consumer->secret_key, 32);
    __builtin_memcpy(opener->recipient.public_key, options->consumer->public_key, 32);
    csn_key_id(options->consumer->public_key, opener->key_id);
    opener->grant_version_min = options->grant_version_min;
    if (options->grant_digest != NULL) {
        opener->has_digest = true;
        __builtin_memcpy(opener->grant_digest, options->grant_digest, 32);
    }
    *opener_out = opener;
    return CSN_OK;
}

void csv_opener_destroy(struct csv_opener *opener)
{
    if (opener == NULL) {
        return;
    }
    for (uint32_t i = 0; i < opener->stream_count; i++) {
        csv_stream_wipe(&opener->streams[i]);
    }
    free(opener->streams);
    csv_plain_wipe(&opener->plain);
    csn_wipe(opener, sizeof *opener);
    free(opener);
}

uint32_t csv_plain_size(uint32_t record_size)
{
    uint32_t overhead = (uint32_t)sizeof(struct csn_wire_short) + CSN_WIRE_TAG_SIZE +
                        (uint32_t)sizeof(struct csn_wire_short_result);
    return record_size > overhead ? record_size - overhead : 0;
}

/* ---- contexts ---- */

static csn_err check_addressee(const struct csv_opener *opener,
                               const struct csn_wire_record *header)
{
    bool ours = __builtin_memcmp(header->tenant, opener->consumer.tenant, 32) == 0 &&
                header->credential == opener->consumer.credential &&
                __builtin_memcmp(header->key_id, opener->key_id, 8) == 0;
    if (!ours) {
        return CSN_ERR_UNKNOWN;
    }
    /* A field has its place there, which is between the enclave and itself. */
    bool placed = header->direction == CSN_WIRE_DIRECTION_FIELD;
    if (header->mode != CSN_WIRE_MODE_IDEMPOTENT || (header->challenge != 0 && !placed)) {
        return CSN_ERR_FORMAT;
    }
    return header->grant_version >= opener->grant_version_min ? CSN_OK : CSN_ERR_POLICY;
}

static struct out_context *find_context(struct csv_opener *opener,
                                        const struct csn_wire_record *header)
{
    for (uint32_t i = 0; i < CONTEXT_COUNT; i++) {
        struct out_context *context = &opener->contexts[i];
        if (context->used && context->binding.direction == header->direction &&
            __builtin_memcmp(context->encapsulation, header->encapsulation, 32) == 0) {
            context->last_used = ++opener->clock;
            return context;
        }
    }
    return NULL;
}

static csn_err make_context(const struct csv_opener *opener, const struct csn_wire_record *header,
                            struct out_context *context)
{
    *context = (struct out_context){.binding = {.direction = header->direction,
                                                .mode = header->mode,
                                                .credential = header->credential}};
    __builtin_memcpy(context->binding.tenant, header->tenant, 32);
    __builtin_memcpy(context->binding.key_id, header->key_id, 8);
    __builtin_memcpy(context->encapsulation, header->encapsulation, 32);
    return csn_record_receiver(&context->binding, opener->consumer.secret, &opener->recipient,
                               header->encapsulation, &context->secrets);
}

static void keep_context(struct csv_opener *opener, const struct out_context *context)
{
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < CONTEXT_COUNT; i++) {
        if (!opener->contexts[i].used) {
            oldest = i;
            break;
        }
        if (opener->contexts[i].last_used < opener->contexts[oldest].last_used) {
            oldest = i;
        }
    }
    opener->contexts[oldest] = *context;
    opener->contexts[oldest].used = true;
    opener->contexts[oldest].last_used = ++opener->clock;
}

static void fill_item(const struct csv_sealed *sealed, const struct out_context *context,
                      uint8_t *plain, struct csn_gcm_item *item)
{
    *item = (struct csn_gcm_item){.key = &context->key.key,
                                  .aad = sealed->bytes,
                                  .aad_size = sealed->aad_size,
                                  .size = sealed->header.cipher_size,
                                  .input = sealed->cipher,
                                  .output = plain,
                                  /* read only by open */
                                  .tag = (uint8_t *)(uintptr_t)sealed->cipher +
                                         sealed->header.cipher_size,
                                  .result = CSN_ERR_AUTH};
    csn_aead_nonce(context->key.iv, sealed->header.sequence, item->nonce);
}

static bool commits(const struct out_context *context, const struct csn_wire_record *header)
{
    return csn_equal_ct(context->secrets.commitment, header->commitment, 32);
}

/* The slow way: a new context or a new salt; opens this one record at once. */
static csn_err open_alone(struct csv_opener *opener, const struct csv_sealed *sealed,
                          uint8_t *plain)
{
    struct out_context *trial = &opener->trial;
    struct out_context *known = find_context(opener, &sealed->header);
    struct csn_gcm_item item;
    if (known != NULL) {
        *trial = *known;
    } else {
        CSN_TRY(make_context(opener, &sealed->header, trial));
    }
    if (!commits(trial, &sealed->header)) {
        return CSN_ERR_AUTH;
    }
    __builtin_memcpy(trial->salt, sealed->header.salt, 16);
    csn_record_key_from_salt(trial->secrets.base, trial->salt, &trial->key);
    fill_item(sealed, trial, plain, &item);
    csn_gcm_open_batch(&item, 1);
    if (item.result != CSN_OK) {
        return item.result;
    }
    if (known != NULL) {
        __builtin_memcpy(known->salt, trial->salt, 16);
        known->key = trial->key;
    } else {
        keep_context(opener, trial);
    }
    return CSN_OK;
}

/* ---- streams ---- */

static struct csv_stream_state *find_stream(struct csv_opener *opener,
                                            const struct csn_wire_result *result)
{
    uint32_t count = opener->stream_count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = (opener->stream_last + i) % count;
        struct csv_stream *known = &opener->streams[index].known;
        if (known->credential == result->credential &&
            __builtin_memcmp(known->id, result->stream, 16) == 0) {
            opener->stream_last = index;
            return &opener->streams[index];
        }
    }
    if (count == opener->stream_room) {
        uint32_t room = count == 0 ? 16 : count * 2;
        struct csv_stream_state *streams = realloc(opener->streams, room * sizeof *opener->streams);
        if (streams == NULL) {
            return NULL;
        }
        opener->streams = streams;
        opener->stream_room = room;
    }
    struct csv_stream_state *stream = &opener->streams[opener->stream_count++];
    *stream = (struct csv_stream_state){.known = {.credential = result->credential}};
    __builtin_memcpy(stream->known.id, result->stream, 16);
    opener->stream_last = opener->stream_count - 1;
    return stream;
}

static csn_err track_fin(struct csv_stream_state *stream, const uint8_t *payload,
                         const struct csn_wire_result *result)
{
    struct csn_wire_fin fin;
    if (result->payload_size != sizeof fin) {
        return CSN_ERR_FORMAT;
    }
    __builtin_memcpy(&fin, payload, sizeof fin);
    if (stream->known.fin_seen) {
        stream->known.repeats++;
        return CSN_ERR_REPLAY;
    }
    stream->known.fin_seen = true;
    stream->known.sent = fin.sent;
    return CSN_OK;
}

/* Repeats and counts. A refused FIN counts as a refusal of its sequence number. */
static csn_err track(struct csv_opener *opener, const uint8_t *payload,
                     const struct csn_wire_result *result)
{
    struct csv_stream_state *stream = find_stream(opener, result);
    bool complete;
    if (stream == NULL) {
        return CSN_ERR_MEMORY;
    }
    if (result->status == CSN_WIRE_STATUS_REPLAY) {
        stream->known.replays++; /* about a record whose own answer is another one */
        return CSN_OK;
    }
    if ((result->flags & CSN_WIRE_RESULT_FIN) != 0) {
        return track_fin(stream, payload, result);
    }
    csn_err taken =
        csv_stream_take(stream, result->sequence, result->part, result->part_count, &complete);
    if (taken == CSN_ERR_REPLAY) {
        stream->known.repeats++;
    }
    CSN_TRY(taken);
    if (complete) {
        bool refused = (result->flags & CSN_WIRE_RESULT_TOMBSTONE) != 0;
        stream->known.refused += refused;
        stream->known.served += !refused;
    }
    return CSN_OK;
}

uint32_t csv_opener_stream_count(const struct csv_opener *opener)
{
    return opener->stream_count;
}

void csv_opener_stream(const struct csv_opener *opener, uint32_t index, struct csv_stream *stream)
{
    csv_stream_report(&opener->streams[index], stream);
}

/* ---- opening ---- */

static csn_err accept(struct csv_opener *opener, const struct csv_sealed *sealed,
                      const uint8_t *plain, struct csv_open_item *item)
{
    struct csn_wire_result result;
    CSN_TRY(csv_result_read(plain, sealed->header.cipher_size, &result));
    if (result.grant_version != sealed->header.grant_version) {
        return CSN_ERR_FORMAT;
    }
    if (opener->has_digest && !csn_equal_ct(result.grant_digest, opener->grant_digest, 32)) {
        return CSN_ERR_POLICY;
    }
    CSN_TRY(track(opener, plain + CSV_RESULT_SIZE, &result));
    item->header = result;
    item->payload_size = result.payload_size;
    __builtin_memcpy(item->payload, plain + CSV_RESULT_SIZE, result.payload_size);
    return CSN_OK;
}

/* True: cached context and salt, so that the record can go with the batch. */
static bool is_fast(struct csv_opener *opener, const struct csv_sealed *sealed,
                    const struct out_context **context)
{
    *context = find_context(opener, &sealed->header);
    return *context != NULL && commits(*context, &sealed->header) &&
           __builtin_memcmp((*context)->salt, sealed->header.salt, 16) == 0;
}

/* Opens the batched items so far and judges them in order. */
static void finish_fast(struct csv_opener *opener, struct csv_open_item *items, uint32_t *ready)
{
    csn_gcm_open_batch(opener->items, *ready);
    for (uint32_t i = 0; i < *ready; i++) {
        struct csv_open_item *item = &items[opener->item_index[i]];
        item->result = opener->items[i].result;
        if (item->result == CSN_OK) {
            item->result = accept(opener, &opener->sealed[i], opener->items[i].output, item);
        }
    }
    *ready = 0;
}

static void open_some(struct csv_opener *opener, struct csv_open_item *items, uint32_t count)
{
    uint32_t ready = 0;
    uint64_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct csv_sealed *sealed = &opener->sealed[ready];
        const struct out_context *context;
        uint8_t *plain = opener->plain.bytes + used;
        items[i].result =
            csv_sealed_parse(items[i].record, items[i].size, CSN_WIRE_DIRECTION_OUTPUT, sealed);
        if (items[i].result == CSN_OK) {
            items[i].result = check_addressee(opener, &sealed->header);
        }
        if (items[i].result != CSN_OK) {
            continue;
        }
        used += items[i].size;
        if (is_fast(opener, sealed, &context)) {
            fill_item(sealed, context, plain, &opener->items[ready]);
            opener->item_index[ready++] = i;
            continue;
        }
        /* It may replace keys that the others point to: they go first. */
        struct csv_sealed alone = *sealed;
        finish_fast(opener, items, &ready);
        items[i].result = open_alone(opener, &alone, plain);
        if (items[i].result == CSN_OK) {
            items[i].result = accept(opener, &alone, plain, &items[i]);
        }
    }
    finish_fast(opener, items, &ready);
}

csn_err csv_open_batch(struct csv_opener *opener, struct csv_open_item *items, uint32_t count)
{
    for (uint32_t done = 0; done < count;) {
        uint32_t step = count - done < BATCH_MAX ? count - done : BATCH_MAX;
        CSN_TRY(csv_plain_reserve(&opener->plain, items + done, step));
        open_some(opener, items + done, step);
        done += step;
    }
    return CSN_OK;
}

csn_err csv_field_open(struct csv_opener *opener, const void *record, uint32_t size, uint8_t *value,
                       uint32_t *value_size)
{
    struct csv_sealed sealed;
    struct csv_open_item room = {.size = size};
    CSN_TRY(csv_sealed_parse(record, size, CSN_WIRE_DIRECTION_FIELD, &sealed));
    CSN_TRY(check_addressee(opener, &sealed.header));
    CSN_TRY(csv_plain_reserve(&opener->plain, &room, 1));
    CSN_TRY(open_alone(opener, &sealed, opener->plain.bytes));
    *value_size = sealed.header.cipher_size;
    __builtin_memcpy(value, opener->plain.bytes, sealed.header.cipher_size);
    csn_wipe(opener->plain.bytes, sealed.header.cipher_size);
    return CSN_OK;
}
