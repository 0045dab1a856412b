/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_plan.c: the top level of a policy file: version, default, domains, fields.
 */
#include "client/policy/policy_plan.h"

#include <string.h>

csn_err csv_plan_other_key(const struct csv_tree *tree, const struct csv_tree_node *member)
{
    if (csv_tree_named(member, "comment")) {
        return member->kind == CSV_TREE_STRING
                   ? CSN_OK
                   : csv_tree_fault(tree, member->offset, "a comment must be a string");
    }
    return csv_tree_fault(tree, member->name_offset, "unknown key \"%.*s\"",
                          (int)(member->name_size < 64 ? member->name_size : 64), member->name);
}

static bool is_domain_name(const struct csv_tree_node *member)
{
    bool good = member->name_size >= 1 && member->name_size <= 32;
    for (uint32_t index = 0; good && index < member->name_size; index++) {
        char byte = member->name[index];
        good = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
    }
    return good;
}

static csn_err read_version(const struct csv_tree *tree, const struct csv_tree_node *value,
                            uint32_t *version)
{
    uint64_t read = 0;
    bool whole = value->kind == CSV_TREE_NUMBER && value->text_size <= 10;
    for (uint32_t index = 0; whole && index < value->text_size; index++) {
        whole = value->text[index] >= '0' && value->text[index] <= '9';
        read = read * 10 + (uint64_t)(value->text[index] - '0');
    }
    if (!whole || read < 1 || read > UINT32_MAX) {
        return csv_tree_fault(tree, value->offset,
                              "\"version\" must be a whole number from 1 to 4294967295");
    }
    *version = (uint32_t)read;
    return CSN_OK;
}

static csn_err read_domain(const struct csv_tree *tree, const struct csv_tree_node *member,
                           struct csv_plan *plan)
{
    if (plan->domain_count == CSV_DOMAIN_COUNT_MAX) {
        return csv_tree_fault(tree, member->name_offset, "more than 16 domains");
    }
    if (is_domain_name(member) && member->kind == CSV_TREE_OBJECT) {
        struct csv_domain *domain = &plan->domains[plan->domain_count++];
        memcpy(domain->name, member->name, member->name_size);
        for (const struct csv_tree_node *key = member->child; key != NULL; key = key->next) {
            CSN_TRY(csv_tree_named(key, "version") ? read_version(tree, key, &domain->version)
                                                   : csv_plan_other_key(tree, key));
        }
        return domain->version != 0
                   ? CSN_OK
                   : csv_tree_fault(tree, member->offset, "a domain needs the key \"version\"");
    }
    if (member->kind != CSV_TREE_OBJECT) {
        return csv_tree_fault(tree, member->offset, "a domain must be an object with a version");
    }
    return csv_tree_fault(tree, member->name_offset,
                          "a domain's name is 1 to 32 of a to z, 0 to 9 and -");
}

static csn_err read_default(const struct csv_tree *tree, const struct csv_tree_node *value,
                            struct csv_plan *plan)
{
    static const enum csv_action choices[] = {CSV_ACTION_DROP, CSV_ACTION_REDACT, CSV_ACTION_KEEP};
    for (unsigned index = 0; index < 3; index++) {
        if (csv_tree_is(value, csv_action_names[choices[index]])) {
            plan->otherwise = choices[index];
            return CSN_OK;
        }
    }
    return csv_tree_fault(tree, value->offset, "\"default\" must be drop, redact or keep");
}

/* Paths of two fields never lead to each other. */
static csn_err check_path(const struct csv_tree *tree, uint32_t offset, const struct csv_plan *plan,
                          const struct csv_path *path)
{
    for (uint32_t index = 0; index < plan->field_count; index++) {
        const struct csv_path *other = &plan->fields[index].path;
        if (csv_path_leads_to(other, path) || csv_path_leads_to(path, other)) {
            return csv_tree_fault(
                tree, offset, "path \"%.*s\" is the same as, above or below \"%.*s\"",
                (int)(path->text_size < 64 ? path->text_size : 64), path->text,
                (int)(other->text_size < 64 ? other->text_size : 64), other->text);
        }
    }
    return CSN_OK;
}

/* The score takes the place of whatever has its name: one more field, behind the others. */
static csn_err add_score_field(const struct csv_tree *tree, struct csv_plan *plan)
{
    const uint16_t size = (uint16_t)strlen(plan->score.name);
    if (plan->field_count == CSV_FIELD_COUNT_MAX) {
        return csv_tree_fault(tree, plan->score.offset, "a score takes one of the 64 fields");
    }
    struct csv_field *field = &plan->fields[plan->field_count];
    *field = (struct csv_field){
        .action = CSV_ACTION_DROP,
        .domain = -1,
        .path = {
            .text_size = size, .names_size = size, .steps = {{.size = size}}, .step_count = 1}};
    memcpy(field->path.text, plan->score.name, size);
    memcpy(field->path.names, plan->score.name, size);
    CSN_TRY(check_path(tree, plan->score.offset, plan, &field->path));
    plan->field_count++;
    return CSN_OK;
}

static csn_err read_fields(const struct csv_tree *tree,
                           const struct csv_policy_consumers *consumers,
                           const struct csv_tree_node *list, struct csv_plan *plan)
{
    if (list->kind != CSV_TREE_ARRAY) {
        return csv_tree_fault(tree, list->offset, "\"fields\" must be an array");
    }
    for (const struct csv_tree_node *item = list->child; item != NULL; item = item->next) {
        if (plan->field_count == CSV_FIELD_COUNT_MAX) {
            return csv_tree_fault(tree, item->offset, "more than 64 fields");
        }
        struct csv_field *field = &plan->fields[plan->field_count];
        CSN_TRY(csv_field_read(tree, plan, consumers, item, field));
        CSN_TRY(check_path(tree, item->offset, plan, &field->path));
        plan->field_count++;
    }
    return CSN_OK;
}

csn_err csv_plan_read(const struct csv_tree *tree, const struct csv_policy_consumers *consumers,
                      struct csv_plan *plan)
{
    const struct csv_tree_node *root = &tree->nodes[0];
    const struct csv_tree_node *fields = NULL;
    uint32_t version = 0;
    memset(plan, 0, sizeof *plan);
    plan->otherwise = CSV_ACTION_DROP;
    if (root->kind != CSV_TREE_OBJECT) {
        return csv_tree_fault(tree, root->offset, "a policy is a JSON object");
    }
    for (const struct csv_tree_node *member = root->child; member != NULL; member = member->next) {
        if (csv_tree_named(member, "version")) {
            CSN_TRY(read_version(tree, member, &version));
            if (version != 1) {
                return csv_tree_fault(tree, member->offset, "only \"version\" 1 is known");
            }
        } else if (csv_tree_named(member, "default")) {
            CSN_TRY(read_default(tree, member, plan));
        } else if (csv_tree_named(member, "domains")) {
            if (member->kind != CSV_TREE_OBJECT) {
                return csv_tree_fault(tree, member->offset, "\"domains\" must be an object");
            }
            for (const struct csv_tree_node *item = member->child; item != NULL;
                 item = item->next) {
                CSN_TRY(read_domain(tree, item, plan));
            }
        } else if (csv_tree_named(member, "fields")) {
            fields = member;
        } else if (csv_tree_named(member, "score")) {
            CSN_TRY(csv_score_read(tree, member, &plan->score));
        } else {
            CSN_TRY(csv_plan_other_key(tree, member));
        }
    }
    if (version == 0 || fields == NULL) {
        return csv_tree_fault(tree, root->offset, "a policy needs \"version\" and \"fields\"");
    }
    /* Fields last: they name domains, wherever those stand. */
    CSN_TRY(read_fields(tree, consumers, fields, plan));
    return plan->score.offset != 0 ? add_score_field(tree, plan) : CSN_OK;
}
