/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm_vector_256.h: what gcm_lanes.c works on, as two blocks in a register. Needs AVX2, VAES and
 * VPCLMULQDQ. Same names as in gcm_vector_128.h.
 */
#ifndef CSN_CRYPTO_GCM_VECTOR_H
#define CSN_CRYPTO_GCM_VECTOR_H

#include "gcm_math.h"

#define CSN_GCM_KERNEL csn_gcm_vaes

typedef __m256i csn_vector;

static inline csn_vector csn_vector_load(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}

static inline void csn_vector_store(uint8_t *bytes, csn_vector value)
{
    _mm256_storeu_si256((__m256i *)(void *)bytes, value);
}

/* The block first, zeros after it. */
static inline csn_vector csn_vector_first(__m128i block)
{
    return _mm256_zextsi128_si256(block);
}

static inline csn_vector csn_vector_pair(__m128i first, __m128i second)
{
    return _mm256_set_m128i(second, first);
}

static inline csn_vector csn_vector_both(__m128i block)
{
    return _mm256_broadcastsi128_si256(block);
}

/* The first block (0) or the second. */
static inline __m128i csn_vector_block(csn_vector value, int index)
{
    return index == 0 ? _mm256_castsi256_si128(value) : _mm256_extracti128_si256(value, 1);
}

/* The sum of its blocks. */
static inline __m128i csn_vector_fold(csn_vector value)
{
    return _mm_xor_si128(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
}

static inline csn_vector csn_vector_xor(csn_vector left, csn_vector right)
{
    return _mm256_xor_si256(left, right);
}

/* Counters n and n + 1, the number in host order; csn_vector_shuffle() makes blocks of them. */
static inline csn_vector csn_vector_counters(__m128i counter)
{
    return _mm256_add_epi32(csn_vector_both(counter), _mm256_set_epi32(1, 0, 0, 0, 0, 0, 0, 0));
}

static inline csn_vector csn_vector_next(csn_vector counters)
{
    return _mm256_add_epi32(counters, _mm256_set_epi32(2, 0, 0, 0, 2, 0, 0, 0));
}

static inline csn_vector csn_vector_shuffle(csn_vector value, __m128i order)
{
    return _mm256_shuffle_epi8(value, csn_vector_both(order));
}

static inline csn_vector csn_vector_round(csn_vector value, csn_vector key)
{
    return _mm256_aesenc_epi128(value, key);
}

static inline csn_vector csn_vector_last_round(csn_vector value, csn_vector key)
{
    return _mm256_aesenclast_epi128(value, key);
}

/* Swaps the halves of each block. */
static inline csn_vector csn_vector_swap(csn_vector value)
{
    return _mm256_shuffle_epi32(value, 0x4e);
}

static inline csn_vector csn_vector_low(csn_vector left, csn_vector right)
{
    return _mm256_clmulepi64_epi128(left, right, 0x00);
}

static inline csn_vector csn_vector_high(csn_vector left, csn_vector right)
{
    return _mm256_clmulepi64_epi128(left, right, 0x11);
}

#endif
