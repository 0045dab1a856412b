/* SPDX-License-Identifier: Apache-2.0 */
/* sign.c: C_Sign and its parts: signatures and MACs, made in the enclave. */
#include "core/bytes.h"
#include "signing.h"
#include <string.h>

/* ---- what signing and verifying share ---- */

static const struct p11_signing signings[] = {
    {CKM_ECDSA, 0, 0, CKK_EC},
    {CKM_ECDSA_SHA256, 256, 0, CKK_EC},
    {CKM_ECDSA_SHA384, 384, 0, CKK_EC},
    {CKM_ECDSA_SHA512, 512, 0, CKK_EC},
    {CKM_EDDSA, 0, 0, CKK_EC_EDWARDS},
    {CKM_SHA256_HMAC, 0, CSN_WIRE_TRANSIT_SHA2_256, CKK_GENERIC_SECRET},
    {CKM_SHA384_HMAC, 0, CSN_WIRE_TRANSIT_SHA2_384, CKK_GENERIC_SECRET},
    {CKM_SHA512_HMAC, 0, CSN_WIRE_TRANSIT_SHA2_512, CKK_GENERIC_SECRET},
};

const struct p11_signing *p11_signing_find(CK_MECHANISM_TYPE type)
{
    for (size_t i = 0; i < sizeof signings / sizeof signings[0]; i++) {
        if (signings[i].type == type) {
            return &signings[i];
        }
    }
    return NULL;
}

/* EdDSA may have a parameter, which must ask for the plain form; the others have none. */
static bool is_plain(const struct ck_mechanism *mechanism)
{
    struct ck_eddsa_params params;
    if (mechanism->parameter == NULL || mechanism->parameter_size == 0) {
        return mechanism->parameter_size == 0;
    }
    if (mechanism->type != CKM_EDDSA || mechanism->parameter_size != sizeof params) {
        return false;
    }
    memcpy(&params, mechanism->parameter, sizeof params);
    return params.prehash == CK_FALSE && params.context_size == 0;
}

CK_RV p11_signing_begin(struct p11_session *session, enum p11_kind kind,
                        const struct ck_mechanism *mechanism, CK_OBJECT_HANDLE handle)
{
    const struct p11_key *key = NULL;
    if (mechanism == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    const struct p11_signing *signing = p11_signing_find(mechanism->type);
    if (signing == NULL) {
        return CKR_MECHANISM_INVALID;
    }
    bool is_mac = signing->hash != 0;
    bool with_public = kind == P11_VERIFY && !is_mac;
    CK_RV rv = p11_key_get(handle, with_public ? P11_PART_PUBLIC : P11_PART_SECRET, &key);
    if (rv != CKR_OK) {
        return rv;
    }
    uint32_t need = kind == P11_VERIFY ? CSN_WIRE_TRANSIT_VERIFY
                    : is_mac           ? CSN_WIRE_TRANSIT_MAC
                                       : CSN_WIRE_TRANSIT_SIGN;
    rv = p11_key_type(key) != signing->key_type            ? CKR_KEY_TYPE_INCONSISTENT
         : key->value_size != 0 || !p11_key_may(key, need) ? CKR_KEY_FUNCTION_NOT_PERMITTED
         : !is_plain(mechanism)                            ? CKR_MECHANISM_PARAM_INVALID
                                : p11_operation_begin(session, kind, mechanism->type, key);
    if (rv == CKR_OK && signing->bits != 0) {
        p11_hash_begin(&session->operations[kind].hash, signing->bits);
    }
    return rv;
}

CK_ULONG p11_signature_size(const struct p11_operation *operation)
{
    const struct p11_signing *signing = p11_signing_find(operation->mechanism);
    return signing->hash == CSN_WIRE_TRANSIT_SHA2_256           ? 32
           : signing->hash == CSN_WIRE_TRANSIT_SHA2_384         ? 48
           : signing->hash == CSN_WIRE_TRANSIT_SHA2_512         ? 64
           : operation->key->info.type == CSN_WIRE_TRANSIT_P384 ? 96
                                                                : 64;
}

CK_RV p11_signing_update(struct p11_operation *operation, const CK_BYTE *data, CK_ULONG size)
{
    if (p11_signing_find(operation->mechanism)->bits == 0) {
        return p11_operation_add(operation, data, size);
    }
    p11_hash_add(&operation->hash, data, size);
    return CKR_OK;
}

CK_RV p11_signing_input(struct p11_operation *operation, uint8_t digest[P11_DIGEST_MAX],
                        struct p11_bytes *input)
{
    const struct p11_signing *signing = p11_signing_find(operation->mechanism);
    uint8_t made[P11_DIGEST_MAX];
    struct p11_bytes whole = {operation->bytes, operation->size};
    if (signing->key_type != CKK_EC) {
        *input = whole;
        return CKR_OK;
    }
    if (signing->bits != 0) {
        p11_hash_end(&operation->hash, made);
        whole = (struct p11_bytes){made, signing->bits / 8};
    }
    if (whole.size == 0) {
        return CKR_DATA_LEN_RANGE; /* not a digest */
    }
    size_t size = operation->key->info.type == CSN_WIRE_TRANSIT_P384 ? 48 : 32;
    p11_ecdsa_fit(whole.bytes, whole.size, digest, size);
    *input = (struct p11_bytes){digest, size};
    return CKR_OK;
}

/* ---- signing ---- */

CK_RV C_SignInit(CK_SESSION_HANDLE session, struct ck_mechanism *mechanism, CK_OBJECT_HANDLE key)
{
    struct p11_session *found;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_signing_begin(found, P11_SIGN, mechanism, key);
    p11_leave(found);
    return rv;
}

static CK_RV make_signature(struct p11_operation *operation, CK_BYTE *output, CK_ULONG size)
{
    const struct p11_signing *signing = p11_signing_find(operation->mechanism);
    uint8_t digest[P11_DIGEST_MAX];
    uint8_t signature[P11_SIGNATURE_MAX];
    size_t came = sizeof signature;
    bool is_p384 = operation->key->info.type == CSN_WIRE_TRANSIT_P384;
    struct p11_use use = {.operation = CSN_WIRE_TRANSIT_SIGN};
    CK_RV rv = p11_signing_input(operation, digest, &use.input);
    if (rv != CKR_OK) {
        return rv;
    }
    if (signing->hash != 0) {
        use.operation = CSN_WIRE_TRANSIT_MAC;
        use.hash = signing->hash;
    } else if (signing->key_type == CKK_EC) {
        use.flags = CSN_WIRE_TRANSIT_PREHASHED;
        use.hash = is_p384 ? CSN_WIRE_TRANSIT_SHA2_384 : CSN_WIRE_TRANSIT_SHA2_256;
    }
    rv = p11_service_use(p11_service(), &operation->key->info, &use, signature, &came);
    if (rv == CKR_OK && came != size) {
        return CKR_DEVICE_ERROR;
    }
    if (rv == CKR_OK) {
        memcpy(output, signature, size);
    }
    return rv;
}

/* The end, with the last bytes; asking for the size ends nothing. */
static CK_RV end(struct p11_operation *operation, const CK_BYTE *data, CK_ULONG data_size,
                 CK_BYTE *output, CK_ULONG *output_size)
{
    CK_ULONG size = p11_signature_size(operation);
    CK_RV rv = p11_room(output, output_size, size);
    if (rv != CKR_OK || output == NULL) {
        return rv;
    }
    rv = p11_signing_update(operation, data, data_size);
    rv = rv == CKR_OK ? make_signature(operation, output, size) : rv;
    p11_operation_end(operation);
    return rv;
}

CK_RV C_Sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_size, CK_BYTE *output,
             CK_ULONG *output_size)
{
    return p11_operation_whole(session, P11_SIGN, end, data, data_size, output, output_size);
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_size)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, P11_SIGN, &operation);
    if (rv == CKR_OK) {
        operation->is_multiple = true;
        rv = data == NULL && data_size != 0 ? CKR_ARGUMENTS_BAD
                                            : p11_signing_update(operation, data, data_size);
        if (rv != CKR_OK) {
            p11_operation_end(operation);
        }
    }
    p11_leave(found);
    return rv;
}

CK_RV C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE *output, CK_ULONG *output_size)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, P11_SIGN, &operation);
    if (rv == CKR_OK && output_size == NULL) {
        p11_operation_end(operation);
        rv = CKR_ARGUMENTS_BAD;
    } else if (rv == CKR_OK) {
        rv = end(operation, NULL, 0, output, output_size);
    }
    p11_leave(found);
    return rv;
}
