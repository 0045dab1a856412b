/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm_vector_128.h: what gcm_lanes.c works on, as one block in a register. Needs AES-NI, PCLMULQDQ
 * and SSSE3. Same names as in gcm_vector_256.h, where they are explained.
 */
#ifndef CSN_CRYPTO_GCM_VECTOR_H
#define CSN_CRYPTO_GCM_VECTOR_H

#include "gcm_math.h"

#define CSN_GCM_KERNEL csn_gcm_aesni

typedef __m128i csn_vector;

static inline csn_vector csn_vector_load(const uint8_t *bytes)
{
    return csn_gcm_load(bytes);
}

static inline void csn_vector_store(uint8_t *bytes, csn_vector value)
{
    csn_gcm_store(bytes, value);
}

static inline csn_vector csn_vector_first(__m128i block)
{
    return block;
}

static inline csn_vector csn_vector_pair(__m128i first, __m128i second)
{
    (void)second;
    return first;
}

static inline csn_vector csn_vector_both(__m128i block)
{
    return block;
}

static inline __m128i csn_vector_block(csn_vector value, int index)
{
    (void)index; /* there is one */
    return value;
}

static inline __m128i csn_vector_fold(csn_vector value)
{
    return value;
}

static inline csn_vector csn_vector_xor(csn_vector left, csn_vector right)
{
    return _mm_xor_si128(left, right);
}

static inline csn_vector csn_vector_counters(__m128i counter)
{
    return counter;
}

static inline csn_vector csn_vector_next(csn_vector counters)
{
    return _mm_add_epi32(counters, _mm_set_epi32(1, 0, 0, 0));
}

static inline csn_vector csn_vector_shuffle(csn_vector value, __m128i order)
{
    return _mm_shuffle_epi8(value, order);
}

static inline csn_vector csn_vector_round(csn_vector value, csn_vector key)
{
    return _mm_aesenc_si128(value, key);
}

static inline csn_vector csn_vector_last_round(csn_vector value, csn_vector key)
{
    return _mm_aesenclast_si128(value, key);
}

static inline csn_vector csn_vector_swap(csn_vector value)
{
    return _mm_shuffle_epi32(value, 0x4e);
}

static inline csn_vector csn_vector_low(csn_vector left, csn_vector right)
{
    return _mm_clmulepi64_si128(left, right, 0x00);
}

static inline csn_vector csn_vector_high(csn_vector left, csn_vector right)
{
    return _mm_clmulepi64_si128(left, right, 0x11);
}

#endif
