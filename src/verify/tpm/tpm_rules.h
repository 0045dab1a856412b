/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_rules.h: what a policy can say of a TPM quote that stands alone, and its findings. */
#ifndef CSV_VERIFY_TPM_RULES_H
#define CSV_VERIFY_TPM_RULES_H

#include "verify/catalogue.h"
#include "verify/policy/rule.h"

#define CSV_TPM_RULE_COUNT  34
#define CSV_TPM_ENTRY_COUNT 13
extern const struct csv_rule csv_tpm_rules[CSV_TPM_RULE_COUNT];
extern const struct csv_entry csv_tpm_entries[CSV_TPM_ENTRY_COUNT];

#endif
