/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake.h: a host-side stand-in for the calls of caisson/enclave.h, so that the tokenize handlers
 * run in tests, fuzzers and the benchmark without sessions. Not for enclaves.
 *
 * cse_field_seal() writes a header of zeros, the consumer's index, the value in clear XOR 0x5a and
 * a tag that is its sum: enough to be opened again and to be refused when changed.
 */
#ifndef TOK_FAKE_H
#define TOK_FAKE_H

#include <caisson/enclave.h>
#include <caisson/policy.h>
#include <caisson/wire/policy.h>

#define FAKE_INPUT_MAX  CSN_WIRE_PAYLOAD_MAX
#define FAKE_OUTPUT_MAX 99200u

struct cse_call {
    void *state;
    void *batch;
    uint8_t *scratch;
    uint32_t scratch_max;
    uint32_t scratch_used;
    uint32_t scratch_high;
    uint64_t field_mask;
    uint64_t budget;
    uint32_t fail_at;
    uint8_t tenant[32];
    uint8_t secret[32];
    uint8_t weights_key[32];
    uint8_t claim[32];           /* of the grant: its model, or zeros */
    struct cse_outside *outside; /* the caller's; NULL at first: there is no store */
};

/* Zeroed state and scratch of the enclave's own sizes; NULL without memory. */
struct cse_call *fake_new(uint8_t tenant, uint8_t secret);
void fake_free(struct cse_call *call);

/*
 * Compiles a policy (JSON text) for consumers "fraud" (the enclave holds its secret key) and
 * "archive" (it does not), and runs the grant hook. On failure *why says what the compiler said.
 */
csn_err fake_grant(struct cse_call *call, const char *policy, struct csv_policy_error *why);
csn_err fake_grant_binary(struct cse_call *call, const uint8_t *policy, uint32_t size);

/* As fake_run(), but what was put off waits for fake_complete(); output must stay. */
cse_status fake_begin(struct cse_call *call, uint16_t operation, const void *input, uint32_t size,
                      uint8_t *output, uint32_t output_max, uint32_t *output_size);
void fake_complete(struct cse_call *call);

/* Runs an operation; output has FAKE_OUTPUT_MAX bytes of room. */
cse_status fake_run(struct cse_call *call, uint16_t operation, const void *input, uint32_t size,
                    uint8_t *output, uint32_t output_max, uint32_t *output_size);

#endif
