/* SPDX-License-Identifier: Apache-2.0 */
/* published.h: published quotes with published collateral, ready to be appraised. */
#ifndef TESTS_VERIFY_DCAP_PUBLISHED_H
#define TESTS_VERIFY_DCAP_PUBLISHED_H

#include "../table.h"

/* Adds each file of a set below dcap-collateral that is there, but for those whose names contain
 * `but` (NULL: all). Returns how many. */
size_t published_set(struct csv_input *input, const char *set, const char *but);

/* Appraises a quote (a path below the vectors) with a set (NULL: none) at a time under policy
 * (NULL: any policy). The caller frees *verdict. */
csn_err published_appraise(const char *quote, const char *set, int64_t at,
                           const struct csv_policy *policy, struct csv_verdict **verdict);

/* CSV_FORMAT_SGX or CSV_FORMAT_TDX by the quote's header. */
uint32_t published_format(const char *quote);

#endif
