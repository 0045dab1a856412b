/* SPDX-License-Identifier: Apache-2.0 */
/*
 * small.c: an echo enclave whose sizes the build gives: a pool of 1 MiB for the time that a start
 * takes, larger ones for what a GiB adds to it, two workers, a thousand channels, many tenants or
 * contexts.
 */
#include <caisson/enclave.h>
#include <string.h>

#define SMALL_PAYLOAD_MAX 4096u

static cse_status echo(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)call;
    if (input_size > output_size_max) {
        return CSN_WIRE_STATUS_TOO_LARGE;
    }
    memcpy(output, input, input_size);
    *output_size = input_size;
    return CSN_WIRE_STATUS_OK;
}

static const struct cse_operation operations[] = {{.id = 1,
                                                   .input_size_max = SMALL_PAYLOAD_MAX,
                                                   .rights = CSN_WIRE_RIGHT_SUBMIT,
                                                   .handler = echo}};

const struct cse_service cse_service = {
    .operations = operations, .operation_count = 1, .purpose_mask = 1};

CSE_MANIFEST(.name = "small", .security_version = 1, .flags = CSN_WIRE_FLAG_DETERMINISTIC,
             .stack_size = 0x10000, .pool_size = SMALL_POOL_SIZE,
             .worker_count = SMALL_WORKER_COUNT, .channel_count = SMALL_CHANNEL_COUNT,
             .input_line_count = SMALL_LINE_COUNT, .output_line_count = 2 * SMALL_LINE_COUNT,
             .input_size_max = 8192, .output_size_max = 16384, .outputs_per_input_max = 1,
             .tenant_count_max = SMALL_TENANT_COUNT, .context_count_max = SMALL_CONTEXT_COUNT,
             .credential_count_max = 4, .consumer_count_max = 2, .policy_size_max = 0,
             .tenant_state_size = 0, .scratch_size = 0x1000, .output_scale = 16);
