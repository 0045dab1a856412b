/* SPDX-License-Identifier: Apache-2.0 */
/* ff1_narrow_vaes.c: FF1 rounds with the arithmetic in 256-bit vectors; VAES, AVX2. */
#include "ff1_core.h"
#include <immintrin.h>

#define VEC  __m256i
#define FUNC static inline __attribute__((always_inline))

FUNC VEC vec_set(uint64_t number)
{
    return _mm256_set1_epi64x((long long)number);
}
FUNC VEC vec_load(const uint64_t *numbers)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)numbers);
}
FUNC void vec_store(uint64_t *numbers, VEC vector)
{
    _mm256_storeu_si256((__m256i *)(void *)numbers, vector);
}
FUNC VEC vec_block(const uint8_t *bytes)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)bytes));
}
FUNC VEC vec_right(VEC vector, int bits)
{
    return _mm256_srli_epi64(vector, bits);
}
FUNC VEC vec_right_by(VEC vector, __m128i bits)
{
    return _mm256_srl_epi64(vector, bits);
}
FUNC VEC vec_multiply(VEC left, VEC right)
{
    return _mm256_mul_epu32(left, right);
}
/* number - limit, or number if it is smaller; both below 2^31 */
FUNC VEC vec_less(VEC number, VEC limit)
{
    return _mm256_min_epu32(number, _mm256_sub_epi32(number, limit));
}
/* The bytes of each number turned about. */
FUNC VEC vec_swap(VEC vector)
{
    return _mm256_shuffle_epi8(vector, _mm256_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607,
                                                         0x08090a0b0c0d0e0f, 0x0001020304050607));
}
FUNC VEC vec_low(VEC left, VEC right)
{
    return _mm256_unpacklo_epi64(left, right);
}
FUNC VEC vec_high(VEC left, VEC right)
{
    return _mm256_unpackhi_epi64(left, right);
}
FUNC VEC vec_aes(VEC blocks, VEC key)
{
    return _mm256_aesenc_epi128(blocks, key);
}
FUNC VEC vec_aes_last(VEC blocks, VEC key)
{
    return _mm256_aesenclast_epi128(blocks, key);
}

#include "ff1_lanes.h"

void csn_ff1_narrow_vaes(struct csn_ff1_lanes *lanes, bool encrypting)
{
    if (encrypting) {
        run_narrow(lanes, true);
    } else {
        run_narrow(lanes, false);
    }
}
