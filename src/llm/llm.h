/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm.h: inference with models of the llama architecture, weights as in a GGUF file.
 *
 * What is here turns tokens at positions of slots into logits. What tokens are, which one is
 * chosen and whose turn it is, is its caller's.
 *
 * Trust:    the file is a tenant's and is checked whole by csn_llm_open(); its numbers may be
 *           anything, and so may logits be: infinite and NaN too.
 * Threads:  an opened model is read only; a context is one thread's.
 * Time:     which instructions run and which memory is touched depends on shapes, positions and
 *           the items of a batch, and, with a token, on one row of the embedding that is read. It
 *           does not depend on weights or activations.
 * Memory:   no allocation, no recursion; what a context needs is known before it begins.
 * Repeats:  logits of an item depend on the model and the tokens of its slot up to it, to the last
 *           bit: not on how they came in batches, nor what else was in these, nor which kernels
 *           run.
 * Builds:   freestanding and hosted, same source. Needs AVX2 and FMA.
 */
#ifndef CSN_LLM_H
#define CSN_LLM_H

#include "gguf.h"
#include <caisson/wire/boot.h>

#define CSN_LLM_FEATURES      (CSN_WIRE_FEATURE_AVX2 | CSN_WIRE_FEATURE_FMA) /* needed */
#define CSN_LLM_LAYER_MAX     128u
#define CSN_LLM_WIDTH_MAX     16384u
#define CSN_LLM_INNER_MAX     65536u
#define CSN_LLM_VOCAB_MAX     0x100000u
#define CSN_LLM_HEAD_MAX      256u
#define CSN_LLM_HEAD_SIZE_MAX 256u /* a multiple of 16 */
#define CSN_LLM_POSITION_MAX  131072u
#define CSN_LLM_SLOT_MAX      1024u
#define CSN_LLM_BATCH_MAX     1024u
#define CSN_LLM_ALIGNMENT     64u /* of a context's memory; of a file's, 8 */

/* What a file says of its model. */
struct csn_llm_config {
    uint32_t vocab_count;
    uint32_t layer_count;
    uint32_t width; /* of the residual stream */
    uint32_t inner; /* width inside the feed-forward part */
    uint32_t head_count;
    uint32_t kv_head_count; /* divides head_count */
    uint32_t head_size;
    uint32_t rope_size;    /* how much of a head turns with its position */
    uint32_t position_max; /* that it was trained for */
    float rope_base;
    float rope_scale; /* positions are multiplied by it */
    float epsilon;    /* of the norms */
};

/* A matrix: row_count outputs of column_count inputs each. */
struct csn_llm_matrix {
    const uint8_t *bytes;
    uint32_t type; /* CSN_GGUF_* less CSN_GGUF_ARRANGED */
    uint32_t row_count;
    uint32_t column_count;
};

struct csn_llm_layer {
    const uint8_t *attention_norm, *inner_norm; /* floats, unaligned */
    struct csn_llm_matrix query, key, value, merge;
    struct csn_llm_matrix gate, up, down;
};

/* A checked file; its memory stays the caller's and must outlive the model. */
struct csn_llm_model {
    struct csn_gguf file;
    struct csn_llm_config config;
    struct csn_llm_matrix embedding, output; /* may be the same */
    const uint8_t *norm;
    const uint8_t *rope_factors; /* NULL: none */
    struct csn_llm_layer layers[CSN_LLM_LAYER_MAX];
    uint32_t matrix_count;
    bool is_arranged;
};

/* What is wrong with a file that is sound GGUF but no model of ours. */
enum csn_llm_reason {
    CSN_LLM_SOUND,
    CSN_LLM_FILE,         /* no sound GGUF; offset */
    CSN_LLM_ARCHITECTURE, /* another one than llama */
    CSN_LLM_KEY,          /* a key that is missing, of another type, or out of range */
    CSN_LLM_SCALING,      /* a way of scaling positions that is not here */
    CSN_LLM_TENSOR,       /* one that a llama does not have, or that is there twice; offset */
    CSN_LLM_TENSOR_TYPE,  /* offset */
    CSN_LLM_TENSOR_SHAPE, /* offset */
    CSN_LLM_MISSING,      /* a tensor is */
    CSN_LLM_MIXED,        /* some matrices are arranged, and some are not */
};

struct csn_llm_fault {
    enum csn_llm_reason reason;
    const char *key; /* which key, or NULL */
    uint64_t offset; /* in the file */
};

const char *csn_llm_reason_text(enum csn_llm_reason reason);

/* Reads and checks all of a file. CSN_ERR_FORMAT, CSN_ERR_LIMIT or CSN_ERR_UNKNOWN, with why. */
CSN_MUST_USE csn_err csn_llm_open(struct csn_llm_model *model, const void *bytes, uint64_t size,
                                  struct csn_llm_fault *fault);

/*
 * Lays out the matrices of a file for the kernels, in place; once, by who packs a file or by who
 * has just loaded one (where is_arranged says false). bytes are those of the model. scratch:
 * csn_llm_arrange_size() bytes.
 */
uint64_t csn_llm_arrange_size(const struct csn_llm_model *model);
CSN_MUST_USE csn_err csn_llm_arrange(struct csn_llm_model *model, void *bytes, void *scratch,
                                     uint64_t scratch_size);

struct csn_llm_options {
    uint64_t features;     /* CSN_WIRE_FEATURE_* of the machine */
    uint32_t slot_count;   /* sessions that can be held */
    uint32_t position_max; /* tokens in each of them */
    uint32_t batch_max;    /* items in one evaluation */
    uint32_t logits_max;   /* of these, how many can have logits */
};

/* One token to be read. */
struct csn_llm_item {
    uint32_t slot;
    uint32_t position; /* the next one of its slot, counting items before it in the batch */
    uint32_t token;
    bool wants_logits; /* what comes after it */
};

struct csn_llm; /* in llm_state.h: a context's memory begins with it */

/* Bytes that a context takes; 0: options or configuration are out of range. */
uint64_t csn_llm_memory(const struct csn_llm_config *config, const struct csn_llm_options *options);

/*
 * Begins a context in memory of at least that size. CSN_ERR_STATE if the model is not arranged,
 * CSN_ERR_MISSING if the machine lacks AVX2 or FMA, CSN_ERR_ARGUMENT, CSN_ERR_SPACE.
 */
CSN_MUST_USE csn_err csn_llm_begin(struct csn_llm **llm, const struct csn_llm_model *model,
                                   const struct csn_llm_options *options, void *memory,
                                   uint64_t size);

/*
 * Reads tokens. CSN_ERR_ARGUMENT for a slot, token or position out of range or order,
 * CSN_ERR_LIMIT for more items or logits than options allow: then nothing has changed.
 */
CSN_MUST_USE csn_err csn_llm_eval(struct csn_llm *llm, const struct csn_llm_item *items,
                                  uint32_t count);

/* vocab_count logits after an item of the last evaluation; NULL: it did not want any. */
const float *csn_llm_logits(const struct csn_llm *llm, uint32_t item);

/* How many tokens a slot holds. */
uint32_t csn_llm_position(const struct csn_llm *llm, uint32_t slot);
/* Takes back what a slot holds from a position on. */
void csn_llm_rewind(struct csn_llm *llm, uint32_t slot, uint32_t position);
/*
 * Empties a slot and wipes whatever came of its tokens: what the slot held, and the scratch and
 * logits of the last evaluation, which other slots' items may share.
 */
void csn_llm_forget(struct csn_llm *llm, uint32_t slot);

#endif
