/* SPDX-License-Identifier: Apache-2.0 */
/* finding.c: how one check becomes a line of a verdict. */
#include "verify/format.h"
#include <string.h>

static const struct csv_entry *find_in(const struct csv_catalogue *catalogue, const char *id)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        if (strcmp(catalogue->entries[i].id, id) == 0) {
            return &catalogue->entries[i];
        }
    }
    return NULL;
}

static const struct csv_entry *find(const char *id)
{
    const struct csv_entry *entry = find_in(&csv_catalogue_common, id);
    for (uint32_t i = 1; entry == NULL && i <= CSV_FORMAT_COUNT; i++) {
        const struct csv_format *format = csv_format(i);
        entry = format != NULL ? find_in(&format->catalogue, id) : NULL;
    }
    return entry;
}

static void judge(struct csv_verdict *verdict, enum csv_outcome outcome)
{
    if (outcome == CSV_FAILED) {
        verdict->result = CSV_INVALID;
    } else if (outcome == CSV_MISSING && verdict->result == CSV_VALID) {
        verdict->result = CSV_UNVERIFIABLE;
    }
}

bool csv_note(struct csv_case *appraisal, const char *id, enum csv_outcome outcome,
              const char *expected, const char *got)
{
    struct csv_verdict *verdict = appraisal->verdict;
    const struct csv_entry *entry = find(id);
    if (entry == NULL || verdict->finding_count == CSV_FINDING_COUNT_MAX) {
        verdict->result = CSV_INVALID; /* our own bug: fail closed */
        return false;
    }
    judge(verdict, outcome);
    verdict->findings[verdict->finding_count++] = (struct csv_finding){.id = entry->id,
                                                                       .outcome = outcome,
                                                                       .claim = entry->claim,
                                                                       .expected = expected,
                                                                       .got = got,
                                                                       .why = entry->why,
                                                                       .todo = entry->todo};
    return outcome == CSV_PASSED || outcome == CSV_WARNED;
}

bool csv_note_if(struct csv_case *appraisal, const char *id, bool passed, const char *expected,
                 const char *got)
{
    return csv_note(appraisal, id, passed ? CSV_PASSED : CSV_FAILED, expected, got);
}

bool csv_note_bytes(struct csv_case *appraisal, const char *id, bool passed,
                    const uint8_t *expected, const uint8_t *got, size_t size)
{
    const char *text = expected != NULL ? csv_text_hex(appraisal->arena, expected, size)
                                        : "one that the policy lists";
    return csv_note_if(appraisal, id, passed, text, csv_text_hex(appraisal->arena, got, size));
}
