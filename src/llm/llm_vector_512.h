/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm_vector_512.h: what the kernels compute with, sixteen lanes of 32 bits: one register. Needs
 * AVX-512 (F, BW, VL) with VNNI, and F16C.
 */
#ifndef CSN_LLM_VECTOR_512_H
#define CSN_LLM_VECTOR_512_H

#include <immintrin.h>
#include <stdint.h>

#define CSN_LLM_KERNEL(name) csn_llm_##name##_avx512
#define CSN_LLM_TOKENS       8u /* whose sums are kept in registers side by side */

typedef __m512 csn_floats;
typedef __m512i csn_words;

#define CSN_LANES_INLINE static inline __attribute__((always_inline))

CSN_LANES_INLINE csn_floats csn_floats_all(float value)
{
    return _mm512_set1_ps(value);
}
CSN_LANES_INLINE csn_floats csn_floats_load(const void *bytes)
{
    return _mm512_loadu_ps(bytes);
}
CSN_LANES_INLINE void csn_floats_store(void *bytes, csn_floats value)
{
    _mm512_storeu_ps(bytes, value);
}
/* Sixteen halves. */
CSN_LANES_INLINE csn_floats csn_floats_load_half(const void *bytes)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256(bytes));
}
CSN_LANES_INLINE void csn_floats_store_half(void *bytes, csn_floats value)
{
    _mm256_storeu_si256(bytes, _mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
}
CSN_LANES_INLINE csn_floats csn_floats_add(csn_floats a, csn_floats b)
{
    return _mm512_add_ps(a, b);
}
CSN_LANES_INLINE csn_floats csn_floats_sub(csn_floats a, csn_floats b)
{
    return _mm512_sub_ps(a, b);
}
CSN_LANES_INLINE csn_floats csn_floats_mul(csn_floats a, csn_floats b)
{
    return _mm512_mul_ps(a, b);
}
CSN_LANES_INLINE csn_floats csn_floats_div(csn_floats a, csn_floats b)
{
    return _mm512_div_ps(a, b);
}
/* a b + c, rounded once; and c - a b. */
CSN_LANES_INLINE csn_floats csn_floats_fma(csn_floats a, csn_floats b, csn_floats c)
{
    return _mm512_fmadd_ps(a, b, c);
}
CSN_LANES_INLINE csn_floats csn_floats_fnma(csn_floats a, csn_floats b, csn_floats c)
{
    return _mm512_fnmadd_ps(a, b, c);
}
/* b where either is NaN. */
CSN_LANES_INLINE csn_floats csn_floats_max(csn_floats a, csn_floats b)
{
    return _mm512_max_ps(a, b);
}
CSN_LANES_INLINE csn_floats csn_floats_min(csn_floats a, csn_floats b)
{
    return _mm512_min_ps(a, b);
}
CSN_LANES_INLINE csn_floats csn_floats_of(csn_words value)
{
    return _mm512_cvtepi32_ps(value);
}
/* To the nearest, ties to even; what is too large becomes the smallest. */
CSN_LANES_INLINE csn_words csn_words_of(csn_floats value)
{
    return _mm512_cvtps_epi32(value);
}
CSN_LANES_INLINE csn_words csn_words_bits(csn_floats value)
{
    return _mm512_castps_si512(value);
}
CSN_LANES_INLINE csn_floats csn_floats_bits(csn_words value)
{
    return _mm512_castsi512_ps(value);
}
/* The lower eight lanes and the upper ones. */
CSN_LANES_INLINE __m256 csn_floats_low(csn_floats value)
{
    return _mm512_castps512_ps256(value);
}
CSN_LANES_INLINE __m256 csn_floats_high(csn_floats value)
{
    return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(value), 1));
}

CSN_LANES_INLINE csn_words csn_words_all(int32_t value)
{
    return _mm512_set1_epi32(value);
}
CSN_LANES_INLINE csn_words csn_words_load(const void *bytes)
{
    return _mm512_loadu_si512(bytes);
}
/* The low byte of each lane. */
CSN_LANES_INLINE void csn_words_store_bytes(void *bytes, csn_words value)
{
    _mm_storeu_si128(bytes, _mm512_cvtepi32_epi8(value));
}
CSN_LANES_INLINE csn_words csn_words_and(csn_words a, csn_words b)
{
    return _mm512_and_si512(a, b);
}
CSN_LANES_INLINE csn_words csn_words_or(csn_words a, csn_words b)
{
    return _mm512_or_si512(a, b);
}
CSN_LANES_INLINE csn_words csn_words_add(csn_words a, csn_words b)
{
    return _mm512_add_epi32(a, b);
}
CSN_LANES_INLINE csn_words csn_words_mul(csn_words a, csn_words b)
{
    return _mm512_mullo_epi32(a, b);
}
#define csn_words_up(value, bits)   _mm512_slli_epi32(value, bits)
#define csn_words_down(value, bits) _mm512_srli_epi32(value, bits)
/* With the sign. */
#define csn_words_down_signed(value, bits) _mm512_srai_epi32(value, bits)
/* To each lane the sum of its two products of signed halves. */
CSN_LANES_INLINE csn_words csn_words_pairs(csn_words a, csn_words b)
{
    return _mm512_madd_epi16(a, b);
}
/* To each lane of sum its four products of a byte of weights, 0 to 255, and a signed one. */
CSN_LANES_INLINE csn_words csn_words_dot(csn_words sum, csn_words weights, csn_words inputs)
{
    return _mm512_dpbusd_epi32(sum, weights, inputs);
}
/* The same for weights that have 128 added, whose sum was begun without 128 times the inputs. */
CSN_LANES_INLINE csn_words csn_words_dot_biased(csn_words sum, csn_words weights, csn_words inputs)
{
    return _mm512_dpbusd_epi32(sum, weights, inputs);
}
#define CSN_LLM_BIAS 128 /* to be taken off by the sums of inputs */

#endif
