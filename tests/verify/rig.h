/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig.h: evidence about a made-up enclave, and everything that may be wrong with it.
 *
 * What evidence is made of is computed here a second time, from the text of wire/evidence.h and
 * with libcrypto alone, so that the verifier is not compared with itself.
 */
#ifndef TESTS_VERIFY_RIG_H
#define TESTS_VERIFY_RIG_H

#include <caisson/evidence.h>
#include <caisson/verify.h>
#include <caisson/wire/claim.h>
#include <caisson/wire/manifest.h>
#include <caisson/wire/record.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RIG_KEY_COUNT 4u

struct rig_signer {
    uint8_t key[32];
    uint32_t security_version_min;
};

/* What a policy is made from; each list may be cut by its count. */
struct rig_policy {
    const uint8_t (*measurements)[48];
    size_t measurement_count;
    const struct rig_signer *signers;
    size_t signer_count;
    const uint8_t (*gate_hashes)[32];
    size_t gate_hash_count;
    bool accept_software;
    const uint8_t (*software_roots)[32];
    size_t software_root_count;
    bool accept_debug;
    const char *claims[3]; /* "LABEL:VALUE", as many as are not NULL */
};

struct rig {
    struct csn_wire_manifest manifest;
    struct csn_enclave_report report;
    struct csn_wire_boot_made made;
    uint8_t signer_seed[32];
    uint8_t signer_key[32];
    uint8_t signature[64];
    uint8_t root_seed[32];
    uint8_t root_key[32];
    struct csn_evidence_subject subject;
    struct csn_evidence_batch batch;
    uint8_t nonce[1][32];
    uint8_t bytes[65536];
    size_t size;
    struct rig_policy policy; /* accepts this evidence */
    struct rig_signer signer;
};

void rig_init(struct rig *rig);
void rig_seed_key(const uint8_t seed[32], uint8_t key[32]);
/* Sign the image again, after a change to manifest, measurement or signer. */
void rig_sign_image(struct rig *rig);
/* The bundle for rig->nonce[0] alone. */
void rig_bundle(struct rig *rig);
/* The 64 bytes, from the bundle's bytes. */
void rig_report_data(const struct rig *rig, uint8_t report_data[64]);
/* Let the platform sign the bundle as it stands now: for lies that the producer cannot tell. */
void rig_sign_report(struct rig *rig);
/* A field of the header, changed in place. */
void rig_patch(struct rig *rig, size_t offset, const void *bytes, size_t size);

/* Appraise the bundle for a nonce under the rig's policy. */
csn_err rig_appraise(const struct rig *rig, const uint8_t nonce[32], struct csv_verdict **verdict);
/* The verdict is this, and the check with that id came out so; NULL: any. */
void rig_expect(const struct rig *rig, enum csv_result result, const char *id,
                enum csv_outcome outcome);
const struct csv_finding *rig_finding(const struct csv_verdict *verdict, const char *id);

#endif
