/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_xgboost.c: the document that XGBoost 1.7 saves. Of a tree there are lists of equal length,
 * one item a node; a leaf has -1 for its left child and its value where a split has its condition.
 * Numbers of parameters are strings.
 */
#include "import_xgboost.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How a sum becomes a score. base_score is a score, but for classes, whose scores have no inverse.
 */
static const struct objective {
    const char *name;
    enum csn_trees_transform transform;
} objectives[] = {
    {"reg:squarederror", CSN_TREES_IDENTITY},
    {"reg:linear", CSN_TREES_IDENTITY},
    {"reg:squaredlogerror", CSN_TREES_IDENTITY},
    {"reg:pseudohubererror", CSN_TREES_IDENTITY},
    {"reg:absoluteerror", CSN_TREES_IDENTITY},
    {"reg:logistic", CSN_TREES_LOGISTIC},
    {"binary:logistic", CSN_TREES_LOGISTIC},
    {"binary:logitraw", CSN_TREES_IDENTITY},
    {"multi:softmax", CSN_TREES_SOFTMAX},
    {"multi:softprob", CSN_TREES_SOFTMAX},
    {"count:poisson", CSN_TREES_EXP},
    {"reg:gamma", CSN_TREES_EXP},
    {"reg:tweedie", CSN_TREES_EXP},
    {"rank:pairwise", CSN_TREES_IDENTITY},
};

static csn_err get(struct csn_import *import, const cJSON *parent, const char *name,
                   const cJSON **field)
{
    *field = cJSON_GetObjectItemCaseSensitive(parent, name);
    return *field != NULL ? CSN_OK : csn_import_fail(import, CSN_IMPORT_ABSENT, "%s", name);
}

static csn_err get_text(struct csn_import *import, const cJSON *parent, const char *name,
                        const char **text)
{
    const cJSON *field = NULL;
    CSN_TRY(get(import, parent, name, &field));
    *text = cJSON_GetStringValue(field);
    return *text != NULL ? CSN_OK : csn_import_fail(import, CSN_IMPORT_TYPE, "%s", name);
}

static csn_err get_parameter(struct csn_import *import, const cJSON *parent, const char *name,
                             double *value)
{
    const char *text = NULL;
    char *end = NULL;
    CSN_TRY(get_text(import, parent, name, &text));
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value)
               ? CSN_OK
               : csn_import_fail(import, CSN_IMPORT_VALUE, "%s", name);
}

static csn_err get_count(struct csn_import *import, const cJSON *parent, const char *name,
                         uint32_t count_max, uint32_t *count)
{
    double value = 0;
    CSN_TRY(get_parameter(import, parent, name, &value));
    if (value < 0 || value != floor(value)) {
        return csn_import_fail(import, CSN_IMPORT_VALUE, "%s", name);
    }
    if (value > count_max) {
        return csn_import_fail(import, CSN_IMPORT_LIMIT, "%s", name);
    }
    *count = (uint32_t)value;
    return CSN_OK;
}

/* A list of a tree, walked beside the others. */
static csn_err get_list(struct csn_import *import, const cJSON *tree, const char *name,
                        uint32_t count, const cJSON **first)
{
    const cJSON *field = NULL;
    CSN_TRY(get(import, tree, name, &field));
    if (!cJSON_IsArray(field)) {
        return csn_import_fail(import, CSN_IMPORT_TYPE, "%s, tree %zu", name, import->trees.count);
    }
    if ((uint32_t)cJSON_GetArraySize(field) != count) {
        return csn_import_fail(import, CSN_IMPORT_LENGTH, "%s, tree %zu", name,
                               import->trees.count);
    }
    *first = field->child;
    return CSN_OK;
}

static csn_err get_index(struct csn_import *import, const cJSON *item, const char *name,
                         uint32_t node, uint32_t *index)
{
    const bool is_flag = cJSON_IsBool(item);
    if (!is_flag && !cJSON_IsNumber(item)) {
        return csn_import_fail(import, CSN_IMPORT_TYPE, "%s[%u], tree %zu", name, node,
                               import->trees.count);
    }
    const double value = is_flag ? cJSON_IsTrue(item) : item->valuedouble;
    if (!(value >= 0 && value < CSN_TREES_NODE_MAX && value == floor(value))) {
        return csn_import_fail(import, CSN_IMPORT_VALUE, "%s[%u], tree %zu", name, node,
                               import->trees.count);
    }
    *index = (uint32_t)value;
    return CSN_OK;
}

enum { LEFT, RIGHT, FEATURE, CONDITION, MISSING_LEFT, KIND, LIST_COUNT };
static const char *const list_names[LIST_COUNT] = {
    "left_children",    "right_children", "split_indices",
    "split_conditions", "default_left",   "split_type",
};

/* The fields of one node from the lists, whose items these are. */
static csn_err read_node(struct csn_import *import, const cJSON *const *items, uint32_t index,
                         struct csn_import_node *node)
{
    uint32_t fields[LIST_COUNT] = {0};
    node->is_leaf = cJSON_IsNumber(items[LEFT]) && items[LEFT]->valuedouble == -1;
    for (uint32_t i = 0; i < LIST_COUNT; i++) {
        bool is_needed = i != CONDITION && !(node->is_leaf && i != KIND);
        if (is_needed && items[i] != NULL) {
            CSN_TRY(get_index(import, items[i], list_names[i], index, &fields[i]));
        }
    }
    if (fields[KIND] > 1 || fields[MISSING_LEFT] > 1) {
        return csn_import_fail(import, CSN_IMPORT_VALUE, "%s[%u], tree %zu",
                               list_names[fields[KIND] > 1 ? KIND : MISSING_LEFT], index,
                               import->trees.count);
    }
    node->left = fields[LEFT];
    node->right = fields[RIGHT];
    node->feature = fields[FEATURE];
    node->is_missing_left = fields[MISSING_LEFT] != 0;
    node->has_set = fields[KIND] != 0 && !node->is_leaf;
    node->set = UINT32_MAX; /* until its categories are read */
    if (!node->has_set && !cJSON_IsNumber(items[CONDITION])) {
        return csn_import_fail(import, CSN_IMPORT_TYPE, "split_conditions[%u], tree %zu", index,
                               import->trees.count);
    }
    node->value = node->has_set ? 0 : (float)items[CONDITION]->valuedouble;
    return CSN_OK;
}

/* `count` categories from *item on, as bits. */
static csn_err read_set(struct csn_import *import, const cJSON **item, uint32_t count,
                        uint32_t *set)
{
    struct csn_import_list words = {0};
    csn_err err = CSN_OK;
    for (uint32_t i = 0; i < count && err == CSN_OK; i++, *item = (*item)->next) {
        uint32_t category = 0;
        if (*item == NULL) {
            err = csn_import_fail(import, CSN_IMPORT_LENGTH, "categories, tree %zu",
                                  import->trees.count);
            break;
        }
        err = get_index(import, *item, "categories", i, &category);
        if (err == CSN_OK && category >= CSN_TREES_CATEGORY_MAX) {
            err = csn_import_fail(import, CSN_IMPORT_LIMIT, "categories, tree %zu",
                                  import->trees.count);
        }
        if (err == CSN_OK && category / 32 >= words.count &&
            csn_import_grow(&words, category / 32 + 1 - words.count, sizeof(uint32_t)) == NULL) {
            err = csn_import_fail(import, CSN_IMPORT_MEMORY, "categories");
        }
        if (err == CSN_OK) {
            ((uint32_t *)words.items)[category / 32] |= UINT32_C(1) << category % 32;
        }
    }
    if (err == CSN_OK && words.count == 0) {
        err = csn_import_fail(import, CSN_IMPORT_VALUE, "categories_sizes, tree %zu",
                              import->trees.count);
    }
    if (err == CSN_OK) {
        err = csn_import_add_set(import, words.items, (uint32_t)words.count, set);
    }
    free(words.items);
    return err;
}

/* The sets of a tree stand one after the other in one list; each split by set has exactly one. */
static csn_err read_sets(struct csn_import *import, const cJSON *tree,
                         struct csn_import_node *nodes, uint32_t count)
{
    const cJSON *of_node = cJSON_GetObjectItemCaseSensitive(tree, "categories_nodes");
    const uint32_t set_count = of_node != NULL ? (uint32_t)cJSON_GetArraySize(of_node) : 0;
    const cJSON *size = NULL;
    const cJSON *begin = NULL;
    const cJSON *item = NULL;
    if (set_count != 0) {
        CSN_TRY(get_list(import, tree, "categories_sizes", set_count, &size));
        CSN_TRY(get_list(import, tree, "categories_segments", set_count, &begin));
        CSN_TRY(get(import, tree, "categories", &item));
        item = item->child;
    }
    uint32_t sum = 0;
    of_node = of_node != NULL ? of_node->child : NULL;
    for (uint32_t i = 0; i < set_count; i++) {
        uint32_t node = 0;
        uint32_t set_size = 0;
        uint32_t first = 0;
        CSN_TRY(get_index(import, of_node, "categories_nodes", i, &node));
        CSN_TRY(get_index(import, size, "categories_sizes", i, &set_size));
        CSN_TRY(get_index(import, begin, "categories_segments", i, &first));
        if (node >= count || !nodes[node].has_set || nodes[node].set != UINT32_MAX ||
            first != sum) {
            return csn_import_fail(import, CSN_IMPORT_VALUE, "categories_nodes[%u], tree %zu", i,
                                   import->trees.count);
        }
        CSN_TRY(read_set(import, &item, set_size, &nodes[node].set));
        sum += set_size;
        of_node = of_node->next;
        size = size->next;
        begin = begin->next;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i].has_set && nodes[i].set == UINT32_MAX) {
            return csn_import_fail(import, CSN_IMPORT_ABSENT, "categories of node %u, tree %zu", i,
                                   import->trees.count);
        }
    }
    return CSN_OK;
}

static csn_err read_nodes(struct csn_import *import, const cJSON *tree,
                          struct csn_import_node *nodes, uint32_t count)
{
    const cJSON *items[LIST_COUNT] = {NULL};
    for (uint32_t i = 0; i < LIST_COUNT; i++) {
        /* Models of before there were categories lack it. */
        if (i != KIND || cJSON_HasObjectItem(tree, list_names[i])) {
            CSN_TRY(get_list(import, tree, list_names[i], count, &items[i]));
        }
    }
    for (uint32_t node = 0; node < count; node++) {
        CSN_TRY(read_node(import, items, node, &nodes[node]));
        for (uint32_t i = 0; i < LIST_COUNT; i++) {
            items[i] = items[i] != NULL ? items[i]->next : NULL;
        }
    }
    return read_sets(import, tree, nodes, count);
}

/* What a tree's leaves count for (dart); 1 where there is no such list. */
static csn_err get_weight(struct csn_import *import, const cJSON *item, float *weight)
{
    *weight = 1;
    if (item == NULL) {
        return CSN_OK;
    }
    if (!cJSON_IsNumber(item)) {
        return csn_import_fail(import, CSN_IMPORT_TYPE, "weight_drop[%zu]", import->trees.count);
    }
    *weight = (float)item->valuedouble;
    return CSN_OK;
}

static csn_err read_tree(struct csn_import *import, const cJSON *tree, uint32_t output,
                         float weight)
{
    const cJSON *parameters = NULL;
    const cJSON *left = NULL;
    uint32_t leaf_size = 0;
    CSN_TRY(get(import, tree, "tree_param", &parameters));
    CSN_TRY(get_count(import, parameters, "size_leaf_vector", UINT32_MAX, &leaf_size));
    if (leaf_size > 1) {
        return csn_import_fail(import, CSN_IMPORT_UNSUPPORTED, "size_leaf_vector, tree %zu",
                               import->trees.count);
    }
    /* How many nodes there are is what the list says, not a parameter. */
    CSN_TRY(get(import, tree, list_names[LEFT], &left));
    const uint32_t count = (uint32_t)cJSON_GetArraySize(left);
    struct csn_import_node *nodes = calloc((size_t)count + 1, sizeof *nodes);
    if (nodes == NULL) {
        return csn_import_fail(import, CSN_IMPORT_MEMORY, "tree %zu", import->trees.count);
    }
    csn_err err = read_nodes(import, tree, nodes, count);
    for (uint32_t i = 0; i < count; i++) {
        nodes[i].value *= nodes[i].is_leaf ? weight : 1;
    }
    if (err == CSN_OK) {
        err = csn_import_add_tree(import, output, nodes, count);
    }
    free(nodes);
    return err;
}

static csn_err read_trees(struct csn_import *import, const cJSON *learner)
{
    const cJSON *booster = NULL;
    const cJSON *model = NULL;
    const cJSON *trees = NULL;
    const cJSON *output = NULL;
    const cJSON *weight = NULL;
    const char *name = NULL;
    CSN_TRY(get(import, learner, "gradient_booster", &booster));
    CSN_TRY(get_text(import, booster, "name", &name));
    const bool is_dart = strcmp(name, "dart") == 0;
    if (!is_dart && strcmp(name, "gbtree") != 0) {
        return csn_import_fail(import, CSN_IMPORT_UNSUPPORTED, "booster %.40s", name);
    }
    const cJSON *dart = booster;
    if (is_dart) {
        CSN_TRY(get(import, booster, "gbtree", &booster));
    }
    CSN_TRY(get(import, booster, "model", &model));
    CSN_TRY(get(import, model, "trees", &trees));
    CSN_TRY(get_list(import, model, "tree_info", (uint32_t)cJSON_GetArraySize(trees), &output));
    if (is_dart) {
        CSN_TRY(
            get_list(import, dart, "weight_drop", (uint32_t)cJSON_GetArraySize(trees), &weight));
    }
    const cJSON *tree = NULL;
    cJSON_ArrayForEach(tree, trees)
    {
        uint32_t index = 0;
        float factor = 1;
        CSN_TRY(get_weight(import, weight, &factor));
        CSN_TRY(get_index(import, output, "tree_info", (uint32_t)import->trees.count, &index));
        CSN_TRY(read_tree(import, tree, index, factor));
        output = output->next;
        weight = weight != NULL ? weight->next : NULL;
    }
    return CSN_OK;
}

static csn_err read_objective(struct csn_import *import, const cJSON *learner, double base)
{
    const cJSON *field = NULL;
    const char *name = NULL;
    CSN_TRY(get(import, learner, "objective", &field));
    CSN_TRY(get_text(import, field, "name", &name));
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
        const struct objective *objective = &objectives[i];
        if (strcmp(name, objective->name) == 0) {
            float single = (float)base;
            import->header.transform = objective->transform;
            import->header.base = objective->transform == CSN_TREES_LOGISTIC
                                      ? -logf(1.0f / single - 1.0f)
                                  : objective->transform == CSN_TREES_EXP ? logf(single)
                                                                          : single;
            return isfinite(import->header.base)
                       ? CSN_OK
                       : csn_import_fail(import, CSN_IMPORT_VALUE, "base_score");
        }
    }
    return csn_import_fail(import, CSN_IMPORT_UNSUPPORTED, "objective %.40s", name);
}

csn_err csn_import_xgboost_document(struct csn_import *import, const cJSON *root)
{
    const cJSON *learner = NULL;
    const cJSON *parameters = NULL;
    double base = 0;
    uint32_t classes = 0;
    uint32_t targets = 1;
    CSN_TRY(get(import, root, "learner", &learner));
    CSN_TRY(get(import, learner, "learner_model_param", &parameters));
    CSN_TRY(get_count(import, parameters, "num_feature", CSN_TREES_FEATURE_MAX,
                      &import->header.feature_count));
    CSN_TRY(get_count(import, parameters, "num_class", CSN_TREES_OUTPUT_MAX, &classes));
    CSN_TRY(get_parameter(import, parameters, "base_score", &base));
    if (cJSON_HasObjectItem(parameters, "num_target")) {
        CSN_TRY(get_count(import, parameters, "num_target", CSN_TREES_OUTPUT_MAX, &targets));
    }
    if (import->header.feature_count == 0) {
        return csn_import_fail(import, CSN_IMPORT_VALUE, "num_feature");
    }
    import->header.output_count = classes > 1 ? classes : targets > 1 ? targets : 1;
    import->header.slope = 1;
    CSN_TRY(read_objective(import, learner, base));
    return read_trees(import, learner);
}
