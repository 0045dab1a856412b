/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hostile.c: arguments that nobody should give, threads that close what others use, forks at
 * any moment. What is looked for is a crash, a hang, or an output where none was allowed;
 * sanitizers look for the rest.
 */
#include "module_rig.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- any function, any argument ---- */

static uint64_t seed = 88172645463325252;

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static CK_SESSION_HANDLE handles[4];
static CK_OBJECT_HANDLE objects[16];
static CK_BYTE bytes[P11_MESSAGE_MAX + 64];
static struct {
    CK_BYTE before[16], room[2048], after[16];
} output;

static CK_SESSION_HANDLE any_session(void)
{
    return draw(8) == 0 ? draw(1 << 20) : handles[draw(4)];
}

static CK_OBJECT_HANDLE any_object(void)
{
    return draw(8) == 0 ? draw(200) : objects[draw(16)];
}

static CK_ULONG any_size(void)
{
    static const CK_ULONG sizes[] = {0, 1, 20, 32, 48, 55, 56, 64, 100, 256, 1024};
    return sizes[draw(sizeof sizes / sizeof sizes[0])];
}

static struct ck_mechanism *any_mechanism(void)
{
    static const CK_MECHANISM_TYPE types[] = {CKM_ECDSA,
                                              CKM_ECDSA_SHA256,
                                              CKM_ECDSA_SHA384,
                                              CKM_ECDSA_SHA512,
                                              CKM_EDDSA,
                                              CKM_SHA256_HMAC,
                                              CKM_SHA512_HMAC,
                                              CKM_SHA256,
                                              CKM_SHA384,
                                              CKM_AES_GCM,
                                              CKM_ECDH1_DERIVE,
                                              CKM_AES_KEY_GEN,
                                              CKM_EC_KEY_PAIR_GEN,
                                              CKM_EC_EDWARDS_KEY_PAIR_GEN,
                                              CKM_GENERIC_SECRET_KEY_GEN,
                                              0x4711};
    static struct ck_gcm_params gcm;
    static struct ck_ecdh1_derive_params ecdh;
    static struct ck_mechanism mechanism;
    gcm = (struct ck_gcm_params){draw(8) ? bytes : NULL, any_size(), 0,
                                 draw(8) ? bytes : NULL, any_size(), draw(4) ? 128 : any_size()};
    ecdh = (struct ck_ecdh1_derive_params){draw(8) ? CKD_NULL : draw(9), 0, NULL, any_size(),
                                           draw(8) ? bytes : NULL};
    mechanism.type = types[draw(sizeof types / sizeof types[0])];
    mechanism.parameter = NULL;
    mechanism.parameter_size = 0;
    if (mechanism.type == CKM_AES_GCM) {
        mechanism.parameter = &gcm;
        mechanism.parameter_size = sizeof gcm;
    } else if (mechanism.type == CKM_ECDH1_DERIVE) {
        mechanism.parameter = &ecdh;
        mechanism.parameter_size = sizeof ecdh;
    }
    if (draw(16) == 0) {
        mechanism.parameter_size = draw(64);
        mechanism.parameter = bytes;
    }
    return draw(32) == 0 ? NULL : &mechanism;
}

static struct ck_attribute *any_template(CK_ULONG *count)
{
    static const CK_ATTRIBUTE_TYPE types[] = {
        CKA_CLASS,   CKA_TOKEN,  CKA_LABEL,     CKA_ID,          CKA_KEY_TYPE, CKA_EC_PARAMS,
        CKA_SIGN,    CKA_DERIVE, CKA_VALUE_LEN, CKA_EXTRACTABLE, CKA_VALUE,    CKA_EC_POINT,
        CKA_SUBJECT, CKA_WRAP,   0x80000001UL,  CKA_SENSITIVE};
    static struct ck_attribute items[8];
    *count = draw(16) == 0 ? 1000 : draw(8);
    for (CK_ULONG i = 0; i < 8; i++) {
        CK_ATTRIBUTE_TYPE type = types[draw(sizeof types / sizeof types[0])];
        static const CK_ULONG usual[] = {1, 8, 10, 32, 0};
        items[i] = (struct ck_attribute){type, draw(8) ? bytes + 64 * i : NULL, usual[draw(5)]};
        if (type == CKA_EC_PARAMS) {
            items[i].value = (void *)(uintptr_t)rig_p256;
            items[i].size = 10;
        }
    }
    return draw(16) == 0 ? NULL : items;
}

typedef CK_RV (*one_part)(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *);
typedef CK_RV (*begin)(CK_SESSION_HANDLE, struct ck_mechanism *, CK_OBJECT_HANDLE);

static CK_RV call_begin(void)
{
    static const begin all[] = {C_SignInit,        C_VerifyInit,         C_EncryptInit,
                                C_DecryptInit,     C_MessageEncryptInit, C_MessageDecryptInit,
                                C_SignRecoverInit, C_MessageSignInit};
    return draw(9) == 0 ? C_DigestInit(any_session(), any_mechanism())
                        : all[draw(8)](any_session(), any_mechanism(), any_object());
}

/* Outputs of at most the room that is told, whatever comes. */
static CK_RV call_output(void)
{
    static const one_part all[] = {C_Sign,          C_Encrypt,       C_Decrypt,    C_Digest,
                                   C_EncryptUpdate, C_DecryptUpdate, C_SignRecover};
    CK_ULONG room = any_size();
    CK_ULONG told = room;
    CK_BYTE *target = draw(4) == 0 ? NULL : output.room + sizeof output.room - 1024;
    memset(&output, 0xee, sizeof output);
    CK_RV rv;
    switch (draw(10)) {
    case 0:
        rv = C_SignFinal(any_session(), target, &told);
        break;
    case 1:
        rv = C_DigestFinal(any_session(), target, draw(8) ? &told : NULL);
        break;
    case 2:
        rv = C_EncryptFinal(any_session(), target, &told);
        break;
    case 3:
        rv = C_DecryptFinal(any_session(), target, &told);
        break;
    default:
        rv = all[draw(7)](any_session(), draw(8) ? bytes : NULL, any_size(), target,
                          draw(16) ? &told : NULL);
        break;
    }
    CK_ULONG used = rv == CKR_OK && target != NULL ? told : 0;
    assert_true(used <= room);
    for (const CK_BYTE *at = output.room + sizeof output.room - 1024 + room; at < output.after + 16;
         at++) {
        assert_int_equal(*at, 0xee);
    }
    return rv;
}

static CK_RV call_input(void)
{
    CK_BYTE *data = draw(8) ? bytes : NULL;
    switch (draw(6)) {
    case 0:
        return C_SignUpdate(any_session(), data, any_size());
    case 1:
        return C_VerifyUpdate(any_session(), data, any_size());
    case 2:
        return C_DigestUpdate(any_session(), data, any_size());
    case 3:
        return C_Verify(any_session(), data, any_size(), draw(8) ? bytes : NULL, any_size());
    case 4:
        return C_VerifyFinal(any_session(), draw(8) ? bytes : NULL, any_size());
    default:
        return C_GenerateRandom(any_session(), draw(8) ? output.room : NULL, any_size());
    }
}

static CK_RV call_object(void)
{
    CK_ULONG count;
    CK_ULONG found;
    CK_OBJECT_HANDLE made[2];
    struct ck_attribute *items = any_template(&count);
    struct ck_attribute *more = items;                        /* the same for both halves */
    CK_ULONG size = count > 8 && items != NULL ? 300 : count; /* refused before it is read */
    CK_RV rv;
    switch (draw(9)) {
    case 0:
        return C_GetAttributeValue(any_session(), any_object(), NULL, draw(2));
    case 1:
        return C_SetAttributeValue(any_session(), any_object(), items, size);
    case 2:
        return C_FindObjectsInit(any_session(), items, size);
    case 3:
        return C_FindObjects(any_session(), draw(8) ? made : NULL, draw(3),
                             draw(8) ? &found : NULL);
    case 4:
        return C_FindObjectsFinal(any_session());
    case 5:
        rv = C_GenerateKey(any_session(), any_mechanism(), items, size, &made[0]);
        break;
    case 6:
        rv = C_GenerateKeyPair(any_session(), any_mechanism(), items, size, more, size, &made[0],
                               draw(16) ? &made[1] : NULL);
        break;
    case 7:
        rv = C_DeriveKey(any_session(), any_mechanism(), any_object(), items, size, &made[0]);
        break;
    default:
        return C_DestroyObject(any_session(), any_object());
    }
    if (rv == CKR_OK) {
        objects[draw(16)] = made[0];
    }
    return rv;
}

static CK_RV call_session(void)
{
    switch (draw(5)) {
    case 0:
        return C_CloseSession(any_session());
    case 1:
        return C_SessionCancel(any_session(), draw(1 << 16));
    case 2:
        return C_Login(any_session(), draw(3), draw(2) ? bytes : NULL, draw(9));
    case 3:
        return C_Logout(any_session());
    default:
        return C_OpenSession(draw(8) ? SLOT : draw(3), draw(8) ? RW_SESSION : draw(8), NULL, NULL,
                             draw(16) ? &handles[draw(4)] : NULL);
    }
}

static void any_call(void **state)
{
    (void)state;
    static CK_RV (*const calls[])(void) = {call_begin,  call_begin,  call_output, call_output,
                                           call_output, call_input,  call_input,  call_object,
                                           call_object, call_session};
    const char *scale = getenv("CAISSON_TEST_SCALE");
    uint32_t count = 60000 * (scale != NULL ? (uint32_t)atoi(scale) : 1);
    uint32_t good = 0;
    for (int i = 0; i < 4; i++) {
        handles[i] = rig_session();
    }
    fake_add("a", CSN_WIRE_TRANSIT_AES_256, 0);
    fake_add("m", CSN_WIRE_TRANSIT_HMAC, 0);
    fake_add("e", CSN_WIRE_TRANSIT_ED25519, 0);
    fake_add("p", CSN_WIRE_TRANSIT_P256, 0);
    rig_count(handles[0]);
    for (CK_OBJECT_HANDLE i = 0; i < 16; i++) { /* of the four, each half */
        objects[i] = (i / 4 + 1) << 18 | (i / 4) << 2 | i % 4;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (fake_key_count() > 200) { /* of calls that made keys */
            assert_int_equal(C_CloseAllSessions(SLOT), CKR_OK);
        }
        good += calls[draw(sizeof calls / sizeof calls[0])]() == CKR_OK;
    }
    assert_true(good > count / 20); /* else it would say little */
}

/* ---- threads ---- */

#define THREAD_COUNT 8

static CK_OBJECT_HANDLE shared_pair[2], shared_key;
static CK_SESSION_HANDLE shared_session;
static unsigned wrong_count, good_count;

static void note(bool good)
{
    __atomic_fetch_add(good ? &good_count : &wrong_count, 1, __ATOMIC_RELAXED);
}

/* Each in a session of its own: all must be well. */
static void *sign_and_open(void *state)
{
    CK_SESSION_HANDLE session;
    struct ck_mechanism sign = {CKM_ECDSA_SHA256, NULL, 0};
    struct ck_gcm_params params = {NULL, 0, 0, NULL, 0, 128};
    struct ck_mechanism seal = {CKM_AES_GCM, &params, sizeof params};
    CK_BYTE text[32];
    memset(text, *(const int *)state, sizeof text);
    for (int i = 0; i < 40; i++) {
        CK_BYTE made[128];
        CK_BYTE opened[32];
        CK_ULONG size = sizeof made;
        CK_ULONG opened_size = sizeof opened;
        note(C_OpenSession(SLOT, RW_SESSION, NULL, NULL, &session) == CKR_OK);
        note(C_SignInit(session, &sign, shared_pair[1]) == CKR_OK &&
             C_Sign(session, text, sizeof text, made, &size) == CKR_OK &&
             C_VerifyInit(session, &sign, shared_pair[0]) == CKR_OK &&
             C_Verify(session, text, sizeof text, made, size) == CKR_OK);
        size = sizeof made;
        note(C_EncryptInit(session, &seal, shared_key) == CKR_OK &&
             C_Encrypt(session, text, sizeof text, made, &size) == CKR_OK &&
             C_DecryptInit(session, &seal, shared_key) == CKR_OK &&
             C_Decrypt(session, made, size, opened, &opened_size) == CKR_OK &&
             memcmp(text, opened, sizeof text) == 0);
        note(C_FindObjectsInit(session, NULL, 0) == CKR_OK &&
             C_FindObjectsFinal(session) == CKR_OK);
        note(C_CloseSession(session) == CKR_OK);
    }
    return NULL;
}

static void run_threads(void *(*body)(void *))
{
    pthread_t threads[THREAD_COUNT];
    static int numbers[THREAD_COUNT];
    wrong_count = good_count = 0;
    for (int i = 0; i < THREAD_COUNT; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, body, &numbers[i]), 0);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void make_shared(void)
{
    shared_session = rig_session();
    assert_int_equal(rig_pair(shared_session, CKM_EC_KEY_PAIR_GEN, rig_p256, sizeof rig_p256, true,
                              "p", false, shared_pair),
                     CKR_OK);
    assert_int_equal(rig_secret(shared_session, CKM_AES_KEY_GEN, true, "s", &shared_key), CKR_OK);
}

static void threads_apart(void **state)
{
    (void)state;
    make_shared();
    run_threads(sign_and_open);
    assert_int_equal(wrong_count, 0);
    assert_int_equal(good_count, THREAD_COUNT * 40 * 5);
}

/* All in one session, which others close and open again; nothing need succeed. */
static void *one_session(void *state)
{
    struct ck_mechanism sign = {CKM_ECDSA, NULL, 0};
    int number = *(const int *)state;
    for (int i = 0; i < 400; i++) {
        CK_BYTE made[64];
        CK_ULONG size = sizeof made;
        CK_SESSION_HANDLE session = __atomic_load_n(&shared_session, __ATOMIC_RELAXED);
        if (number == 0 && i % 16 == 0) {
            (void)C_CloseSession(session);
            if (C_OpenSession(SLOT, RW_SESSION, NULL, NULL, &session) == CKR_OK) {
                __atomic_store_n(&shared_session, session, __ATOMIC_RELAXED);
            }
        } else if (number == 1 && i % 64 == 0) {
            (void)C_CloseAllSessions(SLOT);
        }
        (void)C_SignInit(session, &sign, shared_pair[1]);
        if (C_Sign(session, made, 32, made, &size) == CKR_OK) {
            note(size == 64);
        }
        (void)C_SignUpdate(session, made, 32);
    }
    return NULL;
}

static void threads_together(void **state)
{
    (void)state;
    make_shared();
    run_threads(one_session);
    assert_int_equal(wrong_count, 0);
}

/* One ends the module while the others use it. */
static void *until_the_end(void *state)
{
    if (*(const int *)state == 0) {
        usleep(20000);
        note(C_Finalize(NULL) == CKR_OK);
        return NULL;
    }
    for (;;) {
        CK_SESSION_HANDLE session;
        struct ck_mechanism sign = {CKM_ECDSA, NULL, 0};
        CK_BYTE made[64] = {1};
        CK_ULONG size = sizeof made;
        CK_RV rv = C_OpenSession(SLOT, RW_SESSION, NULL, NULL, &session);
        if (rv == CKR_CRYPTOKI_NOT_INITIALIZED) {
            return NULL;
        }
        rv = rv == CKR_OK ? C_SignInit(session, &sign, shared_pair[1]) : rv;
        rv = rv == CKR_OK ? C_Sign(session, made, 32, made, &size) : rv;
        note(rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED || rv == CKR_SESSION_CLOSED ||
             rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_KEY_HANDLE_INVALID);
        (void)C_CloseSession(session);
    }
}

static void ends_under_use(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        make_shared();
        run_threads(until_the_end);
        assert_int_equal(wrong_count, 0);
        fake_reset();
        assert_int_equal(C_Initialize(NULL), CKR_OK);
    }
}

/* ---- forks ---- */

/* 0: all as it should be in the child; else which step was not. */
static int in_the_child(CK_SESSION_HANDLE session)
{
    struct ck_info info;
    struct ck_mechanism sign = {CKM_ECDSA, NULL, 0};
    CK_BYTE made[64] = {1};
    CK_ULONG size = sizeof made;
    CK_SESSION_HANDLE own;
    if (C_GetInfo(&info) != CKR_CRYPTOKI_NOT_INITIALIZED ||
        C_SignInit(session, &sign, shared_pair[1]) != CKR_CRYPTOKI_NOT_INITIALIZED) {
        return 1;
    }
    if (C_Initialize(NULL) != CKR_OK || fake_forgotten != 1) {
        return 2;
    }
    if (C_SignInit(session, &sign, shared_pair[1]) != CKR_SESSION_HANDLE_INVALID) {
        return 3;
    }
    if (C_OpenSession(SLOT, RW_SESSION, NULL, NULL, &own) != CKR_OK ||
        C_FindObjectsInit(own, NULL, 0) != CKR_OK || C_FindObjectsFinal(own) != CKR_OK ||
        C_GenerateRandom(own, made, 1) != CKR_OK || C_Digest(own, made, 1, made, &size) == CKR_OK) {
        return 4;
    }
    return C_Finalize(NULL) == CKR_OK ? 0 : 5;
}

static void fork_once(CK_SESSION_HANDLE session)
{
    int status = -1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(20); /* a hang is a failure, too */
        _exit(in_the_child(session));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void forks(void **state)
{
    (void)state;
    make_shared();
    CK_SESSION_HANDLE session = shared_session;
    struct ck_mechanism sign = {CKM_ECDSA, NULL, 0};
    CK_BYTE made[64] = {1};
    CK_ULONG size = sizeof made;
    assert_int_equal(C_SignInit(session, &sign, shared_pair[1]), CKR_OK);
    fork_once(session);
    assert_int_equal(C_Sign(session, made, 32, made, &size), CKR_OK); /* the parent goes on */
}

static bool is_over;

static void *keep_busy(void *state)
{
    (void)state;
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        CK_SESSION_HANDLE session;
        struct ck_session_info info;
        if (C_OpenSession(SLOT, RW_SESSION, NULL, NULL, &session) == CKR_OK) {
            (void)C_GetSessionInfo(session, &info);
            (void)C_CloseSession(session);
        }
    }
    return NULL;
}

/* While another thread holds locks half of the time. */
static void forks_under_use(void **state)
{
    (void)state;
    pthread_t thread;
    make_shared();
    is_over = false;
    assert_int_equal(pthread_create(&thread, NULL, keep_busy, NULL), 0);
    for (int i = 0; i < 40; i++) {
        fork_once(shared_session);
    }
    __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_fresh, rig_stale)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(any_call),         TEST(forks),
                                       TEST(forks_under_use),  TEST(threads_apart),
                                       TEST(threads_together), TEST(ends_under_use)};
    return cmocka_run_group_tests(tests, rig_begin, rig_end);
}
