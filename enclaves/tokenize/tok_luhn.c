/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_luhn.c: the Luhn check over numerals 0..9; constant time in them.
 *
 * From the right, every second digit counts double, with 9 taken off what exceeds 9. Both ways of
 * counting a digit map 0..9 onto 0..9 one to one, modulo 10, so for any position exactly one digit
 * makes the sum a multiple of ten.
 */
#include "tok_state.h"
#include <emmintrin.h>

/* Eight numerals of which `left` count, the others as zero. */
static inline __m128i load(const uint16_t *numerals, uint32_t left)
{
    uint16_t here[8] = {0};
    if (left >= 8) {
        return _mm_loadu_si128((const __m128i *)(const void *)numerals);
    }
    for (uint32_t i = 0; i < left; i++) {
        here[i] = numerals[i];
    }
    return _mm_loadu_si128((const __m128i *)(const void *)here);
}

/* Sum modulo 10 with the digit at skip left out; skip = count: of all. */
static uint32_t luhn_sum(const uint16_t *numerals, uint32_t count, uint32_t skip)
{
    /* In places counted from the left: the last digit counts once. */
    const __m128i twice = _mm_set1_epi32(count % 2 == 0 ? 0x0000ffff : (int)0xffff0000);
    const __m128i skipped = _mm_set1_epi16((short)skip);
    __m128i places = _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7);
    __m128i sums = _mm_setzero_si128();
    for (uint32_t at = 0; at < count; at += 8) {
        const __m128i digits =
            _mm_andnot_si128(_mm_cmpeq_epi16(places, skipped), load(numerals + at, count - at));
        const __m128i nines =
            _mm_and_si128(_mm_cmpgt_epi16(digits, _mm_set1_epi16(4)), _mm_set1_epi16(9));
        const __m128i more = _mm_and_si128(_mm_sub_epi16(digits, nines), twice);
        sums = _mm_add_epi16(sums, _mm_add_epi16(digits, more));
        places = _mm_add_epi16(places, _mm_set1_epi16(8));
    }
    sums = _mm_madd_epi16(sums, _mm_set1_epi16(1));
    sums = _mm_add_epi32(sums, _mm_srli_si128(sums, 8));
    sums = _mm_add_epi32(sums, _mm_srli_si128(sums, 4));
    return (uint32_t)_mm_cvtsi128_si32(sums) % 10;
}

bool tok_luhn_holds(const uint16_t *numerals, uint32_t count)
{
    return luhn_sum(numerals, count, count) == 0;
}

uint16_t tok_luhn_digit(const uint16_t *numerals, uint32_t count, uint32_t at)
{
    uint32_t wanted = (10 - luhn_sum(numerals, count, at)) % 10;
    if ((count - 1 - at) % 2 == 0) {
        return (uint16_t)wanted;
    }
    /* The inverse of counting double: even numbers came from half of them, odd ones from 5 to 9. */
    return (uint16_t)((wanted + 9 * (wanted & 1)) / 2);
}
