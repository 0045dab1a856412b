/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenant.c: tenants by id, what they have used up, and what evidence says of them.
 *
 * Budgets are promises "within this boot": a re-grant replaces the limit, never what was used, and
 * ids that left a grant keep their line, so that taking a credential out and in again resets
 * nothing. Workers share nothing, so each gets its share of a budget.
 */
#include "state.h"

struct cse_tenant *cse_tenant_find(struct cse_session *session, const uint8_t id[32])
{
    uint64_t prefix = csn_load_u64(id);
    for (uint32_t i = 0; i < session->tenant_count; i++) {
        if (session->tenant_prefix[i] == prefix &&
            __builtin_memcmp(session->tenants[i].id, id, 32) == 0) {
            return &session->tenants[i];
        }
    }
    return NULL;
}

const struct csn_wire_credential *cse_credential_find(const struct cse_grant *grant, uint64_t id)
{
    for (uint32_t i = 0; i < grant->credential_count; i++) {
        if (grant->credentials[i].id == id) {
            return &grant->credentials[i];
        }
    }
    return NULL;
}

struct cse_tenant *cse_tenant_slot(struct cse_session *session)
{
    return session->tenant_count < session->manifest->tenant_count_max
               ? &session->tenants[session->tenant_count]
               : NULL;
}

void cse_tenant_install(struct cse_session *session, struct cse_tenant *tenant,
                        const uint8_t id[32])
{
    __builtin_memcpy(tenant->id, id, 32);
    session->tenant_prefix[tenant->index] = csn_load_u64(id);
    tenant->used = true;
    session->tenant_count++;
}

/* ---- budgets ---- */

static struct cse_ledger_line *find_line(const struct cse_tenant *tenant, uint64_t credential)
{
    for (uint32_t i = 0; i < tenant->ledger_count; i++) {
        if (tenant->ledger[i].credential == credential) {
            return &tenant->ledger[i];
        }
    }
    return NULL;
}

bool cse_ledger_fits(const struct cse_tenant *tenant, const struct cse_grant *grant)
{
    uint32_t missing = 0;
    for (uint32_t i = 0; i < grant->credential_count; i++) {
        missing += find_line(tenant, grant->credentials[i].id) == NULL;
    }
    return tenant->ledger_count + missing <= CSE_LEDGER_MAX;
}

void cse_ledger_merge(struct cse_tenant *tenant, const struct cse_grant *grant)
{
    for (uint32_t i = 0; i < grant->credential_count; i++) {
        struct cse_ledger_line *line = find_line(tenant, grant->credentials[i].id);
        if (line == NULL) {
            line = &tenant->ledger[tenant->ledger_count++];
            *line = (struct cse_ledger_line){.credential = grant->credentials[i].id};
        } else if (CSN_CHECK(CSE_CHECK_BUDGET_KEPT, false)) { /* the bug that tests seed */
            line->used = 0;
        }
    }
}

bool cse_ledger_take(struct cse_session *session, struct cse_tenant *tenant,
                     const struct csn_wire_credential *credential, uint64_t count)
{
    struct cse_ledger_line *line = find_line(tenant, credential->id);
    uint32_t workers = session->manifest->worker_count;
    uint64_t share = credential->budget / workers;
    share += session->options.worker == 0 ? credential->budget % workers : 0;
    if (line == NULL) {
        return false;
    }
    uint64_t left = share > line->used ? share - line->used : 0;
    if (!CSN_CHECK(CSE_CHECK_BUDGET, count <= left)) {
        return false;
    }
    line->used += count;
    return true;
}

bool cse_open_charge(struct cse_tenant *tenant)
{
    if (!CSN_CHECK(CSE_CHECK_OPEN_BUDGET, tenant->open_budget != 0)) {
        return false;
    }
    tenant->open_budget -= tenant->open_budget != 0;
    return true;
}

void cse_open_return(struct cse_tenant *tenant)
{
    tenant->open_budget += tenant->open_budget < tenant->grant->open_failures_max;
}

/* ---- what evidence lists ---- */

uint32_t cse_made_count(const struct cse_session *session, const struct cse_tenant *without)
{
    const struct cse_service *service = session->options.service;
    uint32_t count = 1 + cse_has_routes(session) + (service->statements != NULL);
    for (uint32_t i = 0; i < session->tenant_count; i++) {
        const struct cse_tenant *tenant = &session->tenants[i];
        count += tenant == without ? 0 : tenant->grant->recipient_count + service->claim_count;
    }
    return count;
}

static void digest_config(const struct cse_session *session, uint8_t digest[32])
{
    static const char label[] = "caisson-config-v1";
    struct csn_sha256 hash;
    const uint32_t head[2] = {session->locked, session->tenant_count};
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, label, sizeof label - 1);
    csn_sha256_update(&hash, head, sizeof head);
    for (uint32_t i = 0; i < session->tenant_count; i++) {
        const struct cse_tenant *tenant = &session->tenants[i];
        csn_sha256_update(&hash, tenant->id, 32);
        csn_sha256_update(&hash, &tenant->grant->version, 8);
        csn_sha256_update(&hash, tenant->grant->digest, 32);
    }
    csn_sha256_final(&hash, digest);
}

static void list_entry(struct csn_wire_boot_made *made, struct csn_wire_boot_key entry,
                       const uint8_t *tenant, const uint8_t *bytes)
{
    if (tenant != NULL) {
        __builtin_memcpy(entry.tenant, tenant, 32);
    }
    __builtin_memcpy(entry.public_key, bytes, 32);
    made->keys[made->key_count++] = entry;
}

static void list_key(struct csn_wire_boot_made *made, uint32_t purpose, const uint8_t *tenant,
                     const uint8_t *public_key)
{
    const struct csn_wire_boot_key key = {.purpose = purpose, .suite = CSN_WIRE_SUITE};
    list_entry(made, key, tenant, public_key);
}

static void list_tenant(struct csn_wire_boot_made *made, const struct cse_tenant *tenant)
{
    const struct cse_grant *grant = tenant->grant;
    for (uint32_t i = 0; i < grant->recipient_count; i++) {
        list_key(made, CSN_WIRE_KEY_RECIPIENT, tenant->id, grant->recipients[i].public_key);
    }
    for (uint32_t i = 0; i < grant->claims.count; i++) {
        const struct csn_wire_boot_key claim = {.purpose = CSN_WIRE_KEY_CLAIM,
                                                .suite = grant->claims.list[i].label};
        list_entry(made, claim, tenant->id, grant->claims.list[i].bytes);
    }
}

/* The list of keys for requests: the bytes themselves, and their hash among the keys. */
static void write_request_keys(const struct cse_session *session, struct csn_wire_boot_made *made)
{
    uint8_t hash[32];
    csn_ohttp_keys_write(&session->options.instance->request_key, made->ohttp_keys);
    made->ohttp_keys_size = CSN_OHTTP_KEYS_SIZE;
    csn_sha256(made->ohttp_keys, CSN_OHTTP_KEYS_SIZE, hash);
    list_key(made, CSN_WIRE_KEY_OHTTP, NULL, hash);
}

void cse_made_write(struct cse_session *session)
{
    struct csn_wire_boot_made *made = session->options.made;
    if (made == NULL) {
        return;
    }
    /* Readers retry while the version is odd or has moved; only worker 0 writes. */
    uint32_t version = made->key_version;
    __atomic_store_n(&made->key_version, version + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    made->key_count = 0;
    list_key(made, CSN_WIRE_KEY_INSTANCE, NULL, session->options.instance->public_key);
    if (cse_has_routes(session)) {
        write_request_keys(session, made);
    }
    if (session->options.service->statements != NULL) {
        list_key(made, CSN_WIRE_KEY_STATEMENT, NULL, session->options.instance->statement_public);
    }
    for (uint32_t i = 0; i < session->tenant_count; i++) {
        list_tenant(made, &session->tenants[i]);
    }
    digest_config(session, made->config_digest);
    __atomic_store_n(&made->key_version, version + 2, __ATOMIC_RELEASE);
}
