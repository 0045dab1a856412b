/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ff1_decimal.c: halves of 4 to 8 decimal digits as numbers and back, by multiplication in vectors.
 *
 * Each step joins neighbours or parts them: digits, pairs, fours, eights. SSE2 is part of x86-64.
 * Constant time in the digits.
 */
#include "ff1_core.h"
#include <core/bytes.h>
#include <emmintrin.h>

/* Eight digits, zeros before them: count is 4 to 8, so that two loads of four have them all. */
static inline __m128i load_half(const uint16_t *numerals, uint32_t count)
{
    __m128i first = _mm_loadl_epi64((const __m128i *)(const void *)numerals);
    __m128i last = _mm_loadl_epi64((const __m128i *)(const void *)(numerals + count - 4));
    first = _mm_sll_epi64(first, _mm_cvtsi32_si128((int)(16 * (8 - count)))); /* by 64: zero */
    return _mm_unpacklo_epi64(first, last);
}

bool csn_ff1_read_decimal(const uint16_t *numerals, uint32_t u, uint32_t v, uint64_t halves[2])
{
    const __m128i nine = _mm_set1_epi16(9);
    const __m128i ten = _mm_set1_epi32(1 << 16 | 10);
    const __m128i hundred = _mm_set1_epi32(1 << 16 | 100);
    __m128i left = load_half(numerals, u);
    __m128i right = load_half(numerals + u, v);
    __m128i above = _mm_or_si128(_mm_subs_epu16(left, nine), _mm_subs_epu16(right, nine));
    __m128i pairs = _mm_packs_epi32(_mm_madd_epi16(left, ten), _mm_madd_epi16(right, ten));
    __m128i fours = _mm_madd_epi16(pairs, hundred);
    __m128i eights =
        _mm_add_epi64(_mm_mul_epu32(fours, _mm_set1_epi32(10000)), _mm_srli_epi64(fours, 32));
    _mm_storeu_si128((__m128i *)(void *)halves, eights);
    return _mm_movemask_epi8(_mm_cmpeq_epi16(above, _mm_setzero_si128())) != 0xffff;
}

static inline void store_half(uint16_t *numerals, uint32_t count, __m128i digits)
{
    __m128i first = _mm_srl_epi64(digits, _mm_cvtsi32_si128((int)(16 * (8 - count))));
    _mm_storel_epi64((__m128i *)(void *)numerals, first); /* as far as the second store goes */
    _mm_storel_epi64((__m128i *)(void *)(numerals + count - 4), _mm_srli_si128(digits, 8));
}

/* Reciprocals are rounded up and exact in their range: below 10^8, 10^4 and 100. */
void csn_ff1_write_decimal(const uint64_t halves[2], uint16_t *numerals, uint32_t u, uint32_t v)
{
    __m128i eights = _mm_loadu_si128((const __m128i *)(const void *)halves);
    __m128i upper = _mm_srli_epi64(_mm_mul_epu32(eights, _mm_set1_epi32((int)3518437209u)), 45);
    __m128i lower = _mm_sub_epi32(eights, _mm_mul_epu32(upper, _mm_set1_epi32(10000)));
    __m128i fours = _mm_or_si128(upper, _mm_slli_epi64(lower, 32));
    upper = _mm_srli_epi16(_mm_mulhi_epu16(fours, _mm_set1_epi16(5243)), 3);
    lower = _mm_sub_epi16(fours, _mm_mullo_epi16(upper, _mm_set1_epi16(100)));
    __m128i pairs = _mm_or_si128(upper, _mm_slli_epi32(lower, 16));
    upper = _mm_mulhi_epu16(pairs, _mm_set1_epi16(6554));
    lower = _mm_sub_epi16(pairs, _mm_mullo_epi16(upper, _mm_set1_epi16(10)));
    store_half(numerals, u, _mm_unpacklo_epi16(upper, lower));
    store_half(numerals + u, v, _mm_unpackhi_epi16(upper, lower));
}
