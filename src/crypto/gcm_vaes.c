/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm_vaes.c: the GCM kernel for VAES and VPCLMULQDQ on 256-bit registers: 16 blocks at a time,
 * hashing the sixteen before them meanwhile.
 */
#include "gcm_kernel.h"
#include "gcm_math.h"

static inline __m256i load_pair(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}

static inline __m256i both(const uint8_t *bytes)
{
    return _mm256_broadcastsi128_si256(csn_gcm_load(bytes));
}

struct wide_product {
    __m256i low, middle, high;
};

/* Blocks 2i and 2i+1 of sixteen; the table has H^16 first, so their powers are a pair there. */
static inline void wide_add(struct wide_product *sum, const struct csn_gcm_key *key,
                            const uint8_t *hashed, uint32_t i, __m128i hash)
{
    const __m256i order = _mm256_broadcastsi128_si256(
        _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    __m256i block = _mm256_shuffle_epi8(load_pair(hashed + 32 * i), order);
    __m256i power = load_pair(key->hash_powers[2 * i]);
    if (i == 0) {
        block = _mm256_xor_si256(block, _mm256_zextsi128_si256(hash));
    }
    __m256i cross = _mm256_xor_si256(_mm256_clmulepi64_epi128(block, power, 0x01),
                                     _mm256_clmulepi64_epi128(block, power, 0x10));
    sum->low = _mm256_xor_si256(sum->low, _mm256_clmulepi64_epi128(block, power, 0x00));
    sum->middle = _mm256_xor_si256(sum->middle, cross);
    sum->high = _mm256_xor_si256(sum->high, _mm256_clmulepi64_epi128(block, power, 0x11));
}

static inline __m128i fold_halves(__m256i wide)
{
    return _mm_xor_si128(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
}

static inline __m128i wide_reduce(const struct wide_product *sum)
{
    struct csn_gcm_product narrow = {fold_halves(sum->low), fold_halves(sum->middle),
                                     fold_halves(sum->high)};
    return csn_gcm_reduce(&narrow);
}

/* Sixteen counter blocks from number n, and meanwhile the sixteen blocks at hashed (may be NULL)
 * into the hash, as the AES-NI kernel does with eight. */
static inline __m128i sixteen(const struct csn_gcm_key *key, const uint8_t nonce[12], uint32_t n,
                              __m256i blocks[8], __m128i hash, const uint8_t *hashed)
{
    struct wide_product sum = {_mm256_setzero_si256(), _mm256_setzero_si256(),
                               _mm256_setzero_si256()};
    __m256i round_key = both(key->round_keys[0]);
    for (uint32_t i = 0; i < 8; i++) {
        __m256i pair = _mm256_set_m128i(csn_gcm_counter(nonce, n + 2 * i + 1),
                                        csn_gcm_counter(nonce, n + 2 * i));
        blocks[i] = _mm256_xor_si256(pair, round_key);
    }
    for (uint32_t round = 1; round < 14; round++) {
        round_key = both(key->round_keys[round]);
        for (uint32_t i = 0; i < 8; i++) {
            blocks[i] = _mm256_aesenc_epi128(blocks[i], round_key);
        }
        if (hashed != NULL && round <= 8) {
            wide_add(&sum, key, hashed, round - 1, hash);
        }
    }
    round_key = both(key->round_keys[14]);
    for (uint32_t i = 0; i < 8; i++) {
        blocks[i] = _mm256_aesenclast_epi128(blocks[i], round_key);
    }
    return hashed != NULL ? wide_reduce(&sum) : hash;
}

static inline __m128i hash_sixteen(const struct csn_gcm_key *key, __m128i hash,
                                   const uint8_t *hashed)
{
    struct wide_product sum = {_mm256_setzero_si256(), _mm256_setzero_si256(),
                               _mm256_setzero_si256()};
    for (uint32_t i = 0; i < 8; i++) {
        wide_add(&sum, key, hashed, i, hash);
    }
    return wide_reduce(&sum);
}

static void crypt(const struct csn_gcm_item *item, int opening, uint8_t tag[16])
{
    const uint8_t *pending = NULL; /* ciphertext of ours that is not hashed yet */
    uint8_t stream[256];
    __m256i blocks[8];
    uint32_t done = 0;
    __m128i mask = csn_gcm_mask(item);
    __m128i hash = csn_gcm_hash(item->key, _mm_setzero_si128(), item->aad, item->aad_size);
    for (; item->size - done >= 256; done += 256) {
        const uint8_t *input = item->input + done;
        uint8_t *output = item->output + done;
        hash =
            sixteen(item->key, item->nonce, 2 + done / 16, blocks, hash, opening ? input : pending);
        for (int i = 0; i < 8; i++) {
            blocks[i] = _mm256_xor_si256(blocks[i], load_pair(input + 32 * i));
            _mm256_storeu_si256((__m256i *)(void *)(output + 32 * i), blocks[i]);
        }
        pending = opening ? NULL : output;
    }
    if (item->size > done) {
        hash = sixteen(item->key, item->nonce, 2 + done / 16, blocks, hash, pending);
        for (int i = 0; i < 8; i++) {
            _mm256_storeu_si256((__m256i *)(void *)(stream + 32 * i), blocks[i]);
        }
    } else if (pending != NULL) {
        hash = hash_sixteen(item->key, hash, pending);
    }
    csn_gcm_finish(item, opening, done, hash, stream, mask, tag);
    csn_wipe(stream, sizeof stream);
}

const struct csn_gcm_kernel csn_gcm_vaes = {.crypt = crypt};
