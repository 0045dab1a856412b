/* SPDX-License-Identifier: Apache-2.0 */
/* curve_sign.c: Ed25519 signing by libsodium; apart, so that images that only verify stay small. */
#include "curve.h"
#include "self_test.h"
#include <core/bytes.h>
#include <sodium/crypto_sign_ed25519.h>

void csn_ed25519_expand(const uint8_t seed[32], uint8_t public_key[32], uint8_t secret_key[64])
{
    crypto_sign_ed25519_seed_keypair(public_key, secret_key, seed);
}

void csn_ed25519_sign_expanded(uint8_t signature[64], const void *message, size_t size,
                               const uint8_t secret_key[64])
{
    crypto_sign_ed25519_detached(signature, NULL, message, size, secret_key);
}

void csn_ed25519_public(uint8_t public_key[32], const uint8_t seed[32])
{
    uint8_t secret_key[64];
    csn_ed25519_expand(seed, public_key, secret_key);
    csn_wipe(secret_key, sizeof secret_key);
}

void csn_ed25519_sign(uint8_t signature[64], const void *message, size_t size,
                      const uint8_t seed[32])
{
    uint8_t public_key[32];
    uint8_t secret_key[64];
    csn_ed25519_expand(seed, public_key, secret_key);
    csn_ed25519_sign_expanded(signature, message, size, secret_key);
    csn_wipe(secret_key, sizeof secret_key);
}

csn_err csn_signing_self_test(void)
{
    uint8_t seed[32];
    uint8_t message[20];
    uint8_t public_key[32];
    uint8_t secret_key[64];
    uint8_t signature[64];
    for (uint32_t i = 0; i < sizeof seed; i++) {
        seed[i] = (uint8_t)(i + 1);
    }
    for (uint32_t i = 0; i < sizeof message; i++) {
        message[i] = (uint8_t)(7 * i + 1);
    }
    csn_ed25519_expand(seed, public_key, secret_key);
    csn_ed25519_sign_expanded(signature, message, sizeof message, secret_key);
    bool same = csn_equal_ct(public_key, csn_ed25519_answer_key, sizeof public_key) &&
                csn_equal_ct(signature, csn_ed25519_answer, sizeof signature);
    return same ? CSN_OK : CSN_ERR_INTERNAL;
}
