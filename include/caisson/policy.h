/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h: turns a JSON policy file (docs/TOKENIZE.md section 1; with a member "service":
 * "transit", docs/TRANSIT.md section 7) into the form that grants carry.
 *
 * This is the gate for authors: whatever is doubtful is an error with its place. Nothing is
 * guessed, nothing is ignored but keys named "comment".
 *
 * Threads:  pure functions over the caller's memory.
 * Lifetime: nothing is kept.
 */
#ifndef CAISSON_POLICY_H
#define CAISSON_POLICY_H

#include <caisson/base.h>

#define CSV_POLICY_TEXT_SIZE_MAX UINT32_C(65536) /* bytes of a policy file */

struct csv_policy_error {
    uint32_t line;   /* 1-based; 0 where the file is not to blame */
    uint32_t column; /* 1-based, in bytes */
    char text[232];  /* what is wrong with it, one sentence without a full stop */
};

/*
 * What the grant has besides the policy. Who may receive `encrypt` fields: the names of its
 * consumers, in its order; the key of the model that a `score` names.
 */
struct csv_policy_consumers {
    const char *const *names;
    size_t count;
    const uint8_t *weights_key; /* 32 bytes (caisson keygen weights); NULL: none */
};

CSN_EXTERN_C_BEGIN
/*
 * Compiles text into output; *output_size is what was written. CSN_ERR_FORMAT: the policy is
 * refused, error says where and why (the first fault in the order of checking). CSN_ERR_SPACE:
 * capacity is too small, *output_size is what is needed. Outputs other than error are untouched
 * on CSN_ERR_FORMAT.
 */
CSN_API CSN_MUST_USE csn_err csv_policy_compile(const char *text, size_t size,
                                                const struct csv_policy_consumers *consumers,
                                                uint8_t *output, size_t capacity,
                                                size_t *output_size,
                                                struct csv_policy_error *error);

/*
 * The index of the field with this path (as written), which is its bit in a credential's
 * field_mask. CSN_ERR_UNKNOWN: no field has it. Other failures as csv_policy_compile.
 */
CSN_API CSN_MUST_USE csn_err csv_policy_field_index(const char *text, size_t size,
                                                    const struct csv_policy_consumers *consumers,
                                                    const char *path, uint32_t *index,
                                                    struct csv_policy_error *error);
CSN_EXTERN_C_END

#endif
