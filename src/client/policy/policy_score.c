/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_score.c: `score`: which model, the name of the member, where the features stand
 * (docs/TOKENIZE.md section 7).
 */
#include "client/policy/policy_plan.h"

#include <string.h>

enum key { KEY_MODEL, KEY_NAME, KEY_FEATURES, KEY_OUTPUT, KEY_CHECK, KEY_COUNT };
static const char *const key_names[KEY_COUNT] = {"model", "name", "features", "output", "check"};
enum feature_key { KEY_PATH, KEY_CATEGORIES, FEATURE_KEY_COUNT };
static const char *const feature_key_names[FEATURE_KEY_COUNT] = {"path", "categories"};

/* The members of an object by name; a comment may stand anywhere. */
static csn_err sort_keys(const struct csv_tree *tree, const struct csv_tree_node *object,
                         const char *const *names, uint32_t count,
                         const struct csv_tree_node **values)
{
    for (const struct csv_tree_node *member = object->child; member != NULL;
         member = member->next) {
        uint32_t key = 0;
        while (key < count && !csv_tree_named(member, names[key])) {
            key++;
        }
        if (key < count) {
            values[key] = member;
        } else {
            CSN_TRY(csv_plan_other_key(tree, member));
        }
    }
    return CSN_OK;
}

static csn_err read_name(const struct csv_tree *tree, const struct csv_tree_node *value,
                         struct csv_score *score)
{
    bool good = value->kind == CSV_TREE_STRING && value->text_size >= 1 &&
                value->text_size < sizeof score->name;
    for (uint32_t i = 0; good && i < value->text_size; i++) {
        const char byte = value->text[i];
        good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
               (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
    }
    if (!good) {
        return csv_tree_fault(tree, value->offset,
                              "\"name\" must be 1 to 64 of a to z, A to Z, 0 to 9, _ and -");
    }
    memcpy(score->name, value->text, value->text_size);
    return CSN_OK;
}

static csn_err read_output(const struct csv_tree *tree, const struct csv_tree_node *value,
                           struct csv_score *score)
{
    uint64_t number = 0;
    CSN_TRY(csv_tree_whole(tree, value, 0, 1023, &number));
    score->output = (uint32_t)number;
    return CSN_OK;
}

static csn_err read_categories(const struct csv_tree *tree, const struct csv_tree_node *list,
                               struct csv_score *score, struct csv_feature *feature)
{
    feature->category_first = score->category_count;
    if (list->kind != CSV_TREE_ARRAY || list->child == NULL) {
        return csv_tree_fault(tree, list->offset, "\"categories\" must be an array of strings");
    }
    for (const struct csv_tree_node *item = list->child; item != NULL; item = item->next) {
        if (item->kind != CSV_TREE_STRING || item->text_size > CSV_PATH_SIZE_MAX) {
            return csv_tree_fault(tree, item->offset, "a category is a string of at most %u bytes",
                                  CSV_PATH_SIZE_MAX);
        }
        if (score->category_count == CSV_CATEGORY_COUNT_MAX ||
            item->text_size > sizeof score->text - score->text_size) {
            return csv_tree_fault(tree, item->offset, "more than %u categories, or too long ones",
                                  CSV_CATEGORY_COUNT_MAX);
        }
        struct csv_category *category = &score->categories[score->category_count++];
        category->offset = score->text_size;
        category->size = item->text_size;
        memcpy(score->text + score->text_size, item->text, item->text_size);
        score->text_size += item->text_size;
        for (uint32_t i = feature->category_first; i + 1 < score->category_count; i++) {
            const struct csv_category *other = &score->categories[i];
            if (other->size == category->size &&
                memcmp(score->text + other->offset, item->text, other->size) == 0) {
                return csv_tree_fault(tree, item->offset, "a category that was there before");
            }
        }
        feature->category_count++;
    }
    return CSN_OK;
}

/* A path, or an object with one. */
static csn_err read_feature(const struct csv_tree *tree, const struct csv_tree_node *item,
                            struct csv_score *score, struct csv_feature *feature)
{
    const struct csv_tree_node *values[FEATURE_KEY_COUNT] = {NULL};
    const struct csv_tree_node *path = item;
    memset(feature, 0, sizeof *feature);
    if (item->kind == CSV_TREE_OBJECT) {
        CSN_TRY(sort_keys(tree, item, feature_key_names, FEATURE_KEY_COUNT, values));
        path = values[KEY_PATH];
    }
    if (path == NULL || path->kind != CSV_TREE_STRING) {
        return csv_tree_fault(tree, item->offset,
                              "a feature is a path, or an object with a \"path\"");
    }
    CSN_TRY(csv_path_parse(tree, path, &feature->path));
    for (uint32_t i = 0; i < feature->path.step_count; i++) {
        if (feature->path.steps[i].every) {
            return csv_tree_fault(tree, path->offset, "a feature's path has no [*]");
        }
    }
    return values[KEY_CATEGORIES] != NULL
               ? read_categories(tree, values[KEY_CATEGORIES], score, feature)
               : CSN_OK;
}

static csn_err read_features(const struct csv_tree *tree, const struct csv_tree_node *list,
                             struct csv_score *score)
{
    uint32_t steps = 0;
    if (list->kind != CSV_TREE_ARRAY || list->child == NULL) {
        return csv_tree_fault(tree, list->offset, "\"features\" must be an array, and not empty");
    }
    for (const struct csv_tree_node *item = list->child; item != NULL; item = item->next) {
        if (score->feature_count == CSV_FEATURE_COUNT_MAX) {
            return csv_tree_fault(tree, item->offset, "more than %u features",
                                  CSV_FEATURE_COUNT_MAX);
        }
        struct csv_feature *feature = &score->features[score->feature_count++];
        CSN_TRY(read_feature(tree, item, score, feature));
        steps += feature->path.step_count;
        if (steps > CSV_FEATURE_STEP_COUNT_MAX) {
            return csv_tree_fault(tree, item->offset, "more than %u steps in all features",
                                  CSV_FEATURE_STEP_COUNT_MAX);
        }
    }
    return CSN_OK;
}

csn_err csv_score_read(const struct csv_tree *tree, const struct csv_tree_node *object,
                       struct csv_score *score)
{
    const struct csv_tree_node *values[KEY_COUNT] = {NULL};
    if (object->kind != CSV_TREE_OBJECT) {
        return csv_tree_fault(tree, object->offset, "\"score\" must be an object");
    }
    CSN_TRY(sort_keys(tree, object, key_names, KEY_COUNT, values));
    for (uint32_t key = KEY_MODEL; key <= KEY_FEATURES; key++) {
        if (values[key] == NULL) {
            return csv_tree_fault(tree, object->offset, "a score needs the key \"%s\"",
                                  key_names[key]);
        }
    }
    CSN_TRY(csv_tree_digest(tree, values[KEY_MODEL], score->digest));
    CSN_TRY(read_name(tree, values[KEY_NAME], score));
    if (values[KEY_OUTPUT] != NULL) {
        CSN_TRY(read_output(tree, values[KEY_OUTPUT], score));
    }
    if (values[KEY_CHECK] != NULL) {
        score->is_checked = values[KEY_CHECK]->kind == CSV_TREE_TRUE;
        if (!score->is_checked && values[KEY_CHECK]->kind != CSV_TREE_FALSE) {
            return csv_tree_fault(tree, values[KEY_CHECK]->offset,
                                  "\"check\" must be true or false");
        }
    }
    CSN_TRY(read_features(tree, values[KEY_FEATURES], score));
    score->offset = values[KEY_NAME]->offset;
    return CSN_OK;
}
