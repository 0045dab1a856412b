/* SPDX-License-Identifier: Apache-2.0 */
/* loader.c: an enclave whose one operation loads sealed weights, as often as it is asked to. */
#include "weights/weights_load.h"
#include <caisson/enclave.h>
#include <caisson/enclave_store.h>
#include <string.h>

#define MEMORY_SIZE UINT64_C(0x4000000)
#define PIECE_LINES 1026u /* of 64 bytes, head and all, for one chunk */
#define INPUT_MAX   (PIECE_LINES * 64)

/* input: struct csn_wire_weights_ref, which comes back once the file is there. */
static cse_status load(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    struct csn_wire_weights_ref ref;
    uint64_t size = 0;
    if (input_size != sizeof ref || output_size_max < sizeof ref) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    memcpy(&ref, input, sizeof ref);
    if (cse_weights_load(cse_outside(call), &ref, cse_worker_state(call), MEMORY_SIZE, &size) !=
        CSN_OK) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    memcpy(output, input, input_size);
    *output_size = input_size;
    return CSN_WIRE_STATUS_OK;
}

static const struct cse_operation operations[] = {
    {.id = 1, .input_size_max = 1024, .rights = CSN_WIRE_RIGHT_SUBMIT, .handler = load}};

const struct cse_service cse_service = {
    .operations = operations, .operation_count = 1, .purpose_mask = 1};

CSE_MANIFEST(.name = "loader", .security_version = 1,
             .flags = CSN_WIRE_FLAG_DETERMINISTIC | CSN_WIRE_FLAG_STORE, .stack_size = 0x10000,
             .pool_size = MEMORY_SIZE + 0x200000, .worker_count = 1, .channel_count = 1,
             .input_line_count = 8192, .output_line_count = 4096, .input_size_max = INPUT_MAX,
             .output_size_max = 0x12000, .outputs_per_input_max = 1, .tenant_count_max = 2,
             .context_count_max = 4, .credential_count_max = 4, .consumer_count_max = 2,
             .policy_size_max = 0, .tenant_state_size = 0, .scratch_size = 0x1000,
             .worker_state_size = MEMORY_SIZE, .output_scale = 16);
