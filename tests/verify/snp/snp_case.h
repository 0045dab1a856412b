/* SPDX-License-Identifier: Apache-2.0 */
/* snp_case.h: a published SEV-SNP report with its certificates, appraised. */
#ifndef TESTS_VERIFY_SNP_CASE_H
#define TESTS_VERIFY_SNP_CASE_H

#include "../table.h"

#define SNP_REPORT_SIZE 1184u

struct snp_case {
    char report[128]; /* file names below snp/ and roots/ */
    char vek[128];
    char issuer[64];
    char root[64];
    char fields[8192];
    int64_t time; /* in its window */
    uint8_t bytes[SNP_REPORT_SIZE];
};

/* The row of snp/SOURCES.tsv; fails the test if there is none. */
void snp_case_load(struct snp_case *one, const char *report);
/* An input with one->bytes as evidence, the certificates of the row, and its clock. */
struct csv_input *snp_case_input(const struct snp_case *one);
/* Appraised under policy with the report's own data as what is expected; frees the input. */
struct csv_verdict *snp_case_appraise(struct snp_case *one, const struct csv_policy *policy,
                                      struct csv_input *input);
/* The policy that `policy init` makes of a verdict, as text in target. */
void snp_policy_text(const struct csv_verdict *verdict, char *target, size_t capacity);

#endif
