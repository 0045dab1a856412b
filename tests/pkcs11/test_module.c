/* SPDX-License-Identifier: Apache-2.0 */
/* test_module.c: what the functions of PKCS #11 do, each for a good caller and an ill one. */
#include "module_rig.h"
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

/* ---- life, tables ---- */

static CK_RV no_mutex(void **mutex)
{
    (void)mutex;
    return CKR_GENERAL_ERROR;
}

static CK_RV no_lock(void *mutex)
{
    (void)mutex;
    return CKR_GENERAL_ERROR;
}

static void life(void **state)
{
    (void)state;
    struct ck_info info;
    struct ck_initialize_args args = {.reserved = &info};
    assert_int_equal(C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    assert_int_equal(C_Finalize(&info), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_int_equal(C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(C_Initialize(&args), CKR_ARGUMENTS_BAD);
    args = (struct ck_initialize_args){.create_mutex = no_mutex};
    assert_int_equal(C_Initialize(&args), CKR_ARGUMENTS_BAD);
    args = (struct ck_initialize_args){no_mutex, no_lock, no_lock, no_lock, 0, NULL};
    assert_int_equal(C_Initialize(&args), CKR_CANT_LOCK);
    args.flags = CKF_OS_LOCKING_OK;
    assert_int_equal(C_Initialize(&args), CKR_OK);
    assert_int_equal(C_GetInfo(&info), CKR_OK);
    assert_int_equal(info.cryptoki.major, 3);
    assert_memory_equal(info.manufacturer, "Caisson                         ", 32);
}

static void tables(void **state)
{
    (void)state;
    struct ck_functions *list = NULL;
    struct ck_interface found[2];
    struct ck_interface *one = NULL;
    struct ck_version version = {2, 40};
    CK_ULONG count = 0;
    assert_int_equal(C_GetFunctionList(NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_GetFunctionList(&list), CKR_OK);
    assert_int_equal(list->version.major, 2);
    assert_ptr_equal(list->C_Initialize, C_Initialize);
    assert_ptr_equal(list->C_WaitForSlotEvent, C_WaitForSlotEvent);
    assert_int_equal(C_GetInterfaceList(NULL, &count), CKR_OK);
    assert_int_equal(count, 2);
    count = 1;
    assert_int_equal(C_GetInterfaceList(found, &count), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(C_GetInterfaceList(found, &count), CKR_OK);
    assert_int_equal(C_GetInterface(NULL, NULL, &one, 0), CKR_OK);
    const struct ck_functions_300 *newest = one->functions;
    assert_int_equal(newest->version.major, 3);
    assert_ptr_equal(newest->C_MessageVerifyFinal, C_MessageVerifyFinal);
    assert_int_equal(C_GetInterface((CK_UTF8CHAR *)(uintptr_t) "PKCS 11", &version, &one, 0),
                     CKR_OK);
    assert_ptr_equal(one->functions, list);
    version.minor = 41;
    assert_int_equal(C_GetInterface(NULL, &version, &one, 0), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_GetInterface((CK_UTF8CHAR *)(uintptr_t) "Vendor", NULL, &one, 0),
                     CKR_ARGUMENTS_BAD);
    assert_int_equal(C_GetInterface(NULL, NULL, &one, CKF_INTERFACE_FORK_SAFE), CKR_OK);
    assert_int_equal(C_GetInterface(NULL, NULL, &one, 2), CKR_ARGUMENTS_BAD);
}

static void slots(void **state)
{
    (void)state;
    CK_SLOT_ID slot = 0;
    CK_ULONG count = 0;
    CK_MECHANISM_TYPE types[64];
    struct ck_mechanism_info mechanism;
    struct ck_token_info token;
    struct ck_slot_info info;
    assert_int_equal(C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
    assert_int_equal(count, 1);
    count = 0;
    assert_int_equal(C_GetSlotList(CK_TRUE, &slot, &count), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(C_GetSlotList(CK_TRUE, &slot, &count), CKR_OK);
    assert_int_equal(slot, SLOT);
    assert_int_equal(C_GetSlotInfo(7, &info), CKR_SLOT_ID_INVALID);
    assert_int_equal(C_GetSlotInfo(slot, &info), CKR_OK);
    assert_int_equal(info.flags, CKF_TOKEN_PRESENT);
    assert_int_equal(C_GetTokenInfo(slot, &token), CKR_OK);
    assert_memory_equal(token.label, "caisson                         ", 32);
    assert_int_equal(token.flags & CKF_LOGIN_REQUIRED, 0);
    count = 64;
    assert_int_equal(C_GetMechanismList(slot, types, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        assert_int_equal(C_GetMechanismInfo(slot, types[i], &mechanism), CKR_OK);
        assert_int_not_equal(mechanism.flags, 0);
    }
    count = 1;
    assert_int_equal(C_GetMechanismList(slot, types, &count), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(C_GetMechanismInfo(slot, 0x12345, &mechanism), CKR_MECHANISM_INVALID);
}

/* ---- sessions ---- */

static void sessions(void **state)
{
    (void)state;
    CK_SESSION_HANDLE a = rig_session();
    CK_SESSION_HANDLE b;
    struct ck_session_info info;
    assert_int_equal(C_OpenSession(SLOT, 0, NULL, NULL, &b), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    assert_int_equal(C_OpenSession(9, RW_SESSION, NULL, NULL, &b), CKR_SLOT_ID_INVALID);
    assert_int_equal(C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &b), CKR_OK);
    assert_int_equal(C_GetSessionInfo(b, &info), CKR_OK);
    assert_int_equal(info.state, CKS_RO_PUBLIC_SESSION);
    assert_int_equal(C_Logout(a), CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(C_Login(a, CKU_SO, BYTES("1234")), CKR_USER_TYPE_INVALID);
    assert_int_equal(C_Login(a, CKU_USER, BYTES("1234")), CKR_OK);
    assert_int_equal(C_Login(b, CKU_USER, NULL, 0), CKR_USER_ALREADY_LOGGED_IN);
    assert_int_equal(C_GetSessionInfo(a, &info), CKR_OK);
    assert_int_equal(info.state, CKS_RW_USER_FUNCTIONS);
    assert_int_equal(C_Logout(b), CKR_OK);
    assert_int_equal(C_CloseSession(a), CKR_OK);
    assert_int_equal(C_CloseSession(a), CKR_SESSION_HANDLE_INVALID);
    /* The place is taken again, but not under the old handle. */
    CK_SESSION_HANDLE c = rig_session();
    assert_int_not_equal(c, a);
    assert_int_equal(C_GetSessionInfo(a, &info), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(C_CloseAllSessions(SLOT), CKR_OK);
    assert_int_equal(C_GetSessionInfo(b, &info), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(C_GetSessionInfo(c, &info), CKR_SESSION_HANDLE_INVALID);
}

static void session_count(void **state)
{
    (void)state;
    CK_SESSION_HANDLE last = 0;
    CK_ULONG count = 0;
    struct ck_token_info info;
    while (C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &last) == CKR_OK) {
        count++;
    }
    assert_int_equal(count, 4096);
    assert_int_equal(C_GetTokenInfo(SLOT, &info), CKR_OK);
    assert_int_equal(info.session_count, 4096);
    assert_int_equal(C_CloseSession(last), CKR_OK);
    assert_int_equal(C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &last), CKR_OK);
}

/* ---- objects ---- */

static void search(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    CK_OBJECT_HANDLE found[8];
    CK_ULONG count = 9;
    fake_add("web", CSN_WIRE_TRANSIT_P256, 0);
    fake_add("data", CSN_WIRE_TRANSIT_AES_256, 0);
    fake_add("kem", CSN_WIRE_TRANSIT_ML_KEM_768, 0);    /* has no name in PKCS #11 */
    fake_add("session-0", CSN_WIRE_TRANSIT_AES_256, 0); /* of another process */
    assert_int_equal(rig_count(session), 3);
    CK_OBJECT_HANDLE web = rig_find(session, CKO_PRIVATE_KEY, "web");
    assert_int_not_equal(web, 0);
    assert_int_equal(rig_find(session, CKO_SECRET_KEY, "web"), 0);
    assert_int_equal(C_FindObjects(session, found, 8, &count), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(C_FindObjectsInit(session, NULL, 1), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_int_equal(C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
    assert_int_equal(C_FindObjects(session, found, 2, &count), CKR_OK);
    assert_int_equal(count, 2);
    assert_int_equal(C_FindObjects(session, found, 2, &count), CKR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(C_FindObjects(session, found, 2, &count), CKR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(C_FindObjectsFinal(session), CKR_OK);
    /* What others did since. */
    fake_remove("data");
    fake_add("mail", CSN_WIRE_TRANSIT_ED25519, 0);
    assert_int_equal(rig_count(session), 4);
    assert_int_equal(rig_find(session, CKO_PRIVATE_KEY, "web"), web);
    fake_rotate("web");
    assert_int_equal(rig_count(session), 4);
    assert_int_not_equal(rig_find(session, CKO_PRIVATE_KEY, "web"), web);
    fake_failure = CKR_DEVICE_REMOVED;
    assert_int_equal(C_FindObjectsInit(session, NULL, 0), CKR_DEVICE_REMOVED);
    assert_int_equal(C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
}

static void remembers(void **state)
{
    (void)state;
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    rig_settings("refresh_ms = 60000\n");
    assert_int_equal(C_Initialize(NULL), CKR_OK);
    CK_SESSION_HANDLE session = rig_session();
    fake_add("web", CSN_WIRE_TRANSIT_P256, 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(rig_count(session), 2);
    }
    assert_int_equal(fake_lists, 1);
}

static void login_first(void **state)
{
    (void)state;
    struct ck_token_info info;
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    rig_settings("login = true\n");
    assert_int_equal(C_Initialize(NULL), CKR_OK);
    CK_SESSION_HANDLE session = rig_session();
    fake_add("web", CSN_WIRE_TRANSIT_P256, 0);
    assert_int_equal(C_GetTokenInfo(SLOT, &info), CKR_OK);
    assert_int_not_equal(info.flags & CKF_LOGIN_REQUIRED, 0);
    assert_int_equal(rig_count(session), 1); /* the public half */
    assert_int_equal(C_Login(session, CKU_USER, NULL, 0), CKR_OK);
    CK_OBJECT_HANDLE key = rig_find(session, CKO_PRIVATE_KEY, "web");
    assert_int_not_equal(key, 0);
    assert_int_equal(C_Logout(session), CKR_OK);
    struct ck_mechanism mechanism = {CKM_ECDSA, NULL, 0};
    assert_int_equal(C_SignInit(session, &mechanism, key), CKR_KEY_HANDLE_INVALID);
}

static CK_ULONG number_of(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG type)
{
    CK_ULONG value = 0;
    struct ck_attribute item = {type, &value, sizeof value};
    assert_int_equal(C_GetAttributeValue(session, object, &item, 1), CKR_OK);
    return value;
}

static int truth_of(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG type)
{
    CK_BBOOL value = 7;
    struct ck_attribute item = {type, &value, sizeof value};
    CK_RV rv = C_GetAttributeValue(session, object, &item, 1);
    return rv == CKR_OK ? value : -1;
}

static void attributes(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    CK_BYTE text[64];
    CK_BYTE small[2];
    fake_add("web", CSN_WIRE_TRANSIT_P256, 0);
    fake_add("data", CSN_WIRE_TRANSIT_AES_256, 0);
    CK_OBJECT_HANDLE secret = rig_find(session, CKO_PRIVATE_KEY, "web");
    CK_OBJECT_HANDLE public = rig_find(session, CKO_PUBLIC_KEY, "web");
    CK_OBJECT_HANDLE data = rig_find(session, CKO_SECRET_KEY, "data");
    assert_int_equal(number_of(session, secret, CKA_KEY_TYPE), CKK_EC);
    assert_int_equal(number_of(session, data, CKA_KEY_TYPE), CKK_AES);
    assert_int_equal(number_of(session, data, CKA_VALUE_LEN), 32);
    assert_int_equal(truth_of(session, secret, CKA_SENSITIVE), 1);
    assert_int_equal(truth_of(session, secret, CKA_EXTRACTABLE), 0);
    assert_int_equal(truth_of(session, secret, CKA_NEVER_EXTRACTABLE), 1);
    assert_int_equal(truth_of(session, secret, CKA_SIGN), 1);
    assert_int_equal(truth_of(session, secret, CKA_DERIVE), 0);
    assert_int_equal(truth_of(session, public, CKA_VERIFY), 1);
    assert_int_equal(truth_of(session, public, CKA_SENSITIVE), -1);
    assert_int_equal(truth_of(session, data, CKA_ENCRYPT), 1);
    assert_int_equal(truth_of(session, data, CKA_SIGN), 0);
    /* One that may not be told, one that is not there, one too large, one good: all are looked at.
     */
    struct ck_attribute items[] = {{CKA_VALUE, text, sizeof text},
                                   {CKA_EC_POINT, text, sizeof text},
                                   {CKA_LABEL, small, sizeof small},
                                   {CKA_ID, NULL, 0},
                                   {CKA_LABEL, text, sizeof text}};
    assert_int_not_equal(C_GetAttributeValue(session, data, items, 5), CKR_OK);
    assert_true(items[0].size == CK_UNAVAILABLE_INFORMATION);
    assert_true(items[1].size == CK_UNAVAILABLE_INFORMATION);
    assert_true(items[2].size == CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(items[3].size, 16);
    assert_int_equal(items[4].size, 4);
    assert_memory_equal(text, "data", 4);
    struct ck_attribute value = {CKA_VALUE, text, sizeof text};
    assert_int_equal(C_GetAttributeValue(session, secret, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
    assert_int_equal(C_GetAttributeValue(session, data, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
    assert_int_equal(C_GetAttributeValue(session, 0x7777, &value, 1), CKR_OBJECT_HANDLE_INVALID);
    assert_int_equal(C_GetAttributeValue(session, 0, &value, 1), CKR_OBJECT_HANDLE_INVALID);
    struct ck_attribute label = {CKA_LABEL, text, 4};
    memcpy(text, "data", 4);
    assert_int_equal(C_SetAttributeValue(session, data, &label, 1), CKR_OK);
    memcpy(text, "date", 4);
    assert_int_equal(C_SetAttributeValue(session, data, &label, 1), CKR_ATTRIBUTE_READ_ONLY);
}

static void names(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    CK_BBOOL yes = CK_TRUE;
    CK_OBJECT_HANDLE key;
    CK_BYTE id[64];
    struct ck_mechanism mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    struct ck_attribute items[] = {{CKA_TOKEN, &yes, 1},
                                   {CKA_LABEL, (void *)(uintptr_t) "backup", 6},
                                   {CKA_ID, (void *)(uintptr_t) "\x01\xfe", 2}};
    assert_int_equal(C_GenerateKey(session, &mechanism, items, 3, &key), CKR_OK);
    struct p11_key_info info = {.name = "backup.id-01fe"};
    assert_int_equal(p11_service_info(NULL, &info), CKR_OK);
    struct ck_attribute get = {CKA_ID, id, sizeof id};
    assert_int_equal(C_GetAttributeValue(session, key, &get, 1), CKR_OK);
    assert_int_equal(get.size, 2);
    assert_memory_equal(id, "\x01\xfe", 2);
    assert_int_equal(rig_find(session, CKO_SECRET_KEY, "backup"), key);
    /* The same again, one that is no name, one that is too long, one that would come back as
     * another. */
    assert_int_not_equal(C_GenerateKey(session, &mechanism, items, 3, &key), CKR_OK);
    items[1] = (struct ck_attribute){CKA_LABEL, (void *)(uintptr_t) "a b", 3};
    assert_int_equal(C_GenerateKey(session, &mechanism, items, 3, &key),
                     CKR_ATTRIBUTE_VALUE_INVALID);
    memset(id, 'a', sizeof id);
    items[1] = (struct ck_attribute){CKA_LABEL, id, 60};
    assert_int_equal(C_GenerateKey(session, &mechanism, items, 3, &key),
                     CKR_ATTRIBUTE_VALUE_INVALID);
    items[1] = (struct ck_attribute){CKA_LABEL, (void *)(uintptr_t) "a.id-00", 7};
    assert_int_equal(C_GenerateKey(session, &mechanism, items, 2, &key),
                     CKR_ATTRIBUTE_VALUE_INVALID);
    assert_int_equal(C_GenerateKey(session, &mechanism, items, 1, &key), CKR_OK); /* no name */
}

static void certificate_file(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    fake_add("web", CSN_WIRE_TRANSIT_P256, 0);
    assert_int_equal(rig_find(session, CKO_CERTIFICATE, "web"), 0);
    const char *source = getenv("CAISSON_SOURCE");
    char line[512];
    assert_non_null(source);
    snprintf(line, sizeof line, "certificate = web %s/tests/pkcs11/certificate.pem\n", source);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    rig_settings(line);
    assert_int_equal(C_Initialize(NULL), CKR_OK);
    session = rig_session();
    CK_OBJECT_HANDLE found = rig_find(session, CKO_CERTIFICATE, "web");
    assert_int_not_equal(found, 0);
    CK_BYTE subject[256];
    CK_BYTE value[2048];
    struct ck_attribute items[] = {{CKA_SUBJECT, subject, sizeof subject},
                                   {CKA_VALUE, value, sizeof value},
                                   {CKA_SERIAL_NUMBER, NULL, 0}};
    assert_int_equal(C_GetAttributeValue(session, found, items, 3), CKR_OK);
    assert_int_equal(subject[0], 0x30);
    assert_int_equal(value[0], 0x30);
    assert_int_equal(C_DestroyObject(session, found), CKR_ACTION_PROHIBITED);
}

/* ---- signatures ---- */

struct signing_case {
    CK_MECHANISM_TYPE make;
    const uint8_t *curve;
    CK_ULONG curve_size;
    CK_MECHANISM_TYPE type;
    CK_ULONG size, digest_size;
};

static const struct signing_case signing_cases[] = {
    {CKM_EC_KEY_PAIR_GEN, rig_p256, sizeof rig_p256, CKM_ECDSA, 64, 20},
    {CKM_EC_KEY_PAIR_GEN, rig_p256, sizeof rig_p256, CKM_ECDSA, 64, 32},
    {CKM_EC_KEY_PAIR_GEN, rig_p256, sizeof rig_p256, CKM_ECDSA, 64, 64},
    {CKM_EC_KEY_PAIR_GEN, rig_p256, sizeof rig_p256, CKM_ECDSA_SHA256, 64, 100},
    {CKM_EC_KEY_PAIR_GEN, rig_p256, sizeof rig_p256, CKM_ECDSA_SHA512, 64, 100},
    {CKM_EC_KEY_PAIR_GEN, rig_p384, sizeof rig_p384, CKM_ECDSA, 96, 32},
    {CKM_EC_KEY_PAIR_GEN, rig_p384, sizeof rig_p384, CKM_ECDSA_SHA384, 96, 100},
    {CKM_EC_EDWARDS_KEY_PAIR_GEN, rig_ed25519, sizeof rig_ed25519, CKM_EDDSA, 64, 100},
};

static void signature(const struct signing_case *sign)
{
    CK_SESSION_HANDLE session = rig_session();
    CK_OBJECT_HANDLE pair[2];
    CK_BYTE message[100];
    CK_BYTE made[96];
    CK_ULONG size = 0;
    struct ck_mechanism mechanism = {sign->type, NULL, 0};
    memset(message, 0x5a, sizeof message);
    message[0] = 0xf1; /* of a digest: above the order of neither curve, and not small */
    assert_int_equal(
        rig_pair(session, sign->make, sign->curve, sign->curve_size, false, "k", false, pair),
        CKR_OK);
    assert_int_equal(C_Sign(session, message, 4, made, &size), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_OK);
    assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_OPERATION_ACTIVE);
    assert_int_equal(C_Sign(session, message, sign->digest_size, NULL, &size), CKR_OK);
    assert_int_equal(size, sign->size);
    size--;
    assert_int_equal(C_Sign(session, message, sign->digest_size, made, &size),
                     CKR_BUFFER_TOO_SMALL);
    assert_int_equal(size, sign->size);
    assert_int_equal(C_Sign(session, message, sign->digest_size, made, &size), CKR_OK);
    assert_int_equal(C_Sign(session, message, 4, made, &size), CKR_OPERATION_NOT_INITIALIZED);
    /* In one part and in three; and with each kind of fault. */
    assert_int_equal(C_VerifyInit(session, &mechanism, pair[0]), CKR_OK);
    assert_int_equal(C_Verify(session, message, sign->digest_size, made, size), CKR_OK);
    assert_int_equal(C_VerifyInit(session, &mechanism, pair[0]), CKR_OK);
    assert_int_equal(C_VerifyUpdate(session, message, 7), CKR_OK);
    assert_int_equal(C_Verify(session, message, 1, made, size), CKR_OPERATION_ACTIVE);
    assert_int_equal(C_VerifyUpdate(session, message + 7, sign->digest_size - 7), CKR_OK);
    assert_int_equal(C_VerifyFinal(session, made, size), CKR_OK);
    message[3] ^= 1;
    assert_int_equal(C_VerifyInit(session, &mechanism, pair[0]), CKR_OK);
    assert_int_equal(C_Verify(session, message, sign->digest_size, made, size),
                     CKR_SIGNATURE_INVALID);
    message[3] ^= 1;
    made[size - 1] ^= 1;
    assert_int_equal(C_VerifyInit(session, &mechanism, pair[0]), CKR_OK);
    assert_int_equal(C_Verify(session, message, sign->digest_size, made, size),
                     CKR_SIGNATURE_INVALID);
    assert_int_equal(C_VerifyInit(session, &mechanism, pair[0]), CKR_OK);
    assert_int_equal(C_Verify(session, message, sign->digest_size, made, size - 1),
                     CKR_SIGNATURE_LEN_RANGE);
    /* Signed in parts. */
    assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_OK);
    assert_int_equal(C_SignUpdate(session, message, 10), CKR_OK);
    assert_int_equal(C_Sign(session, message, 1, made, &size), CKR_OPERATION_ACTIVE);
    assert_int_equal(C_SignUpdate(session, message + 10, sign->digest_size - 10), CKR_OK);
    assert_int_equal(C_SignFinal(session, made, &size), CKR_OK);
    assert_int_equal(C_VerifyInit(session, &mechanism, pair[0]), CKR_OK);
    assert_int_equal(C_Verify(session, message, sign->digest_size, made, size), CKR_OK);
    /* Halves and mechanisms that do not go together. */
    assert_int_equal(C_SignInit(session, &mechanism, pair[0]), CKR_KEY_HANDLE_INVALID);
    assert_int_equal(C_VerifyInit(session, &mechanism, pair[1]), CKR_KEY_HANDLE_INVALID);
    mechanism.type = sign->type == CKM_EDDSA ? CKM_ECDSA : CKM_EDDSA;
    assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_KEY_TYPE_INCONSISTENT);
    mechanism.type = CKM_SHA256;
    assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_MECHANISM_INVALID);
    mechanism = (struct ck_mechanism){sign->type, message, 3};
    assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(C_CloseSession(session), CKR_OK);
}

static void signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof signing_cases / sizeof signing_cases[0]; i++) {
        signature(&signing_cases[i]);
    }
}

static void macs(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    CK_OBJECT_HANDLE key;
    CK_BYTE made[64];
    assert_int_equal(rig_secret(session, CKM_GENERIC_SECRET_KEY_GEN, false, "m", &key), CKR_OK);
    for (CK_MECHANISM_TYPE type = CKM_SHA256_HMAC; type != 0;
         type = type == CKM_SHA256_HMAC   ? CKM_SHA384_HMAC
                : type == CKM_SHA384_HMAC ? CKM_SHA512_HMAC
                                          : 0) {
        struct ck_mechanism mechanism = {type, NULL, 0};
        CK_ULONG size = sizeof made;
        assert_int_equal(C_SignInit(session, &mechanism, key), CKR_OK);
        assert_int_equal(C_Sign(session, BYTES("hello"), made, &size), CKR_OK);
        assert_int_equal(size, type == CKM_SHA256_HMAC ? 32 : type == CKM_SHA384_HMAC ? 48 : 64);
        assert_int_equal(C_VerifyInit(session, &mechanism, key), CKR_OK);
        assert_int_equal(C_Verify(session, BYTES("hello"), made, size), CKR_OK);
        assert_int_equal(C_VerifyInit(session, &mechanism, key), CKR_OK);
        assert_int_equal(C_Verify(session, BYTES("hallo"), made, size), CKR_SIGNATURE_INVALID);
        assert_int_equal(C_VerifyInit(session, &mechanism, key), CKR_OK);
        assert_int_equal(C_Verify(session, BYTES("hello"), made, size - 1),
                         CKR_SIGNATURE_LEN_RANGE);
    }
}

static void failures_end(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    CK_OBJECT_HANDLE pair[2];
    CK_BYTE made[64];
    CK_ULONG size = sizeof made;
    struct ck_mechanism mechanism = {CKM_EDDSA, NULL, 0};
    assert_int_equal(rig_pair(session, CKM_EC_EDWARDS_KEY_PAIR_GEN, rig_ed25519, sizeof rig_ed25519,
                              false, "k", false, pair),
                     CKR_OK);
    assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_OK);
    fake_failure = CKR_DEVICE_ERROR;
    assert_int_equal(C_Sign(session, BYTES("x"), made, &size), CKR_DEVICE_ERROR);
    fake_failure = CKR_OK;
    assert_int_equal(C_Sign(session, BYTES("x"), made, &size), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_OK);
    assert_int_equal(C_Sign(session, NULL, 1, made, &size), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_Sign(session, BYTES("x"), made, &size), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_OK);
    assert_int_equal(C_SessionCancel(session, CKF_SIGN), CKR_OK);
    assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_OK);
    CK_BYTE much[4096] = {0};
    CK_RV rv = CKR_OK;
    CK_ULONG taken = 0;
    while (rv == CKR_OK && taken < 2 * P11_MESSAGE_MAX) {
        rv = C_SignUpdate(session, much, sizeof much);
        taken += rv == CKR_OK ? sizeof much : 0;
    }
    assert_int_equal(rv, CKR_DATA_LEN_RANGE);
    assert_int_equal(taken, P11_MESSAGE_MAX);
}

/* ---- sealing ---- */

static void sealing(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    CK_OBJECT_HANDLE key;
    CK_BYTE iv[12] = {1, 2, 3};
    CK_BYTE sealed[256];
    CK_BYTE opened[256];
    CK_ULONG size = 0;
    CK_ULONG opened_size = sizeof opened;
    struct ck_gcm_params params = {iv, sizeof iv, 96, BYTES("header"), 128};
    struct ck_mechanism mechanism = {CKM_AES_GCM, &params, sizeof params};
    assert_int_equal(rig_secret(session, CKM_AES_KEY_GEN, false, "s", &key), CKR_OK);
    assert_int_equal(C_EncryptInit(session, &mechanism, key), CKR_OK);
    assert_int_equal(C_Encrypt(session, BYTES("secret"), NULL, &size), CKR_OK);
    assert_int_equal(size, 6 + P11_SEALED_BESIDE);
    assert_int_equal(C_Encrypt(session, BYTES("secret"), sealed, &size), CKR_OK);
    assert_int_equal(C_DecryptInit(session, &mechanism, key), CKR_OK);
    assert_int_equal(C_Decrypt(session, sealed, size, opened, &opened_size), CKR_OK);
    assert_int_equal(opened_size, 6);
    assert_memory_equal(opened, "secret", 6);
    /* Another IV, other associated data, a byte moved between the two, a bit of the text. */
    for (int i = 0; i < 4; i++) {
        struct ck_gcm_params other = params;
        CK_BYTE wrong[32] = {1, 2, 3};
        memcpy(wrong + 12, "header", 6);
        other.iv = wrong;
        other.aad = wrong + 12;
        if (i == 0) {
            wrong[0] = 9;
        } else if (i == 1) {
            wrong[12] = 'H';
        } else if (i == 2) {
            other.iv_size = 13;
            other.aad++;
            other.aad_size--;
        } else {
            sealed[50] ^= 1;
        }
        mechanism.parameter = &other;
        opened_size = sizeof opened;
        assert_int_equal(C_DecryptInit(session, &mechanism, key), CKR_OK);
        assert_int_equal(C_Decrypt(session, sealed, size, opened, &opened_size),
                         CKR_ENCRYPTED_DATA_INVALID);
    }
    sealed[50] ^= 1;
    mechanism.parameter = &params;
    opened_size = sizeof opened;
    assert_int_equal(C_DecryptInit(session, &mechanism, key), CKR_OK);
    assert_int_equal(C_Decrypt(session, sealed, 55, opened, &opened_size),
                     CKR_ENCRYPTED_DATA_LEN_RANGE);
    params.tag_bits = 96;
    assert_int_equal(C_EncryptInit(session, &mechanism, key), CKR_MECHANISM_PARAM_INVALID);
    params.tag_bits = 128;
    params.iv = NULL;
    assert_int_equal(C_EncryptInit(session, &mechanism, key), CKR_MECHANISM_PARAM_INVALID);
}

static void sealing_in_parts(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    CK_OBJECT_HANDLE key;
    CK_BYTE sealed[256];
    CK_BYTE opened[256];
    CK_ULONG size = 99;
    CK_ULONG opened_size = 99;
    struct ck_gcm_params params = {NULL, 0, 0, NULL, 0, 128};
    struct ck_mechanism mechanism = {CKM_AES_GCM, &params, sizeof params};
    assert_int_equal(rig_secret(session, CKM_AES_KEY_GEN, false, "s", &key), CKR_OK);
    assert_int_equal(C_EncryptInit(session, &mechanism, key), CKR_OK);
    assert_int_equal(C_EncryptUpdate(session, BYTES("sec"), sealed, &size), CKR_OK);
    assert_int_equal(size, 0);
    assert_int_equal(C_EncryptUpdate(session, BYTES("ret"), sealed, &size), CKR_OK);
    assert_int_equal(C_EncryptFinal(session, NULL, &size), CKR_OK);
    assert_int_equal(C_EncryptFinal(session, sealed, &size), CKR_OK);
    assert_int_equal(size, 6 + P11_SEALED_BESIDE);
    assert_int_equal(C_DecryptInit(session, &mechanism, key), CKR_OK);
    assert_int_equal(C_DecryptUpdate(session, sealed, 11, opened, &opened_size), CKR_OK);
    assert_int_equal(opened_size, 0);
    assert_int_equal(C_DecryptUpdate(session, sealed + 11, size - 11, opened, &opened_size),
                     CKR_OK);
    opened_size = 5;
    assert_int_equal(C_DecryptFinal(session, opened, &opened_size), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(opened_size, 6);
    assert_int_equal(C_DecryptFinal(session, opened, &opened_size), CKR_OK);
    assert_memory_equal(opened, "secret", 6);
}

static void messages(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    CK_OBJECT_HANDLE key;
    CK_BYTE iv[2][40];
    CK_BYTE tag[16];
    CK_BYTE text[6];
    CK_BYTE opened[6];
    CK_ULONG size = sizeof text;
    struct ck_mechanism mechanism = {CKM_AES_GCM, NULL, 0};
    struct ck_gcm_message_params params = {iv[0], 40, 0, CKG_GENERATE_RANDOM, tag, 128};
    assert_int_equal(rig_secret(session, CKM_AES_KEY_GEN, false, "s", &key), CKR_OK);
    assert_int_equal(C_MessageEncryptInit(session, &mechanism, key), CKR_OK);
    assert_int_equal(C_MessageDecryptInit(session, &mechanism, key), CKR_OK);
    for (int i = 0; i < 2; i++) {
        params.iv = iv[i];
        assert_int_equal(C_EncryptMessage(session, &params, sizeof params, BYTES("head"),
                                          BYTES("secret"), text, &size),
                         CKR_OK);
    }
    assert_memory_not_equal(iv[0], iv[1], 40);
    assert_int_equal(
        C_DecryptMessage(session, &params, sizeof params, BYTES("head"), text, size, opened, &size),
        CKR_OK);
    assert_memory_equal(opened, "secret", 6);
    tag[0] ^= 1;
    assert_int_equal(
        C_DecryptMessage(session, &params, sizeof params, BYTES("head"), text, size, opened, &size),
        CKR_AEAD_DECRYPT_FAILED);
    params.iv_generator = CKG_NO_GENERATE; /* a nonce of the caller's choice */
    assert_int_equal(C_EncryptMessage(session, &params, sizeof params, BYTES("head"),
                                      BYTES("secret"), text, &size),
                     CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(C_MessageEncryptFinal(session), CKR_OK);
    assert_int_equal(C_MessageEncryptFinal(session), CKR_OPERATION_NOT_INITIALIZED);
}

/* ---- the rest ---- */

static void derive_one(CK_MECHANISM_TYPE make, const uint8_t *curve, CK_ULONG curve_size)
{
    CK_SESSION_HANDLE session = rig_session();
    CK_OBJECT_HANDLE pairs[2][2];
    CK_BYTE values[2][64];
    CK_BYTE points[2][128];
    CK_ULONG sizes[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rig_pair(session, make, curve, curve_size, false, "d", true, pairs[i]),
                         CKR_OK);
        struct ck_attribute point = {CKA_EC_POINT, points[i], sizeof points[i]};
        assert_int_equal(C_GetAttributeValue(session, pairs[i][0], &point, 1), CKR_OK);
        sizes[i] = point.size;
    }
    for (int i = 0; i < 2; i++) {
        CK_OBJECT_HANDLE made;
        struct ck_ecdh1_derive_params params = {CKD_NULL, 0, NULL, sizes[1 - i], points[1 - i]};
        struct ck_mechanism mechanism = {CKM_ECDH1_DERIVE, &params, sizeof params};
        if (i == 1) { /* the point without its OCTET STRING does as well */
            params.public_data += 2;
            params.public_size -= 2;
        }
        assert_int_equal(C_DeriveKey(session, &mechanism, pairs[i][1], NULL, 0, &made), CKR_OK);
        struct ck_attribute value = {CKA_VALUE, values[i], sizeof values[i]};
        assert_int_equal(C_GetAttributeValue(session, made, &value, 1), CKR_OK);
        assert_int_equal(value.size, curve == rig_p384 ? 48 : 32);
        CK_BBOOL yes = CK_TRUE;
        struct ck_attribute sensitive = {CKA_SENSITIVE, &yes, 1};
        assert_int_equal(C_DeriveKey(session, &mechanism, pairs[i][1], &sensitive, 1, &made),
                         CKR_TEMPLATE_INCONSISTENT);
        params.public_size--;
        assert_int_equal(C_DeriveKey(session, &mechanism, pairs[i][1], NULL, 0, &made),
                         CKR_MECHANISM_PARAM_INVALID);
    }
    assert_memory_equal(values[0], values[1], 32);
    assert_int_equal(C_CloseSession(session), CKR_OK);
}

static void derives(void **state)
{
    (void)state;
    derive_one(CKM_EC_KEY_PAIR_GEN, rig_p256, sizeof rig_p256);
    derive_one(CKM_EC_KEY_PAIR_GEN, rig_p384, sizeof rig_p384);
    derive_one(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, rig_x25519, sizeof rig_x25519);
}

static void generates(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    CK_SESSION_HANDLE reader;
    CK_OBJECT_HANDLE pair[2];
    CK_OBJECT_HANDLE key;
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG short_key = 16;
    struct ck_mechanism mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    assert_int_equal(C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &reader), CKR_OK);
    assert_int_equal(rig_secret(reader, CKM_AES_KEY_GEN, true, "t", &key), CKR_SESSION_READ_ONLY);
    assert_int_equal(rig_secret(session, CKM_AES_KEY_GEN, true, "t", &key), CKR_OK);
    assert_int_equal(C_DestroyObject(reader, key), CKR_SESSION_READ_ONLY);
    assert_int_equal(C_DestroyObject(session, key), CKR_OK);
    assert_int_equal(C_DestroyObject(session, key), CKR_OBJECT_HANDLE_INVALID);
    assert_int_equal(fake_key_count(), 0);
    struct ck_attribute size = {CKA_VALUE_LEN, &short_key, sizeof short_key};
    assert_int_equal(C_GenerateKey(session, &mechanism, &size, 1, &key), CKR_KEY_SIZE_RANGE);
    struct ck_attribute leaves = {CKA_EXTRACTABLE, &yes, 1};
    assert_int_equal(C_GenerateKey(session, &mechanism, &leaves, 1, &key),
                     CKR_TEMPLATE_INCONSISTENT);
    assert_int_equal(
        rig_pair(session, CKM_EC_KEY_PAIR_GEN, "\x06\x01\x00", 3, true, "c", false, pair),
        CKR_CURVE_NOT_SUPPORTED);
    assert_int_equal(rig_pair(session, CKM_EC_KEY_PAIR_GEN, rig_ed25519, sizeof rig_ed25519, true,
                              "c", false, pair),
                     CKR_CURVE_NOT_SUPPORTED);
    assert_int_equal(fake_key_count(), 0);
    /* Of a session: gone with it, in the enclave as well. */
    assert_int_equal(
        rig_pair(reader, CKM_EC_KEY_PAIR_GEN, rig_p256, sizeof rig_p256, false, "c", false, pair),
        CKR_OK);
    assert_int_equal(fake_key_count(), 1);
    assert_int_not_equal(rig_find(session, CKO_PRIVATE_KEY, "c"), 0);
    assert_int_equal(C_CloseSession(reader), CKR_OK);
    assert_int_equal(fake_key_count(), 0);
    assert_int_equal(rig_find(session, CKO_PRIVATE_KEY, "c"), 0);
    /* The public half alone is hidden, and the key stays. */
    assert_int_equal(
        rig_pair(session, CKM_EC_KEY_PAIR_GEN, rig_p256, sizeof rig_p256, true, "d", false, pair),
        CKR_OK);
    assert_int_equal(C_DestroyObject(session, pair[0]), CKR_OK);
    assert_int_equal(rig_find(session, CKO_PUBLIC_KEY, "d"), 0);
    assert_int_equal(rig_find(session, CKO_PRIVATE_KEY, "d"), pair[1]);
    fake_failure = CKR_ACTION_PROHIBITED;
    assert_int_equal(C_DestroyObject(session, pair[1]), CKR_ACTION_PROHIBITED);
    fake_failure = CKR_OK;
    assert_int_equal(rig_find(session, CKO_PRIVATE_KEY, "d"), pair[1]);
}

/* A key that goes while an operation has it; places are used again, handles are not. */
static void goes_meanwhile(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    CK_OBJECT_HANDLE pair[2];
    CK_OBJECT_HANDLE before = 0;
    CK_BYTE made[96] = {1};
    CK_ULONG size = sizeof made;
    struct ck_mechanism mechanism = {CKM_ECDSA, NULL, 0};
    for (int i = 0; i < 60; i++) {
        assert_int_equal(rig_pair(session, CKM_EC_KEY_PAIR_GEN, rig_p384, sizeof rig_p384, true,
                                  "k", false, pair),
                         CKR_OK);
        assert_int_not_equal(pair[1], before);
        assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_OK);
        assert_int_equal(C_DestroyObject(session, pair[1]), CKR_OK);
        assert_int_equal(C_Sign(session, made, 32, NULL, &size), CKR_OK);
        assert_int_equal(size, 96); /* it still knows of what */
        assert_int_equal(C_Sign(session, made, 32, made, &size), CKR_KEY_HANDLE_INVALID);
        assert_int_equal(C_SignInit(session, &mechanism, pair[1]), CKR_KEY_HANDLE_INVALID);
        before = pair[1];
    }
    assert_true((before >> 2 & 0xffff) < 4); /* the place */
}

static void digests(void **state)
{
    (void)state;
    static const struct {
        CK_MECHANISM_TYPE type;
        const char *name;
    } cases[] = {{CKM_SHA256, "SHA256"}, {CKM_SHA384, "SHA384"}, {CKM_SHA512, "SHA512"}};
    CK_SESSION_HANDLE session = rig_session();
    for (int i = 0; i < 3; i++) {
        struct ck_mechanism mechanism = {cases[i].type, NULL, 0};
        CK_BYTE digest[64];
        CK_BYTE wanted[64];
        size_t wanted_size = 0;
        CK_ULONG size = 0;
        assert_int_equal(EVP_Q_digest(NULL, cases[i].name, NULL, "hello", 5, wanted, &wanted_size),
                         1);
        assert_int_equal(C_DigestInit(session, &mechanism), CKR_OK);
        assert_int_equal(C_Digest(session, BYTES("hello"), NULL, &size), CKR_OK);
        assert_int_equal(size, wanted_size);
        assert_int_equal(C_Digest(session, BYTES("hello"), digest, &size), CKR_OK);
        assert_memory_equal(digest, wanted, wanted_size);
        assert_int_equal(C_DigestInit(session, &mechanism), CKR_OK);
        assert_int_equal(C_DigestUpdate(session, BYTES("hel")), CKR_OK);
        assert_int_equal(C_Digest(session, BYTES("lo"), digest, &size), CKR_OPERATION_ACTIVE);
        assert_int_equal(C_DigestUpdate(session, BYTES("lo")), CKR_OK);
        size = wanted_size - 1;
        assert_int_equal(C_DigestFinal(session, digest, &size), CKR_BUFFER_TOO_SMALL);
        assert_int_equal(C_DigestFinal(session, digest, &size), CKR_OK);
        assert_memory_equal(digest, wanted, wanted_size);
    }
}

static void randoms(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    static CK_BYTE blocks[512][32];
    static CK_BYTE much[10000];
    for (int i = 0; i < 512; i++) {
        assert_int_equal(C_GenerateRandom(session, blocks[i], 32), CKR_OK);
        for (int k = 0; k < i; k++) {
            assert_memory_not_equal(blocks[i], blocks[k], 32);
        }
    }
    assert_int_equal(fake_uses, 512 * 32 / P11_RANDOM_MAX);
    assert_int_equal(C_GenerateRandom(session, much, sizeof much), CKR_OK);
    assert_int_equal(C_GenerateRandom(session, NULL, 0), CKR_OK);
    assert_int_equal(C_GenerateRandom(session, NULL, 1), CKR_ARGUMENTS_BAD);
    fake_failure = CKR_DEVICE_ERROR;
    assert_int_equal(C_GenerateRandom(session, much, sizeof much), CKR_DEVICE_ERROR);
}

static void absent(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = rig_session();
    assert_int_equal(C_WrapKey(session, NULL, 0, 0, NULL, NULL), CKR_FUNCTION_NOT_SUPPORTED);
    assert_int_equal(C_WrapKey(77, NULL, 0, 0, NULL, NULL), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(C_GetFunctionStatus(session), CKR_FUNCTION_NOT_PARALLEL);
    assert_int_equal(C_InitToken(SLOT, NULL, 0, NULL), CKR_FUNCTION_NOT_SUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_fresh, rig_stale)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(signatures), TEST(sealing),        TEST(search),          TEST(attributes),
        TEST(sessions),   TEST(generates),      TEST(names),           TEST(life),
        TEST(tables),     TEST(slots),          TEST(remembers),       TEST(login_first),
        TEST(macs),       TEST(failures_end),   TEST(messages),        TEST(sealing_in_parts),
        TEST(derives),    TEST(goes_meanwhile), TEST(digests),         TEST(randoms),
        TEST(absent),     TEST(session_count),  TEST(certificate_file)};
    return cmocka_run_group_tests(tests, rig_begin, rig_end);
}
