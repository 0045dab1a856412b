/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llm_image.c: an enclave that makes itself a model and reads tokens when a record says so, and
 * then gives the record back: what bench/llm compares with the same outside.
 */
#include "llm_work.h"
#include <caisson/enclave.h>
#include <string.h>

struct worker {
    uint64_t features;
    bool has_begun;
    struct llm_work work;
    uint8_t memory[LLM_WORK_SIZE] __attribute__((aligned(64)));
};

static csn_err take_grant(void *state, const struct cse_grant_view *grant)
{
    struct worker *worker = grant->worker_state;
    (void)state;
    worker->features = grant->features;
    return CSN_OK;
}

static cse_status serve(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                        uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    struct worker *worker = cse_worker_state(call);
    struct llm_task task;
    if (input_size < sizeof task || input_size > output_size_max) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    memcpy(&task, input, sizeof task);
    if (!worker->has_begun) {
        worker->has_begun = llm_work_begin(&worker->work, &task, worker->features, worker->memory,
                                           sizeof worker->memory);
    }
    if (!worker->has_begun || !llm_work_decode(&worker->work, 1, task.tokens)) {
        return CSN_WIRE_STATUS_INTERNAL;
    }
    memcpy(output, input, input_size);
    *output_size = input_size;
    return CSN_WIRE_STATUS_OK;
}

static const struct cse_operation operations[] = {{.id = 1,
                                                   .input_size_max = CSN_WIRE_PAYLOAD_MAX,
                                                   .rights = CSN_WIRE_RIGHT_SUBMIT,
                                                   .handler = serve}};

const struct cse_service cse_service = {
    .operations = operations,
    .operation_count = 1,
    .grant = take_grant,
    .purpose_mask = 1,
};

CSE_MANIFEST(.name = "llm-image", .security_version = 1, .flags = CSN_WIRE_FLAG_DETERMINISTIC,
             .stack_size = 0x20000, .pool_size = 0xc000000, .worker_count = 1, .channel_count = 1,
             .input_line_count = 4096, .output_line_count = 4096, .input_size_max = 66048,
             .output_size_max = 66176, .outputs_per_input_max = 1, .tenant_count_max = 2,
             .context_count_max = 4, .credential_count_max = 2, .consumer_count_max = 2,
             .scratch_size = 0x1000, .output_scale = 16,
             .worker_state_size = sizeof(struct worker));
