/* SPDX-License-Identifier: Apache-2.0 */
/* snp_report.c: the form of a report, and its claims. See snp_report.h. */
#include "verify/snp/snp_report.h"

struct span {
    uint16_t at;
    uint16_t end;
};

/* Zero in every version that is known. The lower 24 bits of KEY_INFO's word have a meaning below
 * bit 5 only; that is checked apart. */
static const struct span always_zero[] = {
    {0x04c, 0x050}, {0x18b, 0x1a0}, {0x1eb, 0x1ec}, {0x1ef, 0x1f0},
    {0x208, 0x2a0}, {0x2d0, 0x2e8}, {0x318, 0x4a0},
};
static const struct span zero_without_cpuid = {0x188, 0x18b};
static const struct span zero_without_mit = {0x1f8, 0x208};

static bool span_is_zero(const uint8_t *report, struct span span)
{
    return csv_is_zero(report + span.at, (size_t)(span.end - span.at));
}

/* The offset of reserved bytes that are set; 0: none are. */
static unsigned reserved_fault(const uint8_t *report)
{
    uint32_t version = csv_snp_version(report);
    for (size_t i = 0; i < sizeof always_zero / sizeof always_zero[0]; i++) {
        if (!span_is_zero(report, always_zero[i])) {
            return always_zero[i].at;
        }
    }
    if (version < 3 && !span_is_zero(report, zero_without_cpuid)) {
        return zero_without_cpuid.at;
    }
    if (version < 5 && !span_is_zero(report, zero_without_mit)) {
        return zero_without_mit.at;
    }
    return csv_le(report + CSV_SNP_KEY_INFO, 4) >> 5 != 0 ? CSV_SNP_KEY_INFO : 0;
}

static void check_keys(struct csv_case *appraisal, const uint8_t *report)
{
    unsigned key = csv_snp_signing_key(report);
    bool masked = (csv_le(report + CSV_SNP_KEY_INFO, 4) >> 1 & 1) != 0;
    csv_note_if(appraisal, "snp.mask-chip-key", !masked, "the chip signed the report",
                masked ? "MASK_CHIP_KEY: there is no signature" : "not masked");
    csv_note_if(appraisal, "snp.signing-key", key <= CSV_SNP_KEY_VLEK, "VCEK or VLEK",
                key == CSV_SNP_KEY_VCEK   ? "VCEK"
                : key == CSV_SNP_KEY_VLEK ? "VLEK"
                : key == CSV_SNP_KEY_NONE ? "none"
                                          : "a reserved value");
}

bool csv_snp_check_form(struct csv_case *appraisal, struct csv_bytes evidence)
{
    const uint8_t *report = evidence.at;
    if (!csv_note_if(appraisal, "snp.size", evidence.size == CSV_SNP_REPORT_SIZE, "1184 bytes",
                     csv_text(appraisal->arena, "%zu bytes", evidence.size))) {
        csv_claim_number(appraisal, "length", evidence.size);
        return false;
    }
    uint32_t version = csv_snp_version(report);
    if (!csv_note_if(appraisal, "snp.version", version >= 2 && version <= 5, "version 2, 3, 4 or 5",
                     csv_text(appraisal->arena, "version %u", version))) {
        return false;
    }
    uint64_t algorithm = csv_le(report + CSV_SNP_ALGORITHM, 4);
    csv_note_if(appraisal, "snp.algorithm", algorithm == 1, "1 (ECDSA P-384 with SHA-384)",
                csv_text(appraisal->arena, "%u", (unsigned)algorithm));
    unsigned fault = reserved_fault(report);
    csv_note_if(appraisal, "snp.reserved", fault == 0, "reserved bytes are zero",
                fault == 0 ? "zero" : csv_text(appraisal->arena, "set at or after 0x%x", fault));
    check_keys(appraisal, report);
    return true;
}

static const char *key_name(unsigned key)
{
    return key == CSV_SNP_KEY_VCEK   ? "VCEK"
           : key == CSV_SNP_KEY_VLEK ? "VLEK"
           : key == CSV_SNP_KEY_NONE ? "none"
                                     : "reserved";
}

static void version_claim(struct csv_case *appraisal, const char *name, const uint8_t *at)
{
    /* build, minor, major in this order */
    csv_claim_text(appraisal, name, csv_text(appraisal->arena, "%u.%u.%u", at[2], at[1], at[0]));
}

static void bytes_claims(struct csv_case *appraisal, const uint8_t *report)
{
    static const struct {
        const char *name;
        uint16_t at;
        uint16_t size;
    } fields[] = {
        {"current_tcb", CSV_SNP_CURRENT_TCB, 8},
        {"reported_tcb", CSV_SNP_REPORTED_TCB, 8},
        {"committed_tcb", CSV_SNP_COMMITTED_TCB, 8},
        {"launch_tcb", CSV_SNP_LAUNCH_TCB, 8},
        {"measurement", CSV_SNP_MEASUREMENT, 48},
        {"report_data", CSV_SNP_REPORT_DATA, 64},
        {"host_data", CSV_SNP_HOST_DATA, 32},
        {"family_id", CSV_SNP_FAMILY_ID, 16},
        {"image_id", CSV_SNP_IMAGE_ID, 16},
        {"id_key_digest", CSV_SNP_ID_KEY_DIGEST, 48},
        {"author_key_digest", CSV_SNP_AUTHOR_KEY_DIGEST, 48},
        {"report_id", CSV_SNP_REPORT_ID, 32},
        {"report_id_ma", CSV_SNP_REPORT_ID_MA, 32},
        {"chip_id", CSV_SNP_CHIP_ID, 64},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        csv_claim_bytes(appraisal, fields[i].name, report + fields[i].at, fields[i].size);
    }
}

/* What rules look at, where the field itself would mislead. */
static void facts(struct csv_case *appraisal, const uint8_t *report)
{
    static const uint8_t none[48];
    uint8_t all = 0xff;
    const uint8_t *agent = report + CSV_SNP_REPORT_ID_MA;
    bool author = (report[CSV_SNP_KEY_INFO] & 1) != 0;
    for (size_t i = 0; i < 32; i++) {
        all &= agent[i];
    }
    /* An author's digest counts only where the report says that there is one. */
    csv_claim_bytes(appraisal, "author_key", author ? report + CSV_SNP_AUTHOR_KEY_DIGEST : none,
                    48);
    csv_claim_hide(appraisal);
    csv_claim_bytes(appraisal, "migration_agent", all == 0xff ? none : agent, 32);
    csv_claim_hide(appraisal);
    csv_claim_number(appraisal, "debug_any", csv_le(report + CSV_SNP_POLICY, 8) >> 19 & 1);
    csv_claim_hide(appraisal);
    csv_claim_text(
        appraisal, "abi",
        csv_text(appraisal->arena, "%u.%u", report[CSV_SNP_POLICY + 1], report[CSV_SNP_POLICY]));
    csv_claim_hide(appraisal);
}

void csv_snp_claims(struct csv_case *appraisal, const uint8_t *report)
{
    uint64_t policy = csv_le(report + CSV_SNP_POLICY, 8);
    uint64_t keys = csv_le(report + CSV_SNP_KEY_INFO, 4);
    const uint8_t *cpuid = report + CSV_SNP_CPUID;
    csv_claim_number(appraisal, "version", csv_snp_version(report));
    csv_claim_number(appraisal, "guest_svn", csv_le(report + CSV_SNP_GUEST_SVN, 4));
    csv_claim_word(appraisal, "policy", policy);
    csv_claim_bool(appraisal, "debug", (policy >> 19 & 1) != 0);
    csv_claim_number(appraisal, "vmpl", csv_le(report + CSV_SNP_VMPL, 4));
    csv_claim_text(appraisal, "signing_key", key_name(csv_snp_signing_key(report)));
    csv_claim_bool(appraisal, "mask_chip_key", (keys >> 1 & 1) != 0);
    csv_claim_bool(appraisal, "author_key_en", (keys & 1) != 0);
    csv_claim_word(appraisal, "platform_info", csv_le(report + CSV_SNP_PLATFORM_INFO, 8));
    if (csv_snp_version(report) >= 3) {
        csv_claim_text(appraisal, "cpuid",
                       csv_text(appraisal->arena, "%02x/%02x/%02x", cpuid[0], cpuid[1], cpuid[2]));
    }
    version_claim(appraisal, "fw", report + CSV_SNP_CURRENT_VERSION);
    version_claim(appraisal, "committed_fw", report + CSV_SNP_COMMITTED_VERSION);
    if (csv_snp_version(report) >= 5) {
        csv_claim_word(appraisal, "launch_mit", csv_le(report + CSV_SNP_LAUNCH_MIT, 8));
        csv_claim_word(appraisal, "current_mit", csv_le(report + CSV_SNP_CURRENT_MIT, 8));
    }
    bytes_claims(appraisal, report);
    facts(appraisal, report);
}

/* A claim for each component of one TCB version: "reported.milan.bl". */
static void levels(struct csv_case *appraisal, const char *set, const uint8_t *tcb,
                   const struct csv_snp_product *product)
{
    for (size_t i = 0; i < CSV_SNP_TCB_SIZE; i++) {
        const struct csv_snp_component *component = &product->components[i];
        if (component->name != NULL) {
            csv_claim_number(
                appraisal,
                csv_text(appraisal->arena, "%s.%s.%s", set, product->key, component->name),
                tcb[component->at]);
            csv_claim_hide(appraisal);
        }
    }
}

void csv_snp_product_claims(struct csv_case *appraisal, const uint8_t *report,
                            const struct csv_snp_product *product)
{
    const char *text = "";
    const uint8_t *reported = report + CSV_SNP_REPORTED_TCB;
    for (size_t i = 0; i < CSV_SNP_TCB_SIZE && product->components[i].name != NULL; i++) {
        const struct csv_snp_component *component = &product->components[i];
        text = csv_text(appraisal->arena, "%s%s%s:%u", text, i == 0 ? "" : ",", component->name,
                        reported[component->at]);
    }
    csv_claim_text(appraisal, "product", product->name);
    csv_claim_text(appraisal, "reported_spl", text);
    levels(appraisal, "reported", reported, product);
    levels(appraisal, "committed", report + CSV_SNP_COMMITTED_TCB, product);
    levels(appraisal, "launch", report + CSV_SNP_LAUNCH_TCB, product);
}
