/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm_math.h: GHASH arithmetic and the 128-byte chunk and tail that both kernels share. Only for
 * files built with -maes -mpclmul -mssse3.
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

/*
 * Eight counter blocks from number n, and meanwhile the eight blocks at hashed (may be NULL) into
 * the hash: the two chains fill each other's waits. hashed is read before the caller writes.
 */
static inline __m128i csn_gcm_eight(const struct csn_gcm_key *key, const uint8_t nonce[12],
                                    uint32_t n, __m128i blocks[8], __m128i hash,
                                    const uint8_t *hashed)
{
    struct csn_gcm_product sum = csn_gcm_zero();
    __m128i round_key = csn_gcm_load(key->round_keys[0]);
    for (uint32_t i = 0; i < 8; i++) {
        blocks[i] = _mm_xor_si128(csn_gcm_counter(nonce, n + i), round_key);
    }
    for (uint32_t round = 1; round < 14; round++) {
        round_key = csn_gcm_load(key->round_keys[round]);
        for (uint32_t i = 0; i < 8; i++) {
            blocks[i] = _mm_aesenc_si128(blocks[i], round_key);
        }
        if (hashed != NULL && round <= 8) {
            __m128i block = csn_gcm_reverse(csn_gcm_load(hashed + 16 * (round - 1)));
            block = round == 1 ? _mm_xor_si128(block, hash) : block;
            csn_gcm_add(&sum, block, csn_gcm_power(key, 9 - round));
        }
    }
    round_key = csn_gcm_load(key->round_keys[14]);
    for (uint32_t i = 0; i < 8; i++) {
        blocks[i] = _mm_aesenclast_si128(blocks[i], round_key);
    }
    return hashed != NULL ? csn_gcm_reduce(&sum) : hash;
}

/* Any number of bytes into the hash, the last block padded with zeros. */
static inline __m128i csn_gcm_hash(const struct csn_gcm_key *key, __m128i hash,
                                   const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        struct csn_gcm_product sum = csn_gcm_zero();
        uint32_t left = size >= 128 ? 8 : (uint32_t)(size + 15) / 16;
        for (; left > 0; left--) {
            uint8_t padded[16] = {0};
            size_t part = size < 16 ? size : 16;
            __builtin_memcpy(padded, bytes, part);
            __m128i block = _mm_xor_si128(csn_gcm_reverse(csn_gcm_load(padded)), hash);
            hash = _mm_setzero_si128(); /* goes into the first block only */
            csn_gcm_add(&sum, block, csn_gcm_power(key, left));
            bytes += part;
            size -= part;
        }
        hash = csn_gcm_reduce(&sum);
    }
    return hash;
}

/*
 * The rest of an item: under 128 bytes of text from counter n, then the length block, then the tag.
 */
static inline void csn_gcm_finish(const struct csn_gcm_item *item, int opening, uint32_t n,
                                  uint32_t done, __m128i hash, uint8_t tag[16])
{
    uint32_t rest = item->size - done;
    uint8_t text[128] = {0};
    __builtin_memcpy(text, item->input + done, rest);
    if (opening) {
        hash = csn_gcm_hash(item->key, hash, text, rest);
    }
    for (uint32_t i = 0; 16 * i < rest; i++) {
        __m128i block = csn_gcm_encrypt(item->key, csn_gcm_counter(item->nonce, n + i));
        block = _mm_xor_si128(block, csn_gcm_load(text + 16 * i));
        _mm_storeu_si128((__m128i *)(void *)(text + 16 * i), block);
    }
    __builtin_memcpy(item->output + done, text, rest);
    if (!opening) {
        hash = csn_gcm_hash(item->key, hash, text, rest);
    }
    csn_wipe(text, sizeof text);
    __m128i lengths = _mm_set_epi64x((long long)item->aad_size * 8, (long long)item->size * 8);
    hash = csn_gcm_multiply(_mm_xor_si128(hash, lengths), csn_gcm_power(item->key, 1));
    __m128i mask = csn_gcm_encrypt(item->key, csn_gcm_counter(item->nonce, 1));
    _mm_storeu_si128((__m128i *)(void *)tag, _mm_xor_si128(csn_gcm_reverse(hash), mask));
}

/* Whole chunks of 128 bytes, then the rest. Continues from done bytes with hash so far. */
static inline void csn_gcm_chunks(const struct csn_gcm_item *item, int opening, uint32_t done,
                                  __m128i hash, uint8_t tag[16])
{
    const uint8_t *pending = NULL; /* ciphertext of ours that is not hashed yet */
    uint32_t n = 2 + done / 16;
    for (; item->size - done >= 128; done += 128, n += 8) {
        __m128i blocks[8];
        const uint8_t *input = item->input + done;
        uint8_t *output = item->output + done;
        hash = csn_gcm_eight(item->key, item->nonce, n, blocks, hash, opening ? input : pending);
        for (int i = 0; i < 8; i++) {
            blocks[i] = _mm_xor_si128(blocks[i], csn_gcm_load(input + 16 * i));
            _mm_storeu_si128((__m128i *)(void *)(output + 16 * i), blocks[i]);
        }
        pending = output;
    }
    if (!opening && pending != NULL) {
        hash = csn_gcm_hash(item->key, hash, pending, 128);
    }
    csn_gcm_finish(item, opening, n, done, hash, tag);
}

#endif
