/* SPDX-License-Identifier: Apache-2.0 */
/* policy_model.c: a policy of the model enclave (docs/MODEL.md): which models, and how much. */
#include "client/policy/policy_plan.h"

#include <caisson/wire/model.h>
#include <string.h>

static csn_err read_model(const struct csv_tree *tree, const struct csv_tree_node *object,
                          struct csn_wire_weights_ref *ref, bool *shares)
{
    bool named = false;
    bool check = false;
    if (object->kind != CSV_TREE_OBJECT) {
        return csv_tree_fault(tree, object->offset, "must be an object");
    }
    for (const struct csv_tree_node *key = object->child; key != NULL; key = key->next) {
        if (csv_tree_named(key, "model")) {
            CSN_TRY(csv_tree_digest(tree, key, ref->digest));
            named = true;
        } else if (csv_tree_named(key, "check")) {
            CSN_TRY(csv_tree_bool(tree, key, &check));
        } else if (csv_tree_named(key, "share")) {
            CSN_TRY(csv_tree_bool(tree, key, shares));
        } else {
            CSN_TRY(csv_plan_other_key(tree, key));
        }
    }
    ref->flags = check ? CSN_WIRE_WEIGHTS_CHECK : 0;
    return named ? CSN_OK : csv_tree_fault(tree, object->offset, "needs \"model\"");
}

/* One of the two; what only who brings the key can say needs it. */
static csn_err read_one(const struct csv_tree *tree, const struct csv_tree_node *object,
                        const uint8_t *weights_key, struct csn_wire_model_policy *policy,
                        bool is_language)
{
    struct csn_wire_weights_ref *ref = is_language ? &policy->language : &policy->trees;
    bool shares = false;
    CSN_TRY(read_model(tree, object, ref, &shares));
    ref->kind = is_language ? CSN_WIRE_WEIGHTS_GGUF : CSN_WIRE_WEIGHTS_TREES;
    policy->flags |= is_language ? CSN_WIRE_MODEL_LANGUAGE : CSN_WIRE_MODEL_TREES;
    if (weights_key != NULL) {
        memcpy(ref->key, weights_key, sizeof ref->key);
        policy->flags |= is_language ? CSN_WIRE_MODEL_LANGUAGE_KEY : CSN_WIRE_MODEL_TREES_KEY;
    } else if (shares || ref->flags != 0) {
        return csv_tree_fault(tree, object->offset,
                              "\"share\" and \"check\" are for who brings the weights' key");
    }
    if (shares) {
        policy->flags |= is_language ? CSN_WIRE_MODEL_LANGUAGE_SHARE : CSN_WIRE_MODEL_TREES_SHARE;
    }
    return CSN_OK;
}

static csn_err read_policy(const struct csv_tree *tree, const uint8_t *weights_key,
                           struct csn_wire_model_policy *policy)
{
    uint64_t version = 0;
    uint64_t sessions = 0;
    uint64_t tokens = 0;
    for (const struct csv_tree_node *key = tree->nodes[0].child; key != NULL; key = key->next) {
        if (csv_tree_named(key, "version")) {
            CSN_TRY(csv_tree_whole(tree, key, 1, 1, &version));
        } else if (csv_tree_named(key, "language")) {
            CSN_TRY(read_one(tree, key, weights_key, policy, true));
        } else if (csv_tree_named(key, "trees")) {
            CSN_TRY(read_one(tree, key, weights_key, policy, false));
        } else if (csv_tree_named(key, "sessions")) {
            CSN_TRY(csv_tree_whole(tree, key, 1, CSN_WIRE_MODEL_SESSION_MAX, &sessions));
        } else if (csv_tree_named(key, "tokens")) {
            CSN_TRY(csv_tree_whole(tree, key, 1, 1000000, &tokens));
        } else if (!csv_tree_named(key, "service")) {
            CSN_TRY(csv_plan_other_key(tree, key));
        }
    }
    policy->session_max = (uint32_t)sessions;
    policy->token_max = (uint32_t)tokens;
    if (version == 0) {
        return csv_tree_fault(tree, 0, "the policy needs \"version\": 1");
    }
    return policy->flags != 0
               ? CSN_OK
               : csv_tree_fault(tree, 0, "the policy needs \"language\" or \"trees\"");
}

csn_err csv_model_compile(const struct csv_tree *tree, const uint8_t *weights_key, uint8_t *output,
                          size_t capacity, size_t *output_size)
{
    struct csn_wire_model_policy policy = {.magic = CSN_WIRE_MODEL_MAGIC,
                                           .version = CSN_WIRE_MODEL_VERSION};
    csn_err err = read_policy(tree, weights_key, &policy);
    if (err == CSN_OK && sizeof policy > capacity) {
        err = CSN_ERR_SPACE;
    }
    if (err == CSN_OK) {
        memcpy(output, &policy, sizeof policy);
    }
    if (err == CSN_OK || err == CSN_ERR_SPACE) {
        *output_size = sizeof policy;
    }
    explicit_bzero(&policy, sizeof policy);
    return err;
}
