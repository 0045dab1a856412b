/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecdsa.h: ECDSA as vendors' hardware writes it: bare coordinates and r || s, big-endian and of
 * fixed size, on libcrypto's curves.
 */
#ifndef CSV_VERIFY_ECDSA_H
#define CSV_VERIFY_ECDSA_H

#include "verify/input.h"
#include <openssl/evp.h>

#define CSV_ECDSA_HALF_MAX 66 /* bytes of a coordinate, of r and of s */

/* A key on each curve that one has come by: libcrypto makes another from it at a third of the cost
 * of one from nothing. Starts as zeros. */
struct csv_curves {
    EVP_PKEY *known[3];
};
void csv_curves_release(struct csv_curves *curves);

/*
 * The public key x || y, each of half bytes, on "P-256", "P-384" or "P-521"; NULL: not a point of
 * that curve, or no memory. EVP_PKEY_free() gives it back. curves: NULL if there are none.
 */
EVP_PKEY *csv_ecdsa_key(struct csv_curves *curves, const char *curve, const uint8_t *xy,
                        size_t half);
/* Is this a key of that curve ("prime256v1", "secp384r1")? */
bool csv_ecdsa_is_on(const EVP_PKEY *key, const char *group);
/* Did key sign message? rs: r || s, each of half bytes. */
bool csv_ecdsa_check(EVP_PKEY *key, const EVP_MD *digest, const uint8_t *rs, size_t half,
                     struct csv_bytes message);
/* The same for a message in count pieces. */
bool csv_ecdsa_check_pieces(EVP_PKEY *key, const EVP_MD *digest, const uint8_t *rs, size_t half,
                            const struct csv_bytes *pieces, size_t count);
/* Are r and s in [1, n-1] of the curve by libcrypto's number? (libcrypto refuses them as well.) */
bool csv_ecdsa_in_range(int curve, const uint8_t *rs, size_t half);

#endif
