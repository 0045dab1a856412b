/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_luhn.c: the Luhn check over numerals 0..9; constant time in them.
 *
 * From the right, every second digit counts double, with 9 taken off what exceeds 9. Both ways of
 * counting a digit map 0..9 onto 0..9 one to one, modulo 10, so for any position exactly one digit
 * makes the sum a multiple of ten.
 */
#include "tok_state.h"

static uint32_t doubled(uint32_t digit)
{
    uint32_t twice = 2 * digit;
    return twice - 9 * ((9 - twice) >> 31); /* the top bit is set if twice > 9 */
}

/* Sum modulo 10 with the digit at skip left out; skip = count: of all. */
static uint32_t luhn_sum(const uint16_t *numerals, uint32_t count, uint32_t skip)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t digit = numerals[i];
        uint32_t counted = (count - 1 - i) % 2 == 1 ? doubled(digit) : digit;
        sum += i == skip ? 0 : counted;
    }
    return sum % 10;
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
    /* The inverse of doubled(): even numbers came from half of them, odd ones from 5 to 9. */
    return (uint16_t)((wanted + 9 * (wanted & 1)) / 2);
}
