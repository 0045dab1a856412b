/* SPDX-License-Identifier: Apache-2.0 */
/* llm_state.h: a context, at the beginning of its memory; private to src/llm. */
#ifndef CSN_LLM_STATE_H
#define CSN_LLM_STATE_H

#include "llm_kernel.h"

#define CSN_LLM_NO_LOGITS      UINT32_MAX
#define CSN_LLM_BLOCK_SIZE_MAX 256u

/* What a batch needs, between and within layers. Each is of batch_max tokens if nothing is said. */
struct csn_llm_scratch {
    float *stream;    /* width: what layers add to */
    float *normed;    /* width */
    float *queries;   /* head_count heads */
    float *attended;  /* head_count heads */
    float *keys;      /* kv_head_count heads */
    float *values;    /* kv_head_count heads */
    float *added;     /* width: what a part of a layer adds */
    float *gates;     /* inner */
    float *ups;       /* inner */
    float *turns;     /* rope_size: cosine and sine of each pair */
    float *weights;   /* for one token: positions for each head that shares keys */
    uint16_t *halves; /* for one token: a head */
    float *tail;      /* 16 outputs */
    uint8_t *group;   /* for one matrix: its last rows */
    struct csn_llm_inputs inputs;
    const float *given; /* what the inputs are prepared from */
    float *logits;      /* vocab_count for logits_max tokens */
};

struct csn_llm {
    const struct csn_llm_model *model;
    struct csn_llm_options options;
    struct csn_llm_kernels kernels;
    struct csn_llm_scratch scratch;
    uint8_t *scratch_first; /* all that is wiped */
    uint64_t scratch_size;
    uint32_t tile_count;   /* of 16 positions, in a slot */
    uint64_t plane_size;   /* halves: keys, or values, of one layer of a slot */
    uint16_t *cache;       /* slot by slot, layer by layer, keys and values */
    uint32_t *positions;   /* for each slot: how many it holds */
    uint32_t *logits_rows; /* for each item: which logits, or CSN_LLM_NO_LOGITS */
    float *turn_factors;   /* for each pair: what its angle is divided by */
    float turn_step;       /* from the angle of a pair to that of the next */
    float attention_scale;
    uint32_t count; /* items of the last evaluation */
};

/* llm_attend.c */
uint16_t *csn_llm_plane(const struct csn_llm *llm, uint32_t slot, uint32_t layer, bool is_value);
/* Angles of all positions of a batch. */
void csn_llm_turns(struct csn_llm *llm, const struct csn_llm_item *items, uint32_t count);
/* From the queries, keys and values in the scratch to what was attended to. */
void csn_llm_attend(struct csn_llm *llm, uint32_t layer, const struct csn_llm_item *items,
                    uint32_t count);

#endif
