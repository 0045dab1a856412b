/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gguf.c: any bytes as a GGUF file. Every value and tensor of what is taken is touched. If it is a
 * model, and a small one, it is arranged and asked, in memory of exactly the sizes that it says:
 * two sessions side by side give what one gives alone, on each kernel the same bits.
 */
#include "check.h"
#include "crypto/cpu.h"
#include "llm/llm.h"
#include <string.h>

#define MEMORY_MAX (UINT64_C(1) << 24)
#define WORK_MAX   400000u /* weights */
#define STEPS      3u

static volatile uint8_t touched;

static void touch(const uint8_t *bytes, uint64_t size)
{
    uint8_t sum = 0;
    for (uint64_t i = 0; i < size; i++) {
        sum ^= bytes[i];
    }
    touched = sum;
}

static void touch_value(struct csn_gguf_value value)
{
    struct csn_gguf_value element;
    int64_t number;
    double real;
    bool truth;
    uint64_t count = 0;
    touch(value.bytes, value.size);
    (void)(csn_gguf_integer(&value, &number) || csn_gguf_float(&value, &real) ||
           csn_gguf_bool(&value, &truth));
    const uint64_t expected = value.type == CSN_GGUF_ARRAY ? value.count : 0;
    while (csn_gguf_next(&value, &element)) {
        touch(element.bytes, element.size);
        count++;
    }
    CHECK(count == expected);
}

static void touch_file(const struct csn_gguf *file)
{
    char name[CSN_GGUF_KEY_SIZE_MAX + 1];
    struct csn_gguf_value value, found;
    struct csn_gguf_tensor tensor;
    const uint8_t *key;
    uint64_t size;
    uint64_t cursor = 0;
    uint64_t end = 0;
    for (uint32_t i = 0; i < file->key_count; i++) {
        csn_gguf_key(file, i, &key, &size, &value);
        CHECK(size > 0 && size <= CSN_GGUF_KEY_SIZE_MAX);
        memcpy(name, key, size);
        name[size] = '\0';
        if (strlen(name) == size) {
            CHECK(csn_gguf_find(file, name, &found) && found.bytes == value.bytes);
        }
        touch_value(value);
    }
    for (uint32_t i = 0; i < file->tensor_count; i++) {
        CHECK(csn_gguf_tensor(file, &cursor, &tensor));
        CHECK(tensor.offset >= end && tensor.offset <= file->size);
        CHECK(tensor.size <= file->size - tensor.offset);
        touch(file->bytes + tensor.offset, tensor.size);
        end = tensor.offset + tensor.size;
    }
    CHECK(!csn_gguf_tensor(file, &cursor, &tensor));
}

static void *room(uint64_t size, uint64_t alignment)
{
    void *memory = NULL;
    CHECK(posix_memalign(&memory, alignment, size) == 0);
    return memory;
}

/* Bits are the same, or neither is a number: which NaN it is depends on the instruction. */
static void same(const float *a, const float *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(memcmp(&a[i], &b[i], sizeof a[i]) == 0 || (a[i] != a[i] && b[i] != b[i]));
    }
}

/* Logits of STEPS tokens of one session, with another one beside it or without. */
static void ask(const struct csn_llm_model *model, uint64_t features, bool both, float *logits)
{
    const uint32_t vocab = model->config.vocab_count;
    const struct csn_llm_options options = {features, 2, STEPS, 2, 2};
    const uint64_t size = csn_llm_memory(&model->config, &options);
    struct csn_llm *llm = NULL;
    void *memory = room(size, CSN_LLM_ALIGNMENT);
    memset(memory, 0xee, size);
    CHECK(csn_llm_begin(&llm, model, &options, memory, size) == CSN_OK);
    for (uint32_t i = 0; i < STEPS; i++) {
        const struct csn_llm_item items[2] = {{0, i, (3 + i) % vocab, true},
                                              {1, i, (11 * i) % vocab, true}};
        CHECK(csn_llm_eval(llm, items, both ? 2 : 1) == CSN_OK);
        memcpy(logits + (size_t)i * vocab, csn_llm_logits(llm, 0), vocab * sizeof(float));
    }
    csn_llm_forget(llm, 0);
    free(memory);
}

static bool is_small(const struct csn_llm_config *config)
{
    const struct csn_llm_options options = {0, 2, STEPS, 2, 2};
    const uint64_t width = config->width;
    const uint64_t heads = (uint64_t)config->head_count * config->head_size;
    const uint64_t size = csn_llm_memory(config, &options);
    return size > 0 && size <= MEMORY_MAX &&
           width * (config->vocab_count + config->layer_count * (3 * config->inner + 4 * heads)) <=
               WORK_MAX;
}

static void evaluate(struct csn_llm_model *model, void *bytes)
{
    static uint64_t features;
    struct csn_llm_fault fault;
    if (features == 0) {
        CHECK(csn_cpu_features(&features) == CSN_OK);
    }
    const uint64_t scratch_size = csn_llm_arrange_size(model);
    void *scratch = room(scratch_size, 1u << 3);
    if (!model->is_arranged) {
        CHECK(csn_llm_arrange(model, bytes, scratch, scratch_size) == CSN_OK);
    }
    free(scratch);
    struct csn_llm_model again;
    CHECK(csn_llm_open(&again, bytes, model->file.size, &fault) == CSN_OK && again.is_arranged);
    const uint32_t count = STEPS * model->config.vocab_count;
    float *first = room(3 * count * sizeof *first, 8);
    ask(&again, features, false, first);
    ask(&again, features, true, first + count);
    ask(&again, features & ~CSN_WIRE_FEATURE_VNNI, true, first + 2 * count);
    same(first, first + count, count);
    same(first, first + 2 * count, count);
    free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct csn_llm_model model;
    struct csn_llm_fault fault;
    struct csn_gguf file;
    uint64_t offset = 0;
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    CHECK(copy != NULL);
    memcpy(copy, bytes, size);
    const csn_err opened = csn_gguf_open(&file, copy, size, &offset);
    CHECK(offset <= size);
    if (opened == CSN_OK) {
        touch_file(&file);
    }
    const csn_err err = csn_llm_open(&model, copy, size, &fault);
    CHECK(fault.offset <= size && (err == CSN_OK) == (fault.reason == CSN_LLM_SOUND));
    CHECK(opened == CSN_OK || fault.reason == CSN_LLM_FILE);
    if (err == CSN_OK && is_small(&model.config)) {
        evaluate(&model, copy);
    }
    free(copy);
    return 0;
}
