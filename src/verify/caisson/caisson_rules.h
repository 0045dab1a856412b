/* SPDX-License-Identifier: Apache-2.0 */
/* caisson_rules.h: what a policy can say of Caisson's own evidence, and its findings. */
#ifndef CSV_VERIFY_CAISSON_RULES_H
#define CSV_VERIFY_CAISSON_RULES_H

#include "verify/catalogue.h"
#include "verify/policy/rule.h"

#define CSV_CAISSON_RULE_COUNT  9
#define CSV_CAISSON_ENTRY_COUNT 22
extern const struct csv_rule csv_caisson_rules[CSV_CAISSON_RULE_COUNT];
extern const struct csv_entry csv_caisson_entries[CSV_CAISSON_ENTRY_COUNT];

#endif
