/* SPDX-License-Identifier: Apache-2.0 */
/* tok_find_card.c: 13 to 19 digits with single separators, Luhn, not all the same digit. */
#include "tok_find.h"

#define CARD_MIN 13u
#define CARD_MAX 19u

uint32_t tok_find_card(const uint8_t *text, uint32_t size, uint32_t p)
{
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
