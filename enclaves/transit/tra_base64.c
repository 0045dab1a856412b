/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_base64.c: base64 both ways without a table: plain texts and keys pass through here, so no
 * index and no branch depends on a byte.
 */
#include "tra_text.h"

/* All ones if low <= value < low + count. */
static uint32_t within(uint32_t value, uint32_t low, uint32_t count)
{
    return 0u - ((((value - low) & 0x7fffffffu) - count) >> 31);
}

static uint8_t digit_of(uint32_t six, bool url)
{
    uint32_t byte = within(six, 0, 26) & (six + 'A');
    byte |= within(six, 26, 26) & (six - 26 + 'a');
    byte |= within(six, 52, 10) & (six - 52 + '0');
    byte |= within(six, 62, 1) & (uint32_t)(url ? '-' : '+');
    byte |= within(six, 63, 1) & (uint32_t)(url ? '_' : '/');
    return (uint8_t)byte;
}

/* 0 to 63; more: not a digit. */
static uint32_t six_of(uint32_t byte, bool url)
{
    const uint32_t upper = within(byte, 'A', 26), lower = within(byte, 'a', 26);
    const uint32_t number = within(byte, '0', 10);
    const uint32_t first = within(byte, (uint32_t)(url ? '-' : '+'), 1);
    const uint32_t last = within(byte, (uint32_t)(url ? '_' : '/'), 1);
    uint32_t six = (upper & (byte - 'A')) | (lower & (byte - 'a' + 26)) |
                   (number & (byte - '0' + 52)) | (first & 62) | (last & 63);
    return six | (~(upper | lower | number | first | last) & 64);
}

uint32_t tra_base64_size(uint32_t size, bool url)
{
    return url ? size / 3 * 4 + (size % 3 != 0 ? size % 3 + 1 : 0) : (size + 2) / 3 * 4;
}

void tra_base64_encode(const uint8_t *bytes, uint32_t size, bool url, uint8_t *text)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < size; i += 3) {
        const uint32_t left = size - i;
        const uint32_t second = left > 1 ? bytes[i + 1] : 0, third = left > 2 ? bytes[i + 2] : 0;
        const uint32_t group = (uint32_t)bytes[i] << 16 | second << 8 | third;
        text[at++] = digit_of(group >> 18, url);
        text[at++] = digit_of(group >> 12 & 63, url);
        if (left > 1 || !url) {
            text[at++] = left > 1 ? digit_of(group >> 6 & 63, url) : '=';
        }
        if (left > 2 || !url) {
            text[at++] = left > 2 ? digit_of(group & 63, url) : '=';
        }
    }
}

/* Digits without their padding; the last group may have two or three. */
static bool decode(const uint8_t *text, uint32_t count, bool url, uint8_t *bytes)
{
    uint32_t wrong = 0;
    uint32_t group = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t six = six_of(text[i], url);
        wrong |= six & 64;
        group = group << 6 | (six & 63);
        if (i % 4 == 3) {
            bytes[at++] = (uint8_t)(group >> 16);
            bytes[at++] = (uint8_t)(group >> 8);
            bytes[at++] = (uint8_t)group;
            group = 0;
        }
    }
    if (count % 4 == 2) {
        bytes[at] = (uint8_t)(group >> 4);
        wrong |= group & 15; /* bits that nothing comes of */
    } else if (count % 4 == 3) {
        bytes[at] = (uint8_t)(group >> 10);
        bytes[at + 1] = (uint8_t)(group >> 2);
        wrong |= group & 3;
    }
    return wrong == 0;
}

bool tra_base64_decode(const uint8_t *text, uint32_t size, bool url, uint8_t *bytes,
                       uint32_t *bytes_size)
{
    uint32_t count = size;
    if (!url) {
        if (size % 4 != 0) {
            return false;
        }
        for (uint32_t i = 0; i < 2 && count != 0 && text[count - 1] == '='; i++) {
            count--;
        }
    }
    *bytes_size = count / 4 * 3 + (count % 4 > 1 ? count % 4 - 1 : 0);
    return count % 4 != 1 && decode(text, count, url, bytes);
}
