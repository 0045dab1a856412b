/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_claims.c: what a service says of its tenants' grants, and what a policy wants of it.
 *
 * As text: LABEL:VALUE@TENANT. LABEL is a name of wire/claim.h or a number, VALUE 64 hex digits or,
 * where the bytes are a word, that word, TENANT 64 hex digits. In a policy the tenant may be left
 * out: any. Of a label (and tenant) that the policy names there must be a claim, and each must be
 * one that it lists; other labels say nothing.
 */
#include "verify/caisson/service_claims.h"
#include "verify/policy/policy.h"
#include "verify/text.h"
#include <caisson/wire/claim.h>
#include <string.h>

#define WORD_SIZE_MAX 31u

struct wish {
    uint32_t label;
    bool of_tenant;
    uint8_t tenant[32];
    uint8_t bytes[32];
};

static const struct {
    uint32_t label;
    const char *name;
} names[] = {{CSN_WIRE_CLAIM_MODEL, "model"},
             {CSN_WIRE_CLAIM_STORE, "store"},
             {CSN_WIRE_CLAIM_TREES, "trees"}};
#define NAME_COUNT (sizeof names / sizeof names[0])

static bool is_word(const uint8_t *bytes, size_t size)
{
    bool word = size != 0 && size <= WORD_SIZE_MAX;
    for (size_t i = 0; word && i < size; i++) {
        uint8_t c = bytes[i];
        word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    return word;
}

static bool read_label(const char *text, size_t size, uint32_t *label)
{
    char digits[12];
    uint64_t number = 0;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (strlen(names[i].name) == size && memcmp(names[i].name, text, size) == 0) {
            *label = names[i].label;
            return true;
        }
    }
    if (size == 0 || size >= sizeof digits) {
        return false;
    }
    memcpy(digits, text, size);
    digits[size] = 0;
    bool good = csv_number_read(digits, &number) && number != 0 && number <= UINT32_MAX;
    *label = (uint32_t)number;
    return good;
}

static bool read_wish(const char *text, struct wish *wish)
{
    const char *colon = strchr(text, ':');
    *wish = (struct wish){0};
    if (colon == NULL || !read_label(text, (size_t)(colon - text), &wish->label)) {
        return false;
    }
    const char *value = colon + 1;
    const char *at = strchr(value, '@');
    size_t size = at != NULL ? (size_t)(at - value) : strlen(value);
    wish->of_tenant = at != NULL;
    if (at != NULL && (strlen(at + 1) != 64 || !csv_hex_read(at + 1, 64, wish->tenant))) {
        return false;
    }
    if (size == 64) {
        return csv_hex_read(value, 64, wish->bytes);
    }
    if (!is_word((const uint8_t *)value, size)) {
        return false;
    }
    memcpy(wish->bytes, value, size);
    return true;
}

bool csv_service_claim_valid(const char *text, const char **why)
{
    struct wish wish;
    *why = "\"LABEL:VALUE\" or \"LABEL:VALUE@TENANT\" is expected: a label, 64 hex digits or a "
           "word, a tenant's id";
    return read_wish(text, &wish);
}

static bool is_about(const struct wish *wish, const struct csv_service_claim *claim)
{
    return wish->label == claim->label &&
           (!wish->of_tenant || memcmp(wish->tenant, claim->tenant, 32) == 0);
}

/* Some line of the policy is about this claim, and none that is about it has its bytes. */
static bool is_foreign(const struct csv_value *value, const struct csv_service_claim *claim)
{
    bool named = false;
    for (; value != NULL; value = csv_policy_next(value)) {
        struct wish wish;
        if (read_wish(value->text, &wish) && is_about(&wish, claim)) {
            named = true;
            if (memcmp(wish.bytes, claim->bytes, 32) == 0) {
                return false;
            }
        }
    }
    return named;
}

static bool has_any(const struct csv_verdict *verdict, const char *text)
{
    struct wish wish;
    bool found = false;
    bool read = read_wish(text, &wish);
    for (size_t i = 0; read && i < verdict->service_claim_count; i++) {
        found = found || is_about(&wish, &verdict->service_claims[i]);
    }
    return found;
}

static void check_policy(struct csv_case *appraisal, const char *const *texts)
{
    const struct csv_verdict *verdict = appraisal->verdict;
    const struct csv_value *first = csv_policy_first(appraisal->policy, "caisson.claims");
    for (const struct csv_value *value = first; value != NULL; value = csv_policy_next(value)) {
        if (!has_any(verdict, value->text)) {
            csv_note(appraisal, "service.claims", CSV_FAILED, value->text, "no such claim");
            return;
        }
    }
    for (size_t i = 0; first != NULL && i < verdict->service_claim_count; i++) {
        if (is_foreign(first, &verdict->service_claims[i])) {
            csv_note(appraisal, "service.claims", CSV_FAILED, "a claim that the policy lists",
                     texts[i]);
            return;
        }
    }
    if (first != NULL) {
        csv_note(appraisal, "service.claims", CSV_PASSED, "as the policy lists them", "the same");
    }
}

static const char *claim_text(struct csv_arena *arena, const struct csv_service_claim *claim)
{
    const char *label = csv_text(arena, "%u", claim->label);
    const char *value = csv_text_hex(arena, claim->bytes, 32);
    size_t size = strnlen((const char *)claim->bytes, 32);
    static const uint8_t zeros[32];
    for (size_t i = 0; i < NAME_COUNT; i++) {
        label = names[i].label == claim->label ? names[i].name : label;
    }
    if (is_word(claim->bytes, size) && memcmp(claim->bytes + size, zeros, 32 - size) == 0) {
        value = (const char *)claim->bytes;
    }
    return csv_text(arena, "%s:%s@%s", label, value, csv_text_hex(arena, claim->tenant, 32));
}

/* One value for a label: which of two would count? */
static bool once_each(const struct csv_verdict *verdict)
{
    const struct csv_service_claim *claims = verdict->service_claims;
    for (size_t i = 0; i < verdict->service_claim_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (claims[i].label == claims[k].label &&
                memcmp(claims[i].tenant, claims[k].tenant, 32) == 0) {
                return false;
            }
        }
    }
    return true;
}

void csv_check_service_claims(struct csv_case *appraisal)
{
    const struct csv_verdict *verdict = appraisal->verdict;
    size_t count = verdict->service_claim_count;
    const char **texts = csv_take(appraisal->arena, count + 1, sizeof *texts);
    if (texts == NULL) {
        return; /* the arena is full: not verified */
    }
    for (size_t i = 0; i < count; i++) {
        texts[i] = claim_text(appraisal->arena, &verdict->service_claims[i]);
    }
    if (count != 0) {
        bool once = once_each(verdict);
        csv_claim_list(appraisal, "service_claims", texts, count);
        csv_note_if(appraisal, "service.once", once, "one for a label and tenant",
                    once ? "one" : "several");
    }
    check_policy(appraisal, texts);
}
