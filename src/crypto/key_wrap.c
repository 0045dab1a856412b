/* SPDX-License-Identifier: Apache-2.0 */
/* key_wrap.c: AES key wrap with padding (RFC 5649) over the six passes of RFC 3394. */
#include "key_wrap.h"
#include "aes_block.h"
#include "mask.h"
#include <core/bytes.h>

/* Upper half of the first block; the size is the lower one. */
#define MARK UINT64_C(0xa65959a6)

#define PASSES           6u
#define HALF             8u
#define WRAPPED_SIZE_MAX (CSN_KEY_WRAP_SIZE_MAX + HALF)

/* A block of two halves, of which the first is a number in host order. */
static __m128i join(uint64_t first, const uint8_t *second)
{
    return _mm_set_epi64x((long long)csn_load_u64(second), (long long)__builtin_bswap64(first));
}

static uint64_t split(__m128i block, uint8_t *second)
{
    csn_store_u64(second, (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(block, block)));
    return __builtin_bswap64((uint64_t)_mm_cvtsi128_si64(block));
}

csn_err csn_key_wrap(const struct csn_aes_key *key, const uint8_t *secret, uint32_t size,
                     uint8_t *wrapped)
{
    if (size == 0 || size > CSN_KEY_WRAP_SIZE_MAX) {
        return CSN_ERR_ARGUMENT;
    }
    const uint32_t count = (size + HALF - 1) / HALF;
    uint64_t first = MARK << 32 | size;
    csn_store_u64(wrapped + HALF * count, 0); /* the padding */
    __builtin_memcpy(wrapped + HALF, secret, size);
    if (count == 1) {
        first = split(csn_aes_one(key, join(first, wrapped + HALF)), wrapped + HALF);
    } else {
        for (uint32_t step = 0; step < PASSES * count; step++) {
            uint8_t *half = wrapped + HALF + HALF * (step % count);
            first = split(csn_aes_one(key, join(first, half)), half) ^ (step + 1);
        }
    }
    csn_store_u64(wrapped, __builtin_bswap64(first));
    return CSN_OK;
}

/* The round keys for decryption, in the order of their use. */
static void invert_key(const struct csn_aes_key *key, struct csn_aes_key *inverse)
{
    const uint32_t last = key->round_count;
    inverse->round_count = last;
    for (uint32_t i = 0; i <= last; i++) {
        __m128i round_key = csn_load_block(key->round_keys[last - i]);
        round_key = i == 0 || i == last ? round_key : _mm_aesimc_si128(round_key);
        csn_store_block(inverse->round_keys[i], round_key);
    }
}

static __m128i decrypt(const struct csn_aes_key *inverse, __m128i block)
{
    block = _mm_xor_si128(block, csn_load_block(inverse->round_keys[0]));
    for (uint32_t round = 1; round < inverse->round_count; round++) {
        block = _mm_aesdec_si128(block, csn_load_block(inverse->round_keys[round]));
    }
    return _mm_aesdeclast_si128(block, csn_load_block(inverse->round_keys[inverse->round_count]));
}

/* 0 if `first` and the padding are as they must be. The parts are not told apart. */
static uint64_t misfit(uint64_t first, const uint8_t *secret, uint32_t count)
{
    const uint64_t size = first & UINT32_MAX;
    const uint64_t padding = (uint64_t)HALF * count - size; /* 0 to 7, or wrapped far above */
    const uint64_t last = __builtin_bswap64(csn_load_u64(secret + HALF * (count - 1)));
    const uint64_t ones = (UINT64_C(1) << (8 * (padding % HALF))) - 1;
    return ((first >> 32) ^ MARK) | padding / HALF | (last & ones);
}

csn_err csn_key_unwrap(const struct csn_aes_key *key, const uint8_t *wrapped, uint32_t wrapped_size,
                       uint8_t *secret, uint32_t *size)
{
    *size = 0;
    if (wrapped_size < 2 * HALF || wrapped_size % HALF != 0 || wrapped_size > WRAPPED_SIZE_MAX) {
        csn_wipe(secret, wrapped_size < HALF ? 0 : wrapped_size - HALF);
        return CSN_ERR_AUTH;
    }
    const uint32_t count = wrapped_size / HALF - 1;
    struct csn_aes_key inverse;
    uint64_t first = __builtin_bswap64(csn_load_u64(wrapped));
    invert_key(key, &inverse);
    __builtin_memcpy(secret, wrapped + HALF, HALF * count);
    if (count == 1) {
        first = split(decrypt(&inverse, join(first, secret)), secret);
    } else {
        for (uint32_t step = PASSES * count; step-- > 0;) {
            uint8_t *half = secret + HALF * (step % count);
            first = split(decrypt(&inverse, join(first ^ (step + 1), half)), half);
        }
    }
    csn_wipe(&inverse, sizeof inverse);
    if (misfit(first, secret, count) != 0) {
        csn_wipe(secret, HALF * count);
        return CSN_ERR_AUTH;
    }
    *size = (uint32_t)first;
    return CSN_OK;
}
