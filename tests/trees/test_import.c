/* SPDX-License-Identifier: Apache-2.0 */
/* test_import.c: does each fault of a model's text have its reason and its place? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "import/import.h"
#include "trees_made.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 8192u

/* What stands in MODEL_BOTH (the first time), what then stands there. */
static const struct {
    const char *old;
    const char *changed;
    enum csn_import_reason reason;
    const char *place;
} faults[] = {
    {"}}}", "}}}}", CSN_IMPORT_SYNTAX, "offset"},
    {"learner\"", "lerner\"", CSN_IMPORT_ABSENT, "learner"},
    {"\"3\"", "\"0\"", CSN_IMPORT_VALUE, "num_feature"},
    {"\"3\"", "\"1.5\"", CSN_IMPORT_VALUE, "num_feature"},
    {"\"3\"", "\"16384\"", CSN_IMPORT_LIMIT, "num_feature"},
    {"\"3\"", "\"2\"", CSN_IMPORT_VALUE, "feature 2, tree 1"},
    {"\"3\"", "3", CSN_IMPORT_TYPE, "num_feature"},
    {"\"1E2\"", "\"1E2x\"", CSN_IMPORT_VALUE, "base_score"},
    {"squarederror", "survival", CSN_IMPORT_UNSUPPORTED, "objective reg:survival"},
    {"gbtree", "gblinear", CSN_IMPORT_UNSUPPORTED, "booster gblinear"},
    {"gbtree", "dart", CSN_IMPORT_ABSENT, "gbtree"},
    {"[0,0]", "[0]", CSN_IMPORT_LENGTH, "tree_info, tree 0"},
    {"[0,0]", "[0,1]", CSN_IMPORT_VALUE, "output of tree 1"},
    {"vector\":\"0\"", "vector\":\"3\"", CSN_IMPORT_UNSUPPORTED, "size_leaf_vector, tree 0"},
    {"[3,-1,-1,4,-1]", "[3,-1,-1,4]", CSN_IMPORT_LENGTH, "right_children, tree 0"},
    {"[3,-1,-1,4,-1]", "[3,-1,-1,5,-1]", CSN_IMPORT_SHAPE, "children of node 3, tree 0"},
    {"[3,-1,-1,4,-1]", "[3,-1,-1,0,-1]", CSN_IMPORT_SHAPE, "children of node 3, tree 0"},
    {"[3,-1,-1,4,-1]", "[3,-1,-1,2,-1]", CSN_IMPORT_SHAPE, "children of node 3, tree 0"},
    {"[3,-1,-1,4,-1]", "[3,-1,-1,-2,-1]", CSN_IMPORT_VALUE, "left_children[3], tree 0"},
    {"[3,-1,-1,4,-1]", "[3,-1,-1,\"\",-1]", CSN_IMPORT_TYPE, "left_children[3], tree 0"},
    {"[0.5,4,2,2,1]", "[0.5,4,NaN,2,1]", CSN_IMPORT_TYPE, "split_conditions[2], tree 0"},
    {"[0.5,4,2,2,1]", "[0.5,4,1e99,2,1]", CSN_IMPORT_VALUE, "split or leaf not finite, tree 0"},
    {"[1,0,0,0,0]", "[2,0,0,0,0]", CSN_IMPORT_VALUE, "default_left[0], tree 0"},
    {"[1,0,0],", "[2,0,0],", CSN_IMPORT_VALUE, "split_type[0], tree 1"},
    {"_nodes\":[0]", "_nodes\":[1]", CSN_IMPORT_VALUE, "categories_nodes[0], tree 1"},
    {"_nodes\":[0]", "_nodes\":[]", CSN_IMPORT_ABSENT, "categories of node 0, tree 1"},
    {"_sizes\":[2]", "_sizes\":[3]", CSN_IMPORT_LENGTH, "categories, tree 1"},
    {"_sizes\":[2]", "_sizes\":[0]", CSN_IMPORT_VALUE, "categories_sizes, tree 1"},
    {"_segments\":[0]", "_segments\":[1]", CSN_IMPORT_VALUE, "categories_nodes[0], tree 1"},
    {"[1,40]", "[1,16777216]", CSN_IMPORT_LIMIT, "categories, tree 1"},
    {"[1,40]", "[1,0.5]", CSN_IMPORT_VALUE, "categories[1], tree 1"},
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
    const char *model = MODEL_BOTH;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char text[TEXT_MAX];
        struct csn_import_fault fault = {0};
        void *image = NULL;
        size_t size = 0;
        const char *at = strstr(model, faults[i].old);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - model), model, faults[i].changed,
                 at + strlen(faults[i].old));
        assert_int_equal(csn_import_xgboost_json(text, strlen(text), &image, &size, &fault),
                         err_of(faults[i].reason));
        assert_string_equal(csn_import_reason_name(fault.reason),
                            csn_import_reason_name(faults[i].reason));
        assert_memory_equal(fault.place, faults[i].place, strlen(faults[i].place));
        assert_null(image);
    }
}

/* A model as UBJSON: a single leaf of 3; lists with a type, with a count and with neither. */
static const char ubjson[] = "{U\7learner{"
                             "U\23learner_model_param{"
                             "U\12base_scoreSU\1"
                             "1"
                             "U\11num_classSU\1"
                             "0"
                             "U\13num_featureSU\1"
                             "1}"
                             "U\11objective{U\4nameSU\20reg:squarederror}"
                             "U\20gradient_booster{U\4nameSU\6gbtree"
                             "U\5model{"
                             "U\11tree_info[#i\1i\0"
                             "U\5trees[{"
                             "U\12tree_param{U\20size_leaf_vectorSU\1"
                             "0}"
                             "U\15left_children[$l#U\1\377\377\377\377"
                             "U\16right_children[I\377\377]"
                             "U\15split_indices[$U#U\1\0"
                             "U\20split_conditions[$d#L\0\0\0\0\0\0\0\1\100\100\0\0"
                             "U\14default_left[F]"
                             "}]}}}}";

static csn_err import_ubjson(const char *bytes, size_t size, struct csn_import_fault *fault)
{
    void *image = NULL;
    size_t image_size = 0;
    char *own = malloc(size + (size == 0));
    assert_non_null(own);
    memcpy(own, bytes, size);
    csn_err err = csn_import_xgboost_ubjson(own, size, &image, &image_size, fault);
    free(own);
    free(image);
    return err;
}

/* What stands in it, what then stands there: not UBJSON, or not as XGBoost writes it. */
static const struct {
    const char *old;
    const char *changed;
} ubjson_faults[] = {
    {"[F]}", "[N]}"},     {"[F]}", "[F}}"},   {"[I", "[C"},
    {"[$l", "[$S"},       {"[$l#", "[$l*"},   {"l#U\1", "l#U\2"},
    {"l#U\1", "l#i\377"}, {"]}}}}", "]}}}]"}, {"U\1\377", "d\1\377"},
};

static void test_ubjson(void **state)
{
    (void)state;
    const size_t size = sizeof ubjson - 1;
    struct csn_import_fault fault = {0};
    char text[sizeof ubjson + 1];
    assert_int_equal(import_ubjson(ubjson, size, &fault), CSN_OK);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(import_ubjson(ubjson, cut, &fault), CSN_ERR_FORMAT);
        assert_int_equal(fault.reason, CSN_IMPORT_SYNTAX);
    }
    memcpy(text, ubjson, size);
    text[size] = '}';
    assert_int_equal(import_ubjson(text, size + 1, &fault), CSN_ERR_FORMAT);
    for (size_t i = 0; i < sizeof ubjson_faults / sizeof ubjson_faults[0]; i++) {
        const char *old = ubjson_faults[i].old;
        size_t at = 0;
        memcpy(text, ubjson, size);
        while (at < size && memcmp(text + at, old, strlen(old)) != 0) {
            at++;
        }
        assert_true(at < size);
        memcpy(text + at, ubjson_faults[i].changed, strlen(ubjson_faults[i].changed));
        assert_int_equal(import_ubjson(text, size, &fault), CSN_ERR_FORMAT);
        assert_int_equal(fault.reason, CSN_IMPORT_SYNTAX);
    }
    memset(text, '[', size); /* deeper than it may be */
    memcpy(text, "{U\1a", 4);
    assert_int_equal(import_ubjson(text, size, &fault), CSN_ERR_FORMAT);
    assert_string_equal(fault.place, "offset 36");
}

static void test_cuts(void **state)
{
    (void)state;
    const char *model = MODEL_BOTH;
    for (size_t size = 0; size < strlen(model); size++) {
        struct csn_import_fault fault = {0};
        void *image = NULL;
        size_t image_size = 0;
        char *own = malloc(size + 1);
        assert_non_null(own);
        memcpy(own, model, size);
        assert_int_equal(csn_import_xgboost_json(own, size, &image, &image_size, &fault),
                         CSN_ERR_FORMAT);
        assert_int_equal(fault.reason, CSN_IMPORT_SYNTAX);
        free(own);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_faults), cmocka_unit_test(test_ubjson),
                                       cmocka_unit_test(test_cuts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
