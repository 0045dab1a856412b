/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made.h: GGUF files with random weights, made in memory. Without a library, so that an image can
 * make its own. scripts/make_gguf.py makes such files for others; the weights differ.
 */
#ifndef CSN_TESTS_LLM_MADE_H
#define CSN_TESTS_LLM_MADE_H

#include "llm/llm.h"

struct made_options {
    uint32_t type;        /* CSN_GGUF_* of all matrices */
    uint32_t output_type; /* of the last one; 0 is CSN_GGUF_F32, MADE_SAME as all, MADE_TIED none */
    uint32_t value_type;  /* of "attn_v", likewise, but for MADE_TIED */
    uint32_t layers, width, inner, heads, kv_heads, vocab;
    uint32_t head_size; /* 0: width / heads, and no key says so */
    uint64_t seed;
    bool has_factors; /* rope_freqs.weight */
};
#define MADE_SAME UINT32_MAX
#define MADE_TIED (UINT32_MAX - 1)

/* Writes a file into target if it fits in room; returns its size in any case. */
uint64_t made_gguf(const struct made_options *options, uint8_t *target, uint64_t room);

#endif
