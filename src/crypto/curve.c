/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curve.c: X25519 and Ed25519 verification by libsodium.
 *
 * X25519 is called through libsodium's tables and not through crypto_scalarmult_curve25519(): that
 * one brings a dispatcher along that runs cpuid, which an image may not have. Which of the tables
 * is for csn_cpu_begin() to say: ref10 runs everywhere, sandy2x needs AVX.
 */
#include "curve.h"
#include <core/bytes.h>
#include <sodium/crypto_sign_ed25519.h>

/* As declared in libsodium 1.0.18, crypto_scalarmult/curve25519/scalarmult_curve25519.h. */
struct crypto_scalarmult_curve25519_implementation {
    int (*mult)(unsigned char *q, const unsigned char *n, const unsigned char *p);
    int (*mult_base)(unsigned char *q, const unsigned char *n);
};
extern struct crypto_scalarmult_curve25519_implementation
    crypto_scalarmult_curve25519_ref10_implementation,
    crypto_scalarmult_curve25519_sandy2x_implementation;

static const struct crypto_scalarmult_curve25519_implementation *active =
    &crypto_scalarmult_curve25519_ref10_implementation;

void csn_x25519_use(bool with_avx)
{
    active = with_avx ? &crypto_scalarmult_curve25519_sandy2x_implementation
                      : &crypto_scalarmult_curve25519_ref10_implementation;
}

void csn_x25519_public(uint8_t public_key[32], const uint8_t secret_key[32])
{
    active->mult_base(public_key, secret_key);
}

csn_err csn_x25519(uint8_t shared[32], const uint8_t secret_key[32], const uint8_t public_key[32])
{
    /* ref10 refuses the small-order encodings that it knows; the zero test refuses all of them. */
    int refused = active->mult(shared, secret_key, public_key);
    if (refused != 0 || csn_is_zero_ct(shared, 32)) {
        csn_wipe(shared, 32);
        return CSN_ERR_AUTH;
    }
    return CSN_OK;
}

csn_err csn_ed25519_verify(const uint8_t signature[64], const void *message, size_t size,
                           const uint8_t public_key[32])
{
    int bad = crypto_sign_ed25519_verify_detached(signature, message, size, public_key);
    return bad == 0 ? CSN_OK : CSN_ERR_AUTH;
}
