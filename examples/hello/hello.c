/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello.c: a whole enclave: a manifest, one operation, nothing else. Operation 1 counts the words
 * of a text and answers in text: "the quick fox" gives "3 words, 11 letters".
 *
 * Trust: the input is an authenticated record, but its sender may still write nonsense in it: every
 *        byte is a byte, no length is believed. No libc but mem*, no allocation, no system call.
 */
#include <caisson/enclave.h>
#include <string.h>

/* A text of this size in its record, and the answer in its record, fit in ring messages of these
 * sizes. */
#define HELLO_TEXT_SIZE_MAX   4096u
#define HELLO_INPUT_SIZE_MAX  4608u
#define HELLO_OUTPUT_SIZE_MAX 8192u
/* Two numbers of at most ten digits and the words between them. */
#define HELLO_ANSWER_SIZE_MAX 64u

static bool is_letter(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static uint32_t put_number(uint8_t *target, uint32_t number)
{
    uint8_t digits[10];
    uint32_t count = 0;
    do {
        digits[count++] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (uint32_t i = 0; i < count; i++) {
        target[i] = digits[count - 1 - i];
    }
    return count;
}

static uint32_t put_text(uint8_t *target, const char *text, uint32_t size)
{
    memcpy(target, text, size);
    return size;
}

/* The operation. What goes wrong is told to the tenant alone, sealed; the host sees no difference.
 */
static cse_status count_words(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                              uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    uint32_t words = 0;
    uint32_t letters = 0;
    bool inside = false;
    if (output_size_max < HELLO_ANSWER_SIZE_MAX) {
        return CSN_WIRE_STATUS_TOO_LARGE;
    }
    for (uint32_t i = 0; i < input_size; i++) {
        if (input[i] == 0) {
            cse_fail_at(call, i); /* says where, in the tombstone that the tenant opens */
            return CSN_WIRE_STATUS_MALFORMED;
        }
        bool letter = is_letter(input[i]);
        words += letter && !inside;
        letters += letter;
        inside = letter;
    }
    uint32_t size = put_number(output, words);
    size += put_text(output + size, " words, ", 8);
    size += put_number(output + size, letters);
    size += put_text(output + size, " letters", 8);
    *output_size = size;
    return CSN_WIRE_STATUS_OK;
}

/* Every operation: its number, the largest payload it takes, the rights it asks for. */
static const struct cse_operation operations[] = {
    {.id = 1,
     .input_size_max = HELLO_TEXT_SIZE_MAX,
     .rights = CSN_WIRE_RIGHT_SUBMIT,
     .handler = count_words},
};

const struct cse_service cse_service = {
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .purpose_mask = 1, /* the general purpose */
};

/*
 * All memory that the enclave will ever have. `caisson size` shows where it goes. Any change here
 * changes the measurement. Deterministic: the same input gives the same answer, so that a record
 * may be served again after a crash.
 */
CSE_MANIFEST(.name = "hello", .security_version = 1, .flags = CSN_WIRE_FLAG_DETERMINISTIC,
             .stack_size = 0x10000, .pool_size = 0x400000, .worker_count = 1, .channel_count = 1,
             .input_line_count = 1024, .output_line_count = 2048,
             .input_size_max = HELLO_INPUT_SIZE_MAX, .output_size_max = HELLO_OUTPUT_SIZE_MAX,
             .outputs_per_input_max = 1, .tenant_count_max = 4, .context_count_max = 64,
             .credential_count_max = 4, .consumer_count_max = 2, .policy_size_max = 0,
             .tenant_state_size = 0, .scratch_size = 0x1000, .output_scale = 0,
             .output_extra = HELLO_ANSWER_SIZE_MAX);
