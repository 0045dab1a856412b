/* SPDX-License-Identifier: Apache-2.0 */
/* fake.c: see fake.h. */
#include "fake.h"
#include "../../enclaves/tokenize/tok_state.h"
#include <caisson/vouch.h>
#include <stdlib.h>
#include <string.h>

#define SCRATCH_MAX (8u << 20)
#define FAKE_PLACE  8u /* where the place of a sealed field stands */

struct cse_call *fake_new(uint8_t tenant, uint8_t secret)
{
    struct cse_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return NULL;
    }
    call->state = aligned_alloc(64, (sizeof(struct tok_state) + 63) / 64 * 64);
    call->batch = aligned_alloc(64, (cse_service.batch_size + 63) / 64 * 64);
    memset(call->batch, 0, cse_service.batch_size);
    call->scratch = malloc(SCRATCH_MAX);
    call->scratch_max = SCRATCH_MAX;
    call->field_mask = UINT64_MAX;
    call->budget = UINT64_MAX;
    memset(call->tenant, tenant, sizeof call->tenant);
    memset(call->secret, secret, sizeof call->secret);
    return call;
}

void fake_free(struct cse_call *call)
{
    free(call->state);
    free(call->batch);
    free(call->scratch);
    free(call);
}

/* What a hook may say of its grant. */
struct cse_claims {
    uint8_t model[32];
};

csn_err cse_claim_grant(const struct cse_grant_view *grant, uint32_t label, const uint8_t claim[32])
{
    if (label != CSN_WIRE_CLAIM_MODEL) {
        return CSN_ERR_ARGUMENT;
    }
    memcpy(grant->claims->model, claim, 32);
    return CSN_OK;
}

csn_err fake_grant_binary(struct cse_call *call, const uint8_t *policy, uint32_t size)
{
    struct csn_wire_consumer consumers[2] = {{.name = "fraud"}, {.name = "archive"}};
    struct cse_claims claims = {{0}};
    consumers[0].secret_key[5] = 1;
    struct cse_grant_view view = {.tenant = call->tenant,
                                  .secret = call->secret,
                                  .policy = policy,
                                  .policy_size = size,
                                  .consumer_count = 2,
                                  .consumers = consumers,
                                  .outside = call->outside,
                                  .claims = &claims};
    memset(call->state, 0, sizeof(struct tok_state));
    const csn_err err = cse_service.grant(call->state, &view);
    memcpy(call->claim, claims.model, sizeof call->claim);
    return err;
}

csn_err fake_grant(struct cse_call *call, const char *policy, struct csv_policy_error *why)
{
    static const char *const names[] = {"fraud", "archive"};
    const struct csv_policy_consumers consumers = {names, 2, call->weights_key};
    static _Alignas(8) uint8_t binary[CSN_WIRE_POLICY_SIZE_MAX];
    size_t size = 0;
    csn_err err =
        csv_policy_compile(policy, strlen(policy), &consumers, binary, sizeof binary, &size, why);
    return err == CSN_OK ? fake_grant_binary(call, binary, (uint32_t)size) : err;
}

cse_status fake_begin(struct cse_call *call, uint16_t operation, const void *input, uint32_t size,
                      uint8_t *output, uint32_t output_max, uint32_t *output_size)
{
    for (uint32_t i = 0; i < cse_service.operation_count; i++) {
        const struct cse_operation *entry = &cse_service.operations[i];
        if (entry->id == operation) {
            call->scratch_used = 0;
            call->fail_at = 0;
            return entry->handler(call, input, size, output, output_max, output_size);
        }
    }
    return CSN_WIRE_STATUS_OPERATION;
}

void fake_complete(struct cse_call *call)
{
    cse_service.complete(call->batch);
}

cse_status fake_run(struct cse_call *call, uint16_t operation, const void *input, uint32_t size,
                    uint8_t *output, uint32_t output_max, uint32_t *output_size)
{
    cse_status status = fake_begin(call, operation, input, size, output, output_max, output_size);
    fake_complete(call);
    return status;
}

/* ---- enclave.h ---- */
void *cse_batch(struct cse_call *call)
{
    return call->batch;
}
CSN_NORETURN void cse_panic(uint32_t code)
{
    (void)code;
    abort();
}
void *cse_state(struct cse_call *call)
{
    return call->state;
}
const uint8_t *cse_tenant(const struct cse_call *call)
{
    return call->tenant;
}
uint64_t cse_field_mask(const struct cse_call *call)
{
    return call->field_mask;
}
bool cse_budget_take(struct cse_call *call, uint64_t count)
{
    if (count > call->budget) {
        return false;
    }
    call->budget -= count;
    return true;
}
void *cse_scratch(struct cse_call *call, uint32_t size)
{
    uint32_t rounded = (size + 15) / 16 * 16;
    if (rounded > call->scratch_max - call->scratch_used) {
        return NULL;
    }
    void *bytes = call->scratch + call->scratch_used;
    call->scratch_used += rounded;
    if (call->scratch_used > call->scratch_high) {
        call->scratch_high = call->scratch_used;
    }
    return bytes;
}
void cse_fail_at(struct cse_call *call, uint32_t offset)
{
    call->fail_at = offset;
}

static uint8_t sum_of(const uint8_t *bytes, uint32_t size)
{
    uint8_t sum = 1;
    for (uint32_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum * 31 + bytes[i]);
    }
    return sum;
}

csn_err cse_field_seal(struct cse_call *call, uint32_t consumer, uint64_t place,
                       const uint8_t *value, uint32_t size, uint8_t *output,
                       uint32_t output_size_max, uint32_t *output_size)
{
    const uint32_t head = (uint32_t)sizeof(struct csn_wire_record);
    if (output_size_max < CSE_FIELD_OVERHEAD + size) {
        return CSN_ERR_SPACE;
    }
    memset(output, 0, CSE_FIELD_OVERHEAD + size);
    output[0] = (uint8_t)consumer;
    output[1] = call->tenant[0];
    memcpy(output + FAKE_PLACE, &place, sizeof place);
    for (uint32_t i = 0; i < size; i++) {
        output[head + i] = value[i] ^ 0x5a;
    }
    output[head + size] = sum_of(output, head + size);
    *output_size = (uint32_t)CSE_FIELD_OVERHEAD + size;
    return CSN_OK;
}

csn_err cse_field_open(struct cse_call *call, uint64_t place, const uint8_t *sealed, uint32_t size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    const uint32_t head = (uint32_t)sizeof(struct csn_wire_record);
    if (size < CSE_FIELD_OVERHEAD || size - CSE_FIELD_OVERHEAD > output_size_max) {
        return CSN_ERR_FORMAT;
    }
    uint32_t plain = size - (uint32_t)CSE_FIELD_OVERHEAD;
    for (uint32_t i = head + plain + 1; i < size; i++) {
        if (sealed[i] != 0) {
            return CSN_ERR_AUTH;
        }
    }
    if (sealed[0] != 0 || sealed[1] != call->tenant[0] ||
        memcmp(sealed + FAKE_PLACE, &place, sizeof place) != 0 ||
        sealed[head + plain] != sum_of(sealed, head + plain)) {
        return CSN_ERR_AUTH;
    }
    for (uint32_t i = 0; i < plain; i++) {
        output[i] = sealed[head + i] ^ 0x5a;
    }
    *output_size = plain;
    return CSN_OK;
}
