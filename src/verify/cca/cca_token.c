/* SPDX-License-Identifier: Apache-2.0 */
/* cca_token.c: see cca_token.h. Unknown claims are left alone: they are signed, too. */
#include "verify/cca/cca_token.h"

#define LABEL_PLATFORM_TOKEN 44234
#define LABEL_REALM_TOKEN    44241
#define LABEL_KEY_ID         4 /* of a COSE header */

enum {
    CLAIM_NONCE = 10,
    CLAIM_INSTANCE_ID = 256,
    CLAIM_PROFILE = 265,
    CLAIM_LIFECYCLE = 2395,
    CLAIM_IMPLEMENTATION_ID = 2396,
    CLAIM_COMPONENTS = 2399,
    CLAIM_CONFIG = 2401,
    CLAIM_HASH = 2402,
    CLAIM_PERSONALIZATION = 44235,
    CLAIM_REALM_HASH = 44236,
    CLAIM_RAK = 44237,
    CLAIM_RIM = 44238,
    CLAIM_REM = 44239,
    CLAIM_RAK_HASH = 44240,
    COMPONENT_TYPE = 1,
    COMPONENT_MEASUREMENT = 2,
    COMPONENT_SIGNER = 5,
};

#define TEXT_SIZE_MAX   256
#define CONFIG_SIZE_MAX 4096

/* A digest of one of the three hashes. */
static bool is_digest(const struct csv_cbor *value)
{
    size_t size = value->bytes.size;
    return value->kind == CSV_CBOR_BYTES && (size == 32 || size == 48 || size == 64);
}

static bool read_digest(const struct csv_cbor *map, int64_t label, struct csv_bytes *bytes)
{
    struct csv_cbor value;
    bool found = csv_cbor_at(map, label, &value) && is_digest(&value);
    *bytes = value.bytes;
    return found;
}

static bool read_sized(const struct csv_cbor *map, int64_t label, size_t size,
                       struct csv_bytes *bytes)
{
    struct csv_cbor value;
    if (!csv_cbor_at(map, label, &value) || value.kind != CSV_CBOR_BYTES) {
        return false;
    }
    *bytes = value.bytes;
    return bytes->size == size;
}

static bool read_text(const struct csv_cbor *map, int64_t label, struct csv_arena *arena,
                      const char **text)
{
    struct csv_cbor value;
    if (!csv_cbor_at(map, label, &value) || value.kind != CSV_CBOR_TEXT ||
        value.bytes.size > TEXT_SIZE_MAX) {
        return false;
    }
    *text = csv_text_foreign(arena, value.bytes.at, value.bytes.size);
    return true;
}

static bool read_hash_name(const struct csv_cbor *map, int64_t label, struct csv_arena *arena,
                           const char **name)
{
    return read_text(map, label, arena, name) && csv_cca_hash(*name) != NULL;
}

/* A key id tells which key to try, no more; anything else unsigned is refused. */
static bool headers_are_plain(const struct csv_cose *cose)
{
    struct csv_cbor value;
    return cose->unprotected.number == 0 ||
           (cose->unprotected.number == 1 && csv_cbor_at(&cose->unprotected, LABEL_KEY_ID, &value));
}

bool csv_cca_open(struct csv_bytes token, struct csv_cose *platform, struct csv_cose *realm,
                  const char **why)
{
    struct csv_cbor item;
    struct csv_cbor halves[2];
    if (!csv_cbor_open(token, &item, why)) {
        return false;
    }
    *why = "not a map of two tokens under tag 399";
    struct csv_reader inside = csv_cbor_inside(&item);
    if (item.kind != CSV_CBOR_TAG || item.number != CSV_CCA_TAG || !csv_cbor_next(&inside, &item) ||
        item.kind != CSV_CBOR_MAP || item.number != 2 ||
        !csv_cbor_at(&item, LABEL_PLATFORM_TOKEN, &halves[0]) ||
        !csv_cbor_at(&item, LABEL_REALM_TOKEN, &halves[1]) || halves[0].kind != CSV_CBOR_BYTES ||
        halves[1].kind != CSV_CBOR_BYTES) {
        return false;
    }
    if (!csv_cose_open(halves[0].bytes, platform, why) ||
        !csv_cose_open(halves[1].bytes, realm, why)) {
        return false;
    }
    *why = headers_are_plain(platform) && headers_are_plain(realm) ? NULL : "an unsigned header";
    return *why == NULL;
}

/* "TYPE:MEASUREMENT:SIGNER" of one component. */
static const char *component_text(const struct csv_cbor *component, struct csv_arena *arena)
{
    const char *type = "";
    struct csv_cbor value;
    struct csv_bytes measurement;
    struct csv_bytes signer;
    if (component->kind != CSV_CBOR_MAP ||
        !read_digest(component, COMPONENT_MEASUREMENT, &measurement) ||
        !read_digest(component, COMPONENT_SIGNER, &signer) ||
        (csv_cbor_at(component, COMPONENT_TYPE, &value) &&
         !read_text(component, COMPONENT_TYPE, arena, &type))) {
        return NULL;
    }
    return csv_text(arena, "%s:%s:%s", type, csv_text_hex(arena, measurement.at, measurement.size),
                    csv_text_hex(arena, signer.at, signer.size));
}

static bool read_components(const struct csv_cbor *map, struct csv_arena *arena,
                            struct csv_cca_platform *platform)
{
    struct csv_cbor list;
    if (!csv_cbor_at(map, CLAIM_COMPONENTS, &list) || list.kind != CSV_CBOR_ARRAY ||
        list.number == 0 || list.number > CSV_CCA_COMPONENT_COUNT_MAX) {
        return false;
    }
    platform->components = csv_take(arena, list.number, sizeof *platform->components);
    struct csv_reader reader = csv_cbor_inside(&list);
    while (platform->components != NULL && platform->component_count < list.number) {
        struct csv_cbor component;
        const char *text =
            csv_cbor_next(&reader, &component) ? component_text(&component, arena) : NULL;
        if (text == NULL) {
            return false;
        }
        platform->components[platform->component_count++] = text;
    }
    return platform->components != NULL;
}

static const char *platform_fault(const struct csv_cbor *map, struct csv_arena *arena,
                                  struct csv_cca_platform *platform)
{
    struct csv_cbor value;
    if (!read_text(map, CLAIM_PROFILE, arena, &platform->profile) ||
        (strcmp(platform->profile, "http://arm.com/CCA-SSD/1.0.0") != 0 &&
         strcmp(platform->profile, "tag:arm.com,2023:cca_platform#1.0.0") != 0)) {
        return "a platform profile that is not known";
    }
    if (!read_digest(map, CLAIM_NONCE, &platform->nonce)) {
        return "a platform nonce that is not a digest";
    }
    if (!read_sized(map, CLAIM_IMPLEMENTATION_ID, 32, &platform->implementation_id)) {
        return "an implementation id that is not 32 bytes";
    }
    if (!read_sized(map, CLAIM_INSTANCE_ID, 33, &platform->instance_id) ||
        platform->instance_id.at[0] != 1) {
        return "an instance id that is not a byte 1 and 32 others";
    }
    if (!csv_cbor_at(map, CLAIM_CONFIG, &value) || value.kind != CSV_CBOR_BYTES ||
        value.bytes.size > CONFIG_SIZE_MAX) {
        return "a configuration that is not a string of bytes";
    }
    platform->config = value.bytes;
    if (!csv_cbor_at(map, CLAIM_LIFECYCLE, &value) || value.kind != CSV_CBOR_UINT ||
        value.number > UINT16_MAX) {
        return "a lifecycle that is not a number of 16 bits";
    }
    platform->lifecycle = value.number;
    if (!read_hash_name(map, CLAIM_HASH, arena, &platform->hash_algorithm)) {
        return "a platform hash that is not known";
    }
    return read_components(map, arena, platform)
               ? NULL
               : "software components that are not a list of measurements";
}

bool csv_cca_read_platform(struct csv_bytes payload, struct csv_arena *arena,
                           struct csv_cca_platform *platform, const char **why)
{
    struct csv_cbor map;
    *platform = (struct csv_cca_platform){0};
    if (!csv_cbor_open(payload, &map, why)) {
        return false;
    }
    *why = map.kind == CSV_CBOR_MAP ? platform_fault(&map, arena, platform)
                                    : "the platform's claims are not a map";
    return *why == NULL;
}

static bool read_rem(const struct csv_cbor *map, struct csv_cca_realm *realm)
{
    struct csv_cbor list;
    if (!csv_cbor_at(map, CLAIM_REM, &list) || list.kind != CSV_CBOR_ARRAY ||
        list.number != CSV_CCA_REM_COUNT) {
        return false;
    }
    struct csv_reader reader = csv_cbor_inside(&list);
    for (size_t i = 0; i < CSV_CCA_REM_COUNT; i++) {
        struct csv_cbor value;
        if (!csv_cbor_next(&reader, &value) || !is_digest(&value)) {
            return false;
        }
        realm->rem[i] = value.bytes;
    }
    return true;
}

static const char *realm_fault(const struct csv_cbor *map, struct csv_arena *arena,
                               struct csv_cca_realm *realm)
{
    struct csv_cbor value;
    if (csv_cbor_at(map, CLAIM_PROFILE, &value) &&
        (!read_text(map, CLAIM_PROFILE, arena, &realm->profile) ||
         strcmp(realm->profile, "tag:arm.com,2023:realm#1.0.0") != 0)) {
        return "a realm profile that is not known";
    }
    if (!read_sized(map, CLAIM_NONCE, 64, &realm->challenge)) {
        return "a challenge that is not 64 bytes";
    }
    if (!read_sized(map, CLAIM_PERSONALIZATION, 64, &realm->personalization)) {
        return "a personalization value that is not 64 bytes";
    }
    if (!read_hash_name(map, CLAIM_REALM_HASH, arena, &realm->hash_algorithm) ||
        !read_hash_name(map, CLAIM_RAK_HASH, arena, &realm->rak_hash_algorithm)) {
        return "a realm hash that is not known";
    }
    if (!csv_cbor_at(map, CLAIM_RAK, &value) || value.kind != CSV_CBOR_BYTES) {
        return "a realm key that is not a string of bytes";
    }
    realm->rak = value.bytes;
    if (!read_digest(map, CLAIM_RIM, &realm->rim) || !read_rem(map, realm)) {
        return "measurements that are not one digest and four";
    }
    return NULL;
}

bool csv_cca_read_realm(struct csv_bytes payload, struct csv_arena *arena,
                        struct csv_cca_realm *realm, const char **why)
{
    struct csv_cbor map;
    *realm = (struct csv_cca_realm){0};
    if (!csv_cbor_open(payload, &map, why)) {
        return false;
    }
    *why = map.kind == CSV_CBOR_MAP ? realm_fault(&map, arena, realm)
                                    : "the realm's claims are not a map";
    return *why == NULL;
}
