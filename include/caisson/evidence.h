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

/* Who signs the report data: one const struct per platform. */
struct csn_evidence_producer {
    const char *name;
    uint32_t type;          /* CSN_WIRE_EVIDENCE_* */
    uint32_t platform_size; /* bytes of its part of a bundle */
    /* Fill platform_size bytes for these 64 bytes. state: the producer's own (software: seed). */
    csn_err (*sign)(const void *state, const uint8_t report_data[64], uint8_t *platform);
};

/* The insecure development producer; state: the 32-byte Ed25519 seed of the development root. */
extern const struct csn_evidence_producer csn_evidence_software;

/* Bytes of one bundle over nonce_count nonces for a subject with key_count keys. */
CSN_API size_t csn_evidence_size(const struct csn_evidence_producer *producer, size_t nonce_count,
                                 uint32_t key_count);

/*
 * One platform signature for nonce_count nonces (1 .. 65,536): the bundle for nonces[index] goes to
 * bundle (capacity bytes), *size set. sign once with csn_evidence_report(), then make any bundle.
 */
struct csn_evidence_batch {
    struct csn_wire_evidence head; /* nonce fields vary per bundle */
    const struct csn_evidence_subject *subject;
    const struct csn_evidence_producer *producer;
    const uint8_t (*nonces)[32];
    size_t nonce_count;
    uint8_t platform[8192];
};

/*
 * CSN_ERR_ARGUMENT: no nonce or too many; CSN_ERR_STATE: the enclave has no keys yet;
 * CSN_ERR_SYSTEM: libcrypto or the platform failed.
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
