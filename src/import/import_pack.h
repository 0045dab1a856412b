/* SPDX-License-Identifier: Apache-2.0 */
/* import_pack.h: trees with any order of nodes, one after the other, into a packed image. */
#ifndef CSN_IMPORT_PACK_H
#define CSN_IMPORT_PACK_H

#include "import.h"
#include "trees/trees.h"

struct csn_import_list {
    void *items;
    size_t count;
    size_t capacity;
};

/* A node as a file has it: left and right are indices in the same tree. */
struct csn_import_node {
    uint32_t left;
    uint32_t right;
    uint32_t feature;
    uint32_t set; /* of csn_import_add_set() */
    float value;  /* split: below it to the left; leaf: what it adds */
    bool is_leaf;
    bool has_set;
    bool is_missing_left;
};

struct csn_import {
    struct csn_import_fault *fault;
    struct csn_trees_header header; /* feature_count before the first tree; counts are kept here */
    struct csn_import_list trees;
    struct csn_import_list nodes;
    struct csn_import_list sets;
    struct csn_import_list words;
};

/* Says what and where, and gives the result that belongs to the reason. */
__attribute__((format(printf, 3, 4))) csn_err
csn_import_fail(struct csn_import *import, enum csn_import_reason reason, const char *place, ...);

/* Room for count more items of item_size, zeroed; NULL without memory. */
void *csn_import_grow(struct csn_import_list *list, size_t count, size_t item_size);

CSN_MUST_USE csn_err csn_import_add_set(struct csn_import *import, const uint32_t *words,
                                        uint32_t word_count, uint32_t *set);
/* Node 0 is the root; what cannot be reached from it is left out. */
CSN_MUST_USE csn_err csn_import_add_tree(struct csn_import *import, uint32_t output,
                                         const struct csn_import_node *nodes, uint32_t count);
/* The image, checked; and csn_import_wipe() in any case. */
CSN_MUST_USE csn_err csn_import_finish(struct csn_import *import, void **image, size_t *size);
void csn_import_wipe(struct csn_import *import);

#endif
