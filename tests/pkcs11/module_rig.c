/* SPDX-License-Identifier: Apache-2.0 */
/* module_rig.c: see module_rig.h. */
#include "module_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const uint8_t rig_p256[10] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
const uint8_t rig_p384[7] = {6, 5, 0x2b, 0x81, 4, 0, 0x22};
const uint8_t rig_ed25519[14] = {19,  12,  'e', 'd', 'w', 'a', 'r',
                                 'd', 's', '2', '5', '5', '1', '9'};
const uint8_t rig_x25519[12] = {19, 10, 'c', 'u', 'r', 'v', 'e', '2', '5', '5', '1', '9'};

static char path[64];

void rig_settings(const char *rest)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "gateway = http://127.0.0.1:1\npolicy=p\ncredential = c\nrefresh_ms = 0\n%s",
            rest);
    fclose(file);
}

int rig_begin(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/test-pkcs11-XXXXXX");
    int fd = mkstemp(path);
    close(fd);
    setenv("CAISSON_PKCS11_CONF", path, 1);
    return fd < 0;
}

int rig_end(void **state)
{
    (void)state;
    return unlink(path);
}

int rig_fresh(void **state)
{
    (void)state;
    rig_settings("");
    return C_Initialize(NULL) != CKR_OK;
}

int rig_stale(void **state)
{
    (void)state;
    CK_RV rv = C_Finalize(NULL);
    fake_reset();
    return rv != CKR_OK && rv != CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_SESSION_HANDLE rig_session(void)
{
    CK_SESSION_HANDLE session = 0;
    assert_int_equal(C_OpenSession(SLOT, RW_SESSION, NULL, NULL, &session), CKR_OK);
    return session;
}

CK_OBJECT_HANDLE rig_find(CK_SESSION_HANDLE session, CK_ULONG kind, const char *label)
{
    struct ck_attribute items[] = {{CKA_CLASS, &kind, sizeof kind},
                                   {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)}};
    CK_OBJECT_HANDLE found[2] = {0, 0};
    CK_ULONG count = 0;
    assert_int_equal(C_FindObjectsInit(session, items, 2), CKR_OK);
    assert_int_equal(C_FindObjects(session, found, 2, &count), CKR_OK);
    assert_int_equal(C_FindObjectsFinal(session), CKR_OK);
    assert_true(count <= 1);
    return found[0];
}

CK_ULONG rig_count(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE found[64];
    CK_ULONG count = 0;
    assert_int_equal(C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_int_equal(C_FindObjects(session, found, 64, &count), CKR_OK);
    assert_int_equal(C_FindObjectsFinal(session), CKR_OK);
    return count;
}

CK_RV rig_pair(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, const void *curve,
               CK_ULONG curve_size, bool token, const char *label, bool derives,
               CK_OBJECT_HANDLE pair[2])
{
    CK_BBOOL is_token = token;
    CK_BBOOL yes = CK_TRUE;
    struct ck_mechanism mechanism = {type, NULL, 0};
    struct ck_attribute public_items[] = {{CKA_EC_PARAMS, (void *)(uintptr_t)curve, curve_size},
                                          {CKA_TOKEN, &is_token, 1}};
    struct ck_attribute private_items[] = {{CKA_TOKEN, &is_token, 1},
                                           {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)},
                                           {derives ? CKA_DERIVE : CKA_SIGN, &yes, 1}};
    return C_GenerateKeyPair(session, &mechanism, public_items, 2, private_items, 3, &pair[0],
                             &pair[1]);
}

CK_RV rig_secret(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, bool token, const char *label,
                 CK_OBJECT_HANDLE *key)
{
    CK_BBOOL is_token = token;
    struct ck_mechanism mechanism = {type, NULL, 0};
    struct ck_attribute items[] = {{CKA_TOKEN, &is_token, 1},
                                   {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)}};
    return C_GenerateKey(session, &mechanism, items, 2, key);
}
