/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ec_p384.h: the field of P-384 for ec_kernel.c.
 *
 * The prime is 2^384 - (2^128 + 2^96 - 2^32 + 1). What clears the lowest word of a sum is a factor
 * times the prime: the factor six words up, less the factor times the three words in brackets.
 */
#ifndef CSN_CRYPTO_EC_P384_H
#define CSN_CRYPTO_EC_P384_H

#include "ec_tables.h"
#include "ec_words.h"

#define WORDS       6
#define SPAN        CSN_EC_SPAN_384
#define KERNEL      CSN_EC_VARIANT(csn_ec_kernel_p384)
#define SQUARE_OF_R csn_ec_square_p384
#define B           csn_ec_b_p384
#define ORDER       csn_order_p384
#define TABLE       csn_ec_table_p384
#define MULTIPLIER  385 /* bits of a recoded multiplier: windows of 5 */

/* Here, so that compilers see the ones. */
static const uint64_t prime[WORDS] = {UINT64_C(0x00000000ffffffff),
                                      UINT64_C(0xffffffff00000000),
                                      UINT64_C(0xfffffffffffffffe),
                                      UINT64_MAX,
                                      UINT64_MAX,
                                      UINT64_MAX};

/* sum[0] to sum[6] and a carry above them, plus the multiple that clears sum[0]: one word down. */
CSN_EC_INLINE void reduce_word(uint64_t sum[7], uint64_t above)
{
    const uint64_t factor = sum[0] + (sum[0] << 32);
    const csn_u128 low = (csn_u128)factor * UINT64_C(0xffffffff00000001);
    const csn_u128 high = (csn_u128)factor * UINT64_C(0xffffffff) + (uint64_t)(low >> 64);
    const csn_u128 highest = (csn_u128)factor + (uint64_t)(high >> 64);
    const uint64_t less[7] = {(uint64_t)low, (uint64_t)high, (uint64_t)highest,
                              (uint64_t)(highest >> 64)};
    unsigned char borrow = 0;
    csn_ec_limb step;
    csn_u128 top = ((csn_u128)above << 64 | sum[6]) + factor;
#pragma GCC unroll 6
    for (uint32_t i = 0; i < WORDS; i++) {
        borrow = _subborrow_u64(borrow, sum[i], less[i], &step);
        if (i > 0) {
            sum[i - 1] = step;
        }
    }
    top -= borrow;
    sum[5] = (uint64_t)top;
    sum[6] = (uint64_t)(top >> 64);
}

CSN_EC_INLINE void multiply_field(const uint64_t *left, const uint64_t *right, uint64_t *product)
{
    uint64_t sum[7] = {0};
#pragma GCC unroll 6
    for (uint32_t i = 0; i < WORDS; i++) {
        reduce_word(sum, csn_ec_accumulate(sum, left[i], right, WORDS));
    }
    csn_ec_correct(prime, sum[6], sum, product, WORDS);
}

#endif
