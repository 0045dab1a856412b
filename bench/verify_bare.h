/* SPDX-License-Identifier: Apache-2.0 */
/* verify_bare.h: one piece of evidence, as an input of the verifier and as bare signature checks.
 */
#ifndef BENCH_VERIFY_BARE_H
#define BENCH_VERIFY_BARE_H

#include <caisson/verify.h>
#include <openssl/evp.h>

#define BARE_CHECK_COUNT_MAX 12

struct bare_signature {
    EVP_PKEY *key;
    const char *digest;
    bool pss;
    const uint8_t *message;
    size_t message_size;
    uint8_t signature[512]; /* DER for ECDSA */
    size_t signature_size;
};

struct bare_case {
    const char *name;
    uint32_t format;
    struct csv_input *input;
    struct csv_policy *policy;
    size_t check_count;
    struct bare_signature checks[BARE_CHECK_COUNT_MAX];
};

/* NULL: the files are not there. Kept for the process. */
struct bare_case *bare_snp(const char *vectors);
struct bare_case *bare_tdx(const char *vectors);

/* All signature checks once; the whole appraisal once. True: valid. */
bool bare_check(const struct bare_case *subject);
bool bare_appraise(const struct bare_case *subject);

#endif
