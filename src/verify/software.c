/* SPDX-License-Identifier: Apache-2.0 */
/*
 * software.c: the insecure platform for development: an Ed25519 key in a file signs report data.
 *
 * It proves nothing against whoever holds that file. Refused unless the policy says so in as many
 * words and names the key.
 */
#include "digest.h"
#include "verdict.h"
#include <string.h>

static bool accepted(const struct csv_policy *policy)
{
    return policy->accept_software;
}

static bool root_is_listed(const struct csv_policy *policy, const uint8_t root[32])
{
    bool found = false;
    for (size_t i = 0; i < policy->software_root_count; i++) {
        found = found || memcmp(policy->software_roots[i], root, 32) == 0;
    }
    return found;
}

static void appraise(struct csv_case *appraisal)
{
    static const char label[] = "caisson-software-evidence-v1";
    struct csn_wire_evidence_software part;
    struct csv_verdict *verdict = appraisal->verdict;
    if (appraisal->bundle.head.platform_size != sizeof part) {
        csv_note(verdict, "platform.signature", CSV_FAILED, "96 bytes", "another size");
        return;
    }
    memcpy(&part, appraisal->bundle.platform, sizeof part);
    bool listed = root_is_listed(appraisal->policy, part.root_key);
    if (!csv_note_bytes(verdict, "platform.root", listed, NULL, part.root_key, 32)) {
        return;
    }
    uint8_t message[sizeof label - 1 + 64];
    memcpy(message, label, sizeof label - 1);
    memcpy(message + sizeof label - 1, appraisal->report_data, 64);
    csn_err checked = csv_ed25519_check(part.root_key, part.signature, message, sizeof message);
    enum csv_outcome outcome = checked == CSN_OK         ? CSV_PASSED
                               : checked == CSN_ERR_AUTH ? CSV_FAILED
                                                         : CSV_MISSING;
    csv_note(verdict, "platform.signature", outcome, "a valid signature over the report data",
             outcome == CSV_PASSED ? "valid" : "not valid");
}

const struct csv_platform csv_platform_software = {
    .type = CSN_WIRE_EVIDENCE_SOFTWARE,
    .name = "software",
    .accepted = accepted,
    .appraise = appraise,
};
