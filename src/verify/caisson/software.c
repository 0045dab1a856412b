/* SPDX-License-Identifier: Apache-2.0 */
/*
 * software.c: the insecure platform for development: an Ed25519 key in a file signs report data.
 *
 * It proves nothing against whoever holds that file. Refused unless the policy says so in as many
 * words and names the key.
 */
#include "verify/caisson/bundle.h"
#include "verify/digest.h"
#include "verify/policy/policy.h"
#include <string.h>

static bool root_is_listed(const struct csv_policy *policy, const uint8_t root[32])
{
    const struct csv_value *value = csv_policy_first(policy, "caisson.software_roots");
    bool found = false;
    for (; value != NULL; value = csv_policy_next(value)) {
        found = found || memcmp(value->bytes, root, 32) == 0;
    }
    return found;
}

void csv_platform_software(struct csv_case *appraisal, const struct csv_bundle *bundle,
                           const uint8_t report_data[64])
{
    static const char label[] = "caisson-software-evidence-v1";
    struct csn_wire_evidence_software part;
    if (bundle->head.platform_size != sizeof part) {
        csv_note(appraisal, "platform.signature", CSV_FAILED, "96 bytes", "another size");
        return;
    }
    memcpy(&part, bundle->platform, sizeof part);
    csv_claim_bytes(appraisal, "software_root", part.root_key, 32);
    bool listed = root_is_listed(appraisal->policy, part.root_key);
    if (!csv_note_bytes(appraisal, "platform.root", listed, NULL, part.root_key, 32)) {
        return;
    }
    uint8_t message[sizeof label - 1 + 64];
    memcpy(message, label, sizeof label - 1);
    memcpy(message + sizeof label - 1, report_data, 64);
    csn_err checked = csv_ed25519_check(part.root_key, part.signature, message, sizeof message);
    enum csv_outcome outcome = checked == CSN_OK         ? CSV_PASSED
                               : checked == CSN_ERR_AUTH ? CSV_FAILED
                                                         : CSV_MISSING;
    csv_note(appraisal, "platform.signature", outcome, "a valid signature over the report data",
             outcome == CSV_PASSED ? "valid" : "not valid");
}
