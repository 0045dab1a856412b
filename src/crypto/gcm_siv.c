/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm_siv.c: AES-256-GCM-SIV on AES-NI and PCLMULQDQ, eight blocks at a time.
 *
 * POLYVAL is GHASH with its bits in the order that the multiplier has: csn_gcm_multiply() is its
 * dot product as it stands, without a reversal of blocks and without a shift of the key. Branches
 * follow lengths, which are public.
 */
#include "gcm_siv.h"
#include "aes_block.h"
#include "gcm_math.h"
#include "load_part.h"
#include <core/bytes.h>

#define BLOCK  16u
#define BLOCKS 8u
#define CHUNK  (BLOCKS * BLOCK)

struct siv {
    struct csn_aes_key aes;
    __m128i powers[BLOCKS + 1]; /* H^n, dot products, from n = 1 */
    __m128i hash;
    __m128i stream[BLOCKS];
};

void csn_gcm_siv_key_init(struct csn_gcm_siv_key *key, const uint8_t secret[CSN_GCM_SIV_KEY_SIZE])
{
    (void)!csn_aes_key_init(&key->aes, secret, CSN_GCM_SIV_KEY_SIZE); /* always a legal size */
}

/* Section 4: half of each of six blocks, two for the hash key and four for the cipher's. */
static void start(struct siv *siv, const struct csn_gcm_siv_item *item)
{
    uint8_t secret[32];
    __m128i blocks[BLOCKS];
    for (uint32_t i = 0; i < BLOCKS; i++) {
        blocks[i] =
            _mm_set_epi32((int)csn_load_u32(item->nonce + 8), (int)csn_load_u32(item->nonce + 4),
                          (int)csn_load_u32(item->nonce), (int)i);
    }
    csn_aes_eight(&item->key->aes, blocks);
    csn_gcm_store(secret, _mm_unpacklo_epi64(blocks[2], blocks[3]));
    csn_gcm_store(secret + 16, _mm_unpacklo_epi64(blocks[4], blocks[5]));
    (void)!csn_aes_key_init(&siv->aes, secret, sizeof secret);
    siv->powers[1] = _mm_unpacklo_epi64(blocks[0], blocks[1]);
    for (uint32_t n = 2; n <= BLOCKS; n++) {
        siv->powers[n] = csn_gcm_multiply(siv->powers[n / 2], siv->powers[n - n / 2]);
    }
    siv->hash = _mm_setzero_si128();
    csn_wipe(secret, sizeof secret);
    csn_wipe(blocks, sizeof blocks);
}

/* Zeros fill the last block. */
static void absorb(struct siv *siv, const uint8_t *bytes, uint32_t size)
{
    const __m128i zero = _mm_setzero_si128();
    for (; size >= CHUNK; size -= CHUNK) {
        struct csn_gcm_product sum = {zero, zero, zero};
        csn_gcm_add(&sum, _mm_xor_si128(csn_gcm_load(bytes), siv->hash), siv->powers[BLOCKS]);
        for (uint32_t i = 1; i < BLOCKS; i++) {
            csn_gcm_add(&sum, csn_gcm_load(bytes + BLOCK * i), siv->powers[BLOCKS - i]);
        }
        siv->hash = csn_gcm_reduce(&sum);
        bytes += CHUNK;
    }
    uint32_t count = (size + BLOCK - 1) / BLOCK;
    if (count == 0) {
        return;
    }
    struct csn_gcm_product sum = {zero, zero, zero};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t left = size - BLOCK * i;
        __m128i block =
            left < BLOCK ? csn_load_part(bytes + BLOCK * i, left) : csn_gcm_load(bytes + BLOCK * i);
        block = i == 0 ? _mm_xor_si128(block, siv->hash) : block;
        csn_gcm_add(&sum, block, siv->powers[count - i]);
    }
    siv->hash = csn_gcm_reduce(&sum);
}

/* The tag of associated data and plaintext. */
static __m128i make_tag(struct siv *siv, const struct csn_gcm_siv_item *item, const uint8_t *plain)
{
    const __m128i nonce =
        _mm_set_epi32(0, (int)csn_load_u32(item->nonce + 8), (int)csn_load_u32(item->nonce + 4),
                      (int)csn_load_u32(item->nonce));
    const __m128i below_the_top = _mm_set_epi32(0x7fffffff, -1, -1, -1);
    absorb(siv, item->aad, item->aad_size);
    absorb(siv, plain, item->size);
    __m128i lengths =
        _mm_set_epi64x((long long)item->size * 8, (long long)((uint64_t)item->aad_size * 8));
    __m128i hash = csn_gcm_multiply(_mm_xor_si128(siv->hash, lengths), siv->powers[1]);
    return csn_aes_one(&siv->aes, _mm_and_si128(_mm_xor_si128(hash, nonce), below_the_top));
}

/* Counter mode from the tag on; the counter is its first word alone, which wraps. */
static void crypt(struct siv *siv, __m128i tag, const struct csn_gcm_siv_item *item)
{
    const __m128i one = _mm_set_epi32(0, 0, 0, 1);
    __m128i counter = _mm_or_si128(tag, _mm_set_epi32((int)0x80000000u, 0, 0, 0));
    const uint8_t *input = item->input;
    uint8_t *output = item->output;
    for (uint32_t left = item->size; left > 0;) {
        for (uint32_t i = 0; i < BLOCKS; i++) {
            siv->stream[i] = counter;
            counter = _mm_add_epi32(counter, one);
        }
        csn_aes_eight(&siv->aes, siv->stream);
        uint32_t i = 0;
        for (; i < BLOCKS && left >= BLOCK; i++) {
            csn_gcm_store(output, _mm_xor_si128(csn_gcm_load(input), siv->stream[i]));
            input += BLOCK;
            output += BLOCK;
            left -= BLOCK;
        }
        if (i < BLOCKS && left > 0) {
            uint8_t last[BLOCK];
            csn_gcm_store(last, _mm_xor_si128(csn_load_part(input, left), siv->stream[i]));
            csn_gcm_store_part(output, left, last);
            csn_wipe(last, sizeof last);
            left = 0;
        }
    }
}

void csn_gcm_siv_seal_batch(struct csn_gcm_siv_item *items, uint32_t count)
{
    struct siv siv;
    for (uint32_t i = 0; i < count; i++) {
        start(&siv, &items[i]);
        __m128i tag = make_tag(&siv, &items[i], items[i].input);
        crypt(&siv, tag, &items[i]);
        csn_gcm_store(items[i].tag, tag);
        items[i].result = CSN_OK;
    }
    csn_wipe(&siv, sizeof siv);
}

void csn_gcm_siv_open_batch(struct csn_gcm_siv_item *items, uint32_t count)
{
    struct siv siv;
    uint8_t expected[BLOCK];
    for (uint32_t i = 0; i < count; i++) {
        __m128i tag = csn_gcm_load(items[i].tag);
        start(&siv, &items[i]);
        crypt(&siv, tag, &items[i]);
        csn_gcm_store(expected, make_tag(&siv, &items[i], items[i].output));
        items[i].result =
            csn_equal_ct(expected, items[i].tag, sizeof expected) ? CSN_OK : CSN_ERR_AUTH;
        if (items[i].result != CSN_OK) {
            csn_wipe(items[i].output, items[i].size);
        }
    }
    csn_wipe(&siv, sizeof siv);
    csn_wipe(expected, sizeof expected);
}
