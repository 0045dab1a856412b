/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pkcs11_token.h: a PKCS #11 module in this process with keys of each kind in its token: ours with
 * a transit enclave behind a gateway, or SoftHSM2.
 *
 * Ends the program when something does not work. One thread.
 */
#ifndef CSN_BENCH_PKCS11_TOKEN_H
#define CSN_BENCH_PKCS11_TOKEN_H

#include "pkcs11/cryptoki.h"
#include <stdbool.h>

enum pkcs11_pair { PKCS11_P256, PKCS11_P384, PKCS11_ED25519, PKCS11_PAIR_COUNT };

struct pkcs11_token {
    struct ck_functions *calls;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE pairs[PKCS11_PAIR_COUNT][2]; /* public, private */
    CK_OBJECT_HANDLE agree[2];                    /* P-256 */
    CK_OBJECT_HANDLE aes, mac;
    CK_BYTE point[80]; /* of agree[0], as the module has it */
    CK_ULONG point_size;
};

/* Gateway, grant and settings in the folder of children.h; rings: whether the module uses them. */
void pkcs11_token_start_transit(const char *backend, bool rings);
/* Loads a module and makes the keys. */
void pkcs11_token_open(struct pkcs11_token *token, const char *library);
/* Where SoftHSM2 is, its token made anew in the folder; NULL: it is not on this machine. */
const char *pkcs11_token_softhsm(void);
void pkcs11_token_need(CK_RV rv, const char *what);
#define PKCS11_NEED(call) pkcs11_token_need(call, #call)

#endif
