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

static void crypt(const struct csn_gcm_item *item, int opening, uint8_t tag[16])
{
    __m128i hash = csn_gcm_hash(item->key, _mm_setzero_si128(), item->aad, item->aad_size);
    csn_gcm_chunks(item, opening, 0, hash, tag);
}

const struct csn_gcm_kernel csn_gcm_aesni = {.crypt = crypt};
