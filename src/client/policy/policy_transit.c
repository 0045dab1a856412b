/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_transit.c: a policy of the transit enclave (docs/TRANSIT.md, section 7): quotas, what
 * keeps its state, and roles.
 */
#include "client/policy/policy_plan.h"

#include <caisson/wire/outside.h>
#include <caisson/wire/transit.h>
#include <string.h>

struct transit_plan {
    struct csn_wire_transit_policy head;
    struct csn_wire_counter counter;
    struct csn_wire_transit_role roles[CSN_WIRE_TRANSIT_ROLE_MAX];
};

static csn_err read_quota(const struct csv_tree *tree, const struct csv_tree_node *value,
                          struct csn_wire_transit_policy *head)
{
    if (value->kind != CSV_TREE_OBJECT) {
        return csv_tree_fault(tree, value->offset, "\"quota\" must be an object");
    }
    for (const struct csv_tree_node *key = value->child; key != NULL; key = key->next) {
        uint64_t number = 0;
        if (csv_tree_named(key, "keys")) {
            CSN_TRY(csv_tree_whole(tree, key, 1, CSN_WIRE_TRANSIT_KEY_MAX, &number));
            head->key_max = (uint32_t)number;
        } else if (csv_tree_named(key, "versions")) {
            CSN_TRY(csv_tree_whole(tree, key, 1, CSN_WIRE_TRANSIT_KEY_VERSIONS, &number));
            head->version_max = (uint32_t)number;
        } else if (csv_tree_named(key, "uses")) {
            CSN_TRY(csv_tree_whole(tree, key, 1, UINT64_C(1) << 48, &head->use_max));
        } else {
            CSN_TRY(csv_plan_other_key(tree, key));
        }
    }
    return CSN_OK;
}

static csn_err read_store(const struct csv_tree *tree, const struct csv_tree_node *value,
                          struct csn_wire_transit_policy *head)
{
    static const char *const words[] = {"none", "journal", "tpm"};
    for (uint8_t i = 0; value->kind == CSV_TREE_STRING && i < 3; i++) {
        if (csv_tree_is(value, words[i])) {
            head->store = i;
            return CSN_OK;
        }
    }
    return csv_tree_fault(tree, value->offset,
                          "\"store\" must be \"none\", \"journal\" or \"tpm\"");
}

/* What `caisson store init-tpm` prints. */
static csn_err read_counter(const struct csv_tree *tree, const struct csv_tree_node *value,
                            struct transit_plan *plan)
{
    struct csn_wire_counter *counter = &plan->counter;
    uint32_t seen = 0;
    if (value->kind != CSV_TREE_OBJECT) {
        return csv_tree_fault(tree, value->offset, "\"counter\" must be an object");
    }
    for (const struct csv_tree_node *key = value->child; key != NULL; key = key->next) {
        uint64_t number = 0;
        if (csv_tree_named(key, "key_handle")) {
            CSN_TRY(csv_tree_whole(tree, key, 1, UINT32_MAX, &number));
            counter->key_handle = (uint32_t)number;
        } else if (csv_tree_named(key, "index")) {
            CSN_TRY(csv_tree_whole(tree, key, 1, UINT32_MAX, &number));
            counter->index = (uint32_t)number;
        } else if (csv_tree_named(key, "mark_index")) {
            CSN_TRY(csv_tree_whole(tree, key, 1, UINT32_MAX, &number));
            counter->mark_index = (uint32_t)number;
        } else if (csv_tree_named(key, "base")) {
            CSN_TRY(csv_tree_whole(tree, key, 0, UINT64_C(1) << 56, &counter->base));
        } else if (csv_tree_named(key, "key")) {
            CSN_TRY(csv_tree_hex(tree, key, counter->key, sizeof counter->key));
        } else if (csv_tree_named(key, "name")) {
            CSN_TRY(csv_tree_hex(tree, key, counter->name, sizeof counter->name));
        } else if (csv_tree_named(key, "mark_name")) {
            CSN_TRY(csv_tree_hex(tree, key, counter->mark_name, sizeof counter->mark_name));
        } else {
            CSN_TRY(csv_plan_other_key(tree, key));
            continue;
        }
        seen++;
    }
    plan->head.counter = 1;
    return seen == 7 ? CSN_OK
                     : csv_tree_fault(tree, value->offset,
                                      "\"counter\" needs key_handle, index, mark_index, base, "
                                      "key, name and mark_name");
}

/* ---- roles ---- */

static bool is_pattern(const struct csv_tree_node *value)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    bool good = value->kind == CSV_TREE_STRING && value->text_size >= 1 &&
                value->text_size < CSN_WIRE_TRANSIT_NAME_SIZE;
    for (uint32_t i = 0; good && i < value->text_size; i++) {
        const char c = value->text[i];
        good = (c != 0 && strchr(allowed, c) != NULL) || (c == '*' && i + 1 == value->text_size);
    }
    return good;
}

static csn_err read_patterns(const struct csv_tree *tree, const struct csv_tree_node *value,
                             struct csn_wire_transit_role *role)
{
    const struct csv_tree_node *name = value->kind == CSV_TREE_ARRAY ? value->child : NULL;
    for (; name != NULL; name = name->next) {
        if (role->pattern_count == CSN_WIRE_TRANSIT_PATTERN_MAX) {
            return csv_tree_fault(tree, name->offset, "more than 8 names of keys");
        }
        if (!is_pattern(name)) {
            return csv_tree_fault(tree, name->offset,
                                  "a name is 1 to 63 letters, digits, '.', '_' and '-', and may "
                                  "end in '*'");
        }
        memcpy(role->patterns[role->pattern_count++], name->text, name->text_size);
    }
    return role->pattern_count != 0
               ? CSN_OK
               : csv_tree_fault(tree, value->offset, "\"keys\" must be a list of names");
}

static csn_err read_operations(const struct csv_tree *tree, const struct csv_tree_node *value,
                               struct csn_wire_transit_role *role)
{
    const struct csv_tree_node *name = value->kind == CSV_TREE_ARRAY ? value->child : NULL;
    for (; name != NULL; name = name->next) {
        uint32_t operation = 1;
        while (operation <= CSN_WIRE_TRANSIT_OPERATION_LAST &&
               !(name->kind == CSV_TREE_STRING &&
                 csv_tree_is(name, csn_wire_transit_operation_name(operation)))) {
            operation++;
        }
        if (operation > CSN_WIRE_TRANSIT_OPERATION_LAST) {
            return csv_tree_fault(tree, name->offset, "not an operation");
        }
        role->operations |= UINT32_C(1) << operation;
    }
    return role->operations != 0
               ? CSN_OK
               : csv_tree_fault(tree, value->offset, "\"operations\" must be a list of names");
}

static csn_err read_purposes(const struct csv_tree *tree, const struct csv_tree_node *value,
                             struct csn_wire_transit_role *role)
{
    const struct csv_tree_node *each = value->kind == CSV_TREE_ARRAY ? value->child : NULL;
    role->purposes = 0;
    for (; each != NULL; each = each->next) {
        uint64_t number = 0;
        CSN_TRY(csv_tree_whole(tree, each, 0, 63, &number));
        role->purposes |= UINT64_C(1) << number;
    }
    return role->purposes != 0
               ? CSN_OK
               : csv_tree_fault(tree, value->offset, "\"purposes\" must be a list of numbers");
}

static csn_err read_role(const struct csv_tree *tree, const struct csv_tree_node *object,
                         struct csn_wire_transit_role *role)
{
    role->purposes = UINT64_MAX;
    for (const struct csv_tree_node *key = object->child; key != NULL; key = key->next) {
        if (csv_tree_named(key, "keys")) {
            CSN_TRY(read_patterns(tree, key, role));
        } else if (csv_tree_named(key, "operations")) {
            CSN_TRY(read_operations(tree, key, role));
        } else if (csv_tree_named(key, "purposes")) {
            CSN_TRY(read_purposes(tree, key, role));
        } else {
            CSN_TRY(csv_plan_other_key(tree, key));
        }
    }
    return role->pattern_count != 0 && role->operations != 0
               ? CSN_OK
               : csv_tree_fault(tree, object->offset, "a role needs \"keys\" and \"operations\"");
}

static csn_err read_roles(const struct csv_tree *tree, const struct csv_tree_node *value,
                          struct transit_plan *plan)
{
    if (value->kind != CSV_TREE_ARRAY) {
        return csv_tree_fault(tree, value->offset, "\"roles\" must be a list");
    }
    for (const struct csv_tree_node *role = value->child; role != NULL; role = role->next) {
        if (plan->head.role_count == CSN_WIRE_TRANSIT_ROLE_MAX) {
            return csv_tree_fault(tree, role->offset, "more than 32 roles");
        }
        if (role->kind != CSV_TREE_OBJECT) {
            return csv_tree_fault(tree, role->offset, "a role must be an object");
        }
        CSN_TRY(read_role(tree, role, &plan->roles[plan->head.role_count++]));
    }
    return CSN_OK;
}

/* ---- all together ---- */

static csn_err read_plan(const struct csv_tree *tree, struct transit_plan *plan)
{
    uint64_t version = 0;
    plan->head = (struct csn_wire_transit_policy){.magic = CSN_WIRE_TRANSIT_POLICY_MAGIC,
                                                  .version = CSN_WIRE_TRANSIT_POLICY_VERSION,
                                                  .key_max = CSN_WIRE_TRANSIT_KEY_MAX,
                                                  .version_max = CSN_WIRE_TRANSIT_KEY_VERSIONS};
    for (const struct csv_tree_node *key = tree->nodes[0].child; key != NULL; key = key->next) {
        if (csv_tree_named(key, "version")) {
            CSN_TRY(csv_tree_whole(tree, key, 1, 1, &version));
        } else if (csv_tree_named(key, "quota")) {
            CSN_TRY(read_quota(tree, key, &plan->head));
        } else if (csv_tree_named(key, "store")) {
            CSN_TRY(read_store(tree, key, &plan->head));
        } else if (csv_tree_named(key, "counter")) {
            CSN_TRY(read_counter(tree, key, plan));
        } else if (csv_tree_named(key, "roles")) {
            CSN_TRY(read_roles(tree, key, plan));
        } else if (!csv_tree_named(key, "service")) {
            CSN_TRY(csv_plan_other_key(tree, key));
        }
    }
    if (version == 0) {
        return csv_tree_fault(tree, 0, "the policy needs \"version\": 1");
    }
    if (plan->head.store == CSN_WIRE_TRANSIT_STORE_TPM && plan->head.counter == 0) {
        return csv_tree_fault(tree, 0, "\"store\": \"tpm\" needs \"counter\"");
    }
    return CSN_OK;
}

csn_err csv_transit_compile(const struct csv_tree *tree, uint8_t *output, size_t capacity,
                            size_t *output_size)
{
    struct transit_plan plan = {.counter = {.base = 0}};
    CSN_TRY(read_plan(tree, &plan));
    const size_t counter = plan.head.counter != 0 ? sizeof plan.counter : 0;
    const size_t roles = plan.head.role_count * sizeof plan.roles[0];
    *output_size = sizeof plan.head + counter + roles;
    if (*output_size > capacity) {
        return CSN_ERR_SPACE;
    }
    memcpy(output, &plan.head, sizeof plan.head);
    memcpy(output + sizeof plan.head, &plan.counter, counter);
    memcpy(output + sizeof plan.head + counter, plan.roles, roles);
    return CSN_OK;
}
