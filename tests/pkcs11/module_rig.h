/* SPDX-License-Identifier: Apache-2.0 */
/* module_rig.h: the module over a keeper of the test's own, and short ways to call it. */
#ifndef CSN_TESTS_PKCS11_MODULE_RIG_H
#define CSN_TESTS_PKCS11_MODULE_RIG_H

#include "fake_service.h"
#include <setjmp.h> /* cmocka wants these before it */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#define SLOT        1UL
#define RW_SESSION  (CKF_SERIAL_SESSION | CKF_RW_SESSION)
#define BYTES(text) ((CK_BYTE *)(uintptr_t)(text)), sizeof(text) - 1

/* Of the settings' file: the rest, after gateway, policy and credential. */
void rig_settings(const char *rest);
/* Group set-up and tear-down, and that of each test: initialized, no keys, nobody logged in. */
int rig_begin(void **state);
int rig_end(void **state);
int rig_fresh(void **state);
int rig_stale(void **state);

CK_SESSION_HANDLE rig_session(void);
/* The only object of that class with that label; 0: none. Asserts that there are not two. */
CK_OBJECT_HANDLE rig_find(CK_SESSION_HANDLE session, CK_ULONG kind, const char *label);
CK_ULONG rig_count(CK_SESSION_HANDLE session);
/* A pair on the curve (EC_PARAMS), of the session or the token. */
CK_RV rig_pair(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, const void *curve,
               CK_ULONG curve_size, bool token, const char *label, bool derives,
               CK_OBJECT_HANDLE pair[2]);
CK_RV rig_secret(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, bool token, const char *label,
                 CK_OBJECT_HANDLE *key);
extern const uint8_t rig_p256[10], rig_p384[7], rig_ed25519[14], rig_x25519[12];

#endif
