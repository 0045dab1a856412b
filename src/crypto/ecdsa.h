/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecdsa.h: ECDSA (FIPS 186-5) and ECDH (SP 800-56A) on P-256 and P-384.
 *
 * Trust:    inputs are private memory; public keys, signatures and digests may be hostile.
 * Threads:  any.
 * Constant time in secret keys and nonces. Not in what is public: curve, lengths, digests,
 * signatures, public keys, and whether a secret key is in range.
 *
 * A curve is a number, for it comes from a request; any other one is CSN_ERR_SUITE and nothing is
 * written. "size" is csn_ec_size() and counts bytes: a secret key and what is agreed on have size,
 * a public key 1 + 2 * size, a signature 2 * size; outputs have that much room.
 */
#ifndef CSN_CRYPTO_ECDSA_H
#define CSN_CRYPTO_ECDSA_H

#include "random.h"
#include <caisson/base.h>
#include <stddef.h>
#include <stdint.h>

enum csn_ec_curve {
    CSN_EC_P256 = 1,
    CSN_EC_P384 = 2,
};

#define CSN_EC_SIZE_MAX        48u
#define CSN_EC_PUBLIC_SIZE_MAX (1 + 2 * CSN_EC_SIZE_MAX)
#define CSN_ECDSA_SIZE_MAX     (2 * CSN_EC_SIZE_MAX)
#define CSN_ECDSA_DER_SIZE_MAX (2 + 2 * (3 + CSN_EC_SIZE_MAX))
#define CSN_ECDSA_HEDGE_SIZE   32u

/* 32 or 48; 0: not a curve that we know. A public key is 4, x, y. */
uint32_t csn_ec_size(uint32_t curve);

/* CSN_ERR_ENTROPY: both outputs are zeros. */
CSN_MUST_USE csn_err csn_ec_generate(uint32_t curve, struct csn_random *random, uint8_t *secret,
                                     uint8_t *public_key);
/* CSN_ERR_ARGUMENT: the secret key is 0 or not below the order. */
CSN_MUST_USE csn_err csn_ec_public(uint32_t curve, const uint8_t *secret, uint8_t *public_key);
/* Full validation: form, both coordinates below the prime, on the curve. CSN_ERR_AUTH if not. */
CSN_MUST_USE csn_err csn_ec_public_check(uint32_t curve, const uint8_t *public_key,
                                         size_t public_size);
/*
 * shared: the x coordinate, size bytes. Validates the public key (CSN_ERR_AUTH) and the secret one
 * (CSN_ERR_ARGUMENT); shared is then zeros.
 */
CSN_MUST_USE csn_err csn_ec_agree(uint32_t curve, const uint8_t *secret, const uint8_t *public_key,
                                  size_t public_size, uint8_t *shared);

struct csn_ecdsa_request {
    uint32_t curve;
    const uint8_t *secret; /* size bytes */
    const uint8_t *digest; /* of any hash: what is longer than size is cut, as FIPS 186-5 has it */
    size_t digest_size;    /* from 1 on */
    const uint8_t *hedge;  /* CSN_ECDSA_HEDGE_SIZE fresh bytes, or NULL: deterministic */
};
/*
 * signature: r and s, 2 * size bytes. The nonce is RFC 6979's, by HMAC with the hash of the curve's
 * size whichever made the digest; a hedge is its section 3.6's additional data. CSN_ERR_ARGUMENT:
 * a secret key out of range or no digest.
 */
CSN_MUST_USE csn_err csn_ecdsa_sign(const struct csn_ecdsa_request *request, uint8_t *signature);

struct csn_ecdsa_claim {
    uint32_t curve;
    const uint8_t *public_key; /* 1 + 2 * size bytes; it is validated */
    const uint8_t *digest;
    size_t digest_size;
    const uint8_t *signature; /* r and s */
    size_t signature_size;    /* exactly 2 * size */
};
/* Strict: 0 < r, s < order. s above half the order is as valid as below. CSN_ERR_AUTH if not. */
CSN_MUST_USE csn_err csn_ecdsa_verify(const struct csn_ecdsa_claim *claim);

/* The other form of a signature, a DER SEQUENCE of two INTEGERs, made of what csn_ecdsa_sign()
 * gave. */
CSN_MUST_USE csn_err csn_ecdsa_to_der(uint32_t curve, const uint8_t *signature,
                                      uint8_t der[CSN_ECDSA_DER_SIZE_MAX], size_t *der_size);
/*
 * Strict DER: shortest lengths and integers, none negative, nothing behind. CSN_ERR_FORMAT: the
 * signature is zeros, which never verifies. Ranges are csn_ecdsa_verify()'s to check.
 */
CSN_MUST_USE csn_err csn_ecdsa_from_der(uint32_t curve, const uint8_t *der, size_t der_size,
                                        uint8_t *signature);

/* Known answers of both curves, about 2 ms; CSN_ERR_INTERNAL. To be run before the first use. */
CSN_MUST_USE csn_err csn_ecdsa_self_test(void);

#endif
