/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rules.c: every field of every format's policy, alone and in pairs.
 *
 * The strict policy that `policy init` makes of good evidence accepts it. Then one line of it, or
 * two, are replaced by each of the lines in a table, which says by the kind of the rule whether the
 * evidence still passes. The verdict must be that, and the findings that fail must be those of the
 * rules in question, and no others. Usage: test_rules [STEP] (every STEP-th pair; 1 without it)
 */
#include "rules_case.h"
#include "verify/policy/policy.h"
#include <stdio.h>

#define RULE_MAX      160
#define VARIATION_MAX 8
#define TEXT_SIZE     65536

/* One line in the place of another: NULL is no line at all. */
struct variation {
    char *value;
    bool passes;
};

struct field {
    const struct csv_rule *rule;
    const struct csv_claim *claim; /* NULL: not in this evidence */
    char *base;                    /* what policy init wrote; NULL: no line */
    struct variation variations[VARIATION_MAX];
    size_t count;
};

static struct {
    const struct rules_case *evidence;
    const struct csv_format *format;
    struct csv_verdict *verdict; /* of the good evidence */
    char head[512];              /* lines above all sections */
    size_t count;
    struct field fields[RULE_MAX];
} rig;

static size_t step = 1;
static struct csv_verdict replayed;
static uint8_t replay_memory[1 << 20];

static char *copy(const char *text)
{
    char *made = malloc(strlen(text) + 1);
    assert_non_null(made);
    return strcpy(made, text);
}

__attribute__((format(printf, 3, 4))) static void vary(struct field *field, bool passes,
                                                       const char *format, ...)
{
    static char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert_true(field->count < VARIATION_MAX);
    field->variations[field->count++] = (struct variation){copy(text), passes};
}

/* ---- the table: what each kind of rule makes of a line ---- */

static bool claim_is_zero(const struct csv_claim *claim)
{
    bool zero = claim->number == 0 && (claim->text == NULL || claim->text[0] == 0);
    for (size_t i = 0; claim->bytes != NULL && i < claim->size; i++) {
        zero = zero && claim->bytes[i] == 0;
    }
    return zero && (claim->kind != CSV_CLAIM_LIST || claim->size == 0);
}

static bool silence_passes(const struct field *field)
{
    const struct csv_rule *rule = field->rule;
    if (field->claim == NULL || rule->silence == CSV_SILENCE_ALLOWS) {
        return true;
    }
    if (rule->kind == CSV_RULE_FLAG) {
        uint64_t set = field->claim->number & rule->mask;
        return rule->silence == CSV_SILENCE_REQUIRES ? set == rule->mask : set == 0;
    }
    return rule->silence == CSV_SILENCE_ZERO && claim_is_zero(field->claim);
}

static void vary_bytes(struct field *field)
{
    const char *same = field->claim->value;
    bool deny = field->rule->kind == CSV_RULE_DENY;
    char *other = copy(same);
    size_t last = strlen(other) - 1;
    other[last] = other[last] == '0' ? '1' : '0';
    vary(field, deny, "[\"%s\"]", other);
    vary(field, !deny, "[\"%s\", \"%s\"]", other, same);
    vary(field, !deny, "[\"%s\"]", same);
    other[last] = same[last];
    other[0] = other[0] == '0' ? '1' : '0';
    vary(field, deny, "[\"%s\"]", other);
    free(other);
}

/* A text that the key takes and that is not the claim. */
static const char *other_text(const struct csv_rule *rule, const char *same)
{
    static const char *const candidates[] = {"Milan", "Genoa", "VCEK", "VLEK", "other", "another"};
    const char *why;
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (strcmp(candidates[i], same) != 0 &&
            (rule->valid == NULL || rule->valid(candidates[i], &why))) {
            return candidates[i];
        }
    }
    return NULL;
}

static void vary_text(struct field *field)
{
    const char *same = field->claim->kind == CSV_CLAIM_LIST ? "" : field->claim->text;
    const char *other = other_text(field->rule, same);
    if (other == NULL) {
        return;
    }
    if (field->rule->single) {
        vary(field, false, "\"%s\"", other);
    } else if (field->claim->kind == CSV_CLAIM_LIST) {
        vary(field, field->claim->size == 0, "[\"%s\"]", other);
    } else {
        vary(field, false, "[\"%s\"]", other);
        vary(field, true, "[\"%s\", \"%s\"]", other, same);
    }
}

static void vary_number(struct field *field)
{
    unsigned long long n = field->claim->number;
    uint64_t clear = ~n & (n + 1); /* the lowest bit that is not set */
    switch (field->rule->kind) {
    case CSV_RULE_NUMBER:
        vary(field, false, "[%llu]", n + 1);
        vary(field, true, "[%llu, %llu]", n + 1, n);
        vary(field, false, "[%llu, %llu]", n + 1, n + 2);
        break;
    case CSV_RULE_BITS:
        vary(field, false, "%llu", n | clear);
        vary(field, false, "0x%llx", (unsigned long long)clear);
        vary(field, true, "0");
        break;
    default:
        vary(field, field->rule->kind == CSV_RULE_MAXIMUM, "%llu", n + 1);
        vary(field, true, "%llu", n);
        if (n != 0) {
            vary(field, field->rule->kind == CSV_RULE_MINIMUM, "%llu", n - 1);
        }
    }
}

static void vary_version(struct field *field)
{
    unsigned parts[3] = {0};
    assert_true(sscanf(field->claim->text, "%u.%u.%u", &parts[0], &parts[1], &parts[2]) >= 2);
    vary(field, false, "\"%u.%u.%u\"", parts[0], parts[1], parts[2] + 1);
    vary(field, false, "\"%u.%u\"", parts[0], parts[1] + 1);
    vary(field, false, "\"%u\"", parts[0] + 1);
    vary(field, false, "\"%s.1\"", field->claim->text);
    vary(field, true, "\"%u.%u\"", parts[0], parts[1]);
    vary(field, true, "\"%u\"", parts[0]);
    if (parts[1] != 0) {
        vary(field, true, "\"%u.%u.60000\"", parts[0], parts[1] - 1);
    }
}

static void vary_flag(struct field *field)
{
    uint64_t set = field->claim->number & field->rule->mask;
    vary(field, set == field->rule->mask, "\"required\"");
    vary(field, set == 0, "\"forbidden\"");
    vary(field, true, "\"any\"");
}

/* A line about something that this evidence does not say. */
static void vary_absent(struct field *field)
{
    const struct csv_rule *rule = field->rule;
    char zeros[257] = "";
    memset(zeros, '0', rule->size != 0 ? rule->size * 2u : 2);
    const char *text = rule->kind == CSV_RULE_TEXT ? other_text(rule, "") : NULL;
    const char *value = rule->kind == CSV_RULE_TEXT      ? text
                        : rule->kind == CSV_RULE_FLAG    ? "any"
                        : rule->kind == CSV_RULE_VERSION ? "0"
                                                         : zeros;
    bool number = rule->kind == CSV_RULE_MINIMUM || rule->kind == CSV_RULE_MAXIMUM ||
                  rule->kind == CSV_RULE_BITS;
    if (number) {
        vary(field, rule->optional, "255");
    } else if (rule->kind == CSV_RULE_NUMBER) {
        vary(field, rule->optional, "[255]");
    } else if (rule->kind == CSV_RULE_FLAG || rule->kind == CSV_RULE_VERSION || rule->single) {
        vary(field, rule->optional, "\"%s\"", value);
    } else if (value != NULL) {
        vary(field, rule->optional, "[\"%s\"]", value);
    }
}

static void make_variations(struct field *field)
{
    uint8_t kind = field->rule->kind;
    if (field->claim == NULL) {
        vary_absent(field);
    } else if (kind == CSV_RULE_BYTES || kind == CSV_RULE_DENY) {
        vary_bytes(field);
    } else if (kind == CSV_RULE_TEXT) {
        vary_text(field);
    } else if (kind == CSV_RULE_VERSION) {
        vary_version(field);
    } else if (kind == CSV_RULE_FLAG) {
        vary_flag(field);
    } else {
        vary_number(field);
    }
    bool list = kind == CSV_RULE_BYTES || kind == CSV_RULE_DENY || kind == CSV_RULE_NUMBER ||
                (kind == CSV_RULE_TEXT && !field->rule->single);
    if (list) {
        vary(field, silence_passes(field), "[]");
    }
    field->variations[field->count++] = (struct variation){NULL, silence_passes(field)};
}

/* ---- policies ---- */

static const struct csv_claim *find_claim(const char *name)
{
    for (size_t i = 0; i < rig.verdict->claim_count; i++) {
        const struct csv_claim *claim = &rig.verdict->claims[i];
        if (claim->format == rig.format && strcmp(claim->name, name) == 0) {
            return claim;
        }
    }
    return NULL;
}

static struct field *field_of(const char *key)
{
    for (size_t i = 0; i < rig.count; i++) {
        if (strcmp(rig.fields[i].rule->key, key) == 0) {
            return &rig.fields[i];
        }
    }
    fail_msg("policy init wrote an unknown key %s", key);
    return NULL;
}

/* The lines that policy init wrote, each with its field. */
static void take_lines(char *text)
{
    bool inside = false;
    char *next;
    for (char *line = text; line != NULL && *line != 0; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = 0;
        }
        char *equals = strstr(line, " = ");
        if (line[0] == '[') {
            inside = true;
        } else if (equals != NULL && line[0] != '#' && inside) {
            *equals = 0;
            field_of(line)->base = copy(equals + 3);
        } else if (equals != NULL && line[0] != '#') {
            strcat(rig.head, line);
            strcat(rig.head, "\n");
        }
    }
}

static void load(const struct rules_case *evidence)
{
    static char text[TEXT_SIZE];
    size_t size = 0;
    memset(&rig, 0, sizeof rig);
    rig.evidence = evidence;
    rig.format = csv_format(evidence->format);
    assert_non_null(rig.format);
    assert_true(rig.format->rule_count <= RULE_MAX);
    if (evidence->appraise(NULL, &rig.verdict) != CSN_OK) {
        table_explain(rig.verdict);
        fail_msg("%s: not accepted", evidence->name);
    }
    rig.count = rig.format->rule_count;
    for (size_t i = 0; i < rig.count; i++) {
        const struct csv_rule *rule = &rig.format->rules[i];
        rig.fields[i].rule = rule;
        rig.fields[i].claim = rule->claim != NULL ? find_claim(rule->claim) : NULL;
        if (rule->claim != NULL) {
            make_variations(&rig.fields[i]);
        }
    }
    assert_int_equal(csv_policy_init(rig.verdict, true, text, sizeof text, &size), CSN_OK);
    take_lines(text);
}

static void unload(void)
{
    for (size_t i = 0; i < rig.count; i++) {
        free(rig.fields[i].base);
        for (size_t k = 0; k < rig.fields[i].count; k++) {
            free(rig.fields[i].variations[k].value);
        }
    }
    csv_verdict_free(rig.verdict);
    table_forget();
}

struct choice {
    size_t field;
    const struct variation *variation;
};

/* The base policy with up to two lines replaced. */
static struct csv_policy *make_policy(const struct choice *choices, size_t count)
{
    static char text[TEXT_SIZE];
    struct csv_policy *policy = NULL;
    struct csv_policy_mistake mistake;
    size_t size = (size_t)snprintf(text, sizeof text, "%s", rig.head);
    for (size_t i = 0; i < rig.count; i++) {
        const char *value = rig.fields[i].base;
        for (size_t k = 0; k < count; k++) {
            value = choices[k].field == i ? choices[k].variation->value : value;
        }
        if (value != NULL) {
            size += (size_t)snprintf(text + size, sizeof text - size, "%s.%s = %s\n",
                                     rig.format->name, rig.fields[i].rule->key, value);
        }
    }
    if (csv_policy_parse(text, size, &policy, &mistake) != CSN_OK) {
        fail_msg("%s: policy: %u:%u: %s", rig.evidence->name, mistake.line, mistake.column,
                 mistake.text);
    }
    return policy;
}

/* The findings that failed are one for each choice that does not pass, and no others. */
static void compare(const struct csv_verdict *verdict, const struct choice *choices, size_t count)
{
    size_t failed = 0;
    size_t expected = 0;
    bool all = true;
    for (size_t i = 0; i < csv_verdict_finding_count(verdict); i++) {
        failed += csv_verdict_finding(verdict, i)->outcome == CSV_FAILED;
    }
    for (size_t k = 0; k < count; k++) {
        const char *id = rig.fields[choices[k].field].rule->finding;
        bool passes = choices[k].variation->passes;
        expected += !passes;
        all = all && (passes || table_finding(verdict, id, CSV_FAILED) != NULL);
    }
    uint32_t result = expected == 0 ? CSV_VALID : CSV_INVALID;
    if (csv_verdict_result(verdict) != result || failed != expected || !all) {
        for (size_t k = 0; k < count; k++) {
            const char *value = choices[k].variation->value;
            printf("# %s = %s: should %s\n", rig.fields[choices[k].field].rule->key,
                   value != NULL ? value : "(no line)",
                   choices[k].variation->passes ? "pass" : "fail");
        }
        table_explain(verdict);
        fail_msg("%s: result %u, %zu findings failed, expected %zu", rig.evidence->name,
                 csv_verdict_result(verdict), failed, expected);
    }
}

/* From the evidence's bytes. */
static void check_whole(const struct choice *choices, size_t count)
{
    struct csv_verdict *verdict = NULL;
    struct csv_policy *policy = make_policy(choices, count);
    csn_err result = rig.evidence->appraise(policy, &verdict);
    assert_int_equal(result == CSN_OK, csv_verdict_result(verdict) == CSV_VALID);
    compare(verdict, choices, count);
    csv_verdict_free(verdict);
    csv_policy_free(policy);
}

/* From the claims that were made of them, which takes no signature: for the many pairs. */
static void check_rules(const struct choice *choices, size_t count)
{
    struct csv_policy *policy = make_policy(choices, count);
    replayed.arena = (struct csv_arena){.base = replay_memory, .size = sizeof replay_memory};
    replayed.result = CSV_VALID;
    replayed.finding_count = 0;
    struct csv_case appraisal = {
        .policy = policy, .verdict = &replayed, .arena = &replayed.arena, .format = rig.format};
    csv_policy_check(&appraisal, rig.format);
    compare(&replayed, choices, count);
    csv_policy_free(policy);
}

/* ---- the walk ---- */

static size_t alone(void)
{
    size_t count = 0;
    check_whole(NULL, 0);
    for (size_t i = 0; i < rig.count; i++) {
        for (size_t k = 0; k < rig.fields[i].count; k++) {
            check_whole(&(struct choice){i, &rig.fields[i].variations[k]}, 1);
            count++;
        }
    }
    return count;
}

/* One variation that passes and one that does not, where there are such. */
static size_t pick(const struct field *field, const struct variation *picked[2])
{
    size_t count = 0;
    for (unsigned passes = 0; passes < 2; passes++) {
        for (size_t k = 0; k < field->count; k++) {
            if (field->variations[k].passes == (passes != 0)) {
                picked[count++] = &field->variations[k];
                break;
            }
        }
    }
    return count;
}

static size_t pair(size_t a, size_t b, size_t done)
{
    const struct variation *first[2];
    const struct variation *second[2];
    size_t first_count = pick(&rig.fields[a], first);
    size_t second_count = pick(&rig.fields[b], second);
    for (size_t i = 0; i < first_count * second_count; i++) {
        const struct choice choices[2] = {{a, first[i / second_count]},
                                          {b, second[i % second_count]}};
        check_rules(choices, 2);
        if ((done + i) % 101 == 0) {
            check_whole(choices, 2);
        }
    }
    return first_count * second_count;
}

static size_t in_pairs(void)
{
    size_t count = 0;
    memcpy(replayed.claims, rig.verdict->claims, sizeof replayed.claims);
    replayed.claim_count = rig.verdict->claim_count;
    for (size_t a = 0; a < rig.count; a++) {
        for (size_t b = a + 1; b < rig.count; b++) {
            if (rig.count < 20 || (a + b * 31) % step == 0) {
                count += pair(a, b, count);
            }
        }
    }
    return count;
}

static void every_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < rules_all_count; i++) {
        for (size_t k = 0; k < rules_all[i]->count; k++) {
            load(&rules_all[i]->at[k]);
            size_t by_code = 0;
            for (size_t f = 0; f < rig.count; f++) {
                by_code += rig.fields[f].rule->claim == NULL;
            }
            size_t single = alone();
            size_t pairs = in_pairs();
            printf("# %s %s: %zu rules, %zu lines alone, %zu pairs; %zu rules judged by code\n",
                   rig.format->name, rig.evidence->name, rig.count, single, pairs, by_code);
            assert_true(single >= 2 * (rig.count - by_code) && pairs != 0);
            unload();
        }
    }
}

/* Each rule that looks at a claim has seen a case with that claim. */
static void no_rule_is_left_out(void **state)
{
    (void)state;
    static uint8_t seen[CSV_FORMAT_COUNT + 1][RULE_MAX];
    for (size_t i = 0; i < rules_all_count; i++) {
        for (size_t k = 0; k < rules_all[i]->count; k++) {
            load(&rules_all[i]->at[k]);
            for (size_t f = 0; f < rig.count; f++) {
                seen[rig.format->id][f] |= rig.fields[f].claim != NULL;
            }
            unload();
        }
    }
    for (uint32_t id = 1; id <= CSV_FORMAT_COUNT; id++) {
        const struct csv_format *format = csv_format(id);
        size_t count = 0;
        for (size_t f = 0; format != NULL && f < format->rule_count; f++) {
            assert_non_null(format->rules[f].key); /* the table is as long as it says */
            count += seen[id][f];
        }
        for (size_t f = 0; format != NULL && f < format->catalogue.count; f++) {
            assert_non_null(format->catalogue.entries[f].id);
        }
        if (format != NULL && count == 0) {
            printf("# no case for %s\n", format->name);
        }
        for (size_t f = 0; count != 0 && f < format->rule_count; f++) {
            if (!seen[id][f] && format->rules[f].claim != NULL) {
                fail_msg("%s.%s: in no case", format->name, format->rules[f].key);
            }
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field),
        cmocka_unit_test(no_rule_is_left_out),
    };
    step = argc > 1 ? (size_t)atol(argv[1]) : 1;
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
