/* SPDX-License-Identifier: Apache-2.0 */
/* generate.c: keys made in the enclave, and destroyed there. */
#include "core/bytes.h"
#include "crypto/random.h"
#include "module.h"
#include <stdio.h>
#include <string.h>

struct wish {
    CK_SESSION_HANDLE owner; /* 0: a key of the token */
    struct p11_key key;
};

/* ---- names ---- */

static CK_RV random_name(const char *start, char name[CSN_WIRE_TRANSIT_NAME_SIZE])
{
    uint64_t word[2] = {0, 0};
    if (!csn_random_system(NULL, &word[0]) || !csn_random_system(NULL, &word[1])) {
        return CKR_FUNCTION_FAILED;
    }
    snprintf(name, CSN_WIRE_TRANSIT_NAME_SIZE, "%s%016llx%016llx", start,
             (unsigned long long)word[0], (unsigned long long)word[1]);
    return CKR_OK;
}

/* Label and id from whichever template has them; they become the name, or stay with the session. */
static CK_RV read_name(const struct ck_attribute *label, const struct ck_attribute *id,
                       struct wish *wish)
{
    struct p11_key *key = &wish->key;
    size_t label_size = label != NULL ? label->size : 0;
    size_t id_size = id != NULL ? id->size : 0;
    if (label_size >= sizeof key->label || id_size > sizeof key->id) {
        return CKR_ATTRIBUTE_VALUE_INVALID;
    }
    if (wish->owner == 0 && label_size + id_size == 0) {
        return random_name("key-", key->info.name);
    }
    if (wish->owner == 0) {
        return p11_name_make(label != NULL ? label->value : NULL, label_size,
                             id != NULL ? id->value : NULL, id_size, key->info.name)
                   ? CKR_OK
                   : CKR_ATTRIBUTE_VALUE_INVALID;
    }
    if (label_size != 0) {
        memcpy(key->label, label->value, label_size);
    }
    if (id_size != 0) {
        memcpy(key->id, id->value, id_size);
    }
    key->id_size = (uint32_t)id_size;
    return random_name(P11_SESSION_NAME, key->info.name);
}

/* ---- templates ---- */

/* What every template may say and not differ from what is. */
static CK_RV check_secret(const struct ck_attribute *items, CK_ULONG count)
{
    bool sensitive;
    bool extractable;
    bool wraps;
    bool unwraps;
    CK_RV rv = p11_bool(items, count, CKA_SENSITIVE, true, &sensitive);
    rv = rv == CKR_OK ? p11_bool(items, count, CKA_EXTRACTABLE, false, &extractable) : rv;
    rv = rv == CKR_OK ? p11_bool(items, count, CKA_WRAP, false, &wraps) : rv;
    rv = rv == CKR_OK ? p11_bool(items, count, CKA_UNWRAP, false, &unwraps) : rv;
    if (rv != CKR_OK) {
        return rv;
    }
    /* No key leaves, whatever is asked for; who needs one that does must know that this is not. */
    return extractable || wraps || unwraps ? CKR_TEMPLATE_INCONSISTENT : CKR_OK;
}

/* Where to: the token, or this session alone. */
static CK_RV read_place(struct p11_session *session, const struct ck_attribute *items,
                        CK_ULONG count, struct wish *wish)
{
    bool token;
    CK_RV rv = p11_bool(items, count, CKA_TOKEN, false, &token);
    if (rv == CKR_OK && token && (session->flags & CKF_RW_SESSION) == 0) {
        return CKR_SESSION_READ_ONLY;
    }
    wish->owner = token ? 0 : session->handle;
    session->has_keys = session->has_keys || !token;
    return rv;
}

static CK_RV check_kind(const struct ck_attribute *items, CK_ULONG count, CK_ULONG kind,
                        CK_ULONG type)
{
    CK_ULONG has_kind;
    CK_ULONG has_type;
    CK_RV rv = p11_number(items, count, CKA_CLASS, kind, &has_kind);
    rv = rv == CKR_OK ? p11_number(items, count, CKA_KEY_TYPE, type, &has_type) : rv;
    if (rv != CKR_OK) {
        return rv;
    }
    return has_kind != kind || has_type != type ? CKR_TEMPLATE_INCONSISTENT : CKR_OK;
}

/* ---- making ---- */

static CK_RV make(struct wish *wish, const struct p11_key **kept)
{
    struct p11_key *key = &wish->key;
    key->info.deletable = true;
    CK_RV rv = p11_service_create_key(p11_service(), &key->info);
    if (rv != CKR_OK) {
        return rv;
    }
    key->owner = wish->owner;
    if (wish->owner == 0) {
        p11_name_read(key);
    }
    rv = p11_key_put(key, kept);
    if (rv != CKR_OK) {
        (void)p11_service_delete_key(p11_service(), &key->info);
    }
    return rv;
}

/* Which type the mechanism makes, and what it may do. */
static CK_RV read_secret_wish(const struct ck_mechanism *mechanism,
                              const struct ck_attribute *items, CK_ULONG count, struct wish *wish)
{
    bool is_aes = mechanism->type == CKM_AES_KEY_GEN;
    CK_ULONG size;
    CK_ULONG type = CKK_AES;
    if (mechanism->parameter_size != 0) {
        return CKR_MECHANISM_PARAM_INVALID;
    }
    CK_RV rv = p11_number(items, count, CKA_VALUE_LEN, 32, &size);
    if (rv == CKR_OK && !is_aes) { /* those of HMAC alone are the same here */
        rv = p11_number(items, count, CKA_KEY_TYPE, CKK_GENERIC_SECRET, &type);
        type = type == CKK_SHA256_HMAC || type == CKK_SHA384_HMAC || type == CKK_SHA512_HMAC
                   ? CKK_GENERIC_SECRET
                   : type;
        rv = rv == CKR_OK && type != CKK_GENERIC_SECRET ? CKR_TEMPLATE_INCONSISTENT : rv;
    }
    if (rv == CKR_OK && size != 32) {
        rv = CKR_KEY_SIZE_RANGE;
    }
    if (rv == CKR_OK && is_aes) {
        rv = check_kind(items, count, CKO_SECRET_KEY, CKK_AES);
    }
    wish->key.info.type = is_aes ? CSN_WIRE_TRANSIT_AES_256 : CSN_WIRE_TRANSIT_HMAC;
    wish->key.info.operations = 0; /* what the type has */
    return rv;
}

CK_RV C_GenerateKey(CK_SESSION_HANDLE session, struct ck_mechanism *mechanism,
                    struct ck_attribute *items, CK_ULONG count, CK_OBJECT_HANDLE *object)
{
    struct p11_session *found;
    struct wish wish = {.owner = 0};
    const struct p11_key *kept = NULL;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = mechanism == NULL || object == NULL ? CKR_ARGUMENTS_BAD
         : mechanism->type != CKM_AES_KEY_GEN && mechanism->type != CKM_GENERIC_SECRET_KEY_GEN
             ? CKR_MECHANISM_INVALID
             : p11_template_check(items, count);
    rv = rv == CKR_OK ? check_secret(items, count) : rv;
    rv = rv == CKR_OK ? read_secret_wish(mechanism, items, count, &wish) : rv;
    rv = rv == CKR_OK ? read_place(found, items, count, &wish) : rv;
    rv = rv == CKR_OK
             ? read_name(p11_find(items, count, CKA_LABEL), p11_find(items, count, CKA_ID), &wish)
             : rv;
    rv = rv == CKR_OK ? make(&wish, &kept) : rv;
    if (rv == CKR_OK) {
        *object = p11_handle(kept, P11_PART_SECRET);
    }
    p11_leave(found);
    return rv;
}

/* ---- pairs ---- */

struct pair_template {
    const struct ck_attribute *public_items;
    CK_ULONG public_count;
    const struct ck_attribute *private_items;
    CK_ULONG private_count;
};

static CK_RV read_curve(const struct ck_mechanism *mechanism, const struct pair_template *given,
                        struct wish *wish)
{
    CK_MECHANISM_TYPE type = mechanism->type;
    const struct ck_attribute *params =
        p11_find(given->public_items, given->public_count, CKA_EC_PARAMS);
    if (params == NULL) {
        params = p11_find(given->private_items, given->private_count, CKA_EC_PARAMS);
    }
    if (mechanism->parameter_size != 0) {
        return CKR_MECHANISM_PARAM_INVALID;
    }
    if (params == NULL) {
        return CKR_TEMPLATE_INCOMPLETE;
    }
    uint32_t curve = p11_curve_type(params);
    bool fits = type == CKM_EC_KEY_PAIR_GEN
                    ? curve == CSN_WIRE_TRANSIT_P256 || curve == CSN_WIRE_TRANSIT_P384
                : type == CKM_EC_EDWARDS_KEY_PAIR_GEN ? curve == CSN_WIRE_TRANSIT_ED25519
                                                      : curve == CSN_WIRE_TRANSIT_X25519;
    wish->key.info.type = curve;
    return fits ? CKR_OK : CKR_CURVE_NOT_SUPPORTED;
}

/*
 * A key signs or agrees, never both. Who asks for both gets one that signs, as who asks for
 * nothing; the attributes say so.
 */
static CK_RV read_uses(const struct pair_template *given, struct wish *wish)
{
    bool signs;
    bool derives;
    bool other;
    CK_RV rv = p11_bool(given->private_items, given->private_count, CKA_SIGN, false, &signs);
    rv = rv == CKR_OK
             ? p11_bool(given->private_items, given->private_count, CKA_DERIVE, false, &derives)
             : rv;
    rv = rv == CKR_OK
             ? p11_bool(given->private_items, given->private_count, CKA_DECRYPT, false, &other)
             : rv;
    if (rv != CKR_OK || other) {
        return rv != CKR_OK ? rv : CKR_TEMPLATE_INCONSISTENT;
    }
    uint32_t type = wish->key.info.type;
    if ((type == CSN_WIRE_TRANSIT_ED25519 && derives && !signs) ||
        (type == CSN_WIRE_TRANSIT_X25519 && signs)) {
        return CKR_TEMPLATE_INCONSISTENT;
    }
    bool agrees = type == CSN_WIRE_TRANSIT_X25519 || (derives && !signs);
    wish->key.info.operations = agrees
                                    ? 1u << CSN_WIRE_TRANSIT_AGREE
                                    : 1u << CSN_WIRE_TRANSIT_SIGN | 1u << CSN_WIRE_TRANSIT_VERIFY;
    return CKR_OK;
}

static CK_RV read_pair(struct p11_session *session, const struct ck_mechanism *mechanism,
                       const struct pair_template *given, struct wish *wish)
{
    CK_ULONG type = mechanism->type == CKM_EC_KEY_PAIR_GEN           ? CKK_EC
                    : mechanism->type == CKM_EC_EDWARDS_KEY_PAIR_GEN ? CKK_EC_EDWARDS
                                                                     : CKK_EC_MONTGOMERY;
    const struct ck_attribute *items = given->private_items;
    CK_ULONG count = given->private_count;
    CK_RV rv = check_secret(items, count);
    rv = rv == CKR_OK ? check_kind(items, count, CKO_PRIVATE_KEY, type) : rv;
    rv = rv == CKR_OK ? check_kind(given->public_items, given->public_count, CKO_PUBLIC_KEY, type)
                      : rv;
    rv = rv == CKR_OK ? read_curve(mechanism, given, wish) : rv;
    rv = rv == CKR_OK ? read_uses(given, wish) : rv;
    rv = rv == CKR_OK ? read_place(session, items, count, wish) : rv;
    if (rv != CKR_OK) {
        return rv;
    }
    const struct ck_attribute *label = p11_find(items, count, CKA_LABEL);
    const struct ck_attribute *id = p11_find(items, count, CKA_ID);
    label = label != NULL ? label : p11_find(given->public_items, given->public_count, CKA_LABEL);
    id = id != NULL ? id : p11_find(given->public_items, given->public_count, CKA_ID);
    return read_name(label, id, wish);
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE session, struct ck_mechanism *mechanism,
                        struct ck_attribute *public_items, CK_ULONG public_count,
                        struct ck_attribute *private_items, CK_ULONG private_count,
                        CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    struct p11_session *found;
    struct wish wish = {.owner = 0};
    const struct p11_key *kept = NULL;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = mechanism == NULL || public_key == NULL || private_key == NULL ? CKR_ARGUMENTS_BAD
         : mechanism->type != CKM_EC_KEY_PAIR_GEN &&
                 mechanism->type != CKM_EC_EDWARDS_KEY_PAIR_GEN &&
                 mechanism->type != CKM_EC_MONTGOMERY_KEY_PAIR_GEN
             ? CKR_MECHANISM_INVALID
             : p11_template_check(public_items, public_count);
    rv = rv == CKR_OK ? p11_template_check(private_items, private_count) : rv;
    if (rv == CKR_OK) {
        const struct pair_template given = {public_items, public_count, private_items,
                                            private_count};
        rv = read_pair(found, mechanism, &given, &wish);
    }
    rv = rv == CKR_OK ? make(&wish, &kept) : rv;
    if (rv == CKR_OK) {
        *public_key = p11_handle(kept, P11_PART_PUBLIC);
        *private_key = p11_handle(kept, P11_PART_SECRET);
    }
    p11_leave(found);
    return rv;
}

/* ---- destroying ---- */

/*
 * The secret half takes the key with it. A public half alone cannot leave the enclave's key: it is
 * hidden in this process.
 */
static CK_RV destroy(const struct p11_session *session, const struct p11_object *object)
{
    struct p11_key *key = object->key;
    if (object->part == P11_PART_CERTIFICATE) {
        return CKR_ACTION_PROHIBITED; /* it is a file of the settings */
    }
    if (key->owner == 0 && (session->flags & CKF_RW_SESSION) == 0) {
        return CKR_SESSION_READ_ONLY;
    }
    CK_RV rv = CKR_OK;
    if (object->part == P11_PART_SECRET && key->value_size == 0) {
        rv = p11_service_delete_key(p11_service(), &key->info);
    }
    struct p11_module *module = rv == CKR_OK ? p11_lock() : NULL;
    if (module != NULL) {
        key->hides_public = true;
        if (object->part == P11_PART_SECRET) {
            p11_key_drop(module, key);
        }
        p11_unlock();
    }
    return rv;
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle)
{
    struct p11_session *found;
    struct p11_object object;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_object_get(handle, &object);
    rv = rv == CKR_OK ? destroy(found, &object) : rv;
    p11_leave(found);
    return rv;
}
