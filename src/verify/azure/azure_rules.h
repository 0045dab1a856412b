/* SPDX-License-Identifier: Apache-2.0 */
/* azure_rules.h: what a policy can say of Azure's virtual TPMs beside the hardware's own section
 * ([snp] or [tdx]), and the findings. */
#ifndef CSV_VERIFY_AZURE_RULES_H
#define CSV_VERIFY_AZURE_RULES_H

#include "verify/catalogue.h"
#include "verify/policy/rule.h"

#define CSV_AZURE_RULE_COUNT  33
#define CSV_AZURE_ENTRY_COUNT 11
/* One table each: a rule belongs to one section. */
extern const struct csv_rule csv_azure_rules_snp[CSV_AZURE_RULE_COUNT];
extern const struct csv_rule csv_azure_rules_tdx[CSV_AZURE_RULE_COUNT];
extern const struct csv_entry csv_azure_entries[CSV_AZURE_ENTRY_COUNT];

#endif
