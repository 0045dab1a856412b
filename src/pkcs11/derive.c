/* SPDX-License-Identifier: Apache-2.0 */
/*
 * derive.c: C_DeriveKey: ECDH in the enclave. What comes of it is a secret that the program is to
 * have: a session object of this process, which the program may read and the enclave does not keep.
 */
#include "core/bytes.h"
#include "module.h"
#include <string.h>

/* Where the other side's point is, without the OCTET STRING that some callers put around it. */
static CK_RV read_params(const struct ck_mechanism *mechanism, const struct p11_key *key,
                         struct p11_bytes *point)
{
    struct ck_ecdh1_derive_params params;
    if (mechanism->parameter == NULL || mechanism->parameter_size != sizeof params) {
        return CKR_MECHANISM_PARAM_INVALID;
    }
    memcpy(&params, mechanism->parameter, sizeof params);
    if (params.kdf != CKD_NULL || params.shared_data_size != 0 || params.public_data == NULL) {
        return CKR_MECHANISM_PARAM_INVALID;
    }
    *point = (struct p11_bytes){params.public_data, params.public_size};
    size_t size = key->info.public_size;
    if (point->size == size + 2 && point->bytes[0] == 0x04 && point->bytes[1] == size) {
        point->bytes += 2;
        point->size -= 2;
    }
    return point->size == size ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
}

/* What the template may say of a secret that the program has. */
static CK_RV read_template(const struct ck_attribute *items, CK_ULONG count, struct p11_key *key,
                           CK_ULONG *size)
{
    bool token = false;
    bool sensitive = false;
    bool extractable = true;
    CK_ULONG kind = CKO_SECRET_KEY;
    CK_ULONG type = CKK_GENERIC_SECRET;
    CK_RV rv = p11_template_check(items, count);
    rv = rv == CKR_OK ? p11_bool(items, count, CKA_TOKEN, false, &token) : rv;
    rv = rv == CKR_OK ? p11_bool(items, count, CKA_SENSITIVE, false, &sensitive) : rv;
    rv = rv == CKR_OK ? p11_bool(items, count, CKA_EXTRACTABLE, true, &extractable) : rv;
    rv = rv == CKR_OK ? p11_number(items, count, CKA_CLASS, CKO_SECRET_KEY, &kind) : rv;
    rv = rv == CKR_OK ? p11_number(items, count, CKA_KEY_TYPE, CKK_GENERIC_SECRET, &type) : rv;
    rv = rv == CKR_OK ? p11_number(items, count, CKA_VALUE_LEN, *size, size) : rv;
    if (rv != CKR_OK) {
        return rv;
    }
    if (token || sensitive || !extractable || kind != CKO_SECRET_KEY ||
        (type != CKK_GENERIC_SECRET && type != CKK_AES)) {
        return CKR_TEMPLATE_INCONSISTENT;
    }
    const struct ck_attribute *label = p11_find(items, count, CKA_LABEL);
    const struct ck_attribute *id = p11_find(items, count, CKA_ID);
    if (label != NULL && label->size < sizeof key->label) {
        memcpy(key->label, label->value, label->size);
    }
    if (id != NULL && id->size <= sizeof key->id) {
        memcpy(key->id, id->value, id->size);
        key->id_size = (uint32_t)id->size;
    }
    key->info.type = type == CKK_AES ? CSN_WIRE_TRANSIT_AES_256 : CSN_WIRE_TRANSIT_HMAC;
    return CKR_OK;
}

static CK_RV agree(const struct p11_key *base, const struct p11_bytes *point, CK_ULONG wanted,
                   struct p11_key *key)
{
    const struct p11_use use = {
        .operation = CSN_WIRE_TRANSIT_AGREE, .flags = CSN_WIRE_TRANSIT_BARE, .input = *point};
    uint8_t secret[P11_VALUE_MAX];
    size_t size = sizeof secret;
    CK_RV rv = p11_service_use(p11_service(), &base->info, &use, secret, &size);
    if (rv == CKR_OK && (wanted == 0 || wanted > size)) {
        rv = CKR_TEMPLATE_INCONSISTENT;
    }
    if (rv == CKR_OK) {
        /* PKCS #11: of a longer secret the leading bytes are left out. */
        memcpy(key->value, secret + size - wanted, wanted);
        key->value_size = (uint32_t)wanted;
    }
    csn_wipe(secret, sizeof secret);
    return rv;
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE session, struct ck_mechanism *mechanism, CK_OBJECT_HANDLE base,
                  struct ck_attribute *items, CK_ULONG count, CK_OBJECT_HANDLE *object)
{
    struct p11_session *found;
    const struct p11_key *from = NULL;
    struct p11_key key = {.owner = session};
    struct p11_bytes point;
    const struct p11_key *kept = NULL;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = mechanism == NULL || object == NULL   ? CKR_ARGUMENTS_BAD
         : mechanism->type != CKM_ECDH1_DERIVE ? CKR_MECHANISM_INVALID
                                               : p11_key_get(base, P11_PART_SECRET, &from);
    if (rv == CKR_OK && !p11_key_may(from, CSN_WIRE_TRANSIT_AGREE)) {
        rv = CKR_KEY_FUNCTION_NOT_PERMITTED;
    }
    CK_ULONG size = rv == CKR_OK && from->info.type == CSN_WIRE_TRANSIT_P384 ? 48 : 32;
    rv = rv == CKR_OK ? read_params(mechanism, from, &point) : rv;
    rv = rv == CKR_OK ? read_template(items, count, &key, &size) : rv;
    rv = rv == CKR_OK ? agree(from, &point, size, &key) : rv;
    rv = rv == CKR_OK ? p11_key_put(&key, &kept) : rv;
    if (rv == CKR_OK) {
        found->has_keys = true;
        *object = p11_handle(kept, P11_PART_SECRET);
    }
    csn_wipe(&key, sizeof key);
    p11_leave(found);
    return rv;
}
