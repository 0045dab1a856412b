/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_lightgbm.c: LightGBM's text, lines of name=value: a head, then trees one after the other.
 *
 * Its splits differ from ours: left is at or below a double, which becomes below the next float; in
 * a set is left, so the children of such a split change places; and what is missing is said of each
 * split, but is the same for all of a feature. Values are floats here and doubles there.
 */
#include "import_pack.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 0x40000000u

#define IS_CATEGORICAL 1u
#define DEFAULT_LEFT   2u
#define MISSING_SHIFT  2u
enum { MISSING_NONE, MISSING_ZERO, MISSING_NAN };

static const struct objective {
    const char *name;
    enum csn_trees_transform transform;
} objectives[] = {
    {"regression", CSN_TREES_IDENTITY},
    {"regression_l1", CSN_TREES_IDENTITY},
    {"huber", CSN_TREES_IDENTITY},
    {"fair", CSN_TREES_IDENTITY},
    {"quantile", CSN_TREES_IDENTITY},
    {"mape", CSN_TREES_IDENTITY},
    {"poisson", CSN_TREES_EXP},
    {"gamma", CSN_TREES_EXP},
    {"tweedie", CSN_TREES_EXP},
    {"binary", CSN_TREES_LOGISTIC},
    {"multiclass", CSN_TREES_SOFTMAX},
    {"multiclassova", CSN_TREES_LOGISTIC},
    {"cross_entropy", CSN_TREES_LOGISTIC},
    {"lambdarank", CSN_TREES_IDENTITY},
    {"rank_xendcg", CSN_TREES_IDENTITY},
};

enum head_field { VERSION, CLASSES, PER_ITERATION, LAST_FEATURE, OBJECTIVE, AVERAGE, HEAD_COUNT };
static const char *const head_names[HEAD_COUNT] = {
    "version",         "num_class", "num_tree_per_iteration",
    "max_feature_idx", "objective", "average_output",
};
enum tree_field {
    LEAVES,
    SETS,
    FEATURE,
    THRESHOLD,
    DECISION,
    LEFT,
    RIGHT,
    VALUE,
    BOUNDARIES,
    WORDS,
    LINEAR,
    TREE_COUNT,
};
static const char *const tree_names[TREE_COUNT] = {
    "num_leaves",  "num_cat",    "split_feature",  "threshold",     "decision_type", "left_child",
    "right_child", "leaf_value", "cat_boundaries", "cat_threshold", "is_linear",
};

/* The text from the next line on; a line ends in a NUL once it was given out. */
struct reader {
    struct csn_import *import;
    char *at;
    uint8_t *kinds; /* of each feature: 0 not met yet, 1 categorical, 2 + what is missing */
    uint32_t per_iteration;
    bool is_average;
};

static char *next_line(struct reader *reader)
{
    char *line = reader->at;
    if (*line == '\0') {
        return NULL;
    }
    char *end = line + strcspn(line, "\n");
    reader->at = *end == '\0' ? end : end + 1;
    *end = '\0';
    if (end > line && end[-1] == '\r') {
        end[-1] = '\0';
    }
    return line;
}

/* Lines up to an empty one into the fields of these names; others are not asked for. */
static csn_err read_fields(struct reader *reader, const char *const *names, uint32_t count,
                           const char **values)
{
    for (char *line = next_line(reader); line != NULL && *line != '\0'; line = next_line(reader)) {
        const size_t size = strcspn(line, "=");
        for (uint32_t i = 0; i < count; i++) {
            if (strlen(names[i]) != size || memcmp(names[i], line, size) != 0) {
                continue;
            }
            if (values[i] != NULL) {
                return csn_import_fail(reader->import, CSN_IMPORT_VALUE, "%s twice, tree %zu",
                                       names[i], reader->import->trees.count);
            }
            values[i] = line[size] == '=' ? line + size + 1 : "";
        }
    }
    return CSN_OK;
}

static csn_err fail_at(struct reader *reader, enum csn_import_reason reason, const char *name,
                       size_t index)
{
    return csn_import_fail(reader->import, reason, "%s[%zu], tree %zu", name, index,
                           reader->import->trees.count);
}

/* `count` numbers with one space between two. */
static csn_err read_numbers(struct reader *reader, const char *name, const char *text,
                            uint32_t count, double *numbers)
{
    if (text == NULL) {
        return csn_import_fail(reader->import, CSN_IMPORT_ABSENT, "%s, tree %zu", name,
                               reader->import->trees.count);
    }
    for (uint32_t i = 0; i < count; i++) {
        char *end = NULL;
        if (*text == '\0') {
            return fail_at(reader, CSN_IMPORT_LENGTH, name, i);
        }
        numbers[i] = strtod(text, &end);
        if (end == text || *text == ' ' || (*end != ' ' && *end != '\0')) {
            return fail_at(reader, CSN_IMPORT_TYPE, name, i);
        }
        text = *end == ' ' ? end + 1 : end;
    }
    return *text == '\0' ? CSN_OK : fail_at(reader, CSN_IMPORT_LENGTH, name, count);
}

/* A whole number from low to high. */
static csn_err check_whole(struct reader *reader, const char *name, size_t index, double value,
                           double low, double high)
{
    return value >= low && value <= high && value == floor(value)
               ? CSN_OK
               : fail_at(reader, CSN_IMPORT_VALUE, name, index);
}

static csn_err read_count(struct reader *reader, const char *name, const char *text, uint32_t low,
                          uint32_t high, uint32_t *count)
{
    double value = 0;
    CSN_TRY(read_numbers(reader, name, text, 1, &value));
    if (value > high) {
        return csn_import_fail(reader->import, CSN_IMPORT_LIMIT, "%s", name);
    }
    CSN_TRY(check_whole(reader, name, 0, value, low, high));
    *count = (uint32_t)value;
    return CSN_OK;
}

/* ---- head ---- */

static csn_err read_objective(struct reader *reader, char *text)
{
    struct csn_trees_header *header = &reader->import->header;
    char *rest = NULL;
    const char *name = strtok_r(text, " ", &rest);
    size_t found = 0;
    while (found < sizeof objectives / sizeof objectives[0] && name != NULL &&
           strcmp(name, objectives[found].name) != 0) {
        found++;
    }
    if (name == NULL || found == sizeof objectives / sizeof objectives[0]) {
        return csn_import_fail(reader->import, CSN_IMPORT_UNSUPPORTED, "objective %.40s",
                               name != NULL ? name : "");
    }
    header->transform = objectives[found].transform;
    for (const char *word = strtok_r(NULL, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        double value = 0;
        const char *number = strchr(word, ':');
        if (number == NULL ||
            (strncmp(word, "sigmoid:", 8) != 0 && strncmp(word, "num_class:", 10) != 0)) {
            return csn_import_fail(reader->import, CSN_IMPORT_UNSUPPORTED, "objective %.30s %.30s",
                                   name, word);
        }
        CSN_TRY(read_numbers(reader, "objective", number + 1, 1, &value));
        if (word[0] == 's' && header->transform == CSN_TREES_LOGISTIC) {
            header->slope = (float)value;
        }
    }
    return CSN_OK;
}

static csn_err read_head(struct reader *reader)
{
    const char *values[HEAD_COUNT] = {NULL};
    struct csn_trees_header *header = &reader->import->header;
    uint32_t classes = 0;
    uint32_t last = 0;
    const char *first = next_line(reader);
    if (first == NULL || strcmp(first, "tree") != 0) {
        return csn_import_fail(reader->import, CSN_IMPORT_SYNTAX, "first line");
    }
    CSN_TRY(read_fields(reader, head_names, HEAD_COUNT, values));
    if (values[VERSION] == NULL ||
        (strcmp(values[VERSION], "v3") != 0 && strcmp(values[VERSION], "v4") != 0)) {
        return csn_import_fail(reader->import, CSN_IMPORT_UNSUPPORTED, "version %.20s",
                               values[VERSION] != NULL ? values[VERSION] : "");
    }
    CSN_TRY(read_count(reader, head_names[CLASSES], values[CLASSES], 1, CSN_TREES_OUTPUT_MAX,
                       &classes));
    CSN_TRY(read_count(reader, head_names[PER_ITERATION], values[PER_ITERATION], 1,
                       CSN_TREES_OUTPUT_MAX, &reader->per_iteration));
    CSN_TRY(read_count(reader, head_names[LAST_FEATURE], values[LAST_FEATURE], 0,
                       CSN_TREES_FEATURE_MAX - 1, &last));
    header->feature_count = last + 1;
    header->output_count = reader->per_iteration;
    header->slope = 1;
    reader->is_average = values[AVERAGE] != NULL;
    if (classes != reader->per_iteration) {
        return csn_import_fail(reader->import, CSN_IMPORT_UNSUPPORTED, "%s", head_names[CLASSES]);
    }
    /* A model trained for an objective of somebody's own has none, and gives its sums. */
    return values[OBJECTIVE] != NULL ? read_objective(reader, (char *)(uintptr_t)values[OBJECTIVE])
                                     : CSN_OK;
}

/* ---- one tree ---- */

/* The lists of a tree, as numbers: those of its splits, values of leaves, sets. */
struct lists {
    double *splits[TREE_COUNT]; /* FEATURE to RIGHT */
    double *values;
    double *bounds;
    double *words;
    double *memory;
    uint32_t split_count;
    uint32_t set_count;
    uint32_t word_count;
};

static csn_err read_lists(struct reader *reader, const char *const *fields, struct lists *lists)
{
    uint32_t leaves = 0;
    double last = 0;
    CSN_TRY(read_count(reader, tree_names[LEAVES], fields[LEAVES], 1, CSN_TREES_NODE_MAX, &leaves));
    CSN_TRY(read_count(reader, tree_names[SETS], fields[SETS], 0, CSN_TREES_NODE_MAX,
                       &lists->set_count));
    if (lists->set_count != 0) {
        const char *text = fields[BOUNDARIES];
        const char *space = text != NULL ? strrchr(text, ' ') : NULL;
        CSN_TRY(read_numbers(reader, tree_names[BOUNDARIES], space != NULL ? space + 1 : text, 1,
                             &last));
        CSN_TRY(check_whole(reader, tree_names[BOUNDARIES], lists->set_count, last, 1,
                            CSN_TREES_NODE_MAX));
    }
    /* Text of n bytes has no more than n numbers, and so the memory is bounded by it. */
    const size_t text_size = strlen(fields[VALUE] != NULL ? fields[VALUE] : "") +
                             strlen(fields[WORDS] != NULL ? fields[WORDS] : "");
    lists->split_count = leaves - 1;
    lists->word_count = (uint32_t)last;
    const size_t sum = (size_t)6 * leaves + lists->set_count + 1 + lists->word_count;
    if (leaves > text_size || lists->word_count > text_size || lists->set_count > leaves) {
        return csn_import_fail(reader->import, CSN_IMPORT_LENGTH, "leaf_value, tree %zu",
                               reader->import->trees.count);
    }
    double *at = lists->memory = calloc(sum, sizeof *at);
    if (at == NULL) {
        return csn_import_fail(reader->import, CSN_IMPORT_MEMORY, "lists");
    }
    for (uint32_t i = FEATURE; i <= RIGHT; i++, at += lists->split_count) {
        lists->splits[i] = at;
        if (lists->split_count != 0) { /* without splits the lists may be empty or absent */
            CSN_TRY(read_numbers(reader, tree_names[i], fields[i], lists->split_count, at));
        }
    }
    lists->values = at;
    lists->bounds = at + leaves;
    lists->words = lists->bounds + lists->set_count + 1;
    CSN_TRY(read_numbers(reader, tree_names[VALUE], fields[VALUE], leaves, lists->values));
    if (lists->set_count != 0) {
        CSN_TRY(read_numbers(reader, tree_names[BOUNDARIES], fields[BOUNDARIES],
                             lists->set_count + 1, lists->bounds));
        CSN_TRY(read_numbers(reader, tree_names[WORDS], fields[WORDS], lists->word_count,
                             lists->words));
    }
    return CSN_OK;
}

/* What a feature is must be the same in all of its splits. */
static csn_err note_kind(struct reader *reader, uint32_t index, uint32_t feature, uint8_t kind)
{
    if (reader->kinds[feature] != 0 && reader->kinds[feature] != kind) {
        return fail_at(reader, CSN_IMPORT_UNSUPPORTED, "another kind of feature, decision_type",
                       index);
    }
    reader->kinds[feature] = kind;
    return CSN_OK;
}

/* The first float that is not at or below the threshold; infinite if all finite ones are. */
static float split_of(double threshold)
{
    if (threshold >= (double)FLT_MAX) {
        return INFINITY;
    }
    if (threshold < -(double)FLT_MAX) {
        return -FLT_MAX;
    }
    const float nearest = (float)threshold;
    return (double)nearest > threshold ? nearest : nextafterf(nearest, INFINITY);
}

static csn_err read_set(struct reader *reader, const struct lists *lists, uint32_t index,
                        uint32_t *set)
{
    const double number = lists->splits[THRESHOLD][index];
    CSN_TRY(
        check_whole(reader, tree_names[THRESHOLD], index, number, 0, (double)lists->set_count - 1));
    const uint32_t place = (uint32_t)number;
    const double low = lists->bounds[place];
    const double high = lists->bounds[place + 1];
    CSN_TRY(check_whole(reader, tree_names[BOUNDARIES], place, low, 0, lists->word_count));
    CSN_TRY(
        check_whole(reader, tree_names[BOUNDARIES], place + 1, high, low + 1, lists->word_count));
    const uint32_t first = (uint32_t)low;
    const uint32_t count = (uint32_t)high - first;
    uint32_t *words = malloc(count * sizeof *words);
    csn_err err =
        words == NULL ? csn_import_fail(reader->import, CSN_IMPORT_MEMORY, "categories") : CSN_OK;
    for (uint32_t i = 0; i < count && err == CSN_OK; i++) {
        err = check_whole(reader, tree_names[WORDS], first + i, lists->words[first + i], 0,
                          UINT32_MAX);
        words[i] = err == CSN_OK ? (uint32_t)lists->words[first + i] : 0;
    }
    if (err == CSN_OK) {
        err = csn_import_add_set(reader->import, words, count, set);
    }
    free(words);
    return err;
}

/* Of the left or right list: a split, or the complement of a leaf's number; leaves come behind. */
static csn_err read_child(struct reader *reader, const struct lists *lists, uint32_t index,
                          enum tree_field side, uint32_t *child)
{
    const double value = lists->splits[side][index];
    const double splits = lists->split_count;
    CSN_TRY(check_whole(reader, tree_names[side], index, value, -splits - 1, splits - 1));
    *child = value >= 0 ? (uint32_t)value : lists->split_count + (uint32_t)(-1 - value);
    return CSN_OK;
}

static csn_err read_split(struct reader *reader, const struct lists *lists, uint32_t index,
                          struct csn_import_node *node)
{
    const double feature = lists->splits[FEATURE][index];
    const double decision = lists->splits[DECISION][index];
    const double threshold = lists->splits[THRESHOLD][index];
    CSN_TRY(check_whole(reader, tree_names[FEATURE], index, feature, 0,
                        (double)reader->import->header.feature_count - 1));
    CSN_TRY(check_whole(reader, tree_names[DECISION], index, decision, 0, 11));
    const uint32_t bits = (uint32_t)decision;
    const uint8_t missing = (uint8_t)(bits >> MISSING_SHIFT);
    const bool is_set = (bits & IS_CATEGORICAL) != 0;
    node->feature = (uint32_t)feature;
    CSN_TRY(note_kind(reader, index, node->feature, is_set ? 1 : (uint8_t)(2 + missing)));
    /* In the set is left there and right here; what is missing is not in it. */
    CSN_TRY(read_child(reader, lists, index, is_set ? RIGHT : LEFT, &node->left));
    CSN_TRY(read_child(reader, lists, index, is_set ? LEFT : RIGHT, &node->right));
    if (is_set) {
        node->has_set = true;
        node->is_missing_left = true;
        return read_set(reader, lists, index, &node->set);
    }
    if (isnan(threshold)) {
        return fail_at(reader, CSN_IMPORT_VALUE, tree_names[THRESHOLD], index);
    }
    node->value = split_of(threshold);
    /* Where nothing is said to be missing, NaN counts as zero. */
    node->is_missing_left = missing == MISSING_NONE ? threshold >= 0 : (bits & DEFAULT_LEFT) != 0;
    return CSN_OK;
}

static csn_err add_tree(struct reader *reader, const struct lists *lists)
{
    const uint32_t count = 2 * lists->split_count + 1;
    const uint32_t output = (uint32_t)(reader->import->trees.count % reader->per_iteration);
    struct csn_import_node *nodes = calloc(count, sizeof *nodes);
    csn_err err =
        nodes != NULL ? CSN_OK : csn_import_fail(reader->import, CSN_IMPORT_MEMORY, "nodes");
    for (uint32_t i = 0; i < lists->split_count && err == CSN_OK; i++) {
        err = read_split(reader, lists, i, &nodes[i]);
    }
    for (uint32_t i = 0; i <= lists->split_count && err == CSN_OK; i++) {
        struct csn_import_node *leaf = &nodes[lists->split_count + i];
        leaf->is_leaf = true;
        leaf->value = (float)lists->values[i];
    }
    if (err == CSN_OK) {
        err = csn_import_add_tree(reader->import, output, nodes, count);
    }
    free(nodes);
    return err;
}

static csn_err read_tree(struct reader *reader)
{
    const char *fields[TREE_COUNT] = {NULL};
    struct lists lists = {.memory = NULL};
    CSN_TRY(read_fields(reader, tree_names, TREE_COUNT, fields));
    if (fields[LINEAR] != NULL && strcmp(fields[LINEAR], "0") != 0) {
        return csn_import_fail(reader->import, CSN_IMPORT_UNSUPPORTED, "is_linear, tree %zu",
                               reader->import->trees.count);
    }
    csn_err err = read_lists(reader, fields, &lists);
    if (err == CSN_OK) {
        err = add_tree(reader, &lists);
    }
    free(lists.memory);
    return err;
}

/* Up to the line that says that these were all: a file that was cut has none. */
static csn_err read_trees(struct reader *reader)
{
    for (char *line = next_line(reader); line != NULL; line = next_line(reader)) {
        char *end = NULL;
        if (strcmp(line, "end of trees") == 0) {
            return reader->import->trees.count % reader->per_iteration == 0
                       ? CSN_OK
                       : csn_import_fail(reader->import, CSN_IMPORT_LENGTH, "trees");
        }
        if (*line == '\0') {
            continue;
        }
        if (strncmp(line, "Tree=", 5) != 0 || line[5] < '0' || line[5] > '9' ||
            strtoul(line + 5, &end, 10) != reader->import->trees.count || *end != '\0') {
            return csn_import_fail(reader->import, CSN_IMPORT_SYNTAX, "line before tree %zu",
                                   reader->import->trees.count);
        }
        CSN_TRY(read_tree(reader));
    }
    return csn_import_fail(reader->import, CSN_IMPORT_ABSENT, "end of trees");
}

/* ---- what holds for all trees ---- */

/* Scores that are a mean of the iterations, not their sum. */
static void average(struct reader *reader)
{
    struct csn_trees_node *nodes = reader->import->nodes.items;
    const size_t iterations = reader->import->trees.count / reader->per_iteration;
    for (size_t i = 0; i < reader->import->nodes.count && reader->is_average; i++) {
        float value;
        memcpy(&value, &nodes[i].bits, sizeof value);
        value = (float)(value / (double)iterations);
        if (nodes[i].delta == 0) {
            memcpy(&nodes[i].bits, &value, sizeof value);
        }
    }
}

/* Features whose zeros are missing values. */
static csn_err add_zeros(struct reader *reader)
{
    const uint32_t count = reader->import->header.feature_count;
    uint32_t words[(CSN_TREES_FEATURE_MAX + 31) / 32] = {0};
    bool has_any = false;
    uint32_t set = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (reader->kinds[i] == 2 + MISSING_ZERO) {
            words[i / 32] |= UINT32_C(1) << i % 32;
            has_any = true;
        }
    }
    if (has_any) {
        CSN_TRY(csn_import_add_set(reader->import, words, (count + 31) / 32, &set));
        reader->import->header.zero_set = set + 1;
    }
    return CSN_OK;
}

static csn_err read_model(struct reader *reader)
{
    CSN_TRY(read_head(reader));
    reader->kinds = calloc(reader->import->header.feature_count, 1);
    if (reader->kinds == NULL) {
        return csn_import_fail(reader->import, CSN_IMPORT_MEMORY, "features");
    }
    csn_err err = read_trees(reader);
    if (err == CSN_OK) {
        average(reader);
        err = add_zeros(reader);
    }
    free(reader->kinds);
    return err;
}

csn_err csn_import_lightgbm(const char *text, size_t text_size, void **image, size_t *size,
                            struct csn_import_fault *fault)
{
    struct csn_import import = {.fault = fault};
    struct reader reader = {.import = &import};
    if (text_size > TEXT_MAX) {
        return csn_import_fail(&import, CSN_IMPORT_LIMIT, "size of the text");
    }
    if (memchr(text, 0, text_size) != NULL) {
        return csn_import_fail(&import, CSN_IMPORT_SYNTAX, "a zero byte");
    }
    char *copy = malloc(text_size + 1);
    if (copy == NULL) {
        return csn_import_fail(&import, CSN_IMPORT_MEMORY, "text");
    }
    memcpy(copy, text, text_size);
    copy[text_size] = '\0';
    reader.at = copy;
    csn_err err = read_model(&reader);
    if (err == CSN_OK) {
        err = csn_import_finish(&import, image, size);
    }
    free(copy);
    csn_import_wipe(&import);
    return err;
}
