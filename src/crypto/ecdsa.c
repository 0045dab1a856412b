/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecdsa.c: keys, agreement, signatures and their verification on P-256 and P-384.
 *
 * Points are ec_kernel.c's, numbers modulo the order ecdsa_scalar.c's.
 */
#include "ecdsa.h"
#include "cpu.h"
#include "ecdsa_parts.h"
#include <caisson/wire/boot.h>
#include <core/bytes.h>

/* Chances of one more try are 2^-32 on P-256 and less on P-384. */
#define TRIES_MAX 8u

/* With the kernel for any CPU, and with the one for BMI2 and ADX. */
static const struct csn_ec p256[2] = {{&csn_order_p256, &csn_ec_kernel_p256, 32},
                                      {&csn_order_p256, &csn_ec_kernel_p256_adx, 32}};
static const struct csn_ec p384[2] = {{&csn_order_p384, &csn_ec_kernel_p384, 48},
                                      {&csn_order_p384, &csn_ec_kernel_p384_adx, 48}};

static bool has_adx(void)
{
    const uint64_t needed = CSN_WIRE_FEATURE_BMI2 | CSN_WIRE_FEATURE_ADX;
    return (csn_cpu_given() & needed) == needed;
}

const struct csn_ec *csn_ec_find(uint32_t curve)
{
    switch (curve) {
    case CSN_EC_P256:
        return &p256[has_adx()];
    case CSN_EC_P384:
        return &p384[has_adx()];
    default:
        return NULL;
    }
}

uint32_t csn_ec_size(uint32_t curve)
{
    const struct csn_ec *ec = csn_ec_find(curve);
    return ec == NULL ? 0 : ec->size;
}

static bool in_range(const struct csn_ec *ec, const uint8_t *bytes)
{
    struct csn_scalar value;
    csn_scalar_load(ec->order, bytes, &value);
    bool good = csn_scalar_in_range(ec->order, &value) != 0;
    csn_wipe(&value, sizeof value);
    return good;
}

/* ---- keys ---- */

void csn_ec_base(const struct csn_ec *ec, const uint8_t *secret, uint8_t *public_key)
{
    public_key[0] = 4;
    ec->points->base(secret, public_key + 1);
}

csn_err csn_ec_public(uint32_t curve, const uint8_t *secret, uint8_t *public_key)
{
    const struct csn_ec *ec = csn_ec_find(curve);
    if (ec == NULL) {
        return CSN_ERR_SUITE;
    }
    if (!in_range(ec, secret)) {
        return CSN_ERR_ARGUMENT;
    }
    csn_ec_base(ec, secret, public_key);
    return CSN_OK;
}

csn_err csn_ec_generate(uint32_t curve, struct csn_random *random, uint8_t *secret,
                        uint8_t *public_key)
{
    const struct csn_ec *ec = csn_ec_find(curve);
    if (ec == NULL) {
        return CSN_ERR_SUITE;
    }
    for (uint32_t i = 0; i < TRIES_MAX; i++) {
        if (csn_random_fill(random, secret, ec->size) != CSN_OK) {
            break;
        }
        if (in_range(ec, secret)) {
            csn_ec_base(ec, secret, public_key);
            return CSN_OK;
        }
    }
    csn_wipe(secret, ec->size);
    csn_wipe(public_key, 1 + 2 * ec->size);
    return CSN_ERR_ENTROPY;
}

static bool is_point(const struct csn_ec *ec, const uint8_t *public_key)
{
    return public_key[0] == 4 && ec->points->is_point(public_key + 1);
}

csn_err csn_ec_public_check(uint32_t curve, const uint8_t *public_key, size_t public_size)
{
    const struct csn_ec *ec = csn_ec_find(curve);
    if (ec == NULL) {
        return CSN_ERR_SUITE;
    }
    return public_size == 1 + 2 * ec->size && is_point(ec, public_key) ? CSN_OK : CSN_ERR_AUTH;
}

csn_err csn_ec_agree(uint32_t curve, const uint8_t *secret, const uint8_t *public_key,
                     size_t public_size, uint8_t *shared)
{
    const struct csn_ec *ec = csn_ec_find(curve);
    if (ec == NULL) {
        return CSN_ERR_SUITE;
    }
    csn_wipe(shared, ec->size);
    if (!in_range(ec, secret)) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(csn_ec_public_check(curve, public_key, public_size));
    ec->points->multiply(secret, public_key + 1, shared);
    return CSN_OK;
}

/* ---- signatures ---- */

void csn_ecdsa_digest(const struct csn_ec *ec, const uint8_t *digest, size_t size,
                      struct csn_scalar *value)
{
    uint8_t bytes[CSN_EC_SIZE_MAX] = {0};
    size_t taken = size < ec->size ? size : ec->size;
    __builtin_memcpy(bytes + ec->size - taken, digest, taken);
    csn_scalar_load(ec->order, bytes, value);
    csn_scalar_reduce(ec->order, value);
}

/* The x coordinate of a point modulo the order: less than twice the order on both curves. */
static void x_of(const struct csn_ec *ec, const uint8_t *coordinate, struct csn_scalar *x)
{
    csn_scalar_load(ec->order, coordinate, x);
    csn_scalar_reduce(ec->order, x);
}

/* s = (digest + r * secret) / nonce */
uint64_t csn_ecdsa_sign_with(const struct csn_ec *ec, const struct csn_ecdsa_request *request,
                             const uint8_t *nonce, uint8_t *signature)
{
    const struct csn_order *order = ec->order;
    struct {
        struct csn_scalar secret, nonce, r, s, digest;
        uint8_t point[CSN_EC_PUBLIC_SIZE_MAX];
    } use;
    csn_scalar_load(order, nonce, &use.nonce);
    csn_scalar_load(order, request->secret, &use.secret);
    uint64_t good = csn_scalar_in_range(order, &use.nonce);
    csn_ec_base(ec, nonce, use.point);
    x_of(ec, use.point + 1, &use.r);
    csn_ecdsa_digest(ec, request->digest, request->digest_size, &use.digest);
    csn_scalar_to_montgomery(order, &use.secret, &use.secret);
    csn_scalar_multiply(order, &use.r, &use.secret, &use.s);
    csn_scalar_add(order, &use.s, &use.digest, &use.digest);
    csn_scalar_invert(order, &use.nonce, &use.nonce);
    csn_scalar_multiply(order, &use.digest, &use.nonce, &use.s);
    good &= csn_scalar_in_range(order, &use.r) & csn_scalar_in_range(order, &use.s);
    csn_scalar_store(order, &use.r, signature);
    csn_scalar_store(order, &use.s, signature + ec->size);
    csn_wipe(&use, sizeof use);
    return good;
}

csn_err csn_ecdsa_sign(const struct csn_ecdsa_request *request, uint8_t *signature)
{
    const struct csn_ec *ec = csn_ec_find(request->curve);
    struct csn_ecdsa_nonces nonces;
    uint8_t nonce[CSN_EC_SIZE_MAX];
    uint64_t good = 0;
    if (ec == NULL) {
        return CSN_ERR_SUITE;
    }
    if (request->digest_size == 0 || !in_range(ec, request->secret)) {
        return CSN_ERR_ARGUMENT;
    }
    csn_ecdsa_nonces_init(ec, request, &nonces);
    for (uint32_t i = 0; i < TRIES_MAX && good == 0; i++) {
        csn_ecdsa_nonces_next(ec, &nonces, nonce);
        good = csn_ecdsa_sign_with(ec, request, nonce, signature);
    }
    csn_wipe(&nonces, sizeof nonces);
    csn_wipe(nonce, sizeof nonce);
    if (good == 0) {
        csn_wipe(signature, 2 * ec->size);
        return CSN_ERR_INTERNAL;
    }
    return CSN_OK;
}

/* x of (digest / s) * G + (r / s) * Q is r. Everything here is public. */
static bool is_genuine(const struct csn_ec *ec, const struct csn_ecdsa_claim *claim)
{
    struct csn_scalar r, s, digest, x;
    uint8_t of_base[CSN_EC_SIZE_MAX], of_key[CSN_EC_SIZE_MAX], coordinate[CSN_EC_SIZE_MAX];
    csn_scalar_load(ec->order, claim->signature, &r);
    csn_scalar_load(ec->order, claim->signature + ec->size, &s);
    csn_scalar_invert(ec->order, &s, &s);
    csn_ecdsa_digest(ec, claim->digest, claim->digest_size, &digest);
    csn_scalar_multiply(ec->order, &digest, &s, &digest);
    csn_scalar_multiply(ec->order, &r, &s, &s);
    csn_scalar_store(ec->order, &digest, of_base);
    csn_scalar_store(ec->order, &s, of_key);
    ec->points->combine(of_base, of_key, claim->public_key + 1, coordinate);
    x_of(ec, coordinate, &x);
    return csn_equal_ct(&x, &r, sizeof x);
}

csn_err csn_ecdsa_verify(const struct csn_ecdsa_claim *claim)
{
    const struct csn_ec *ec = csn_ec_find(claim->curve);
    if (ec == NULL) {
        return CSN_ERR_SUITE;
    }
    bool genuine = claim->digest_size > 0 && claim->signature_size == 2 * ec->size &&
                   in_range(ec, claim->signature) && in_range(ec, claim->signature + ec->size) &&
                   is_point(ec, claim->public_key) && is_genuine(ec, claim);
    return genuine ? CSN_OK : CSN_ERR_AUTH;
}
