/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm_kernel.h: what is computed in vectors; private to src/llm. Each kernel is one source, built
 * for llm_vector_256.h and for llm_vector_512.h, with the same results to the last bit: lanes are
 * sixteen in both, and every sum has one order. That order is also the same for any number of
 * tokens: each has its own sums.
 */
#ifndef CSN_LLM_KERNEL_H
#define CSN_LLM_KERNEL_H

#include "llm.h"

#define CSN_LLM_LANES 16u

/* How a matrix wants its inputs. */
enum csn_llm_form {
    CSN_LLM_NONE,
    CSN_LLM_SINGLE, /* floats */
    CSN_LLM_HALF,   /* floats, rounded to halves */
    CSN_LLM_BLOCK,  /* blocks of 32: signed bytes, a scale that is a half, a sum */
    CSN_LLM_SUPER,  /* blocks of 256: signed bytes, a scale, sums of each 16 */
};

/*
 * Inputs of a batch of tokens. Tokens are in groups of powers of two, as many as a kernel works on
 * at once; within a group, what belongs together comes token by token: value k of all, value k + 1
 * of all; or block k of all, block k + 1 of all. Each group has columns values for each of its
 * tokens, so that group g begins at the values of the tokens before it.
 */
struct csn_llm_inputs {
    enum csn_llm_form form;
    uint32_t token_count;
    uint32_t column_count;
    float *values;  /* CSN_LLM_SINGLE and CSN_LLM_HALF */
    int8_t *bytes;  /* of blocks */
    float *scales;  /* one a block */
    int32_t *sums;  /* CSN_LLM_BLOCK: one a block; CSN_LLM_SUPER: 16 a block */
    int16_t *pairs; /* CSN_LLM_SUPER: sums of each 32, 0 2 1 3 4 6 5 7 */
};

struct csn_llm_matrix_kernel {
    /* source: column_count floats for each token, stride floats apart. */
    void (*prepare)(struct csn_llm_inputs *inputs, enum csn_llm_form form, const float *source,
                    uint32_t stride);
    /*
     * target[token * stride + row], all rows of group_count groups of 16 from one of them on;
     * matrix->bytes are arranged. The inputs have the form for its type.
     */
    void (*multiply)(uint32_t type, const uint8_t *groups, uint32_t group_count,
                     const struct csn_llm_inputs *inputs, float *target, uint32_t stride);
};

/* Attention of one token, of the query heads that share a head of keys and values. */
struct csn_llm_attention {
    const uint16_t *keys; /* halves, in tiles of 16 positions: a value of each, the next of each */
    const uint16_t *values; /* halves, position by position */
    const float *queries;   /* head by head */
    float *weights;         /* scratch: for each head position_count, rounded up to 16 */
    float *target;          /* as queries */
    uint32_t head_count;
    uint32_t head_size;
    uint32_t position_count;
    float scale;
};

struct csn_llm_row_kernel {
    /* Root of the mean square to one, then times weights (bytes of floats, unaligned). */
    void (*norm)(const float *source, const uint8_t *weights, uint32_t count, float epsilon,
                 float *target);
    void (*add)(float *target, const float *source, uint32_t count);
    /* gate = gate / (1 + exp(-gate)) * up */
    void (*gate)(float *gate, const float *up, uint32_t count);
    void (*attend)(const struct csn_llm_attention *attention);
    /* Rounds to halves; count is a multiple of 16. */
    void (*halve)(const float *source, uint32_t count, uint16_t *target);
    /* The same, and back to floats. */
    void (*round)(float *values, uint32_t count);
};

struct csn_llm_kernels {
    const struct csn_llm_matrix_kernel *matrix;
    const struct csn_llm_row_kernel *row;
};

/* llm_floats.c: multiply() for F32 and F16. */
void csn_llm_multiply_floats_avx2(uint32_t type, const uint8_t *groups, uint32_t group_count,
                                  const struct csn_llm_inputs *inputs, float *target,
                                  uint32_t stride);
void csn_llm_multiply_floats_avx512(uint32_t type, const uint8_t *groups, uint32_t group_count,
                                    const struct csn_llm_inputs *inputs, float *target,
                                    uint32_t stride);

/* The groups of tokens that prepare() made: how many are in the next one. */
static inline uint32_t csn_llm_tokens_next(uint32_t most, uint32_t left)
{
    uint32_t tokens = most;
    while (tokens > left) {
        tokens /= 2;
    }
    return tokens;
}

extern const struct csn_llm_matrix_kernel csn_llm_matrix_avx2, csn_llm_matrix_avx512;
extern const struct csn_llm_row_kernel csn_llm_row_avx2, csn_llm_row_avx512;

/* llm_arrange.c: row_count rows (16 at most, the others become zero) of a matrix into a group. */
void csn_llm_arrange_group(uint32_t type, const uint8_t *rows, uint32_t row_count,
                           uint32_t column_count, uint8_t *group);

/* A block of one row of a group, as it was in the file . */
void csn_llm_collect_block(uint32_t type, const uint8_t *group, uint32_t row, uint32_t block,
                           uint8_t *target);
/* llm_block.c: a block of a file as floats. */
void csn_llm_block_floats(uint32_t type, const uint8_t *block, float *target);

/* Bytes of a row; whole blocks. */
static inline uint32_t csn_llm_row_size(uint32_t type, uint32_t column_count)
{
    switch (type) {
    case CSN_GGUF_F32:
        return column_count * 4;
    case CSN_GGUF_F16:
        return column_count * 2;
    case CSN_GGUF_Q8_0:
        return column_count / 32 * 34;
    case CSN_GGUF_Q4_0:
        return column_count / 32 * 18;
    case CSN_GGUF_Q4_K:
        return column_count / 256 * 144;
    default:
        return column_count / 256 * 210;
    }
}

/* The form that matrices of a type want. */
static inline enum csn_llm_form csn_llm_form_of(uint32_t type)
{
    return type == CSN_GGUF_F32                             ? CSN_LLM_SINGLE
           : type == CSN_GGUF_F16                           ? CSN_LLM_HALF
           : type == CSN_GGUF_Q8_0 || type == CSN_GGUF_Q4_0 ? CSN_LLM_BLOCK
                                                            : CSN_LLM_SUPER;
}

#endif
