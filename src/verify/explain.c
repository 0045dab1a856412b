/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c: a verdict as text for people and as JSON for machines. */
#include "verify/format.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct sink {
    char *target;
    size_t capacity;
    size_t size; /* what the whole needs so far */
};

__attribute__((format(printf, 2, 3))) static void put(struct sink *sink, const char *format, ...)
{
    size_t room = sink->size < sink->capacity ? sink->capacity - sink->size : 0;
    va_list arguments;
    va_start(arguments, format);
    int wrote = vsnprintf(room ? sink->target + sink->size : NULL, room, format, arguments);
    va_end(arguments);
    sink->size += wrote > 0 ? (size_t)wrote : 0;
}

/* Strings of a verdict are ours or hex or checked names, but escape all the same. */
static void put_json_string(struct sink *sink, const char *text)
{
    put(sink, "\"");
    for (const unsigned char *c = (const unsigned char *)text; *c != 0; c++) {
        if (*c == '"' || *c == '\\') {
            put(sink, "\\%c", *c);
        } else if (*c < 0x20 || *c > 0x7e) {
            put(sink, "\\u%04x", *c);
        } else {
            put(sink, "%c", *c);
        }
    }
    put(sink, "\"");
}

static const char *result_name(enum csv_result result)
{
    return result == CSV_VALID ? "valid" : result == CSV_INVALID ? "invalid" : "unverifiable";
}

static const char *outcome_name(uint32_t outcome)
{
    static const char *const names[] = {"passed", "failed", "missing", "warning"};
    return names[outcome];
}

size_t csv_verdict_text(const struct csv_verdict *verdict, bool explain, char *target,
                        size_t capacity)
{
    struct sink sink = {target, capacity, 0};
    put(&sink, "%s\n", result_name(verdict->result));
    if (verdict->tcb_status != NULL) {
        put(&sink, "  TCB status: %s\n", verdict->tcb_status);
    }
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct csv_finding *f = &verdict->findings[i];
        put(&sink, "  %-7s %-24s %s\n", outcome_name(f->outcome), f->id, f->claim);
        if (f->outcome != CSV_PASSED || explain) {
            put(&sink, "          expected: %s\n          got:      %s\n", f->expected, f->got);
        }
        if (explain) {
            put(&sink, "          why:      %s\n          to do:    %s\n", f->why, f->todo);
        }
    }
    return sink.size;
}

static void put_json_claim(struct sink *sink, const struct csv_claim *claim)
{
    put_json_string(sink, claim->name);
    put(sink, ":");
    if (claim->kind == CSV_CLAIM_NUMBER || claim->kind == CSV_CLAIM_BOOL) {
        put(sink, "%s", claim->value);
    } else if (claim->kind == CSV_CLAIM_LIST) {
        put(sink, "[");
        for (size_t i = 0; i < claim->size; i++) {
            put(sink, "%s", i == 0 ? "" : ",");
            put_json_string(sink, claim->list[i]);
        }
        put(sink, "]");
    } else {
        put_json_string(sink, claim->value);
    }
}

static bool same_group(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool put_json_group(struct sink *sink, const struct csv_verdict *verdict, const char *group)
{
    bool first = true;
    for (size_t i = 0; i < verdict->claim_count; i++) {
        const struct csv_claim *claim = &verdict->claims[i];
        if (!claim->fact && same_group(claim->group, group)) {
            put(sink, "%s", first ? "" : ",");
            put_json_claim(sink, claim);
            first = false;
        }
    }
    return !first;
}

/* Claims of no group, then each group as an object under its name, in the order of first use. */
static void put_json_claims(struct sink *sink, const struct csv_verdict *verdict)
{
    put(sink, "\"claims\":{");
    bool some = put_json_group(sink, verdict, NULL);
    for (size_t i = 0; i < verdict->claim_count; i++) {
        const char *group = verdict->claims[i].group;
        bool seen = group == NULL;
        for (size_t j = 0; j < i && !seen; j++) {
            seen = same_group(verdict->claims[j].group, group);
        }
        if (!seen) {
            put(sink, "%s", some ? "," : "");
            put_json_string(sink, group);
            put(sink, ":{");
            put_json_group(sink, verdict, group);
            put(sink, "}");
            some = true;
        }
    }
    put(sink, "}");
}

static void put_json_eat(struct sink *sink, const struct csv_verdict *verdict)
{
    put(sink, ",\"eat\":{");
    for (size_t i = 0; i < verdict->eat_count; i++) {
        put(sink, "%s\"%s\":", i == 0 ? "" : ",", verdict->eat[i].name);
        if (verdict->eat[i].number) {
            put(sink, "%s", verdict->eat[i].value);
        } else {
            put_json_string(sink, verdict->eat[i].value);
        }
    }
    put(sink, "}");
}

static void put_json_finding(struct sink *sink, const struct csv_finding *finding)
{
    const char *const values[] = {finding->id,    outcome_name(finding->outcome),
                                  finding->claim, finding->expected,
                                  finding->got,   finding->why,
                                  finding->todo};
    static const char *const names[] = {"id", "outcome", "claim", "expected", "got", "why", "todo"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        put(sink, "%s\"%s\":", i == 0 ? "{" : ",", names[i]);
        put_json_string(sink, values[i]);
    }
    put(sink, "}");
}

size_t csv_verdict_json(const struct csv_verdict *verdict, char *target, size_t capacity)
{
    struct sink sink = {target, capacity, 0};
    put(&sink, "{\"verdict\":\"%s\",\"format\":\"%s\",\"appraised\":%s,",
        result_name(verdict->result), csv_format_name(csv_verdict_format(verdict)),
        verdict->appraised ? "true" : "false");
    if (verdict->tcb_status != NULL) {
        put(&sink, "\"tcb_status\":");
        put_json_string(&sink, verdict->tcb_status);
        put(&sink, ",");
    }
    put_json_claims(&sink, verdict);
    put_json_eat(&sink, verdict);
    put(&sink, ",\"findings\":[");
    for (size_t i = 0; i < verdict->finding_count; i++) {
        put(&sink, "%s", i == 0 ? "" : ",");
        put_json_finding(&sink, &verdict->findings[i]);
    }
    put(&sink, "]}");
    return sink.size;
}
