/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cose.h: COSE_Sign1 (RFC 9052) with ECDSA: one signer, payload inside, no external data.
 *
 * The algorithm is the one in the protected header and nothing else; each goes with one curve.
 * Signatures are r || s, big-endian, of the curve's size; r and s must lie in [1, n-1]. A critical
 * header is refused: none is understood. What stands in the unprotected header is signed by nobody;
 * formats look at `unprotected` and say what they let pass.
 */
#ifndef CSV_VERIFY_COSE_H
#define CSV_VERIFY_COSE_H

#include "verify/parse/cbor.h"
#include <openssl/evp.h>

#define CSV_COSE_TAG   18
#define CSV_COSE_ES256 (-7)
#define CSV_COSE_ES384 (-35)
#define CSV_COSE_ES512 (-36)

struct csv_cose {
    bool tagged;
    int64_t algorithm;
    struct csv_bytes protected_header; /* as signed */
    struct csv_cbor unprotected;
    struct csv_bytes payload;
    struct csv_bytes signature;
};

/* *why (static) says what is wrong. */
bool csv_cose_open(struct csv_bytes message, struct csv_cose *cose, const char **why);
/* Did key sign it? A key that does not go with the algorithm, or none, did not. */
bool csv_cose_check(const struct csv_cose *cose, EVP_PKEY *key, const char **why);
/* "ES384", …; "unknown" for what is not checked here. */
const char *csv_cose_algorithm_name(int64_t algorithm);

#endif
