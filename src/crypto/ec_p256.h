/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ec_p256.h: the field of P-256 for ec_kernel.c.
 *
 * The prime is 2^256 - 2^224 + 2^192 + 2^96 - 1. Its lowest word is all ones, so the multiple that
 * clears the lowest word t of a sum is t times the prime: t * 2^96 - t from the lower half, and t
 * times the top word, which alone takes a multiplication.
 */
#ifndef CSN_CRYPTO_EC_P256_H
#define CSN_CRYPTO_EC_P256_H

#include "ec_tables.h"
#include "ec_words.h"

#define WORDS       4
#define SPAN        CSN_EC_SPAN_256
#define KERNEL      CSN_EC_VARIANT(csn_ec_kernel_p256)
#define SQUARE_OF_R csn_ec_square_p256
#define B           csn_ec_b_p256
#define ORDER       csn_order_p256
#define TABLE       csn_ec_table_p256
#define MULTIPLIER  260 /* bits of a recoded multiplier: windows of 5 */

#define TOP UINT64_C(0xffffffff00000001)

/* Here, so that compilers see the zeros and ones. */
static const uint64_t prime[WORDS] = {UINT64_MAX, UINT64_C(0xffffffff), 0, TOP};

/* sum[0] to sum[4] and a carry above them, plus the multiple that clears sum[0]: one word down. */
CSN_EC_INLINE void reduce_word(uint64_t sum[5], uint64_t above)
{
    const uint64_t lowest = sum[0];
    const csn_u128 top = (csn_u128)lowest * TOP;
    const uint64_t more[4] = {lowest << 32, lowest >> 32, (uint64_t)top, (uint64_t)(top >> 64)};
    uint64_t next[5] = {sum[1], sum[2], sum[3], sum[4], above};
    (void)csn_ec_chain(next, more, WORDS);
#pragma GCC unroll 5
    for (uint32_t i = 0; i < 5; i++) {
        sum[i] = next[i];
    }
}

CSN_EC_INLINE void multiply_field(const uint64_t *left, const uint64_t *right, uint64_t *product)
{
    uint64_t sum[5] = {0};
#pragma GCC unroll 4
    for (uint32_t i = 0; i < WORDS; i++) {
        reduce_word(sum, csn_ec_accumulate(sum, left[i], right, WORDS));
    }
    csn_ec_correct(prime, sum[4], sum, product, WORDS);
}

#endif
