/* SPDX-License-Identifier: Apache-2.0 */
/* train_gguf.c: the model as a GGUF file (version 3). */
#include "train.h"
#include <immintrin.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ALIGNMENT 32u
#define BLOCK     32u /* weights of Q8_0 */

enum {
    KIND_UINT32 = 4,
    KIND_INT32 = 5,
    KIND_FLOAT32 = 6,
    KIND_BOOL = 7,
    KIND_STRING = 8,
    KIND_ARRAY = 9,
};

/* What other programs make of talk; ours knows it by its marks. */
static const char talk[] =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
    "message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

static void put(FILE *file, const void *bytes, size_t size)
{
    fwrite(bytes, 1, size, file); /* whether all of it was written is asked at the end */
}

static void put_u32(FILE *file, uint32_t number)
{
    put(file, &number, sizeof number);
}

static void put_u64(FILE *file, uint64_t number)
{
    put(file, &number, sizeof number);
}

static void put_string(FILE *file, const char *text)
{
    put_u64(file, strlen(text));
    put(file, text, strlen(text));
}

static void key(FILE *file, const char *name, uint32_t kind)
{
    put_string(file, name);
    put_u32(file, kind);
}

static void key_u32(FILE *file, const char *name, uint32_t number)
{
    key(file, name, KIND_UINT32);
    put_u32(file, number);
}

static void key_string(FILE *file, const char *name, const char *text)
{
    key(file, name, KIND_STRING);
    put_string(file, text);
}

static void key_array(FILE *file, const char *name, uint32_t kind, uint64_t count)
{
    key(file, name, KIND_ARRAY);
    put_u32(file, kind);
    put_u64(file, count);
}

static void key_float(FILE *file, const char *name, float number)
{
    key(file, name, KIND_FLOAT32);
    put(file, &number, sizeof number);
}

#define KEY_COUNT 23u
static void put_keys(FILE *file, const struct train_shape *s, const struct train_pieces *pieces,
                     enum train_type type)
{
    static const uint32_t file_types[] = {0, 1, 7};
    const uint8_t no = 0;
    key_string(file, "general.architecture", "llama");
    key_string(file, "general.name", "harbour");
    key_u32(file, "general.file_type", file_types[type]);
    key_u32(file, "llama.context_length", s->context);
    key_u32(file, "llama.embedding_length", s->width);
    key_u32(file, "llama.block_count", s->layers);
    key_u32(file, "llama.feed_forward_length", s->inner);
    key_u32(file, "llama.attention.head_count", s->heads);
    key_u32(file, "llama.attention.head_count_kv", s->kv_heads);
    key_float(file, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    key_u32(file, "llama.rope.dimension_count", s->width / s->heads);
    key_float(file, "llama.rope.freq_base", 10000);
    key_u32(file, "llama.vocab_size", s->vocab);
    key_string(file, "tokenizer.ggml.model", "llama");
    key_string(file, "tokenizer.ggml.pre", "default");
    key_array(file, "tokenizer.ggml.tokens", KIND_STRING, pieces->count);
    for (uint32_t i = 0; i < pieces->count; i++) {
        put_string(file, pieces->texts[i]);
    }
    key_array(file, "tokenizer.ggml.scores", KIND_FLOAT32, pieces->count);
    put(file, pieces->scores, pieces->count * sizeof *pieces->scores);
    key_array(file, "tokenizer.ggml.token_type", KIND_INT32, pieces->count);
    put(file, pieces->types, pieces->count * sizeof *pieces->types);
    key_u32(file, "tokenizer.ggml.bos_token_id", TRAIN_BEGIN);
    key_u32(file, "tokenizer.ggml.eos_token_id", TRAIN_END);
    key_u32(file, "tokenizer.ggml.unknown_token_id", 0);
    key(file, "tokenizer.ggml.add_space_prefix", KIND_BOOL);
    put(file, &no, 1);
    key_string(file, "tokenizer.chat_template", talk);
}

/* ---- tensors ---- */

struct tensor {
    char name[48];
    size_t offset;          /* in the weights */
    uint32_t columns, rows; /* rows 0: a vector */
};

static uint32_t list_layer(const struct train_shape *s, const struct train_layout *l, uint32_t i,
                           struct tensor *tensors)
{
    const uint32_t narrow = s->width / s->heads * s->kv_heads;
    const struct {
        const char *name;
        size_t offset;
        uint32_t columns, rows;
    } parts[] = {
        {"attn_norm", l->attention_norm, s->width, 0}, {"attn_q", l->query, s->width, s->width},
        {"attn_k", l->key, s->width, narrow},          {"attn_v", l->value, s->width, narrow},
        {"attn_output", l->merge, s->width, s->width}, {"ffn_norm", l->inner_norm, s->width, 0},
        {"ffn_gate", l->gate, s->width, s->inner},     {"ffn_up", l->up, s->width, s->inner},
        {"ffn_down", l->down, s->inner, s->width},
    };
    const uint32_t count = sizeof parts / sizeof parts[0];
    for (uint32_t k = 0; k < count; k++) {
        tensors[k] = (struct tensor){.offset = l->layer + i * l->layer_size + parts[k].offset,
                                     .columns = parts[k].columns,
                                     .rows = parts[k].rows};
        snprintf(tensors[k].name, sizeof tensors[k].name, "blk.%u.%s.weight", i, parts[k].name);
    }
    return count;
}

static enum train_type type_of(const struct tensor *tensor, enum train_type type)
{
    return tensor->rows == 0 ? TRAIN_F32 : type;
}

static uint64_t size_of(const struct tensor *tensor, enum train_type type)
{
    const uint64_t count = (uint64_t)tensor->columns * (tensor->rows == 0 ? 1 : tensor->rows);
    switch (type_of(tensor, type)) {
    case TRAIN_F16:
        return 2 * count;
    case TRAIN_Q8_0:
        return count / BLOCK * (2 + BLOCK);
    case TRAIN_F32:
        break;
    }
    return 4 * count;
}

static void put_block(FILE *file, const float *weights)
{
    float most = 0;
    int8_t numbers[BLOCK];
    for (uint32_t i = 0; i < BLOCK; i++) {
        most = fabsf(weights[i]) > most ? fabsf(weights[i]) : most;
    }
    const float scale = most / 127;
    const uint16_t half = _cvtss_sh(scale, 0);
    for (uint32_t i = 0; i < BLOCK; i++) {
        numbers[i] = (int8_t)(scale == 0 ? 0 : lroundf(weights[i] / scale));
    }
    put(file, &half, sizeof half);
    put(file, numbers, sizeof numbers);
}

static void put_tensor(FILE *file, const struct tensor *tensor, const float *weights,
                       enum train_type type)
{
    const size_t count = (size_t)tensor->columns * (tensor->rows == 0 ? 1 : tensor->rows);
    const enum train_type own = type_of(tensor, type);
    static const uint8_t zeros[ALIGNMENT];
    if (own == TRAIN_F32) {
        put(file, weights, 4 * count);
    }
    for (size_t i = 0; own == TRAIN_F16 && i < count; i++) {
        const uint16_t half = _cvtss_sh(weights[i], 0);
        put(file, &half, sizeof half);
    }
    for (size_t i = 0; own == TRAIN_Q8_0 && i < count; i += BLOCK) {
        put_block(file, weights + i);
    }
    put(file, zeros, (ALIGNMENT - size_of(tensor, type) % ALIGNMENT) % ALIGNMENT);
}

static void put_tensors(FILE *file, const struct tensor *tensors, uint32_t count,
                        const float *weights, enum train_type type)
{
    static const uint32_t types[] = {0, 1, 8};
    static const uint8_t zeros[ALIGNMENT];
    uint64_t offset = 0;
    for (uint32_t i = 0; i < count; i++) {
        put_string(file, tensors[i].name);
        put_u32(file, tensors[i].rows == 0 ? 1 : 2);
        put_u64(file, tensors[i].columns);
        if (tensors[i].rows != 0) {
            put_u64(file, tensors[i].rows);
        }
        put_u32(file, types[type_of(&tensors[i], type)]);
        put_u64(file, offset);
        offset += (size_of(&tensors[i], type) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    put(file, zeros, (ALIGNMENT - (uint64_t)ftell(file) % ALIGNMENT) % ALIGNMENT);
    for (uint32_t i = 0; i < count; i++) {
        put_tensor(file, &tensors[i], weights + tensors[i].offset, type);
    }
}

int train_write(const char *path, const struct train_shape *shape, const float *weights,
                const struct train_pieces *pieces, enum train_type type)
{
    const struct train_layout layout = train_lay_out(shape);
    struct tensor tensors[2 + 9 * 32] = {
        {"token_embd.weight", layout.embedding, shape->width, shape->vocab},
        {"output_norm.weight", layout.norm, shape->width, 0},
    };
    uint32_t count = 2;
    for (uint32_t i = 0; i < shape->layers; i++) {
        count += list_layer(shape, &layout, i, tensors + count);
    }
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return -1;
    }
    put(file, "GGUF", 4);
    put_u32(file, 3);
    put_u64(file, count);
    put_u64(file, KEY_COUNT);
    put_keys(file, shape, pieces, type);
    put_tensors(file, tensors, count, weights, type);
    const int failed = ferror(file);
    return fclose(file) != 0 || failed != 0 ? -1 : 0;
}
