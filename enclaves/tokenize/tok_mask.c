/* SPDX-License-Identifier: Apache-2.0 */
/* tok_mask.c: covers code points, but for the first and the last few. */
#include "tok_look.h"
#include "tok_state.h"
#include <string.h>

static bool begins_point(uint8_t byte)
{
    return (byte & 0xc0) != 0x80;
}

static void put_cover(struct tok_writer *out, uint32_t count, uint8_t with)
{
    if (with == '"' || with == '\\') { /* written as two characters each */
        for (uint32_t i = 0; i < count; i++) {
            tok_put_text(out, &with, 1);
        }
        return;
    }
    uint8_t *target = tok_take(out, count);
    if (target != NULL) {
        memset(target, with, count);
    }
}

/* True if each byte is a character that is written as it is; up to 32 of them. */
static bool is_plain(const uint8_t *bytes, uint32_t size)
{
    uint8_t text[32];
    memset(text, ' ', sizeof text);
    if (size > sizeof text) {
        return false;
    }
    memcpy(text, bytes, size);
    uint32_t others = 0;
    for (uint32_t i = 0; i < sizeof text; i += 16) {
        const __m128i here = tok_look_16(text + i);
        /* Signed: bytes from 0x80 up are below a space, too. */
        const __m128i marks = _mm_or_si128(tok_are(here, '"'), tok_are(here, '\\'));
        const __m128i low = _mm_cmplt_epi8(here, _mm_set1_epi8(' '));
        others |= (uint32_t)_mm_movemask_epi8(_mm_or_si128(marks, low));
    }
    return others == 0;
}

void tok_put_mask(struct tok_writer *out, const struct tok_value *value, uint32_t keep_first,
                  uint32_t keep_last, uint8_t with)
{
    if (with != '"' && with != '\\' && is_plain(value->bytes, value->size)) {
        const uint32_t kept = keep_first + keep_last < value->size ? keep_first : 0;
        const uint32_t covered =
            value->size - (keep_first + keep_last < value->size ? keep_first + keep_last : 0);
        uint8_t *target = tok_take(out, value->size);
        if (target != NULL) {
            memcpy(target, value->bytes, value->size);
            memset(target + kept, with, covered);
        }
        return;
    }
    uint32_t points = 0;
    for (uint32_t i = 0; i < value->size; i++) {
        points += begins_point(value->bytes[i]);
    }
    if (keep_first + keep_last >= points) {
        keep_first = 0;
        keep_last = 0;
    }
    uint32_t head = 0; /* where the first code point that is covered begins */
    uint32_t point = 0;
    for (; head < value->size; head++) {
        if (begins_point(value->bytes[head]) && point++ == keep_first) {
            break;
        }
    }
    uint32_t tail = value->size; /* where what stays at the end begins */
    for (point = 0; point < keep_last; tail--) {
        point += begins_point(value->bytes[tail - 1]);
    }
    tok_put_text(out, value->bytes, head);
    put_cover(out, points - keep_first - keep_last, with);
    tok_put_text(out, value->bytes + tail, value->size - tail);
}
