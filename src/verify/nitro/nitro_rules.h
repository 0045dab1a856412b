/* SPDX-License-Identifier: Apache-2.0 */
/* nitro_rules.h: what a policy can say of AWS Nitro documents, and what each finding means. */
#ifndef CSV_VERIFY_NITRO_RULES_H
#define CSV_VERIFY_NITRO_RULES_H

#include "verify/format.h"

#define CSV_NITRO_RULE_COUNT  39
#define CSV_NITRO_ENTRY_COUNT 15

extern const struct csv_rule csv_nitro_rules[CSV_NITRO_RULE_COUNT];
extern const struct csv_entry csv_nitro_entries[CSV_NITRO_ENTRY_COUNT];
extern const char *const csv_nitro_pcr_names[32]; /* "pcr0", … */

#endif
