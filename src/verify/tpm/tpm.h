/* SPDX-License-Identifier: Apache-2.0 */
/* tpm.h: what a quote proves, shared by the formats that contain one. */
#ifndef CSV_VERIFY_TPM_H
#define CSV_VERIFY_TPM_H

#include "verify/format.h"
#include "verify/tpm/quote.h"

/*
 * Signature (part CSV_PART_TPM_SIGNATURE, by key; NULL: noted before that there is none), freshness
 * and PCRs (part CSV_PART_PCRS). Claims "pcr0" … of the PCRs that the quote selects once their
 * digest agreed, and facts for the rules below; section: of the policy, for its any_pcrs.
 */
void csv_tpm_quote_check(struct csv_case *appraisal, const struct csv_tpm_quote *quote,
                         EVP_PKEY *key, const char *section);

/* Rules on PCRs and on the clock, for the table of a format that contains a quote. */
#define CSV_TPM_PCR_RULE(n)                                                                        \
    {                                                                                              \
        .key = "pcrs." #n, .claim = "pcr" #n "_ruled", .finding = "tpm.pcr",                       \
        .kind = CSV_RULE_BYTES, .silence = CSV_SILENCE_REFUSES, .part = CSV_PART_PCRS              \
    }
#define CSV_TPM_RULES                                                                              \
    CSV_TPM_PCR_RULE(0), CSV_TPM_PCR_RULE(1), CSV_TPM_PCR_RULE(2), CSV_TPM_PCR_RULE(3),            \
        CSV_TPM_PCR_RULE(4), CSV_TPM_PCR_RULE(5), CSV_TPM_PCR_RULE(6), CSV_TPM_PCR_RULE(7),        \
        CSV_TPM_PCR_RULE(8), CSV_TPM_PCR_RULE(9), CSV_TPM_PCR_RULE(10), CSV_TPM_PCR_RULE(11),      \
        CSV_TPM_PCR_RULE(12), CSV_TPM_PCR_RULE(13), CSV_TPM_PCR_RULE(14), CSV_TPM_PCR_RULE(15),    \
        CSV_TPM_PCR_RULE(16), CSV_TPM_PCR_RULE(17), CSV_TPM_PCR_RULE(18), CSV_TPM_PCR_RULE(19),    \
        CSV_TPM_PCR_RULE(20), CSV_TPM_PCR_RULE(21), CSV_TPM_PCR_RULE(22), CSV_TPM_PCR_RULE(23),    \
        {.key = "any_pcrs", .kind = CSV_RULE_NUMBER},                                              \
        {.key = "firmware",                                                                        \
         .claim = "firmware",                                                                      \
         .finding = "tpm.firmware",                                                                \
         .kind = CSV_RULE_NUMBER,                                                                  \
         .silence = CSV_SILENCE_ALLOWS},                                                           \
        {.key = "reset_counts",                                                                    \
         .claim = "reset_count",                                                                   \
         .finding = "tpm.clock",                                                                   \
         .kind = CSV_RULE_NUMBER,                                                                  \
         .silence = CSV_SILENCE_ALLOWS},                                                           \
        {.key = "minimum_clock",                                                                   \
         .claim = "clock",                                                                         \
         .finding = "tpm.clock",                                                                   \
         .kind = CSV_RULE_MINIMUM,                                                                 \
         .silence = CSV_SILENCE_ALLOWS},                                                           \
    {                                                                                              \
        .key = "safe", .claim = "safe", .finding = "tpm.clock", .kind = CSV_RULE_FLAG,             \
        .silence = CSV_SILENCE_REQUIRES, .mask = 1                                                 \
    }

#endif
