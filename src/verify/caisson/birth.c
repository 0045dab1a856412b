/* SPDX-License-Identifier: Apache-2.0 */
/*
 * birth.c: statements of an appraised instance, and birth certificates, which are such statements
 * (docs/WIRE.md, 16).
 */
#include "verify/digest.h"
#include "verify/format.h"
#include <caisson/wire/birth.h>
#include <string.h>

#define PREFIX         "caisson-instance-statement-v1"
#define PREFIX_SIZE    (sizeof PREFIX - 1)
#define LABEL_SIZE_MAX 64u
#define SIGNATURE_SIZE 64u

csn_err csv_verdict_statement_check(const struct csv_verdict *verdict, const char *label,
                                    const void *bytes, size_t size, const uint8_t signature[64])
{
    const uint8_t *key = csv_verdict_statement_key(verdict);
    uint8_t message[PREFIX_SIZE + 1 + LABEL_SIZE_MAX + 32] = PREFIX;
    size_t label_size = strlen(label);
    size_t at = PREFIX_SIZE;
    if (key == NULL) {
        return CSN_ERR_STATE;
    }
    if (label_size == 0 || label_size > LABEL_SIZE_MAX) {
        return CSN_ERR_ARGUMENT;
    }
    message[at++] = (uint8_t)label_size;
    memcpy(message + at, label, label_size);
    at += label_size;
    return csv_sha256(bytes, size, message + at)
               ? csv_ed25519_check(key, signature, message, at + 32)
               : CSN_ERR_SYSTEM;
}

/* Bytes of public key that a type of key has. */
static const struct {
    const char *name;
    uint32_t public_size;
} types[CSN_WIRE_KEY_TYPE_LAST + 1] = {
    [CSN_WIRE_KEY_TYPE_AES_256] = {"aes-256", 0},
    [CSN_WIRE_KEY_TYPE_HMAC] = {"hmac", 0},
    [CSN_WIRE_KEY_TYPE_FF1] = {"ff1", 0},
    [CSN_WIRE_KEY_TYPE_ED25519] = {"ed25519", 32},
    [CSN_WIRE_KEY_TYPE_P256] = {"p-256", 65},
    [CSN_WIRE_KEY_TYPE_P384] = {"p-384", 97},
    [CSN_WIRE_KEY_TYPE_X25519] = {"x25519", 32},
    [CSN_WIRE_KEY_TYPE_ML_KEM_768] = {"ml-kem-768", CSN_WIRE_BIRTH_PUBLIC_MAX},
};

const char *csv_birth_type_name(uint32_t key_type)
{
    return key_type <= CSN_WIRE_KEY_TYPE_LAST ? types[key_type].name : NULL;
}

static bool is_name(const char name[CSN_WIRE_BIRTH_NAME_SIZE])
{
    size_t size = strnlen(name, CSN_WIRE_BIRTH_NAME_SIZE);
    bool good = size != 0 && size < CSN_WIRE_BIRTH_NAME_SIZE;
    for (size_t i = 0; good && i < CSN_WIRE_BIRTH_NAME_SIZE; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
        good = i < size ? letter : c == 0;
    }
    return good;
}

static bool is_well_formed(const struct csn_wire_birth *birth, size_t size)
{
    return birth->magic == CSN_WIRE_BIRTH_MAGIC && birth->version == CSN_WIRE_BIRTH_VERSION &&
           birth->size == size && birth->key_type != 0 &&
           csv_birth_type_name(birth->key_type) != NULL &&
           birth->public_size == types[birth->key_type].public_size &&
           sizeof *birth + birth->public_size + SIGNATURE_SIZE == size && birth->key_version != 0 &&
           (birth->origin == CSN_WIRE_BIRTH_GENERATED ||
            birth->origin == CSN_WIRE_BIRTH_IMPORTED) &&
           (birth->operations & ~CSN_WIRE_OPERATIONS_ALL) == 0 &&
           (birth->flags & ~CSN_WIRE_BIRTH_DERIVED) == 0 && birth->reserved == 0 &&
           birth->reserved2 == 0 && is_name(birth->name);
}

csn_err csv_birth_read(const void *bytes, size_t size, struct csv_birth *birth)
{
    struct csn_wire_birth wire;
    memset(birth, 0, sizeof *birth);
    if (size < sizeof wire) {
        return CSN_ERR_FORMAT;
    }
    memcpy(&wire, bytes, sizeof wire);
    if (!is_well_formed(&wire, size)) {
        return CSN_ERR_FORMAT;
    }
    *birth = (struct csv_birth){.key_type = wire.key_type,
                                .key_version = wire.key_version,
                                .origin = wire.origin,
                                .operations = wire.operations,
                                .flags = wire.flags,
                                .public_size = wire.public_size,
                                .grant_version = wire.grant_version,
                                .change = wire.change,
                                .records_max = wire.records_max,
                                .public_key = (const uint8_t *)bytes + sizeof wire};
    memcpy(birth->tenant, wire.tenant, sizeof birth->tenant);
    memcpy(birth->boot_id, wire.boot_id, sizeof birth->boot_id);
    memcpy(birth->measurement, wire.measurement, sizeof birth->measurement);
    memcpy(birth->grant_digest, wire.grant_digest, sizeof birth->grant_digest);
    memcpy(birth->name, wire.name, sizeof birth->name);
    return CSN_OK;
}

csn_err csv_birth_check(const struct csv_verdict *verdict, const void *bytes, size_t size,
                        struct csv_birth *birth)
{
    CSN_TRY(csv_birth_read(bytes, size, birth));
    size_t signed_size = size - SIGNATURE_SIZE;
    CSN_TRY(csv_verdict_statement_check(verdict, CSN_WIRE_BIRTH_LABEL, bytes, signed_size,
                                        (const uint8_t *)bytes + signed_size));
    const struct csv_image *image = csv_verdict_image(verdict);
    birth->own_boot = memcmp(birth->boot_id, image->boot_id, sizeof birth->boot_id) == 0;
    /* No instance changes its image: one that says so has not looked at what it signed. */
    bool same = memcmp(birth->measurement, image->measurement, sizeof birth->measurement) == 0;
    return birth->own_boot && !same ? CSN_ERR_AUTH : CSN_OK;
}
