/* SPDX-License-Identifier: Apache-2.0 */
/* dcap_rules.h: what a policy can say of TDX and SGX quotes, and what their findings mean. */
#ifndef CSV_VERIFY_DCAP_RULES_H
#define CSV_VERIFY_DCAP_RULES_H

#include "verify/format.h"

#define CSV_TDX_RULE_COUNT   42
#define CSV_SGX_RULE_COUNT   32
#define CSV_DCAP_ENTRY_COUNT 53

extern const struct csv_rule csv_tdx_rules[CSV_TDX_RULE_COUNT];
extern const struct csv_rule csv_sgx_rules[CSV_SGX_RULE_COUNT];
extern const struct csv_entry csv_dcap_entries[CSV_DCAP_ENTRY_COUNT];

#endif
