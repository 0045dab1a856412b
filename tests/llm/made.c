/* SPDX-License-Identifier: Apache-2.0 */
/* made.c: see made.h. */
#include "made.h"

#define ALIGNMENT 32u
#define NAME_MAX  40u

/* What does not fit is counted only. */
struct out {
    uint8_t *bytes;
    uint64_t room;
    uint64_t at;
    uint64_t seed;
};

static void put(struct out *out, const void *bytes, uint64_t size)
{
    if (out->room >= size && out->at <= out->room - size) {
        __builtin_memcpy(out->bytes + out->at, bytes, size);
    }
    out->at += size;
}

static void put_u32(struct out *out, uint32_t value)
{
    put(out, &value, sizeof value);
}

static void put_u64(struct out *out, uint64_t value)
{
    put(out, &value, sizeof value);
}

static void put_text(struct out *out, const char *text)
{
    uint64_t size = 0;
    while (size < NAME_MAX && text[size] != '\0') {
        size++;
    }
    put_u64(out, size);
    put(out, text, size);
}

static void put_pad(struct out *out)
{
    static const uint8_t zeros[ALIGNMENT];
    put(out, zeros, -out->at % ALIGNMENT);
}

/* ---- keys ---- */

static void put_count(struct out *out, const char *key, uint32_t value)
{
    put_text(out, key);
    put_u32(out, CSN_GGUF_UINT32);
    put_u32(out, value);
}

static void put_string(struct out *out, const char *key, const char *value)
{
    put_text(out, key);
    put_u32(out, CSN_GGUF_STRING);
    put_text(out, value);
}

static void put_float(struct out *out, const char *key, float value)
{
    put_text(out, key);
    put_u32(out, CSN_GGUF_FLOAT32);
    put(out, &value, sizeof value);
}

static void put_keys(struct out *out, const struct made_options *options)
{
    put_string(out, "general.architecture", "llama");
    put_count(out, "llama.block_count", options->layers);
    put_count(out, "llama.context_length", 4096);
    put_count(out, "llama.embedding_length", options->width);
    put_count(out, "llama.feed_forward_length", options->inner);
    put_count(out, "llama.attention.head_count", options->heads);
    put_count(out, "llama.attention.head_count_kv", options->kv_heads);
    put_float(out, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    put_count(out, "llama.vocab_size", options->vocab);
    if (options->head_size != 0) {
        put_count(out, "llama.attention.key_length", options->head_size);
    }
}

/* ---- weights ---- */

static uint64_t next(struct out *out)
{
    out->seed ^= out->seed << 13;
    out->seed ^= out->seed >> 7;
    out->seed ^= out->seed << 17;
    return out->seed;
}

/* A half or float of about the size of spread: its exponent, and everything else at random. */
static uint32_t float_near(struct out *out, float spread, bool is_half)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &spread, sizeof bits);
    const uint32_t exponent = bits >> 23 & 255;
    const uint32_t random = (uint32_t)next(out);
    return is_half ? (exponent - 112) << 10 | (random & 0x83ff)
                   : exponent << 23 | (random & 0x807fffff);
}

/* By how much the whole numbers of a block spread on their own. */
static float own_spread(uint32_t type)
{
    return type == CSN_GGUF_Q8_0   ? 74
           : type == CSN_GGUF_Q4_0 ? 4.6f
           : type == CSN_GGUF_Q4_K ? 168
           : type == CSN_GGUF_Q6_K ? 1369
                                   : 1;
}

static void make_block(struct out *out, uint32_t type, float spread, uint8_t *block)
{
    const uint32_t size = csn_gguf_block_size(type);
    const uint16_t scale = (uint16_t)(float_near(out, spread / own_spread(type), true) & 0x7fff);
    const uint16_t offset = (uint16_t)(scale + (3 << 10)); /* eight times that */
    if (type == CSN_GGUF_F32) {
        const uint32_t bits = float_near(out, spread, false);
        __builtin_memcpy(block, &bits, sizeof bits);
        return;
    }
    if (type == CSN_GGUF_F16) {
        const uint16_t bits = (uint16_t)float_near(out, spread, true);
        __builtin_memcpy(block, &bits, sizeof bits);
        return;
    }
    for (uint32_t i = 0; i < size; i += 8) {
        const uint64_t bits = next(out);
        __builtin_memcpy(block + i, &bits, sizeof bits);
    }
    __builtin_memcpy(block + (type == CSN_GGUF_Q6_K ? 208 : 0), &scale, sizeof scale);
    if (type == CSN_GGUF_Q4_K) { /* factors of scale and offset alike */
        __builtin_memcpy(block + 2, &offset, sizeof offset);
        __builtin_memcpy(block + 8, block + 4, 4);
        for (uint32_t i = 12; i < 16; i++) {
            block[i] = (uint8_t)((block[i] & 15) * 17);
        }
    }
}

static float inverse_root(uint32_t count)
{
    float root = 1;
    for (uint32_t i = 0; i < 32; i++) {
        root = (root + (float)count / root) / 2;
    }
    return 1 / root;
}

/* ---- tensors: described in a first round, with their bytes in a second ---- */

struct round {
    struct out *out;
    uint64_t offset; /* of the next tensor */
    uint32_t count;
    bool is_data;
};

static void put_tensor(struct round *round, const char *name, uint32_t type, uint32_t columns,
                       uint32_t rows, float spread)
{
    struct out *out = round->out;
    const uint64_t blocks = (uint64_t)columns / csn_gguf_block_count(type) * (rows == 0 ? 1 : rows);
    const uint64_t size = blocks * csn_gguf_block_size(type);
    round->count++;
    if (!round->is_data) {
        put_text(out, name);
        put_u32(out, rows == 0 ? 1 : 2);
        put_u64(out, columns);
        if (rows != 0) {
            put_u64(out, rows);
        }
        put_u32(out, type);
        put_u64(out, round->offset);
        round->offset += size + -size % ALIGNMENT;
        return;
    }
    uint8_t block[256];
    if (out->room < size || out->at > out->room - size) {
        out->at += size;
    } else {
        for (uint64_t i = 0; i < blocks; i++) {
            make_block(out, type, spread, block);
            put(out, block, csn_gguf_block_size(type));
        }
    }
    put_pad(out);
}

static void put_vector(struct round *round, const char *name, uint32_t count)
{
    struct out *out = round->out;
    if (!round->is_data) {
        put_tensor(round, name, CSN_GGUF_F32, count, 0, 1);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const float value = 0.8f + 0.4f * (float)(next(out) >> 40) * 0x1p-24f;
        put(out, &value, sizeof value);
    }
    put_pad(out);
}

/* "blk.N." and a name. */
static const char *name_of(char *target, uint32_t layer, const char *name)
{
    uint32_t at = 0;
    const char *prefix = "blk.";
    for (; prefix[at] != '\0'; at++) {
        target[at] = prefix[at];
    }
    if (layer >= 100) {
        target[at++] = (char)('0' + layer / 100);
    }
    if (layer >= 10) {
        target[at++] = (char)('0' + layer / 10 % 10);
    }
    target[at++] = (char)('0' + layer % 10);
    target[at++] = '.';
    for (; *name != '\0'; name++) {
        target[at++] = *name;
    }
    target[at] = '\0';
    return target;
}

static void put_layer(struct round *round, const struct made_options *options, uint32_t layer)
{
    char name[NAME_MAX];
    const uint32_t head_size =
        options->head_size != 0 ? options->head_size : options->width / options->heads;
    const uint32_t queries = options->heads * head_size;
    const uint32_t keys = options->kv_heads * head_size;
    const uint32_t width = options->width;
    const uint32_t inner = options->inner;
    const struct {
        const char *name;
        uint32_t columns, rows;
    } matrices[] = {
        {"attn_q.weight", width, queries}, {"attn_k.weight", width, keys},
        {"attn_v.weight", width, keys},    {"attn_output.weight", queries, width},
        {"ffn_gate.weight", width, inner}, {"ffn_up.weight", width, inner},
        {"ffn_down.weight", inner, width},
    };
    put_vector(round, name_of(name, layer, "attn_norm.weight"), width);
    put_vector(round, name_of(name, layer, "ffn_norm.weight"), width);
    for (uint32_t i = 0; i < sizeof matrices / sizeof matrices[0]; i++) {
        const uint32_t type =
            i == 2 && options->value_type != MADE_SAME ? options->value_type : options->type;
        put_tensor(round, name_of(name, layer, matrices[i].name), type, matrices[i].columns,
                   matrices[i].rows, inverse_root(matrices[i].columns));
    }
}

static void put_tensors(struct round *round, const struct made_options *options)
{
    const uint32_t head_size =
        options->head_size != 0 ? options->head_size : options->width / options->heads;
    put_tensor(round, "token_embd.weight", options->type, options->width, options->vocab, 1);
    for (uint32_t layer = 0; layer < options->layers; layer++) {
        put_layer(round, options, layer);
    }
    put_vector(round, "output_norm.weight", options->width);
    if (options->has_factors) {
        put_vector(round, "rope_freqs.weight", head_size / 2);
    }
    if (options->output_type != MADE_TIED) {
        put_tensor(round, "output.weight",
                   options->output_type == MADE_SAME ? options->type : options->output_type,
                   options->width, options->vocab, 4 * inverse_root(options->width));
    }
}

uint64_t made_gguf(const struct made_options *options, uint8_t *target, uint64_t room)
{
    struct out counter = {.seed = 1};
    struct out out = {target, room, 0, options->seed * 2 + 1};
    struct round counted = {.out = &counter};
    struct round described = {.out = &out};
    struct round data = {.out = &out, .is_data = true};
    put_tensors(&counted, options);
    put(&out, "GGUF", 4);
    put_u32(&out, 3);
    put_u64(&out, counted.count);
    put_u64(&out, options->head_size != 0 ? 10 : 9);
    put_keys(&out, options);
    put_tensors(&described, options);
    put_pad(&out);
    put_tensors(&data, options);
    return out.at;
}
