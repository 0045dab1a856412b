/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trees_walk.c: rows down the trees.
 *
 * A walk is a chain of loads that each wait for the one before, so LANES of them go side by side:
 * of one row down several trees, or of several rows down one tree. A step has no branch, and a lane
 * that has reached its leaf stays there, so all go as deep as the deepest.
 */
#include "trees.h"

#define LANES       8u
#define GROUPS      (CSN_TREES_BLOCK / LANES)
#define LOOK_LEVELS 8u /* in trees deeper than this, whether all lanes have arrived */

static float float_of(uint32_t bits)
{
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t slot_count(const struct csn_trees *model)
{
    return 2 * model->header->feature_count + 1;
}

size_t csn_trees_scratch_count(const struct csn_trees *model)
{
    return (size_t)slot_count(model) * CSN_TREES_BLOCK;
}

/* Of slots that were filled: what is zero becomes what is missing, where the model says so. */
static void empty_zeros(const struct csn_trees *model, float *slots, uint32_t stride)
{
    const uint32_t count = model->header->feature_count;
    const uint32_t *words = model->words + model->sets[model->header->zero_set - 1].word_first;
    for (size_t i = 0; i < count; i++) {
        const float value = slots[i * stride];
        if ((words[i / 32] >> i % 32 & 1) != 0 && value >= -CSN_TREES_ZERO &&
            value <= CSN_TREES_ZERO) {
            slots[i * stride] = __builtin_nanf("");
            slots[(count + i) * stride] = __builtin_inff();
        }
    }
}

/* The slots of a row, `stride` floats apart. */
static void fill_slots(const struct csn_trees *model, const float *row, float *slots,
                       uint32_t stride)
{
    const uint32_t count = model->header->feature_count;
    for (size_t i = 0; i < count; i++) {
        slots[i * stride] = row[i];
        slots[(count + i) * stride] = row[i] != row[i] ? __builtin_inff() : row[i];
    }
    slots[(size_t)2 * count * stride] = __builtin_nanf("");
    if (model->header->zero_set != 0) {
        empty_zeros(model, slots, stride);
    }
}

/* Of a split by set: 1 is right. The two values of a feature differ where it is missing. */
static uint32_t choose_by_set(const struct csn_trees *model, const struct csn_trees_node *node,
                              const float *slots, uint32_t stride)
{
    const uint32_t count = model->header->feature_count;
    const uint32_t above = node->slot - slot_count(model);
    const uint32_t feature = above < count ? above : above - count;
    const float value = slots[(size_t)feature * stride];
    if (value != slots[(size_t)(feature + count) * stride]) {
        return above >= count;
    }
    const struct csn_trees_set *set = &model->sets[node->bits];
    if (!(value >= 0 && value < (float)CSN_TREES_CATEGORY_MAX)) {
        return 0;
    }
    const uint32_t category = (uint32_t)value;
    return category / 32 < set->word_count &&
           (model->words[set->word_first + category / 32] >> category % 32 & 1) != 0;
}

__attribute__((always_inline)) static inline uint32_t
step(const struct csn_trees *model, uint32_t at, const float *slots, uint32_t stride, bool has_sets)
{
    const struct csn_trees_node *node = &model->nodes[at];
    if (has_sets && node->slot >= slot_count(model)) {
        return at + node->delta + choose_by_set(model, node, slots, stride);
    }
    return at + node->delta + (slots[(size_t)node->slot * stride] >= float_of(node->bits));
}

__attribute__((always_inline)) static inline bool are_leaves(const struct csn_trees *model,
                                                             const uint32_t *at)
{
    uint32_t deltas = 0;
    for (uint32_t lane = 0; lane < LANES; lane++) {
        deltas |= model->nodes[at[lane]].delta;
    }
    return deltas == 0;
}

/* LANES walks; `next` floats lie between the slots of one lane and the next. */
__attribute__((always_inline)) static inline void walk(const struct csn_trees *model, uint32_t *at,
                                                       const float *slots, uint32_t stride,
                                                       uint32_t next, uint32_t depth, bool has_sets)
{
    uint32_t here[LANES];
    __builtin_memcpy(here, at, sizeof here);
    for (uint32_t level = 1; level <= depth; level++) {
#pragma GCC unroll 8
        for (uint32_t lane = 0; lane < LANES; lane++) {
            here[lane] = step(model, here[lane], slots + (size_t)lane * next, stride, has_sets);
        }
        if (level % LOOK_LEVELS == 0 && are_leaves(model, here)) {
            break;
        }
    }
    __builtin_memcpy(at, here, sizeof here);
}

/* One row, several trees at a time; at the end some lanes repeat the last tree. */
static void sum_row(const struct csn_trees *model, const float *row, float *slots, float *sums)
{
    const uint32_t count = model->header->tree_count;
    const struct csn_trees_tree *trees = model->trees;
    fill_slots(model, row, slots, 1);
    for (uint32_t i = 0; i < count; i += LANES) {
        uint32_t at[LANES];
        uint32_t depth = 0;
        for (uint32_t lane = 0; lane < LANES; lane++) {
            const struct csn_trees_tree *tree = &trees[i + lane < count ? i + lane : count - 1];
            at[lane] = tree->node_first;
            depth = tree->depth > depth ? tree->depth : depth;
        }
        if (model->header->set_count != 0) {
            walk(model, at, slots, 1, 0, depth, true);
        } else {
            walk(model, at, slots, 1, 0, depth, false);
        }
        for (uint32_t lane = 0; lane < LANES && i + lane < count; lane++) {
            sums[trees[i + lane].output] += float_of(model->nodes[at[lane]].bits);
        }
    }
}

/* GROUPS times LANES rows: each tree, while it is near, for all of them. */
static void sum_block(const struct csn_trees *model, const float *rows, float *slots, float *sums)
{
    const struct csn_trees_header *header = model->header;
    const size_t group_size = (size_t)slot_count(model) * LANES;
    for (uint32_t row = 0; row < CSN_TREES_BLOCK; row++) {
        fill_slots(model, rows + (size_t)row * header->feature_count,
                   slots + row / LANES * group_size + row % LANES, LANES);
    }
    for (uint32_t i = 0; i < header->tree_count; i++) {
        const struct csn_trees_tree *tree = &model->trees[i];
        for (uint32_t group = 0; group < GROUPS; group++) {
            const float *own = slots + group * group_size;
            uint32_t at[LANES];
            for (uint32_t lane = 0; lane < LANES; lane++) {
                at[lane] = tree->node_first;
            }
            if (header->set_count != 0) {
                walk(model, at, own, LANES, 1, tree->depth, true);
            } else {
                walk(model, at, own, LANES, 1, tree->depth, false);
            }
            for (uint32_t lane = 0; lane < LANES; lane++) {
                size_t row = group * LANES + lane;
                sums[row * header->output_count + tree->output] +=
                    float_of(model->nodes[at[lane]].bits);
            }
        }
    }
}

void csn_trees_sum(const struct csn_trees *model, const float *rows, size_t row_count,
                   float *scratch, float *sums)
{
    const size_t width = model->header->feature_count;
    const size_t outputs = model->header->output_count;
    for (size_t i = 0; i < row_count * outputs; i++) {
        sums[i] = model->header->base;
    }
    size_t row = 0;
    for (; row_count - row >= CSN_TREES_BLOCK; row += CSN_TREES_BLOCK) {
        sum_block(model, rows + row * width, scratch, sums + row * outputs);
    }
    for (; row < row_count; row++) {
        sum_row(model, rows + row * width, scratch, sums + row * outputs);
    }
}

void csn_trees_score(const struct csn_trees *model, const float *rows, size_t row_count,
                     float *scratch, float *scores)
{
    csn_trees_sum(model, rows, row_count, scratch, scores);
    csn_trees_transform(model, scores, row_count);
}
