/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h: libcaisson-verify: appraise attestation evidence offline, and explain the verdict.
 *
 * Roles as in RFC 9334: the platform is the attester, the caller is the relying party and brings
 * its own policy and its own clock; this library is the verifier. It reads no file, opens no
 * socket, asks no clock, and links nothing but libcrypto.
 *
 *   csv_policy_parse()  ->  what is accepted          (a policy file; docs/POLICY.md)
 *   csv_input_add()     ->  evidence and what goes with it: certificates, collateral, logs
 *   csv_appraise()      ->  a verdict: valid, invalid or unverifiable, with findings and claims
 *
 * Trust:    all parts of an input are hostile bytes of any length. The policy is trusted.
 * Threads:  no shared state. A policy and a verdict may be read by several threads at once.
 * Memory:   one bounded arena per verdict (CSV_ARENA_SIZE); nothing else is allocated, except by
 *           libcrypto. Bytes given to an input are borrowed until the verdict was returned.
 * FFI:      opaque handles, fixed-width integers and NUL-terminated strings throughout; no macro is
 *           needed to call anything. C11 and C++17. examples/verify/verify.py calls it from Python.
 */
#ifndef CAISSON_VERIFY_H
#define CAISSON_VERIFY_H

#include <caisson/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

CSN_EXTERN_C_BEGIN

#define CSV_NONCE_SIZE 32 /* bytes, of Caisson's own evidence; platforms have their own sizes */
#define CSV_NONCE_SIZE_MAX                                                                         \
    512 /* bytes: Nitro documents may hold so many; others hold 64 at most                         \
         */
#define CSV_ARENA_SIZE     (UINT32_C(8) << 20) /* bytes per verdict; touched only as needed */
#define CSV_PART_SIZE_MAX  (UINT32_C(1) << 20) /* bytes of one part */
#define CSV_PART_COUNT_MAX 64

/* ---- formats ---- */

enum csv_format_id {
    CSV_FORMAT_AUTO = 0,      /* whichever of the policy's formats recognises the bytes */
    CSV_FORMAT_CAISSON = 1,   /* "caisson": Caisson's own evidence around any of the others */
    CSV_FORMAT_SNP = 2,       /* "snp": AMD SEV-SNP attestation report */
    CSV_FORMAT_TDX = 3,       /* "tdx": Intel TDX quote, versions 4 and 5 */
    CSV_FORMAT_SGX = 4,       /* "sgx": Intel SGX quote, version 3 */
    CSV_FORMAT_NITRO = 5,     /* "nitro": AWS Nitro Enclaves attestation document */
    CSV_FORMAT_CCA = 6,       /* "cca": Arm CCA token */
    CSV_FORMAT_AZURE_SNP = 7, /* "azure-snp": HCL report and vTPM quote over SEV-SNP */
    CSV_FORMAT_AZURE_TDX = 8, /* "azure-tdx": HCL report, vTPM quote and TD quote */
    CSV_FORMAT_GCS_JWT = 9,   /* "gcs-jwt": Google Confidential Space token */
    CSV_FORMAT_TPM = 10,      /* "tpm": TPM 2.0 quote */
};

/* "snp" for CSV_FORMAT_SNP, "auto" for 0; NULL for an unknown number. */
CSN_API const char *csv_format_name(uint32_t format);
/* The number of a name; UINT32_MAX for an unknown one. */
CSN_API uint32_t csv_format_number(const char *name);

/* ---- input: evidence, and what the host or the caller supplies with it ---- */

enum csv_part_kind {
    CSV_PART_EVIDENCE = 1,       /* report, quote, document, token or bundle; a CMW around it is
                                    opened (RFC 9999) */
    CSV_PART_VEK = 2,            /* SNP: VCEK or VLEK certificate, DER or PEM */
    CSV_PART_CHAIN = 3,          /* certificates between leaf and root: DER or PEM, one or many */
    CSV_PART_CRL = 4,            /* certificate revocation list, DER or PEM */
    CSV_PART_COLLATERAL = 5,     /* DCAP collateral; the name says which: "tcb_info.json", … */
    CSV_PART_EVENT_LOG = 6,      /* TCG event log (CCEL), replayed to RTMRs */
    CSV_PART_PCRS = 7,           /* PCR values: lines "INDEX: HEX", SHA-256 bank */
    CSV_PART_AK = 8,             /* public key (PEM) or certificate of an attestation key */
    CSV_PART_TPM_QUOTE = 9,      /* azure-*: TPMS_ATTEST */
    CSV_PART_TPM_SIGNATURE = 10, /* tpm, azure-*: TPMT_SIGNATURE or the bare RSA signature */
    CSV_PART_TD_QUOTE = 11,      /* azure-tdx: TD quote */
};

struct csv_input;

/* CSN_OK or CSN_ERR_MEMORY; csv_input_free() gives it back (NULL allowed). */
CSN_API CSN_MUST_USE csn_err csv_input_create(struct csv_input **input);
CSN_API void csv_input_free(struct csv_input *input);

/*
 * Add one part. name: a file name for collateral, else NULL or a name for messages; borrowed, as
 * bytes are. CSN_ERR_LIMIT: more than CSV_PART_COUNT_MAX parts or a part over CSV_PART_SIZE_MAX.
 * CSN_ERR_ARGUMENT: an unknown kind, or NULL bytes.
 */
CSN_API CSN_MUST_USE csn_err csv_input_add(struct csv_input *input, uint32_t part, const char *name,
                                           const void *bytes, size_t size);

/* "2026-01-31T12:00:00Z" (RFC 3339 in UTC, whole seconds) to seconds since 1970; false: not so. */
CSN_API bool csv_time_parse(const char *text, int64_t *unix_seconds);
/* The one clock of the appraisal: seconds since 1970-01-01T00:00:00Z. Without it, whatever has a
 * validity cannot be verified. */
CSN_API void csv_input_set_time(struct csv_input *input, int64_t unix_seconds);

/*
 * The nonce that the caller chose, 1 to CSV_NONCE_SIZE_MAX bytes, copied; each format says where it
 * must stand (docs/VERIFY.md). CSN_ERR_ARGUMENT: another size.
 */
CSN_API CSN_MUST_USE csn_err csv_input_set_nonce(struct csv_input *input, const void *nonce,
                                                 size_t size);

/* The whole report data expected, exactly 64 bytes; an alternative to a nonce for snp, tdx, sgx. */
CSN_API CSN_MUST_USE csn_err csv_input_set_report_data(struct csv_input *input,
                                                       const void *report_data, size_t size);

/*
 * INSECURE, for tests only: accept a root of trust whose SubjectPublicKeyInfo has this SHA-256,
 * beside the vendors' own roots. The verdict carries a finding that says so.
 */
CSN_API CSN_MUST_USE csn_err csv_input_trust_test_root_insecure(struct csv_input *input,
                                                                const uint8_t spki_sha256[32]);

/* ---- the RATS conceptual message wrapper (RFC 9999), around evidence ---- */

enum csv_cmw_form {
    CSV_CMW_JSON = 1, /* a record: ["media type", "base64url", 4] */
    CSV_CMW_CBOR = 2, /* the same in CBOR */
    CSV_CMW_TAG = 3,  /* a CBOR tag; only for formats with a CoAP content format: gcs-jwt */
};

/*
 * Wraps evidence of a format. Writes at most capacity bytes and sets *size to what the whole needs.
 * CSN_ERR_UNKNOWN: that format has no such form. CSN_ERR_ARGUMENT, _LIMIT, _MEMORY.
 */
CSN_API CSN_MUST_USE csn_err csv_cmw_wrap(uint32_t format, uint32_t form, const void *evidence,
                                          size_t evidence_size, void *target, size_t capacity,
                                          size_t *size);
/*
 * The one piece of evidence in a record, tag or collection, copied likewise; *format (optional) is
 * what its type says it is (CSV_FORMAT_AUTO: nothing), which is a hint and no more. CSN_ERR_FORMAT:
 * not a wrapper around one piece of evidence. csv_appraise() opens wrappers by itself.
 */
CSN_API CSN_MUST_USE csn_err csv_cmw_open(const void *cmw, size_t size, void *target,
                                          size_t capacity, size_t *evidence_size, uint32_t *format);

/* ---- policy: what the relying party accepts ---- */

struct csv_policy;

/* Where and why a policy was refused. */
struct csv_policy_mistake {
    uint32_t line; /* from 1; 0: not of one line */
    uint32_t column;
    char text[200];
};

/*
 * Read a policy file (docs/POLICY.md). What no line allows is refused; an empty policy accepts
 * nothing. CSN_ERR_FORMAT: not such a file; *error (optional) says where and why: unknown keys,
 * wrong values, or a policy that could accept what nobody vouches for. CSN_ERR_MEMORY.
 */
CSN_API CSN_MUST_USE csn_err csv_policy_parse(const char *text, size_t size,
                                              struct csv_policy **policy,
                                              struct csv_policy_mistake *error);

/* An empty policy, to be filled by csv_policy_allow(). CSN_OK or CSN_ERR_MEMORY. */
CSN_API CSN_MUST_USE csn_err csv_policy_create(struct csv_policy **policy);

/*
 * Add one value to a key, as a policy file would: key "caisson.measurements", value in hex; the
 * second form takes the bytes themselves. CSN_ERR_UNKNOWN: no such key. CSN_ERR_FORMAT: not a value
 * of that key. CSN_ERR_STATE: a key of one value that has it already. CSN_ERR_LIMIT.
 */
CSN_API CSN_MUST_USE csn_err csv_policy_allow(struct csv_policy *policy, const char *key,
                                              const char *value);
CSN_API CSN_MUST_USE csn_err csv_policy_allow_bytes(struct csv_policy *policy, const char *key,
                                                    const void *bytes, size_t size);

/*
 * INSECURE: accepts any claims; only cryptography and structure are checked. The verdict is not
 * `appraised`, and a finding says so. Never relaxes roots, never accepts software evidence.
 */
CSN_API CSN_MUST_USE csn_err csv_policy_create_insecure_any(struct csv_policy **policy);
CSN_API void csv_policy_free(struct csv_policy *policy); /* NULL allowed */

/*
 * Writes a strict policy that accepts just what verdict's evidence claims, to be edited. Refused
 * (CSN_ERR_POLICY) for a verdict that is not valid, and, unless insecure, for software evidence,
 * for debug, and for evidence without a nonce. Target and result as csv_verdict_text().
 */
struct csv_verdict;
CSN_API CSN_MUST_USE csn_err csv_policy_init(const struct csv_verdict *verdict, bool insecure,
                                             char *target, size_t capacity, size_t *size);

/* ---- appraisal ---- */

enum csv_result {
    CSV_VALID = 0,
    CSV_INVALID = 1,      /* the evidence is wrong, or the policy does not accept it */
    CSV_UNVERIFIABLE = 2, /* something needed is missing: says nothing about the evidence */
};

enum csv_outcome {
    CSV_PASSED = 0,
    CSV_FAILED = 1,
    CSV_MISSING = 2, /* could not be checked */
    CSV_WARNED = 3,  /* passed, but only because the caller gave up a protection */
};

/* One check. All strings are terminated; id is stable and has a page under docs/verify/. */
struct csv_finding {
    const char *id;   /* "nonce.fresh", … */
    uint32_t outcome; /* enum csv_outcome */
    uint32_t reserved;
    const char *claim; /* what is checked */
    const char *expected;
    const char *got;
    const char *why;  /* why it matters */
    const char *todo; /* what to do */
};

struct csv_recipient; /* a public key that was verified; only a verdict or a statement yields one */

/*
 * Appraise input as format (CSV_FORMAT_AUTO: of those the policy names) against policy.
 * CSN_OK: valid. CSN_ERR_EVIDENCE: invalid. CSN_ERR_UNVERIFIED: unverifiable (an empty policy among
 * them). In these three *verdict is set, and the caller frees it. CSN_ERR_ARGUMENT: NULL arguments
 * or an unknown format. CSN_ERR_MEMORY.
 */
CSN_API CSN_MUST_USE csn_err csv_appraise(const struct csv_policy *policy,
                                          const struct csv_input *input, uint32_t format,
                                          struct csv_verdict **verdict);
/*
 * The same for Caisson's own evidence with nothing beside it, over the caller's fresh nonce: what a
 * tenant does before it grants.
 */
CSN_API CSN_MUST_USE csn_err csv_appraise_bundle(const struct csv_policy *policy,
                                                 const void *evidence, size_t size,
                                                 const uint8_t nonce[CSV_NONCE_SIZE],
                                                 struct csv_verdict **verdict);
CSN_API void csv_verdict_free(struct csv_verdict *verdict); /* NULL allowed */

CSN_API uint32_t csv_verdict_result(const struct csv_verdict *verdict); /* enum csv_result */
CSN_API uint32_t csv_verdict_format(const struct csv_verdict *verdict); /* 0: not recognised */
CSN_API bool csv_verdict_appraised(const struct csv_verdict *verdict);  /* against a policy */
/* The DCAP status ("UpToDate", …) of tdx and sgx evidence, else NULL. */
CSN_API const char *csv_verdict_tcb_status(const struct csv_verdict *verdict);
CSN_API size_t csv_verdict_finding_count(const struct csv_verdict *verdict);
/* NULL beyond the last. */
CSN_API const struct csv_finding *csv_verdict_finding(const struct csv_verdict *verdict,
                                                      size_t index);
/*
 * The text of a claim by its JSON name ("measurement", "platform.measurement" for a platform's
 * inside Caisson's), numbers in decimal and bytes in hex; NULL if there is none. What an invalid
 * verdict claims is only what the bytes say.
 */
CSN_API const char *csv_verdict_claim(const struct csv_verdict *verdict, const char *name);

/* What Caisson's own evidence says of the image; NULL for other formats. */
struct csv_image {
    uint32_t evidence_type; /* CSN_WIRE_EVIDENCE_* */
    uint32_t backend;       /* CSN_WIRE_BACKEND_* */
    uint32_t debug;         /* 0 or 1 */
    uint32_t security_version;
    char name[33];
    uint8_t measurement[48];
    uint8_t signer_key[32];
    uint8_t gate_hash[32];
    uint8_t boot_id[16];
    uint8_t config_digest[32];
};
CSN_API const struct csv_image *csv_verdict_image(const struct csv_verdict *verdict);

/*
 * The verified keys of Caisson's own evidence; NULL unless the verdict is valid and appraised. They
 * live as long as the verdict. instance: for grants. recipient: for records of that tenant (32-byte
 * id); index counts from 0.
 */
CSN_API const struct csv_recipient *csv_verdict_instance(const struct csv_verdict *verdict);
CSN_API const struct csv_recipient *csv_verdict_recipient(const struct csv_verdict *verdict,
                                                          const uint8_t tenant[32], size_t index);
/*
 * The SHA-256 of the exact bytes that the enclave gives as application/ohttp-keys (RFC 9458), 32
 * bytes, under the same conditions; NULL too if it takes no requests over HTTP. Who seals a request
 * compares it first with the hash of the bytes it got.
 */
CSN_API const uint8_t *csv_verdict_ohttp(const struct csv_verdict *verdict);

/*
 * The Ed25519 key (32 bytes) under which the instance signs statements, and what its service claims
 * of a tenant's grant under a label (CSN_WIRE_CLAIM_*; 32 bytes), as worker 0 holds that grant.
 * Both under the same conditions; NULL too if there is none.
 */
CSN_API const uint8_t *csv_verdict_statement_key(const struct csv_verdict *verdict);
CSN_API const uint8_t *csv_verdict_service_claim(const struct csv_verdict *verdict,
                                                 const uint8_t tenant[32], uint32_t label);
/*
 * Did the appraised instance state these bytes under that label? CSN_ERR_AUTH: no. CSN_ERR_STATE:
 * the verdict yields no key for statements. CSN_ERR_ARGUMENT: not a label. CSN_ERR_SYSTEM.
 */
CSN_API CSN_MUST_USE csn_err csv_verdict_statement_check(const struct csv_verdict *verdict,
                                                         const char *label, const void *bytes,
                                                         size_t size, const uint8_t signature[64]);

/* ---- birth certificates of keys that an enclave keeps (docs/WIRE.md, 16) ---- */

struct csv_birth {
    uint32_t key_type; /* enum csn_wire_key_type */
    uint32_t key_version;
    uint32_t origin;     /* CSN_WIRE_BIRTH_* */
    uint32_t operations; /* CSN_WIRE_OPERATION_* */
    uint32_t flags;
    uint32_t public_size;
    uint64_t grant_version;
    uint64_t change;
    uint64_t records_max;
    const uint8_t *public_key; /* inside the certificate's bytes */
    /*
     * The instance that signed made the key. If false it restored it from its store: that the key
     * never left is then its word and that of whoever gives it the store's key. The evidence of the
     * boot that made it, with a certificate of that boot, says it without them.
     */
    bool own_boot;
    uint8_t tenant[32];
    uint8_t boot_id[16];
    uint8_t measurement[48];
    uint8_t grant_digest[32];
    char name[64];
};

/* "ed25519", …; NULL for an unknown number. */
CSN_API const char *csv_birth_type_name(uint32_t key_type);
/* Strict framing and nothing else: CSN_OK or CSN_ERR_FORMAT. */
CSN_API CSN_MUST_USE csn_err csv_birth_read(const void *bytes, size_t size,
                                            struct csv_birth *birth);
/* And signed by the appraised instance; errors beside CSN_ERR_FORMAT as above. */
CSN_API CSN_MUST_USE csn_err csv_birth_check(const struct csv_verdict *verdict, const void *bytes,
                                             size_t size, struct csv_birth *birth);

/*
 * The verdict for people (text, one line a finding; explain adds why and what to do) or for
 * machines (one JSON object: docs/VERIFY.md). Writes at most capacity bytes, always terminated if
 * capacity > 0, and returns the size that the whole needs, terminator apart.
 */
CSN_API size_t csv_verdict_text(const struct csv_verdict *verdict, bool explain, char *target,
                                size_t capacity);
CSN_API size_t csv_verdict_json(const struct csv_verdict *verdict, char *target, size_t capacity);

CSN_EXTERN_C_END

#endif
