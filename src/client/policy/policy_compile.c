/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_compile.c: the two entry points of caisson/policy.h.
 */
#include "client/policy/policy_plan.h"

#include <stdlib.h>
#include <string.h>

static csn_err read_plan(const char *text, size_t size,
                         const struct csv_policy_consumers *consumers, struct csv_plan *plan,
                         struct csv_policy_error *error)
{
    struct csv_tree tree = {.error = error};
    csn_err err = csv_tree_read(&tree, text, size);
    if (err == CSN_OK) {
        err = csv_plan_read(&tree, consumers, plan);
    }
    csv_tree_wipe(&tree);
    return err;
}

static csn_err compile_tokenize(const char *text, size_t size,
                                const struct csv_policy_consumers *consumers, uint8_t *output,
                                size_t capacity, size_t *output_size,
                                struct csv_policy_error *error)
{
    struct csv_plan *plan = malloc(sizeof *plan);
    if (plan == NULL) {
        return CSN_ERR_MEMORY;
    }
    csn_err err = read_plan(text, size, consumers, plan, error);
    if (err == CSN_OK) {
        err = csv_plan_encode(plan, consumers != NULL ? consumers->weights_key : NULL, output,
                              capacity, output_size, error);
    }
    free(plan);
    return err;
}

/* What the policy says it is for; NULL: tokenize, which says nothing. */
static const struct csv_tree_node *service_of(const struct csv_tree *tree)
{
    const struct csv_tree_node *member = tree->nodes[0].child;
    while (member != NULL && (member->name_size != 7 || memcmp(member->name, "service", 7) != 0)) {
        member = member->next;
    }
    return member;
}

static csn_err compile_service(const struct csv_tree *tree, const struct csv_tree_node *service,
                               const struct csv_policy_consumers *consumers, uint8_t *output,
                               size_t capacity, size_t *output_size)
{
    if (service->kind == CSV_TREE_STRING && csv_tree_is(service, "transit")) {
        return csv_transit_compile(tree, output, capacity, output_size);
    }
    if (service->kind == CSV_TREE_STRING && csv_tree_is(service, "model")) {
        return csv_model_compile(tree, consumers != NULL ? consumers->weights_key : NULL, output,
                                 capacity, output_size);
    }
    return csv_tree_fault(tree, service->offset, "\"service\" must be \"transit\" or \"model\"");
}

csn_err csv_policy_compile(const char *text, size_t size,
                           const struct csv_policy_consumers *consumers, uint8_t *output,
                           size_t capacity, size_t *output_size, struct csv_policy_error *error)
{
    struct csv_tree tree = {.error = error};
    csn_err err = csv_tree_read(&tree, text, size);
    const struct csv_tree_node *service = err == CSN_OK ? service_of(&tree) : NULL;
    if (service != NULL) {
        err = compile_service(&tree, service, consumers, output, capacity, output_size);
    }
    csv_tree_wipe(&tree);
    return err == CSN_OK && service == NULL
               ? compile_tokenize(text, size, consumers, output, capacity, output_size, error)
               : err;
}

csn_err csv_policy_field_index(const char *text, size_t size,
                               const struct csv_policy_consumers *consumers, const char *path,
                               uint32_t *index, struct csv_policy_error *error)
{
    struct csv_plan *plan = malloc(sizeof *plan);
    if (plan == NULL) {
        return CSN_ERR_MEMORY;
    }
    csn_err err = read_plan(text, size, consumers, plan, error);
    for (uint32_t field = 0; err == CSN_OK && field < plan->field_count; field++) {
        const struct csv_path *have = &plan->fields[field].path;
        if (have->text_size == strlen(path) && memcmp(have->text, path, have->text_size) == 0) {
            *index = field;
            free(plan);
            return CSN_OK;
        }
    }
    free(plan);
    return err == CSN_OK ? CSN_ERR_UNKNOWN : err;
}
