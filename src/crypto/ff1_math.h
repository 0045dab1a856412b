/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ff1_math.h: division by public numbers without a division instruction.
 *
 * DIV takes a time that depends on its operands on many CPUs, so secrets are only multiplied by
 * reciprocals of public numbers and corrected without a branch. For src/crypto alone.
 */
#ifndef CSN_CRYPTO_FF1_MATH_H
#define CSN_CRYPTO_FF1_MATH_H

#include "mask.h"
#include <stdint.h>

/* floor((2^64 - 1) / radix); the radix is public */
static inline uint64_t csn_radix_inverse(uint32_t radix)
{
    return UINT64_MAX / radix;
}

/*
 * value / radix, remainder to *rest, for any value. The estimate is at most one too low, because
 * the inverse is less than one below 2^64 / radix.
 */
static inline uint64_t csn_divide_radix(uint64_t value, uint32_t radix, uint64_t inverse,
                                        uint32_t *rest)
{
    uint64_t quotient = (uint64_t)((csn_u128)value * inverse >> 64);
    uint64_t remainder = value - quotient * radix; /* below 2 * radix */
    uint64_t over = csn_mask((uint64_t)(remainder >= radix));
    *rest = (uint32_t)(remainder - (radix & over));
    return quotient - over;
}

/* A modulus below 2^64 with what its reductions need. */
struct csn_modulus {
    uint64_t value;
    uint64_t normal;  /* value shifted so that its top bit is set */
    uint64_t inverse; /* floor((2^128 - 1) / normal) - 2^64 */
    uint64_t narrow;  /* floor((2^64 - 1) / value) */
    uint32_t shift;
    uint32_t bits; /* of value */
    /* Where value is below 2^CSN_MODULUS_LANE_BITS: what ff1_lanes.h needs; else 0. */
    uint32_t fold;     /* 2^32 mod value */
    uint32_t estimate; /* floor((2^(bits + 31) - 1) / value) */
};

#define CSN_MODULUS_LANE_BITS 29u

void csn_modulus_init(struct csn_modulus *modulus, uint64_t value);
/* (high * 2^64 + low) mod value; high < 2^32. Constant time in high and low. */
uint64_t csn_modulus_reduce(const struct csn_modulus *modulus, uint64_t high, uint64_t low);

/* number mod value, below 2^63; the estimate is at most one too low, as in csn_divide_radix(). */
static inline uint64_t csn_modulus_reduce_64(const struct csn_modulus *modulus, uint64_t number)
{
    uint64_t quotient = (uint64_t)((csn_u128)number * modulus->narrow >> 64);
    uint64_t rest = number - quotient * modulus->value;
    return rest - (modulus->value & csn_mask((uint64_t)(rest >= modulus->value)));
}

/* left + right and left - right; both below value. */
static inline uint64_t csn_modulus_add(const struct csn_modulus *modulus, uint64_t left,
                                       uint64_t right)
{
    uint64_t sum = left + right;
    uint64_t over = (uint64_t)(sum < left) | (uint64_t)(sum >= modulus->value);
    return sum - (modulus->value & csn_mask(over));
}

static inline uint64_t csn_modulus_subtract(const struct csn_modulus *modulus, uint64_t left,
                                            uint64_t right)
{
    return left - right + (modulus->value & csn_mask((uint64_t)(left < right)));
}

#endif
