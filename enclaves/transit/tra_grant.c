/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_grant.c: the policy of a grant, checked and taken, and the tenant's store with it.
 *
 * An empty policy lets every credential do everything that its rights allow.
 */
#include "crypto/sha2.h"
#include "tra_journal.h"
#include "tra_state.h"

_Static_assert(TRA_KEY_COUNT == CSN_WIRE_TRANSIT_KEY_MAX, "what policies are checked against");
_Static_assert(TRA_VERSION_COUNT == CSN_WIRE_TRANSIT_KEY_VERSIONS, "the same");

#define OPERATIONS_ALL (((UINT32_C(1) << CSN_WIRE_TRANSIT_OPERATION_LAST) - 1) * 2)

static bool is_pattern(const char *pattern)
{
    const uint32_t size = tra_length(pattern);
    if (size == 0 || size >= CSN_WIRE_TRANSIT_NAME_SIZE) {
        return false;
    }
    const bool open = pattern[size - 1] == '*';
    return (size == 1 && open) || tra_is_name(pattern, size - open);
}

static bool is_role(const struct csn_wire_transit_role *role)
{
    if (role->operations == 0 || (role->operations & ~OPERATIONS_ALL) != 0 || role->purposes == 0 ||
        role->pattern_count == 0 || role->pattern_count > CSN_WIRE_TRANSIT_PATTERN_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < role->pattern_count; i++) {
        if (!is_pattern(role->patterns[i])) {
            return false;
        }
    }
    for (uint32_t i = role->pattern_count; i < CSN_WIRE_TRANSIT_PATTERN_MAX; i++) {
        if (!csn_is_zero_ct(role->patterns[i], CSN_WIRE_TRANSIT_NAME_SIZE)) {
            return false;
        }
    }
    return true;
}

static csn_err take_policy(struct tra_grant *grant, const struct cse_grant_view *view,
                           struct tra_wanted *wanted)
{
    struct csn_wire_transit_policy head;
    if (view->policy_size == 0) {
        grant->key_max = TRA_KEY_COUNT;
        grant->version_max = TRA_VERSION_COUNT;
        return CSN_OK;
    }
    if (view->policy_size < sizeof head) {
        return CSN_ERR_POLICY;
    }
    memcpy(&head, view->policy, sizeof head);
    uint32_t at = (uint32_t)sizeof head;
    if (head.magic != CSN_WIRE_TRANSIT_POLICY_MAGIC ||
        head.version != CSN_WIRE_TRANSIT_POLICY_VERSION || head.reserved != 0 ||
        head.store > CSN_WIRE_TRANSIT_STORE_TPM || head.counter > 1 ||
        head.role_count > CSN_WIRE_TRANSIT_ROLE_MAX || head.key_max == 0 ||
        head.key_max > TRA_KEY_COUNT || head.version_max == 0 ||
        head.version_max > TRA_VERSION_COUNT ||
        (head.store == CSN_WIRE_TRANSIT_STORE_TPM && head.counter == 0)) {
        return CSN_ERR_POLICY;
    }
    const uint32_t counter = head.counter != 0 ? (uint32_t)sizeof(struct csn_wire_counter) : 0;
    const uint32_t roles = head.role_count * (uint32_t)sizeof grant->roles[0];
    if (view->policy_size != at + counter + roles) {
        return CSN_ERR_POLICY;
    }
    wanted->store = head.store;
    wanted->counter = counter != 0 ? view->policy + at : NULL;
    memcpy(grant->roles, view->policy + at + counter, roles);
    for (uint32_t i = 0; i < head.role_count; i++) {
        if (!is_role(&grant->roles[i])) {
            return CSN_ERR_POLICY;
        }
    }
    grant->role_count = head.role_count;
    grant->key_max = head.key_max;
    grant->version_max = head.version_max;
    grant->use_max = head.use_max;
    return CSN_OK;
}

/* Seeded from the grant, so that nobody outside can aim at a hash. */
static uint64_t seed_of(const struct cse_grant_view *view)
{
    struct csn_hmac_key key;
    uint8_t tag[32];
    csn_hmac_key_init(&key, view->secret, 32);
    csn_hmac(&key, "caisson-transit-seed-v1", 23, tag);
    csn_wipe(&key, sizeof key);
    const uint64_t seed = csn_load_u64(tag);
    csn_wipe(tag, sizeof tag);
    return seed;
}

csn_err tra_take_grant(void *state, const struct cse_grant_view *view)
{
    struct tra_grant *grant = state;
    struct tra_worker *worker = view->worker_state;
    struct tra_wanted wanted = {.store = CSN_WIRE_TRANSIT_STORE_NONE};
    if (!tra_self_test(worker)) {
        return CSN_ERR_INTERNAL;
    }
    csn_err result = take_policy(grant, view, &wanted);
    if (result == CSN_OK) {
        grant->store = tra_store_of(worker, view->tenant);
        result = grant->store != NULL ? tra_journal_open(worker, grant->store, view, &wanted)
                                      : CSN_ERR_MEMORY;
    }
    if (result != CSN_OK) {
        if (grant->store != NULL && !grant->store->granted) {
            tra_store_drop(grant->store);
        }
        csn_wipe(grant, sizeof *grant);
        return result;
    }
    grant->store->granted = true;
    grant->seed = seed_of(view);
    grant->ready = 1;
    return CSN_OK;
}

cse_status tra_begin(struct tra_work *work, struct cse_call *call, uint32_t operation)
{
    *work = (struct tra_work){.call = call,
                              .worker = cse_worker_state(call),
                              .grant = cse_state(call),
                              .operation = operation};
    if (work->grant->ready != 1) {
        return CSN_WIRE_STATUS_POLICY;
    }
    work->store = work->grant->store;
    return tra_journal_ready(work) ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_UNAVAILABLE;
}
