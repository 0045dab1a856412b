/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm_attend.c: positions. Turns queries and keys by the angles of their positions, keeps keys and
 * values in their slots, and lets each query look at all positions of its slot up to its own.
 */
#include "llm_math.h"
#include "llm_state.h"

#define LANES     CSN_LLM_LANES
#define ANGLE_MAX 0x1p20f

uint16_t *csn_llm_plane(const struct csn_llm *llm, uint32_t slot, uint32_t layer, bool is_value)
{
    const uint64_t planes =
        2 * ((uint64_t)slot * llm->model->config.layer_count + layer) + (is_value ? 1 : 0);
    return llm->cache + planes * llm->plane_size;
}

void csn_llm_turns(struct csn_llm *llm, const struct csn_llm_item *items, uint32_t count)
{
    const struct csn_llm_config *config = &llm->model->config;
    float *turn = llm->scratch.turns;
    for (uint32_t i = 0; i < count; i++) {
        float angle = (float)items[i].position;
        for (uint32_t pair = 0; pair < config->rope_size / 2; pair++) {
            const float turned = angle / llm->turn_factors[pair] * config->rope_scale;
            const bool is_sound = turned >= 0 && turned < ANGLE_MAX;
            double cosine, sine;
            csn_llm_turn(is_sound ? (double)turned : 0, &cosine, &sine);
            turn[2 * pair] = (float)cosine;
            turn[2 * pair + 1] = (float)sine;
            angle *= llm->turn_step;
        }
        turn += config->rope_size;
    }
}

/* Pairs of neighbours, of each head. */
static void turn_heads(float *heads, uint32_t head_count, const struct csn_llm_config *config,
                       const float *turns)
{
    for (uint32_t head = 0; head < head_count; head++) {
        for (uint32_t i = 0; i < config->rope_size; i += 2) {
            const float first = heads[i];
            const float second = heads[i + 1];
            heads[i] = first * turns[i] - second * turns[i + 1];
            heads[i + 1] = first * turns[i + 1] + second * turns[i];
        }
        heads += config->head_size;
    }
}

static void keep(struct csn_llm *llm, uint32_t layer, const struct csn_llm_item *item,
                 const float *key, const float *value)
{
    const struct csn_llm_config *config = &llm->model->config;
    const uint32_t size = config->head_size;
    uint16_t *keys = csn_llm_plane(llm, item->slot, layer, false);
    uint16_t *values = csn_llm_plane(llm, item->slot, layer, true);
    const size_t head_size = (size_t)llm->tile_count * LANES * size;
    for (uint32_t head = 0; head < config->kv_head_count; head++) {
        uint16_t *tile = keys + head * head_size + (size_t)(item->position / LANES) * LANES * size +
                         item->position % LANES;
        llm->kernels.row->halve(key + head * size, size, llm->scratch.halves);
        for (uint32_t i = 0; i < size; i++) {
            tile[(size_t)i * LANES] = llm->scratch.halves[i];
        }
        llm->kernels.row->halve(value + head * size, size,
                                values + head * head_size + (size_t)item->position * size);
    }
}

static void look(struct csn_llm *llm, uint32_t layer, const struct csn_llm_item *item,
                 const float *queries, float *target)
{
    const struct csn_llm_config *config = &llm->model->config;
    const uint32_t shared = config->head_count / config->kv_head_count;
    const size_t head_size = (size_t)llm->tile_count * LANES * config->head_size;
    for (uint32_t head = 0; head < config->kv_head_count; head++) {
        const size_t first = (size_t)head * shared * config->head_size;
        llm->kernels.row->attend(&(struct csn_llm_attention){
            .keys = csn_llm_plane(llm, item->slot, layer, false) + head * head_size,
            .values = csn_llm_plane(llm, item->slot, layer, true) + head * head_size,
            .queries = queries + first,
            .weights = llm->scratch.weights,
            .target = target + first,
            .head_count = shared,
            .head_size = config->head_size,
            .position_count = item->position + 1,
            .scale = llm->attention_scale});
    }
}

void csn_llm_attend(struct csn_llm *llm, uint32_t layer, const struct csn_llm_item *items,
                    uint32_t count)
{
    const struct csn_llm_config *config = &llm->model->config;
    const size_t query_size = (size_t)config->head_count * config->head_size;
    const size_t key_size = (size_t)config->kv_head_count * config->head_size;
    for (uint32_t i = 0; i < count; i++) {
        const float *turns = llm->scratch.turns + (size_t)i * config->rope_size;
        float *query = llm->scratch.queries + i * query_size;
        float *key = llm->scratch.keys + i * key_size;
        turn_heads(query, config->head_count, config, turns);
        turn_heads(key, config->kv_head_count, config, turns);
        llm->kernels.row->round(query, (uint32_t)query_size);
        keep(llm, layer, &items[i], key, llm->scratch.values + i * key_size);
    }
    for (uint32_t i = 0; i < count; i++) {
        look(llm, layer, &items[i], llm->scratch.queries + i * query_size,
             llm->scratch.attended + i * query_size);
    }
}
