/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h: libcaisson-verify: appraise evidence offline, and explain the verdict.
 *
 * Roles as in RFC 9334: the enclave's launcher is the attester, the caller is the relying party and
 * brings its own policy; this library is the verifier. It reads no file, opens no socket, asks no
 * clock, and links nothing but libcrypto.
 *
 * Trust:    evidence is hostile bytes of any length. The policy is the caller's and trusted.
 * Threads:  no shared state; a verdict may be read by several threads.
 * Memory:   csv_appraise() allocates the verdict; csv_verdict_free() gives it back.
 */
#ifndef CAISSON_VERIFY_H
#define CAISSON_VERIFY_H

#include <caisson/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

CSN_EXTERN_C_BEGIN

#define CSV_NONCE_SIZE 32

/* A signer whose images are accepted, from a security version on. */
struct csv_signer {
    uint8_t key[32]; /* Ed25519 public key: the signer id */
    uint32_t security_version_min;
};

/*
 * What the relying party accepts. What no line allows is refused; an empty policy accepts nothing.
 * At least one of measurements and signers must be given; where both are, both must match.
 */
struct csv_policy {
    const uint8_t (*measurements)[48]; /* accepted image measurements */
    size_t measurement_count;
    const struct csv_signer *signers;
    size_t signer_count;
    const uint8_t (*gate_hashes)[32]; /* accepted backends by their gate; none: any */
    size_t gate_hash_count;
    bool accept_software;                /* insecure development evidence (`--insecure-dev`) */
    const uint8_t (*software_roots)[32]; /* whose development evidence; needed with the above */
    size_t software_root_count;
    bool accept_debug; /* images with the debug flag */
};

enum csv_result {
    CSV_VERIFIED = 0,
    CSV_INVALID = 1,          /* the evidence is wrong, or the policy does not accept it */
    CSV_COULD_NOT_VERIFY = 2, /* something needed is missing: says nothing about the evidence */
};

enum csv_outcome { CSV_PASSED = 0, CSV_FAILED = 1, CSV_MISSING = 2 };

/* One check. All strings are terminated; id is stable and has a page under docs/verify/. */
struct csv_finding {
    const char *id; /* "nonce.fresh", … */
    enum csv_outcome outcome;
    const char *claim; /* what is checked */
    char expected[160];
    char got[160];
    const char *why;  /* why it matters */
    const char *todo; /* what to do */
};

struct csv_verdict;
struct csv_recipient; /* a public key that was verified; only a verdict or a statement yields one */

/*
 * Appraise size bytes of evidence against policy, for the 32-byte nonce that the caller chose.
 * CSN_OK: VERIFIED. CSN_ERR_EVIDENCE: INVALID. CSN_ERR_UNVERIFIED: COULD_NOT_VERIFY (a policy that
 * allows nothing at all among them). CSN_ERR_ARGUMENT: NULL arguments. CSN_ERR_MEMORY. In the first
 * three *verdict is set, and the caller frees it.
 */
CSN_API CSN_MUST_USE csn_err csv_appraise(const struct csv_policy *policy, const void *evidence,
                                          size_t size, const uint8_t nonce[CSV_NONCE_SIZE],
                                          struct csv_verdict **verdict);
CSN_API void csv_verdict_free(struct csv_verdict *verdict); /* NULL allowed */

CSN_API enum csv_result csv_verdict_result(const struct csv_verdict *verdict);
CSN_API size_t csv_verdict_finding_count(const struct csv_verdict *verdict);
CSN_API const struct csv_finding *csv_verdict_finding(const struct csv_verdict *verdict,
                                                      size_t index);

/* What the evidence claims; meaningful only in a VERIFIED verdict. */
struct csv_claims {
    const char *type; /* "software" */
    uint32_t backend;
    bool debug;
    uint32_t security_version;
    char name[33];
    uint8_t measurement[48];
    uint8_t signer_key[32];
    uint8_t gate_hash[32];
    uint8_t boot_id[16];
    uint8_t config_digest[32];
};
CSN_API const struct csv_claims *csv_verdict_claims(const struct csv_verdict *verdict);

/*
 * The verified keys; NULL unless the verdict is VERIFIED. They live as long as the verdict.
 * instance: for grants. recipient: for records of that tenant (32-byte id); index counts from 0.
 */
CSN_API const struct csv_recipient *csv_verdict_instance(const struct csv_verdict *verdict);
CSN_API const struct csv_recipient *csv_verdict_recipient(const struct csv_verdict *verdict,
                                                          const uint8_t tenant[32], size_t index);

/*
 * The verdict for people (text, one line a finding; explain adds why and what to do) or for
 * machines (one JSON object). Writes at most capacity bytes, always terminated if capacity > 0, and
 * returns the size that the whole needs, terminator apart.
 */
CSN_API size_t csv_verdict_text(const struct csv_verdict *verdict, bool explain, char *target,
                                size_t capacity);
CSN_API size_t csv_verdict_json(const struct csv_verdict *verdict, char *target, size_t capacity);

CSN_EXTERN_C_END

#endif
