/* SPDX-License-Identifier: Apache-2.0 */
/* aes_block.h: AES-NI on one and on eight blocks. Only for files built with -maes. */
#ifndef CSN_CRYPTO_AES_BLOCK_H
#define CSN_CRYPTO_AES_BLOCK_H

#include "aes.h"
#include <immintrin.h>

static inline __m128i csn_load_block(const uint8_t *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

static inline void csn_store_block(uint8_t *bytes, __m128i block)
{
    _mm_storeu_si128((__m128i *)(void *)bytes, block);
}

static inline __m128i csn_aes_one(const struct csn_aes_key *key, __m128i block)
{
    block = _mm_xor_si128(block, csn_load_block(key->round_keys[0]));
    for (uint32_t round = 1; round < key->round_count; round++) {
        block = _mm_aesenc_si128(block, csn_load_block(key->round_keys[round]));
    }
    return _mm_aesenclast_si128(block, csn_load_block(key->round_keys[key->round_count]));
}

static inline void csn_aes_eight(const struct csn_aes_key *key, __m128i blocks[8])
{
    __m128i round_key = csn_load_block(key->round_keys[0]);
    for (int i = 0; i < 8; i++) {
        blocks[i] = _mm_xor_si128(blocks[i], round_key);
    }
    for (uint32_t round = 1; round < key->round_count; round++) {
        round_key = csn_load_block(key->round_keys[round]);
        for (int i = 0; i < 8; i++) {
            blocks[i] = _mm_aesenc_si128(blocks[i], round_key);
        }
    }
    round_key = csn_load_block(key->round_keys[key->round_count]);
    for (int i = 0; i < 8; i++) {
        blocks[i] = _mm_aesenclast_si128(blocks[i], round_key);
    }
}

#endif
