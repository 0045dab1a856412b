/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo.c: the smallest enclave with sealed records: operation 1 gives its input back.
 *
 * Trust: the payload is a tenant's; nothing in it is looked at.
 */
#include <caisson/enclave.h>
#include <string.h>

/* The largest size class with header, route and tag, rounded up to lines of 64 bytes. */
#define ECHO_INPUT_SIZE_MAX  66048u
#define ECHO_OUTPUT_SIZE_MAX 66176u

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

static const struct cse_operation operations[] = {
    {.id = 1,
     .input_size_max = CSN_WIRE_PAYLOAD_MAX,
     .rights = CSN_WIRE_RIGHT_SUBMIT,
     .handler = echo},
};

static const struct cse_route routes[] = {
    {.method = "POST",
     .path = "/v1/echo",
     .operation = 1,
     .output_type = "application/octet-stream"},
};

const struct cse_service cse_service = {
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .routes = routes,
    .route_count = sizeof routes / sizeof routes[0],
    .purpose_mask = 1,
};

CSE_MANIFEST(.name = "echo", .security_version = 1, .flags = CSN_WIRE_FLAG_DETERMINISTIC,
             .stack_size = 0x10000, .pool_size = 0x4000000, .worker_count = 1, .channel_count = 2,
             .input_line_count = 16384, .output_line_count = 65536,
             .input_size_max = ECHO_INPUT_SIZE_MAX, .output_size_max = ECHO_OUTPUT_SIZE_MAX,
             .outputs_per_input_max = 1, .tenant_count_max = 64, .context_count_max = 64,
             .credential_count_max = 8, .consumer_count_max = 4, .policy_size_max = 0,
             .tenant_state_size = 0, .scratch_size = 0x1000, .output_scale = 16);
