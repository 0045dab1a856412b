/* SPDX-License-Identifier: Apache-2.0 */
/* llm_work.c: see llm_work.h. */
#include "llm_work.h"
#include "../tests/llm/made.h"

#define POSITIONS 128u

static struct made_options shape_of(uint32_t type, uint32_t layers)
{
    return (struct made_options){.type = type,
                                 .output_type = MADE_SAME,
                                 .value_type = MADE_SAME,
                                 .layers = layers,
                                 .width = 1536,
                                 .inner = 4096,
                                 .heads = 24,
                                 .kv_heads = 8,
                                 .vocab = 4096,
                                 .seed = 1};
}

static uint64_t round_up(uint64_t size)
{
    return (size + CSN_LLM_ALIGNMENT - 1) / CSN_LLM_ALIGNMENT * CSN_LLM_ALIGNMENT;
}

static struct csn_llm_options options_of(uint64_t features)
{
    return (struct csn_llm_options){.features = features,
                                    .slot_count = LLM_SESSIONS,
                                    .position_max = POSITIONS,
                                    .batch_max = LLM_BATCH,
                                    .logits_max = LLM_SESSIONS};
}

/* What csn_llm_memory() says of a made file with the shape above. */
static uint64_t context_size(uint32_t layers)
{
    const struct csn_llm_config config = {.vocab_count = 4096,
                                          .layer_count = layers,
                                          .width = 1536,
                                          .inner = 4096,
                                          .head_count = 24,
                                          .kv_head_count = 8,
                                          .head_size = 64,
                                          .rope_size = 64};
    const struct csn_llm_options options = options_of(0);
    return csn_llm_memory(&config, &options);
}

uint64_t llm_work_size(uint32_t type, uint32_t layers)
{
    const struct made_options shape = shape_of(type, layers);
    return round_up(made_gguf(&shape, NULL, 0)) + round_up(context_size(layers));
}

bool llm_work_begin(struct llm_work *work, const struct llm_task *task, uint64_t features,
                    uint8_t *memory, uint64_t size)
{
    const struct made_options shape = shape_of(task->type, task->layers);
    const struct csn_llm_options options = options_of(features);
    struct csn_llm_fault fault;
    if (size < llm_work_size(task->type, task->layers)) {
        return false;
    }
    work->file = memory;
    work->file_size = made_gguf(&shape, memory, size);
    memory += round_up(work->file_size);
    size -= round_up(work->file_size);
    /* The context's memory serves as scratch before. */
    if (csn_llm_open(&work->model, work->file, work->file_size, &fault) != CSN_OK ||
        csn_llm_arrange(&work->model, work->file, memory, size) != CSN_OK ||
        csn_llm_begin(&work->llm, &work->model, &options, memory, size) != CSN_OK) {
        return false;
    }
    const uint64_t embedding = (uint64_t)shape.width * shape.vocab /
                               csn_gguf_block_count(task->type) * csn_gguf_block_size(task->type);
    work->weights_size = work->file_size - embedding; /* of which a token reads one row */
    return true;
}

bool llm_work_decode(struct llm_work *work, uint32_t sessions, uint32_t count)
{
    struct csn_llm_item items[LLM_SESSIONS];
    for (uint32_t step = 0; step < count; step++) {
        for (uint32_t i = 0; i < sessions; i++) {
            if (csn_llm_position(work->llm, i) == POSITIONS) {
                csn_llm_rewind(work->llm, i, 0);
            }
            const uint32_t position = csn_llm_position(work->llm, i);
            items[i] = (struct csn_llm_item){i, position, (position * 31 + i) % 4096, true};
        }
        if (csn_llm_eval(work->llm, items, sessions) != CSN_OK) {
            return false;
        }
    }
    return true;
}

bool llm_work_read(struct llm_work *work, uint32_t batch)
{
    struct csn_llm_item items[LLM_BATCH];
    csn_llm_rewind(work->llm, 0, 0);
    for (uint32_t at = 0; at < LLM_BATCH; at += batch) {
        for (uint32_t i = 0; i < batch; i++) {
            items[i] =
                (struct csn_llm_item){0, at + i, (at + i) * 37 % 4096, at + i + 1 == LLM_BATCH};
        }
        if (csn_llm_eval(work->llm, items, batch) != CSN_OK) {
            return false;
        }
    }
    return true;
}
