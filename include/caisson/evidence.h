/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h: the attester's side: from a running enclave to evidence bundles.
 *
 * Roles as in RFC 9334: the launcher is the attester. It vouches for the measurement it took; what
 * that is worth is the business of the platform evidence around it (docs/THREAT-MODEL.md).
 *
 * Trust:    runs in the launcher. Nonces come from relying parties and are any 32 bytes.
 * Threads:  no shared state.
 */
#ifndef CAISSON_EVIDENCE_H
#define CAISSON_EVIDENCE_H

#include <caisson/base.h>
#include <caisson/host.h>
#include <caisson/wire/evidence.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

CSN_EXTERN_C_BEGIN

/* What is said about a running enclave; pointers are the caller's and outlive the call. */
struct csn_evidence_subject {
    const struct csn_wire_manifest *manifest;
    const struct csn_enclave_report *report; /* backend, gate hash, measurement */
    const struct csn_wire_boot_made *made;   /* keys, boot id, configuration digest */
    const uint8_t *signer_key;               /* 32 bytes, of the detached image signature */
    const uint8_t *signer_signature;         /* 64 bytes */
};

/* What a platform says of 64 bytes of report data, as it stands in a bundle (wire/evidence.h). */
#define CSN_EVIDENCE_PLATFORM_SIZE_MAX UINT32_C(131072) /* bytes */
struct csn_evidence_platform {
    uint32_t type; /* CSN_WIRE_EVIDENCE_* */
    uint32_t size; /* bytes used */
    uint8_t bytes[CSN_EVIDENCE_PLATFORM_SIZE_MAX];
    char detail[200]; /* why it failed, for a person; "" otherwise */
};

/* Appends one part (enum csv_part_kind of verify.h). CSN_ERR_SPACE: does not fit. */
CSN_API CSN_MUST_USE csn_err csn_evidence_part(struct csn_evidence_platform *platform,
                                               uint32_t kind, const void *bytes, size_t size);

/*
 * Who signs the report data: one const struct per platform. state is the producer's own. Both
 * functions set platform->detail where they fail: CSN_ERR_MISSING (this machine has no such
 * platform), CSN_ERR_SYSTEM (a system call failed), CSN_ERR_FORMAT (the platform's answer is not
 * what it should be), CSN_ERR_LIMIT (it would not settle within the tries allowed).
 */
struct csn_evidence_producer {
    const char *name;
    /* Sets platform->type: it stands in the report data, so it must be known before. */
    csn_err (*prepare)(const void *state, struct csn_evidence_platform *platform);
    csn_err (*sign)(const void *state, const uint8_t report_data[64],
                    struct csn_evidence_platform *platform);
};

/* The insecure development producer; state: the 32-byte Ed25519 seed of the development root. */
extern const struct csn_evidence_producer csn_evidence_software;

/*
 * Linux configfs-tsm (Documentation/ABI/testing/configfs-tsm-report; Linux 6.7+): SEV-SNP, TDX and
 * CCA alike. Never run on such silicon. state: struct csn_evidence_tsm. Only the launcher may reach
 * the interface.
 */
struct csn_evidence_tsm {
    const char *root;   /* "/sys/kernel/config/tsm/report"; tests give another */
    uint32_t privlevel; /* SNP VMPL 0 to 3; CSN_EVIDENCE_PRIVLEVEL_UNSET: the kernel's choice */
};
#define CSN_EVIDENCE_TSM_ROOT        "/sys/kernel/config/tsm/report"
#define CSN_EVIDENCE_PRIVLEVEL_UNSET UINT32_MAX
extern const struct csn_evidence_producer csn_evidence_tsm;

/*
 * AWS Nitro enclaves: /dev/nsm of Linux 6.8. state: struct csn_evidence_nsm. Never run on Nitro.
 */
struct csn_evidence_nsm {
    const char *path; /* CSN_EVIDENCE_NSM_PATH */
    /* Another way to the module, or NULL. *response_size: of the buffer, then of the answer. */
    csn_err (*exchange)(void *context, const uint8_t *request, size_t request_size,
                        uint8_t *response, size_t *response_size);
    void *context;
};
#define CSN_EVIDENCE_NSM_PATH "/dev/nsm"
extern const struct csn_evidence_producer csn_evidence_nsm;

/*
 * TPM 2.0 quotes of the SHA-256 bank through tss2-esys. state: struct csn_evidence_tpm. Qualifying
 * data is SHA-256 of the report data. Where the library was built without tss2-esys, prepare()
 * answers CSN_ERR_MISSING and csn_evidence_tpm_built() false.
 *
 * An attestation key made here is a restricted P-256 signing key under a hierarchy, the same each
 * time for one TPM and template; a verifier trusts it only as far as its policy lists it.
 */
struct csn_evidence_tpm {
    const char *tcti;   /* "device:/dev/tpmrm0", "swtpm:host=…,port=…"; NULL: tss2's choice */
    uint32_t ak_handle; /* persistent handle of the attestation key; 0: make one */
    bool owner;         /* where to make it: the owner's hierarchy, not the endorsement's */
    uint32_t ak_certificate; /* NV index of its certificate, DER; 0: the public key goes along */
    uint32_t pcrs;           /* bit n: PCR n, 0 to 23; at least one */
};
#define CSN_EVIDENCE_TPM_TCTI "device:/dev/tpmrm0"
extern const struct csn_evidence_producer csn_evidence_tpm;
CSN_API bool csn_evidence_tpm_built(void);

/*
 * Bytes to a TPM and back, for what somebody else makes and checks (struct csn_store_options).
 * tcti: as above, not NULL. CSN_ERR_MISSING: nothing answers there, or built without tss2.
 * csn_tpm_link_carry(): link is the struct csn_tpm_link; CSN_ERR_SYSTEM. One thread at a time.
 */
struct csn_tpm_link;
struct csn_wire_counter;
CSN_API CSN_MUST_USE csn_err csn_tpm_link_open(const char *tcti, struct csn_tpm_link **link,
                                               char detail[200]);
CSN_API void csn_tpm_link_close(struct csn_tpm_link *link); /* NULL allowed */
/*
 * A counter for one journal (wire/outside.h): two new NV indices, a counter at index and a mark
 * (extend) at index + 1, for whoever can name them, each written once; and the TPM's endorsement
 * key (P-256, the TCG's template) under a persistent handle, which is left as it is if that key is
 * there. Both need the owner's hierarchy, and the key the endorsement hierarchy, without passwords.
 * CSN_ERR_STATE: the index, or another key at the handle, is there already. What is told is the
 * TPM's word, or that of who answers for it: whose key it is, its certificate says.
 */
CSN_API CSN_MUST_USE csn_err csn_tpm_counter_make(const char *tcti, uint32_t index,
                                                  uint32_t key_handle,
                                                  struct csn_wire_counter *counter,
                                                  char detail[200]);
CSN_API CSN_MUST_USE csn_err csn_tpm_link_carry(void *link, const uint8_t *command, size_t size,
                                                uint8_t *response, size_t *response_size);

/*
 * Extend a register of the platform with an image's measurement before the image runs, so that the
 * platform's evidence tells what it launched and no later software can take it back. detail: as
 * in struct csn_evidence_platform. CSN_ERR_MISSING, CSN_ERR_SYSTEM, CSN_ERR_ARGUMENT.
 *
 * tpm: TPM2_PCR_Event: every bank is extended by its own hash of the 48 bytes.
 * rtmr: the file takes 48 bytes, such as CSN_EVIDENCE_RTMR_PATH (Linux 6.16).
 */
CSN_API CSN_MUST_USE csn_err csn_evidence_extend_tpm(const struct csn_evidence_tpm *tpm,
                                                     uint32_t pcr, const uint8_t measurement[48],
                                                     char detail[200]);
CSN_API CSN_MUST_USE csn_err csn_evidence_extend_rtmr(const char *path,
                                                      const uint8_t measurement[48],
                                                      char detail[200]);
#define CSN_EVIDENCE_RTMR_PATH "/sys/devices/virtual/misc/tdx_guest/measurements/rtmr2:sha384"

/*
 * One platform signature for nonce_count nonces (1 .. 65,536): the bundle for nonces[index] goes to
 * bundle (capacity bytes), *size set. sign once with csn_evidence_report(), then make any bundle.
 */
struct csn_evidence_batch {
    struct csn_wire_evidence head; /* nonce fields vary per bundle */
    const struct csn_evidence_subject *subject;
    const uint8_t (*nonces)[32];
    size_t nonce_count;
    struct csn_evidence_platform platform;
};

/* Bytes of one bundle of a batch that was reported. */
CSN_API size_t csn_evidence_size(const struct csn_evidence_batch *batch);

/*
 * CSN_ERR_ARGUMENT: no nonce or too many; CSN_ERR_STATE: the enclave has no keys yet;
 * CSN_ERR_SYSTEM: libcrypto failed; or what the platform's producer said.
 */
CSN_API CSN_MUST_USE csn_err csn_evidence_report(struct csn_evidence_batch *batch,
                                                 const struct csn_evidence_producer *producer,
                                                 const void *state,
                                                 const struct csn_evidence_subject *subject,
                                                 const uint8_t (*nonces)[32], size_t nonce_count);
/* CSN_ERR_SPACE: *size says what is needed. CSN_ERR_ARGUMENT: no such index. */
CSN_API CSN_MUST_USE csn_err csn_evidence_bundle(const struct csn_evidence_batch *batch,
                                                 size_t index, uint8_t *bundle, size_t capacity,
                                                 size_t *size);

CSN_EXTERN_C_END

#endif
