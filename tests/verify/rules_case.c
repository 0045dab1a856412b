/* SPDX-License-Identifier: Apache-2.0 */
/* rules_case.c: the list of rules_case.h. */
#include "rules_case.h"

const struct rules_cases *const rules_all[] = {
    &rules_caisson,
    &rules_snp,
};
const size_t rules_all_count = sizeof rules_all / sizeof rules_all[0];
