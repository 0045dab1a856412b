/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trees.h: boosted trees in one packed image, and their scores.
 *
 * Trust:    the packed image is anybody's, in private memory that does not change after
 *           csn_trees_open() has checked it once; after that nothing is checked. Rows are anybody's
 *           too: every float is taken, NaN is a missing value.
 * Threads:  an opened model is read only; each thread brings its own scratch.
 * Time:     which nodes are read depends on model and row: not constant-time in either.
 * Memory:   no allocation, no recursion. A walk ends after the depth that the check counted.
 * Builds:   freestanding and hosted, same source.
 *
 * The image, little-endian, without pointers: header, trees, nodes, sets, words, in this order and
 * without gaps. The nodes of a tree are in the order of their levels, the two children of a split
 * side by side, so that a valid tree has one form: the children of the n-th split are its nodes
 * 2 n + 1 and 2 n + 2. A row goes right where its value is not below the split, or is in the set.
 */
#ifndef CSN_TREES_H
#define CSN_TREES_H

#include <caisson/base.h>
#include <stdbool.h>

#define CSN_TREES_MAGIC        "CSNTREE1"
#define CSN_TREES_FEATURE_MAX  16383u
#define CSN_TREES_OUTPUT_MAX   1024u
#define CSN_TREES_TREE_MAX     65536u
#define CSN_TREES_NODE_MAX     0x4000000u /* in all; in one tree, a child is at most 65,535 away */
#define CSN_TREES_CATEGORY_MAX 0x1000000u /* categories are 0 to one less */
#define CSN_TREES_BLOCK        64u        /* rows that are walked together */
#define CSN_TREES_ALIGNMENT    8u         /* of the image in memory */
#define CSN_TREES_ZERO         1e-35f     /* what is not further from zero is zero */

enum csn_trees_transform {
    CSN_TREES_IDENTITY,
    CSN_TREES_LOGISTIC, /* each output for itself, after a factor */
    CSN_TREES_SOFTMAX,
    CSN_TREES_EXP,
    CSN_TREES_TRANSFORM_COUNT,
};

struct csn_trees_header {
    uint8_t magic[8];
    uint32_t size; /* of the whole image */
    uint32_t feature_count;
    uint32_t output_count;
    uint32_t tree_count;
    uint32_t node_count;
    uint32_t set_count;
    uint32_t word_count;
    uint32_t transform; /* enum csn_trees_transform */
    float base;         /* where every sum begins */
    float slope;        /* of CSN_TREES_LOGISTIC; else 1 */
    /* Not 0: one more than the set of the features whose zeros are missing values. */
    uint32_t zero_set;
    uint8_t zero[12];
};

struct csn_trees_tree {
    uint32_t node_first;
    uint32_t node_count;
    uint32_t output; /* to which its leaf is added */
    uint32_t depth;  /* steps to the deepest leaf */
};

/*
 * With F features a row has 2 F + 1 slots: its F values as they are (NaN is at or above nothing, so
 * what is missing goes left), F with +inf for what is missing (it goes right), and one NaN: a leaf
 * compares with it and stays. A slot above these is a set: 2 F + 1 + f for missing to the left, F
 * more for missing to the right.
 */
struct csn_trees_node {
    uint32_t bits; /* split (finite or +inf) or leaf value as float, or index of a set */
    uint16_t slot;
    uint16_t delta; /* from here to the left child; 0: a leaf */
};

/* Bit c of the words: category c goes right. What is beyond them or no category goes left. */
struct csn_trees_set {
    uint32_t word_first;
    uint32_t word_count;
};

_Static_assert(sizeof(struct csn_trees_header) == 64, "as in the image");
_Static_assert(sizeof(struct csn_trees_tree) == 16, "as in the image");
_Static_assert(sizeof(struct csn_trees_node) == 8, "as in the image");

/* A checked image; the memory stays the caller's and must outlive it. */
struct csn_trees {
    const struct csn_trees_header *header;
    const struct csn_trees_tree *trees;
    const struct csn_trees_node *nodes;
    const struct csn_trees_set *sets;
    const uint32_t *words;
};

/*
 * Checks all of an image: CSN_ERR_ARGUMENT if it is not aligned, CSN_ERR_LIMIT for a count beyond
 * the limits above, CSN_ERR_FORMAT else, with the offset of the structure that is wrong.
 */
CSN_MUST_USE csn_err csn_trees_open(const void *image, size_t size, struct csn_trees *model,
                                    size_t *offset);

/* Floats of scratch that scoring needs; wiping them is the caller's. */
size_t csn_trees_scratch_count(const struct csn_trees *model);

/*
 * Sums of leaves for row_count rows of feature_count floats each, into row_count times output_count
 * floats, added in the order of the trees. A batch gives what its rows give one by one.
 */
void csn_trees_sum(const struct csn_trees *model, const float *rows, size_t row_count,
                   float *scratch, float *sums);

/* The same, transformed. Sums beyond what a float holds become infinite, as they would elsewhere.
 */
void csn_trees_score(const struct csn_trees *model, const float *rows, size_t row_count,
                     float *scratch, float *scores);

/* Of the above: sums to scores in place. */
void csn_trees_transform(const struct csn_trees *model, float *scores, size_t row_count);

#endif
