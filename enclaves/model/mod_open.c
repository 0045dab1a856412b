/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_open.c: a model's file, as it lies in the worker's memory, becomes a model to talk to. There
 * are as many places for sessions as fit beside it.
 */
#include "mod_state.h"
#include "vocab/vocab_gguf.h"

/* ---- memory beside the file ---- */

struct room {
    uint8_t *at;
    uint64_t left;
};

static void *take(struct room *room, uint64_t size)
{
    const uint64_t rounded = (size + 63) / 64 * 64;
    if (rounded > room->left) {
        return NULL;
    }
    void *taken = room->at;
    room->at += rounded;
    room->left -= rounded;
    return taken;
}

static bool open_vocab(struct mod_worker *worker, struct room *room)
{
    struct csn_vocab_source source;
    const char *key;
    uint32_t index;
    if (csn_vocab_source_gguf(&worker->model.file, &source, &key) != CSN_OK ||
        source.tokens.count != worker->model.config.vocab_count) {
        return false;
    }
    const uint64_t size = csn_vocab_memory(&source);
    void *memory = size != 0 ? take(room, size) : NULL;
    return memory != NULL &&
           csn_vocab_open(&worker->vocab, &source, memory, size, &index) == CSN_OK;
}

static bool begin(struct mod_worker *worker, struct room *room, uint64_t features)
{
    const struct csn_llm_config *config = &worker->model.config;
    struct csn_llm_options options = {
        .features = features,
        .position_max =
            config->position_max < MOD_POSITION_MAX ? config->position_max : MOD_POSITION_MAX,
        .batch_max = MOD_BATCH_MAX,
        .logits_max = MOD_SESSION_MAX,
    };
    worker->weights = take(room, (uint64_t)config->vocab_count * sizeof(uint32_t));
    for (options.slot_count = MOD_SESSION_MAX; options.slot_count > 0; options.slot_count /= 2) {
        const uint64_t size = csn_llm_memory(config, &options);
        if (worker->weights != NULL && size != 0 && size <= room->left) {
            worker->slot_count = options.slot_count;
            worker->position_max = options.position_max;
            return csn_llm_begin(&worker->llm, &worker->model, &options, take(room, size), size) ==
                   CSN_OK;
        }
    }
    return false;
}

/* Matrices are laid out for the kernels, which takes scratch that nobody needs afterwards. */
static bool arrange(struct mod_worker *worker, const struct room *room)
{
    if (worker->model.is_arranged) {
        return true;
    }
    const uint64_t size = csn_llm_arrange_size(&worker->model);
    return size <= room->left &&
           csn_llm_arrange(&worker->model, mod_area(worker, MOD_WEIGHTS_OFFSET), room->at, size) ==
               CSN_OK;
}

/* ---- what it is called, and how it talks ---- */

static bool is_plain(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_';
}

static void read_name(struct mod_worker *worker)
{
    struct csn_gguf_value value;
    worker->name_size = 0;
    if (csn_gguf_find(&worker->model.file, "general.name", &value) &&
        value.type == CSN_GGUF_STRING) {
        for (uint64_t i = 0; i < value.size && worker->name_size < MOD_NAME_MAX; i++) {
            worker->name[worker->name_size++] = is_plain(value.bytes[i]) ? value.bytes[i] : '-';
        }
    }
    if (worker->name_size == 0) {
        __builtin_memcpy(worker->name, "model", 5);
        worker->name_size = 5;
    }
}

static bool find_marks(struct mod_worker *worker, const char *const marks[3])
{
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t token = csn_vocab_find(&worker->vocab, (const uint8_t *)marks[i],
                                              (uint32_t)__builtin_strlen(marks[i]));
        if (token == CSN_VOCAB_NONE ||
            csn_vocab_type_of(&worker->vocab, token) != CSN_VOCAB_CONTROL) {
            return false;
        }
        worker->talk_marks[i] = token;
    }
    return true;
}

static void read_talk(struct mod_worker *worker)
{
    static const char *const chatml[3] = {"<|im_start|>", "<|im_end|>", "<|im_end|>"};
    static const char *const llama3[3] = {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"};
    worker->talk = find_marks(worker, chatml)   ? MOD_TALK_CHATML
                   : find_marks(worker, llama3) ? MOD_TALK_LLAMA3
                                                : MOD_TALK_PLAIN;
}

bool mod_open_language(struct mod_worker *worker, uint64_t size, uint64_t features)
{
    struct room room = {mod_area(worker, MOD_CONTEXT_OFFSET), MOD_CONTEXT_SIZE};
    struct csn_llm_fault fault;
    if (csn_llm_open(&worker->model, mod_area(worker, MOD_WEIGHTS_OFFSET), size, &fault) !=
            CSN_OK ||
        !arrange(worker, &room) || !open_vocab(worker, &room) || !begin(worker, &room, features)) {
        return false;
    }
    read_name(worker);
    read_talk(worker);
    return true;
}

bool mod_open_trees(struct mod_worker *worker, uint64_t size)
{
    uint8_t *image = mod_area(worker, MOD_TREES_OFFSET);
    size_t offset;
    if (csn_trees_open(image, size, &worker->forest, &offset) != CSN_OK) {
        return false;
    }
    struct room room = {image + (size + 63) / 64 * 64, 0};
    room.left = (uint64_t)(image + MOD_TREES_SIZE - room.at);
    worker->forest_scratch = take(&room, csn_trees_scratch_count(&worker->forest) * sizeof(float));
    return worker->forest_scratch != NULL;
}
