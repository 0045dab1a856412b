/* SPDX-License-Identifier: Apache-2.0 */
/* slot.c: the one slot, the token in it, and what it can do. */
#include "module.h"
#include <string.h>

/* PKCS #11 wants texts of a fixed size, filled up with blanks and not terminated. */
static void put_text(CK_UTF8CHAR *target, size_t size, const char *text)
{
    size_t length = strlen(text);
    memset(target, ' ', size);
    memcpy(target, text, length < size ? length : size);
}

static const struct ck_version library_version = {0, 1};

CK_RV C_GetInfo(struct ck_info *info)
{
    if (info == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    if (p11_lock() == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    p11_unlock();
    memset(info, 0, sizeof *info);
    info->cryptoki = (struct ck_version){3, 0};
    info->library = library_version;
    put_text(info->manufacturer, sizeof info->manufacturer, "Caisson");
    put_text(info->description, sizeof info->description, "keys in an enclave");
    return CKR_OK;
}

CK_RV C_GetSlotList(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
    (void)present; /* the token is always there; whether it answers is another matter */
    if (count == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    if (p11_lock() == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    p11_unlock();
    CK_ULONG room = *count;
    *count = 1;
    if (slots == NULL) {
        return CKR_OK;
    }
    if (room < 1) {
        return CKR_BUFFER_TOO_SMALL;
    }
    slots[0] = P11_SLOT;
    return CKR_OK;
}

/* The module, locked, where the slot is ours. */
static CK_RV lock_slot(CK_SLOT_ID slot, const void *target, struct p11_module **module)
{
    if (target == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    *module = p11_lock();
    if (*module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    if (slot != P11_SLOT) {
        p11_unlock();
        return CKR_SLOT_ID_INVALID;
    }
    return CKR_OK;
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot, struct ck_slot_info *info)
{
    struct p11_module *module;
    CK_RV rv = lock_slot(slot, info, &module);
    if (rv != CKR_OK) {
        return rv;
    }
    memset(info, 0, sizeof *info);
    put_text(info->description, sizeof info->description, module->settings.gateway);
    put_text(info->manufacturer, sizeof info->manufacturer, "Caisson");
    info->flags = CKF_TOKEN_PRESENT;
    info->firmware = library_version;
    p11_unlock();
    return CKR_OK;
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot, struct ck_token_info *info)
{
    struct p11_module *module;
    CK_RV rv = lock_slot(slot, info, &module);
    if (rv != CKR_OK) {
        return rv;
    }
    memset(info, 0, sizeof *info);
    put_text(info->label, sizeof info->label, module->settings.label);
    put_text(info->manufacturer, sizeof info->manufacturer, "Caisson");
    put_text(info->model, sizeof info->model, "transit");
    put_text(info->serial, sizeof info->serial, "1");
    info->flags = CKF_RNG | CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED |
                  (module->settings.login ? CKF_LOGIN_REQUIRED : 0);
    info->session_count_max = P11_SESSION_MAX;
    info->rw_session_count_max = P11_SESSION_MAX;
    info->session_count = module->session_count;
    info->rw_session_count = module->rw_session_count;
    info->pin_size_max = 255;
    info->public_memory = info->free_public_memory = CK_UNAVAILABLE_INFORMATION;
    info->private_memory = info->free_private_memory = CK_UNAVAILABLE_INFORMATION;
    info->firmware = library_version;
    memset(info->time, '0', sizeof info->time);
    p11_unlock();
    return CKR_OK;
}

/* ---- mechanisms ---- */

#define EC (CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS)

static const struct {
    CK_MECHANISM_TYPE type;
    struct ck_mechanism_info info;
} mechanisms[] = {
    {CKM_EC_KEY_PAIR_GEN, {256, 384, CKF_HW | CKF_GENERATE_KEY_PAIR | EC}},
    {CKM_EC_EDWARDS_KEY_PAIR_GEN, {255, 255, CKF_HW | CKF_GENERATE_KEY_PAIR | EC}},
    {CKM_EC_MONTGOMERY_KEY_PAIR_GEN, {255, 255, CKF_HW | CKF_GENERATE_KEY_PAIR | EC}},
    {CKM_ECDSA, {256, 384, CKF_HW | CKF_SIGN | CKF_VERIFY | EC}},
    {CKM_ECDSA_SHA256, {256, 384, CKF_HW | CKF_SIGN | CKF_VERIFY | EC}},
    {CKM_ECDSA_SHA384, {256, 384, CKF_HW | CKF_SIGN | CKF_VERIFY | EC}},
    {CKM_ECDSA_SHA512, {256, 384, CKF_HW | CKF_SIGN | CKF_VERIFY | EC}},
    {CKM_EDDSA, {255, 255, CKF_HW | CKF_SIGN | CKF_VERIFY | EC}},
    {CKM_ECDH1_DERIVE, {255, 384, CKF_HW | CKF_DERIVE | EC}},
    {CKM_AES_KEY_GEN, {32, 32, CKF_HW | CKF_GENERATE}},
    {CKM_AES_GCM,
     {32, 32, CKF_HW | CKF_ENCRYPT | CKF_DECRYPT | CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT}},
    {CKM_GENERIC_SECRET_KEY_GEN, {32, 32, CKF_HW | CKF_GENERATE}},
    {CKM_SHA256_HMAC, {16, 64, CKF_HW | CKF_SIGN | CKF_VERIFY}},
    {CKM_SHA384_HMAC, {16, 64, CKF_HW | CKF_SIGN | CKF_VERIFY}},
    {CKM_SHA512_HMAC, {16, 64, CKF_HW | CKF_SIGN | CKF_VERIFY}},
    {CKM_SHA256, {0, 0, CKF_DIGEST}},
    {CKM_SHA384, {0, 0, CKF_DIGEST}},
    {CKM_SHA512, {0, 0, CKF_DIGEST}},
};
#define MECHANISM_COUNT (sizeof mechanisms / sizeof mechanisms[0])

CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *types, CK_ULONG *count)
{
    struct p11_module *module;
    CK_RV rv = lock_slot(slot, count, &module);
    if (rv != CKR_OK) {
        return rv;
    }
    p11_unlock();
    CK_ULONG room = *count;
    *count = MECHANISM_COUNT;
    if (types == NULL) {
        return CKR_OK;
    }
    if (room < MECHANISM_COUNT) {
        return CKR_BUFFER_TOO_SMALL;
    }
    for (size_t i = 0; i < MECHANISM_COUNT; i++) {
        types[i] = mechanisms[i].type;
    }
    return CKR_OK;
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, struct ck_mechanism_info *info)
{
    struct p11_module *module;
    CK_RV rv = lock_slot(slot, info, &module);
    if (rv != CKR_OK) {
        return rv;
    }
    p11_unlock();
    for (size_t i = 0; i < MECHANISM_COUNT; i++) {
        if (mechanisms[i].type == type) {
            *info = mechanisms[i].info;
            return CKR_OK;
        }
    }
    return CKR_MECHANISM_INVALID;
}
