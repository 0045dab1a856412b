/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.c: payloads kept in a journal outside: the least that a service with a journal is.
 *
 * The state is a count and a digest over all payloads in order, so that one that is lost, doubled
 * or moved shows. A snapshot is one record of both.
 */
#include "keeper.h"
#include <caisson/enclave_store.h>
#include <string.h>

#define RECORD_PUT   1u /* first byte of a record: a payload follows */
#define RECORD_WHOLE 2u /* struct keeper_state */
#define PAYLOAD_MAX  4096u

struct keeper {
    _Alignas(64) uint8_t journal[CSE_JOURNAL_SIZE];
    bool used;
    uint8_t tenant[32];
    struct keeper_state state;
};
_Static_assert(sizeof(struct keeper) * KEEPER_TENANTS == KEEPER_STATE_SIZE, "the manifest has it");

static struct cse_journal *journal_of(struct keeper *keeper)
{
    return (struct cse_journal *)(void *)keeper->journal;
}

static struct keeper *find(void *worker_state, const uint8_t tenant[32])
{
    struct keeper *keepers = worker_state;
    for (uint32_t i = 0; i < KEEPER_TENANTS; i++) {
        if (!keepers[i].used || memcmp(keepers[i].tenant, tenant, 32) == 0) {
            return &keepers[i];
        }
    }
    return NULL;
}

/* ---- the journal's hooks ---- */

static void clear(void *state)
{
    struct keeper *keeper = state;
    keeper->state.count = 0;
    keeper->state.digest = 0;
    keeper->state.opened++;
}

static void keep(struct keeper *keeper, const uint8_t *payload, uint32_t size)
{
    keeper->state.count++;
    keeper->state.digest = keeper_digest(keeper->state.digest, payload, size);
}

static csn_err apply(void *state, uint8_t *bytes, uint32_t size)
{
    struct keeper *keeper = state;
    struct keeper_state whole;
    if (bytes[0] == RECORD_PUT) {
        keep(keeper, bytes + 1, size - 1);
        return CSN_OK;
    }
    if (bytes[0] != RECORD_WHOLE || size != 1 + sizeof whole || keeper->state.count != 0) {
        return CSN_ERR_FORMAT;
    }
    memcpy(&whole, bytes + 1, sizeof whole);
    keeper->state.count = whole.count;
    keeper->state.digest = whole.digest;
    return CSN_OK;
}

static csn_err save(void *state, struct cse_journal *journal)
{
    const struct keeper *keeper = state;
    uint8_t bytes[1 + sizeof keeper->state] = {RECORD_WHOLE};
    memcpy(bytes + 1, &keeper->state, sizeof keeper->state);
    return cse_journal_save(journal, bytes, sizeof bytes);
}

/* ---- handlers ---- */

/* The tenant's, as what is outside has it; NULL: that cannot be had. */
static struct keeper *get(struct cse_call *call)
{
    struct keeper *keeper = find(cse_worker_state(call), cse_tenant(call));
    if (keeper == NULL || !keeper->used ||
        (!cse_journal_is_good(journal_of(keeper)) &&
         cse_journal_reopen(journal_of(keeper)) != CSN_OK)) {
        return NULL;
    }
    return keeper;
}

static cse_status put(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                      uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    uint8_t *record = cse_scratch(call, input_size + 1);
    struct keeper *keeper = get(call);
    if (record == NULL || input_size > output_size_max) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    record[0] = RECORD_PUT;
    memcpy(record + 1, input, input_size);
    if (keeper == NULL ||
        cse_journal_append(call, journal_of(keeper), record, input_size + 1) != CSN_OK) {
        return CSN_WIRE_STATUS_UNAVAILABLE;
    }
    keep(keeper, input, input_size);
    memcpy(output, input, input_size);
    *output_size = input_size;
    return CSN_WIRE_STATUS_OK;
}

static cse_status state_of(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                           uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)input, (void)input_size;
    const struct keeper *keeper = get(call);
    if (keeper == NULL) {
        return CSN_WIRE_STATUS_UNAVAILABLE;
    }
    if (sizeof keeper->state > output_size_max) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    memcpy(output, &keeper->state, sizeof keeper->state);
    *output_size = sizeof keeper->state;
    return CSN_WIRE_STATUS_OK;
}

static cse_status back(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)call;
    if (input_size > output_size_max) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    memcpy(output, input, input_size);
    *output_size = input_size;
    return CSN_WIRE_STATUS_OK;
}

/* ---- grants ---- */

static csn_err take_grant(void *state, const struct cse_grant_view *grant)
{
    (void)state;
    struct keeper *keeper = find(grant->worker_state, grant->tenant);
    struct csn_wire_counter counter;
    if (grant->policy_size != 0 && grant->policy_size != sizeof counter) {
        return CSN_ERR_POLICY;
    }
    if (keeper == NULL) {
        return CSN_ERR_LIMIT;
    }
    if (cse_journal_is_good(journal_of(keeper))) {
        return CSN_OK;
    }
    if (grant->policy_size != 0) {
        memcpy(&counter, grant->policy, sizeof counter);
    }
    const struct cse_journal_options options = {
        .outside = grant->outside,
        .tenant = grant->tenant,
        .secret = grant->secret,
        .name = "keeper",
        .counter = grant->policy_size != 0 ? &counter : NULL,
        .snapshot_after = KEEPER_SNAPSHOT_AFTER,
        .hooks = {.clear = clear, .apply = apply, .save = save, .state = keeper}};
    csn_err err = cse_journal_open(journal_of(keeper), &options);
    if (err != CSN_OK) {
        if (!keeper->used) {
            cse_journal_close(journal_of(keeper)); /* the place is for anybody again */
        }
        return err;
    }
    keeper->used = true;
    memcpy(keeper->tenant, grant->tenant, sizeof keeper->tenant);
    return CSN_OK;
}

static const struct cse_operation operations[] = {
    {KEEPER_PUT, PAYLOAD_MAX, 0, put},
    {KEEPER_STATE, 0, 0, state_of},
    {KEEPER_GET, PAYLOAD_MAX, 0, back},
};
static const struct cse_route routes[] = {
    {"POST", "/put", KEEPER_PUT, NULL, "application/octet-stream"},
    {"GET", "/state", KEEPER_STATE, NULL, "application/octet-stream"},
};

const struct cse_service cse_service = {.operations = operations,
                                        .operation_count = sizeof operations / sizeof operations[0],
                                        .routes = routes,
                                        .route_count = sizeof routes / sizeof routes[0],
                                        .grant = take_grant,
                                        .purpose_mask = 1};

/* Deterministic, so that records may be idempotent: a repeat is kept once more. */
CSE_MANIFEST(.name = "keeper", .security_version = 1,
             .flags = CSN_WIRE_FLAG_DETERMINISTIC | CSN_WIRE_FLAG_STORE, .stack_size = 0x10000,
             .pool_size = 0x2000000, .worker_count = 1, .channel_count = 1,
             .input_line_count = 4096, .output_line_count = 8192, .input_size_max = 8192,
             .output_size_max = 12288, .outputs_per_input_max = 1, .tenant_count_max = 2,
             .context_count_max = 16, .credential_count_max = 8, .consumer_count_max = 4,
             .policy_size_max = sizeof(struct csn_wire_counter), .tenant_state_size = 0,
             .worker_state_size = KEEPER_STATE_SIZE, .scratch_size = 0x4000, .output_scale = 16);
