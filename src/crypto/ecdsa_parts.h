/* SPDX-License-Identifier: Apache-2.0 */
/* ecdsa_parts.h: what ecdsa*.c are made of; the parts without a branch on a secret. Private. */
#ifndef CSN_CRYPTO_ECDSA_PARTS_H
#define CSN_CRYPTO_ECDSA_PARTS_H

#include "ec_kernel.h"
#include "ecdsa.h"
#include "ecdsa_scalar.h"

struct csn_ec {
    const struct csn_order *order;
    const struct csn_ec_kernel *points;
    uint32_t size; /* bytes of a coordinate and of a scalar */
};

/* NULL: not a curve that we know. */
const struct csn_ec *csn_ec_find(uint32_t curve);

/* secret * G, for a secret in range. */
void csn_ec_base(const struct csn_ec *ec, const uint8_t *secret, uint8_t *public_key);
/* The number that a digest stands for, modulo the order. */
void csn_ecdsa_digest(const struct csn_ec *ec, const uint8_t *digest, size_t size,
                      struct csn_scalar *value);

/* RFC 6979 section 3.2: K and V, as long as a scalar. Wipe with csn_wipe(). */
struct csn_ecdsa_nonces {
    uint8_t key[CSN_EC_SIZE_MAX];
    uint8_t value[CSN_EC_SIZE_MAX];
    bool asked; /* for one already */
};
void csn_ecdsa_nonces_init(const struct csn_ec *ec, const struct csn_ecdsa_request *request,
                           struct csn_ecdsa_nonces *nonces);
/* The next candidate, size bytes; it may be out of range. */
void csn_ecdsa_nonces_next(const struct csn_ec *ec, struct csn_ecdsa_nonces *nonces,
                           uint8_t *nonce);

/*
 * The signature that a nonce gives. Public: 1, or 0 if the nonce is out of range, or r or s is
 * zero; the next one is then to be tried.
 */
uint64_t csn_ecdsa_sign_with(const struct csn_ec *ec, const struct csn_ecdsa_request *request,
                             const uint8_t *nonce, uint8_t *signature);

#endif
