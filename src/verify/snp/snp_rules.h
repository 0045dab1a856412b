/* SPDX-License-Identifier: Apache-2.0 */
/* snp_rules.h: what a policy can say of SEV-SNP reports, and their findings. */
#ifndef CSV_VERIFY_SNP_RULES_H
#define CSV_VERIFY_SNP_RULES_H

#include "verify/catalogue.h"
#include "verify/policy/rule.h"

#define CSV_SNP_RULE_COUNT  79
#define CSV_SNP_ENTRY_COUNT 62
extern const struct csv_rule csv_snp_rules[CSV_SNP_RULE_COUNT];
extern const struct csv_entry csv_snp_entries[CSV_SNP_ENTRY_COUNT];

#endif
