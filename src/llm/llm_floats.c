/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm_floats.c: matrix times tokens where weights are floats or halves, for the vectors of
 * CSN_LLM_VECTOR; a lane is a row, as in llm_matrix.c. Each token has two sums, of every other
 * column, which are added at the end.
 */
#include "llm_kernel.h"
#include CSN_LLM_VECTOR

#define INLINE static inline __attribute__((always_inline))
#define VECTOR 64u  /* bytes */
#define HALVES 32u  /* bytes of sixteen halves */
#define CHAINS 2u   /* sums of a token: one alone would wait for itself */
#define PANEL  256u /* columns whose weights stay in the nearest cache for all tokens */
#define SLAB   64u  /* tokens whose sums are kept from panel to panel */

/* What a slab of tokens is multiplied with. */
struct slab {
    const uint8_t *group;
    const struct csn_llm_inputs *inputs;
    uint32_t first; /* token */
    uint32_t end;
    csn_floats sums[SLAB][CHAINS];
};

INLINE csn_floats weights_at(const uint8_t *group, uint32_t column, bool is_half)
{
    return is_half ? csn_floats_load_half(group + column * HALVES)
                   : csn_floats_load(group + column * VECTOR);
}

/* Adds some columns, an even number, to the sums of some tokens, a constant. */
INLINE void panel(struct slab *slab, uint32_t before, uint32_t column, uint32_t end,
                  uint32_t tokens, bool is_half)
{
    const float *values = slab->inputs->values + (size_t)before * slab->inputs->column_count;
    csn_floats sums[CSN_LLM_TOKENS][CHAINS];
    for (uint32_t token = 0; token < tokens; token++) {
        for (uint32_t chain = 0; chain < CHAINS; chain++) {
            sums[token][chain] = slab->sums[before - slab->first + token][chain];
        }
    }
    for (; column < end; column += CHAINS) {
        for (uint32_t chain = 0; chain < CHAINS; chain++) {
            const csn_floats weights = weights_at(slab->group, column + chain, is_half);
            for (uint32_t token = 0; token < tokens; token++) {
                const csn_floats value = csn_floats_all(values[(column + chain) * tokens + token]);
                sums[token][chain] = csn_floats_fma(weights, value, sums[token][chain]);
            }
        }
    }
    for (uint32_t token = 0; token < tokens; token++) {
        for (uint32_t chain = 0; chain < CHAINS; chain++) {
            slab->sums[before - slab->first + token][chain] = sums[token][chain];
        }
    }
}

/* A panel for all tokens of the slab, in the groups that prepare() made. */
INLINE void panel_each(struct slab *slab, uint32_t column, uint32_t end, bool is_half)
{
    for (uint32_t before = slab->first; before < slab->end;) {
        const uint32_t tokens =
            csn_llm_tokens_next(CSN_LLM_TOKENS, slab->inputs->token_count - before);
        if (CSN_LLM_TOKENS >= 8 && tokens == 8) {
            panel(slab, before, column, end, 8, is_half);
        } else if (CSN_LLM_TOKENS >= 4 && tokens == 4) {
            panel(slab, before, column, end, 4, is_half);
        } else if (tokens == 2) {
            panel(slab, before, column, end, 2, is_half);
        } else {
            panel(slab, before, column, end, 1, is_half);
        }
        before += tokens;
    }
}

INLINE void multiply_group(struct slab *slab, float *target, uint32_t stride, bool is_half)
{
    const uint32_t columns = slab->inputs->column_count;
    const uint32_t count = slab->end - slab->first;
    const uint32_t width = count > CSN_LLM_TOKENS ? PANEL : columns;
    for (uint32_t token = 0; token < count; token++) {
        for (uint32_t chain = 0; chain < CHAINS; chain++) {
            slab->sums[token][chain] = csn_floats_all(0);
        }
    }
    for (uint32_t column = 0; column < columns; column += width) {
        const uint32_t end = columns - column < width ? columns : column + width;
        panel_each(slab, column, end, is_half);
    }
    for (uint32_t token = 0; token < count; token++) {
        csn_floats_store(target + (size_t)(slab->first + token) * stride,
                         csn_floats_add(slab->sums[token][0], slab->sums[token][1]));
    }
}

INLINE void multiply_type(const uint8_t *groups, uint32_t group_count,
                          const struct csn_llm_inputs *inputs, float *target, uint32_t stride,
                          bool is_half)
{
    struct slab slab = {.inputs = inputs};
    const size_t size = (size_t)inputs->column_count * (is_half ? HALVES : VECTOR);
    for (uint32_t first = 0; first < inputs->token_count; first += SLAB) {
        const uint32_t left = inputs->token_count - first;
        slab.first = first;
        slab.end = first + (left < SLAB ? left : SLAB);
        for (uint32_t i = 0; i < group_count; i++) {
            slab.group = groups + i * size;
            multiply_group(&slab, target + (size_t)i * CSN_LLM_LANES, stride, is_half);
        }
    }
}

void CSN_LLM_KERNEL(multiply_floats)(uint32_t type, const uint8_t *groups, uint32_t group_count,
                                     const struct csn_llm_inputs *inputs, float *target,
                                     uint32_t stride)
{
    if (type == CSN_GGUF_F16) {
        multiply_type(groups, group_count, inputs, target, stride, true);
    } else {
        multiply_type(groups, group_count, inputs, target, stride, false);
    }
}
