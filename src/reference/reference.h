/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference.h: what the tokenize enclave must produce, done again by other code.
 *
 * Written from docs/TOKENIZE.md alone, with OpenSSL for every primitive and cJSON for the policy
 * file; it shares no line with the enclave. Used by tests and by `caisson demo` to count
 * mismatches. Hosted, not trusted, not constant time: it never belongs into an enclave.
 *
 * Threads:  a struct csr_policy holds scratch memory; one thread at a time per object.
 * Lifetime: csr_policy_load allocates, csr_policy_free wipes and frees; inputs are not kept.
 */
#ifndef CSR_REFERENCE_H
#define CSR_REFERENCE_H

#include <caisson/base.h>
#include <caisson/wire/record.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSR_ERROR_SIZE 192u

struct csr_policy;

/*
 * Opens one sealed field value ("enc_…", without quotes) into plain, the source text of the JSON
 * value. True if it is one of the tenant's.
 */
struct csr_opener {
    bool (*open)(void *context, const char *sealed, size_t size, char *plain, size_t capacity,
                 size_t *plain_size);
    void *context;
};

/*
 * Reads a policy file. NULL on failure, with the reason in error. It checks what it needs for
 * itself and is more lenient than the compiler (caisson/policy.h), which is the gate for authors.
 */
struct csr_policy *csr_policy_load(const char *text, size_t size, const uint8_t tenant_id[32],
                                   const uint8_t domain_secret[32], char error[CSR_ERROR_SIZE]);
void csr_policy_free(struct csr_policy *policy);

/*
 * Operation 1 on one record. On CSN_WIRE_STATUS_OK *output_size bytes are in output; otherwise
 * output is untouched and *output_size is the offset of the fault in the input. Values of
 * `encrypt` fields come out as a placeholder that only csr_compare understands.
 */
enum csn_wire_status csr_tokenize(struct csr_policy *policy, const void *input, size_t size,
                                  void *output, size_t capacity, size_t *output_size);

/* Operation 2: fields whose bit is set in field_mask. opener may be NULL: not found. */
enum csn_wire_status csr_detokenize(struct csr_policy *policy, uint64_t field_mask,
                                    const struct csr_opener *opener, const void *input, size_t size,
                                    void *output, size_t capacity, size_t *output_size);

/*
 * True if actual is what csr_tokenize expects: equal bytes, and where expected has a placeholder,
 * an "enc_…" value that the opener opens to the same source text.
 */
bool csr_compare(const void *expected, size_t expected_size, const void *actual, size_t actual_size,
                 const struct csr_opener *opener);

/*
 * The single-process loop that the demo prints a ratio to: for record_count generated records,
 * EVP AES-256-GCM open, csr_tokenize, EVP AES-256-GCM seal, padded to the same size classes.
 * Sealing of the inputs happens before the clock starts.
 */
csn_err csr_pipeline_loop(struct csr_policy *policy, uint64_t seed, uint64_t record_count,
                          double *records_per_second);

/* The same a record at a time, for who measures: demo records of the seed, number after number. */
struct csr_loop;
CSN_MUST_USE csn_err csr_loop_new(uint64_t seed, struct csr_loop **loop);
void csr_loop_free(struct csr_loop *loop);
CSN_MUST_USE bool csr_loop_step(struct csr_loop *loop, struct csr_policy *policy, uint64_t number);

#endif
