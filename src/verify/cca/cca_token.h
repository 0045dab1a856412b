/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cca_token.h: the two halves of an Arm CCA token (draft-ffm-rats-cca-token, and the RMM
 * specification's own older form), as they stand, before any signature is checked.
 *
 * Profiles: the platform names its one; a realm token without a profile is of the older form, whose
 * RAK is a bare point; with one its RAK is a COSE_Key. The two halves may differ: firmware and RMM
 * are updated apart.
 */
#ifndef CSV_VERIFY_CCA_TOKEN_H
#define CSV_VERIFY_CCA_TOKEN_H

#include "verify/arena.h"
#include "verify/parse/cose.h"

#define CSV_CCA_TAG                 399
#define CSV_CCA_COMPONENT_COUNT_MAX 64
#define CSV_CCA_REM_COUNT           4

struct csv_cca_platform {
    const char *profile;
    struct csv_bytes nonce;
    struct csv_bytes implementation_id;
    struct csv_bytes instance_id;
    struct csv_bytes config;
    uint64_t lifecycle;
    const char *hash_algorithm;
    size_t component_count;
    const char **components; /* "TYPE:MEASUREMENT:SIGNER" */
};

struct csv_cca_realm {
    const char *profile; /* NULL: the older form */
    struct csv_bytes challenge;
    struct csv_bytes personalization;
    struct csv_bytes rak; /* the claim's bytes: what the platform's nonce is the hash of */
    const char *rak_hash_algorithm;
    const char *hash_algorithm;
    struct csv_bytes rim;
    struct csv_bytes rem[CSV_CCA_REM_COUNT];
};

/* The tagged map, and the two signed messages in it. */
bool csv_cca_open(struct csv_bytes token, struct csv_cose *platform, struct csv_cose *realm,
                  const char **why);
bool csv_cca_read_platform(struct csv_bytes payload, struct csv_arena *arena,
                           struct csv_cca_platform *platform, const char **why);
bool csv_cca_read_realm(struct csv_bytes payload, struct csv_arena *arena,
                        struct csv_cca_realm *realm, const char **why);

/* ---- keys: NULL with *why (static) if there is none, or none on its curve ---- */

/* The relying party's CPAK: a PEM public key on P-256, P-384 or P-521. */
EVP_PKEY *csv_cca_platform_key(struct csv_bytes pem, struct csv_arena *arena, const char **why);
EVP_PKEY *csv_cca_realm_key(const struct csv_cca_realm *realm, const char **why);
/* "sha-256", "sha-384" or "sha-512"; NULL: another. */
const EVP_MD *csv_cca_hash(const char *name);

#endif
