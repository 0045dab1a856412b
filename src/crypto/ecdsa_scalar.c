/* SPDX-License-Identifier: Apache-2.0 */
/* ecdsa_scalar.c: Montgomery arithmetic modulo the orders of P-256 and P-384. */
#include "ecdsa_scalar.h"
#include "mask.h"
#include <core/bytes.h>
#include <immintrin.h>

#define WORDS CSN_SCALAR_WORDS

const struct csn_order csn_order_p256 = {
    .count = 4,
    .order = {UINT64_C(0xf3b9cac2fc632551), UINT64_C(0xbce6faada7179e84),
              UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffff00000000)},
    .square = {UINT64_C(0x83244c95be79eea2), UINT64_C(0x4699799c49bd6fa6),
               UINT64_C(0x2845b2392b6bec59), UINT64_C(0x66e12d94f3d95620)},
    .inverse = UINT64_C(0xccd1c8aaee00bc4f),
};

const struct csn_order csn_order_p384 = {
    .count = 6,
    .order = {UINT64_C(0xecec196accc52973), UINT64_C(0x581a0db248b0a77a),
              UINT64_C(0xc7634d81f4372ddf), UINT64_C(0xffffffffffffffff),
              UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffffffffffff)},
    .square = {UINT64_C(0x2d319b2419b409a9), UINT64_C(0xff3d81e5df1aa419),
               UINT64_C(0xbc3e483afcb82947), UINT64_C(0xd40d49174aab1cc5),
               UINT64_C(0x3fb05b7a28266895), UINT64_C(0x0c84ee012b39bf21)},
    .inverse = UINT64_C(0x6ed46089e88fdc45),
};

void csn_scalar_load(const struct csn_order *order, const uint8_t *bytes, struct csn_scalar *value)
{
    *value = (struct csn_scalar){{0}};
    for (uint32_t i = 0; i < order->count; i++) {
        value->words[order->count - 1 - i] = __builtin_bswap64(csn_load_u64(bytes + 8 * i));
    }
}

void csn_scalar_store(const struct csn_order *order, const struct csn_scalar *value, uint8_t *bytes)
{
    for (uint32_t i = 0; i < order->count; i++) {
        csn_store_u64(bytes + 8 * i, __builtin_bswap64(value->words[order->count - 1 - i]));
    }
}

/* What follows is for a count that the compiler knows: each loop becomes a chain of carries. */
#define INLINE static inline __attribute__((always_inline))
typedef unsigned long long limb; /* as the intrinsics have it */

/* value - order; 1 if that borrows, so if value is below the order. */
INLINE uint64_t subtract_order(const struct csn_order *order, const uint64_t *value,
                               uint64_t *difference, const uint32_t count)
{
    unsigned char borrow = 0;
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        limb step;
        borrow = _subborrow_u64(borrow, value[i], order->order[i], &step);
        difference[i] = step;
    }
    return borrow;
}

/* result = value with a word above it, minus the order unless that is negative. */
INLINE void correct(const struct csn_order *order, uint64_t above, const uint64_t *value,
                    struct csn_scalar *result, const uint32_t count)
{
    uint64_t difference[WORDS];
    uint64_t borrow = subtract_order(order, value, difference, count);
    uint64_t keep = csn_mask(borrow & (above ^ 1));
#pragma GCC unroll 6
    for (uint32_t i = 0; i < WORDS; i++) {
        result->words[i] = i < count ? (value[i] & keep) | (difference[i] & ~keep) : 0;
    }
}

INLINE void add_words(const struct csn_order *order, const struct csn_scalar *left,
                      const struct csn_scalar *right, struct csn_scalar *sum, const uint32_t count)
{
    uint64_t words[WORDS];
    unsigned char carry = 0;
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        limb step;
        carry = _addcarry_u64(carry, left->words[i], right->words[i], &step);
        words[i] = step;
    }
    correct(order, carry, words, sum, count);
}

INLINE void subtract_words(const struct csn_order *order, const struct csn_scalar *left,
                           const struct csn_scalar *right, struct csn_scalar *difference,
                           const uint32_t count)
{
    uint64_t words[WORDS];
    unsigned char borrow = 0, carry = 0;
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        limb step;
        borrow = _subborrow_u64(borrow, left->words[i], right->words[i], &step);
        words[i] = step;
    }
    const uint64_t negative = csn_mask(borrow);
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        limb step;
        carry = _addcarry_u64(carry, words[i], order->order[i] & negative, &step);
        words[i] = step;
    }
#pragma GCC unroll 6
    for (uint32_t i = 0; i < WORDS; i++) {
        difference->words[i] = i < count ? words[i] : 0;
    }
}

/* Word by word, each time adding the multiple of the order that clears the lowest word. */
INLINE void multiply_words(const struct csn_order *order, const struct csn_scalar *left,
                           const struct csn_scalar *right, struct csn_scalar *product,
                           const uint32_t count)
{
    uint64_t sum[WORDS + 1] = {0};
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        csn_u128 step = (csn_u128)left->words[i] * right->words[0] + sum[0];
        uint64_t factor = (uint64_t)step * order->inverse;
        csn_u128 clear = (csn_u128)factor * order->order[0] + (uint64_t)step;
#pragma GCC unroll 6
        for (uint32_t j = 1; j < count; j++) {
            step = (csn_u128)left->words[i] * right->words[j] + sum[j] + (uint64_t)(step >> 64);
            clear = (csn_u128)factor * order->order[j] + (uint64_t)step + (uint64_t)(clear >> 64);
            sum[j - 1] = (uint64_t)clear;
        }
        csn_u128 last = (csn_u128)sum[count] + (uint64_t)(step >> 64) + (uint64_t)(clear >> 64);
        sum[count - 1] = (uint64_t)last;
        sum[count] = (uint64_t)(last >> 64);
    }
    correct(order, sum[count], sum, product, count);
}

uint64_t csn_scalar_in_range(const struct csn_order *order, const struct csn_scalar *value)
{
    uint64_t difference[WORDS];
    uint64_t any = 0;
    uint64_t below = subtract_order(order, value->words, difference, order->count);
    for (uint32_t i = 0; i < order->count; i++) {
        any |= value->words[i];
    }
    csn_wipe(difference, sizeof difference);
    return below & ((any | (0 - any)) >> 63);
}

void csn_scalar_reduce(const struct csn_order *order, struct csn_scalar *value)
{
    correct(order, 0, value->words, value, order->count);
}

void csn_scalar_add(const struct csn_order *order, const struct csn_scalar *left,
                    const struct csn_scalar *right, struct csn_scalar *sum)
{
    if (order->count == 4) {
        add_words(order, left, right, sum, 4);
    } else {
        add_words(order, left, right, sum, 6);
    }
}

void csn_scalar_subtract(const struct csn_order *order, const struct csn_scalar *left,
                         const struct csn_scalar *right, struct csn_scalar *difference)
{
    if (order->count == 4) {
        subtract_words(order, left, right, difference, 4);
    } else {
        subtract_words(order, left, right, difference, 6);
    }
}

void csn_scalar_multiply(const struct csn_order *order, const struct csn_scalar *left,
                         const struct csn_scalar *right, struct csn_scalar *product)
{
    if (order->count == 4) {
        multiply_words(order, left, right, product, 4);
    } else {
        multiply_words(order, left, right, product, 6);
    }
}

void csn_scalar_to_montgomery(const struct csn_order *order, const struct csn_scalar *value,
                              struct csn_scalar *result)
{
    struct csn_scalar square;
    __builtin_memcpy(square.words, order->square, sizeof square.words);
    csn_scalar_multiply(order, value, &square, result);
}

/*
 * By Fermat: value^(order - 2), four bits of the exponent at a time, which is public. The lowest
 * word of both orders is far above 2, so nothing is borrowed.
 */
void csn_scalar_invert(const struct csn_order *order, const struct csn_scalar *value,
                       struct csn_scalar *result)
{
    struct csn_scalar powers[16];
    csn_scalar_to_montgomery(order, value, &powers[1]);
    for (uint32_t i = 2; i < 16; i++) {
        csn_scalar_multiply(order, &powers[i - 1], &powers[1], &powers[i]);
    }
    *result = powers[15]; /* both orders begin with four ones */
    for (uint32_t digit = 16 * order->count - 1; digit-- > 0;) {
        uint64_t word = order->order[digit / 16] - (digit < 16 ? 2 : 0);
        uint32_t power = (uint32_t)(word >> 4 * (digit % 16)) & 15;
        for (uint32_t i = 0; i < 4; i++) {
            csn_scalar_multiply(order, result, result, result);
        }
        if (power != 0) {
            csn_scalar_multiply(order, result, &powers[power], result);
        }
    }
    csn_wipe(powers, sizeof powers);
}
