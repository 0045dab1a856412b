/* SPDX-License-Identifier: Apache-2.0 */
/*
 * train.h: a small language model from nothing: made-up text, a vocabulary learnt from it,
 * training, and a GGUF file. Runs on its owner's machine, before anything is sealed; no part of any
 * enclave.
 *
 * Repeats: the same seed and sizes give the same file, however many threads there are.
 * Memory:  what main() allocates lives until the program ends.
 */
#ifndef MODEL_TRAIN_H
#define MODEL_TRAIN_H

#include "vocab/vocab.h"
#include <stddef.h>
#include <stdint.h>

void *train_take(size_t size); /* zeroed, 64-byte aligned; ends the program if there is none */

/* ---- numbers ---- */
struct train_random {
    uint64_t state;
};
uint32_t train_below(struct train_random *random, uint32_t bound);
float train_normal(struct train_random *random);

/* ---- train_text.c: what the model is to learn ---- */
#define TRAIN_TEXT_MAX 4096u
/* One text: a story, or some turns of talk. Returns its size. */
uint32_t train_text(struct train_random *random, char text[TRAIN_TEXT_MAX]);

/* ---- train_pieces.c: a vocabulary of the kind SPM ---- */
#define TRAIN_BEGIN 1u
#define TRAIN_END   2u
struct train_pieces {
    uint32_t count;
    char (*texts)[64];
    float *scores;
    uint32_t *types;
    struct csn_vocab vocab;
};
void train_pieces(struct train_pieces *pieces, const char *text, uint32_t size, uint32_t count);
uint32_t train_tokens(const struct train_pieces *pieces, const char *text, uint32_t size,
                      uint32_t *tokens, uint32_t token_max);

/* ---- train_matrix.c: rows lie one behind the other ---- */
/* to[m][n] += left[m][k] * right[k][n] */
void train_multiply(float *to, const float *left, const float *right, size_t m, size_t k, size_t n);
void train_transpose(float *to, const float *from, size_t rows, size_t columns);

/* ---- train_network.c ---- */
struct train_shape {
    uint32_t vocab, width, inner, layers, heads, kv_heads, context;
};
/* Offsets, in floats, of what is learnt. */
struct train_layout {
    size_t embedding;
    size_t norm;
    size_t layer; /* the first; each next layer_size behind */
    size_t layer_size;
    size_t attention_norm, query, key, value, merge, inner_norm, gate, up, down; /* in a layer */
    size_t size;
};
struct train_layout train_lay_out(const struct train_shape *shape);

/* One thread's: some sequences at once. */
struct train_lane {
    struct train_shape shape;
    struct train_layout layout;
    uint32_t sequences;
    const float *weights;
    float *gradient;        /* added to */
    const uint32_t *tokens; /* sequences times (context + 1) */
    double loss;            /* sum over tokens, in nats */
    float *memory;
};
size_t train_lane_floats(const struct train_shape *shape, uint32_t sequences);
/* Loss, and its gradient, divided by `scale`. */
void train_step(struct train_lane *lane, float scale);

/* ---- train_gguf.c ---- */
enum train_type {
    TRAIN_F32,
    TRAIN_F16,
    TRAIN_Q8_0,
};
int train_write(const char *path, const struct train_shape *shape, const float *weights,
                const struct train_pieces *pieces, enum train_type type);

#endif
