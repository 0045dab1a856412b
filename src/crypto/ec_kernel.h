/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ec_kernel.h: points of P-256 and P-384: one source, made twice for each. Private.
 *
 * Constant time in multipliers and points. A multiplier is any number of as many bytes as a
 * coordinate; "xy" are two of those; all of them are big-endian.
 */
#ifndef CSN_CRYPTO_EC_KERNEL_H
#define CSN_CRYPTO_EC_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct csn_ec_kernel {
    /* xy of multiplier * G; zeros of the neutral point. */
    void (*base)(const uint8_t *multiplier, uint8_t *xy);
    /* Both coordinates below the prime, and on the curve. For public points. */
    bool (*is_point)(const uint8_t *xy);
    /* x of multiplier * point, which must be one; zeros of the neutral point. */
    void (*multiply)(const uint8_t *multiplier, const uint8_t *xy, uint8_t *x);
    /* x of of_base * G + of_point * point, likewise. */
    void (*combine)(const uint8_t *of_base, const uint8_t *of_point, const uint8_t *xy, uint8_t *x);
};
extern const struct csn_ec_kernel csn_ec_kernel_p256, csn_ec_kernel_p384;
extern const struct csn_ec_kernel csn_ec_kernel_p256_adx, csn_ec_kernel_p384_adx; /* BMI2, ADX */

#endif
