/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_string.c: finds the end of a string and checks every byte of it: UTF-8, controls, escapes.
 *
 * Sixteen bytes at a time where they are plain ASCII. SSE2 is part of x86-64.
 */
#include "json_text.h"
#include <emmintrin.h>

/* Size of the UTF-8 sequence at bytes (first byte >= 0x80), 0 = not one (Unicode table 3-7). */
static uint32_t sequence_size(const uint8_t *bytes, uint32_t left)
{
    uint8_t first = bytes[0];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    uint32_t size;
    if (first >= 0xc2 && first <= 0xdf) {
        size = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        size = 3;
        low = first == 0xe0 ? 0xa0 : 0x80;  /* no over-long form */
        high = first == 0xed ? 0x9f : 0xbf; /* no surrogate */
    } else if (first >= 0xf0 && first <= 0xf4) {
        size = 4;
        low = first == 0xf0 ? 0x90 : 0x80;
        high = first == 0xf4 ? 0x8f : 0xbf; /* at most U+10FFFF */
    } else {
        return 0;
    }
    if (left < size || bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (uint32_t i = 2; i < size; i++) {
        if (bytes[i] < 0x80 || bytes[i] > 0xbf) {
            return 0;
        }
    }
    return size;
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Four hex digits at bytes, or -1. */
static int32_t hex_unit(const uint8_t *bytes, uint32_t left)
{
    int32_t unit = 0;
    if (left < 4) {
        return -1;
    }
    for (uint32_t i = 0; i < 4; i++) {
        int digit = hex_digit(bytes[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

/* *offset is at the backslash; moves past the escape, a surrogate pair as a whole. */
static enum csn_json_reason check_escape(const uint8_t *text, uint32_t size, uint32_t *offset)
{
    uint32_t at = *offset + 1;
    if (at >= size) {
        return CSN_JSON_END;
    }
    switch (text[at]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        *offset = at + 1;
        return CSN_JSON_OK;
    case 'u':
        break;
    default:
        return CSN_JSON_ESCAPE;
    }
    int32_t unit = hex_unit(text + at + 1, size - at - 1);
    if (unit < 0) {
        return CSN_JSON_ESCAPE;
    }
    at += 5;
    if (unit >= 0xdc00 && unit <= 0xdfff) {
        return CSN_JSON_SURROGATE;
    }
    if (unit >= 0xd800 && unit <= 0xdbff) {
        if (size - at < 6 || text[at] != '\\' || text[at + 1] != 'u') {
            return CSN_JSON_SURROGATE;
        }
        int32_t second = hex_unit(text + at + 2, 4);
        if (second < 0xdc00 || second > 0xdfff) {
            return CSN_JSON_SURROGATE;
        }
        at += 6;
    }
    *offset = at;
    return CSN_JSON_OK;
}

/* Skips bytes that are neither quote, backslash, control nor the start of a longer sequence. */
static uint32_t skip_plain(const uint8_t *text, uint32_t size, uint32_t at)
{
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    while (size - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
        /* Signed: bytes from 0x80 up count as below 0x20, which is what is wanted. */
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
            _mm_cmplt_epi8(bytes, space));
        int mask = _mm_movemask_epi8(special);
        if (mask != 0) {
            return at + (uint32_t)__builtin_ctz((unsigned)mask);
        }
        at += 16;
    }
    while (at < size && text[at] >= 0x20 && text[at] < 0x80 && text[at] != '"' &&
           text[at] != '\\') {
        at++;
    }
    return at;
}

enum csn_json_reason csn_json_string(const uint8_t *text, uint32_t size, uint32_t *offset,
                                     bool *escaped)
{
    uint32_t at = *offset;
    enum csn_json_reason reason = CSN_JSON_END;
    *escaped = false;
    for (;;) {
        at = skip_plain(text, size, at);
        if (at >= size) {
            break;
        }
        if (text[at] == '"') {
            *offset = at + 1;
            return CSN_JSON_OK;
        }
        if (text[at] < 0x20) {
            reason = CSN_JSON_CONTROL;
            break;
        }
        if (text[at] == '\\') {
            *escaped = true;
            reason = check_escape(text, size, &at);
            if (reason != CSN_JSON_OK) {
                break;
            }
            reason = CSN_JSON_END;
            continue;
        }
        while (at < size && text[at] >= 0x80) {
            uint32_t step = sequence_size(text + at, size - at);
            if (step == 0) {
                *offset = at;
                return CSN_JSON_UTF8;
            }
            at += step;
        }
    }
    *offset = at;
    return reason;
}
