/* SPDX-License-Identifier: Apache-2.0 */
/* trees_open.c: the one check of a packed image. What it lets through is evaluated unchecked. */
#include "trees.h"

#define TREES_NONE UINT32_MAX  /* no node: the tree itself */
#define INFINITE   0x7f800000u /* +inf */

static bool is_finite(uint32_t bits)
{
    return (bits & 0x7f800000u) != 0x7f800000u;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

static csn_err check_counts(const struct csn_trees_header *header, size_t size)
{
    if (header->feature_count > CSN_TREES_FEATURE_MAX ||
        header->output_count > CSN_TREES_OUTPUT_MAX || header->tree_count > CSN_TREES_TREE_MAX ||
        header->node_count > CSN_TREES_NODE_MAX) {
        return CSN_ERR_LIMIT;
    }
    uint64_t sum = sizeof *header + header->tree_count * (uint64_t)sizeof(struct csn_trees_tree) +
                   header->node_count * (uint64_t)sizeof(struct csn_trees_node) +
                   header->set_count * (uint64_t)sizeof(struct csn_trees_set) +
                   header->word_count * (uint64_t)sizeof(uint32_t);
    bool is_sound = header->feature_count > 0 && header->output_count > 0 && sum == size &&
                    header->size == size;
    return is_sound ? CSN_OK : CSN_ERR_FORMAT;
}

static csn_err check_header(const struct csn_trees_header *header, size_t size)
{
    if (__builtin_memcmp(header->magic, CSN_TREES_MAGIC, sizeof header->magic) != 0) {
        return CSN_ERR_FORMAT;
    }
    CSN_TRY(check_counts(header, size));
    uint32_t other = 0;
    for (uint32_t i = 0; i < sizeof header->zero; i++) {
        other |= header->zero[i];
    }
    bool is_sound = header->transform < CSN_TREES_TRANSFORM_COUNT && other == 0 &&
                    is_finite(bits_of(header->base)) && is_finite(bits_of(header->slope)) &&
                    header->slope > 0 &&
                    (header->transform == CSN_TREES_LOGISTIC || header->slope == 1);
    return is_sound ? CSN_OK : CSN_ERR_FORMAT;
}

/* Whether the node at index is a sound leaf (which takes no children) or split (which takes two).
 */
static bool is_sound_node(const struct csn_trees *model, uint32_t index, uint32_t *child)
{
    const struct csn_trees_node *node = &model->nodes[index];
    const uint32_t never = 2 * model->header->feature_count;
    if (node->delta == 0) {
        return node->slot == never && is_finite(node->bits);
    }
    if (index + node->delta != *child) {
        return false;
    }
    *child += 2;
    if (node->slot < never) {
        return is_finite(node->bits) || node->bits == INFINITE;
    }
    return node->slot > never && node->slot <= 2 * never && node->bits < model->header->set_count;
}

/*
 * Level by level; `child` is where the next split's children must be. A node that nobody reaches
 * can be no split (they lead on), and so the children do not end where the tree does.
 */
static bool is_sound_tree(const struct csn_trees *model, const struct csn_trees_tree *tree,
                          uint32_t *node_next, uint32_t *index)
{
    if (tree->node_first != *node_next || tree->output >= model->header->output_count ||
        tree->node_count == 0 || tree->node_count > model->header->node_count - *node_next) {
        return false;
    }
    const uint32_t end = tree->node_first + tree->node_count;
    uint32_t child = tree->node_first + 1;
    uint32_t level_end = child;
    uint32_t depth = 0;
    for (*index = tree->node_first; *index < end; ++*index) {
        if (*index == level_end) {
            level_end = child;
            depth++;
        }
        if (!is_sound_node(model, *index, &child) || child > end) {
            return false;
        }
    }
    *node_next = end;
    *index = TREES_NONE;
    return child == end && depth == tree->depth;
}

static bool are_sound_trees(const struct csn_trees *model, size_t *offset)
{
    const uint8_t *start = (const uint8_t *)model->header;
    uint32_t node_next = 0;
    for (uint32_t i = 0; i < model->header->tree_count; i++) {
        uint32_t index = TREES_NONE;
        if (!is_sound_tree(model, &model->trees[i], &node_next, &index)) {
            *offset = index != TREES_NONE ? (size_t)((const uint8_t *)&model->nodes[index] - start)
                                          : (size_t)((const uint8_t *)&model->trees[i] - start);
            return false;
        }
    }
    *offset = 0;
    return node_next == model->header->node_count;
}

static bool are_sound_sets(const struct csn_trees *model, size_t *offset)
{
    for (uint32_t i = 0; i < model->header->set_count; i++) {
        const struct csn_trees_set *set = &model->sets[i];
        if (set->word_count > CSN_TREES_CATEGORY_MAX / 32 ||
            set->word_count > model->header->word_count ||
            set->word_first > model->header->word_count - set->word_count) {
            *offset = (size_t)((const uint8_t *)set - (const uint8_t *)model->header);
            return false;
        }
    }
    return true;
}

/* One bit for each feature and none beyond. */
static bool is_sound_zero_set(const struct csn_trees *model)
{
    const uint32_t features = model->header->feature_count;
    const uint32_t index = model->header->zero_set;
    if (index == 0) {
        return true;
    }
    if (index > model->header->set_count ||
        model->sets[index - 1].word_count != (features + 31) / 32) {
        return false;
    }
    const struct csn_trees_set *set = &model->sets[index - 1];
    const uint32_t last = model->words[set->word_first + set->word_count - 1];
    return features % 32 == 0 || last >> features % 32 == 0;
}

csn_err csn_trees_open(const void *image, size_t size, struct csn_trees *model, size_t *offset)
{
    const struct csn_trees_header *header = image;
    *offset = 0;
    if ((uintptr_t)image % CSN_TREES_ALIGNMENT != 0) {
        return CSN_ERR_ARGUMENT;
    }
    if (size < sizeof *header) {
        return CSN_ERR_FORMAT;
    }
    CSN_TRY(check_header(header, size));
    struct csn_trees made = {.header = header};
    made.trees = (const void *)(header + 1);
    made.nodes = (const void *)(made.trees + header->tree_count);
    made.sets = (const void *)(made.nodes + header->node_count);
    made.words = (const void *)(made.sets + header->set_count);
    if (!are_sound_trees(&made, offset) || !are_sound_sets(&made, offset) ||
        !is_sound_zero_set(&made)) {
        return CSN_ERR_FORMAT;
    }
    *model = made;
    return CSN_OK;
}
