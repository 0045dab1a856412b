/* SPDX-License-Identifier: Apache-2.0 */
/* claim.c: what the evidence says, by name. */
#include "verify/case.h"
#include <string.h>

static struct csv_claim *add(struct csv_case *appraisal, const char *name, uint8_t kind)
{
    static struct csv_claim lost;
    struct csv_verdict *verdict = appraisal->verdict;
    if (verdict->claim_count == CSV_CLAIM_COUNT_MAX) {
        verdict->result = CSV_INVALID; /* our own bug: fail closed */
        return &lost;
    }
    struct csv_claim *claim = &verdict->claims[verdict->claim_count++];
    *claim = (struct csv_claim){
        .format = appraisal->format, .group = appraisal->group, .name = name, .kind = kind};
    return claim;
}

void csv_claim_number(struct csv_case *appraisal, const char *name, uint64_t value)
{
    add(appraisal, name, CSV_CLAIM_NUMBER)->number = value;
}

void csv_claim_word(struct csv_case *appraisal, const char *name, uint64_t value)
{
    add(appraisal, name, CSV_CLAIM_WORD)->number = value;
}

void csv_claim_bool(struct csv_case *appraisal, const char *name, bool value)
{
    add(appraisal, name, CSV_CLAIM_BOOL)->number = value;
}

void csv_claim_bytes(struct csv_case *appraisal, const char *name, const uint8_t *bytes,
                     size_t size)
{
    uint8_t *copy = csv_take(appraisal->arena, size != 0 ? size : 1, 1);
    if (copy != NULL) {
        memcpy(copy, bytes, size);
        struct csv_claim *claim = add(appraisal, name, CSV_CLAIM_BYTES);
        claim->bytes = copy;
        claim->size = size;
    }
}

void csv_claim_text(struct csv_case *appraisal, const char *name, const char *text)
{
    add(appraisal, name, CSV_CLAIM_TEXT)->text = text;
}

void csv_claim_list(struct csv_case *appraisal, const char *name, const char *const *texts,
                    size_t count)
{
    struct csv_claim *claim = add(appraisal, name, CSV_CLAIM_LIST);
    claim->list = texts;
    claim->size = count;
}

void csv_claim_hide(struct csv_case *appraisal)
{
    struct csv_verdict *verdict = appraisal->verdict;
    if (verdict->claim_count != 0) {
        verdict->claims[verdict->claim_count - 1].fact = true;
    }
}

static bool same_group(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

const struct csv_claim *csv_claim_find(const struct csv_case *appraisal, const char *name)
{
    const struct csv_verdict *verdict = appraisal->verdict;
    for (size_t i = 0; i < verdict->claim_count; i++) {
        const struct csv_claim *claim = &verdict->claims[i];
        if (strcmp(claim->name, name) == 0 && same_group(claim->group, appraisal->group)) {
            return claim;
        }
    }
    return NULL;
}

/* In one piece: a text for each prefix would use up the arena with long lists. */
static const char *list_value(struct csv_arena *arena, const struct csv_claim *claim)
{
    size_t size = 1;
    for (size_t i = 0; i < claim->size; i++) {
        size += strlen(claim->list[i]) + 1;
    }
    char *text = csv_take(arena, size, 1);
    size_t used = 0;
    for (size_t i = 0; text != NULL && i < claim->size; i++) {
        size_t length = strlen(claim->list[i]);
        if (i != 0) {
            text[used++] = ',';
        }
        memcpy(text + used, claim->list[i], length);
        used += length;
    }
    return text != NULL ? text : "";
}

const char *csv_claim_value(struct csv_arena *arena, const struct csv_claim *claim)
{
    switch (claim->kind) {
    case CSV_CLAIM_NUMBER:
        return csv_text(arena, "%llu", (unsigned long long)claim->number);
    case CSV_CLAIM_WORD:
        return csv_text(arena, "0x%llx", (unsigned long long)claim->number);
    case CSV_CLAIM_BYTES:
        return csv_text_hex(arena, claim->bytes, claim->size);
    case CSV_CLAIM_BOOL:
        return claim->number != 0 ? "true" : "false";
    case CSV_CLAIM_LIST:
        return list_value(arena, claim);
    default:
        return claim->text;
    }
}
