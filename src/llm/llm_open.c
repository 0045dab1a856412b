/* SPDX-License-Identifier: Apache-2.0 */
/* llm_open.c: what a file says of its model, and whether its tensors are those of such a model. */
#include "llm_kernel.h"

#define LANES CSN_LLM_LANES

const char *csn_llm_reason_text(enum csn_llm_reason reason)
{
    static const char *const texts[] = {
        [CSN_LLM_SOUND] = "sound",
        [CSN_LLM_FILE] = "no sound GGUF file",
        [CSN_LLM_ARCHITECTURE] = "another architecture than llama",
        [CSN_LLM_KEY] = "a key that is missing, of another type or out of range",
        [CSN_LLM_SCALING] = "a way of scaling positions that is not supported",
        [CSN_LLM_TENSOR] = "a tensor that a llama does not have, or has once only",
        [CSN_LLM_TENSOR_TYPE] = "a type of weights that is not supported there",
        [CSN_LLM_TENSOR_SHAPE] = "a tensor of another shape than the model's",
        [CSN_LLM_MISSING] = "a tensor is missing",
        [CSN_LLM_MIXED] = "some matrices are laid out for the kernels, some are not",
    };
    return reason < sizeof texts / sizeof texts[0] ? texts[reason] : "undefined";
}

static csn_err fault_key(struct csn_llm_fault *fault, enum csn_llm_reason reason, const char *key)
{
    *fault = (struct csn_llm_fault){.reason = reason, .key = key};
    return reason == CSN_LLM_KEY || reason == CSN_LLM_MISSING ? CSN_ERR_FORMAT : CSN_ERR_UNKNOWN;
}

static csn_err fault_at(struct csn_llm_fault *fault, enum csn_llm_reason reason,
                        const struct csn_gguf_tensor *tensor)
{
    *fault = (struct csn_llm_fault){.reason = reason, .offset = tensor->type_offset};
    return reason == CSN_LLM_TENSOR_TYPE ? CSN_ERR_UNKNOWN : CSN_ERR_FORMAT;
}

/* ---- keys ---- */

struct count_key {
    const char *key;
    uint32_t offset; /* in the configuration */
    uint32_t max;
    bool is_optional;
};
#define CONFIG(name) ((uint32_t)offsetof(struct csn_llm_config, name))
/* Head and rope size and vocabulary follow from others where they are not there. */
static const struct count_key count_keys[] = {
    {"llama.block_count", CONFIG(layer_count), CSN_LLM_LAYER_MAX, false},
    {"llama.embedding_length", CONFIG(width), CSN_LLM_WIDTH_MAX, false},
    {"llama.feed_forward_length", CONFIG(inner), CSN_LLM_INNER_MAX, false},
    {"llama.attention.head_count", CONFIG(head_count), CSN_LLM_HEAD_MAX, false},
    {"llama.attention.head_count_kv", CONFIG(kv_head_count), CSN_LLM_HEAD_MAX, true},
    {"llama.context_length", CONFIG(position_max), INT32_MAX, false},
    {"llama.attention.key_length", CONFIG(head_size), CSN_LLM_HEAD_SIZE_MAX, true},
    {"llama.rope.dimension_count", CONFIG(rope_size), CSN_LLM_HEAD_SIZE_MAX, true},
    {"llama.vocab_size", CONFIG(vocab_count), CSN_LLM_VOCAB_MAX, true},
};

static csn_err read_counts(const struct csn_gguf *file, struct csn_llm_config *config,
                           struct csn_llm_fault *fault)
{
    for (uint32_t i = 0; i < sizeof count_keys / sizeof count_keys[0]; i++) {
        const struct count_key *key = &count_keys[i];
        struct csn_gguf_value value;
        int64_t number = 0;
        if (!csn_gguf_find(file, key->key, &value)) {
            if (!key->is_optional) {
                return fault_key(fault, CSN_LLM_KEY, key->key);
            }
            continue;
        }
        if (!csn_gguf_integer(&value, &number) || number < 1 || number > key->max) {
            return fault_key(fault, CSN_LLM_KEY, key->key);
        }
        const uint32_t count = (uint32_t)number;
        __builtin_memcpy((uint8_t *)config + key->offset, &count, sizeof count);
    }
    return CSN_OK;
}

/* A number within bounds, or what stands in for it if there is none; 0: it must be there. */
static bool read_float(const struct csn_gguf *file, const char *key, double min, double max,
                       double instead, float *number)
{
    struct csn_gguf_value value;
    double found = instead;
    if (csn_gguf_find(file, key, &value) && !csn_gguf_float(&value, &found)) {
        return false;
    }
    *number = (float)found;
    return found >= min && found <= max;
}

static csn_err read_rope(const struct csn_gguf *file, struct csn_llm_config *config,
                         struct csn_llm_fault *fault)
{
    struct csn_gguf_value value;
    float factor = 1;
    bool is_scaled = false;
    if (!read_float(file, "llama.rope.freq_base", 1, 1e12, 10000, &config->rope_base)) {
        return fault_key(fault, CSN_LLM_KEY, "llama.rope.freq_base");
    }
    if (csn_gguf_find(file, "llama.rope.scaling.type", &value)) {
        is_scaled = csn_gguf_is(&value, "linear");
        if (!is_scaled && !csn_gguf_is(&value, "none")) {
            return fault_key(fault, CSN_LLM_SCALING, "llama.rope.scaling.type");
        }
    }
    if (!read_float(file, "llama.rope.scaling.factor", 1, 1e6, 1, &factor)) {
        return fault_key(fault, CSN_LLM_KEY, "llama.rope.scaling.factor");
    }
    config->rope_scale = is_scaled ? 1 / factor : 1;
    if (csn_gguf_find(file, "llama.rope.scale_linear", &value)) { /* its old name */
        return fault_key(fault, CSN_LLM_SCALING, "llama.rope.scale_linear");
    }
    return CSN_OK;
}

/* What other keys could say that would change the model. */
static csn_err check_others(const struct csn_gguf *file, const struct csn_llm_config *config,
                            struct csn_llm_fault *fault)
{
    struct csn_gguf_value value;
    int64_t number = 0;
    if (csn_gguf_find(file, "llama.attention.value_length", &value) &&
        (!csn_gguf_integer(&value, &number) || number != config->head_size)) {
        return fault_key(fault, CSN_LLM_KEY, "llama.attention.value_length");
    }
    if (csn_gguf_find(file, "llama.expert_count", &value) &&
        (!csn_gguf_integer(&value, &number) || number != 0)) {
        return fault_key(fault, CSN_LLM_ARCHITECTURE, "llama.expert_count");
    }
    static const char *const scales[] = {"llama.logit_scale", "llama.residual_scale",
                                         "llama.embedding_scale", "llama.attention.scale"};
    for (uint32_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        if (csn_gguf_find(file, scales[i], &value)) {
            return fault_key(fault, CSN_LLM_ARCHITECTURE, scales[i]);
        }
    }
    return CSN_OK;
}

static csn_err read_vocab(const struct csn_gguf *file, struct csn_llm_config *config,
                          struct csn_llm_fault *fault)
{
    struct csn_gguf_value value;
    if (!csn_gguf_find(file, "tokenizer.ggml.tokens", &value)) {
        return config->vocab_count != 0 ? CSN_OK
                                        : fault_key(fault, CSN_LLM_KEY, "tokenizer.ggml.tokens");
    }
    const bool is_sound = value.type == CSN_GGUF_ARRAY && value.element == CSN_GGUF_STRING &&
                          value.count > 0 && value.count <= CSN_LLM_VOCAB_MAX &&
                          (config->vocab_count == 0 || config->vocab_count == value.count);
    config->vocab_count = (uint32_t)value.count;
    return is_sound ? CSN_OK : fault_key(fault, CSN_LLM_KEY, "tokenizer.ggml.tokens");
}

static csn_err read_config(const struct csn_gguf *file, struct csn_llm_config *config,
                           struct csn_llm_fault *fault)
{
    struct csn_gguf_value value;
    if (!csn_gguf_find(file, "general.architecture", &value) || !csn_gguf_is(&value, "llama")) {
        return fault_key(fault, CSN_LLM_ARCHITECTURE, "general.architecture");
    }
    CSN_TRY(read_counts(file, config, fault));
    CSN_TRY(read_vocab(file, config, fault));
    CSN_TRY(read_rope(file, config, fault));
    if (!read_float(file, "llama.attention.layer_norm_rms_epsilon", 0, 1, -1, &config->epsilon)) {
        return fault_key(fault, CSN_LLM_KEY, "llama.attention.layer_norm_rms_epsilon");
    }
    config->kv_head_count = config->kv_head_count == 0 ? config->head_count : config->kv_head_count;
    config->head_size =
        config->head_size == 0 ? config->width / config->head_count : config->head_size;
    config->rope_size = config->rope_size == 0 ? config->head_size : config->rope_size;
    CSN_TRY(check_others(file, config, fault));
    if (config->head_count % config->kv_head_count != 0) {
        return fault_key(fault, CSN_LLM_KEY, "llama.attention.head_count_kv");
    }
    if (config->head_size == 0 || config->head_size % LANES != 0 ||
        config->head_size > CSN_LLM_HEAD_SIZE_MAX || config->rope_size > config->head_size ||
        config->rope_size % 2 != 0) {
        return fault_key(fault, CSN_LLM_KEY, "llama.rope.dimension_count");
    }
    if (config->width % LANES != 0 || config->inner % LANES != 0) {
        return fault_key(fault, CSN_LLM_KEY, "llama.embedding_length");
    }
    return CSN_OK;
}

/* ---- tensors ---- */

/* What a tensor is to be: a vector if there are no rows. */
struct place {
    const char *name; /* after "blk.N.", if it is of a layer */
    uint32_t offset;  /* in the model or in the layer */
    uint32_t columns; /* of these, as a configuration */
    uint32_t rows;
};
enum { WIDTH, INNER, QUERY, KEY, VOCAB, ROPE, NO_ROWS, SIZE_COUNT };

#define LAYER(field) ((uint32_t)offsetof(struct csn_llm_layer, field))
#define MODEL(field) ((uint32_t)offsetof(struct csn_llm_model, field))
static const struct place layer_places[] = {
    {"attn_norm.weight", LAYER(attention_norm), WIDTH, NO_ROWS},
    {"ffn_norm.weight", LAYER(inner_norm), WIDTH, NO_ROWS},
    {"attn_q.weight", LAYER(query), WIDTH, QUERY},
    {"attn_k.weight", LAYER(key), WIDTH, KEY},
    {"attn_v.weight", LAYER(value), WIDTH, KEY},
    {"attn_output.weight", LAYER(merge), QUERY, WIDTH},
    {"ffn_gate.weight", LAYER(gate), WIDTH, INNER},
    {"ffn_up.weight", LAYER(up), WIDTH, INNER},
    {"ffn_down.weight", LAYER(down), INNER, WIDTH},
};
static const struct place model_places[] = {
    {"token_embd.weight", MODEL(embedding), WIDTH, VOCAB},
    {"output_norm.weight", MODEL(norm), WIDTH, NO_ROWS},
    {"output.weight", MODEL(output), WIDTH, VOCAB},
    {"rope_freqs.weight", MODEL(rope_factors), ROPE, NO_ROWS},
};
#define LAYER_PLACES (sizeof layer_places / sizeof layer_places[0])
#define MODEL_PLACES (sizeof model_places / sizeof model_places[0])

static bool is_named(const char *name, const uint8_t *bytes, uint32_t size)
{
    uint32_t at = 0;
    while (at < size && name[at] != '\0' && (uint8_t)name[at] == bytes[at]) {
        at++;
    }
    return at == size && name[at] == '\0';
}

/* "blk.N." in front of a name, N without zeros in front; its size, or 0. */
static uint32_t layer_prefix(const struct csn_gguf_tensor *tensor, uint32_t *layer)
{
    uint32_t at = 4;
    *layer = 0;
    if (tensor->name_size < 6 || !is_named("blk.", tensor->name, 4)) {
        return 0;
    }
    for (; at < tensor->name_size && at < 4 + 3; at++) {
        const uint32_t digit = (uint32_t)tensor->name[at] - '0';
        if (digit > 9 || (digit == 0 && at == 4 && tensor->name[5] != '.')) {
            break;
        }
        *layer = *layer * 10 + digit;
    }
    return at > 4 && at < tensor->name_size && tensor->name[at] == '.' ? at + 1 : 0;
}

static const struct place *find_place(const struct place *places, size_t count, const uint8_t *name,
                                      uint32_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (is_named(places[i].name, name, size)) {
            return &places[i];
        }
    }
    return NULL;
}

static uint64_t size_of(const struct csn_llm_config *config, uint32_t what)
{
    const uint64_t sizes[SIZE_COUNT] = {[WIDTH] = config->width,
                                        [INNER] = config->inner,
                                        [QUERY] = config->head_count * config->head_size,
                                        [KEY] = config->kv_head_count * config->head_size,
                                        [VOCAB] = config->vocab_count,
                                        [ROPE] = config->rope_size / 2,
                                        [NO_ROWS] = 1};
    return sizes[what];
}

/* Puts a tensor where it belongs, which must be empty. */
static csn_err put_tensor(struct csn_llm_model *model, const struct csn_gguf_tensor *tensor,
                          const struct place *place, uint8_t *base, struct csn_llm_fault *fault)
{
    const uint64_t columns = size_of(&model->config, place->columns);
    const uint64_t rows = size_of(&model->config, place->rows);
    const bool is_matrix = place->rows != NO_ROWS;
    const uint8_t *bytes = model->file.bytes + tensor->offset;
    const uint8_t *before;
    __builtin_memcpy(&before, base + place->offset, sizeof before);
    if (before != NULL) {
        return fault_at(fault, CSN_LLM_TENSOR, tensor);
    }
    if (tensor->dimension_count != (is_matrix ? 2 : 1) || tensor->dimensions[0] != columns ||
        tensor->dimensions[1] != rows) {
        return fault_at(fault, CSN_LLM_TENSOR_SHAPE, tensor);
    }
    if (!is_matrix) {
        __builtin_memcpy(base + place->offset, &bytes, sizeof bytes);
        return tensor->type == CSN_GGUF_F32 ? CSN_OK : fault_at(fault, CSN_LLM_TENSOR_TYPE, tensor);
    }
    const bool is_arranged = tensor->type >= CSN_GGUF_ARRANGED;
    if (model->matrix_count > 0 && is_arranged != model->is_arranged) {
        return fault_at(fault, CSN_LLM_MIXED, tensor);
    }
    const struct csn_llm_matrix matrix = {bytes,
                                          tensor->type - (is_arranged ? CSN_GGUF_ARRANGED : 0),
                                          (uint32_t)rows, (uint32_t)columns};
    __builtin_memcpy(base + place->offset, &matrix, sizeof matrix);
    model->is_arranged = is_arranged;
    model->matrix_count++;
    return CSN_OK;
}

static csn_err take_tensor(struct csn_llm_model *model, const struct csn_gguf_tensor *tensor,
                           struct csn_llm_fault *fault)
{
    uint32_t layer = 0;
    const uint32_t prefix = layer_prefix(tensor, &layer);
    const struct place *place =
        prefix > 0 ? find_place(layer_places, LAYER_PLACES, tensor->name + prefix,
                                tensor->name_size - prefix)
                   : find_place(model_places, MODEL_PLACES, tensor->name, tensor->name_size);
    if (place == NULL || (prefix > 0 && layer >= model->config.layer_count)) {
        return fault_at(fault, CSN_LLM_TENSOR, tensor);
    }
    uint8_t *base = prefix > 0 ? (uint8_t *)&model->layers[layer] : (uint8_t *)model;
    return put_tensor(model, tensor, place, base, fault);
}

static csn_err check_present(const struct csn_llm_model *model, struct csn_llm_fault *fault)
{
    const uint8_t *bytes;
    for (uint32_t layer = 0; layer < model->config.layer_count; layer++) {
        const uint8_t *base = (const uint8_t *)&model->layers[layer];
        for (size_t i = 0; i < LAYER_PLACES; i++) {
            __builtin_memcpy(&bytes, base + layer_places[i].offset, sizeof bytes);
            if (bytes == NULL) {
                return fault_key(fault, CSN_LLM_MISSING, layer_places[i].name);
            }
        }
    }
    if (model->embedding.bytes == NULL || model->norm == NULL) {
        return fault_key(fault, CSN_LLM_MISSING,
                         model->norm == NULL ? "output_norm.weight" : "token_embd.weight");
    }
    return CSN_OK;
}

csn_err csn_llm_open(struct csn_llm_model *model, const void *bytes, uint64_t size,
                     struct csn_llm_fault *fault)
{
    struct csn_gguf_tensor tensor;
    uint64_t cursor = 0;
    __builtin_memset(model, 0, sizeof *model);
    *fault = (struct csn_llm_fault){.reason = CSN_LLM_FILE};
    CSN_TRY(csn_gguf_open(&model->file, bytes, size, &fault->offset));
    CSN_TRY(read_config(&model->file, &model->config, fault));
    while (csn_gguf_tensor(&model->file, &cursor, &tensor)) {
        CSN_TRY(take_tensor(model, &tensor, fault));
    }
    CSN_TRY(check_present(model, fault));
    if (model->output.bytes == NULL) {
        model->output = model->embedding;
    }
    *fault = (struct csn_llm_fault){.reason = CSN_LLM_SOUND};
    return CSN_OK;
}
