/* SPDX-License-Identifier: Apache-2.0 */
/* key.h: public keys that sign evidence: which may, how they are named, whether a signature holds.
 */
#ifndef CSV_VERIFY_SIGNING_KEY_H
#define CSV_VERIFY_SIGNING_KEY_H

#include "verify/input.h"
#include <openssl/evp.h>

/* NULL if key may attest: RSA of 2048 to 4096 bits with an odd exponent from 65537 to 2^32, or EC
 * on P-256, P-384 or P-521; else what is wrong (static). */
const char *csv_key_fault(const EVP_PKEY *key);
/* The SHA-256 of its SubjectPublicKeyInfo; false: libcrypto failed. */
bool csv_key_sha256(const EVP_PKEY *key, uint8_t digest[32]);
#endif
