/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_manage.c: making, changing and deleting keys.
 *
 * All checks come before the entries are committed, and the entries are all that changes.
 */
#include "crypto/hpke.h"
#include "tra_log.h"
#include "tra_state.h"
#include <caisson/vouch.h>

#define DERIVABLE     (1u << CSN_WIRE_TRANSIT_AES_256 | 1u << CSN_WIRE_TRANSIT_HMAC)
#define AGREE         (UINT32_C(1) << CSN_WIRE_TRANSIT_AGREE)
#define DRAWS_MAX     64u /* a scalar is out of range once in 2^32 at most */
#define SEALED_BESIDE (32u + 16u)
#define IMPORT_LABEL  "caisson-transit-import-v1"

/* ---- secrets ---- */

static cse_status draw(const struct tra_work *work, uint32_t type, struct tra_version *version)
{
    uint8_t bytes[TRA_SECRET_MAX];
    const uint32_t size = tra_kind(type)->drawn;
    bool made = false;
    for (uint32_t i = 0; i < DRAWS_MAX && !made; i++) {
        if (!cse_random(work->call, bytes, size)) {
            break;
        }
        made = tra_kind_take(type, bytes, size, version);
    }
    csn_wipe(bytes, sizeof bytes);
    version->origin = CSN_WIRE_TRANSIT_GENERATED;
    return made ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_INTERNAL;
}

struct import {
    uint32_t type;
    const char *name;
    uint32_t name_size;
    const uint8_t *sealed;
    uint32_t size;
};

/* HPKE to the import key; NOT_FOUND: not sealed to it for this tenant, name and type. */
static cse_status open_secret(const struct tra_store *store, const struct import *import,
                              uint8_t bytes[TRA_SECRET_MAX], uint32_t *size)
{
    uint8_t info[sizeof IMPORT_LABEL - 1 + 32 + CSN_WIRE_TRANSIT_NAME_SIZE] = {0};
    const uint8_t aad = (uint8_t)import->type;
    struct csn_hpke_context context;
    const struct csn_hpke_setup setup = {
        .aead = CSN_AEAD_AES_256_GCM, .info = info, .info_size = sizeof info};
    if (import->size <= SEALED_BESIDE || import->size > SEALED_BESIDE + TRA_SECRET_MAX) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    *size = import->size - SEALED_BESIDE;
    memcpy(info, IMPORT_LABEL, sizeof IMPORT_LABEL - 1);
    memcpy(info + sizeof IMPORT_LABEL - 1, store->tenant, 32);
    memcpy(info + sizeof IMPORT_LABEL - 1 + 32, import->name, import->name_size);
    csn_err result = csn_hpke_receiver(&context, import->sealed, store->import_secret,
                                       store->import_public, &setup);
    if (result == CSN_OK) {
        result = csn_hpke_open(&context, &aad, 1, import->sealed + 32, *size,
                               import->sealed + 32 + *size, bytes);
    }
    csn_wipe(&context, sizeof context);
    return result == CSN_OK ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_NOT_FOUND;
}

static cse_status take_sealed(const struct tra_work *work, const struct import *import,
                              struct tra_version *version)
{
    uint8_t bytes[TRA_SECRET_MAX];
    uint32_t size = 0;
    if (!work->store->has_import) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    cse_status status = open_secret(work->store, import, bytes, &size);
    if (status == CSN_WIRE_STATUS_OK && !tra_kind_take(import->type, bytes, size, version)) {
        status = CSN_WIRE_STATUS_MALFORMED;
    }
    csn_wipe(bytes, sizeof bytes);
    version->origin = CSN_WIRE_TRANSIT_IMPORTED;
    return status;
}

static cse_status commit_born(struct tra_work *work, struct tra_log *log,
                              const struct tra_policy_of_key *policy, struct tra_version *version)
{
    if (!tra_bear(work, policy, version)) {
        return CSN_WIRE_STATUS_INTERNAL;
    }
    tra_log_version(log, work->store, policy, version);
    return tra_log_commit(work, log);
}

/* ---- create ---- */

static cse_status check_making(const struct tra_work *work, const struct tra_making *making)
{
    const struct csn_wire_transit_create *what = &making->what;
    const struct tra_kind *kind = tra_kind(what->type);
    const uint32_t flags = CSN_WIRE_TRANSIT_KEY_DERIVED | CSN_WIRE_TRANSIT_KEY_DELETABLE;
    if (kind == NULL || !tra_is_name(making->name, making->name_size) ||
        (what->flags & ~flags) != 0 || (what->operations & ~kind->operations) != 0 ||
        what->max_uses > TRA_USES_MAX) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    /* A key that agrees does not sign. */
    if (((what->operations & AGREE) != 0 && (what->operations & ~AGREE) != 0) ||
        ((what->flags & CSN_WIRE_TRANSIT_KEY_DERIVED) != 0 && (DERIVABLE >> what->type & 1) == 0)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    if (tra_find(work->store, making->name, making->name_size) != NULL) {
        return CSN_WIRE_STATUS_POLICY;
    }
    return work->store->key_count < work->grant->key_max &&
                   work->store->version_count < work->grant->version_max
               ? CSN_WIRE_STATUS_OK
               : CSN_WIRE_STATUS_LIMIT;
}

cse_status tra_create(struct tra_work *work, const struct tra_making *making)
{
    const struct csn_wire_transit_create *what = &making->what;
    struct tra_version version = {.number = 1};
    struct tra_log log = {.size = 0};
    cse_status status = check_making(work, making);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    struct tra_policy_of_key policy = {
        .type = what->type,
        .flags = what->flags,
        .operations = what->operations != 0 ? what->operations : tra_kind(what->type)->usual,
        .purposes =
            what->purposes != 0 ? what->purposes : UINT64_C(1) << (cse_purpose(work->call) & 63),
        .max_uses = what->max_uses,
        .min_version = 1,
    };
    memcpy(policy.name, making->name, making->name_size);
    if (!cse_random(work->call, policy.id, sizeof policy.id)) {
        return CSN_WIRE_STATUS_INTERNAL;
    }
    const struct import import = {what->type, making->name, making->name_size, making->sealed,
                                  making->sealed_size};
    status = making->sealed != NULL ? take_sealed(work, &import, &version)
                                    : draw(work, what->type, &version);
    if (status == CSN_WIRE_STATUS_OK) {
        tra_log_key(&log, work->store, &policy);
        status = commit_born(work, &log, &policy, &version);
    }
    csn_wipe(&version, sizeof version);
    if (status == CSN_WIRE_STATUS_OK) {
        work->key = tra_find(work->store, making->name, making->name_size);
    }
    return status;
}

/* ---- versions ---- */

/* Room for one more: the oldest goes where it may not be used any more. */
static cse_status make_room(struct tra_work *work, struct tra_log *log)
{
    const struct tra_key *key = work->key;
    if (key->newest == UINT32_MAX) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    if (key->count == TRA_KEPT_MAX) {
        const struct tra_version *oldest = tra_oldest(work->store, key);
        if (oldest == NULL || oldest->number >= key->is.min_version) {
            return CSN_WIRE_STATUS_LIMIT;
        }
        tra_log_drop(log, work->store, key->is.id, oldest->number);
        return CSN_WIRE_STATUS_OK;
    }
    return work->store->version_count < work->grant->version_max ? CSN_WIRE_STATUS_OK
                                                                 : CSN_WIRE_STATUS_LIMIT;
}

static cse_status add_version(struct tra_work *work, const struct import *import)
{
    const struct tra_key *key = work->key;
    struct tra_version version = {.number = key->newest + 1};
    struct tra_log log = {.size = 0};
    cse_status status = make_room(work, &log);
    if (status == CSN_WIRE_STATUS_OK) {
        status = import != NULL ? take_sealed(work, import, &version)
                                : draw(work, key->is.type, &version);
    }
    if (status == CSN_WIRE_STATUS_OK) {
        status = commit_born(work, &log, &key->is, &version);
    }
    csn_wipe(&version, sizeof version);
    csn_wipe(&log, sizeof log);
    if (status == CSN_WIRE_STATUS_OK) {
        tra_forget(work->worker, key->is.id); /* also of the version that may have gone */
    }
    return status;
}

cse_status tra_rotate(struct tra_work *work)
{
    return add_version(work, NULL);
}

cse_status tra_import_version(struct tra_work *work, const uint8_t *sealed, uint32_t size)
{
    const struct tra_policy_of_key *is = &work->key->is;
    const struct import import = {is->type, is->name, tra_length(is->name), sealed, size};
    return add_version(work, &import);
}

/* ---- config ---- */

static void log_trim(struct tra_work *work, struct tra_log *log, uint32_t min_version)
{
    uint16_t at = work->key->newest_at;
    for (uint32_t i = 0; i < work->key->count && at < TRA_VERSION_COUNT; i++) {
        const struct tra_version *version = &work->store->versions[at];
        if (version->number < min_version) {
            tra_log_drop(log, work->store, work->key->is.id, version->number);
        }
        at = version->older;
    }
}

cse_status tra_config(struct tra_work *work, const struct csn_wire_transit_config *config)
{
    const uint32_t known = CSN_WIRE_TRANSIT_SET_MIN | CSN_WIRE_TRANSIT_SET_DELETABLE |
                           CSN_WIRE_TRANSIT_SET_MAX_USES | CSN_WIRE_TRANSIT_SET_TRIM;
    struct tra_policy_of_key policy = work->key->is;
    struct tra_log log = {.size = 0};
    if (config->set == 0 || (config->set & ~known) != 0 || config->deletable > 1 ||
        config->reserved != 0) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    if ((config->set & CSN_WIRE_TRANSIT_SET_MIN) != 0) {
        if (config->min_version == 0 || config->min_version > work->key->newest) {
            return CSN_WIRE_STATUS_MALFORMED;
        }
        policy.min_version = config->min_version;
    }
    if ((config->set & CSN_WIRE_TRANSIT_SET_DELETABLE) != 0) {
        policy.flags = (uint16_t)((policy.flags & ~CSN_WIRE_TRANSIT_KEY_DELETABLE) |
                                  (config->deletable != 0 ? CSN_WIRE_TRANSIT_KEY_DELETABLE : 0));
    }
    if ((config->set & CSN_WIRE_TRANSIT_SET_MAX_USES) != 0) {
        if (config->max_uses == 0 || config->max_uses > TRA_USES_MAX ||
            (policy.max_uses != 0 && config->max_uses > policy.max_uses)) {
            return CSN_WIRE_STATUS_POLICY; /* a limit is only lowered */
        }
        policy.max_uses = config->max_uses;
    }
    tra_log_key(&log, work->store, &policy);
    if ((config->set & CSN_WIRE_TRANSIT_SET_TRIM) != 0) {
        log_trim(work, &log, policy.min_version);
    }
    cse_status status = tra_log_commit(work, &log);
    if (status == CSN_WIRE_STATUS_OK) {
        tra_forget(work->worker, policy.id);
    }
    return status;
}

cse_status tra_delete(struct tra_work *work)
{
    struct tra_log log = {.size = 0};
    uint8_t id[16];
    if ((work->key->is.flags & CSN_WIRE_TRANSIT_KEY_DELETABLE) == 0) {
        return CSN_WIRE_STATUS_POLICY;
    }
    memcpy(id, work->key->is.id, sizeof id);
    tra_log_drop(&log, work->store, id, 0);
    cse_status status = tra_log_commit(work, &log);
    if (status == CSN_WIRE_STATUS_OK) {
        tra_forget(work->worker, id);
        work->key = NULL;
    }
    return status;
}
