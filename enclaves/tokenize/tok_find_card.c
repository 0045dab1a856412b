/* SPDX-License-Identifier: Apache-2.0 */
/* tok_find_card.c: 13 to 19 digits with single separators, Luhn, not all the same digit. */
#include "tok_find.h"

#define CARD_MIN 13u
#define CARD_MAX 19u

static bool luhn_holds(const uint8_t *digits, uint32_t count)
{
    uint32_t sum = 0;
    uint32_t different = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t digit = digits[count - 1 - i];
        uint32_t counted = i % 2 == 0 ? digit : 2 * digit - (digit > 4 ? 9 : 0);
        sum += counted;
        different |= digit ^ digits[0];
    }
    return different != 0 && sum % 10 == 0;
}

uint32_t tok_find_card(const uint8_t *text, uint32_t size, uint32_t p)
{
    uint8_t digits[CARD_MAX];
    uint32_t ends[CARD_MAX]; /* offset just after each digit */
    uint32_t count = 0;
    uint32_t at = p;
    while (count < CARD_MAX && at < size && tok_is_digit(text[at])) {
        digits[count] = text[at] - '0';
        ends[count++] = ++at;
        if (at < size && (text[at] == ' ' || text[at] == '-')) {
            at++;
        }
    }
    for (; count >= CARD_MIN; count--) {
        if (tok_ends_at(text, size, ends[count - 1]) && luhn_holds(digits, count)) {
            return ends[count - 1] - p;
        }
    }
    return 0;
}
