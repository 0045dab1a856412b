/* SPDX-License-Identifier: Apache-2.0 */
/* gcs_rules.h: what a policy can say of a Confidential Space token, and its findings. */
#ifndef CSV_VERIFY_GCS_RULES_H
#define CSV_VERIFY_GCS_RULES_H

#include "verify/catalogue.h"
#include "verify/policy/rule.h"

#define CSV_GCS_RULE_COUNT  19
#define CSV_GCS_ENTRY_COUNT 19
extern const struct csv_rule csv_gcs_rules[CSV_GCS_RULE_COUNT];
extern const struct csv_entry csv_gcs_entries[CSV_GCS_ENTRY_COUNT];

#endif
