/* SPDX-License-Identifier: Apache-2.0 */
/* text.c: see text.h. */
#include "verify/text.h"
#include <caisson/verify.h>
#include <stdio.h>
#include <string.h>

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool csv_hex_read(const char *text, size_t digits, uint8_t *bytes)
{
    for (size_t i = 0; i + 1 < digits; i += 2) {
        int high = hex_digit(text[i]);
        int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return digits % 2 == 0;
}

void csv_hex_write(const void *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[from[i] >> 4];
        text[2 * i + 1] = digits[from[i] & 15];
    }
    text[2 * size] = 0;
}

bool csv_number_read(const char *text, uint64_t *number)
{
    unsigned base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
    text += base == 16 ? 2 : 0;
    *number = 0;
    if (*text == 0) {
        return false;
    }
    for (; *text != 0; text++) {
        int value = hex_digit(*text);
        if (value < 0 || value >= (int)base || *number > (UINT64_MAX - (unsigned)value) / base) {
            return false;
        }
        *number = *number * base + (unsigned)value;
    }
    return true;
}

bool csv_version_read(const char *text, uint64_t *number)
{
    unsigned parts = 0;
    *number = 0;
    do {
        unsigned part = 0;
        if (*text < '0' || *text > '9' || parts == 4) {
            return false;
        }
        while (*text >= '0' && *text <= '9' && part <= UINT16_MAX) {
            part = part * 10 + (unsigned)(*text++ - '0');
        }
        if (part > UINT16_MAX) {
            return false;
        }
        *number |= (uint64_t)part << (48 - 16 * parts++);
    } while (*text == '.' && *text++ != 0);
    return *text == 0;
}

void csv_text_copy(char *target, size_t capacity, const char *text)
{
    snprintf(target, capacity, "%s", text);
}

/* Without branches: which of the five kinds a digit is no processor can guess. */
static int base64_digit(uint8_t c, bool url)
{
    unsigned upper = c - (unsigned)'A';
    unsigned lower = c - (unsigned)'a';
    unsigned digit = c - (unsigned)'0';
    unsigned last[2] = {url ? '-' : '+', url ? '_' : '/'};
    unsigned value = (upper < 26) * (upper + 1) | (lower < 26) * (lower + 27) |
                     (digit < 10) * (digit + 53) | (c == last[0]) * 63u | (c == last[1]) * 64u;
    return (int)value - 1;
}

static bool base64_read(const uint8_t *text, size_t size, bool url, uint8_t *bytes, size_t *count)
{
    uint32_t word = 0;
    unsigned bits = 0;
    *count = 0;
    for (size_t i = 0; i < size; i++) {
        int value = base64_digit(text[i], url);
        if (value < 0) {
            return false;
        }
        word = word << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[(*count)++] = (uint8_t)(word >> bits);
            word &= (1u << bits) - 1;
        }
    }
    return bits < 6 && word == 0;
}

bool csv_base64url_read(const uint8_t *text, size_t size, uint8_t *bytes, size_t *bytes_size)
{
    return base64_read(text, size, true, bytes, bytes_size);
}

bool csv_base64_read(const uint8_t *text, size_t size, uint8_t *bytes, size_t *bytes_size)
{
    size_t padding = 0;
    while (padding < 2 && size > padding && text[size - 1 - padding] == '=') {
        padding++;
    }
    return size % 4 == 0 && base64_read(text, size - padding, false, bytes, bytes_size);
}

static bool digits_read(const char *text, size_t count, int *value)
{
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *value = *value * 10 + (text[i] - '0');
    }
    return true;
}

/* In the proleptic Gregorian calendar, with years that start in March. */
int64_t csv_seconds_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return (era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468) * 86400;
}

bool csv_time_parse(const char *text, int64_t *unix_seconds)
{
    return text != NULL && unix_seconds != NULL && csv_time_read(text, strlen(text), unix_seconds);
}

bool csv_time_read(const char *text, size_t size, int64_t *unix_seconds)
{
    static const char shape[] = "0000-00-00T00:00:00Z";
    static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int part[6];
    if (size != sizeof shape - 1) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (shape[i] != '0' && text[i] != shape[i]) {
            return false;
        }
    }
    if (!digits_read(text, 4, &part[0]) || !digits_read(text + 5, 2, &part[1]) ||
        !digits_read(text + 8, 2, &part[2]) || !digits_read(text + 11, 2, &part[3]) ||
        !digits_read(text + 14, 2, &part[4]) || !digits_read(text + 17, 2, &part[5])) {
        return false;
    }
    bool leap = part[0] % 4 == 0 && (part[0] % 100 != 0 || part[0] % 400 == 0);
    if (part[0] < 1 || part[1] < 1 || part[1] > 12 || part[2] < 1 ||
        part[2] > month_days[part[1] - 1] + (leap && part[1] == 2) || part[3] > 23 ||
        part[4] > 59 || part[5] > 59) {
        return false;
    }
    *unix_seconds =
        csv_seconds_of(part[0], part[1], part[2]) + part[3] * 3600 + part[4] * 60 + part[5];
    return true;
}
