/* SPDX-License-Identifier: Apache-2.0 */
/* rules_caisson.c: Caisson's own evidence for the test of every policy field. */
#include "rig.h"
#include "rules_case.h"

static csn_err appraise(const struct csv_policy *policy, struct csv_verdict **verdict)
{
    static struct rig rig;
    if (rig.size == 0) {
        rig_init(&rig);
    }
    return policy == NULL ? rig_appraise(&rig, rig.nonce[0], verdict)
                          : csv_appraise_bundle(policy, rig.bytes, rig.size, rig.nonce[0], verdict);
}

static const struct rules_case cases[] = {{"software", CSV_FORMAT_CAISSON, appraise}};
const struct rules_cases rules_caisson = {cases, 1};
