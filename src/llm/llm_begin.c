/* SPDX-License-Identifier: Apache-2.0 */
/* llm_begin.c: how the memory of a context is divided, and its beginning. */
#include "core/bytes.h"
#include "llm_math.h"
#include "llm_state.h"

#define LANES CSN_LLM_LANES

/* Memory that is given out front to back; without memory (base NULL) it is only counted. */
struct room {
    uint8_t *base;
    uint64_t at;
    bool is_sound;
};

static void *take(struct room *room, uint64_t count, uint64_t size)
{
    uint64_t bytes;
    uint64_t end;
    void *taken = room->base == NULL ? NULL : room->base + room->at;
    room->is_sound = room->is_sound && csn_mul_u64(count, size, &bytes) &&
                     csn_add_u64(bytes, CSN_LLM_ALIGNMENT - 1, &bytes) &&
                     csn_add_u64(room->at, bytes & ~(uint64_t)(CSN_LLM_ALIGNMENT - 1), &end) &&
                     end <= INT64_MAX;
    if (room->is_sound) {
        room->at = end;
    }
    return taken;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void take_scratch(struct room *room, const struct csn_llm_config *config,
                         const struct csn_llm_options *options, struct csn_llm_scratch *scratch)
{
    const uint64_t tokens = options->batch_max;
    const uint64_t queries = (uint64_t)config->head_count * config->head_size;
    const uint64_t keys = (uint64_t)config->kv_head_count * config->head_size;
    const uint64_t columns = larger(larger(config->width, config->inner), queries);
    const uint64_t positions = ((uint64_t)options->position_max + LANES - 1) / LANES * LANES;
    scratch->stream = take(room, tokens * config->width, sizeof(float));
    scratch->normed = take(room, tokens * config->width, sizeof(float));
    scratch->added = take(room, tokens * config->width, sizeof(float));
    scratch->queries = take(room, tokens * queries, sizeof(float));
    scratch->attended = take(room, tokens * queries, sizeof(float));
    scratch->keys = take(room, tokens * keys, sizeof(float));
    scratch->values = take(room, tokens * keys, sizeof(float));
    scratch->gates = take(room, tokens * config->inner, sizeof(float));
    scratch->ups = take(room, tokens * config->inner, sizeof(float));
    scratch->turns = take(room, tokens * config->rope_size, sizeof(float));
    scratch->weights =
        take(room, positions * (config->head_count / config->kv_head_count), sizeof(float));
    scratch->halves = take(room, config->head_size, sizeof(uint16_t));
    scratch->tail = take(room, tokens * LANES, sizeof(float));
    scratch->group = take(room, columns * LANES, sizeof(float));
    scratch->inputs.values = take(room, tokens * columns, sizeof(float));
    scratch->inputs.bytes = take(room, tokens * columns, 1);
    scratch->inputs.scales = take(room, tokens * (columns / 32 + 1), sizeof(float));
    scratch->inputs.sums = take(room, tokens * (columns / 16 + 1), sizeof(int32_t));
    scratch->inputs.pairs = take(room, tokens * (columns / 32 + 1), sizeof(int16_t));
    scratch->logits =
        take(room, (uint64_t)options->logits_max * config->vocab_count, sizeof(float));
}

static void take_all(struct room *room, const struct csn_llm_config *config,
                     const struct csn_llm_options *options, struct csn_llm *llm)
{
    const uint64_t planes = 2 * (uint64_t)options->slot_count * config->layer_count;
    llm->tile_count = (options->position_max + LANES - 1) / LANES;
    llm->plane_size = (uint64_t)llm->tile_count * LANES * config->kv_head_count * config->head_size;
    take(room, 1, sizeof *llm);
    llm->positions = take(room, options->slot_count, sizeof *llm->positions);
    llm->logits_rows = take(room, options->batch_max, sizeof *llm->logits_rows);
    llm->turn_factors = take(room, config->rope_size / 2, sizeof *llm->turn_factors);
    const uint64_t before = room->at;
    llm->scratch_first = room->base == NULL ? NULL : room->base + before;
    take_scratch(room, config, options, &llm->scratch);
    llm->scratch_size = room->at - before;
    llm->cache = take(room, planes * llm->plane_size, sizeof *llm->cache);
}

static bool is_in_range(uint32_t value, uint32_t max)
{
    return value >= 1 && value <= max;
}

uint64_t csn_llm_memory(const struct csn_llm_config *config, const struct csn_llm_options *options)
{
    struct room room = {.is_sound = true};
    struct csn_llm llm = {0};
    if (!is_in_range(options->slot_count, CSN_LLM_SLOT_MAX) ||
        !is_in_range(options->position_max, CSN_LLM_POSITION_MAX) ||
        !is_in_range(options->batch_max, CSN_LLM_BATCH_MAX) ||
        !is_in_range(options->logits_max, options->batch_max)) {
        return 0;
    }
    take_all(&room, config, options, &llm);
    return room.is_sound ? room.at : 0;
}

static csn_err pick(uint64_t features, struct csn_llm_kernels *kernels)
{
    const uint64_t wide = CSN_WIRE_FEATURE_AVX512 | CSN_WIRE_FEATURE_VNNI;
    if ((features & CSN_LLM_FEATURES) != CSN_LLM_FEATURES) {
        return CSN_ERR_MISSING;
    }
    *kernels = (features & wide) == wide
                   ? (struct csn_llm_kernels){&csn_llm_matrix_avx512, &csn_llm_row_avx512}
                   : (struct csn_llm_kernels){&csn_llm_matrix_avx2, &csn_llm_row_avx2};
    return CSN_OK;
}

/* By how much an angle shrinks from pair to pair, and what a file divides each by. */
static void begin_turns(struct csn_llm *llm)
{
    const struct csn_llm_config *config = &llm->model->config;
    llm->turn_step =
        (float)csn_llm_power((double)config->rope_base, (double)(-2.0f / (float)config->rope_size));
    for (uint32_t pair = 0; pair < config->rope_size / 2; pair++) {
        llm->turn_factors[pair] = 1;
        if (llm->model->rope_factors != NULL) {
            __builtin_memcpy(&llm->turn_factors[pair], llm->model->rope_factors + 4 * pair,
                             sizeof(float));
        }
    }
}

csn_err csn_llm_begin(struct csn_llm **target, const struct csn_llm_model *model,
                      const struct csn_llm_options *options, void *memory, uint64_t size)
{
    struct room room = {.base = memory, .is_sound = true};
    struct csn_llm made = {.model = model, .options = *options};
    const uint64_t needed = csn_llm_memory(&model->config, options);
    if (needed == 0 || (uintptr_t)memory % CSN_LLM_ALIGNMENT != 0) {
        return CSN_ERR_ARGUMENT;
    }
    if (!model->is_arranged) {
        return CSN_ERR_STATE;
    }
    if (size < needed) {
        return CSN_ERR_SPACE;
    }
    CSN_TRY(pick(options->features, &made.kernels));
    take_all(&room, &model->config, options, &made);
    made.attention_scale = (float)csn_llm_power((double)model->config.head_size, -0.5);
    __builtin_memset(made.positions, 0, options->slot_count * sizeof *made.positions);
    begin_turns(&made);
    struct csn_llm *llm = memory;
    *llm = made;
    *target = llm;
    return CSN_OK;
}
