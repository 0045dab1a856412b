/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quote.h: TPMS_ATTEST of a TPM 2.0 quote (TPM 2.0 library, part 2, 10.12.8), big-endian.
 *
 * Strict: a quote made inside a TPM (magic), every length checked, known hashes, no bank twice,
 * nothing behind the end. Judges nothing else.
 */
#ifndef CSV_VERIFY_TPM_QUOTE_H
#define CSV_VERIFY_TPM_QUOTE_H

#include "verify/case.h"
#include <openssl/evp.h>

#define CSV_TPM_PCR_COUNT_MAX  32 /* of a bank: four bytes of selection */
#define CSV_TPM_BANK_COUNT_MAX 4

struct csv_tpm_hash {
    uint16_t id; /* TPM_ALG_ID */
    uint8_t size;
    const char *name;
    const EVP_MD *(*make)(void); /* NULL: too weak to sign with */
};
/* NULL: unknown. */
const struct csv_tpm_hash *csv_tpm_hash(uint64_t id);
/* "sha256" without a terminator. */
const struct csv_tpm_hash *csv_tpm_hash_named(const char *name, size_t size);

/* PCRs of one bank. */
struct csv_tpm_selection {
    const struct csv_tpm_hash *bank;
    struct csv_bytes bitmap; /* as it stands */
    uint32_t pcrs;           /* bit n: PCR n */
};

struct csv_tpm_quote {
    struct csv_bytes whole; /* what is signed */
    struct csv_bytes qualified_signer;
    struct csv_bytes extra_data;
    uint64_t clock; /* milliseconds */
    uint32_t reset_count;
    uint32_t restart_count;
    uint32_t safe;
    uint64_t firmware;
    size_t selection_count;
    struct csv_tpm_selection selections[CSV_TPM_BANK_COUNT_MAX];
    struct csv_bytes pcr_digest;
};

#define CSV_TPM_MAGIC 0xff544347u
#define CSV_TPM_QUOTE 0x8018u

/* False with *why (static). */
bool csv_tpm_quote_read(struct csv_bytes bytes, struct csv_tpm_quote *quote, const char **why);
/* The hash that its PCR digest is of the size of; NULL: none that may sign. */
const struct csv_tpm_hash *csv_tpm_quote_hash(const struct csv_tpm_quote *quote);
/* Starts like one. */
bool csv_tpm_quote_recognise(struct csv_bytes bytes);
/* All claims of a quote but those of PCRs and of the selection. */
void csv_tpm_quote_claims(struct csv_case *appraisal, const struct csv_tpm_quote *quote);
/* "sha256:ffffff", banks with '+' between them. */
const char *csv_tpm_selection_text(struct csv_arena *arena, const struct csv_tpm_quote *quote);

#endif
