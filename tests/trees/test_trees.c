/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_trees.c: are scores of a model made by hand what they must be, does a batch give what its
 * rows give, and is every image refused that is not one?
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
#include <stdlib.h>
#include <string.h>

#define ROW_MAX 200u

/* cmocka's own takes NaN for near. */
static void assert_near(double value, double expected, double apart_max)
{
    assert_true(fabs(value - expected) <= apart_max);
}

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
    csn_err err = csn_import_xgboost_json(text, strlen(text), &loaded.image, &loaded.size, &fault);
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
    float row[3];
    float sum;
} known[] = {
    {{0.25f, 1, 1}, 121},  {{0.25f, 2, 0}, 112},         {{0.5f, 1, 40}, 124},
    {{0.25f, 1, 41}, 111}, {{0.25f, 1, 1e9f}, 111},      {{0.25f, 1, -1}, 111},
    {{NAN, 1, NAN}, 121},  {{NAN, NAN, 39}, 112},        {{-INFINITY, INFINITY, 1.5f}, 122},
    {{0.25f, 1, 8}, 111},  {{INFINITY, NAN, 72}, 114},   {{0.25f, 1, INFINITY}, 111},
    {{0.25f, 1, 64}, 111}, {{0.25f, 1, -INFINITY}, 111}, {{0.25f, 1, 16777216}, 111},
};
#define KNOWN_COUNT (sizeof known / sizeof known[0])

static void test_known_rows(void **state)
{
    (void)state;
    struct loaded loaded = load(MODEL_BOTH);
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        float sum = 0;
        csn_trees_score(&loaded.model, known[i].row, 1, loaded.scratch, &sum);
        assert_true(sum == known[i].sum);
    }
    unload(&loaded);
}

static void test_dart(void **state)
{
    (void)state;
    struct loaded loaded = load(MODEL_DART);
    float sum = 0;
    csn_trees_sum(&loaded.model, known[0].row, 1, loaded.scratch, &sum);
    assert_true(sum == 100 + 0.5f * 1 + 2 * 20);
    unload(&loaded);
}

/* What is beyond the bits of a set is not in it, although the bits of another set follow. */
static void test_next_set(void **state)
{
    (void)state;
    const float row[3] = {0, 0, 65};
    float sum = 0;
    struct loaded loaded =
        load(MODEL("reg:squarederror", "0", "0", TREE_CATEGORIES "," TREE_CATEGORIES, "0,0"));
    csn_trees_sum(&loaded.model, row, 1, loaded.scratch, &sum);
    assert_true(sum == 20);
    unload(&loaded);
}

/* Batches of every size around a block: exactly what the rows give, and nothing behind the last. */
static void test_batches(void **state)
{
    (void)state;
    struct loaded loaded = load(MODEL_BOTH);
    float rows[ROW_MAX * 3];
    float sums[ROW_MAX + 1];
    for (size_t i = 0; i < ROW_MAX; i++) {
        memcpy(rows + 3 * i, known[i * 7 % KNOWN_COUNT].row, sizeof known[0].row);
    }
    for (size_t count = 0; count <= ROW_MAX; count++) {
        sums[count] = -7;
        csn_trees_sum(&loaded.model, rows, count, loaded.scratch, sums);
        for (size_t i = 0; i < count; i++) {
            assert_true(sums[i] == known[i * 7 % KNOWN_COUNT].sum);
        }
        assert_true(sums[count] == -7);
    }
    unload(&loaded);
}

static void test_transforms(void **state)
{
    (void)state;
    const float row[3] = {0.25f, 1, 0};
    const float sums[] = {-745, -100, -3, -0.5f, 0, 0.25f, 1, 2.5f, 15, 88, 400};
    struct loaded loaded = load(MODEL("binary:logistic", "2.5E-1", "0", TREE_NUMERIC, "0"));
    float score = 0;
    csn_trees_score(&loaded.model, row, 1, loaded.scratch, &score);
    assert_near(score, 1 / (1 + exp(-(1 + log(0.25 / 0.75)))), 1e-7);
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        score = sums[i];
        csn_trees_transform(&loaded.model, &score, 1);
        assert_near(score, 1 / (1 + exp(-sums[i])), 1e-7);
    }
    unload(&loaded);
    loaded = load(MODEL("count:poisson", "2", "0", TREE_NUMERIC, "0"));
    for (size_t i = 2; i < 9; i++) {
        score = sums[i];
        csn_trees_transform(&loaded.model, &score, 1);
        assert_near(score / exp(sums[i]), 1, 2e-7);
    }
    unload(&loaded);
    loaded = load(MODEL("multi:softprob", "0.5", "3", TREE_NUMERIC "," TREE_CATEGORIES, "2,1"));
    float scores[3];
    csn_trees_score(&loaded.model, row, 1, loaded.scratch, scores);
    const double all = exp(0) + exp(10) + exp(1);
    assert_near(scores[0], exp(0) / all, 1e-7);
    assert_near(scores[1], exp(10) / all, 1e-7);
    assert_near(scores[2], exp(1) / all, 1e-7);
    unload(&loaded);
}

/* In exactly its own memory, so that AddressSanitizer sees a byte too many. */
static csn_err open_and_score(const uint8_t *bytes, size_t size)
{
    struct csn_trees model;
    size_t offset = 0;
    void *own = malloc(size == 0 ? 1 : size);
    assert_non_null(own);
    memcpy(own, bytes, size);
    csn_err err = csn_trees_open(own, size, &model, &offset);
    assert_true(offset <= size);
    if (err == CSN_OK) {
        const size_t width = model.header->feature_count;
        float *rows = calloc(ROW_MAX * width, sizeof *rows);
        float *scores = calloc(ROW_MAX * (size_t)model.header->output_count, sizeof *scores);
        float *scratch = calloc(csn_trees_scratch_count(&model), sizeof *scratch);
        assert_true(rows != NULL && scores != NULL && scratch != NULL);
        for (size_t i = 0; i < ROW_MAX * width; i++) {
            rows[i] = known[i % KNOWN_COUNT].row[i % 3];
        }
        csn_trees_score(&model, rows, ROW_MAX, scratch, scores);
        free(rows);
        free(scores);
        free(scratch);
    }
    free(own);
    return err;
}

static void test_flips_and_cuts(void **state)
{
    (void)state;
    struct loaded loaded = load(MODEL_BOTH);
    uint8_t *bytes = loaded.image;
    size_t taken = 0;
    for (size_t bit = 0; bit < loaded.size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        taken += open_and_score(bytes, loaded.size) == CSN_OK;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(taken > 0 && taken < loaded.size * 8); /* values of leaves and splits may change */
    for (size_t size = 0; size < loaded.size; size++) {
        assert_int_not_equal(open_and_score(bytes, size), CSN_OK);
    }
    assert_int_equal(open_and_score(bytes, loaded.size), CSN_OK);
    struct csn_trees model;
    size_t offset = 0;
    uint64_t apart[64] = {0};
    memcpy((uint8_t *)apart + 4, bytes, loaded.size);
    assert_int_equal(csn_trees_open((uint8_t *)apart + 4, loaded.size, &model, &offset),
                     CSN_ERR_ARGUMENT);
    unload(&loaded);
}

#define HEADER(field) offsetof(struct csn_trees_header, field)
#define TREE(i, field)                                                                             \
    (sizeof(struct csn_trees_header) + (i) * sizeof(struct csn_trees_tree) +                       \
     offsetof(struct csn_trees_tree, field))
#define NODE(i, field)                                                                             \
    (TREE(2, node_first) + (i) * sizeof(struct csn_trees_node) +                                   \
     offsetof(struct csn_trees_node, field))
#define SET(field) (NODE(8, bits) + offsetof(struct csn_trees_set, field))

/* Nodes 0 to 4 are the tree of numbers, level by level; 5 to 7 that of categories. 3 features. */
static const struct {
    size_t at;
    uint32_t size;
    uint32_t value;
    csn_err err;
    size_t offset; /* that is reported */
} edits[] = {
    {HEADER(magic), 1, 'X', CSN_ERR_FORMAT, 0},
    {HEADER(feature_count), 4, 0, CSN_ERR_FORMAT, 0},
    {HEADER(feature_count), 4, 16384, CSN_ERR_LIMIT, 0},
    {HEADER(output_count), 4, 0, CSN_ERR_FORMAT, 0},
    {HEADER(output_count), 4, 1025, CSN_ERR_LIMIT, 0},
    {HEADER(tree_count), 4, 65537, CSN_ERR_LIMIT, 0},
    {HEADER(node_count), 4, 0x4000001, CSN_ERR_LIMIT, 0},
    {HEADER(node_count), 4, 9, CSN_ERR_FORMAT, 0},
    {HEADER(size), 4, 1, CSN_ERR_FORMAT, 0},
    {HEADER(transform), 4, 4, CSN_ERR_FORMAT, 0},
    {HEADER(base), 4, 0x7f800000, CSN_ERR_FORMAT, 0},
    {HEADER(slope), 4, 0x40000000, CSN_ERR_FORMAT, 0}, /* 2, without CSN_TREES_LOGISTIC */
    {HEADER(zero) + 11, 1, 1, CSN_ERR_FORMAT, 0},
    {HEADER(zero_set), 4, 1, CSN_ERR_FORMAT, 0}, /* a set of more words than 3 features have */
    {HEADER(zero_set), 4, 2, CSN_ERR_FORMAT, 0}, /* the second of one set */
    {TREE(0, node_first), 4, 1, CSN_ERR_FORMAT, TREE(0, node_first)},
    {TREE(1, output), 4, 1, CSN_ERR_FORMAT, TREE(1, node_first)},
    {TREE(0, depth), 4, 1, CSN_ERR_FORMAT, TREE(0, node_first)},
    {TREE(0, depth), 4, 3, CSN_ERR_FORMAT, TREE(0, node_first)},
    {TREE(0, node_count), 4, 0, CSN_ERR_FORMAT, TREE(0, node_first)},
    {TREE(0, node_count), 4, 4, CSN_ERR_FORMAT, NODE(1, bits)}, /* a child beyond the tree */
    {TREE(0, node_count), 4, 6, CSN_ERR_FORMAT, NODE(5, bits)}, /* a node that nobody reaches */
    {TREE(1, node_count), 4, 4, CSN_ERR_FORMAT, TREE(1, node_first)},
    {NODE(0, bits), 4, 0x7fc00000, CSN_ERR_FORMAT, NODE(0, bits)},
    {NODE(0, slot), 2, 6, CSN_ERR_FORMAT, NODE(0, bits)},  /* a split on the slot of leaves */
    {NODE(0, slot), 2, 13, CSN_ERR_FORMAT, NODE(0, bits)}, /* past the sets */
    {NODE(0, delta), 2, 2, CSN_ERR_FORMAT, NODE(0, bits)},
    {NODE(0, delta), 2, 0, CSN_ERR_FORMAT, NODE(0, bits)}, /* a leaf with a slot */
    {NODE(2, bits), 4, 0xff800000, CSN_ERR_FORMAT, NODE(2, bits)},
    {NODE(2, slot), 2, 5, CSN_ERR_FORMAT, NODE(2, bits)},
    {NODE(1, slot), 4, 6, CSN_ERR_FORMAT, TREE(0, node_first)}, /* a leaf: nobody reaches 3 and 4 */
    {NODE(5, bits), 4, 1, CSN_ERR_FORMAT, NODE(5, bits)},       /* the second of one set */
    {SET(word_count), 4, 3, CSN_ERR_FORMAT, SET(word_first)},
    {SET(word_first), 4, 1, CSN_ERR_FORMAT, SET(word_first)},
    {SET(word_first), 4, UINT32_MAX, CSN_ERR_FORMAT, SET(word_first)},
};

static void test_refused(void **state)
{
    (void)state;
    struct loaded loaded = load(MODEL_BOTH);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        struct csn_trees model;
        size_t offset = SIZE_MAX;
        uint64_t bytes[64];
        assert_true(loaded.size <= sizeof bytes);
        memcpy(bytes, loaded.image, loaded.size);
        memcpy((uint8_t *)bytes + edits[i].at, &edits[i].value, edits[i].size);
        assert_int_equal(csn_trees_open(bytes, loaded.size, &model, &offset), edits[i].err);
        assert_int_equal(offset, edits[i].offset);
    }
    unload(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_rows),     cmocka_unit_test(test_next_set),
        cmocka_unit_test(test_dart),           cmocka_unit_test(test_batches),
        cmocka_unit_test(test_transforms),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_flips_and_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
