/* SPDX-License-Identifier: Apache-2.0 */
/* import_pack.c: nodes put in the order of their levels, lists that grow, and faults. */
#include "import_pack.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *csn_import_reason_name(enum csn_import_reason reason)
{
    static const char *const names[CSN_IMPORT_REASON_COUNT] = {
        "ok",     "syntax", "absent", "type",        "value",
        "length", "shape",  "limit",  "unsupported", "memory",
    };
    return reason < CSN_IMPORT_REASON_COUNT ? names[reason] : "unknown";
}

csn_err csn_import_fail(struct csn_import *import, enum csn_import_reason reason, const char *place,
                        ...)
{
    va_list list;
    va_start(list, place);
    vsnprintf(import->fault->place, sizeof import->fault->place, place, list);
    va_end(list);
    import->fault->reason = reason;
    switch (reason) {
    case CSN_IMPORT_LIMIT:
        return CSN_ERR_LIMIT;
    case CSN_IMPORT_UNSUPPORTED:
        return CSN_ERR_UNKNOWN;
    case CSN_IMPORT_MEMORY:
        return CSN_ERR_MEMORY;
    default:
        return CSN_ERR_FORMAT;
    }
}

void *csn_import_grow(struct csn_import_list *list, size_t count, size_t item_size)
{
    if (list->items == NULL || list->capacity - list->count < count) {
        size_t capacity = list->capacity * 2 + count + 16;
        void *items = realloc(list->items, capacity * item_size);
        if (items == NULL) {
            return NULL;
        }
        list->items = items;
        list->capacity = capacity;
    }
    void *made = (char *)list->items + list->count * item_size;
    memset(made, 0, count * item_size);
    list->count += count;
    return made;
}

csn_err csn_import_add_set(struct csn_import *import, const uint32_t *words, uint32_t word_count,
                           uint32_t *set)
{
    struct csn_trees_set made = {(uint32_t)import->words.count, word_count};
    if (word_count > CSN_TREES_CATEGORY_MAX / 32 ||
        import->words.count > CSN_TREES_NODE_MAX - word_count) {
        return csn_import_fail(import, CSN_IMPORT_LIMIT, "categories");
    }
    uint32_t *target = csn_import_grow(&import->words, word_count, sizeof *target);
    struct csn_trees_set *slot = csn_import_grow(&import->sets, 1, sizeof *slot);
    if (target == NULL || slot == NULL) {
        return csn_import_fail(import, CSN_IMPORT_MEMORY, "categories");
    }
    memcpy(target, words, word_count * sizeof *words);
    *slot = made;
    *set = (uint32_t)import->sets.count - 1;
    return CSN_OK;
}

/* The nodes of a tree in the order of their levels, and which are in it already. */
struct order {
    uint32_t *nodes;
    bool *seen;
    uint32_t count;
};

static bool order_add(struct order *order, uint32_t node, uint32_t node_count)
{
    if (node >= node_count || order->seen[node]) {
        return false;
    }
    order->seen[node] = true;
    order->nodes[order->count++] = node;
    return true;
}

static csn_err pack_node(struct csn_import *import, const struct csn_import_node *node,
                         uint32_t delta, struct csn_trees_node *packed)
{
    const uint32_t features = import->header.feature_count;
    const uint32_t tree = (uint32_t)import->trees.count - 1;
    memcpy(&packed->bits, &node->value, sizeof packed->bits);
    packed->slot = (uint16_t)(2 * features);
    packed->delta = 0;
    const bool is_endless = !node->is_leaf && node->value == __builtin_inff();
    if (!__builtin_isfinite(node->value) && !is_endless && !node->has_set) {
        return csn_import_fail(import, CSN_IMPORT_VALUE, "split or leaf not finite, tree %u", tree);
    }
    if (node->is_leaf) {
        return CSN_OK;
    }
    if (node->feature >= features) {
        return csn_import_fail(import, CSN_IMPORT_VALUE, "feature %u, tree %u", node->feature,
                               tree);
    }
    if (delta > UINT16_MAX) {
        return csn_import_fail(import, CSN_IMPORT_LIMIT, "nodes of tree %u", tree);
    }
    packed->delta = (uint16_t)delta;
    packed->slot = (uint16_t)(node->feature + (node->is_missing_left ? 0 : features));
    if (node->has_set) {
        packed->slot = (uint16_t)(packed->slot + 2 * features + 1);
        packed->bits = node->set;
    }
    return CSN_OK;
}

/* Each node that is reached gets the place in which it was reached. */
static csn_err pack_nodes(struct csn_import *import, struct csn_trees_tree *tree,
                          const struct csn_import_node *nodes, uint32_t count, struct order *order)
{
    uint32_t level_end = 1;
    (void)order_add(order, 0, count);
    for (uint32_t i = 0; i < order->count; i++) {
        const struct csn_import_node *node = &nodes[order->nodes[i]];
        const uint32_t delta = order->count - i;
        if (i == level_end) {
            level_end = order->count;
            tree->depth++;
        }
        if (!node->is_leaf &&
            (!order_add(order, node->left, count) || !order_add(order, node->right, count))) {
            return csn_import_fail(import, CSN_IMPORT_SHAPE, "children of node %u, tree %zu",
                                   order->nodes[i], import->trees.count - 1);
        }
        struct csn_trees_node *packed = csn_import_grow(&import->nodes, 1, sizeof *packed);
        if (packed == NULL) {
            return csn_import_fail(import, CSN_IMPORT_MEMORY, "nodes");
        }
        CSN_TRY(pack_node(import, node, delta, packed));
    }
    tree->node_count = order->count;
    return CSN_OK;
}

csn_err csn_import_add_tree(struct csn_import *import, uint32_t output,
                            const struct csn_import_node *nodes, uint32_t count)
{
    const size_t index = import->trees.count;
    if (count == 0 || output >= import->header.output_count) {
        return csn_import_fail(import, CSN_IMPORT_VALUE, "%s of tree %zu",
                               count == 0 ? "nodes" : "output", index);
    }
    if (index >= CSN_TREES_TREE_MAX || import->nodes.count > CSN_TREES_NODE_MAX - count) {
        return csn_import_fail(import, CSN_IMPORT_LIMIT, "tree %zu", index);
    }
    struct csn_trees_tree *tree = csn_import_grow(&import->trees, 1, sizeof *tree);
    struct order order = {malloc(count * sizeof *order.nodes), calloc(count, sizeof *order.seen),
                          0};
    csn_err err = CSN_OK;
    if (tree == NULL || order.nodes == NULL || order.seen == NULL) {
        err = csn_import_fail(import, CSN_IMPORT_MEMORY, "tree %zu", index);
    } else {
        tree->output = output;
        tree->node_first = (uint32_t)import->nodes.count;
        err = pack_nodes(import, tree, nodes, count, &order);
    }
    free(order.nodes);
    free(order.seen);
    return err;
}

static char *put(char *target, const struct csn_import_list *list, size_t item_size)
{
    if (list->count != 0) {
        memcpy(target, list->items, list->count * item_size);
    }
    return target + list->count * item_size;
}

csn_err csn_import_finish(struct csn_import *import, void **image, size_t *size)
{
    struct csn_trees_header *header = &import->header;
    size_t sum = sizeof *header + import->trees.count * sizeof(struct csn_trees_tree) +
                 import->nodes.count * sizeof(struct csn_trees_node) +
                 import->sets.count * sizeof(struct csn_trees_set) +
                 import->words.count * sizeof(uint32_t);
    memcpy(header->magic, CSN_TREES_MAGIC, sizeof header->magic);
    header->size = (uint32_t)sum;
    header->tree_count = (uint32_t)import->trees.count;
    header->node_count = (uint32_t)import->nodes.count;
    header->set_count = (uint32_t)import->sets.count;
    header->word_count = (uint32_t)import->words.count;
    char *made = malloc(sum);
    if (made == NULL) {
        return csn_import_fail(import, CSN_IMPORT_MEMORY, "image");
    }
    char *at = made + sizeof *header;
    memcpy(made, header, sizeof *header);
    at = put(at, &import->trees, sizeof(struct csn_trees_tree));
    at = put(at, &import->nodes, sizeof(struct csn_trees_node));
    at = put(at, &import->sets, sizeof(struct csn_trees_set));
    put(at, &import->words, sizeof(uint32_t));
    struct csn_trees model;
    size_t offset = 0;
    csn_err err = csn_trees_open(made, sum, &model, &offset);
    if (err != CSN_OK) {
        free(made);
        return csn_import_fail(import, err == CSN_ERR_LIMIT ? CSN_IMPORT_LIMIT : CSN_IMPORT_SHAPE,
                               "packed image, offset %zu", offset);
    }
    *image = made;
    *size = sum;
    return CSN_OK;
}

void csn_import_wipe(struct csn_import *import)
{
    free(import->trees.items);
    free(import->nodes.items);
    free(import->sets.items);
    free(import->words.items);
}
