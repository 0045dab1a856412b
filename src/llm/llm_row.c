/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm_row.c: what is done to the floats of one token, for the vectors of CSN_LLM_VECTOR. Counts are
 * multiples of 16.
 */
#include "llm_kernel.h"
#include CSN_LLM_VECTOR

#define INLINE static inline __attribute__((always_inline))
#define CHAINS 4u

/* Always in this order. */
INLINE float lanes_sum(csn_floats value)
{
    __m256 eight = _mm256_add_ps(csn_floats_low(value), csn_floats_high(value));
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

INLINE float lanes_max(csn_floats value)
{
    __m256 eight = _mm256_max_ps(csn_floats_low(value), csn_floats_high(value));
    __m128 most = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    most = _mm_max_ps(most, _mm_movehl_ps(most, most));
    return _mm_cvtss_f32(_mm_max_ss(most, _mm_movehdup_ps(most)));
}

/*
 * exp(), to within two units of the last place: 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2].
 * Below -87 it is that of -87, above 88 that of 88.
 */
INLINE csn_floats exponential(csn_floats value)
{
    value = csn_floats_min(csn_floats_max(value, csn_floats_all(-87)), csn_floats_all(88));
    const csn_words whole = csn_words_of(csn_floats_mul(value, csn_floats_all(1.44269504f)));
    const csn_floats steps = csn_floats_of(whole);
    csn_floats rest = csn_floats_fnma(steps, csn_floats_all(0x1.62e4p-1f), value);
    rest = csn_floats_fnma(steps, csn_floats_all(0x1.7f7d1cp-20f), rest);
    csn_floats sum = csn_floats_all(1.0f / 5040);
    sum = csn_floats_fma(sum, rest, csn_floats_all(1.0f / 720));
    sum = csn_floats_fma(sum, rest, csn_floats_all(1.0f / 120));
    sum = csn_floats_fma(sum, rest, csn_floats_all(1.0f / 24));
    sum = csn_floats_fma(sum, rest, csn_floats_all(1.0f / 6));
    sum = csn_floats_fma(sum, rest, csn_floats_all(0.5f));
    sum = csn_floats_fma(sum, rest, csn_floats_all(1));
    sum = csn_floats_fma(sum, rest, csn_floats_all(1));
    return csn_floats_bits(csn_words_add(csn_words_bits(sum), csn_words_up(whole, 23)));
}

static void norm(const float *source, const uint8_t *weights, uint32_t count, float epsilon,
                 float *target)
{
    csn_floats sum = csn_floats_all(0);
    for (uint32_t i = 0; i < count; i += CSN_LLM_LANES) {
        const csn_floats value = csn_floats_load(source + i);
        sum = csn_floats_fma(value, value, sum);
    }
    const __m128 mean = _mm_set_ss(lanes_sum(sum) / (float)count + epsilon);
    const csn_floats scale = csn_floats_all(1.0f / _mm_cvtss_f32(_mm_sqrt_ss(mean)));
    for (uint32_t i = 0; i < count; i += CSN_LLM_LANES) {
        const csn_floats value = csn_floats_mul(csn_floats_load(source + i), scale);
        csn_floats_store(target + i, csn_floats_mul(value, csn_floats_load(weights + 4 * i)));
    }
}

static void add(float *target, const float *source, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += CSN_LLM_LANES) {
        csn_floats_store(target + i,
                         csn_floats_add(csn_floats_load(target + i), csn_floats_load(source + i)));
    }
}

static void gate(float *gates, const float *up, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += CSN_LLM_LANES) {
        const csn_floats value = csn_floats_load(gates + i);
        const csn_floats power = exponential(csn_floats_sub(csn_floats_all(0), value));
        const csn_floats open = csn_floats_div(value, csn_floats_add(csn_floats_all(1), power));
        csn_floats_store(gates + i, csn_floats_mul(open, csn_floats_load(up + i)));
    }
}

static void halve(const float *source, uint32_t count, uint16_t *target)
{
    for (uint32_t i = 0; i < count; i += CSN_LLM_LANES) {
        csn_floats_store_half(target + i, csn_floats_load(source + i));
    }
}

static void round_to_halves(float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += CSN_LLM_LANES) {
        uint16_t halves[CSN_LLM_LANES];
        csn_floats_store_half(halves, csn_floats_load(values + i));
        csn_floats_store(values + i, csn_floats_load_half(halves));
    }
}

/* ---- attention ---- */

static uint32_t round_up(uint32_t count)
{
    return (count + CSN_LLM_LANES - 1) / CSN_LLM_LANES * CSN_LLM_LANES;
}

/* Queries of `heads` heads, a constant, with all keys; a sum for each head and half of the values.
 */
INLINE void score(const struct csn_llm_attention *attention, uint32_t first, uint32_t heads)
{
    const uint32_t size = attention->head_size;
    const uint32_t width = round_up(attention->position_count);
    const float *queries = attention->queries + first * size;
    for (uint32_t position = 0; position < width; position += CSN_LLM_LANES) {
        const uint16_t *tile = attention->keys + (size_t)position * size;
        csn_floats sums[4][2];
        for (uint32_t head = 0; head < heads; head++) {
            sums[head][0] = sums[head][1] = csn_floats_all(0);
        }
        for (uint32_t i = 0; i < size; i += 2) {
            const csn_floats even = csn_floats_load_half(tile + i * CSN_LLM_LANES);
            const csn_floats odd = csn_floats_load_half(tile + (i + 1) * CSN_LLM_LANES);
            for (uint32_t head = 0; head < heads; head++) {
                const float *query = queries + head * size + i;
                sums[head][0] = csn_floats_fma(even, csn_floats_all(query[0]), sums[head][0]);
                sums[head][1] = csn_floats_fma(odd, csn_floats_all(query[1]), sums[head][1]);
            }
        }
        for (uint32_t head = 0; head < heads; head++) {
            csn_floats_store(attention->weights + (size_t)(first + head) * width + position,
                             csn_floats_add(sums[head][0], sums[head][1]));
        }
    }
}

/* Scores of one head to weights whose sum is one; what is beyond the positions gets none. */
static void soften(float *weights, uint32_t position_count, float scale)
{
    const uint32_t width = round_up(position_count);
    csn_floats most = csn_floats_all(-__builtin_inff());
    csn_floats sum = csn_floats_all(0);
    for (uint32_t i = position_count; i < width; i++) {
        weights[i] = -__builtin_inff();
    }
    for (uint32_t i = 0; i < width; i += CSN_LLM_LANES) {
        const csn_floats value =
            csn_floats_mul(csn_floats_load(weights + i), csn_floats_all(scale));
        csn_floats_store(weights + i, value);
        most = csn_floats_max(value, most);
    }
    most = csn_floats_all(lanes_max(most));
    for (uint32_t i = 0; i < width; i += CSN_LLM_LANES) {
        const csn_floats value = csn_floats_sub(csn_floats_load(weights + i), most);
        csn_floats_store(weights + i, exponential(value));
    }
    for (uint32_t i = position_count; i < width; i++) {
        weights[i] = 0;
    }
    for (uint32_t i = 0; i < width; i += CSN_LLM_LANES) {
        sum = csn_floats_add(csn_floats_load(weights + i), sum);
    }
    const csn_floats share = csn_floats_all(1 / lanes_sum(sum));
    for (uint32_t i = 0; i < width; i += CSN_LLM_LANES) {
        csn_floats_store(weights + i, csn_floats_mul(csn_floats_load(weights + i), share));
    }
    round_to_halves(weights, width);
}

/* Values of all positions, by the weights of `heads` heads, a constant: 16 of each value's floats.
 */
INLINE void mix(const struct csn_llm_attention *attention, uint32_t first, uint32_t heads)
{
    const uint32_t size = attention->head_size;
    const uint32_t width = round_up(attention->position_count);
    const float *weights = attention->weights + (size_t)first * width;
    for (uint32_t part = 0; part < size; part += CSN_LLM_LANES) {
        const uint16_t *values = attention->values + part;
        csn_floats sums[4];
        for (uint32_t head = 0; head < heads; head++) {
            sums[head] = csn_floats_all(0);
        }
        for (uint32_t position = 0; position < attention->position_count; position++) {
            const csn_floats value = csn_floats_load_half(values + (size_t)position * size);
            for (uint32_t head = 0; head < heads; head++) {
                const float weight = weights[(size_t)head * width + position];
                sums[head] = csn_floats_fma(value, csn_floats_all(weight), sums[head]);
            }
        }
        for (uint32_t head = 0; head < heads; head++) {
            csn_floats_store(attention->target + (first + head) * size + part, sums[head]);
        }
    }
}

INLINE void attend_heads(const struct csn_llm_attention *attention, uint32_t first, uint32_t heads)
{
    const uint32_t width = round_up(attention->position_count);
    score(attention, first, heads);
    for (uint32_t head = first; head < first + heads; head++) {
        soften(attention->weights + (size_t)head * width, attention->position_count,
               attention->scale);
    }
    mix(attention, first, heads);
}

static void attend(const struct csn_llm_attention *attention)
{
    uint32_t first = 0;
    for (; first + 4 <= attention->head_count; first += 4) {
        attend_heads(attention, first, 4);
    }
    for (; first < attention->head_count; first++) {
        attend_heads(attention, first, 1);
    }
}

const struct csn_llm_row_kernel CSN_LLM_KERNEL(row) = {norm,   add,   gate,
                                                       attend, halve, round_to_halves};
