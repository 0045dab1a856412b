/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm_matrix.c: matrix times tokens, for the vectors of CSN_LLM_VECTOR, a header that the build
 * names. A lane is a row: sixteen rows are worked on together, down their columns, so that nothing
 * is added across lanes and weights are read once, in order. The bound of each loop is a shape.
 *
 * Weights are whole numbers here, and so are inputs (rounded for each block of theirs): sums within
 * a block are exact, and one multiplication with addition a block is what is rounded. Floats are in
 * llm_floats.c.
 */
#include "llm_kernel.h"
#include CSN_LLM_VECTOR

#define INLINE static inline __attribute__((always_inline))
#define VECTOR 64u /* bytes */
#define HALVES 32u /* bytes of sixteen halves */
#define BLOCK  32u
#define SUPER  256u
#define CHAINS 4u /* sums that run side by side where every product is rounded */

/* What a group of tokens brings for the columns from one on. */
struct part {
    const int8_t *bytes;
    const float *scales;
    const int32_t *sums;
    const int16_t *pairs;
};

INLINE csn_words four(const int8_t *bytes)
{
    int32_t word;
    __builtin_memcpy(&word, bytes, sizeof word);
    return csn_words_all(word);
}

INLINE csn_words two(const int16_t *pair)
{
    int32_t word;
    __builtin_memcpy(&word, pair, sizeof word);
    return csn_words_all(word);
}

/* ---- Q8_0 and Q4_0: sixteen scales, then four columns of each row, the next four ... ---- */

INLINE void block_q8(const uint8_t *block, const int8_t *bytes, uint32_t tokens, csn_words *dots)
{
    for (uint32_t i = 0; i < BLOCK / 4; i++) {
        const csn_words weights = csn_words_load(block + i * VECTOR);
        for (uint32_t token = 0; token < tokens; token++) {
            dots[token] =
                csn_words_dot_biased(dots[token], weights, four(bytes + token * BLOCK + 4 * i));
        }
    }
}

/* Columns 0 to 15 are in the low halves of bytes, 16 to 31 in the high ones. */
INLINE void block_q4(const uint8_t *block, const int8_t *bytes, uint32_t tokens, csn_words *dots)
{
    const csn_words mask = csn_words_all(0x0f0f0f0f);
    for (uint32_t i = 0; i < BLOCK / 8; i++) {
        const csn_words weights = csn_words_load(block + i * VECTOR);
        const csn_words low = csn_words_and(weights, mask);
        const csn_words high = csn_words_and(csn_words_down(weights, 4), mask);
        for (uint32_t token = 0; token < tokens; token++) {
            const int8_t *at = bytes + token * BLOCK + 4 * i;
            dots[token] = csn_words_dot(dots[token], low, four(at));
            dots[token] = csn_words_dot(dots[token], high, four(at + BLOCK / 2));
        }
    }
}

INLINE void group_blocks(const uint8_t *group, uint32_t columns, struct part part, uint32_t tokens,
                         bool is_byte, csn_floats *sums)
{
    const uint32_t size = CSN_LLM_LANES * (is_byte ? 34 : 18);
    const int32_t bias = is_byte ? CSN_LLM_BIAS : 8;
    for (uint32_t token = 0; token < tokens; token++) {
        sums[token] = csn_floats_all(0);
    }
    for (uint32_t at = 0; at < columns / BLOCK; at++) {
        csn_words dots[CSN_LLM_TOKENS];
        for (uint32_t token = 0; token < tokens; token++) {
            dots[token] = csn_words_all(-bias * part.sums[at * tokens + token]);
        }
        const int8_t *bytes = part.bytes + at * tokens * BLOCK;
        if (is_byte) {
            block_q8(group + HALVES, bytes, tokens, dots);
        } else {
            block_q4(group + HALVES, bytes, tokens, dots);
        }
        const csn_floats scales = csn_floats_load_half(group);
        for (uint32_t token = 0; token < tokens; token++) {
            const csn_floats scale =
                csn_floats_mul(scales, csn_floats_all(part.scales[at * tokens + token]));
            sums[token] = csn_floats_fma(csn_floats_of(dots[token]), scale, sums[token]);
        }
        group += size;
    }
}

/* ---- Q4_K: scales, scales of what is taken off, 6-bit factors of both, then as above ---- */

/* Byte i of these is the factor of sub-block i, or i + 4. */
struct factors {
    csn_words scales[2];
    csn_words offsets[2];
};

INLINE struct factors unpack_factors(const uint8_t *bytes)
{
    const csn_words six = csn_words_all(0x3f3f3f3f);
    const csn_words four_bits = csn_words_all(0x0f0f0f0f);
    const csn_words two_bits = csn_words_all(0x03030303);
    const csn_words first = csn_words_load(bytes);
    const csn_words second = csn_words_load(bytes + VECTOR);
    const csn_words third = csn_words_load(bytes + 2 * VECTOR);
    const csn_words first_high = csn_words_and(csn_words_down(first, 6), two_bits);
    const csn_words second_high = csn_words_and(csn_words_down(second, 6), two_bits);
    return (struct factors){
        {csn_words_and(first, six),
         csn_words_or(csn_words_and(third, four_bits), csn_words_up(first_high, 4))},
        {csn_words_and(second, six),
         csn_words_or(csn_words_and(csn_words_down(third, 4), four_bits),
                      csn_words_up(second_high, 4))}};
}

/* Sums of 64 columns, which share bytes: 32 in the low halves, 32 in the high ones. */
INLINE void chunk_q4k(const uint8_t *chunk, const int8_t *bytes, uint32_t tokens,
                      csn_words low_factor, csn_words high_factor, csn_words *sums)
{
    const csn_words mask = csn_words_all(0x0f0f0f0f);
    csn_words low[CSN_LLM_TOKENS], high[CSN_LLM_TOKENS];
    for (uint32_t token = 0; token < tokens; token++) {
        low[token] = high[token] = csn_words_all(0);
    }
    for (uint32_t i = 0; i < BLOCK / 4; i++) {
        const csn_words weights = csn_words_load(chunk + i * VECTOR);
        const csn_words lower = csn_words_and(weights, mask);
        const csn_words upper = csn_words_and(csn_words_down(weights, 4), mask);
        for (uint32_t token = 0; token < tokens; token++) {
            const int8_t *at = bytes + token * SUPER + 4 * i;
            low[token] = csn_words_dot(low[token], lower, four(at));
            high[token] = csn_words_dot(high[token], upper, four(at + BLOCK));
        }
    }
    for (uint32_t token = 0; token < tokens; token++) {
        sums[token] = csn_words_add(sums[token], csn_words_mul(low[token], low_factor));
        sums[token] = csn_words_add(sums[token], csn_words_mul(high[token], high_factor));
    }
}

INLINE csn_words offsets_of(const struct factors *factors, const int16_t *pairs)
{
    const csn_words even = csn_words_all(0x00ff00ff);
    csn_words sum = csn_words_all(0);
    for (uint32_t i = 0; i < 2; i++) {
        const csn_words bytes = factors->offsets[i];
        sum = csn_words_add(sum, csn_words_pairs(csn_words_and(bytes, even), two(pairs + 4 * i)));
        sum = csn_words_add(sum, csn_words_pairs(csn_words_and(csn_words_down(bytes, 8), even),
                                                 two(pairs + 4 * i + 2)));
    }
    return sum;
}

INLINE void group_q4k(const uint8_t *group, uint32_t columns, struct part part, uint32_t tokens,
                      csn_floats *sums)
{
    const csn_words byte = csn_words_all(0xff);
    for (uint32_t token = 0; token < tokens; token++) {
        sums[token] = csn_floats_all(0);
    }
    for (uint32_t at = 0; at < columns / SUPER; at++) {
        const struct factors factors = unpack_factors(group + 2 * HALVES);
        csn_words dots[CSN_LLM_TOKENS];
        for (uint32_t token = 0; token < tokens; token++) {
            dots[token] = csn_words_all(0);
        }
        const uint8_t *chunk = group + 2 * HALVES + 3 * VECTOR;
        const int8_t *bytes = part.bytes + at * tokens * SUPER;
        for (uint32_t i = 0; i < 2; i++) {
            const csn_words scales = factors.scales[i];
            chunk_q4k(chunk, bytes, tokens, csn_words_and(scales, byte),
                      csn_words_and(csn_words_down(scales, 8), byte), dots);
            chunk_q4k(chunk + BLOCK / 4 * VECTOR, bytes + 2 * BLOCK, tokens,
                      csn_words_and(csn_words_down(scales, 16), byte), csn_words_down(scales, 24),
                      dots);
            chunk += BLOCK / 2 * VECTOR;
            bytes += 4 * BLOCK;
        }
        const csn_floats scales = csn_floats_load_half(group);
        const csn_floats offsets = csn_floats_load_half(group + HALVES);
        for (uint32_t token = 0; token < tokens; token++) {
            const csn_floats scale = csn_floats_all(part.scales[at * tokens + token]);
            const csn_words taken = offsets_of(&factors, part.pairs + (at * tokens + token) * 8);
            sums[token] = csn_floats_fma(csn_floats_of(dots[token]), csn_floats_mul(scales, scale),
                                         sums[token]);
            sums[token] =
                csn_floats_fnma(csn_floats_of(taken), csn_floats_mul(offsets, scale), sums[token]);
        }
        group = chunk;
    }
}

/*
 * ---- Q6_K: scales, signed factors of each 16 columns; then for each 128 columns, twice: four bits
 * of 16 bytes, two bits of 16, four bits of 16. A byte of these has bits of columns 32 apart.
 * Everything is read in the order in which it lies: otherwise memory is not read ahead. ----
 */

/* Weights of 16 columns, 32 too high; their bits begin at these places of bytes. */
#define WEIGHTS_Q6K(lower, lower_at, upper, upper_at, weights)                                     \
    for (uint32_t i = 0; i < 4; i++) {                                                             \
        const csn_words low = csn_words_and(csn_words_down((lower)[i], lower_at), four_bits);      \
        const csn_words high = csn_words_and(csn_words_down((upper)[i], upper_at), two_bits);      \
        (weights)[i] = csn_words_or(low, csn_words_up(high, 4));                                   \
    }

/* Adds 16 columns. */
INLINE void chunk_q6k(const csn_words *weights, const int8_t *bytes, const int32_t *input_sums,
                      uint32_t tokens, csn_words factor, csn_words *sums)
{
    for (uint32_t token = 0; token < tokens; token++) {
        csn_words dot = csn_words_all(-32 * input_sums[token * 16]);
        for (uint32_t i = 0; i < 4; i++) {
            dot = csn_words_dot(dot, weights[i], four(bytes + token * SUPER + 4 * i));
        }
        sums[token] = csn_words_add(sums[token], csn_words_mul(dot, factor));
    }
}

/* The four 16 columns, 32 apart, of one part; factors are in these bytes of two vectors. */
INLINE void part_q6k(const uint8_t *part, const csn_words *factors, const int8_t *bytes,
                     const int32_t *input_sums, uint32_t tokens, csn_words *sums)
{
    const csn_words four_bits = csn_words_all(0x0f0f0f0f);
    const csn_words two_bits = csn_words_all(0x03030303);
    csn_words first[4], upper[4], second[4], weights[4];
    for (uint32_t i = 0; i < 4; i++) {
        first[i] = csn_words_load(part + i * VECTOR);
        upper[i] = csn_words_load(part + (4 + i) * VECTOR);
        second[i] = csn_words_load(part + (8 + i) * VECTOR);
    }
    WEIGHTS_Q6K(first, 0, upper, 0, weights)
    chunk_q6k(weights, bytes, input_sums, tokens, factors[0], sums);
    WEIGHTS_Q6K(second, 0, upper, 2, weights)
    chunk_q6k(weights, bytes + 32, input_sums + 2, tokens, factors[1], sums);
    WEIGHTS_Q6K(first, 4, upper, 4, weights)
    chunk_q6k(weights, bytes + 64, input_sums + 4, tokens, factors[2], sums);
    WEIGHTS_Q6K(second, 4, upper, 6, weights)
    chunk_q6k(weights, bytes + 96, input_sums + 6, tokens, factors[3], sums);
}

#define BYTE_OF(word, at) csn_words_down_signed(csn_words_up(word, 24 - 8 * (at)), 24)

INLINE void half_q6k(const uint8_t *factors, const uint8_t *parts, const int8_t *bytes,
                     const int32_t *input_sums, uint32_t tokens, csn_words *sums)
{
    const csn_words first = csn_words_load(factors);
    const csn_words second = csn_words_load(factors + VECTOR);
    const csn_words even[4] = {BYTE_OF(first, 0), BYTE_OF(first, 2), BYTE_OF(second, 0),
                               BYTE_OF(second, 2)};
    const csn_words odd[4] = {BYTE_OF(first, 1), BYTE_OF(first, 3), BYTE_OF(second, 1),
                              BYTE_OF(second, 3)};
    part_q6k(parts, even, bytes, input_sums, tokens, sums);
    part_q6k(parts + 12 * VECTOR, odd, bytes + 16, input_sums + 1, tokens, sums);
}

INLINE void group_q6k(const uint8_t *group, uint32_t columns, struct part part, uint32_t tokens,
                      csn_floats *sums)
{
    for (uint32_t token = 0; token < tokens; token++) {
        sums[token] = csn_floats_all(0);
    }
    for (uint32_t at = 0; at < columns / SUPER; at++) {
        csn_words dots[CSN_LLM_TOKENS];
        for (uint32_t token = 0; token < tokens; token++) {
            dots[token] = csn_words_all(0);
        }
        const uint8_t *factors = group + HALVES;
        const uint8_t *parts = factors + 4 * VECTOR;
        const int8_t *bytes = part.bytes + at * tokens * SUPER;
        const int32_t *input_sums = part.sums + at * tokens * 16;
        half_q6k(factors, parts, bytes, input_sums, tokens, dots);
        half_q6k(factors + 2 * VECTOR, parts + 24 * VECTOR, bytes + 128, input_sums + 8, tokens,
                 dots);
        const csn_floats scales = csn_floats_load_half(group);
        for (uint32_t token = 0; token < tokens; token++) {
            const csn_floats scale =
                csn_floats_mul(scales, csn_floats_all(part.scales[at * tokens + token]));
            sums[token] = csn_floats_fma(csn_floats_of(dots[token]), scale, sums[token]);
        }
        group = parts + 48 * VECTOR;
    }
}

/* ---- all ---- */

INLINE void group_of_type(uint32_t type, const uint8_t *group, uint32_t columns, struct part part,
                          uint32_t tokens, csn_floats *sums)
{
    if (type == CSN_GGUF_Q8_0 || type == CSN_GGUF_Q4_0) {
        group_blocks(group, columns, part, tokens, type == CSN_GGUF_Q8_0, sums);
    } else if (type == CSN_GGUF_Q4_K) {
        group_q4k(group, columns, part, tokens, sums);
    } else {
        group_q6k(group, columns, part, tokens, sums);
    }
}

/* Where the values of the tokens from `before` on begin. */
INLINE struct part part_at(const struct csn_llm_inputs *inputs, uint32_t before)
{
    const size_t values = (size_t)before * inputs->column_count;
    const bool is_super = inputs->form == CSN_LLM_SUPER;
    return (struct part){.bytes = inputs->bytes + values,
                         .scales = inputs->scales + values / (is_super ? SUPER : BLOCK),
                         .sums = inputs->sums + values / (is_super ? 16 : BLOCK),
                         .pairs = inputs->pairs + values / BLOCK};
}

/* One group of rows for one group of tokens; both numbers are constants where it is used. */
INLINE void group_store(uint32_t type, const uint8_t *group, const struct csn_llm_inputs *inputs,
                        uint32_t before, uint32_t tokens, float *target, uint32_t stride)
{
    csn_floats sums[CSN_LLM_TOKENS];
    group_of_type(type, group, inputs->column_count, part_at(inputs, before), tokens, sums);
    for (uint32_t token = 0; token < tokens; token++) {
        csn_floats_store(target + (size_t)(before + token) * stride, sums[token]);
    }
}

INLINE void group_each(uint32_t type, const uint8_t *group, const struct csn_llm_inputs *inputs,
                       float *target, uint32_t stride)
{
    for (uint32_t before = 0; before < inputs->token_count;) {
        const uint32_t tokens = csn_llm_tokens_next(CSN_LLM_TOKENS, inputs->token_count - before);
        if (CSN_LLM_TOKENS >= 8 && tokens == 8) {
            group_store(type, group, inputs, before, 8, target, stride);
        } else if (CSN_LLM_TOKENS >= 4 && tokens == 4) {
            group_store(type, group, inputs, before, 4, target, stride);
        } else if (tokens == 2) {
            group_store(type, group, inputs, before, 2, target, stride);
        } else {
            group_store(type, group, inputs, before, 1, target, stride);
        }
        before += tokens;
    }
}

INLINE void multiply_type(uint32_t type, const uint8_t *groups, uint32_t group_count,
                          const struct csn_llm_inputs *inputs, float *target, uint32_t stride)
{
    const size_t size = (size_t)csn_llm_row_size(type, inputs->column_count) * CSN_LLM_LANES;
    for (uint32_t i = 0; i < group_count; i++) {
        group_each(type, groups + i * size, inputs, target + (size_t)i * CSN_LLM_LANES, stride);
    }
}

static void multiply(uint32_t type, const uint8_t *groups, uint32_t group_count,
                     const struct csn_llm_inputs *inputs, float *target, uint32_t stride)
{
    switch (type) {
    case CSN_GGUF_F32:
    case CSN_GGUF_F16:
        CSN_LLM_KERNEL(multiply_floats)(type, groups, group_count, inputs, target, stride);
        break;
    case CSN_GGUF_Q8_0:
        multiply_type(CSN_GGUF_Q8_0, groups, group_count, inputs, target, stride);
        break;
    case CSN_GGUF_Q4_0:
        multiply_type(CSN_GGUF_Q4_0, groups, group_count, inputs, target, stride);
        break;
    case CSN_GGUF_Q4_K:
        multiply_type(CSN_GGUF_Q4_K, groups, group_count, inputs, target, stride);
        break;
    default:
        multiply_type(CSN_GGUF_Q6_K, groups, group_count, inputs, target, stride);
        break;
    }
}

/* ---- inputs ---- */

INLINE void put_values(const float *source, uint32_t columns, uint32_t tokens, bool is_half,
                       float *target)
{
    for (uint32_t column = 0; column < columns; column += CSN_LLM_LANES) {
        float values[CSN_LLM_LANES];
        uint16_t halves[CSN_LLM_LANES];
        csn_floats rounded = csn_floats_load(source + column);
        if (is_half) {
            csn_floats_store_half(halves, rounded);
            rounded = csn_floats_load_half(halves);
        }
        csn_floats_store(values, rounded);
        for (uint32_t i = 0; i < CSN_LLM_LANES; i++) {
            target[(column + i) * tokens] = values[i];
        }
    }
}

INLINE csn_floats magnitude(csn_floats value)
{
    return csn_floats_bits(csn_words_and(csn_words_bits(value), csn_words_all(0x7fffffff)));
}

/* The largest magnitude of count values, a multiple of 16. NaN may be lost, the same way always. */
INLINE float magnitude_max(const float *source, uint32_t count)
{
    float lanes[CSN_LLM_LANES];
    csn_floats largest = csn_floats_all(0);
    for (uint32_t i = 0; i < count; i += CSN_LLM_LANES) {
        largest = csn_floats_max(magnitude(csn_floats_load(source + i)), largest);
    }
    csn_floats_store(lanes, largest);
    for (uint32_t i = 1; i < CSN_LLM_LANES; i++) {
        lanes[0] = lanes[i] > lanes[0] ? lanes[i] : lanes[0];
    }
    return lanes[0];
}

/* Sixteen values times factor as bytes, and their sum. */
INLINE int32_t put_bytes(const float *source, float factor, int8_t *target)
{
    int32_t sum = 0;
    const csn_floats scaled = csn_floats_mul(csn_floats_load(source), csn_floats_all(factor));
    csn_words_store_bytes(target, csn_words_of(scaled));
    for (uint32_t i = 0; i < CSN_LLM_LANES; i++) {
        sum += target[i];
    }
    return sum;
}

INLINE float half_of(float value)
{
    uint16_t halves[CSN_LLM_LANES];
    float values[CSN_LLM_LANES];
    csn_floats_store_half(halves, csn_floats_all(value));
    csn_floats_store(values, csn_floats_load_half(halves));
    return values[0];
}

INLINE float inverse(float largest)
{
    return largest > 0 ? 127 / largest : 0;
}

INLINE void put_blocks(const float *source, uint32_t columns, uint32_t tokens, int8_t *bytes,
                       float *scales, int32_t *sums)
{
    for (uint32_t at = 0; at < columns / BLOCK; at++) {
        const float *values = source + at * BLOCK;
        int8_t *target = bytes + at * tokens * BLOCK;
        const float largest = magnitude_max(values, BLOCK);
        const float factor = inverse(largest);
        scales[at * tokens] = half_of(largest / 127);
        sums[at * tokens] = put_bytes(values, factor, target);
        sums[at * tokens] += put_bytes(values + 16, factor, target + 16);
    }
}

INLINE void put_supers(const float *source, uint32_t columns, uint32_t tokens, int8_t *bytes,
                       float *scales, int32_t *sums, int16_t *pairs)
{
    static const uint8_t order[8] = {0, 2, 1, 3, 4, 6, 5, 7};
    for (uint32_t at = 0; at < columns / SUPER; at++) {
        const float *values = source + at * SUPER;
        int32_t *block_sums = sums + at * tokens * 16;
        const float factor = inverse(magnitude_max(values, SUPER));
        scales[at * tokens] = factor > 0 ? 1 / factor : 0;
        for (uint32_t i = 0; i < 16; i++) {
            block_sums[i] =
                put_bytes(values + 16 * i, factor, bytes + at * tokens * SUPER + 16 * i);
        }
        for (uint32_t i = 0; i < 8; i++) {
            const uint32_t from = 2u * order[i];
            pairs[at * tokens * 8 + i] = (int16_t)(block_sums[from] + block_sums[from + 1]);
        }
    }
}

static void prepare(struct csn_llm_inputs *inputs, enum csn_llm_form form, const float *source,
                    uint32_t stride)
{
    const uint32_t columns = inputs->column_count;
    inputs->form = form;
    for (uint32_t before = 0; before < inputs->token_count;) {
        const uint32_t tokens = csn_llm_tokens_next(CSN_LLM_TOKENS, inputs->token_count - before);
        const size_t values = (size_t)before * columns;
        for (uint32_t token = 0; token < tokens; token++) {
            const float *from = source + (size_t)(before + token) * stride;
            if (form == CSN_LLM_SINGLE || form == CSN_LLM_HALF) {
                put_values(from, columns, tokens, form == CSN_LLM_HALF,
                           inputs->values + values + token);
            } else if (form == CSN_LLM_BLOCK) {
                put_blocks(from, columns, tokens, inputs->bytes + values + token * BLOCK,
                           inputs->scales + values / BLOCK + token,
                           inputs->sums + values / BLOCK + token);
            } else {
                put_supers(from, columns, tokens, inputs->bytes + values + token * SUPER,
                           inputs->scales + values / SUPER + token,
                           inputs->sums + values / 16 + token * 16,
                           inputs->pairs + values / BLOCK + token * 8);
            }
        }
        before += tokens;
    }
}

const struct csn_llm_matrix_kernel CSN_LLM_KERNEL(matrix) = {prepare, multiply};
