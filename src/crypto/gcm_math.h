/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm_math.h: GHASH arithmetic and AES on one block, for keys and for both kernels. Only for files
 * built with -maes -mpclmul -mssse3.
 *
 * Blocks are byte-reversed, so that the field's bit order becomes that of the multiplier up to one
 * shift, and that shift is taken once, in the key: the powers stored are H^n * x^-1 (as in Gueron
 * and Kounavis). A product is kept as three 128-bit parts, reduced once for all blocks of a sum.
 */
#ifndef CSN_CRYPTO_GCM_MATH_H
#define CSN_CRYPTO_GCM_MATH_H

#include "aead.h"
#include "load_part.h"
#include <core/bytes.h>
#include <immintrin.h>

struct csn_gcm_product {
    __m128i low, middle, high;
};

static inline __m128i csn_gcm_load(const uint8_t *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

static inline void csn_gcm_store(uint8_t *bytes, __m128i block)
{
    _mm_storeu_si128((__m128i *)(void *)bytes, block);
}

/* The first 1 to 15 bytes of a block. */
static inline void csn_gcm_store_part(uint8_t *bytes, uint32_t size, const uint8_t *block)
{
    if (size >= 8) {
        csn_store_u64(bytes, csn_load_u64(block));
        csn_store_u64(bytes + size - 8, csn_load_u64(block + size - 8));
    } else if (size >= 4) {
        csn_store_u32(bytes, csn_load_u32(block));
        csn_store_u32(bytes + size - 4, csn_load_u32(block + size - 4));
    } else {
        bytes[0] = block[0];
        bytes[size / 2] = block[size / 2];
        bytes[size - 1] = block[size - 1];
    }
}

/* The shuffle that reverses a block. */
static inline __m128i csn_gcm_reversed(void)
{
    return _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

static inline __m128i csn_gcm_reverse(__m128i block)
{
    return _mm_shuffle_epi8(block, csn_gcm_reversed());
}

/* Adds block * power, schoolbook: the kernels' own sums save one product of four. */
static inline void csn_gcm_add(struct csn_gcm_product *sum, __m128i block, __m128i power)
{
    __m128i cross = _mm_xor_si128(_mm_clmulepi64_si128(block, power, 0x01),
                                  _mm_clmulepi64_si128(block, power, 0x10));
    sum->low = _mm_xor_si128(sum->low, _mm_clmulepi64_si128(block, power, 0x00));
    sum->middle = _mm_xor_si128(sum->middle, cross);
    sum->high = _mm_xor_si128(sum->high, _mm_clmulepi64_si128(block, power, 0x11));
}

/* Folds the lowest 64 bits up twice; each fold is one multiplication by the polynomial. */
static inline __m128i csn_gcm_reduce(const struct csn_gcm_product *sum)
{
    const __m128i polynomial = _mm_set_epi64x((long long)0xc200000000000000u, 1);
    __m128i fold = _mm_clmulepi64_si128(polynomial, sum->low, 0x01);
    __m128i middle = _mm_xor_si128(sum->middle, _mm_shuffle_epi32(sum->low, 0x4e));
    middle = _mm_xor_si128(middle, fold);
    fold = _mm_clmulepi64_si128(polynomial, middle, 0x01);
    middle = _mm_xor_si128(_mm_shuffle_epi32(middle, 0x4e), fold);
    return _mm_xor_si128(sum->high, middle);
}

/* Counter n of a nonce with the number in host order, and the shuffle that makes a block of it. */
static inline __m128i csn_gcm_counter(const uint8_t nonce[12], uint32_t n)
{
    return _mm_set_epi64x((long long)((uint64_t)n << 32 | csn_load_u32(nonce + 8)),
                          (long long)csn_load_u64(nonce));
}

static inline __m128i csn_gcm_counter_order(void)
{
    return _mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

static inline __m128i csn_gcm_encrypt(const struct csn_gcm_key *key, __m128i block)
{
    block = _mm_xor_si128(block, csn_gcm_load(key->round_keys[0]));
    for (int round = 1; round < 14; round++) {
        block = _mm_aesenc_si128(block, csn_gcm_load(key->round_keys[round]));
    }
    return _mm_aesenclast_si128(block, csn_gcm_load(key->round_keys[14]));
}

#endif
