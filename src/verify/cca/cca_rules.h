/* SPDX-License-Identifier: Apache-2.0 */
/* cca_rules.h: what a policy can say of Arm CCA tokens, and what each finding means. */
#ifndef CSV_VERIFY_CCA_RULES_H
#define CSV_VERIFY_CCA_RULES_H

#include "verify/format.h"

#define CSV_CCA_RULE_COUNT  17
#define CSV_CCA_ENTRY_COUNT 19

extern const struct csv_rule csv_cca_rules[CSV_CCA_RULE_COUNT];
extern const struct csv_entry csv_cca_entries[CSV_CCA_ENTRY_COUNT];

#endif
