/* SPDX-License-Identifier: Apache-2.0 */
/* gcm_aesni.c: the GCM kernel for AES-NI and PCLMULQDQ, and the powers of the hash key. */
#include "gcm_kernel.h"
#include "gcm_math.h"

void csn_gcm_hash_powers(struct csn_gcm_key *key)
{
    __m128i base = csn_gcm_reverse(csn_gcm_encrypt(key, _mm_setzero_si128()));
    /* Times x^-1 in the reflected field: shift left by one, fold the bit that falls out. */
    __m128i carry = _mm_srai_epi32(_mm_shuffle_epi32(base, 0xff), 31);
    __m128i cross = _mm_slli_si128(_mm_srli_epi64(base, 63), 8);
    base = _mm_or_si128(_mm_slli_epi64(base, 1), cross);
    const __m128i fold = _mm_set_epi64x((long long)0xc200000000000000u, 1);
    base = _mm_xor_si128(base, _mm_and_si128(carry, fold));
    __m128i power = base;
    for (int i = 15; i >= 0; i--) {
        _mm_storeu_si128((__m128i *)(void *)key->hash_powers[i], power);
        power = csn_gcm_multiply(power, base);
    }
}

/*
 * Eight counter blocks from number n, and meanwhile the eight blocks at hashed (may be NULL) into
 * the hash: the two chains fill each other's waits. hashed is read before the caller writes.
 */
static inline __m128i eight(const struct csn_gcm_key *key, const uint8_t nonce[12], uint32_t n,
                            __m128i blocks[8], __m128i hash, const uint8_t *hashed)
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

static void crypt(const struct csn_gcm_item *item, int opening, uint8_t tag[16])
{
    const uint8_t *pending = NULL; /* ciphertext of ours that is not hashed yet */
    uint8_t stream[128];
    __m128i blocks[8];
    uint32_t done = 0;
    __m128i mask = csn_gcm_mask(item);
    __m128i hash = csn_gcm_hash(item->key, _mm_setzero_si128(), item->aad, item->aad_size);
    for (; item->size - done >= 128; done += 128) {
        const uint8_t *input = item->input + done;
        uint8_t *output = item->output + done;
        hash =
            eight(item->key, item->nonce, 2 + done / 16, blocks, hash, opening ? input : pending);
        for (int i = 0; i < 8; i++) {
            blocks[i] = _mm_xor_si128(blocks[i], csn_gcm_load(input + 16 * i));
            _mm_storeu_si128((__m128i *)(void *)(output + 16 * i), blocks[i]);
        }
        pending = opening ? NULL : output;
    }
    if (item->size > done) {
        hash = eight(item->key, item->nonce, 2 + done / 16, blocks, hash, pending);
        for (int i = 0; i < 8; i++) {
            _mm_storeu_si128((__m128i *)(void *)(stream + 16 * i), blocks[i]);
        }
    } else if (pending != NULL) {
        hash = csn_gcm_hash(item->key, hash, pending, 128);
    }
    csn_gcm_finish(item, opening, done, hash, stream, mask, tag);
    csn_wipe(stream, sizeof stream);
}

const struct csn_gcm_kernel csn_gcm_aesni = {.crypt = crypt};
