/* SPDX-License-Identifier: Apache-2.0 */
/* init.c: a strict policy that accepts just what one verdict's evidence claims. */
#include "verify/policy/policy.h"
#include <stdio.h>
#include <string.h>

struct draft {
    char *target;
    size_t capacity;
    size_t size;
    const char *section; /* open table */
};

__attribute__((format(printf, 2, 3))) static void put(struct draft *draft, const char *format, ...)
{
    size_t room = draft->size < draft->capacity ? draft->capacity - draft->size : 0;
    va_list arguments;
    va_start(arguments, format);
    int wrote = vsnprintf(room ? draft->target + draft->size : NULL, room, format, arguments);
    va_end(arguments);
    draft->size += wrote > 0 ? (size_t)wrote : 0;
}

/* The claim of a name that format made, in whatever group: a wrapper has a `measurement` too. */
static const struct csv_claim *find(const struct csv_verdict *verdict,
                                    const struct csv_format *format, const char *name)
{
    for (size_t i = 0; name != NULL && i < verdict->claim_count; i++) {
        const struct csv_claim *claim = &verdict->claims[i];
        if (claim->format == format && strcmp(claim->name, name) == 0) {
            return claim;
        }
    }
    return NULL;
}

/* A basic string: claims may be texts of whoever configured the machine. */
static void put_string(struct draft *draft, const char *text)
{
    put(draft, "\"");
    for (const unsigned char *c = (const unsigned char *)text; *c != 0; c++) {
        if (*c == '"' || *c == '\\') {
            put(draft, "\\%c", *c);
        } else if (*c < 0x20 || *c == 0x7f) {
            put(draft, "\\u%04x", *c);
        } else {
            put(draft, "%c", *c);
        }
    }
    put(draft, "\"");
}

static void put_list(struct draft *draft, const struct csv_rule *rule,
                     const struct csv_claim *claim)
{
    put(draft, "%s = [", rule->key);
    for (size_t i = 0; i < claim->size; i++) {
        put(draft, "%s", i == 0 ? "" : ", ");
        put_string(draft, claim->list[i]);
    }
    put(draft, "]\n");
}

static void put_rule(struct draft *draft, const struct csv_rule *rule,
                     const struct csv_claim *claim)
{
    static const char *const words[] = {"forbidden", "required", "any"};
    uint64_t set = claim->number & rule->mask;
    switch (rule->kind) {
    case CSV_RULE_FLAG:
        put(draft, "%s = \"%s\"\n", rule->key,
            words[set == 0            ? CSV_FLAG_FORBIDDEN
                  : set == rule->mask ? CSV_FLAG_REQUIRED
                                      : CSV_FLAG_ANY]);
        break;
    case CSV_RULE_SWITCH:
        put(draft, "%s = %s\n", rule->key, claim->number != 0 ? "true" : "false");
        break;
    case CSV_RULE_NUMBER:
        put(draft, "%s = [%s]\n", rule->key, claim->value);
        break;
    case CSV_RULE_MINIMUM:
    case CSV_RULE_MAXIMUM:
    case CSV_RULE_BITS:
        put(draft, "%s = %s\n", rule->key, claim->value);
        break;
    case CSV_RULE_DENY:
        break; /* evidence cannot say what is to be denied */
    default:
        if (claim->kind == CSV_CLAIM_LIST) {
            put_list(draft, rule, claim);
        } else if (rule->single || rule->kind == CSV_RULE_VERSION) {
            put(draft, "%s = \"%s\"\n", rule->key, claim->value);
        } else {
            put(draft, "%s = [", rule->key);
            put_string(draft, claim->value);
            put(draft, "]\n");
        }
    }
}

static void put_section(struct draft *draft, const struct csv_verdict *verdict,
                        const struct csv_format *format)
{
    bool open = false;
    for (size_t i = 0; i < format->rule_count; i++) {
        const struct csv_rule *rule = &format->rules[i];
        const struct csv_claim *claim =
            find(verdict, format, rule->claim != NULL ? rule->claim : rule->init);
        if (claim == NULL) {
            continue;
        }
        if (!open) {
            put(draft, "\n[%s]\n", format->name);
            open = true;
        }
        put_rule(draft, rule, claim);
    }
}

/* Formats whose rules were applied: the verdict's own, and those that it wraps. */
static bool takes_part(const struct csv_verdict *verdict, const struct csv_format *format)
{
    if (verdict->format == format) {
        return true;
    }
    for (size_t i = 0; i < verdict->inner_count; i++) {
        if (verdict->inner[i] == format) {
            return true;
        }
    }
    return false;
}

static bool is_insecure(const struct csv_verdict *verdict)
{
    bool debug = false;
    for (size_t i = 0; i < verdict->claim_count; i++) {
        const struct csv_claim *claim = &verdict->claims[i];
        debug = debug || (strcmp(claim->name, "debug_any") == 0 && claim->number != 0);
    }
    bool software =
        verdict->image_given && verdict->image.evidence_type == CSN_WIRE_EVIDENCE_SOFTWARE;
    return software || debug || !verdict->nonce_checked;
}

csn_err csv_policy_init(const struct csv_verdict *verdict, bool insecure, char *target,
                        size_t capacity, size_t *size)
{
    if (verdict == NULL || size == NULL || (target == NULL && capacity != 0)) {
        return CSN_ERR_ARGUMENT;
    }
    if (verdict->result != CSV_VALID || (is_insecure(verdict) && !insecure)) {
        return CSN_ERR_POLICY;
    }
    struct draft draft = {.target = target, .capacity = capacity};
    put(&draft,
        "# Accepts just the evidence that it was made from: read each line, then loosen.\n");
    put(&draft, "version = 1\nformats = [\"%s\"]\nnonce = \"%s\"\n", verdict->format->name,
        verdict->nonce_checked ? "required" : "unchecked");
    for (uint32_t id = 1; id <= CSV_FORMAT_COUNT; id++) {
        const struct csv_format *format = csv_format(id);
        if (format != NULL && takes_part(verdict, format)) {
            put_section(&draft, verdict, format);
        }
    }
    *size = draft.size;
    return CSN_OK;
}
