/* SPDX-License-Identifier: Apache-2.0 */
/* rules_snp.c: SEV-SNP reports for the test of every policy field: all products, both keys. */
#include "rules_case.h"
#include "snp/snp_rig.h"

/* What reports of today leave zero, set, so that each rule has something to look at. */
static void fill(struct snp_rig *rig)
{
    uint8_t *report = rig->report;
    bool turin = rig->product == SNP_TURIN;
    report[0x004] = 9;
    memcpy(report + 0x008, turin ? "\x1f\x01\xff\x03" : "\x1f\x00\xd3\x02", 4);
    memset(report + 0x010, 0x31, 16);
    memset(report + 0x020, 0x32, 16);
    report[0x030] = turin ? 3 : 1;
    memcpy(report + 0x040, turin ? "\xe7\x01" : "\x3c\x00", 2);
    report[0x048] |= 1;
    memset(report + 0x0c0, 0x41, 32);
    memset(report + 0x0e0, 0x42, 48);
    memset(report + 0x110, 0x43, 48);
    memset(report + 0x160, turin ? 0x44 : 0xff, 32);
    if (report[0] >= 5) {
        report[0x1f8] = 0x0b;
        report[0x200] = 0x1b;
    }
}

static csn_err appraise(const struct csv_policy *policy, struct csv_verdict **verdict,
                        struct snp_rig *rig, enum snp_product product, uint32_t version, bool vlek)
{
    struct csv_policy *any = NULL;
    if (rig->vek == NULL) {
        snp_rig_init(rig, product, version, vlek);
        if (version > 2) {
            fill(rig);
        }
        snp_rig_sign(rig);
    }
    if (policy == NULL) {
        assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    }
    struct csv_input *input = snp_rig_input(rig);
    csn_err result = csv_appraise(policy != NULL ? policy : any, input, CSV_FORMAT_SNP, verdict);
    csv_input_free(input);
    csv_policy_free(any);
    return result;
}

static csn_err plain(const struct csv_policy *policy, struct csv_verdict **verdict)
{
    static struct snp_rig rig;
    return appraise(policy, verdict, &rig, SNP_MILAN, 2, false);
}

static csn_err milan(const struct csv_policy *policy, struct csv_verdict **verdict)
{
    static struct snp_rig rig;
    return appraise(policy, verdict, &rig, SNP_MILAN, 4, false);
}

static csn_err genoa(const struct csv_policy *policy, struct csv_verdict **verdict)
{
    static struct snp_rig rig;
    return appraise(policy, verdict, &rig, SNP_GENOA, 5, true);
}

static csn_err turin(const struct csv_policy *policy, struct csv_verdict **verdict)
{
    static struct snp_rig rig;
    return appraise(policy, verdict, &rig, SNP_TURIN, 5, false);
}

static const struct rules_case cases[] = {
    {"milan-v2", CSV_FORMAT_SNP, plain},
    {"milan-v4", CSV_FORMAT_SNP, milan},
    {"genoa-v5-vlek", CSV_FORMAT_SNP, genoa},
    {"turin-v5", CSV_FORMAT_SNP, turin},
};
const struct rules_cases rules_snp = {cases, sizeof cases / sizeof cases[0]};
