/* SPDX-License-Identifier: Apache-2.0 */
/* tok_find_phone.c: international after `+`, or ten digits and more, written in the usual ways. */
#include "tok_find.h"

#define DIGITS_MAX 15u

static bool is_separator(uint8_t byte)
{
    return byte == ' ' || byte == '-' || byte == '.' || byte == '(' || byte == ')' || byte == '/';
}

/* dddd-dd-dd */
static bool is_date(const uint8_t *text, uint32_t size, uint32_t p)
{
    if (size - p < 10) {
        return false;
    }
    for (uint32_t i = 0; i < 10; i++) {
        bool dash = i == 4 || i == 7;
        if (dash ? text[p + i] != '-' : !tok_is_digit(text[p + i])) {
            return false;
        }
    }
    return true;
}

static bool count_is_right(bool plus, uint32_t digits, uint32_t separators)
{
    if (plus) {
        return digits >= 8;
    }
    return digits == 10 || (digits > 10 && separators > 0);
}

uint32_t tok_find_phone(const uint8_t *text, uint32_t size, uint32_t p)
{
    bool plus = text[p] == '+';
    if ((!plus && text[p] != '(' && !tok_is_digit(text[p])) || is_date(text, size, p)) {
        return 0;
    }
    uint32_t digits = 0;
    uint32_t separators = 0;
    uint32_t in_a_row = 0;
    uint32_t best = 0;
    for (uint32_t at = p + plus; at < size && digits <= DIGITS_MAX; at++) {
        if (tok_is_digit(text[at])) {
            digits++;
            in_a_row = 0;
            if (digits <= DIGITS_MAX && count_is_right(plus, digits, separators) &&
                tok_ends_at(text, size, at + 1)) {
                best = at + 1 - p;
            }
        } else if (is_separator(text[at]) && in_a_row < 2) {
            separators++;
            in_a_row++;
        } else {
            break;
        }
    }
    return best;
}
