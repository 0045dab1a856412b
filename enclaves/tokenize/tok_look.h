/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_look.h: what the bytes of free text are, sixteen at a time: 0xff where a byte is one of a
 * class. SSE2 is part of x86-64.
 */
#ifndef TOK_LOOK_H
#define TOK_LOOK_H

#include <emmintrin.h>
#include <stdint.h>

static inline __m128i tok_look_16(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* 0xff where a byte, less low, is at most last. */
static inline __m128i tok_within(__m128i bytes, char low, char last)
{
    const __m128i distance = _mm_sub_epi8(bytes, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(distance, _mm_set1_epi8(last)), distance);
}

static inline __m128i tok_letters(__m128i bytes)
{
    return tok_within(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 25);
}

static inline __m128i tok_digits(__m128i bytes)
{
    return tok_within(bytes, '0', 9);
}

static inline __m128i tok_are(__m128i bytes, char wanted)
{
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted));
}

/* Of cards: a space or a dash. */
static inline __m128i tok_separators(__m128i bytes)
{
    return _mm_or_si128(tok_are(bytes, ' '), tok_are(bytes, '-'));
}

/* Bit i: byte i is of the class. */
static inline __attribute__((always_inline)) uint32_t tok_mask_16(const uint8_t *at,
                                                                  __m128i (*is)(__m128i))
{
    return (uint32_t)_mm_movemask_epi8(is(tok_look_16(at)));
}

static inline __attribute__((always_inline)) uint32_t tok_mask_32(const uint8_t *at,
                                                                  __m128i (*is)(__m128i))
{
    return tok_mask_16(at, is) | tok_mask_16(at + 16, is) << 16;
}

#endif
