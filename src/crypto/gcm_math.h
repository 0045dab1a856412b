/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm_math.h: GHASH arithmetic, and the head and tail of an item, which both kernels share. Only
 * for files built with -maes -mpclmul -mssse3.
 *
 * Blocks are byte-reversed, so that the field's bit order becomes that of the multiplier up to one
 * shift, and that shift is taken once, in the key: the powers stored are H^n * x^-1 (as in Gueron
 * and Kounavis). A product is kept as three 128-bit parts, reduced once for up to 16 blocks.
 */
#ifndef CSN_CRYPTO_GCM_MATH_H
#define CSN_CRYPTO_GCM_MATH_H

#include "aead.h"
#include <core/bytes.h>
#include <immintrin.h>

struct csn_gcm_product {
    __m128i low, middle, high;
};

static inline __m128i csn_gcm_load(const uint8_t *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

static inline __m128i csn_gcm_reverse(__m128i block)
{
    const __m128i order = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm_shuffle_epi8(block, order);
}

/* H^power, 1 to 16 */
static inline __m128i csn_gcm_power(const struct csn_gcm_key *key, uint32_t power)
{
    return csn_gcm_load(key->hash_powers[16 - power]);
}

static inline struct csn_gcm_product csn_gcm_zero(void)
{
    return (struct csn_gcm_product){_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
}

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

static inline __m128i csn_gcm_multiply(__m128i left, __m128i right)
{
    struct csn_gcm_product product = csn_gcm_zero();
    csn_gcm_add(&product, left, right);
    return csn_gcm_reduce(&product);
}

/* Counter block number n of a nonce: the last four bytes are n, big-endian. */
static inline __m128i csn_gcm_counter(const uint8_t nonce[12], uint32_t n)
{
    uint32_t words[3];
    __builtin_memcpy(words, nonce, sizeof words);
    return _mm_set_epi32((int)__builtin_bswap32(n), (int)words[2], (int)words[1], (int)words[0]);
}

static inline __m128i csn_gcm_encrypt(const struct csn_gcm_key *key, __m128i block)
{
    block = _mm_xor_si128(block, csn_gcm_load(key->round_keys[0]));
    for (int round = 1; round < 14; round++) {
        block = _mm_aesenc_si128(block, csn_gcm_load(key->round_keys[round]));
    }
    return _mm_aesenclast_si128(block, csn_gcm_load(key->round_keys[14]));
}

/* size bytes, at most 16, as a block padded with zeros */
static inline __m128i csn_gcm_padded(const uint8_t *bytes, size_t size)
{
    uint8_t padded[16] = {0};
    if (size >= 16) {
        return csn_gcm_load(bytes);
    }
    __builtin_memcpy(padded, bytes, size);
    return csn_gcm_load(padded);
}

/* Any number of bytes into the hash, the last block padded with zeros. */
static inline __m128i csn_gcm_hash(const struct csn_gcm_key *key, __m128i hash,
                                   const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        struct csn_gcm_product sum = csn_gcm_zero();
        uint32_t left = size >= 256 ? 16 : (uint32_t)(size + 15) / 16;
        for (; left > 0; left--) {
            size_t part = size < 16 ? size : 16;
            __m128i block = _mm_xor_si128(csn_gcm_reverse(csn_gcm_padded(bytes, part)), hash);
            hash = _mm_setzero_si128(); /* goes into the first block only */
            csn_gcm_add(&sum, block, csn_gcm_power(key, left));
            bytes += part;
            size -= part;
        }
        hash = csn_gcm_reduce(&sum);
    }
    return hash;
}

/* One block of the rest; `part` bytes of it are text. Returns the ciphertext, padded with zeros. */
static inline __m128i csn_gcm_tail_block(const uint8_t *input, uint8_t *output, size_t part,
                                         const uint8_t *stream, int opening)
{
    __m128i text = csn_gcm_padded(input, part);
    __m128i other = _mm_xor_si128(text, csn_gcm_load(stream));
    if (part == 16) {
        _mm_storeu_si128((__m128i *)(void *)output, other);
        return opening ? text : other;
    }
    uint8_t bytes[16];
    _mm_storeu_si128((__m128i *)(void *)bytes, other);
    __builtin_memcpy(output, bytes, part);
    other = csn_gcm_padded(bytes, part);
    csn_wipe(bytes, sizeof bytes);
    return opening ? text : other;
}

/*
 * The rest of an item, at most 256 bytes from done on, for which stream is the key stream; then the
 * length block, in the same sum; then the tag. mask is counter block 1, encrypted.
 */
static inline void csn_gcm_finish(const struct csn_gcm_item *item, int opening, uint32_t done,
                                  __m128i hash, const uint8_t *stream, __m128i mask,
                                  uint8_t tag[16])
{
    struct csn_gcm_product sum = csn_gcm_zero();
    uint32_t rest = item->size - done;
    uint32_t left = (rest + 15) / 16 + 1; /* blocks to hash, with the lengths */
    for (uint32_t at = 0; at < rest; at += 16, left--) {
        __m128i block = csn_gcm_tail_block(item->input + done + at, item->output + done + at,
                                           rest - at < 16 ? rest - at : 16, stream + at, opening);
        block = _mm_xor_si128(csn_gcm_reverse(block), hash);
        hash = _mm_setzero_si128();
        if (left == 17) { /* there are sixteen powers: this one is taken by itself */
            hash = csn_gcm_multiply(block, csn_gcm_power(item->key, 1));
        } else {
            csn_gcm_add(&sum, block, csn_gcm_power(item->key, left));
        }
    }
    __m128i lengths = _mm_set_epi64x((long long)item->aad_size * 8, (long long)item->size * 8);
    csn_gcm_add(&sum, _mm_xor_si128(hash, lengths), csn_gcm_power(item->key, 1));
    hash = csn_gcm_reduce(&sum);
    _mm_storeu_si128((__m128i *)(void *)tag, _mm_xor_si128(csn_gcm_reverse(hash), mask));
}

/* Counter block 1, whose encryption covers the tag: the first thing to do, nothing waits for it. */
static inline __m128i csn_gcm_mask(const struct csn_gcm_item *item)
{
    return csn_gcm_encrypt(item->key, csn_gcm_counter(item->nonce, 1));
}

#endif
