/* SPDX-License-Identifier: Apache-2.0 */
/* base64url.c: ranges are compared by arithmetic: all ones where the character lies within. */
#include "base64url.h"
#include <core/bytes.h>

/* All ones if low <= value <= high, for values below 256. */
static uint32_t within(uint32_t value, uint32_t low, uint32_t high)
{
    uint32_t outside = (value - low) | (high - value);
    return (outside >> 31) - 1;
}

static char digit_of(uint32_t value)
{
    uint32_t result = within(value, 0, 25) & (value + 'A');
    result |= within(value, 26, 51) & (value - 26 + 'a');
    result |= within(value, 52, 61) & (value - 52 + '0');
    result |= within(value, 62, 62) & '-';
    result |= within(value, 63, 63) & '_';
    return (char)result;
}

/* The digit's value, and a bit of *bad if it is none. */
static uint32_t value_of(uint32_t digit, uint32_t *bad)
{
    uint32_t upper = within(digit, 'A', 'Z'), lower = within(digit, 'a', 'z');
    uint32_t number = within(digit, '0', '9'), dash = within(digit, '-', '-');
    uint32_t line = within(digit, '_', '_');
    *bad |= ~(upper | lower | number | dash | line);
    return (upper & (digit - 'A')) | (lower & (digit - 'a' + 26)) | (number & (digit - '0' + 52)) |
           (dash & 62) | (line & 63);
}

void csn_base64url_write(const uint8_t *bytes, uint32_t size, char *target)
{
    for (uint32_t i = 0; i + 3 <= size; i += 3, target += 4) {
        uint32_t word = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        for (uint32_t k = 0; k < 4; k++) {
            target[k] = digit_of(word >> (18 - 6 * k) & 63);
        }
    }
}

bool csn_base64url_read(const uint8_t *text, uint32_t size, uint8_t *target)
{
    uint32_t bad = 0;
    uint8_t *at = target;
    for (uint32_t i = 0; i + 4 <= size; i += 4, at += 3) {
        uint32_t word = 0;
        for (uint32_t k = 0; k < 4; k++) {
            word = word << 6 | value_of(text[i + k], &bad);
        }
        at[0] = (uint8_t)(word >> 16);
        at[1] = (uint8_t)(word >> 8);
        at[2] = (uint8_t)word;
    }
    if (bad != 0 || size % 4 != 0) {
        csn_wipe(target, size / 4 * 3);
        return false;
    }
    return true;
}
