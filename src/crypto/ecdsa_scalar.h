/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecdsa_scalar.h: numbers modulo the order of P-256 or P-384. Private to src/crypto. Constant time
 * in the numbers; the modulus is public.
 *
 * Words are in ascending order. "Montgomery" is a number times 2^(64 * count) modulo the order.
 */
#ifndef CSN_CRYPTO_ECDSA_SCALAR_H
#define CSN_CRYPTO_ECDSA_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_SCALAR_WORDS 6

struct csn_scalar {
    uint64_t words[CSN_SCALAR_WORDS];
};

struct csn_order {
    uint32_t count; /* words in use: 4 or 6; the rest are zero */
    uint64_t order[CSN_SCALAR_WORDS];
    uint64_t square[CSN_SCALAR_WORDS]; /* 2^(128 * count) modulo the order */
    uint64_t inverse;                  /* -1 / order modulo 2^64 */
};

extern const struct csn_order csn_order_p256, csn_order_p384;

/* 8 * count bytes, big-endian, as they are: they may be above the order. */
void csn_scalar_load(const struct csn_order *order, const uint8_t *bytes, struct csn_scalar *value);
void csn_scalar_store(const struct csn_order *order, const struct csn_scalar *value,
                      uint8_t *bytes);
/* 1: from 1 to the order - 1; 0: not. */
uint64_t csn_scalar_in_range(const struct csn_order *order, const struct csn_scalar *value);
/* Of a number below twice the order, which is all that 8 * count bytes can hold on both curves. */
void csn_scalar_reduce(const struct csn_order *order, struct csn_scalar *value);
void csn_scalar_add(const struct csn_order *order, const struct csn_scalar *left,
                    const struct csn_scalar *right, struct csn_scalar *sum);
/* left * right / 2^(64 * count): a plain product if one of them is Montgomery. */
void csn_scalar_multiply(const struct csn_order *order, const struct csn_scalar *left,
                         const struct csn_scalar *right, struct csn_scalar *product);
void csn_scalar_to_montgomery(const struct csn_order *order, const struct csn_scalar *value,
                              struct csn_scalar *result);
/* 1 / value as Montgomery, of a plain value; 0 of 0. */
void csn_scalar_invert(const struct csn_order *order, const struct csn_scalar *value,
                       struct csn_scalar *result);

#endif
