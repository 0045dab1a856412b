/* SPDX-License-Identifier: Apache-2.0 */
/* object.c: what objects are, and the search for them. */
#include "core/bytes.h"
#include "module.h"
#include <stdlib.h>
#include <string.h>

/* ---- attributes ---- */

static CK_RV give_bool(struct p11_value *value, bool truth)
{
    value->truth = truth ? CK_TRUE : CK_FALSE;
    value->bytes = &value->truth;
    value->size = sizeof value->truth;
    return CKR_OK;
}

static CK_RV give_number(struct p11_value *value, CK_ULONG number)
{
    value->number = number;
    value->bytes = &value->number;
    value->size = sizeof value->number;
    return CKR_OK;
}

static CK_RV give_bytes(struct p11_value *value, const void *bytes, CK_ULONG size)
{
    value->bytes = bytes;
    value->size = size;
    return CKR_OK;
}

/* The public half as PKCS #11 has it: an OCTET STRING around the point. */
static CK_RV give_point(struct p11_value *value, const struct p11_key_info *info)
{
    _Static_assert(P11_PUBLIC_MAX < 128, "the length is one byte");
    value->small[0] = 0x04;
    value->small[1] = (uint8_t)info->public_size;
    memcpy(value->small + 2, info->public_key, info->public_size);
    return give_bytes(value, value->small, info->public_size + 2);
}

static CK_ULONG class_of(const struct p11_object *object)
{
    return object->part == P11_PART_CERTIFICATE ? CKO_CERTIFICATE
           : object->part == P11_PART_PUBLIC    ? CKO_PUBLIC_KEY
           : p11_key_has_public(object->key)    ? CKO_PRIVATE_KEY
                                                : CKO_SECRET_KEY;
}

static CK_ULONG generated_by(const struct p11_key *key)
{
    if (key->value_size != 0 || key->info.imported) {
        return CK_UNAVAILABLE_INFORMATION;
    }
    switch (key->info.type) {
    case CSN_WIRE_TRANSIT_AES_256:
        return CKM_AES_KEY_GEN;
    case CSN_WIRE_TRANSIT_HMAC:
        return CKM_GENERIC_SECRET_KEY_GEN;
    case CSN_WIRE_TRANSIT_ED25519:
        return CKM_EC_EDWARDS_KEY_PAIR_GEN;
    case CSN_WIRE_TRANSIT_X25519:
        return CKM_EC_MONTGOMERY_KEY_PAIR_GEN;
    default:
        return CKM_EC_KEY_PAIR_GEN;
    }
}

/* Those that every object has. */
static CK_RV common_attribute(const struct p11_object *object, CK_ATTRIBUTE_TYPE type,
                              struct p11_value *value)
{
    const struct p11_key *key = object->key;
    switch (type) {
    case CKA_CLASS:
        return give_number(value, class_of(object));
    case CKA_TOKEN:
        return give_bool(value, key->owner == 0);
    case CKA_PRIVATE:
        return give_bool(value, object->part == P11_PART_SECRET);
    case CKA_LABEL:
        return give_bytes(value, key->label, strlen(key->label));
    case CKA_UNIQUE_ID:
        return give_bytes(value, key->info.name, strlen(key->info.name));
    case CKA_ID:
        return give_bytes(value, key->id, key->id_size);
    case CKA_MODIFIABLE:
    case CKA_COPYABLE:
        return give_bool(value, false);
    case CKA_DESTROYABLE:
        return give_bool(value, object->part == P11_PART_SECRET &&
                                    (key->info.deletable || key->value_size != 0));
    default:
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

static CK_RV certificate_attribute(const struct p11_key *key, CK_ATTRIBUTE_TYPE type,
                                   struct p11_value *value)
{
    switch (type) {
    case CKA_CERTIFICATE_TYPE:
        return give_number(value, CKC_X_509);
    case CKA_VALUE:
        return give_bytes(value, key->certificate, key->certificate_size);
    case CKA_TRUSTED:
        return give_bool(value, false);
    case CKA_SUBJECT:
    case CKA_ISSUER:
    case CKA_SERIAL_NUMBER:
        value->owned = p11_certificate_part(key, type, &value->size);
        value->bytes = value->owned;
        return value->owned != NULL ? CKR_OK : CKR_HOST_MEMORY;
    default:
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

static CK_RV curve_attribute(const struct p11_object *object, CK_ATTRIBUTE_TYPE type,
                             struct p11_value *value)
{
    const struct p11_key *key = object->key;
    CK_ULONG size = 0;
    const uint8_t *params = p11_curve_params(key->info.type, &size);
    if (params == NULL) {
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
    switch (type) {
    case CKA_EC_PARAMS:
        return give_bytes(value, params, size);
    case CKA_EC_POINT:
        return object->part == P11_PART_PUBLIC ? give_point(value, &key->info)
                                               : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_SUBJECT:
        return give_bytes(value, "", 0);
    default:
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

/* What it may be used for. */
static CK_RV use_attribute(const struct p11_object *object, CK_ATTRIBUTE_TYPE type,
                           struct p11_value *value)
{
    const struct p11_key *key = object->key;
    bool is_public = object->part == P11_PART_PUBLIC;
    bool is_own = key->value_size != 0; /* no mechanism takes it */
    switch (type) {
    case CKA_ENCRYPT:
        return give_bool(value, !is_own && p11_key_may(key, CSN_WIRE_TRANSIT_ENCRYPT));
    case CKA_DECRYPT:
        return give_bool(value, !is_own && p11_key_may(key, CSN_WIRE_TRANSIT_DECRYPT));
    case CKA_SIGN:
        return give_bool(value, !is_own && !is_public &&
                                    (p11_key_may(key, CSN_WIRE_TRANSIT_SIGN) ||
                                     p11_key_may(key, CSN_WIRE_TRANSIT_MAC)));
    case CKA_VERIFY:
        return give_bool(value, !is_own && (is_public || !p11_key_has_public(key)) &&
                                    p11_key_may(key, CSN_WIRE_TRANSIT_VERIFY));
    case CKA_DERIVE:
        return give_bool(value, !is_own && !is_public && p11_key_may(key, CSN_WIRE_TRANSIT_AGREE));
    case CKA_WRAP:
    case CKA_UNWRAP:
    case CKA_SIGN_RECOVER:
    case CKA_VERIFY_RECOVER:
    case CKA_WRAP_WITH_TRUSTED:
    case CKA_TRUSTED:
        return give_bool(value, false);
    default:
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

static CK_RV key_attribute(const struct p11_object *object, CK_ATTRIBUTE_TYPE type,
                           struct p11_value *value)
{
    const struct p11_key *key = object->key;
    bool is_secret = object->part == P11_PART_SECRET;
    switch (type) {
    case CKA_KEY_TYPE:
        return give_number(value, p11_key_type(key));
    case CKA_START_DATE:
    case CKA_END_DATE:
        return give_bytes(value, "", 0);
    case CKA_LOCAL:
        return give_bool(value, generated_by(key) != CK_UNAVAILABLE_INFORMATION);
    case CKA_KEY_GEN_MECHANISM:
        return give_number(value, generated_by(key));
    case CKA_SENSITIVE:
        return is_secret ? give_bool(value, key->value_size == 0) : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_EXTRACTABLE:
        return is_secret ? give_bool(value, key->value_size != 0) : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_ALWAYS_AUTHENTICATE:
        return is_secret ? give_bool(value, false) : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_ALWAYS_SENSITIVE:
    case CKA_NEVER_EXTRACTABLE:
        return is_secret ? give_bool(value, key->value_size == 0 && !key->info.imported)
                         : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_VALUE_LEN:
        return class_of(object) == CKO_SECRET_KEY
                   ? give_number(value, key->value_size != 0 ? key->value_size : 32)
                   : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_VALUE:
        return !is_secret             ? CKR_ATTRIBUTE_TYPE_INVALID
               : key->value_size == 0 ? CKR_ATTRIBUTE_SENSITIVE
                                      : give_bytes(value, key->value, key->value_size);
    default:
        break;
    }
    CK_RV rv = use_attribute(object, type, value);
    return rv == CKR_ATTRIBUTE_TYPE_INVALID ? curve_attribute(object, type, value) : rv;
}

CK_RV p11_attribute(const struct p11_object *object, CK_ATTRIBUTE_TYPE type,
                    struct p11_value *value)
{
    value->owned = NULL;
    CK_RV rv = common_attribute(object, type, value);
    if (rv != CKR_ATTRIBUTE_TYPE_INVALID) {
        return rv;
    }
    return object->part == P11_PART_CERTIFICATE ? certificate_attribute(object->key, type, value)
                                                : key_attribute(object, type, value);
}

/* ---- C_GetAttributeValue and its like ---- */

static CK_RV give(const struct p11_object *object, struct ck_attribute *item)
{
    struct p11_value value;
    CK_RV rv = p11_attribute(object, item->type, &value);
    if (rv != CKR_OK) {
        item->size = CK_UNAVAILABLE_INFORMATION;
        return rv;
    }
    if (item->value == NULL) {
        item->size = value.size;
    } else if (item->size < value.size) {
        item->size = CK_UNAVAILABLE_INFORMATION;
        rv = CKR_BUFFER_TOO_SMALL;
    } else {
        if (value.size != 0) {
            memcpy(item->value, value.bytes, value.size);
        }
        item->size = value.size;
    }
    free(value.owned);
    return rv;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle,
                          struct ck_attribute *items, CK_ULONG count)
{
    struct p11_session *found;
    struct p11_object object;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = items == NULL && count != 0 ? CKR_ARGUMENTS_BAD : p11_object_get(handle, &object);
    /* All of them are given, whatever becomes of one; the last failure is told. */
    for (CK_ULONG i = 0, good = rv; good == CKR_OK && i < count; i++) {
        CK_RV one = give(&object, &items[i]);
        rv = one != CKR_OK ? one : rv;
    }
    p11_leave(found);
    return rv;
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ULONG *size)
{
    struct p11_session *found;
    struct p11_object object;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = size == NULL ? CKR_ARGUMENTS_BAD : p11_object_get(handle, &object);
    if (rv == CKR_OK) {
        *size = CK_UNAVAILABLE_INFORMATION;
    }
    p11_leave(found);
    return rv;
}

/* A key's policy is fixed when it is made: what is "set" to what it is already is taken, so that
 * programs which write a label or id twice go on. */
CK_RV C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle,
                          struct ck_attribute *items, CK_ULONG count)
{
    struct p11_session *found;
    struct p11_object object;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_template_check(items, count);
    rv = rv == CKR_OK ? p11_object_get(handle, &object) : rv;
    rv = rv == CKR_OK && (found->flags & CKF_RW_SESSION) == 0 ? CKR_SESSION_READ_ONLY : rv;
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        struct p11_value value;
        rv = p11_attribute(&object, items[i].type, &value);
        if (rv == CKR_OK) {
            bool same = value.size == items[i].size &&
                        (value.size == 0 || memcmp(value.bytes, items[i].value, value.size) == 0);
            free(value.owned);
            rv = same ? CKR_OK : CKR_ATTRIBUTE_READ_ONLY;
        }
    }
    p11_leave(found);
    return rv;
}

/* ---- search ---- */

static bool matches(const struct p11_object *object, const struct ck_attribute *items,
                    CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++) {
        struct p11_value value;
        if (p11_attribute(object, items[i].type, &value) != CKR_OK) {
            return false;
        }
        bool same = value.size == items[i].size &&
                    (value.size == 0 || memcmp(value.bytes, items[i].value, value.size) == 0);
        free(value.owned);
        if (!same) {
            return false;
        }
    }
    return true;
}

static void search(struct p11_session *session, const struct p11_module *module,
                   const struct ck_attribute *items, CK_ULONG count)
{
    for (uint32_t i = 0; i < module->key_count; i++) {
        struct p11_key *key = module->keys[i];
        bool is_shown = module->is_logged_in || !module->settings.login;
        if (key == NULL) {
            continue;
        }
        const bool has[] = {is_shown, p11_shows_public(key), key->certificate != NULL};
        for (uint32_t part = P11_PART_SECRET; part <= P11_PART_CERTIFICATE; part++) {
            const struct p11_object object = {key, (enum p11_part)part};
            if (has[part] && matches(&object, items, count)) {
                session->found[session->found_count++] = p11_handle(key, object.part);
            }
        }
    }
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE session, struct ck_attribute *items, CK_ULONG count)
{
    struct p11_session *found;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_template_check(items, count);
    rv = rv == CKR_OK && found->is_searching ? CKR_OPERATION_ACTIVE : rv;
    rv = rv == CKR_OK ? p11_keys_refresh() : rv;
    if (rv == CKR_OK) {
        const struct p11_module *module = p11_lock(); /* there: the session is held */
        found->found = malloc((3 * (size_t)module->key_count + 1) * sizeof *found->found);
        found->found_count = found->found_next = 0;
        if (found->found != NULL) {
            search(found, module, items, count);
        }
        p11_unlock();
        found->is_searching = found->found != NULL;
        rv = found->is_searching ? CKR_OK : CKR_HOST_MEMORY;
    }
    p11_leave(found);
    return rv;
}

CK_RV C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG count_max,
                    CK_ULONG *count)
{
    struct p11_session *found;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    if (count == NULL || (objects == NULL && count_max != 0)) {
        rv = CKR_ARGUMENTS_BAD;
    } else if (!found->is_searching) {
        rv = CKR_OPERATION_NOT_INITIALIZED;
    } else {
        CK_ULONG given = 0;
        while (given < count_max && found->found_next < found->found_count) {
            objects[given++] = found->found[found->found_next++];
        }
        *count = given;
    }
    p11_leave(found);
    return rv;
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE session)
{
    struct p11_session *found;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = found->is_searching ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
    free(found->found);
    found->found = NULL;
    found->is_searching = false;
    p11_leave(found);
    return rv;
}
