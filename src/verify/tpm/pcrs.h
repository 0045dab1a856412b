/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcrs.h: values of PCRs, supplied beside a quote by whoever carried it, and their digest.
 *
 * A list of lines "INDEX VALUE" or "INDEX: VALUE" in hex ("0x" allowed), of the SHA-256 bank unless
 * a line "sha384:" (sha1, sha256, sha512) stands above. Nothing in it counts until the quote's own
 * digest over the PCRs that the quote selects agrees; what the quote does not select never counts.
 */
#ifndef CSV_VERIFY_TPM_PCRS_H
#define CSV_VERIFY_TPM_PCRS_H

#include "verify/tpm/quote.h"

struct csv_tpm_bank {
    const struct csv_tpm_hash *hash; /* NULL: unused */
    uint32_t given;                  /* bit n: PCR n */
    uint8_t value[CSV_TPM_PCR_COUNT_MAX][64];
};

struct csv_tpm_pcrs {
    struct csv_tpm_bank banks[CSV_TPM_BANK_COUNT_MAX];
};

/* False with *why (static): another text, a PCR twice, or one of another size. */
bool csv_tpm_pcrs_read(struct csv_bytes text, struct csv_tpm_pcrs *pcrs, const char **why);
/* The bank of a hash; NULL: none of its values were given. */
const struct csv_tpm_bank *csv_tpm_bank(const struct csv_tpm_pcrs *pcrs,
                                        const struct csv_tpm_hash *hash);
/* Are all PCRs that the quote selects given? */
bool csv_tpm_pcrs_cover(const struct csv_tpm_pcrs *pcrs, const struct csv_tpm_quote *quote);
/* The digest over them, in the order of the selection, then of the index. False: libcrypto. */
bool csv_tpm_pcrs_digest(const struct csv_tpm_pcrs *pcrs, const struct csv_tpm_quote *quote,
                         const struct csv_tpm_hash *hash, uint8_t digest[64]);

#endif
