/* SPDX-License-Identifier: Apache-2.0 */
/* gcm_key.c: the key schedule of AES-256-GCM and the powers of its hash key. */
#include "aes.h"
#include "gcm_math.h"

/* H^n is made of powers half as high, so that the chain of products is short. */
static void hash_powers(struct csn_gcm_key *key)
{
    __m128i powers[CSN_GCM_POWERS + 1];
    powers[1] = csn_gcm_hash_key(csn_gcm_reverse(csn_gcm_encrypt(key, _mm_setzero_si128())));
    for (uint32_t n = 2; n <= CSN_GCM_POWERS; n++) {
        powers[n] = csn_gcm_multiply(powers[n / 2], powers[n - n / 2]);
    }
    for (uint32_t n = 1; n <= CSN_GCM_POWERS; n++) {
        __m128i halves = _mm_xor_si128(powers[n], _mm_shuffle_epi32(powers[n], 0x4e));
        csn_gcm_store(key->hash_powers[CSN_GCM_POWERS - n], powers[n]);
        csn_gcm_store(key->hash_halves[CSN_GCM_POWERS - n], halves);
    }
    csn_gcm_store(key->hash_powers[CSN_GCM_POWERS], _mm_setzero_si128());
    csn_gcm_store(key->hash_halves[CSN_GCM_POWERS], _mm_setzero_si128());
    csn_wipe(powers, sizeof powers);
}

void csn_gcm_key_init(struct csn_gcm_key *key, const uint8_t secret[CSN_GCM_KEY_SIZE])
{
    struct csn_aes_key schedule;
    /* 32 bytes are always a legal size, so the result carries nothing. */
    (void)!csn_aes_key_init(&schedule, secret, CSN_GCM_KEY_SIZE);
    __builtin_memcpy(key->round_keys, schedule.round_keys, sizeof key->round_keys);
    hash_powers(key);
    csn_wipe(&schedule, sizeof schedule);
}
