/* SPDX-License-Identifier: Apache-2.0 */
/* ff1_math.c: arithmetic modulo a public number below 2^64, constant time in the operands. */
#include "ff1_math.h"

/* (~normal * 2^64 + 2^64 - 1) / normal, a public number; ~normal < normal, so that it fits. */
void csn_modulus_init(struct csn_modulus *modulus, uint64_t value)
{
    uint32_t shift = (uint32_t)__builtin_clzll(value);
    uint64_t normal = value << shift;
    uint64_t quotient = UINT64_MAX;
    uint64_t rest = ~normal;
    __asm__("divq %2" : "+a"(quotient), "+d"(rest) : "r"(normal) : "cc");
    modulus->value = value;
    modulus->normal = normal;
    modulus->inverse = quotient;
    modulus->narrow = UINT64_MAX / value;
    modulus->shift = shift;
    modulus->bits = 64 - shift;
    modulus->fold = 0;
    modulus->estimate = 0;
    if (modulus->bits <= CSN_MODULUS_LANE_BITS) {
        modulus->fold = (uint32_t)((UINT64_C(1) << 32) % value);
        modulus->estimate = (uint32_t)(((UINT64_C(1) << (modulus->bits + 31)) - 1) / value);
    }
}

/*
 * Remainder of (high, low) by the normalised modulus; high < normal. Moeller and Granlund,
 * "Improved division by invariant integers", algorithm 4, with masks for its two corrections.
 */
static uint64_t remainder_normal(const struct csn_modulus *modulus, uint64_t high, uint64_t low)
{
    csn_u128 product = (csn_u128)modulus->inverse * high;
    product += (csn_u128)high << 64 | low;
    uint64_t quotient = (uint64_t)(product >> 64) + 1;
    uint64_t rest = low - quotient * modulus->normal;
    rest += modulus->normal & csn_mask((uint64_t)(rest > (uint64_t)product));
    rest -= modulus->normal & csn_mask((uint64_t)(rest >= modulus->normal));
    return rest;
}

uint64_t csn_modulus_reduce(const struct csn_modulus *modulus, uint64_t high, uint64_t low)
{
    const uint32_t shift = modulus->shift;
    /* (high, low) << shift in three words; two shifts, because one by 64 is not defined. */
    uint64_t top = high >> 1 >> (63 - shift);
    uint64_t middle = high << shift | low >> 1 >> (63 - shift);
    uint64_t rest = remainder_normal(modulus, top, middle);
    return remainder_normal(modulus, rest, low << shift) >> shift;
}
