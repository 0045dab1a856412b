/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_seal.c: encrypt, decrypt, rewrap and data keys: a chunk of items side by side.
 *
 * Whatever is not right about a sealed text has one status, so that nobody learns what it was.
 */
#include "tra_state.h"

#define HEAD       ((uint32_t)sizeof(struct csn_wire_transit_sealed))
#define TAG        16u
#define BESIDE     CSN_WIRE_TRANSIT_SEALED_BESIDE
#define AT(member) offsetof(struct csn_wire_transit_bound, member)

_Static_assert(BESIDE == sizeof(struct csn_wire_transit_sealed) + TAG, "as the header says");

/* Items on their way through the cipher. */
struct chunk {
    struct csn_gcm_item gcm[TRA_CHUNK];
    struct tra_item *items[TRA_CHUNK];
    uint32_t count;
    /* Of the item before; the next one mostly has the same, and with a context never. */
    uint32_t number; /* as it was asked for */
    struct tra_version *version;
    struct tra_sealer *sealer; /* NULL: none yet */
};

static enum tra_use use_of(const struct tra_work *work)
{
    return work->operation == CSN_WIRE_TRANSIT_DATAKEY ||
                   work->operation == CSN_WIRE_TRANSIT_DATAKEY_OPEN
               ? TRA_USE_DATA_KEY
               : TRA_USE_DATA;
}

/*
 * What the text is bound to (struct csn_wire_transit_bound), then what the caller binds it to. Each
 * member goes where it will be read: a struct in between would be read while it is written. NULL:
 * no room.
 */
static uint8_t *bind(const struct tra_work *work, const struct tra_item *item, uint32_t version,
                     uint32_t *size)
{
    const uint32_t head = (uint32_t)sizeof(struct csn_wire_transit_bound);
    *size = head + item->extra_size;
    uint8_t *bytes = cse_scratch(work->call, *size);
    if (bytes == NULL) {
        return NULL;
    }
    memcpy(bytes + AT(label), "transit1", 8);
    memcpy(bytes + AT(tenant), work->store->tenant, 32);
    memcpy(bytes + AT(key_id), work->key->is.id, 16);
    csn_store_u32(bytes + AT(key_version), version);
    csn_store_u32(bytes + AT(kind), use_of(work)); /* with what is reserved behind it */
    csn_store_u32(bytes + AT(purpose), cse_purpose(work->call));
    csn_store_u32(bytes + AT(context_size), item->context_size);
    if (item->extra_size != 0) {
        memcpy(bytes + head, item->extra, item->extra_size);
    }
    return bytes;
}

static void nonce_of(uint64_t counter, uint8_t nonce[12])
{
    csn_store_u64(nonce, counter);
    memset(nonce + 8, 0, 4);
}

static bool is_as_before(const struct chunk *chunk, const struct tra_item *item, uint32_t number,
                         const uint8_t *salt)
{
    return chunk->sealer != NULL && chunk->number == number && item->context_size == 0 &&
           (salt == NULL
                ? tra_sealer_lasts(chunk->sealer)
                : memcmp(salt, chunk->sealer->of.salt, sizeof chunk->sealer->of.salt) == 0);
}

/* The key, and one use of it: what sealing and opening have in common. */
static cse_status prepare(struct tra_work *work, struct tra_item *item, uint32_t number,
                          const uint8_t *salt, struct chunk *chunk)
{
    const bool known = is_as_before(chunk, item, number, salt);
    struct tra_version *version = known ? chunk->version : tra_pick(work, number);
    if (version == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    item->version = version->number;
    cse_status status = tra_take_use(work, version);
    if (status != CSN_WIRE_STATUS_OK || known) {
        return status;
    }
    chunk->sealer = tra_sealer(work, version, use_of(work), item, salt);
    chunk->version = version;
    chunk->number = number;
    return chunk->sealer != NULL ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_INTERNAL;
}

/* Member by member, as in bind(). */
static void put_head(const struct tra_work *work, const struct tra_sealer *sealer, uint32_t version,
                     uint8_t *head)
{
    const uint32_t kind = use_of(work);
    csn_store_u32(head, CSN_WIRE_TRANSIT_SEALED_FORM | kind << 8);
    csn_store_u32(head + 4, version);
    memcpy(head + offsetof(struct csn_wire_transit_sealed, salt), sealer->of.salt, 24);
    csn_store_u64(head + offsetof(struct csn_wire_transit_sealed, counter), sealer->counter);
}

/* text: what is sealed, may lie where its ciphertext will. */
static cse_status add_seal(struct tra_work *work, struct tra_item *item, const uint8_t *text,
                           uint32_t size, struct chunk *chunk)
{
    uint32_t aad_size;
    cse_status status = prepare(work, item, item->version, NULL, chunk);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    struct tra_sealer *sealer = chunk->sealer;
    uint8_t *aad = bind(work, item, item->version, &aad_size);
    if (aad == NULL) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    struct csn_gcm_item *gcm = &chunk->gcm[chunk->count];
    put_head(work, sealer, item->version, item->output);
    *gcm = (struct csn_gcm_item){.key = &sealer->key,
                                 .aad = aad,
                                 .aad_size = aad_size,
                                 .size = size,
                                 .input = text,
                                 .output = item->output + HEAD,
                                 .tag = item->output + HEAD + size};
    nonce_of(sealer->counter++, gcm->nonce);
    item->output_size = size + BESIDE;
    chunk->items[chunk->count++] = item;
    return CSN_WIRE_STATUS_OK;
}

/* target: size of the text, may be where the ciphertext lies. */
static cse_status add_open(struct tra_work *work, struct tra_item *item, uint8_t *target,
                           struct chunk *chunk)
{
    struct csn_wire_transit_sealed head;
    uint32_t aad_size;
    if (item->input_size < BESIDE) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    memcpy(&head, item->input, HEAD);
    if (head.form != CSN_WIRE_TRANSIT_SEALED_FORM || head.kind != use_of(work) ||
        head.reserved != 0 || head.key_version == 0 ||
        (item->version != 0 && item->version != head.key_version)) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    cse_status status = prepare(work, item, head.key_version, head.salt, chunk);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    uint8_t *aad = bind(work, item, head.key_version, &aad_size);
    if (aad == NULL) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    const uint32_t size = item->input_size - BESIDE;
    struct csn_gcm_item *gcm = &chunk->gcm[chunk->count];
    uint8_t *tag = cse_scratch(work->call, TAG); /* opening only reads it */
    if (tag == NULL) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    memcpy(tag, item->input + HEAD + size, TAG);
    *gcm = (struct csn_gcm_item){.key = &chunk->sealer->key,
                                 .aad = aad,
                                 .aad_size = aad_size,
                                 .size = size,
                                 .input = item->input + HEAD,
                                 .output = target,
                                 .tag = tag};
    nonce_of(head.counter, gcm->nonce);
    item->output_size = size;
    chunk->items[chunk->count++] = item;
    return CSN_WIRE_STATUS_OK;
}

static void open_chunk(struct chunk *chunk)
{
    csn_gcm_open_batch(chunk->gcm, chunk->count);
    for (uint32_t i = 0; i < chunk->count; i++) {
        if (chunk->gcm[i].result != CSN_OK) {
            chunk->items[i]->status = CSN_WIRE_STATUS_NOT_FOUND;
        }
    }
    chunk->count = 0;
}

static void begin(struct chunk *chunk)
{
    chunk->count = 0;
    chunk->sealer = NULL;
}

static uint32_t next_chunk(const struct tra_work *work, uint32_t from)
{
    return work->count - from < TRA_CHUNK ? work->count : from + TRA_CHUNK;
}

/* A data key is drawn where it will be shown, or beside. */
static cse_status add_data_key(struct tra_work *work, struct tra_item *item, struct chunk *chunk)
{
    uint8_t *text =
        (work->flags & CSN_WIRE_TRANSIT_WRAPPED) != 0 ? item->output + HEAD : item->second;
    if (!cse_random(work->call, text, work->size)) {
        return CSN_WIRE_STATUS_INTERNAL;
    }
    item->second_size = (work->flags & CSN_WIRE_TRANSIT_WRAPPED) != 0 ? 0 : work->size;
    return add_seal(work, item, text, work->size, chunk);
}

void tra_seal_items(struct tra_work *work)
{
    struct chunk chunk;
    for (uint32_t from = 0; from < work->count; from += TRA_CHUNK) {
        begin(&chunk);
        for (uint32_t i = from; i < next_chunk(work, from); i++) {
            struct tra_item *item = &work->items[i];
            if (item->status == CSN_WIRE_STATUS_OK) {
                item->status = work->operation == CSN_WIRE_TRANSIT_DATAKEY
                                   ? add_data_key(work, item, &chunk)
                                   : add_seal(work, item, item->input, item->input_size, &chunk);
            }
        }
        csn_gcm_seal_batch(chunk.gcm, chunk.count);
    }
}

void tra_open_items(struct tra_work *work)
{
    struct chunk chunk;
    for (uint32_t from = 0; from < work->count; from += TRA_CHUNK) {
        begin(&chunk);
        for (uint32_t i = from; i < next_chunk(work, from); i++) {
            struct tra_item *item = &work->items[i];
            if (item->status == CSN_WIRE_STATUS_OK) {
                item->status = add_open(work, item, item->output, &chunk);
            }
        }
        open_chunk(&chunk);
    }
}

/* Opened where it will be sealed; the text is nowhere else. */
void tra_rewrap_items(struct tra_work *work)
{
    struct chunk chunk;
    for (uint32_t from = 0; from < work->count; from += TRA_CHUNK) {
        begin(&chunk);
        for (uint32_t i = from; i < next_chunk(work, from); i++) {
            struct tra_item *item = &work->items[i];
            if (item->status == CSN_WIRE_STATUS_OK) {
                item->status = add_open(work, item, item->output + HEAD, &chunk);
            }
        }
        open_chunk(&chunk);
        begin(&chunk);
        for (uint32_t i = from; i < next_chunk(work, from); i++) {
            struct tra_item *item = &work->items[i];
            if (item->status == CSN_WIRE_STATUS_OK) {
                item->version = 0; /* the newest */
                item->status = add_seal(work, item, item->output + HEAD, item->output_size, &chunk);
            }
        }
        csn_gcm_seal_batch(chunk.gcm, chunk.count);
    }
}
