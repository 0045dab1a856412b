/* SPDX-License-Identifier: Apache-2.0 */
/* azure_case.h: the published evidence of Azure's machines, set by set. */
#ifndef TESTS_VERIFY_AZURE_CASE_H
#define TESTS_VERIFY_AZURE_CASE_H

#include "vtpm_rig.h"

#define AZURE_CASE_COUNT 6

struct azure_case {
    const char *folder;
    uint32_t format;
    const char *certs; /* SNP: of the ASK and ARK; TDX: the collateral set */
    const char *time;
    const char *tcb_status; /* TDX */
};
extern const struct azure_case azure_cases[AZURE_CASE_COUNT];

/* Which files are supplied, and from which set; NULL: the case's own. */
struct azure_parts {
    const struct azure_case *quote; /* quote and signature */
    const struct azure_case *pcrs;
    const struct azure_case *ak; /* NULL: none */
    const struct azure_case *td_quote;
    const struct azure_case *nonce;
    uint32_t without; /* bit per enum csv_part_kind */
};

/* hcl: the report's bytes, 2600 of them; NULL: as published. table_forget() gives files back. */
struct csv_input *azure_input(const struct azure_case *one, const struct azure_parts *parts,
                              const uint8_t *hcl);
/* Expected fields of a file of the set, in a static buffer. */
const char *azure_fields(const struct azure_case *one, const char *file);

#endif
