/* SPDX-License-Identifier: Apache-2.0 */
/* ff1_narrow_aesni.c: FF1 rounds with the arithmetic in 128-bit vectors; AES-NI, SSSE3. */
#include "ff1_core.h"
#include <immintrin.h>

#define VEC  __m128i
#define FUNC static inline __attribute__((always_inline))

FUNC VEC vec_set(uint64_t number)
{
    return _mm_set1_epi64x((long long)number);
}
FUNC VEC vec_load(const uint64_t *numbers)
{
    return _mm_loadu_si128((const __m128i *)(const void *)numbers);
}
FUNC void vec_store(uint64_t *numbers, VEC vector)
{
    _mm_storeu_si128((__m128i *)(void *)numbers, vector);
}
FUNC VEC vec_block(const uint8_t *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}
FUNC VEC vec_right(VEC vector, int bits)
{
    return _mm_srli_epi64(vector, bits);
}
FUNC VEC vec_right_by(VEC vector, __m128i bits)
{
    return _mm_srl_epi64(vector, bits);
}
FUNC VEC vec_multiply(VEC left, VEC right)
{
    return _mm_mul_epu32(left, right);
}
/* number - limit, or number if it is smaller; both below 2^31 */
FUNC VEC vec_less(VEC number, VEC limit)
{
    VEC less = _mm_sub_epi32(number, limit);
    return _mm_add_epi32(less, _mm_and_si128(limit, _mm_srai_epi32(less, 31)));
}
/* The bytes of each number turned about. */
FUNC VEC vec_swap(VEC vector)
{
    return _mm_shuffle_epi8(vector, _mm_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607));
}
FUNC VEC vec_low(VEC left, VEC right)
{
    return _mm_unpacklo_epi64(left, right);
}
FUNC VEC vec_high(VEC left, VEC right)
{
    return _mm_unpackhi_epi64(left, right);
}
FUNC VEC vec_aes(VEC blocks, VEC key)
{
    return _mm_aesenc_si128(blocks, key);
}
FUNC VEC vec_aes_last(VEC blocks, VEC key)
{
    return _mm_aesenclast_si128(blocks, key);
}

#include "ff1_lanes.h"

void csn_ff1_narrow_aesni(struct csn_ff1_lanes *lanes, bool encrypting)
{
    if (encrypting) {
        run_narrow(lanes, true);
    } else {
        run_narrow(lanes, false);
    }
}
