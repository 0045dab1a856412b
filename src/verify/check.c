/* SPDX-License-Identifier: Apache-2.0 */
/* check.c: the checks that every format makes: freshness, clock, parts that must be there. */
#include "verify/case.h"
#include "verify/digest.h"
#include "verify/policy/policy.h"
#include <string.h>

/* Nothing to compare with: what the policy says of that. */
static bool no_nonce(struct csv_case *appraisal)
{
    const struct csv_policy *policy = appraisal->policy;
    if (policy->any || policy->nonce_unchecked) {
        return csv_note(appraisal, "nonce.fresh", CSV_WARNED, "a nonce of the caller's",
                        "none given: the evidence may be old");
    }
    return csv_note(appraisal, "nonce.fresh", CSV_MISSING, "a nonce of the caller's", "none given");
}

/* No evidence of this format can hold it. */
static bool too_long(struct csv_case *appraisal)
{
    return csv_note(appraisal, "nonce.fresh", CSV_FAILED, "a nonce of at most 64 bytes",
                    "a longer one was given");
}

bool csv_check_report_data(struct csv_case *appraisal, const uint8_t report_data[64])
{
    const struct csv_input *input = appraisal->input;
    uint8_t expected[64] = {0};
    if (appraisal->wrapped) {
        memcpy(expected, appraisal->report_data, sizeof expected);
    } else if (input->report_data_given) {
        memcpy(expected, input->report_data, sizeof expected);
    } else if (input->nonce_size > sizeof expected) {
        return too_long(appraisal);
    } else if (input->nonce_size != 0) {
        memcpy(expected, input->nonce, input->nonce_size);
    } else {
        return no_nonce(appraisal);
    }
    bool same = memcmp(expected, report_data, sizeof expected) == 0;
    appraisal->verdict->nonce_checked |= same && !appraisal->wrapped;
    return csv_note_bytes(appraisal, appraisal->wrapped ? "report-data.binding" : "nonce.fresh",
                          same, expected, report_data, sizeof expected);
}

bool csv_check_nonce(struct csv_case *appraisal, const uint8_t *nonce, size_t size)
{
    const struct csv_input *input = appraisal->input;
    const uint8_t *expected = appraisal->wrapped ? appraisal->report_data : input->nonce;
    size_t expected_size = appraisal->wrapped ? sizeof appraisal->report_data : input->nonce_size;
    if (expected_size == 0) {
        return no_nonce(appraisal);
    }
    bool same = nonce != NULL && size == expected_size && memcmp(expected, nonce, size) == 0;
    appraisal->verdict->nonce_checked |= same && !appraisal->wrapped;
    return csv_note_if(appraisal, appraisal->wrapped ? "report-data.binding" : "nonce.fresh", same,
                       csv_text_hex(appraisal->arena, expected, expected_size),
                       nonce != NULL ? csv_text_hex(appraisal->arena, nonce, size) : "none");
}

bool csv_nonce_wanted(struct csv_case *appraisal, struct csv_nonce *nonce)
{
    const struct csv_input *input = appraisal->input;
    const uint8_t *report_data = appraisal->wrapped         ? appraisal->report_data
                                 : input->report_data_given ? input->report_data
                                                            : NULL;
    *nonce = (struct csv_nonce){.size = input->nonce_size};
    if (report_data == NULL && nonce->size > sizeof nonce->bytes) {
        return too_long(appraisal);
    }
    memcpy(nonce->bytes, input->nonce, sizeof nonce->bytes);
    if (report_data != NULL) {
        nonce->size = 32;
        return csv_sha256(report_data, 64, nonce->bytes) ||
               csv_note(appraisal, "nonce.fresh", CSV_MISSING, "a digest", "libcrypto failed");
    }
    if (nonce->size == 0) {
        no_nonce(appraisal);
    }
    return nonce->size != 0;
}

bool csv_note_nonce(struct csv_case *appraisal, const struct csv_nonce *nonce, bool same,
                    const char *got)
{
    appraisal->verdict->nonce_checked |= same && !appraisal->wrapped;
    return csv_note_if(appraisal, appraisal->wrapped ? "report-data.binding" : "nonce.fresh", same,
                       csv_text_hex(appraisal->arena, nonce->bytes, nonce->size), got);
}

bool csv_check_time(struct csv_case *appraisal)
{
    return appraisal->input->time_given ||
           csv_note(appraisal, "time.given", CSV_MISSING, "the caller's clock", "none given");
}

const struct csv_part *csv_need_part(struct csv_case *appraisal, uint32_t kind, const char *id,
                                     const char *expected)
{
    const struct csv_part *part = csv_part(appraisal->input, kind, 0);
    if (part == NULL) {
        csv_note(appraisal, id, CSV_MISSING, expected, "not supplied");
        return NULL;
    }
    if (csv_part(appraisal->input, kind, 1) != NULL) {
        csv_note(appraisal, id, CSV_FAILED, expected, "supplied more than once");
        return NULL;
    }
    return part;
}
