/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faulty.c: sealed records as echo has them, and operations that crash the enclave in the middle of
 * one, as a handler with a bug would: for what the host makes of a record that kills.
 */
#include "faulty.h"
#include <caisson/enclave.h>
#include <caisson/wire/map.h>
#include <string.h>

/* A handler that does one thing; all but the first do it wrong. */
#define FAULTY_HANDLER(name, statement)                                                            \
    static cse_status name(struct cse_call *call, const uint8_t *input, uint32_t input_size,       \
                           uint8_t *output, uint32_t output_size_max, uint32_t *output_size)       \
    {                                                                                              \
        (void)call, (void)input, (void)input_size;                                                 \
        (void)output, (void)output_size_max, (void)output_size;                                    \
        statement;                                                                                 \
        return CSN_WIRE_STATUS_OK;                                                                 \
    }

FAULTY_HANDLER(echo, memcpy(output, input, *output_size = input_size))
FAULTY_HANDLER(divide, __asm__ volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx"
                                        :
                                        : "a"(1), "d"(0)
                                        : "ecx", "cc"))
FAULTY_HANDLER(null, __asm__ volatile("movq 8(%%rax), %%rax" : : "a"(0) : "memory"))
FAULTY_HANDLER(guard, __asm__ volatile("movb $1, -1(%0)" : : "r"(csn_map_stack_low(0)) : "memory"))
FAULTY_HANDLER(text, __asm__ volatile("movb $0x90, (%0)" : : "r"(CSN_MAP_IMAGE) : "memory"))
FAULTY_HANDLER(invalid, __asm__ volatile("ud2"))
FAULTY_HANDLER(panic, cse_panic(FAULTY_PANIC_CODE))

#define PAYLOAD_MAX 4096u

static const struct cse_operation operations[] = {
    {FAULTY_ECHO, PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT, echo},
    {FAULTY_DIVIDE, PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT, divide},
    {FAULTY_NULL, PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT, null},
    {FAULTY_GUARD, PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT, guard},
    {FAULTY_TEXT, PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT, text},
    {FAULTY_INVALID, PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT, invalid},
    {FAULTY_PANIC, PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT, panic},
};

const struct cse_service cse_service = {
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .purpose_mask = 1,
};

CSE_MANIFEST(.name = "faulty", .security_version = 1, .flags = CSN_WIRE_FLAG_DETERMINISTIC,
             .stack_size = 0x10000, .pool_size = 0x1000000, .worker_count = 1, .channel_count = 1,
             .input_line_count = 4096, .output_line_count = 8192, .input_size_max = 8192,
             .output_size_max = 12288, .outputs_per_input_max = 1, .tenant_count_max = 4,
             .context_count_max = 16, .credential_count_max = 8, .consumer_count_max = 4,
             .policy_size_max = 0, .tenant_state_size = 0, .scratch_size = 0x1000,
             .output_scale = 16);
