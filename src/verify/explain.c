/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c: a verdict as text for people and as JSON for machines. */
#include "verdict.h"
#include <stdarg.h>
#include <stdio.h>

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

static void put_hex(struct sink *sink, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        put(sink, "%02x", bytes[i]);
    }
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
    return result == CSV_VERIFIED  ? "verified"
           : result == CSV_INVALID ? "invalid"
                                   : "could not verify";
}

static const char *outcome_name(enum csv_outcome outcome)
{
    return outcome == CSV_PASSED ? "passed" : outcome == CSV_FAILED ? "failed" : "missing";
}

size_t csv_verdict_text(const struct csv_verdict *verdict, bool explain, char *target,
                        size_t capacity)
{
    struct sink sink = {target, capacity, 0};
    put(&sink, "%s\n", result_name(verdict->result));
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

static void put_json_claims(struct sink *sink, const struct csv_claims *claims)
{
    put(sink, "\"claims\":{\"type\":");
    put_json_string(sink, claims->type);
    put(sink, ",\"name\":");
    put_json_string(sink, claims->name);
    put(sink, ",\"backend\":%u,\"debug\":%s,\"security_version\":%u,\"measurement\":\"",
        claims->backend, claims->debug ? "true" : "false", claims->security_version);
    put_hex(sink, claims->measurement, 48);
    put(sink, "\",\"signer\":\"");
    put_hex(sink, claims->signer_key, 32);
    put(sink, "\",\"gate\":\"");
    put_hex(sink, claims->gate_hash, 32);
    put(sink, "\",\"boot_id\":\"");
    put_hex(sink, claims->boot_id, 16);
    put(sink, "\",\"config_digest\":\"");
    put_hex(sink, claims->config_digest, 32);
    put(sink, "\"}");
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
    put(&sink, "{\"result\":");
    put_json_string(&sink, result_name(verdict->result));
    put(&sink, ",");
    put_json_claims(&sink, &verdict->claims);
    put(&sink, ",\"findings\":[");
    for (size_t i = 0; i < verdict->finding_count; i++) {
        put(&sink, "%s", i == 0 ? "" : ",");
        put_json_finding(&sink, &verdict->findings[i]);
    }
    put(&sink, "]}");
    return sink.size;
}
