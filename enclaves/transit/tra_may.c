/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_may.c: who may do what with which key, and how often.
 *
 * Three say so: the credential (its rights, and the roles in its field mask), the key (operations,
 * purposes, uses), and the grant's quotas.
 */
#include "tra_log.h"
#include "tra_state.h"

#define BLOCK_MAX         (UINT64_C(1) << 20)
#define BLOCK_MAX_LIMITED (UINT64_C(1) << 16)

#define MANAGING                                                                                   \
    (UINT32_C(1) << CSN_WIRE_TRANSIT_CREATE | UINT32_C(1) << CSN_WIRE_TRANSIT_ROTATE |             \
     UINT32_C(1) << CSN_WIRE_TRANSIT_CONFIG | UINT32_C(1) << CSN_WIRE_TRANSIT_DELETE |             \
     UINT32_C(1) << CSN_WIRE_TRANSIT_IMPORT)
/* Operations that a key allows or not: the first ones. */
#define USING ((UINT32_C(1) << CSN_WIRE_TRANSIT_RANDOM) - 1)

static bool fits(const char *pattern, const char *name, uint32_t size)
{
    for (uint32_t i = 0; i < CSN_WIRE_TRANSIT_NAME_SIZE; i++) {
        if (pattern[i] == '*' && (i + 1 == CSN_WIRE_TRANSIT_NAME_SIZE || pattern[i + 1] == 0)) {
            return true;
        }
        if (i == size || pattern[i] != name[i]) {
            return i == size && pattern[i] == 0;
        }
    }
    return false;
}

static bool role_fits(const struct csn_wire_transit_role *role, const char *name, uint32_t size)
{
    for (uint32_t i = 0; i < role->pattern_count; i++) {
        if (size == 0 || fits(role->patterns[i], name, size)) {
            return true;
        }
    }
    return false;
}

/* Size 0: an operation on no key. */
cse_status tra_may(const struct tra_work *work, const char *name, uint32_t size)
{
    const struct tra_grant *grant = work->grant;
    const uint32_t bit = UINT32_C(1) << work->operation;
    if ((bit & MANAGING) != 0 && (cse_rights(work->call) & CSN_WIRE_RIGHT_KEYS) == 0) {
        return CSN_WIRE_STATUS_RIGHTS;
    }
    if (grant->role_count == 0) {
        return CSN_WIRE_STATUS_OK;
    }
    const uint64_t purpose = UINT64_C(1) << (cse_purpose(work->call) & 63);
    for (uint32_t i = 0; i < grant->role_count; i++) {
        const struct csn_wire_transit_role *role = &grant->roles[i];
        if ((cse_field_mask(work->call) >> i & 1) != 0 && (role->operations & bit) != 0 &&
            (role->purposes & purpose) != 0 && role_fits(role, name, size)) {
            return CSN_WIRE_STATUS_OK;
        }
    }
    return CSN_WIRE_STATUS_RIGHTS;
}

cse_status tra_may_use(struct tra_work *work, const char *name, uint32_t size)
{
    const uint32_t bit = UINT32_C(1) << work->operation;
    /* Who may not is told so whether or not there is such a key. */
    cse_status status = tra_may(work, name, size);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    struct tra_key *key = tra_find(work->store, name, size);
    if (key == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    if ((bit & USING) != 0 && ((key->is.operations & bit) == 0 ||
                               (key->is.purposes >> (cse_purpose(work->call) & 63) & 1) == 0)) {
        return CSN_WIRE_STATUS_POLICY;
    }
    work->key = key;
    return CSN_WIRE_STATUS_OK;
}

struct tra_version *tra_pick(const struct tra_work *work, uint32_t number)
{
    const struct tra_key *key = work->key;
    if (number == 0) {
        number = key->newest;
    }
    return number >= key->is.min_version ? tra_version(work->store, key, number) : NULL;
}

uint64_t tra_block(uint64_t max_uses)
{
    if (max_uses == 0) {
        return BLOCK_MAX;
    }
    const uint64_t eighth = max_uses / 8 > 0 ? max_uses / 8 : 1;
    return eighth < BLOCK_MAX_LIMITED ? eighth : BLOCK_MAX_LIMITED;
}

cse_status tra_take_use(struct tra_work *work, struct tra_version *version)
{
    const uint64_t max_uses = work->key->is.max_uses;
    const uint64_t most = max_uses != 0 ? max_uses : TRA_USES_MAX;
    struct tra_store *store = work->store;
    if (version->uses >= most ||
        (work->grant->use_max != 0 && store->uses_here >= work->grant->use_max)) {
        return CSN_WIRE_STATUS_BUDGET;
    }
    if (version->uses >= version->reserved) {
        const uint64_t block = tra_block(max_uses);
        const uint64_t to = most - version->uses > block ? version->uses + block : most;
        cse_status status = tra_log_uses(work, version, to);
        if (status != CSN_WIRE_STATUS_OK) {
            return status;
        }
    }
    version->uses++;
    store->uses_here++;
    return CSN_WIRE_STATUS_OK;
}
