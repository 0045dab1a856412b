/* SPDX-License-Identifier: Apache-2.0 */
/* ecdsa_scalar.c: Montgomery arithmetic modulo the orders of P-256 and P-384. */
#include "ecdsa_scalar.h"
#define CSN_EC_ROW "ec_row.h"
#include "ec_words.h"

#define WORDS CSN_SCALAR_WORDS

_Static_assert(WORDS == CSN_EC_WORDS_MAX, "both curves fit");

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
    csn_ec_load(bytes, value->words, order->count);
}

void csn_scalar_store(const struct csn_order *order, const struct csn_scalar *value, uint8_t *bytes)
{
    csn_ec_store(value->words, bytes, order->count);
}

uint64_t csn_scalar_in_range(const struct csn_order *order, const struct csn_scalar *value)
{
    uint64_t difference[WORDS];
    uint64_t below = csn_ec_below(value->words, order->order, difference, order->count);
    csn_wipe(difference, sizeof difference);
    return below & (csn_ec_is_zero(value->words, order->count) ^ 1);
}

void csn_scalar_reduce(const struct csn_order *order, struct csn_scalar *value)
{
    csn_ec_correct(order->order, 0, value->words, value->words, order->count);
}

/* The rest of a number's words. */
static void clear_above(const struct csn_order *order, struct csn_scalar *value)
{
    for (uint32_t i = order->count; i < WORDS; i++) {
        value->words[i] = 0;
    }
}

void csn_scalar_add(const struct csn_order *order, const struct csn_scalar *left,
                    const struct csn_scalar *right, struct csn_scalar *sum)
{
    csn_ec_add(order->order, left->words, right->words, sum->words, order->count);
    clear_above(order, sum);
}

CSN_EC_INLINE void multiply(const struct csn_order *order, const struct csn_scalar *left,
                            const struct csn_scalar *right, struct csn_scalar *product,
                            const uint32_t count)
{
    csn_ec_montgomery(order->order, order->inverse, left->words, right->words, product->words,
                      count);
}

void csn_scalar_multiply(const struct csn_order *order, const struct csn_scalar *left,
                         const struct csn_scalar *right, struct csn_scalar *product)
{
    if (order->count == 4) {
        multiply(order, left, right, product, 4);
    } else {
        multiply(order, left, right, product, 6);
    }
    clear_above(order, product);
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
CSN_EC_INLINE void invert(const struct csn_order *order, const struct csn_scalar *value,
                          struct csn_scalar *result, const uint32_t count)
{
    struct csn_scalar powers[16];
    csn_scalar_to_montgomery(order, value, &powers[1]);
    for (uint32_t i = 2; i < 16; i++) {
        multiply(order, &powers[i - 1], &powers[1], &powers[i], count);
    }
    *result = powers[15]; /* both orders begin with four ones */
    for (uint32_t digit = 16 * count - 1; digit-- > 0;) {
        uint64_t word = order->order[digit / 16] - (digit < 16 ? 2 : 0);
        uint32_t power = (uint32_t)(word >> 4 * (digit % 16)) & 15;
        for (uint32_t i = 0; i < 4; i++) {
            multiply(order, result, result, result, count);
        }
        if (power != 0) {
            multiply(order, result, &powers[power], result, count);
        }
    }
    csn_wipe(powers, sizeof powers);
    clear_above(order, result);
}

void csn_scalar_invert(const struct csn_order *order, const struct csn_scalar *value,
                       struct csn_scalar *result)
{
    if (order->count == 4) {
        invert(order, value, result, 4);
    } else {
        invert(order, value, result, 6);
    }
}
