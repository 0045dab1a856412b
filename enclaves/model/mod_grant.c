/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_grant.c: the grant hook: the tenant's policy, and models that come with a grant. The first
 * grant that brings a model's key has it loaded, once; after that its place is taken for as long
 * as the enclave lives.
 */
#include "crypto/sha2.h"
#include "mod_state.h"
#include "weights/weights_load.h"
#include <caisson/vouch.h>

/* One of the two: its area, its kind, and what the policy says of it. */
struct wanted {
    struct mod_loaded *loaded;
    const struct csn_wire_weights_ref *ref;
    uint32_t kind;
    uint64_t offset;
    uint64_t room;
    bool is_named;
    bool has_key;
    bool shares;
};

static bool is_sound(const struct wanted *wanted)
{
    const struct csn_wire_weights_ref *ref = wanted->ref;
    if (!wanted->is_named) {
        return !wanted->has_key && !wanted->shares && csn_is_zero_ct(ref, sizeof *ref);
    }
    return ref->kind == wanted->kind && (ref->flags & ~CSN_WIRE_WEIGHTS_CHECK) == 0 &&
           (wanted->has_key
                ? true
                : !wanted->shares && ref->flags == 0 && csn_is_zero_ct(ref->key, sizeof ref->key));
}

static bool open_model(struct mod_worker *worker, const struct wanted *wanted, uint64_t size,
                       uint64_t features)
{
    return wanted->kind == CSN_WIRE_WEIGHTS_GGUF ? mod_open_language(worker, size, features)
                                                 : mod_open_trees(worker, size);
}

static csn_err load(struct mod_worker *worker, const struct cse_grant_view *grant,
                    const struct wanted *wanted)
{
    uint8_t *memory = mod_area(worker, wanted->offset);
    uint64_t size = 0;
    CSN_TRY(cse_weights_load(grant->outside, wanted->ref, memory, wanted->room, &size));
    if (!open_model(worker, wanted, size, grant->features)) {
        csn_wipe(memory, size);
        return CSN_ERR_FORMAT;
    }
    __builtin_memcpy(wanted->loaded->digest, wanted->ref->digest, 32);
    csn_sha256(wanted->ref->key, sizeof wanted->ref->key, wanted->loaded->key_hash);
    wanted->loaded->ready = true;
    return CSN_OK;
}

/* Whose key it is may use it. */
static csn_err use(struct mod_worker *worker, const struct cse_grant_view *grant,
                   const struct wanted *wanted)
{
    uint8_t hash[32];
    if (!wanted->is_named) {
        return CSN_OK;
    }
    if (!wanted->loaded->ready) {
        return wanted->has_key ? load(worker, grant, wanted) : CSN_ERR_STATE;
    }
    if (!csn_equal_ct(wanted->loaded->digest, wanted->ref->digest, 32)) {
        return CSN_ERR_STATE; /* another one is there */
    }
    if (!wanted->has_key) {
        return wanted->loaded->shared ? CSN_OK : CSN_ERR_POLICY;
    }
    csn_sha256(wanted->ref->key, sizeof wanted->ref->key, hash);
    return csn_equal_ct(hash, wanted->loaded->key_hash, sizeof hash) ? CSN_OK : CSN_ERR_AUTH;
}

/* Whose key it is says whether others may use it: when nothing can refuse the grant any more. */
static void share(const struct wanted *wanted)
{
    if (wanted->has_key) {
        wanted->loaded->shared = wanted->shares;
    }
}

/* The language model's digest, or that of the trees; where both are named, that of each. */
static csn_err claim(const struct cse_grant_view *grant, const struct wanted *language,
                     const struct wanted *trees)
{
    if (language->is_named) {
        CSN_TRY(cse_claim_grant(grant, CSN_WIRE_CLAIM_MODEL, language->loaded->digest));
    }
    return !trees->is_named
               ? CSN_OK
               : cse_claim_grant(grant,
                                 language->is_named ? CSN_WIRE_CLAIM_TREES : CSN_WIRE_CLAIM_MODEL,
                                 trees->loaded->digest);
}

bool mod_may(const struct mod_tenant *tenant, const struct mod_right *right,
             const struct mod_loaded *loaded)
{
    return tenant->ready == 1 && right->is_named && (right->has_key || loaded->shared);
}

static csn_err read_policy(struct mod_tenant *tenant, struct mod_worker *worker,
                           const struct cse_grant_view *grant,
                           const struct csn_wire_model_policy *policy)
{
    const struct wanted language = {
        .loaded = &worker->language,
        .ref = &policy->language,
        .kind = CSN_WIRE_WEIGHTS_GGUF,
        .offset = MOD_WEIGHTS_OFFSET,
        .room = MOD_WEIGHTS_SIZE,
        .is_named = (policy->flags & CSN_WIRE_MODEL_LANGUAGE) != 0,
        .has_key = (policy->flags & CSN_WIRE_MODEL_LANGUAGE_KEY) != 0,
        .shares = (policy->flags & CSN_WIRE_MODEL_LANGUAGE_SHARE) != 0,
    };
    const struct wanted trees = {
        .loaded = &worker->trees,
        .ref = &policy->trees,
        .kind = CSN_WIRE_WEIGHTS_TREES,
        .offset = MOD_TREES_OFFSET,
        .room = MOD_TREES_SIZE,
        .is_named = (policy->flags & CSN_WIRE_MODEL_TREES) != 0,
        .has_key = (policy->flags & CSN_WIRE_MODEL_TREES_KEY) != 0,
        .shares = (policy->flags & CSN_WIRE_MODEL_TREES_SHARE) != 0,
    };
    if (policy->magic != CSN_WIRE_MODEL_MAGIC || policy->version != CSN_WIRE_MODEL_VERSION ||
        (policy->flags & ~CSN_WIRE_MODEL_FLAGS_ALL) != 0 || policy->reserved != 0 ||
        policy->session_max > MOD_SESSION_MAX || !is_sound(&language) || !is_sound(&trees)) {
        return CSN_ERR_POLICY;
    }
    CSN_TRY(use(worker, grant, &language));
    CSN_TRY(use(worker, grant, &trees));
    CSN_TRY(claim(grant, &language, &trees));
    *tenant = (struct mod_tenant){
        .ready = 1,
        .session_max = policy->session_max != 0 ? policy->session_max : MOD_SESSION_MAX / 2,
        .token_max = policy->token_max,
        .language = {language.is_named, language.has_key},
        .trees = {trees.is_named, trees.has_key},
    };
    share(&language);
    share(&trees);
    return CSN_OK;
}

csn_err mod_grant(void *state, const struct cse_grant_view *grant)
{
    struct csn_wire_model_policy policy;
    if (grant->policy_size != sizeof policy) {
        return CSN_ERR_POLICY;
    }
    __builtin_memcpy(&policy, grant->policy, sizeof policy);
    const csn_err result = read_policy(state, grant->worker_state, grant, &policy);
    csn_wipe(&policy, sizeof policy);
    return result;
}
