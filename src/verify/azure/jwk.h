/* SPDX-License-Identifier: Apache-2.0 */
/* jwk.h: an RSA public key as JSON (RFC 7517, RFC 7518 section 6.3.1), strict. */
#ifndef CSV_VERIFY_JWK_H
#define CSV_VERIFY_JWK_H

#include "verify/parse/json_view.h"
#include <openssl/evp.h>

/*
 * The key of a JWK: kty "RSA", n and e in base64url without padding and without zero bytes in
 * front, at most 4096 bits. To be freed; NULL with *why (static).
 */
EVP_PKEY *csv_jwk_rsa(const struct csv_json_view *view, uint32_t jwk, const char **why);

#endif
