/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm_vector_256.h: what the kernels compute with, sixteen lanes of 32 bits: two registers. Needs
 * AVX2, FMA and F16C. Gives what llm_vector_512.h gives, to the last bit.
 */
#ifndef CSN_LLM_VECTOR_256_H
#define CSN_LLM_VECTOR_256_H

#include <immintrin.h>
#include <stdint.h>

#define CSN_LLM_KERNEL(name) csn_llm_##name##_avx2
#define CSN_LLM_TOKENS       2u /* whose sums are kept in registers side by side */

typedef struct csn_floats {
    __m256 a, b;
} csn_floats;
typedef struct csn_words {
    __m256i a, b;
} csn_words;

#define CSN_LANES_INLINE static inline __attribute__((always_inline))

CSN_LANES_INLINE csn_floats csn_floats_all(float value)
{
    return (csn_floats){_mm256_set1_ps(value), _mm256_set1_ps(value)};
}
CSN_LANES_INLINE csn_floats csn_floats_load(const void *bytes)
{
    return (csn_floats){_mm256_loadu_ps(bytes), _mm256_loadu_ps((const float *)bytes + 8)};
}
CSN_LANES_INLINE void csn_floats_store(void *bytes, csn_floats value)
{
    _mm256_storeu_ps(bytes, value.a);
    _mm256_storeu_ps((float *)bytes + 8, value.b);
}
/* Sixteen halves. */
CSN_LANES_INLINE csn_floats csn_floats_load_half(const void *bytes)
{
    return (csn_floats){_mm256_cvtph_ps(_mm_loadu_si128(bytes)),
                        _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)bytes + 1))};
}
CSN_LANES_INLINE void csn_floats_store_half(void *bytes, csn_floats value)
{
    _mm_storeu_si128(bytes, _mm256_cvtps_ph(value.a, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128((__m128i *)bytes + 1, _mm256_cvtps_ph(value.b, _MM_FROUND_TO_NEAREST_INT));
}
CSN_LANES_INLINE csn_floats csn_floats_add(csn_floats a, csn_floats b)
{
    return (csn_floats){_mm256_add_ps(a.a, b.a), _mm256_add_ps(a.b, b.b)};
}
CSN_LANES_INLINE csn_floats csn_floats_sub(csn_floats a, csn_floats b)
{
    return (csn_floats){_mm256_sub_ps(a.a, b.a), _mm256_sub_ps(a.b, b.b)};
}
CSN_LANES_INLINE csn_floats csn_floats_mul(csn_floats a, csn_floats b)
{
    return (csn_floats){_mm256_mul_ps(a.a, b.a), _mm256_mul_ps(a.b, b.b)};
}
CSN_LANES_INLINE csn_floats csn_floats_div(csn_floats a, csn_floats b)
{
    return (csn_floats){_mm256_div_ps(a.a, b.a), _mm256_div_ps(a.b, b.b)};
}
/* a b + c, rounded once; and c - a b. */
CSN_LANES_INLINE csn_floats csn_floats_fma(csn_floats a, csn_floats b, csn_floats c)
{
    return (csn_floats){_mm256_fmadd_ps(a.a, b.a, c.a), _mm256_fmadd_ps(a.b, b.b, c.b)};
}
CSN_LANES_INLINE csn_floats csn_floats_fnma(csn_floats a, csn_floats b, csn_floats c)
{
    return (csn_floats){_mm256_fnmadd_ps(a.a, b.a, c.a), _mm256_fnmadd_ps(a.b, b.b, c.b)};
}
/* b where either is NaN. */
CSN_LANES_INLINE csn_floats csn_floats_max(csn_floats a, csn_floats b)
{
    return (csn_floats){_mm256_max_ps(a.a, b.a), _mm256_max_ps(a.b, b.b)};
}
CSN_LANES_INLINE csn_floats csn_floats_min(csn_floats a, csn_floats b)
{
    return (csn_floats){_mm256_min_ps(a.a, b.a), _mm256_min_ps(a.b, b.b)};
}
CSN_LANES_INLINE csn_floats csn_floats_of(csn_words value)
{
    return (csn_floats){_mm256_cvtepi32_ps(value.a), _mm256_cvtepi32_ps(value.b)};
}
/* To the nearest, ties to even; what is too large becomes the smallest. */
CSN_LANES_INLINE csn_words csn_words_of(csn_floats value)
{
    return (csn_words){_mm256_cvtps_epi32(value.a), _mm256_cvtps_epi32(value.b)};
}
CSN_LANES_INLINE csn_words csn_words_bits(csn_floats value)
{
    return (csn_words){_mm256_castps_si256(value.a), _mm256_castps_si256(value.b)};
}
CSN_LANES_INLINE csn_floats csn_floats_bits(csn_words value)
{
    return (csn_floats){_mm256_castsi256_ps(value.a), _mm256_castsi256_ps(value.b)};
}
/* The lower eight lanes and the upper ones. */
CSN_LANES_INLINE __m256 csn_floats_low(csn_floats value)
{
    return value.a;
}
CSN_LANES_INLINE __m256 csn_floats_high(csn_floats value)
{
    return value.b;
}

CSN_LANES_INLINE csn_words csn_words_all(int32_t value)
{
    return (csn_words){_mm256_set1_epi32(value), _mm256_set1_epi32(value)};
}
CSN_LANES_INLINE csn_words csn_words_load(const void *bytes)
{
    return (csn_words){_mm256_loadu_si256(bytes), _mm256_loadu_si256((const __m256i *)bytes + 1)};
}
/* The low byte of each lane. */
CSN_LANES_INLINE void csn_words_store_bytes(void *bytes, csn_words value)
{
    const __m256i pick =
        _mm256_set_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 12, 8, 4, 0, -1, -1, -1, -1,
                        -1, -1, -1, -1, -1, -1, -1, -1, 12, 8, 4, 0);
    const __m256i a = _mm256_shuffle_epi8(value.a, pick);
    const __m256i b = _mm256_shuffle_epi8(value.b, pick);
    const __m128i low =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    const __m128i high =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
    _mm_storeu_si128(bytes, _mm_unpacklo_epi64(low, high));
}
CSN_LANES_INLINE csn_words csn_words_and(csn_words a, csn_words b)
{
    return (csn_words){_mm256_and_si256(a.a, b.a), _mm256_and_si256(a.b, b.b)};
}
CSN_LANES_INLINE csn_words csn_words_or(csn_words a, csn_words b)
{
    return (csn_words){_mm256_or_si256(a.a, b.a), _mm256_or_si256(a.b, b.b)};
}
CSN_LANES_INLINE csn_words csn_words_add(csn_words a, csn_words b)
{
    return (csn_words){_mm256_add_epi32(a.a, b.a), _mm256_add_epi32(a.b, b.b)};
}
CSN_LANES_INLINE csn_words csn_words_mul(csn_words a, csn_words b)
{
    return (csn_words){_mm256_mullo_epi32(a.a, b.a), _mm256_mullo_epi32(a.b, b.b)};
}
CSN_LANES_INLINE csn_words csn_words_up(csn_words value, int bits)
{
    return (csn_words){_mm256_slli_epi32(value.a, bits), _mm256_slli_epi32(value.b, bits)};
}
CSN_LANES_INLINE csn_words csn_words_down(csn_words value, int bits)
{
    return (csn_words){_mm256_srli_epi32(value.a, bits), _mm256_srli_epi32(value.b, bits)};
}
/* With the sign. */
CSN_LANES_INLINE csn_words csn_words_down_signed(csn_words value, int bits)
{
    return (csn_words){_mm256_srai_epi32(value.a, bits), _mm256_srai_epi32(value.b, bits)};
}
/* To each lane the sum of its two products of signed halves. */
CSN_LANES_INLINE csn_words csn_words_pairs(csn_words a, csn_words b)
{
    return (csn_words){_mm256_madd_epi16(a.a, b.a), _mm256_madd_epi16(a.b, b.b)};
}
CSN_LANES_INLINE __m256i csn_lanes_dot(__m256i sum, __m256i weights, __m256i inputs)
{
    const __m256i halves = _mm256_maddubs_epi16(weights, inputs);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(halves, _mm256_set1_epi16(1)));
}
/* To each lane of sum its four products of a byte of weights, 0 to 127, and a signed one. */
CSN_LANES_INLINE csn_words csn_words_dot(csn_words sum, csn_words weights, csn_words inputs)
{
    return (csn_words){csn_lanes_dot(sum.a, weights.a, inputs.a),
                       csn_lanes_dot(sum.b, weights.b, inputs.b)};
}
CSN_LANES_INLINE __m256i csn_lanes_dot_biased(__m256i sum, __m256i weights, __m256i inputs)
{
    const __m256i value = _mm256_xor_si256(weights, _mm256_set1_epi8(-128));
    return csn_lanes_dot(sum, _mm256_abs_epi8(value), _mm256_sign_epi8(inputs, value));
}
/* The same for weights that have 128 added; they would overflow a half, and so it is taken off. */
CSN_LANES_INLINE csn_words csn_words_dot_biased(csn_words sum, csn_words weights, csn_words inputs)
{
    return (csn_words){csn_lanes_dot_biased(sum.a, weights.a, inputs.a),
                       csn_lanes_dot_biased(sum.b, weights.b, inputs.b)};
}
#define CSN_LLM_BIAS 0 /* nothing is left to be taken off by the sums of inputs */

#endif
