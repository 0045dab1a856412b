/* SPDX-License-Identifier: Apache-2.0 */
/* load_part.h: the beginning of a block, where a text ends in it. */
#ifndef CSN_CRYPTO_LOAD_PART_H
#define CSN_CRYPTO_LOAD_PART_H

#include <core/bytes.h>
#include <emmintrin.h>

/* 1 to 15 bytes as a block, zeros behind them; the loads overlap and stay within the bytes. */
static inline __m128i csn_load_part(const uint8_t *bytes, uint32_t size)
{
    uint64_t low, high = 0;
    if (size >= 8) {
        low = csn_load_u64(bytes);
        high = csn_load_u64(bytes + size - 8) >> 8 * (15 - size) >> 8; /* of 8 bytes, nothing */
    } else if (size >= 4) {
        low = (uint64_t)csn_load_u32(bytes + size - 4) << 8 * (size - 4) | csn_load_u32(bytes);
    } else {
        low = (uint64_t)bytes[size - 1] << 8 * (size - 1);
        low |= (uint64_t)bytes[size / 2] << 8 * (size / 2) | bytes[0];
    }
    return _mm_set_epi64x((long long)high, (long long)low);
}

#endif
