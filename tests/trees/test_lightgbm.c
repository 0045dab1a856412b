/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lightgbm.c: is a text as LightGBM writes it the model that it means, and has each fault its
 * reason and its place? Scores of random models are compared by test_lightgbm.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "import/import.h"
#include "trees/trees.h"
#include "trees_made.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096u

struct loaded {
    void *image;
    size_t size;
    struct csn_trees model;
    float *scratch;
};

static struct loaded load(const char *text)
{
    struct loaded loaded = {0};
    struct csn_import_fault fault = {0};
    size_t offset = 0;
    csn_err err = csn_import_lightgbm(text, strlen(text), &loaded.image, &loaded.size, &fault);
    assert_string_equal(fault.place, "");
    assert_int_equal(err, CSN_OK);
    assert_int_equal(csn_trees_open(loaded.image, loaded.size, &loaded.model, &offset), CSN_OK);
    loaded.scratch = malloc(csn_trees_scratch_count(&loaded.model) * sizeof(float));
    assert_non_null(loaded.scratch);
    return loaded;
}

static void unload(struct loaded *loaded)
{
    free(loaded->scratch);
    free(loaded->image);
}

static const struct {
    float row[4];
    float sum;
} known[] = {
    {{-1, 0, 1, 0}, 11120},
    {{-0.5f, 0, 1, 0}, 11120},
    {{0, 0, 1, 0}, 11120}, /* zero is missing, and that is to the left */
    {{1e-35f, 0, 1, 0}, 11120},
    {{-1e-36f, 0, 1, 0}, 11120},
    {{2e-35f, 0, 1, 0}, 11110},
    {{-0.25f, 0, 1, 0}, 11110},
    {{NAN, 0, 1, 0}, 11120},
    {{INFINITY, 0, 1, 0}, 11110},
    {{-1, 3.4028235e38f, 1, 0}, 11120}, /* every finite one is below */
    {{-1, INFINITY, 1, 0}, 11140},
    {{-1, NAN, 1, 0}, 11140},
    {{-1, 0, 40, 0}, 11120},
    {{-1, 0, 40.5f, 0}, 11120},
    {{-1, 0, 41, 0}, 11220},
    {{-1, 0, 0, 0}, 11220}, /* zero is a category like others */
    {{-1, 0, -1, 0}, 11220},
    {{-1, 0, 1e9f, 0}, 11220},
    {{-1, 0, NAN, 0}, 11220},
    {{-1, 0, 1, 1}, 11120}, /* at the threshold: left */
    {{-1, 0, 1, 1.0000001f}, 12120},
    {{-1, 0, 1, NAN}, 11120}, /* counts as zero */
};
#define KNOWN_COUNT (sizeof known / sizeof known[0])

static void test_known_rows(void **state)
{
    (void)state;
    struct loaded loaded = load(LIGHTGBM("objective=regression\n"));
    struct loaded mean = load(LIGHTGBM("objective=regression\naverage_output\n"));
    float rows[CSN_TREES_BLOCK * 4];
    float sums[CSN_TREES_BLOCK];
    for (size_t i = 0; i < CSN_TREES_BLOCK; i++) {
        memcpy(rows + 4 * i, known[i % KNOWN_COUNT].row, sizeof known[0].row);
    }
    csn_trees_sum(&loaded.model, rows, CSN_TREES_BLOCK, loaded.scratch, sums);
    for (size_t i = 0; i < CSN_TREES_BLOCK; i++) {
        float score = 0;
        assert_true(sums[i] == known[i % KNOWN_COUNT].sum);
        csn_trees_score(&loaded.model, rows + 4 * i, 1, loaded.scratch, &score);
        assert_true(score == sums[i]);
        csn_trees_score(&mean.model, rows + 4 * i, 1, mean.scratch, &score);
        assert_true(score == sums[i] / 4);
    }
    unload(&loaded);
    unload(&mean);
}

/* Transforms by objective; classes take turns. */
static void test_objectives(void **state)
{
    (void)state;
    const struct {
        const char *text;
        uint32_t transform;
        float slope;
    } objectives[] = {
        {LIGHTGBM(""), CSN_TREES_IDENTITY, 1},
        {LIGHTGBM("objective=binary sigmoid:2.5\n"), CSN_TREES_LOGISTIC, 2.5f},
        {LIGHTGBM("objective=cross_entropy\n"), CSN_TREES_LOGISTIC, 1},
        {LIGHTGBM("objective=multiclassova num_class:1 sigmoid:3\n"), CSN_TREES_LOGISTIC, 3},
        {LIGHTGBM("objective=multiclass num_class:1\n"), CSN_TREES_SOFTMAX, 1},
        {LIGHTGBM("objective=tweedie\n"), CSN_TREES_EXP, 1},
        {LIGHTGBM("objective=lambdarank\n"), CSN_TREES_IDENTITY, 1},
    };
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
        struct loaded loaded = load(objectives[i].text);
        assert_int_equal(loaded.model.header->transform, objectives[i].transform);
        assert_true(loaded.model.header->slope == objectives[i].slope);
        unload(&loaded);
    }
}

/* A changed text; the number of the copy in which `old` stands is not asked for. */
static void change(char *text, const char *old, const char *changed)
{
    const char *model = LIGHTGBM("objective=regression\n");
    const char *at = strstr(model, old);
    assert_non_null(at);
    snprintf(text, TEXT_MAX, "%.*s%s%s", (int)(at - model), model, changed, at + strlen(old));
}

static void test_classes(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    float sums[2] = {0};
    change(text, "num_class=1\nnum_tree_per_iteration=1", "num_class=2\nnum_tree_per_iteration=2");
    struct loaded loaded = load(text);
    csn_trees_sum(&loaded.model, known[0].row, 1, loaded.scratch, sums);
    assert_true(sums[0] == 1020 && sums[1] == 10100);
    unload(&loaded);
}

/* Zero is missing, that is to the right, and a little more than zero is to the left. */
static void test_zero_right(void **state)
{
    (void)state;
    const float rows[3][4] = {{0, 0, 1, 0}, {NAN, 0, 1, 0}, {1e-3f, 0, 1, 0}};
    const float expected[3] = {11110, 11110, 11120};
    char text[TEXT_MAX];
    change(text, "threshold=-0.5 1.0000000000000001e+300\ndecision_type=6",
           "threshold=0.5 1.0000000000000001e+300\ndecision_type=4");
    struct loaded loaded = load(text);
    for (size_t i = 0; i < 3; i++) {
        float sum = 0;
        csn_trees_sum(&loaded.model, rows[i], 1, loaded.scratch, &sum);
        assert_true(sum == expected[i]);
    }
    unload(&loaded);
}

static const struct {
    const char *old;
    const char *changed;
    enum csn_import_reason reason;
    const char *place;
} faults[] = {
    {"tree\n", "trees\n", CSN_IMPORT_SYNTAX, "first line"},
    {"=v4", "=v2", CSN_IMPORT_UNSUPPORTED, "version v2"},
    {"version=v4\n", "", CSN_IMPORT_UNSUPPORTED, "version"},
    {"version=v4\n", "version=v4\nversion=v4\n", CSN_IMPORT_VALUE, "version twice"},
    {"num_class=1", "num_class=2", CSN_IMPORT_UNSUPPORTED, "num_class"},
    {"num_class=1", "num_class=0", CSN_IMPORT_VALUE, "num_class[0]"},
    {"num_class=1", "num_class=x", CSN_IMPORT_TYPE, "num_class[0]"},
    {"iteration=1", "iteration=1025", CSN_IMPORT_LIMIT, "num_tree_per_iteration"},
    {"idx=3", "idx=16383", CSN_IMPORT_LIMIT, "max_feature_idx"},
    {"idx=3", "idx=2", CSN_IMPORT_VALUE, "split_feature[0], tree 2"},
    {"max_feature_idx=3\n", "", CSN_IMPORT_ABSENT, "max_feature_idx"},
    {"=regression", "=regression sqrt", CSN_IMPORT_UNSUPPORTED, "objective regression sqrt"},
    {"=regression", "=cross_entropy_lambda", CSN_IMPORT_UNSUPPORTED, "objective cross_entropy_l"},
    {"=regression", "=binary sigmoid:x", CSN_IMPORT_TYPE, "objective[0]"},
    {"=regression", "=binary sigmoid:-1", CSN_IMPORT_SHAPE, "packed image"},
    {"Tree=0", "Tree=1", CSN_IMPORT_SYNTAX, "line before tree 0"},
    {"Tree=0", "tree", CSN_IMPORT_SYNTAX, "line before tree 0"},
    {"num_leaves=3\n", "", CSN_IMPORT_ABSENT, "num_leaves, tree 0"},
    {"num_leaves=3", "num_leaves=0", CSN_IMPORT_VALUE, "num_leaves[0], tree 0"},
    {"num_leaves=3", "num_leaves=4", CSN_IMPORT_LENGTH, "split_feature[2], tree 0"},
    {"num_leaves=3", "num_leaves=2", CSN_IMPORT_LENGTH, "split_feature[1], tree 0"},
    {"num_leaves=3", "num_leaves=9999", CSN_IMPORT_LENGTH, "leaf_value, tree 0"},
    {"num_cat=0\n", "", CSN_IMPORT_ABSENT, "num_cat, tree 0"},
    {"threshold=-0.5 ", "threshold=nan ", CSN_IMPORT_VALUE, "threshold[0], tree 0"},
    {"threshold=-0.5 ", "threshold=-0.5  ", CSN_IMPORT_TYPE, "threshold[1], tree 0"},
    {"threshold=-0.5 ", "threshold=-0.5,", CSN_IMPORT_TYPE, "threshold[0], tree 0"},
    {"decision_type=6 8", "decision_type=6 12", CSN_IMPORT_VALUE, "decision_type[1], tree 0"},
    {"decision_type=6 8", "decision_type=6 0.5", CSN_IMPORT_VALUE, "decision_type[1], tree 0"},
    {"left_child=1 -2", "left_child=2 -2", CSN_IMPORT_VALUE, "left_child[0], tree 0"},
    {"left_child=1 -2", "left_child=1 -4", CSN_IMPORT_VALUE, "left_child[1], tree 0"},
    {"left_child=1 -2", "left_child=1 0", CSN_IMPORT_SHAPE, "children of node 1, tree 0"},
    {"left_child=1 -2", "left_child=1 -1", CSN_IMPORT_SHAPE, "children of node 1, tree 0"},
    {"leaf_value=10 20 40", "leaf_value=10 nan 40", CSN_IMPORT_VALUE, "split or leaf not finite"},
    {"leaf_value=10 20 40", "leaf_value=10 20 1e39", CSN_IMPORT_VALUE, "split or leaf not finite"},
    {"leaf_value=10 20 40", "leaf_value=10 20", CSN_IMPORT_LENGTH, "leaf_value[2], tree 0"},
    {"is_linear=0", "is_linear=1", CSN_IMPORT_UNSUPPORTED, "is_linear, tree 0"},
    {"split_feature=2", "split_feature=0", CSN_IMPORT_UNSUPPORTED, "another kind of feature"},
    {"threshold=0\n", "threshold=1\n", CSN_IMPORT_VALUE, "threshold[0], tree 1"},
    {"boundaries=0 2", "boundaries=0 3", CSN_IMPORT_LENGTH, "cat_threshold[2], tree 1"},
    {"boundaries=0 2", "boundaries=2 2", CSN_IMPORT_VALUE, "cat_boundaries[1], tree 1"},
    {"boundaries=0 2", "boundaries=0.5 2", CSN_IMPORT_VALUE, "cat_boundaries[0], tree 1"},
    {"boundaries=0 2", "boundaries=0 9999", CSN_IMPORT_LENGTH, "leaf_value, tree 1"},
    {"boundaries=0 2", "boundaries=2", CSN_IMPORT_LENGTH, "cat_boundaries[1], tree 1"},
    {"num_cat=1", "num_cat=3", CSN_IMPORT_LENGTH, "leaf_value, tree 1"},
    {"cat_threshold=2 256", "cat_threshold=2 -1", CSN_IMPORT_VALUE, "cat_threshold[1], tree 1"},
    {"cat_threshold=2 256", "cat_threshold=2 4294967296", CSN_IMPORT_VALUE, "cat_threshold[1]"},
    {"end of trees", "end of tree", CSN_IMPORT_SYNTAX, "line before tree 4"},
    {"end of trees", "", CSN_IMPORT_SYNTAX, "line before tree 4"},
};

static csn_err err_of(enum csn_import_reason reason)
{
    return reason == CSN_IMPORT_LIMIT         ? CSN_ERR_LIMIT
           : reason == CSN_IMPORT_UNSUPPORTED ? CSN_ERR_UNKNOWN
                                              : CSN_ERR_FORMAT;
}

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char text[TEXT_MAX];
        struct csn_import_fault fault = {0};
        void *image = NULL;
        size_t size = 0;
        change(text, faults[i].old, faults[i].changed);
        csn_err err = csn_import_lightgbm(text, strlen(text), &image, &size, &fault);
        assert_string_equal(csn_import_reason_name(fault.reason),
                            csn_import_reason_name(faults[i].reason));
        fault.place[strlen(faults[i].place)] = '\0';
        assert_string_equal(fault.place, faults[i].place);
        assert_int_equal(err, err_of(faults[i].reason));
        assert_null(image);
    }
}

/* Up to the end of the trees every cut is found; so are zero bytes, and half an iteration. */
static void test_cuts(void **state)
{
    (void)state;
    const char *model = LIGHTGBM("objective=regression\n");
    const size_t needed = (size_t)(strstr(model, "end of trees") - model) + strlen("end of trees");
    struct csn_import_fault fault = {0};
    void *image = NULL;
    size_t size = 0;
    char text[TEXT_MAX];
    for (size_t cut = 0; cut < needed; cut++) {
        char *own = malloc(cut + 1);
        assert_non_null(own);
        memcpy(own, model, cut);
        assert_int_not_equal(csn_import_lightgbm(own, cut, &image, &size, &fault), CSN_OK);
        assert_null(image);
        free(own);
    }
    assert_int_equal(csn_import_lightgbm(model, needed, &image, &size, &fault), CSN_OK);
    free(image);
    image = NULL;
    assert_int_equal(csn_import_lightgbm(model, strlen(model) + 1, &image, &size, &fault),
                     CSN_ERR_FORMAT);
    assert_string_equal(fault.place, "a zero byte");
    change(text, "num_class=1\nnum_tree_per_iteration=1", "num_class=3\nnum_tree_per_iteration=3");
    assert_int_equal(csn_import_lightgbm(text, strlen(text), &image, &size, &fault),
                     CSN_ERR_FORMAT);
    assert_string_equal(fault.place, "trees");
}

/* The bits of features whose zeros are missing: one for each feature. */
static void test_zero_set(void **state)
{
    (void)state;
    struct loaded loaded = load(LIGHTGBM("objective=regression\n"));
    struct csn_trees model = loaded.model;
    size_t offset = 0;
    assert_int_equal(model.header->zero_set, 2);
    uint32_t *word = (uint32_t *)(uintptr_t)(model.words + model.sets[1].word_first);
    assert_int_equal(*word, 1);
    *word |= 8;
    assert_int_equal(csn_trees_open(loaded.image, loaded.size, &model, &offset), CSN_OK);
    *word |= 16;
    assert_int_equal(csn_trees_open(loaded.image, loaded.size, &model, &offset), CSN_ERR_FORMAT);
    unload(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_rows), cmocka_unit_test(test_objectives),
        cmocka_unit_test(test_classes),    cmocka_unit_test(test_zero_right),
        cmocka_unit_test(test_zero_set),   cmocka_unit_test(test_faults),
        cmocka_unit_test(test_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
