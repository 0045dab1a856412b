/* SPDX-License-Identifier: Apache-2.0 */
/* curve.h: X25519 (RFC 7748) and Ed25519 (RFC 8032). Constant time in secrets. */
#ifndef CSN_CRYPTO_CURVE_H
#define CSN_CRYPTO_CURVE_H

#include <caisson/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which of libsodium's kernels. Called by csn_cpu_begin() only; before that, the portable one. */
void csn_x25519_use(bool with_avx);

void csn_x25519_public(uint8_t public_key[32], const uint8_t secret_key[32]);
/* CSN_ERR_AUTH if the shared secret is all zero (a low-order point); output then wiped. */
CSN_MUST_USE csn_err csn_x25519(uint8_t shared[32], const uint8_t secret_key[32],
                                const uint8_t public_key[32]);

/* Strict: rejects non-canonical S and small-order keys. CSN_ERR_AUTH on any failure. */
CSN_MUST_USE csn_err csn_ed25519_verify(const uint8_t signature[64], const void *message,
                                        size_t size, const uint8_t public_key[32]);
/*
 * seed: the 32-byte private key of RFC 8032. Expanded once (seed, then public key: a secret), a
 * signature costs half; the other two are for the tenant's side and for tools.
 */
void csn_ed25519_expand(const uint8_t seed[32], uint8_t public_key[32], uint8_t secret_key[64]);
void csn_ed25519_sign_expanded(uint8_t signature[64], const void *message, size_t size,
                               const uint8_t secret_key[64]);
void csn_ed25519_public(uint8_t public_key[32], const uint8_t seed[32]);
void csn_ed25519_sign(uint8_t signature[64], const void *message, size_t size,
                      const uint8_t seed[32]);

#endif
