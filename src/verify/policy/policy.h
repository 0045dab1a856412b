/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h: the inside of a policy: a list of values, each under the rule that it belongs to. */
#ifndef CSV_VERIFY_POLICY_H
#define CSV_VERIFY_POLICY_H

#include "verify/arena.h"
#include "verify/format.h"

#define CSV_POLICY_ARENA_SIZE      ((size_t)1 << 20)
#define CSV_POLICY_KEY_MAX         128
#define CSV_POLICY_VALUE_COUNT_MAX 8192

struct csv_value {
    const struct csv_rule *rule;
    const struct csv_value *next; /* of any rule, in the order given */
    uint64_t number;              /* integers, SWITCH, VERSION as a number; FLAG: enum csv_flag */
    const uint8_t *bytes;         /* BYTES, DENY */
    size_t size;
    const char *text; /* TEXT, VERSION */
};

enum csv_flag { CSV_FLAG_FORBIDDEN, CSV_FLAG_REQUIRED, CSV_FLAG_ANY };

struct csv_policy {
    struct csv_arena arena;
    bool any;         /* insecure: no rule is applied */
    uint64_t formats; /* bit per enum csv_format_id */
    bool nonce_unchecked;
    size_t value_count;
    const struct csv_value *first;
    struct csv_value *last;
};

/* The rule of a full key ("snp.vmpl", "formats"); NULL: unknown. */
const struct csv_rule *csv_rule_find(const char *key);
/* The first value of a rule at or after value; NULL: no more. Start with policy->first. */
const struct csv_value *csv_value_of(const struct csv_value *value, const struct csv_rule *rule);
/* The first value of a full key, which must be known. */
const struct csv_value *csv_policy_first(const struct csv_policy *policy, const char *key);
const struct csv_value *csv_policy_next(const struct csv_value *value);

/* Add a value; *why (static) says what is wrong with it. */
struct csv_literal {
    enum { CSV_LITERAL_TEXT, CSV_LITERAL_INTEGER, CSV_LITERAL_BOOLEAN, CSV_LITERAL_NONE } kind;
    const char *text;
    uint64_t number;
};
csn_err csv_policy_put(struct csv_policy *policy, const struct csv_rule *rule,
                       const struct csv_literal *literal, const char **why);

/* NULL if the policy is one that could be applied; else what it lacks (static). */
const char *csv_policy_fault(const struct csv_policy *policy);

/* Compare the claims of the case's group with the rules of format; notes a finding per rule. */
void csv_policy_check(struct csv_case *appraisal, const struct csv_format *format);

/* ---- the file ---- */

struct csv_toml_value {
    const char *key;            /* full, dotted */
    struct csv_literal literal; /* NONE: an empty array */
    bool again;                 /* not the first of its array */
    uint32_t line;
    uint32_t column;
};
/*
 * Reads the TOML 1.0 subset of docs/POLICY.md and calls visit for each value; visit returns NULL or
 * what is wrong (static). Returns false with *error set.
 */
typedef const char *csv_toml_visit(void *context, const struct csv_toml_value *value);
bool csv_toml_read(const char *text, size_t size, csv_toml_visit *visit, void *context,
                   struct csv_policy_mistake *error);

#endif
