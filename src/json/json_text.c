/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text.c: strings that were found correct before: decode, compare, hash, and write anew.
 */
#include "json_text.h"
#include <emmintrin.h>
#include <string.h>

static uint32_t hex_value(const uint8_t *bytes)
{
    uint32_t unit = 0;
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t byte = bytes[i];
        unit = unit << 4 | (uint32_t)(byte <= '9' ? byte - '0' : (byte | 0x20) - 'a' + 10);
    }
    return unit;
}

static uint32_t put_code_point(uint32_t point, uint8_t *target)
{
    if (point < 0x80) {
        target[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        target[0] = (uint8_t)(0xc0 | point >> 6);
        target[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        target[0] = (uint8_t)(0xe0 | point >> 12);
        target[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        target[2] = (uint8_t)(0x80 | (point & 0x3f));
        return 3;
    }
    target[0] = (uint8_t)(0xf0 | point >> 18);
    target[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    target[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    target[3] = (uint8_t)(0x80 | (point & 0x3f));
    return 4;
}

/* The escape at source (its backslash) into target (4 bytes); *used = bytes of the escape. */
static uint32_t decode_escape(const uint8_t *source, uint8_t *target, uint32_t *used)
{
    *used = 2;
    switch (source[1]) {
    case 'b':
        target[0] = '\b';
        return 1;
    case 'f':
        target[0] = '\f';
        return 1;
    case 'n':
        target[0] = '\n';
        return 1;
    case 'r':
        target[0] = '\r';
        return 1;
    case 't':
        target[0] = '\t';
        return 1;
    case 'u':
        break;
    default:
        target[0] = source[1];
        return 1;
    }
    uint32_t point = hex_value(source + 2);
    *used = 6;
    if (point >= 0xd800 && point <= 0xdbff) {
        point = 0x10000 + ((point - 0xd800) << 10) + (hex_value(source + 8) - 0xdc00);
        *used = 12;
    }
    return put_code_point(point, target);
}

uint32_t csn_json_decode(const uint8_t *source, uint32_t size, uint8_t *target)
{
    uint32_t at = 0;
    uint32_t written = 0;
    while (at < size) {
        uint32_t run = at;
        while (run < size && source[run] != '\\') {
            run++;
        }
        memcpy(target + written, source + at, run - at);
        written += run - at;
        at = run;
        if (at < size) {
            uint32_t used;
            uint8_t piece[4];
            uint32_t count = decode_escape(source + at, piece, &used);
            memcpy(target + written, piece, count);
            written += count;
            at += used;
        }
    }
    return written;
}

/* Reads a string as written, a decoded byte at a time. */
struct reader {
    const uint8_t *source;
    uint32_t size;
    uint32_t at;
    uint32_t piece_size;
    uint32_t piece_at;
    uint8_t piece[4];
};

static int next_byte(struct reader *reader)
{
    if (reader->piece_at < reader->piece_size) {
        return reader->piece[reader->piece_at++];
    }
    if (reader->at >= reader->size) {
        return -1;
    }
    if (reader->source[reader->at] != '\\') {
        return reader->source[reader->at++];
    }
    uint32_t used;
    reader->piece_size = decode_escape(reader->source + reader->at, reader->piece, &used);
    reader->at += used;
    reader->piece_at = 1;
    return reader->piece[0];
}

bool csn_json_same(const uint8_t *left, uint32_t left_size, const uint8_t *right,
                   uint32_t right_size)
{
    struct reader a = {.source = left, .size = left_size};
    struct reader b = {.source = right, .size = right_size};
    int byte;
    do {
        byte = next_byte(&a);
        if (byte != next_byte(&b)) {
            return false;
        }
    } while (byte >= 0);
    return true;
}

bool csn_json_equal(const uint8_t *source, uint32_t source_size, const uint8_t *bytes,
                    uint32_t size)
{
    struct reader reader = {.source = source, .size = source_size};
    for (uint32_t i = 0; i < size; i++) {
        if (next_byte(&reader) != bytes[i]) {
            return false;
        }
    }
    return next_byte(&reader) < 0;
}

/* ---- hash ---- */

static inline uint64_t load(const uint8_t *bytes, uint32_t size)
{
    uint64_t word = 0;
    memcpy(&word, bytes, size);
    return word;
}

/* Fewer than 8 bytes as a number, in two loads that overlap; before: bytes of the name before. */
static inline uint64_t last_bytes(const uint8_t *bytes, uint32_t count, uint32_t before)
{
    if (before >= 8) {
        return count == 0 ? 0 : load(bytes + count - 8, 8) >> (64 - 8 * count);
    }
    if (count >= 4) {
        return load(bytes, 4) | load(bytes + count - 4, 4) << (8 * count - 32);
    }
    if (count >= 2) {
        return load(bytes, 2) | load(bytes + count - 2, 2) << (8 * count - 16);
    }
    return count == 1 ? bytes[0] : 0;
}

uint32_t csn_json_hash(uint64_t seed, const uint8_t *bytes, uint32_t size)
{
    uint64_t state = seed;
    uint32_t at = 0;
    for (; size - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        state = csn_json_hash_step(state, word);
    }
    return csn_json_hash_end(state, last_bytes(bytes + at, size - at, at), size);
}

uint32_t csn_json_hash_escaped(uint64_t seed, const uint8_t *source, uint32_t size)
{
    struct reader reader = {.source = source, .size = size};
    uint64_t state = seed;
    uint64_t rest = 0;
    uint32_t count = 0;
    for (int byte = next_byte(&reader); byte >= 0; byte = next_byte(&reader)) {
        rest |= (uint64_t)byte << 8 * (count % 8);
        count++;
        if (count % 8 == 0) {
            state = csn_json_hash_step(state, rest);
            rest = 0;
        }
    }
    return csn_json_hash_end(state, rest, count);
}

/* ---- writing ---- */

/* The escape of a byte that needs one; its size is returned. */
static uint32_t escape_of(uint8_t byte, uint8_t escape[6])
{
    static const char digits[] = "0123456789abcdef";
    static const char short_names[] = "btn\0fr"; /* 0x08 to 0x0d; 0x0b has no short form */
    escape[0] = '\\';
    if (byte == '"' || byte == '\\') {
        escape[1] = byte;
        return 2;
    }
    if (byte >= 0x08 && byte <= 0x0d && byte != 0x0b) {
        escape[1] = (uint8_t)short_names[byte - 0x08];
        return 2;
    }
    escape[1] = 'u';
    escape[2] = '0';
    escape[3] = '0';
    escape[4] = (uint8_t)digits[byte >> 4];
    escape[5] = (uint8_t)digits[byte & 15];
    return 6;
}

/* Bytes at the start that need no escape. */
static uint32_t plain_run(const uint8_t *bytes, uint32_t size)
{
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1f);
    uint32_t at = 0;
    for (; size - at >= 16; at += 16) {
        __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(chunk, last_control), last_control);
        __m128i special = _mm_or_si128(
            control, _mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask != 0) {
            return at + (uint32_t)__builtin_ctz(mask);
        }
    }
    while (at < size && bytes[at] >= 0x20 && bytes[at] != '"' && bytes[at] != '\\') {
        at++;
    }
    return at;
}

uint32_t csn_json_encode(const uint8_t *bytes, uint32_t size, uint8_t *target, uint32_t target_max)
{
    uint32_t needed = 0;
    uint32_t at = 0;
    while (at < size) {
        uint8_t escape[6];
        const uint8_t *from = bytes + at;
        uint32_t count = plain_run(from, size - at);
        if (count > 0) {
            at += count;
        } else {
            count = escape_of(bytes[at], escape);
            from = escape;
            at++;
        }
        if (needed <= target_max && count <= target_max - needed) {
            memcpy(target + needed, from, count);
        }
        needed += count;
    }
    return needed;
}
