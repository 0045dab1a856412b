/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyfile.c: tenants, credentials and consumers, and the bytes of their files.
 *
 * A file is 16 bytes (magic, version, kind, body size), the struct as it lies in memory (no
 * padding, little-endian) and a SHA-256 against damage; it is not encrypted: guard it as a key.
 */
#include "../crypto/curve.h"
#include "sealed.h"

#define FILE_MAGIC      UINT32_C(0x4b565343) /* "CSVK" */
#define FILE_VERSION    1u
#define KIND_TENANT     1u
#define KIND_CREDENTIAL 2u
#define KIND_CONSUMER   3u

struct file_head {
    uint32_t magic;
    uint32_t version;
    uint32_t kind;
    uint32_t size;
};
_Static_assert(sizeof(struct file_head) == 16, "size");
_Static_assert(sizeof(struct csv_tenant) ==
                   152 + CSN_WIRE_RECIPIENT_COUNT_MAX * sizeof(struct csn_wire_recipient) +
                       CSN_WIRE_CONSUMER_COUNT_MAX * sizeof(struct csn_wire_consumer) +
                       CSN_WIRE_CREDENTIAL_COUNT_MAX * sizeof(struct csn_wire_credential),
               "no padding");
_Static_assert(sizeof(struct csv_credential) == 72, "no padding");
_Static_assert(sizeof(struct csv_consumer) == 168, "no padding");

/* ---- making ---- */

static csn_err new_recipient(struct csn_wire_recipient *recipient)
{
    CSN_TRY(csv_random(recipient->secret_key, 32));
    csn_x25519_public(recipient->public_key, recipient->secret_key);
    return CSN_OK;
}

csn_err csv_tenant_new(struct csv_tenant *tenant)
{
    struct csv_tenant made = {.open_failures_max = 4096, .recipient_count = 1};
    CSN_TRY(csv_random(made.root_seed, 32));
    CSN_TRY(csv_random(made.domain_secret, 32));
    CSN_TRY(new_recipient(&made.recipients[0]));
    csn_ed25519_public(made.root_key, made.root_seed);
    csn_tenant_id(made.root_key, made.id);
    *tenant = made;
    csn_wipe(&made, sizeof made);
    return CSN_OK;
}

csn_err csv_tenant_rotate(struct csv_tenant *tenant)
{
    struct csn_wire_recipient fresh;
    CSN_TRY(new_recipient(&fresh));
    if (tenant->recipient_count < CSN_WIRE_RECIPIENT_COUNT_MAX) {
        tenant->recipient_count++;
    }
    for (uint32_t i = tenant->recipient_count - 1; i > 0; i--) {
        tenant->recipients[i] = tenant->recipients[i - 1];
    }
    tenant->recipients[0] = fresh;
    csn_wipe(&fresh, sizeof fresh);
    return CSN_OK;
}

/* Ids of credentials are random: two tenants, or two files of one, never collide by counting. */
csn_err csv_tenant_add_consumer(struct csv_tenant *tenant, const char *name, bool enclave_may_open,
                                struct csv_consumer *consumer)
{
    struct csv_consumer made = {.credential = 0};
    size_t length = __builtin_strlen(name);
    if (length == 0 || length >= sizeof made.name) {
        return CSN_ERR_ARGUMENT;
    }
    __builtin_memcpy(made.name, name, length);
    for (uint32_t i = 0; i < tenant->consumer_count; i++) {
        if (__builtin_memcmp(tenant->consumers[i].name, made.name, sizeof made.name) == 0) {
            return CSN_ERR_ARGUMENT;
        }
    }
    if (tenant->consumer_count >= CSN_WIRE_CONSUMER_COUNT_MAX) {
        return CSN_ERR_LIMIT;
    }
    CSN_TRY(csv_random(&made.credential, sizeof made.credential));
    CSN_TRY(csv_random(made.secret, 32));
    CSN_TRY(csv_random(made.secret_key, 32));
    csn_x25519_public(made.public_key, made.secret_key);
    __builtin_memcpy(made.tenant, tenant->id, 32);

    struct csn_wire_consumer *wire = &tenant->consumers[tenant->consumer_count++];
    *wire = (struct csn_wire_consumer){.credential = made.credential};
    __builtin_memcpy(wire->name, made.name, sizeof wire->name);
    __builtin_memcpy(wire->credential_secret, made.secret, 32);
    __builtin_memcpy(wire->public_key, made.public_key, 32);
    if (enclave_may_open) {
        __builtin_memcpy(wire->secret_key, made.secret_key, 32);
    }
    *consumer = made;
    csn_wipe(&made, sizeof made);
    return CSN_OK;
}

csn_err csv_tenant_add_producer(struct csv_tenant *tenant, const struct csv_rights *rights,
                                struct csv_credential *credential)
{
    struct csv_credential made;
    if (rights->consumer != CSN_WIRE_CONSUMER_NONE && rights->consumer >= tenant->consumer_count) {
        return CSN_ERR_ARGUMENT;
    }
    if (tenant->credential_count >= CSN_WIRE_CREDENTIAL_COUNT_MAX) {
        return CSN_ERR_LIMIT;
    }
    CSN_TRY(csv_random(&made.id, sizeof made.id));
    CSN_TRY(csv_random(made.secret, 32));
    __builtin_memcpy(made.tenant, tenant->id, 32);
    struct csn_wire_credential *wire = &tenant->credentials[tenant->credential_count++];
    *wire = (struct csn_wire_credential){.id = made.id,
                                         .rights = rights->rights,
                                         .consumer = rights->consumer,
                                         .field_mask = rights->field_mask,
                                         .purpose_mask = rights->purpose_mask,
                                         .budget = rights->budget};
    __builtin_memcpy(wire->secret, made.secret, 32);
    *credential = made;
    csn_wipe(&made, sizeof made);
    return CSN_OK;
}

/* ---- taking out ---- */

/* Closes the gap at `index` and wipes the place that falls free. */
static void close_gap(void *items, size_t item_size, uint32_t index, uint32_t *count)
{
    uint8_t *gap = (uint8_t *)items + index * item_size;
    uint32_t behind = --*count - index;
    __builtin_memmove(gap, gap + item_size, behind * item_size);
    csn_wipe(gap + behind * item_size, item_size);
}

csn_err csv_tenant_remove_producer(struct csv_tenant *tenant, uint64_t credential)
{
    for (uint32_t i = 0; i < tenant->credential_count; i++) {
        if (tenant->credentials[i].id == credential) {
            close_gap(tenant->credentials, sizeof tenant->credentials[0], i,
                      &tenant->credential_count);
            return CSN_OK;
        }
    }
    return CSN_ERR_UNKNOWN;
}

csn_err csv_tenant_remove_consumer(struct csv_tenant *tenant, const char *name)
{
    uint32_t index = 0;
    while (index < tenant->consumer_count &&
           __builtin_strcmp(tenant->consumers[index].name, name) != 0) {
        index++;
    }
    if (index == tenant->consumer_count) {
        return CSN_ERR_UNKNOWN;
    }
    for (uint32_t i = 0; i < tenant->credential_count; i++) {
        if (tenant->credentials[i].consumer == index) {
            return CSN_ERR_STATE;
        }
    }
    close_gap(tenant->consumers, sizeof tenant->consumers[0], index, &tenant->consumer_count);
    for (uint32_t i = 0; i < tenant->credential_count; i++) { /* those behind it moved up */
        uint32_t *consumer = &tenant->credentials[i].consumer;
        *consumer -= *consumer != CSN_WIRE_CONSUMER_NONE && *consumer > index ? 1 : 0;
    }
    return CSN_OK;
}

/* ---- files ---- */

static void encode(uint32_t kind, const void *body, uint32_t size, uint8_t *file)
{
    const struct file_head head = {
        .magic = FILE_MAGIC, .version = FILE_VERSION, .kind = kind, .size = size};
    __builtin_memcpy(file, &head, sizeof head);
    __builtin_memcpy(file + sizeof head, body, size);
    csn_sha256(file, sizeof head + size, file + sizeof head + size);
}

static csn_err decode(uint32_t kind, const void *file, size_t file_size, void *body, uint32_t size)
{
    struct file_head head;
    uint8_t digest[32];
    if (file_size != sizeof head + size + sizeof digest) {
        return CSN_ERR_FORMAT;
    }
    __builtin_memcpy(&head, file, sizeof head);
    if (head.magic != FILE_MAGIC || head.version != FILE_VERSION || head.kind != kind ||
        head.size != size) {
        return CSN_ERR_FORMAT;
    }
    csn_sha256(file, sizeof head + size, digest);
    if (!csn_equal_ct(digest, (const uint8_t *)file + sizeof head + size, sizeof digest)) {
        return CSN_ERR_FORMAT;
    }
    __builtin_memcpy(body, (const uint8_t *)file + sizeof head, size);
    return CSN_OK;
}

void csv_tenant_encode(const struct csv_tenant *tenant, uint8_t file[])
{
    encode(KIND_TENANT, tenant, sizeof *tenant, file);
}

void csv_credential_encode(const struct csv_credential *credential, uint8_t file[])
{
    encode(KIND_CREDENTIAL, credential, sizeof *credential, file);
}

void csv_consumer_encode(const struct csv_consumer *consumer, uint8_t file[])
{
    encode(KIND_CONSUMER, consumer, sizeof *consumer, file);
}

csn_err csv_tenant_decode(const void *file, size_t size, struct csv_tenant *tenant)
{
    struct csv_tenant read;
    uint8_t root_key[32];
    uint8_t id[32];
    CSN_TRY(decode(KIND_TENANT, file, size, &read, sizeof read));
    csn_ed25519_public(root_key, read.root_seed);
    csn_tenant_id(root_key, id);
    bool sound = __builtin_memcmp(root_key, read.root_key, 32) == 0 &&
                 __builtin_memcmp(id, read.id, 32) == 0 && read.recipient_count != 0 &&
                 read.recipient_count <= CSN_WIRE_RECIPIENT_COUNT_MAX &&
                 read.consumer_count <= CSN_WIRE_CONSUMER_COUNT_MAX &&
                 read.credential_count <= CSN_WIRE_CREDENTIAL_COUNT_MAX;
    if (sound) {
        *tenant = read;
    }
    csn_wipe(&read, sizeof read);
    return sound ? CSN_OK : CSN_ERR_FORMAT;
}

csn_err csv_credential_decode(const void *file, size_t size, struct csv_credential *credential)
{
    return decode(KIND_CREDENTIAL, file, size, credential, sizeof *credential);
}

csn_err csv_consumer_decode(const void *file, size_t size, struct csv_consumer *consumer)
{
    return decode(KIND_CONSUMER, file, size, consumer, sizeof *consumer);
}
