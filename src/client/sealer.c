/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealer.c: a producer's context: one key exchange, then records at the AEAD's speed.
 *
 * Secrets:  live in one page of their own that a fork wipes in the child, is locked where limits
 *           allow, and is kept out of core files. Never written anywhere.
 * Nonces:   a sequence number is taken before it is used and never given back; salts are fresh at
 *           start, after a fork (with a whole new context) and every 2^20 records.
 */
#include "sealer.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PRELUDE ((uint32_t)sizeof(struct csn_wire_prelude))

/* ---- contexts ---- */

static csn_err take_salt(struct csv_sealer *sealer)
{
    uint8_t salt[16];
    CSN_TRY(csv_random(salt, sizeof salt));
    __builtin_memcpy(sealer->salt, salt, sizeof salt);
    csn_record_key_from_salt(sealer->secrets->context.base, salt, &sealer->secrets->key);
    csn_context_id(&sealer->binding, sealer->encapsulation, salt, sealer->context_id);
    sealer->salt_count = 0;
    sealer->salt_sent = false;
    return CSN_OK;
}

/* A new key exchange: at start, and in a forked child, whose parent goes on with the old one. */
static csn_err open_context(struct csv_sealer *sealer)
{
    uint8_t ephemeral[32];
    CSN_TRY(csv_random(ephemeral, sizeof ephemeral));
    csn_err result =
        csn_record_sender(&sealer->binding, sealer->credential.secret, sealer->public_key,
                          ephemeral, sealer->encapsulation, &sealer->secrets->context);
    csn_wipe(ephemeral, sizeof ephemeral);
    CSN_TRY(result);
    sealer->sequence = 0;
    sealer->hello_sequence = 0;
    sealer->finished = false;
    sealer->short_allowed = false;
    csn_wipe(&sealer->replies, sizeof sealer->replies);
    CSN_TRY(take_salt(sealer));
    sealer->owner = getpid();
    sealer->secrets->alive = CSV_SEALER_ALIVE;
    return CSN_OK;
}

static csn_err before_use(struct csv_sealer *sealer, uint32_t count)
{
    if (sealer->secrets->alive != CSV_SEALER_ALIVE ||
        (!sealer->wiped_by_fork && sealer->owner != getpid())) {
        if (sealer->binding.mode == CSN_WIRE_MODE_WINDOW) {
            /* One challenge, one context: the child asks the enclave for its own. */
            return CSN_ERR_STATE;
        }
        CSN_TRY(open_context(sealer));
    }
    if (sealer->finished) {
        return CSN_ERR_STATE;
    }
    if (sealer->sequence + count >= CSN_WIRE_SEQUENCE_HELLO) {
        return CSN_ERR_LIMIT;
    }
    if (sealer->salt_count + count > CSN_WIRE_SALT_RECORDS_MAX) {
        return take_salt(sealer);
    }
    return CSN_OK;
}

static struct csv_sealer_secrets *map_secrets(size_t *size, bool *wiped_by_fork)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    *size = (sizeof(struct csv_sealer_secrets) + page - 1) / page * page;
    void *map = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        return NULL;
    }
    *wiped_by_fork = madvise(map, *size, MADV_WIPEONFORK) == 0;
    /* Best effort, both: nothing depends on them. */
    (void)madvise(map, *size, MADV_DONTDUMP);
    (void)mlock(map, *size);
    return map;
}

csn_err csv_sealer_create(const struct csv_sealer_options *options, struct csv_sealer **sealer_out)
{
    const struct csv_recipient *recipient = options->recipient;
    const struct csv_credential *credential = options->credential;
    if (recipient->kind != CSV_RECIPIENT_RECIPIENT || recipient->suite != CSN_WIRE_SUITE ||
        __builtin_memcmp(recipient->tenant, credential->tenant, 32) != 0) {
        return CSN_ERR_ARGUMENT;
    }
    struct csv_sealer *sealer = aligned_alloc(64, (sizeof *sealer + 63) / 64 * 64);
    if (sealer == NULL) {
        return CSN_ERR_MEMORY;
    }
    __builtin_memset(sealer, 0, sizeof *sealer);
    sealer->secrets = map_secrets(&sealer->secrets_size, &sealer->wiped_by_fork);
    if (sealer->secrets == NULL) {
        free(sealer);
        return CSN_ERR_MEMORY;
    }
    sealer->credential = *credential;
    sealer->grant_version = options->grant_version > recipient->grant_version
                                ? options->grant_version
                                : recipient->grant_version;
    __builtin_memcpy(sealer->public_key, recipient->public_key, 32);
    sealer->binding = (struct csn_binding){.direction = CSN_WIRE_DIRECTION_REQUEST,
                                           .mode = CSN_WIRE_MODE_IDEMPOTENT,
                                           .credential = credential->id};
    __builtin_memcpy(sealer->binding.tenant, credential->tenant, 32);
    csn_key_id(recipient->public_key, sealer->binding.key_id);
    if (options->challenge != NULL) {
        sealer->binding.mode = CSN_WIRE_MODE_WINDOW;
        sealer->binding.challenge = *options->challenge;
    }
    csn_err result = open_context(sealer);
    if (result != CSN_OK) {
        csv_sealer_destroy(sealer);
        return result;
    }
    *sealer_out = sealer;
    return CSN_OK;
}

void csv_sealer_destroy(struct csv_sealer *sealer)
{
    if (sealer == NULL) {
        return;
    }
    csv_plain_wipe(&sealer->plain);
    csn_wipe(sealer->secrets, sizeof *sealer->secrets);
    (void)munmap(sealer->secrets, sealer->secrets_size);
    csn_wipe(sealer, sizeof *sealer);
    free(sealer);
}

void csv_sealer_short(struct csv_sealer *sealer, uint32_t handle)
{
    sealer->handle = handle & ~CSN_WIRE_SHORT;
    sealer->short_allowed = true;
}

void csv_sealer_full(struct csv_sealer *sealer)
{
    sealer->short_allowed = false;
}

csn_err csv_sealer_renew(struct csv_sealer *sealer)
{
    CSN_TRY(before_use(sealer, 0));
    return take_salt(sealer);
}

uint64_t csv_sealer_count(const struct csv_sealer *sealer)
{
    return sealer->sequence;
}

/* ---- records ---- */

static uint32_t class_size(uint32_t payload_size)
{
    uint32_t index = payload_size <= CSN_WIRE_PAYLOAD_MAX
                         ? csn_wire_class_for(payload_size + CSN_WIRE_CLASS_BESIDE)
                         : CSN_WIRE_CLASS_COUNT;
    return index < CSN_WIRE_CLASS_COUNT ? csn_wire_input_class(index) : 0;
}

uint32_t csv_record_size(uint32_t payload_size, uint32_t route_size)
{
    uint32_t size = class_size(payload_size);
    if (size == 0 || route_size > CSN_WIRE_ROUTE_SIZE_MAX) {
        return 0;
    }
    return CSV_RECORD_SIZE + route_size + size + CSN_WIRE_TAG_SIZE;
}

/* What differs between data, FIN and hello records. */
struct shape {
    uint32_t prelude_flags;
    uint8_t header_flags;
    bool short_form;
};

static uint32_t write_full(struct csv_sealer *sealer, const struct csv_seal_item *item,
                           const struct shape *shape, uint64_t sequence, uint32_t plain_size)
{
    struct csn_wire_record header = {.kind = CSN_WIRE_RECORD,
                                     .version = CSN_WIRE_RECORD_VERSION,
                                     .direction = CSN_WIRE_DIRECTION_REQUEST,
                                     .mode = sealer->binding.mode,
                                     .flags = shape->header_flags,
                                     .suite = CSN_WIRE_SUITE,
                                     .encapsulation_size = 32,
                                     .route_size = item->route_size,
                                     .cipher_size = plain_size,
                                     .credential = sealer->binding.credential,
                                     .grant_version = sealer->grant_version,
                                     .sequence = sequence,
                                     .challenge = sealer->binding.challenge.counter};
    __builtin_memcpy(header.tenant, sealer->binding.tenant, 32);
    __builtin_memcpy(header.key_id, sealer->binding.key_id, 8);
    __builtin_memcpy(header.salt, sealer->salt, 16);
    __builtin_memcpy(header.encapsulation, sealer->encapsulation, 32);
    __builtin_memcpy(header.commitment, sealer->secrets->context.commitment, 32);
    __builtin_memcpy(item->record, &header, sizeof header);
    if (item->route_size != 0) {
        __builtin_memcpy(item->record + sizeof header, item->route, item->route_size);
    }
    return CSV_RECORD_SIZE + item->route_size;
}

static uint32_t write_short(struct csv_sealer *sealer, const struct csv_seal_item *item,
                            uint64_t sequence, uint32_t plain_size,
                            struct csn_wire_short_aad *short_aad)
{
    const uint64_t first = csn_wire_short_first(CSN_WIRE_SHORT | sealer->handle, plain_size);
    csn_store_pair(&short_aad->header, first, sequence);
    csn_store_pair(item->record, first, sequence);
    __builtin_memcpy(short_aad->context_id, sealer->context_id, 32);
    return sizeof short_aad->header;
}

static void write_plain(uint8_t *at, const struct csv_seal_item *item, const struct shape *shape,
                        uint32_t plain_size)
{
    uint32_t filled = PRELUDE + item->payload_size;
    csn_store_pair(at, csn_wire_prelude_first(item->operation, item->payload_size),
                   (uint64_t)item->purpose << 32 | shape->prelude_flags);
    if (item->payload_size != 0) {
        __builtin_memcpy(at + PRELUDE, item->payload, item->payload_size);
    }
    if (filled != plain_size) {
        __builtin_memset(at + filled, 0, plain_size - filled);
    }
}

/* Everything but the AEAD, which the caller runs over the batch. False: item->result says why. */
static bool prepare(struct csv_sealer *sealer, struct csv_seal_item *item,
                    const struct shape *shape, uint64_t sequence, uint32_t slot)
{
    uint32_t plain_size = class_size(item->payload_size);
    struct csn_gcm_item *gcm = &sealer->items[slot];
    if (plain_size == 0 || item->route_size > CSN_WIRE_ROUTE_SIZE_MAX) {
        item->result = CSN_ERR_ARGUMENT;
        return false;
    }
    uint32_t head = shape->short_form ? (uint32_t)sizeof(struct csn_wire_short)
                                      : CSV_RECORD_SIZE + item->route_size;
    item->record_size = head + plain_size + CSN_WIRE_TAG_SIZE;
    if (item->record_size_max < item->record_size) {
        item->result = CSN_ERR_SPACE;
        return false;
    }
    uint8_t *plain = item->record + head;
    *gcm = (struct csn_gcm_item){.key = &sealer->secrets->key.key,
                                 .aad = item->record,
                                 .aad_size = head,
                                 .size = plain_size,
                                 .input = plain,
                                 .output = plain,
                                 .tag = plain + plain_size};
    if (shape->short_form) {
        struct csn_wire_short_aad *short_aad = &sealer->short_aads[slot];
        write_short(sealer, item, sequence, plain_size, short_aad);
        gcm->aad = (const uint8_t *)short_aad;
        gcm->aad_size = sizeof *short_aad;
    } else {
        write_full(sealer, item, shape, sequence, plain_size);
        sealer->salt_sent = true;
    }
    write_plain(plain, item, shape, plain_size);
    csn_aead_nonce(sealer->secrets->key.iv, sequence, gcm->nonce);
    sealer->salt_count++;
    item->sequence = sequence;
    item->result = CSN_OK;
    return true;
}

static void seal_some(struct csv_sealer *sealer, struct csv_seal_item *items, uint32_t count)
{
    uint32_t ready = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct shape shape = {.short_form = sealer->short_allowed && sealer->salt_sent &&
                                            items[i].route_size == 0};
        if (prepare(sealer, &items[i], &shape, sealer->sequence, ready)) {
            sealer->sequence++;
            ready++;
        }
    }
    csn_gcm_seal_batch(sealer->items, ready);
}

csn_err csv_seal_batch(struct csv_sealer *sealer, struct csv_seal_item *items, uint32_t count)
{
    for (uint32_t done = 0; done < count;) {
        uint32_t step = count - done < CSV_SEALER_BATCH ? count - done : CSV_SEALER_BATCH;
        CSN_TRY(before_use(sealer, step));
        seal_some(sealer, items + done, step);
        done += step;
    }
    return CSN_OK;
}

static csn_err seal_one(struct csv_sealer *sealer, const struct shape *shape, uint64_t sequence,
                        struct csv_seal_item *item, uint32_t *record_size)
{
    bool sealed = prepare(sealer, item, shape, sequence, 0);
    *record_size = item->record_size;
    if (sealed) {
        csn_gcm_seal_batch(sealer->items, 1);
    }
    return item->result;
}

csn_err csv_seal_fin(struct csv_sealer *sealer, uint8_t *record, uint32_t record_size_max,
                     uint32_t *record_size)
{
    CSN_TRY(before_use(sealer, 1));
    uint64_t count = sealer->sequence;
    const struct shape shape = {.prelude_flags = CSN_WIRE_PRELUDE_FIN};
    struct csv_seal_item item = {.payload = &count,
                                 .payload_size = sizeof count,
                                 .record = record,
                                 .record_size_max = record_size_max};
    CSN_TRY(seal_one(sealer, &shape, sealer->sequence, &item, record_size));
    sealer->finished = true;
    return CSN_OK;
}

csn_err csv_seal_hello(struct csv_sealer *sealer, uint8_t *record, uint32_t record_size_max,
                       uint32_t *record_size)
{
    CSN_TRY(before_use(sealer, 1));
    const struct shape shape = {.header_flags = CSN_WIRE_FLAG_HELLO};
    struct csv_seal_item item = {.record = record, .record_size_max = record_size_max};
    uint64_t sequence = CSN_WIRE_SEQUENCE_HELLO + sealer->hello_sequence;
    CSN_TRY(seal_one(sealer, &shape, sequence, &item, record_size));
    sealer->hello_sequence++;
    return CSN_OK;
}
