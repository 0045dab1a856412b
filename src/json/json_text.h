/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.h: strings inside a JSON text, shared by the files of this folder. */
#ifndef CSN_JSON_TEXT_H
#define CSN_JSON_TEXT_H

#include "json.h"
#include <emmintrin.h>

/*
 * *offset is just after the opening quote; on success just after the closing one, on failure at
 * the fault. *escaped is set if there is an escape.
 */
enum csn_json_reason csn_json_string(const uint8_t *text, uint32_t size, uint32_t *offset,
                                     bool *escaped);
/*
 * The same for what is usual: no escape, ASCII, and the closing quote within 16 bytes of the text.
 * Offset just after the quote, 0 = look the long way.
 */
static inline uint32_t csn_json_short_string(const uint8_t *text, uint32_t size, uint32_t at)
{
    if (size - at < 16) {
        return 0;
    }
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
    __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    /* Signed: bytes from 0x80 up count as below 0x20, which is what is wanted. */
    __m128i others = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
                                  _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
    uint32_t quote = (uint32_t)_mm_movemask_epi8(quotes);
    uint32_t other = (uint32_t)_mm_movemask_epi8(others);
    uint32_t before = (quote - 1) & ~quote; /* bits below the first quote; all if there is none */
    return quote == 0 || (other & before) != 0 ? 0 : at + (uint32_t)__builtin_ctz(quote) + 1;
}

/* The same hash as csn_json_hash() of the decoded bytes; source was accepted before. */
uint32_t csn_json_hash_escaped(uint64_t seed, const uint8_t *source, uint32_t size);
/* Two strings as written, compared decoded. */
bool csn_json_same(const uint8_t *left, uint32_t left_size, const uint8_t *right,
                   uint32_t right_size);

#endif
