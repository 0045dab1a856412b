/* SPDX-License-Identifier: Apache-2.0 */
/* tok_find_card.c: 13 to 19 digits with single separators, Luhn, not all the same digit. */
#include "tok_find.h"
#include "tok_look.h"

#define CARD_MIN 13u
#define CARD_MAX 19u
#define LOOK     32u

/* The sum of Luhn's check over up to 16 digits that end at `end`; at least 16 bytes before it. */
static uint32_t luhn_of(const uint8_t *end, uint32_t count)
{
    const __m128i places = _mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m128i inside = _mm_cmplt_epi8(places, _mm_set1_epi8((char)count));
    const __m128i bytes = _mm_and_si128(tok_look_16(end - 16), _mm_set1_epi8(15));
    const __m128i digits = _mm_and_si128(bytes, inside);
    const __m128i nines = _mm_and_si128(_mm_cmpgt_epi8(digits, _mm_set1_epi8(4)), _mm_set1_epi8(9));
    /* Every other one counts twice, less nine if that has two digits. */
    const __m128i more = _mm_and_si128(_mm_sub_epi8(digits, nines), _mm_set1_epi16(0xff));
    const __m128i sums = _mm_sad_epu8(_mm_add_epi8(digits, more), _mm_setzero_si128());
    return (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_srli_si128(sums, 8)));
}

/* Digits without separators, and more bytes around them: most cards. False: not that easy. */
static bool plain_card(const uint8_t *text, uint32_t size, uint32_t p, uint32_t *found)
{
    if (size - p < LOOK) {
        return false;
    }
    const uint32_t digits = tok_mask_32(text + p, tok_digits);
    const uint32_t marks = tok_mask_32(text + p, tok_separators);
    /* Of digits with single separators between them; the last bit may be wrong. */
    const uint32_t run = digits | (marks & digits << 1 & digits >> 1);
    const uint32_t count = (uint32_t)__builtin_ctz(~digits | UINT32_C(1) << 31);
    const uint32_t end = p + count;
    *found = 0;
    if ((run & ((1u << CARD_MIN) - 1)) != (1u << CARD_MIN) - 1) {
        return true; /* too short, even if all were digits */
    }
    if (count < CARD_MIN || count > 16 || end < 16 || (run >> count & 1) != 0) {
        return false;
    }
    const __m128i first = _mm_set1_epi8((char)text[p]);
    const uint32_t others =
        (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(tok_look_16(text + p), first));
    const uint32_t all = (1u << count) - 1;
    if (luhn_of(text + end, count) % 10 == 0 && (others & all) != all &&
        tok_ends_at(text, size, end)) {
        *found = count;
    }
    return true;
}

uint32_t tok_find_card(const uint8_t *text, uint32_t size, uint32_t p)
{
    uint32_t found;
    if (plain_card(text, size, p, &found)) {
        return found;
    }
    /* Of the digits so far, doubled are those in odd (0) or even (1) places from the left. */
    uint32_t sums[2] = {0, 0};
    uint32_t different = 0;
    uint32_t best = 0;
    uint32_t at = p;
    for (uint32_t count = 1; count <= CARD_MAX && at < size && tok_is_digit(text[at]); count++) {
        const uint32_t digit = text[at] - '0';
        const uint32_t odd = count & 1;
        sums[odd] += digit;
        sums[odd ^ 1] += 2 * digit - (digit > 4 ? 9 : 0);
        different |= text[at] ^ text[p];
        at++;
        /* The last digit counts once, so that sum is the right one whose turn it is. */
        if (count >= CARD_MIN && sums[odd] % 10 == 0 && different != 0 &&
            tok_ends_at(text, size, at)) {
            best = at - p;
        }
        if (at < size && (text[at] == ' ' || text[at] == '-')) {
            at++;
        }
    }
    return best;
}
