/* SPDX-License-Identifier: Apache-2.0 */
/* policy_check.c: claims against rules: one finding per rule, in the order of the format's table.
 */
#include "verify/policy/policy.h"
#include "verify/text.h"
#include <string.h>

static bool is_zero(const struct csv_claim *claim)
{
    bool zero = claim->number == 0;
    for (size_t i = 0; claim->kind == CSV_CLAIM_BYTES && i < claim->size; i++) {
        zero = zero && claim->bytes[i] == 0;
    }
    if (claim->kind == CSV_CLAIM_TEXT) {
        zero = claim->text[0] == 0;
    }
    return zero && (claim->kind != CSV_CLAIM_LIST || claim->size == 0);
}

static bool text_is_listed(const struct csv_value *value, const char *text)
{
    for (; value != NULL; value = csv_policy_next(value)) {
        if (strcmp(value->text, text) == 0) {
            return true;
        }
    }
    return false;
}

static bool texts_are_listed(const struct csv_value *first, const struct csv_claim *claim)
{
    if (claim->kind != CSV_CLAIM_LIST) {
        return text_is_listed(first, claim->text);
    }
    for (size_t i = 0; i < claim->size; i++) {
        if (!text_is_listed(first, claim->list[i])) {
            return false;
        }
    }
    return true;
}

static bool is_listed(const struct csv_value *value, const struct csv_claim *claim)
{
    for (; value != NULL; value = csv_policy_next(value)) {
        bool same = value->rule->kind == CSV_RULE_NUMBER
                        ? value->number == claim->number
                        : value->size == claim->size &&
                              memcmp(value->bytes, claim->bytes, value->size) == 0;
        if (same) {
            return true;
        }
    }
    return false;
}

static bool is_recent(const struct csv_value *value, const struct csv_claim *claim)
{
    uint64_t version;
    return csv_version_read(claim->text, &version) && version >= value->number;
}

/* A flag with what the policy, or its silence, wants of it. */
static bool flag_holds(const struct csv_rule *rule, const struct csv_value *value,
                       const struct csv_claim *claim)
{
    uint64_t set = claim->number & rule->mask;
    uint64_t want = value != NULL                           ? value->number
                    : rule->silence == CSV_SILENCE_REQUIRES ? CSV_FLAG_REQUIRED
                    : rule->silence == CSV_SILENCE_ALLOWS   ? CSV_FLAG_ANY
                                                            : CSV_FLAG_FORBIDDEN;
    return want == CSV_FLAG_ANY || (want == CSV_FLAG_REQUIRED ? set == rule->mask : set == 0);
}

static bool rule_holds(const struct csv_rule *rule, const struct csv_value *value,
                       const struct csv_claim *claim)
{
    if (rule->kind == CSV_RULE_FLAG) {
        return flag_holds(rule, value, claim);
    }
    if (value == NULL) {
        return rule->silence == CSV_SILENCE_ALLOWS ||
               (rule->silence == CSV_SILENCE_ZERO && is_zero(claim));
    }
    switch (rule->kind) {
    case CSV_RULE_DENY:
        return !is_listed(value, claim);
    case CSV_RULE_TEXT:
        return texts_are_listed(value, claim);
    case CSV_RULE_MINIMUM:
        return claim->number >= value->number;
    case CSV_RULE_MAXIMUM:
        return claim->number <= value->number;
    case CSV_RULE_BITS:
        return (claim->number & value->number) == value->number;
    case CSV_RULE_VERSION:
        return is_recent(value, claim);
    default:
        return is_listed(value, claim);
    }
}

static const char *expected_flag(const struct csv_rule *rule, const struct csv_value *value)
{
    static const char *const words[] = {"forbidden", "required", "any"};
    return value != NULL                           ? words[value->number]
           : rule->silence == CSV_SILENCE_REQUIRES ? "required (no line says otherwise)"
           : rule->silence == CSV_SILENCE_ALLOWS   ? "any"
                                                   : "forbidden (no line says otherwise)";
}

static const char *value_text(struct csv_arena *arena, const struct csv_value *value)
{
    return value->text != NULL    ? value->text
           : value->bytes != NULL ? csv_text_hex(arena, value->bytes, value->size)
                                  : csv_text(arena, "%llu", (unsigned long long)value->number);
}

/* What would have passed, for a person: one value, or how many there are. */
static const char *expected_text(struct csv_arena *arena, const struct csv_rule *rule,
                                 const struct csv_value *value)
{
    if (rule->kind == CSV_RULE_FLAG) {
        return csv_text(arena, "%s %s", rule->key, expected_flag(rule, value));
    }
    if (value == NULL) {
        return rule->silence == CSV_SILENCE_ALLOWS ? csv_text(arena, "%s any", rule->key)
               : rule->silence == CSV_SILENCE_ZERO
                   ? csv_text(arena, "%s zero (no line allows another)", rule->key)
                   : csv_text(arena, "%s: a line in the policy", rule->key);
    }
    const char *relation = rule->kind == CSV_RULE_MINIMUM   ? "at least "
                           : rule->kind == CSV_RULE_VERSION ? "at least "
                           : rule->kind == CSV_RULE_BITS    ? "all bits of "
                           : rule->kind == CSV_RULE_MAXIMUM ? "at most "
                           : rule->kind == CSV_RULE_DENY    ? "none of those denied: "
                                                            : "";
    const char *text = value_text(arena, value);
    bool more = csv_policy_next(value) != NULL;
    return csv_text(arena, "%s %s%s%s", rule->key, relation, text,
                    more ? " or another listed" : "");
}

static const char *got_text(struct csv_arena *arena, const struct csv_rule *rule,
                            const struct csv_claim *claim)
{
    if (rule->kind == CSV_RULE_FLAG) {
        uint64_t set = claim->number & rule->mask;
        return set == rule->mask ? "set" : set == 0 ? "not set" : "partly set";
    }
    return csv_claim_value(arena, claim);
}

static void check_rule(struct csv_case *appraisal, const struct csv_rule *rule)
{
    const struct csv_value *value = csv_value_of(appraisal->policy->first, rule);
    const struct csv_claim *claim = csv_claim_find(appraisal, rule->claim);
    if (claim == NULL) {
        if (value != NULL && !rule->optional) {
            bool missing = rule->part != 0 && csv_part(appraisal->input, rule->part, 0) == NULL;
            csv_note(appraisal, rule->finding, missing ? CSV_MISSING : CSV_FAILED,
                     expected_text(appraisal->arena, rule, value),
                     missing ? "not supplied" : "not in this evidence");
        }
        return;
    }
    csv_note_if(appraisal, rule->finding, rule_holds(rule, value, claim),
                expected_text(appraisal->arena, rule, value),
                got_text(appraisal->arena, rule, claim));
}

void csv_policy_check(struct csv_case *appraisal, const struct csv_format *format)
{
    for (size_t i = 0; i < format->rule_count && !appraisal->policy->any; i++) {
        if (format->rules[i].claim != NULL) {
            check_rule(appraisal, &format->rules[i]);
        }
    }
}
