/* SPDX-License-Identifier: Apache-2.0 */
/* tok_find_id.c: US SSN, UK NINO, Spanish DNI and NIE, Brazilian CPF, in this order. */
#include "tok_find.h"

/* pattern: 0 = a digit, other characters stand for themselves. Digits are collected. */
static bool read_shape(const uint8_t *text, uint32_t left, const char *pattern, uint32_t count,
                       uint8_t *digits)
{
    if (left < count) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (pattern[i] != '0') {
            if (text[i] != (uint8_t)pattern[i]) {
                return false;
            }
        } else if (!tok_is_digit(text[i])) {
            return false;
        } else {
            *digits++ = text[i] - '0';
        }
    }
    return true;
}

static uint32_t number_of(const uint8_t *digits, uint32_t count)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < count; i++) {
        number = number * 10 + digits[i];
    }
    return number;
}

static uint32_t find_ssn(const uint8_t *text, uint32_t left)
{
    uint8_t digits[9];
    if (!read_shape(text, left, "000-00-0000", 11, digits) &&
        !read_shape(text, left, "000 00 0000", 11, digits)) {
        return 0;
    }
    uint32_t area = number_of(digits, 3);
    bool real = area != 0 && area != 666 && area < 900 && number_of(digits + 3, 2) != 0 &&
                number_of(digits + 5, 4) != 0;
    return real && tok_ends_at(text, left, 11) ? 11 : 0;
}

static uint32_t find_nino(const uint8_t *text, uint32_t left)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < 9; i++) {
        if (i > 0 && i % 2 == 0 && at < left && text[at] == ' ') {
            at++;
        }
        if (at == left) {
            return 0;
        }
        uint8_t byte = text[at++];
        bool fits = tok_is_digit(byte);
        if (i < 2) {
            fits = tok_is_upper(byte);
        } else if (i == 8) {
            fits = byte >= 'A' && byte <= 'D';
        }
        if (!fits) {
            return 0;
        }
    }
    return tok_ends_at(text, left, at) ? at : 0;
}

static uint32_t find_dni(const uint8_t *text, uint32_t left)
{
    static const char letters[] = "TRWAGMYFPDXBNJZSQVHLCKE";
    uint8_t digits[8];
    bool foreign = text[0] >= 'X' && text[0] <= 'Z';
    if (left < 9) {
        return 0;
    }
    digits[0] = text[0] - (foreign ? 'X' : '0');
    if ((!foreign && !tok_is_digit(text[0])) ||
        !read_shape(text + 1, left - 1, "0000000", 7, digits + 1)) {
        return 0;
    }
    uint32_t at = text[8] == '-' ? 9 : 8;
    if (at == left || !tok_is_letter(text[at]) ||
        (text[at] & 0xdf) != letters[number_of(digits, 8) % 23]) {
        return 0;
    }
    return tok_ends_at(text, left, at + 1) ? at + 1 : 0;
}

/* The check digit over the digits before it: weights fall to 2 from the left. */
static uint32_t cpf_digit(const uint8_t *digits, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += digits[i] * (count + 1 - i);
    }
    return sum * 10 % 11 % 10;
}

static uint32_t find_cpf(const uint8_t *text, uint32_t left)
{
    uint8_t digits[11];
    if (!read_shape(text, left, "000.000.000-00", 14, digits) ||
        digits[9] != cpf_digit(digits, 9) || digits[10] != cpf_digit(digits, 10)) {
        return 0;
    }
    uint32_t different = 0;
    for (uint32_t i = 1; i < 11; i++) {
        different |= digits[i] ^ digits[0];
    }
    return different != 0 && tok_ends_at(text, left, 14) ? 14 : 0;
}

uint32_t tok_find_id(const uint8_t *text, uint32_t size, uint32_t p)
{
    const uint8_t *at = text + p;
    uint32_t left = size - p;
    uint32_t found = find_ssn(at, left);
    found = found != 0 ? found : find_nino(at, left);
    found = found != 0 ? found : find_dni(at, left);
    return found != 0 ? found : find_cpf(at, left);
}
