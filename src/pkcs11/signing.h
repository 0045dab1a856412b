/* SPDX-License-Identifier: Apache-2.0 */
/* signing.h: what sign.c and verify.c share: mechanisms that sign, and what comes before. */
#ifndef CSV_PKCS11_SIGNING_H
#define CSV_PKCS11_SIGNING_H

#include "module.h"

struct p11_signing {
    CK_MECHANISM_TYPE type;
    uint32_t bits; /* of the hash that is made here; 0: what comes is signed as it is */
    uint32_t hash; /* of a MAC, which is made in the enclave: enum csn_wire_transit_hash */
    CK_ULONG key_type;
};

/* NULL: CKR_MECHANISM_INVALID. */
const struct p11_signing *p11_signing_find(CK_MECHANISM_TYPE type);
/* Begins either: key, mechanism, parameter. need: the operation that the key must have. */
CK_RV p11_signing_begin(struct p11_session *session, enum p11_kind kind,
                        const struct ck_mechanism *mechanism, CK_OBJECT_HANDLE handle);
/* Bytes of a signature or MAC of this operation. */
CK_ULONG p11_signature_size(const struct p11_operation *operation);
CK_RV p11_signing_update(struct p11_operation *operation, const CK_BYTE *data, CK_ULONG size);
/* What is signed: a digest as long as the curve wants it, or the message as it is. */
CK_RV p11_signing_input(struct p11_operation *operation, uint8_t digest[P11_DIGEST_MAX],
                        struct p11_bytes *input);

#endif
