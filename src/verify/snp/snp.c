/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp.c: AMD SEV-SNP attestation reports, the steps in their order.
 *
 * Form, keys, chain, signature, agreement of the certificate with the report, order of the four TCB
 * versions, guest policy, freshness. What the relying party wants of the values is in snp_rules.c.
 */
#include "verify/snp/snp_rules.h"
#include "verify/snp/snp_vek.h"
#include <string.h>

static bool recognise(struct csv_bytes evidence)
{
    return evidence.size == CSV_SNP_REPORT_SIZE && csv_snp_version(evidence.at) >= 1 &&
           csv_snp_version(evidence.at) < 256 && csv_le(evidence.at + CSV_SNP_ALGORITHM, 4) <= 255;
}

/* By CPUID where reports carry it, else by the certificate, whose chain is checked later. */
static const struct csv_snp_product *product_of(const uint8_t *report,
                                                const struct csv_snp_vek *vek)
{
    if (csv_snp_version(report) >= 3) {
        return csv_snp_product_by_cpuid(report[CSV_SNP_CPUID], report[CSV_SNP_CPUID + 1]);
    }
    return vek->read ? csv_snp_product_by_name(vek->product) : NULL;
}

static void check_product(struct csv_case *appraisal, const struct csv_snp_vek *vek,
                          const struct csv_snp_product *product)
{
    const char *expected = product != NULL ? product->name : "a product that is known";
    bool same = product != NULL && csv_snp_product_by_name(vek->product) == product &&
                vek->struct_version == product->struct_version;
    csv_note_if(appraisal, "snp.product", same, expected,
                csv_text(appraisal->arena, "%s, structure %u", vek->product,
                         (unsigned)vek->struct_version));
}

static void check_levels(struct csv_case *appraisal, const struct csv_snp_vek *vek,
                         const uint8_t *report)
{
    const uint8_t *reported = report + CSV_SNP_REPORTED_TCB;
    csv_note_bytes(appraisal, "snp.tcb-vek", memcmp(vek->levels, reported, CSV_SNP_TCB_SIZE) == 0,
                   reported, vek->levels, CSV_SNP_TCB_SIZE);
}

/* A VCEK is of one chip; a VLEK is of one cloud and of no chip. */
static void check_chip(struct csv_case *appraisal, const struct csv_snp_vek *vek,
                       const uint8_t *report, size_t hwid_size, bool vlek)
{
    const uint8_t *chip = report + CSV_SNP_CHIP_ID;
    if (vlek) {
        csv_note_if(appraisal, "snp.vlek", vek->csp != NULL && vek->hwid.size == 0,
                    "a cloud's name and no chip identity",
                    vek->csp != NULL ? vek->csp : "no cloud's name");
        return;
    }
    bool same = vek->csp == NULL && vek->hwid.size == hwid_size &&
                memcmp(vek->hwid.at, chip, hwid_size) == 0 &&
                csv_is_zero(chip + hwid_size, 64 - hwid_size);
    csv_note_if(appraisal, "snp.chip-id", same, csv_text_hex(appraisal->arena, chip, 64),
                csv_text_hex(appraisal->arena, vek->hwid.at, vek->hwid.size));
}

static void check_vek(struct csv_case *appraisal, const uint8_t *report, struct csv_certs *certs,
                      struct csv_snp_vek *vek)
{
    bool vlek = csv_snp_signing_key(report) == CSV_SNP_KEY_VLEK;
    if (csv_snp_vek_find(appraisal, vlek, certs, vek)) {
        csv_snp_vek_read(appraisal, vek);
    }
    const struct csv_snp_product *product = product_of(report, vek);
    if (product != NULL) {
        csv_snp_product_claims(appraisal, report, product);
    }
    if (vek->cert == NULL) {
        return;
    }
    csv_snp_chain_check(appraisal, vek, certs, product, vlek);
    csv_snp_signature_check(appraisal, vek, report);
    if (vek->read) {
        check_levels(appraisal, vek, report);
        check_product(appraisal, vek, product);
        check_chip(appraisal, vek, report, product != NULL ? product->hwid_size : 64, vlek);
    }
}

/* Each component of one TCB version is at most that of the other. */
static bool is_within(const uint8_t *report, unsigned low, unsigned high)
{
    bool within = true;
    for (size_t i = 0; i < CSV_SNP_TCB_SIZE; i++) {
        within = within && report[low + i] <= report[high + i];
    }
    return within;
}

static void check_order(struct csv_case *appraisal, const uint8_t *report)
{
    const char *fault =
        !is_within(report, CSV_SNP_REPORTED_TCB, CSV_SNP_COMMITTED_TCB)  ? "REPORTED > COMMITTED"
        : !is_within(report, CSV_SNP_COMMITTED_TCB, CSV_SNP_CURRENT_TCB) ? "COMMITTED > CURRENT"
        : !is_within(report, CSV_SNP_LAUNCH_TCB, CSV_SNP_CURRENT_TCB)    ? "LAUNCH > CURRENT"
                                                                         : NULL;
    csv_note_if(appraisal, "snp.tcb-order", fault == NULL,
                "REPORTED <= COMMITTED <= CURRENT, LAUNCH <= CURRENT",
                fault == NULL ? "in order" : fault);
}

static void appraise(struct csv_case *appraisal, struct csv_bytes evidence)
{
    struct csv_certs certs = {.appraisal = appraisal};
    struct csv_snp_vek vek = {0};
    const uint8_t *report = evidence.at;
    if (!csv_snp_check_form(appraisal, evidence)) {
        return;
    }
    csv_snp_claims(appraisal, report);
    check_vek(appraisal, report, &certs, &vek);
    check_order(appraisal, report);
    bool set = (report[CSV_SNP_POLICY + 2] & 2) != 0;
    csv_note_if(appraisal, "snp.policy-reserved", set, "bit 17 of the guest policy is 1",
                set ? "1" : "0");
    csv_check_report_data(appraisal, report + CSV_SNP_REPORT_DATA);
}

static const char *const launch_claims[] = {"measurement", NULL};

const struct csv_format csv_format_snp = {
    .id = CSV_FORMAT_SNP,
    .name = "snp",
    .recognise = recognise,
    .appraise = appraise,
    .rules = csv_snp_rules,
    .rule_count = CSV_SNP_RULE_COUNT,
    .catalogue = {csv_snp_entries, CSV_SNP_ENTRY_COUNT},
    .launch_claims = launch_claims,
};
