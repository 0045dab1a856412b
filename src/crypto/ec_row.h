/* SPDX-License-Identifier: Apache-2.0 */
/* ec_row.h: a row of products on any CPU; read by ec_words.h. */
#ifndef CSN_CRYPTO_EC_ROW_H
#define CSN_CRYPTO_EC_ROW_H

#define CSN_EC_VARIANT(name) name

/* sum += factor * value, of `count` words and one more; the carry above that. */
CSN_EC_INLINE uint64_t csn_ec_accumulate(uint64_t *sum, uint64_t factor, const uint64_t *value,
                                         const uint32_t count)
{
    uint64_t low[CSN_EC_WORDS_MAX], high[CSN_EC_WORDS_MAX];
    uint64_t above;
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        const csn_u128 product = (csn_u128)factor * value[i];
        low[i] = (uint64_t)product;
        high[i] = (uint64_t)(product >> 64);
    }
    above = csn_ec_chain(sum, low, count);
    uint64_t upper[CSN_EC_WORDS_MAX + 1];
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        upper[i] = sum[i + 1];
    }
    upper[count] = above;
    (void)csn_ec_chain(upper, high, count);
#pragma GCC unroll 6
    for (uint32_t i = 0; i < count; i++) {
        sum[i + 1] = upper[i];
    }
    return upper[count];
}

#endif
