/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_case.h: evidence for the test of every policy field. To add a format: a file rules_NAME.c
 * with its cases, a line in rules_case.c, and the file in meson.build.
 */
#ifndef TESTS_VERIFY_RULES_CASE_H
#define TESTS_VERIFY_RULES_CASE_H

#include "table.h"

struct rules_case {
    const char *name;
    uint32_t format;
    /* Good evidence, always the same, appraised under policy; NULL: under one that accepts it. */
    csn_err (*appraise)(const struct csv_policy *policy, struct csv_verdict **verdict);
};

struct rules_cases {
    const struct rules_case *at;
    size_t count;
};

extern const struct rules_cases rules_caisson, rules_snp;
/* All of them. */
extern const struct rules_cases *const rules_all[];
extern const size_t rules_all_count;

#endif
