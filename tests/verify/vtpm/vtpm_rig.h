/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vtpm_rig.h: quotes that no TPM made, and everything that may be wrong with them. Layouts are
 * written here a second time, from the TPM 2.0 library specification.
 */
#ifndef TESTS_VERIFY_VTPM_RIG_H
#define TESTS_VERIFY_VTPM_RIG_H

#include "made.h"

struct vtpm_selection {
    uint16_t bank; /* TPM_ALG_ID */
    uint8_t size;
    uint8_t bitmap[8];
};

struct vtpm_rig {
    EVP_PKEY *key;
    uint16_t scheme;      /* 0x14 RSASSA, 0x16 RSAPSS, 0x18 ECDSA; 0: bare */
    uint16_t hash;        /* of the scheme */
    uint16_t digest_hash; /* of the PCR digest */
    uint32_t magic;
    uint16_t type;
    uint8_t extra[66];
    size_t extra_size;
    uint64_t clock;
    uint32_t reset_count;
    uint32_t restart_count;
    uint8_t safe;
    uint64_t firmware;
    uint32_t selection_count;
    struct vtpm_selection selections[5];
    uint8_t pcr[32][64]; /* each bank's values are the first bytes of these */
    /* made from the above */
    uint8_t quote[512];
    size_t quote_size;
    uint8_t signature[700];
    size_t signature_size;
    char pcrs[16384];
    char ak[2048]; /* PEM */
    /* supplied only if set */
    bool without_signature;
    bool without_pcrs;
    bool without_ak;
};

/* A quote of PCR 0 to 7 and 23 in the SHA-256 bank, right in all respects, and made. */
void vtpm_rig_init(struct vtpm_rig *rig, EVP_PKEY *key);
/* Quote, PCR list, AK and signature, from the fields. */
void vtpm_rig_make(struct vtpm_rig *rig);
/* The signature alone, over rig->quote as it is. */
void vtpm_rig_sign(struct vtpm_rig *rig);
/* The list of values of the banks selected, of the PCRs in mask. */
void vtpm_rig_list(struct vtpm_rig *rig, uint32_t mask);
/* The size of a hash in bytes; 0: none of those known here. */
size_t vtpm_hash_size(uint16_t hash);
/* All parts beside the quote, which is the evidence or, for Azure, a part as well. */
void vtpm_rig_parts(const struct vtpm_rig *rig, struct csv_input *input);
/* An input of format tpm with clock and nonce. */
struct csv_input *vtpm_rig_input(const struct vtpm_rig *rig);
/* A policy for it: PCRs and key listed; extra: more lines of its section (NULL: none). */
struct csv_policy *vtpm_rig_policy(const struct vtpm_rig *rig, const char *extra);
/* table_stop(), and the keys are given back. */
int vtpm_rig_stop(void **state);

/* Appraises, frees the input, and expects this result and this outcome of a finding (NULL: none to
 * look at). The verdict is the caller's. */
struct csv_verdict *vtpm_expect(const struct csv_policy *policy, struct csv_input *input,
                                uint32_t format, uint32_t result, const char *id, uint32_t outcome);

#endif
