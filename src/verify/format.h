/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.h: what the verifier knows of one format of evidence. To add one: a folder here, one such
 * struct, one line in format.c, pages under docs/verify/, vectors, a fuzz target.
 */
#ifndef CSV_VERIFY_FORMAT_H
#define CSV_VERIFY_FORMAT_H

#include "verify/case.h"
#include "verify/catalogue.h"
#include "verify/policy/rule.h"

struct csv_format {
    uint32_t id;      /* enum csv_format_id */
    const char *name; /* on the command line, in policies and in JSON; also its policy section */
    /* For `auto`: do these bytes look like mine? Structure only, no judgement. */
    bool (*recognise)(struct csv_bytes evidence);
    /* Structure and cryptography: notes findings and claims. Never compares with the policy. */
    void (*appraise)(struct csv_case *appraisal, struct csv_bytes evidence);
    const struct csv_rule *rules; /* what a policy can say of its claims */
    size_t rule_count;
    struct csv_catalogue catalogue;
    /* Claims that together name the code of a launcher (NULL-terminated); NULL: this format cannot
     * carry Caisson's own evidence. */
    const char *const *launch_claims;
};

#define CSV_FORMAT_COUNT 10

/* The registry, in the order of enum csv_format_id (from 1 on). NULL: unknown. */
const struct csv_format *csv_format(uint32_t id);

extern const struct csv_format csv_format_caisson;
extern const struct csv_format csv_format_nitro;
extern const struct csv_format csv_format_cca;
extern const struct csv_format csv_format_snp;
extern const struct csv_format csv_format_tdx;
extern const struct csv_format csv_format_sgx;
extern const struct csv_format csv_format_azure_snp;
extern const struct csv_format csv_format_azure_tdx;
extern const struct csv_format csv_format_gcs_jwt;
extern const struct csv_format csv_format_tpm;

#endif
