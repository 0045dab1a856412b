/* SPDX-License-Identifier: Apache-2.0 */
/* curve_sign.c: Ed25519 signing by libsodium; apart, so that images that only verify stay small. */
#include "curve.h"
#include <core/bytes.h>
#include <sodium/crypto_sign_ed25519.h>

void csn_ed25519_public(uint8_t public_key[32], const uint8_t seed[32])
{
    uint8_t secret_key[64];
    crypto_sign_ed25519_seed_keypair(public_key, secret_key, seed);
    csn_wipe(secret_key, sizeof secret_key);
}

void csn_ed25519_sign(uint8_t signature[64], const void *message, size_t size,
                      const uint8_t seed[32])
{
    uint8_t public_key[32];
    uint8_t secret_key[64];
    crypto_sign_ed25519_seed_keypair(public_key, secret_key, seed);
    crypto_sign_ed25519_detached(signature, NULL, message, size, secret_key);
    csn_wipe(secret_key, sizeof secret_key);
}
