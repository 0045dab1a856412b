/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c: making a policy, value by value; see verify.h. */
#include "verify/policy/policy.h"
#include "verify/text.h"
#include <stdlib.h>
#include <string.h>

static bool is_format(const char *text, const char **why)
{
    uint32_t number = csv_format_number(text);
    *why = "not a format of evidence";
    return number != CSV_FORMAT_AUTO && number <= CSV_FORMAT_COUNT;
}

static bool is_nonce_wish(const char *text, const char **why)
{
    *why = "\"required\" or \"unchecked\" is expected";
    return strcmp(text, "required") == 0 || strcmp(text, "unchecked") == 0;
}

/* The keys above all sections. */
static const struct csv_rule root_rules[] = {
    {.key = "version", .kind = CSV_RULE_MINIMUM},
    {.key = "formats", .kind = CSV_RULE_TEXT, .valid = is_format},
    {.key = "nonce", .kind = CSV_RULE_TEXT, .single = true, .valid = is_nonce_wish},
};
enum { ROOT_VERSION, ROOT_FORMATS, ROOT_NONCE };

static const struct csv_rule *find_in(const struct csv_rule *rules, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rules[i].key, key) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

const struct csv_rule *csv_rule_find(const char *key)
{
    const char *dot = strchr(key, '.');
    if (dot == NULL) {
        return find_in(root_rules, sizeof root_rules / sizeof root_rules[0], key);
    }
    for (uint32_t id = 1; id <= CSV_FORMAT_COUNT; id++) {
        const struct csv_format *format = csv_format(id);
        size_t size = (size_t)(dot - key);
        if (format != NULL && strlen(format->name) == size &&
            memcmp(format->name, key, size) == 0) {
            return find_in(format->rules, format->rule_count, dot + 1);
        }
    }
    return NULL;
}

const struct csv_value *csv_value_of(const struct csv_value *value, const struct csv_rule *rule)
{
    while (value != NULL && value->rule != rule) {
        value = value->next;
    }
    return value;
}

const struct csv_value *csv_policy_first(const struct csv_policy *policy, const char *key)
{
    return csv_value_of(policy->first, csv_rule_find(key));
}

const struct csv_value *csv_policy_next(const struct csv_value *value)
{
    return csv_value_of(value->next, value->rule);
}

static bool is_single(const struct csv_rule *rule)
{
    return rule->single || rule->kind == CSV_RULE_MINIMUM || rule->kind == CSV_RULE_MAXIMUM ||
           rule->kind == CSV_RULE_BITS || rule->kind == CSV_RULE_VERSION ||
           rule->kind == CSV_RULE_FLAG || rule->kind == CSV_RULE_SWITCH;
}

static const char *take_hex(struct csv_policy *policy, const struct csv_literal *literal,
                            struct csv_value *value)
{
    size_t digits = strlen(literal->text);
    uint8_t *bytes = csv_take(&policy->arena, digits / 2 + 1, 1);
    value->size = digits / 2;
    value->bytes = bytes;
    if (bytes == NULL) {
        return "the policy is too large";
    }
    if (digits == 0 || !csv_hex_read(literal->text, digits, bytes)) {
        return "an even number of hex digits is expected";
    }
    size_t size = value->rule->size;
    return size == 0 || value->size == size ? NULL : "the value has another length than this key's";
}

static const char *take_flag(const struct csv_literal *literal, struct csv_value *value)
{
    static const char *const names[] = {"forbidden", "required", "any"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(literal->text, names[i]) == 0) {
            value->number = i;
            return NULL;
        }
    }
    return "\"required\", \"forbidden\" or \"any\" is expected";
}

static const char *take_text(struct csv_policy *policy, const struct csv_literal *literal,
                             struct csv_value *value)
{
    const char *why = NULL;
    if (value->rule->valid != NULL && !value->rule->valid(literal->text, &why)) {
        return why;
    }
    value->text = csv_text(&policy->arena, "%s", literal->text);
    return policy->arena.full ? "the policy is too large" : NULL;
}

static const char *take_version(struct csv_policy *policy, const struct csv_literal *literal,
                                struct csv_value *value)
{
    if (!csv_version_read(literal->text, &value->number)) {
        return "numbers up to 65535 with dots between are expected, four at most";
    }
    return take_text(policy, literal, value);
}

static const char *take(struct csv_policy *policy, const struct csv_literal *literal,
                        struct csv_value *value)
{
    static const uint8_t wanted[] = {
        [CSV_RULE_BYTES] = CSV_LITERAL_TEXT,      [CSV_RULE_DENY] = CSV_LITERAL_TEXT,
        [CSV_RULE_TEXT] = CSV_LITERAL_TEXT,       [CSV_RULE_NUMBER] = CSV_LITERAL_INTEGER,
        [CSV_RULE_MINIMUM] = CSV_LITERAL_INTEGER, [CSV_RULE_MAXIMUM] = CSV_LITERAL_INTEGER,
        [CSV_RULE_BITS] = CSV_LITERAL_INTEGER,    [CSV_RULE_VERSION] = CSV_LITERAL_TEXT,
        [CSV_RULE_FLAG] = CSV_LITERAL_TEXT,       [CSV_RULE_SWITCH] = CSV_LITERAL_BOOLEAN,
    };
    static const char *const missed[] = {"a string is expected", "an integer is expected",
                                         "true or false is expected"};
    uint8_t kind = value->rule->kind;
    if (literal->kind != wanted[kind]) {
        return missed[wanted[kind]];
    }
    value->number = literal->number;
    return kind == CSV_RULE_BYTES || kind == CSV_RULE_DENY ? take_hex(policy, literal, value)
           : kind == CSV_RULE_FLAG                         ? take_flag(literal, value)
           : kind == CSV_RULE_TEXT                         ? take_text(policy, literal, value)
           : kind == CSV_RULE_VERSION                      ? take_version(policy, literal, value)
                                                           : NULL;
}

/* What the keys above all sections mean at once. */
static const char *note_root(struct csv_policy *policy, const struct csv_value *value)
{
    if (value->rule == &root_rules[ROOT_VERSION] && value->number != 1) {
        return "only version 1 is known";
    }
    if (value->rule == &root_rules[ROOT_FORMATS]) {
        policy->formats |= UINT64_C(1) << csv_format_number(value->text);
    }
    if (value->rule == &root_rules[ROOT_NONCE]) {
        policy->nonce_unchecked = strcmp(value->text, "unchecked") == 0;
    }
    return NULL;
}

csn_err csv_policy_put(struct csv_policy *policy, const struct csv_rule *rule,
                       const struct csv_literal *literal, const char **why)
{
    if (is_single(rule) && csv_value_of(policy->first, rule) != NULL) {
        *why = "this key has one value";
        return CSN_ERR_STATE;
    }
    struct csv_value *value = csv_take(&policy->arena, 1, sizeof *value);
    if (value == NULL || policy->value_count == CSV_POLICY_VALUE_COUNT_MAX) {
        *why = "the policy is too large";
        return CSN_ERR_LIMIT;
    }
    value->rule = rule;
    *why = take(policy, literal, value);
    *why = *why == NULL ? note_root(policy, value) : *why;
    if (*why != NULL) {
        return CSN_ERR_FORMAT;
    }
    policy->value_count++;
    *(policy->last != NULL ? (const struct csv_value **)&policy->last->next : &policy->first) =
        value;
    policy->last = value;
    return CSN_OK;
}

csn_err csv_policy_create(struct csv_policy **policy)
{
    if (policy == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    size_t head = (sizeof **policy + 15) & ~(size_t)15;
    uint8_t *memory = malloc(head + CSV_POLICY_ARENA_SIZE);
    if (memory == NULL) {
        return CSN_ERR_MEMORY;
    }
    memset(memory, 0, head);
    *policy = (struct csv_policy *)(void *)memory;
    (*policy)->arena = (struct csv_arena){.base = memory + head, .size = CSV_POLICY_ARENA_SIZE};
    return CSN_OK;
}

csn_err csv_policy_create_insecure_any(struct csv_policy **policy)
{
    CSN_TRY(csv_policy_create(policy));
    (*policy)->any = true;
    for (uint32_t id = CSV_FORMAT_CAISSON; id <= CSV_FORMAT_COUNT; id++) {
        (*policy)->formats |= UINT64_C(1) << id;
    }
    return CSN_OK;
}

void csv_policy_free(struct csv_policy *policy)
{
    free(policy);
}

csn_err csv_policy_allow(struct csv_policy *policy, const char *key, const char *value)
{
    struct csv_literal literal = {.kind = CSV_LITERAL_TEXT, .text = value};
    const char *why;
    if (policy == NULL || key == NULL || value == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    const struct csv_rule *rule = csv_rule_find(key);
    if (rule == NULL) {
        return CSN_ERR_UNKNOWN;
    }
    if (rule->kind == CSV_RULE_SWITCH) {
        literal.kind = CSV_LITERAL_BOOLEAN;
        literal.number = strcmp(value, "true") == 0;
        if (literal.number == 0 && strcmp(value, "false") != 0) {
            return CSN_ERR_FORMAT;
        }
    } else if (rule->kind == CSV_RULE_NUMBER || rule->kind == CSV_RULE_MINIMUM ||
               rule->kind == CSV_RULE_MAXIMUM || rule->kind == CSV_RULE_BITS) {
        literal.kind = CSV_LITERAL_INTEGER;
        if (!csv_number_read(value, &literal.number)) {
            return CSN_ERR_FORMAT;
        }
    }
    return csv_policy_put(policy, rule, &literal, &why);
}

csn_err csv_policy_allow_bytes(struct csv_policy *policy, const char *key, const void *bytes,
                               size_t size)
{
    char hex[2 * 512 + 1];
    if (policy == NULL || key == NULL || bytes == NULL || size > 512) {
        return CSN_ERR_ARGUMENT;
    }
    csv_hex_write(bytes, size, hex);
    return csv_policy_allow(policy, key, hex);
}

struct reading {
    struct csv_policy *policy;
    csn_err result;
};

static const char *visit(void *context, const struct csv_toml_value *value)
{
    struct reading *reading = context;
    const struct csv_rule *rule = csv_rule_find(value->key);
    const char *why = NULL;
    if (!value->again && csv_value_of(reading->policy->first, rule) != NULL) {
        return "this key was given before";
    }
    if (value->literal.kind == CSV_LITERAL_NONE) {
        return is_single(rule) ? "this key has one value" : NULL;
    }
    reading->result = csv_policy_put(reading->policy, rule, &value->literal, &why);
    return why;
}

csn_err csv_policy_parse(const char *text, size_t size, struct csv_policy **policy,
                         struct csv_policy_mistake *error)
{
    struct csv_policy_mistake unused;
    struct reading reading = {.result = CSN_OK};
    error = error != NULL ? error : &unused;
    *error = (struct csv_policy_mistake){0};
    if (text == NULL || policy == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(csv_policy_create(&reading.policy));
    bool good = csv_toml_read(text, size, visit, &reading, error);
    const char *fault = good ? csv_policy_fault(reading.policy) : NULL;
    if (fault != NULL) {
        csv_text_copy(error->text, sizeof error->text, fault);
    }
    if (!good || fault != NULL) {
        csv_policy_free(reading.policy);
        return CSN_ERR_FORMAT;
    }
    *policy = reading.policy;
    return CSN_OK;
}
