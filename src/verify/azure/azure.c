/* SPDX-License-Identifier: Apache-2.0 */
/*
 * azure.c: Azure's confidential virtual machines: a hardware report vouches for the paravisor and,
 * through its report data, for the JSON behind it; that names the virtual TPM's attestation key;
 * and that key signs a fresh quote of the PCRs.
 *
 * The paravisor makes the JSON, so the report must be its own: on SEV-SNP one of VMPL 0 (the guest
 * runs at VMPL 2 and could put any JSON under a report of its own). On TDX the report inside has no
 * signature, only a MAC of that machine: a TD quote of the same TD and report data stands beside
 * it.
 */
#include "verify/appraise.h"
#include "verify/azure/azure_rules.h"
#include "verify/azure/hcl.h"
#include "verify/parse/read.h"
#include "verify/text.h"
#include "verify/tpm/ak.h"
#include "verify/tpm/tpm.h"
#include "verify/x509/signing_key.h"
#include <string.h>

/* ---- what the JSON says ---- */

/* A text of at most 512 bytes as it stands; NULL: not there, or another thing. */
static const char *text_of(struct csv_case *appraisal, const struct csv_json_view *view,
                           uint32_t object, const char *name)
{
    uint32_t value = csv_json_member(view, object, name);
    struct csv_bytes raw = csv_json_raw(view, value);
    if (!csv_json_is(view, value, CSN_JSON_STRING) || raw.size > 512) {
        return NULL;
    }
    return csv_text_foreign(appraisal->arena, raw.at + 1, raw.size - 2);
}

static void claim_text(struct csv_case *appraisal, const struct csv_json_view *view,
                       uint32_t object, const char *name, const char *claim)
{
    const char *text = text_of(appraisal, view, object, name);
    if (text != NULL) {
        csv_claim_text(appraisal, claim, text);
    }
}

/* Claimed true only where the JSON says so, or, with doubtful, where it does not say false: what is
 * left out counts as the worse. */
static void claim_bool(struct csv_case *appraisal, const struct csv_json_view *view,
                       uint32_t object, const char *name, const char *claim, bool doubtful)
{
    uint32_t member = csv_json_member(view, object, name);
    csv_claim_bool(appraisal, claim,
                   doubtful ? !csv_json_is(view, member, CSN_JSON_FALSE)
                            : csv_json_is(view, member, CSN_JSON_TRUE));
}

static void claim_user_data(struct csv_case *appraisal, const struct csv_json_view *view)
{
    uint8_t bytes[64];
    bool given = csv_json_hex(view, csv_json_member(view, 0, "user-data"), bytes, sizeof bytes);
    claim_text(appraisal, view, 0, "user-data", "user_data");
    if (given) {
        csv_claim_bytes(appraisal, "user_data_bytes", bytes, sizeof bytes);
        csv_claim_hide(appraisal);
    }
}

static void claim_json(struct csv_case *appraisal, const struct csv_json_view *view)
{
    uint32_t config = csv_json_member(view, 0, "vm-configuration");
    claim_text(appraisal, view, config, "vmUniqueId", "vm_unique_id");
    claim_text(appraisal, view, config, "root-cert-thumbprint", "root_cert_thumbprint");
    claim_bool(appraisal, view, config, "secure-boot", "secure_boot", false);
    claim_bool(appraisal, view, config, "console-enabled", "console_enabled", true);
    claim_bool(appraisal, view, config, "tpm-enabled", "tpm_enabled", false);
    claim_bool(appraisal, view, config, "tpm-persisted", "tpm_persisted", false);
    claim_user_data(appraisal, view);
}

/* A key that the caller brought must be the one that the hardware vouches for. */
static bool check_given_key(struct csv_case *appraisal, EVP_PKEY *key)
{
    if (csv_part(appraisal->input, CSV_PART_AK, 0) == NULL) {
        return true;
    }
    const struct csv_part *part = csv_need_part(appraisal, CSV_PART_AK, "hcl.ak-agrees", "one key");
    EVP_PKEY *given = part != NULL ? csv_tpm_ak_read(appraisal, part->bytes) : NULL;
    bool same = given != NULL && EVP_PKEY_eq(given, key) == 1;
    EVP_PKEY_free(given);
    return csv_note_if(appraisal, "hcl.ak-agrees", same, "the key in the report",
                       same ? "the same" : "another key");
}

/* The virtual TPM's attestation key, to be freed; NULL: noted why there is none. */
static EVP_PKEY *open_json(struct csv_case *appraisal, const struct csv_hcl *hcl)
{
    struct csv_json_view view;
    const char *why = NULL;
    uint8_t digest[32];
    bool opened = csv_json_open(&view, hcl->json, appraisal->arena, &why) &&
                  csv_json_is(&view, 0, CSN_JSON_OBJECT);
    if (!csv_note_if(appraisal, "hcl.json", opened, "a JSON object, no name twice",
                     opened ? "well formed" : why)) {
        return NULL;
    }
    claim_json(appraisal, &view);
    EVP_PKEY *key = csv_hcl_ak(&view, &why);
    const char *fault = key != NULL ? csv_key_fault(key) : why;
    if (key != NULL && csv_key_sha256(key, digest)) {
        csv_claim_bytes(appraisal, "ak_sha256", digest, sizeof digest);
    }
    if (!csv_note_if(appraisal, "hcl.ak", fault == NULL, "one RSA key HCLAkPub that signs",
                     fault == NULL ? "one" : fault) ||
        !check_given_key(appraisal, key)) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

/* ---- the hardware ---- */

/* The inner format's steps and the policy's rules for it; its report data must bind the JSON. */
static void run_hardware(struct csv_case *appraisal, uint32_t format, struct csv_bytes evidence,
                         const uint8_t report_data[64])
{
    struct csv_case inner = *appraisal;
    inner.wrapped = true;
    memcpy(inner.report_data, report_data, sizeof inner.report_data);
    csv_run_format(&inner, csv_format(format), evidence);
}

static void check_snp(struct csv_case *appraisal, const struct csv_hcl *hcl,
                      const uint8_t report_data[64])
{
    uint64_t vmpl = csv_le(hcl->report.at + 0x30, 4);
    csv_note_if(appraisal, "hcl.vmpl", vmpl == 0, "VMPL 0: the paravisor's own report",
                csv_text(appraisal->arena, "VMPL %llu", (unsigned long long)vmpl));
    run_hardware(appraisal, CSV_FORMAT_SNP, hcl->report, report_data);
}

/* Where the TDREPORT has what the TD quote claims under these names. */
static const struct {
    const char *claim;
    uint16_t offset;
    uint16_t size;
} td_fields[] = {
    {"report_data", 128, 64},  {"tee_tcb_svn", 264, 16},    {"mrseam", 280, 48},
    {"mrsignerseam", 328, 48}, {"seam_attributes", 376, 8}, {"td_attributes", 512, 8},
    {"xfam", 520, 8},          {"mrtd", 528, 48},           {"mrconfigid", 576, 48},
    {"mrowner", 624, 48},      {"mrownerconfig", 672, 48},  {"rtmr0", 720, 48},
    {"rtmr1", 768, 48},        {"rtmr2", 816, 48},          {"rtmr3", 864, 48},
};

/* The first field that differs; NULL: none does. */
static const char *td_difference(const struct csv_case *appraisal, const uint8_t *report)
{
    for (size_t i = 0; i < sizeof td_fields / sizeof td_fields[0]; i++) {
        const struct csv_claim *claim = csv_claim_find(appraisal, td_fields[i].claim);
        if (claim == NULL || claim->kind != CSV_CLAIM_BYTES || claim->size != td_fields[i].size ||
            memcmp(claim->bytes, report + td_fields[i].offset, claim->size) != 0) {
            return td_fields[i].claim;
        }
    }
    return NULL;
}

/* TDREPORT: its type, its own digests, and zeros to the end of its slot. */
static const char *td_report_fault(const struct csv_hcl *hcl)
{
    uint8_t tcb[48];
    uint8_t info[48];
    const uint8_t *report = hcl->report.at;
    if (EVP_Digest(report + 256, 239, tcb, NULL, EVP_sha384(), NULL) != 1 ||
        EVP_Digest(report + 512, 512, info, NULL, EVP_sha384(), NULL) != 1) {
        return "libcrypto failed";
    }
    return report[0] != 0x81                                      ? "not a TDREPORT (type)"
           : memcmp(report + 32, tcb, sizeof tcb) != 0            ? "another digest of TEE_TCB_INFO"
           : memcmp(report + 80, info, sizeof info) != 0          ? "another digest of TDINFO"
           : !csv_is_zero(report + 1024, hcl->report.size - 1024) ? "something behind its end"
                                                                  : NULL;
}

static void check_tdx(struct csv_case *appraisal, const struct csv_hcl *hcl,
                      const uint8_t report_data[64])
{
    const struct csv_part *part = csv_need_part(appraisal, CSV_PART_TD_QUOTE, "hcl.td-quote",
                                                "the TD quote that belongs to the report");
    const char *fault = td_report_fault(hcl);
    if (part == NULL) {
        return;
    }
    run_hardware(appraisal, CSV_FORMAT_TDX, part->bytes, report_data);
    fault = fault != NULL ? fault : td_difference(appraisal, hcl->report.at);
    csv_note_if(appraisal, "hcl.td-report", fault == NULL, "what the TD quote says",
                fault == NULL ? "the same" : csv_text(appraisal->arena, "differs: %s", fault));
}

/* ---- all together ---- */

static void check_quote(struct csv_case *appraisal, EVP_PKEY *key, const char *section)
{
    struct csv_tpm_quote quote;
    const char *why = NULL;
    const struct csv_part *part =
        csv_need_part(appraisal, CSV_PART_TPM_QUOTE, "tpm.quote", "a quote of the virtual TPM");
    if (part == NULL) {
        return;
    }
    bool read = csv_tpm_quote_read(part->bytes, &quote, &why);
    if (csv_note_if(appraisal, "tpm.framing", read, "TPMS_ATTEST of a quote",
                    read ? "well formed" : why)) {
        csv_tpm_quote_claims(appraisal, &quote);
        csv_claim_text(appraisal, "pcr_select", csv_tpm_selection_text(appraisal->arena, &quote));
        csv_tpm_quote_check(appraisal, &quote, key, section);
    }
}

static void appraise(struct csv_case *appraisal, struct csv_bytes evidence, uint32_t report_type,
                     const char *section)
{
    struct csv_hcl hcl;
    const char *why = NULL;
    uint8_t report_data[64];
    bool read = csv_hcl_read(evidence, &hcl, &why);
    if (read && hcl.report_type != report_type) {
        read = false;
        why = "a report of another hardware";
    }
    if (!csv_note_if(appraisal, "hcl.framing", read, "an HCL report", read ? "well formed" : why)) {
        return;
    }
    csv_claim_number(appraisal, "hcl_version", hcl.version);
    csv_claim_text(appraisal, "report_type", report_type == CSV_HCL_SNP ? "SNP" : "TDX");
    csv_claim_number(appraisal, "hash_type", hcl.hash_type);
    csv_claim_number(appraisal, "var_len", hcl.json.size);
    if (!csv_hcl_report_data(&hcl, report_data)) {
        csv_note(appraisal, "hcl.json", CSV_MISSING, "a digest", "libcrypto failed");
        return;
    }
    if (report_type == CSV_HCL_SNP) {
        check_snp(appraisal, &hcl, report_data);
    } else {
        check_tdx(appraisal, &hcl, report_data);
    }
    EVP_PKEY *key = open_json(appraisal, &hcl);
    check_quote(appraisal, key, section);
    EVP_PKEY_free(key);
}

static bool recognise_snp(struct csv_bytes evidence)
{
    return csv_hcl_recognise(evidence, CSV_HCL_SNP);
}

static bool recognise_tdx(struct csv_bytes evidence)
{
    return csv_hcl_recognise(evidence, CSV_HCL_TDX);
}

static void appraise_snp(struct csv_case *appraisal, struct csv_bytes evidence)
{
    appraise(appraisal, evidence, CSV_HCL_SNP, "azure-snp");
}

static void appraise_tdx(struct csv_case *appraisal, struct csv_bytes evidence)
{
    appraise(appraisal, evidence, CSV_HCL_TDX, "azure-tdx");
}

/* The paravisor and what it booted. Azure's TDs have the whole paravisor in MRTD; RTMRs stay under
 * the rules of [tdx]. */
static const char *const snp_launch_claims[] = {"measurement", "pcr_select", "pcr_digest", NULL};
static const char *const tdx_launch_claims[] = {"mrtd", "pcr_select", "pcr_digest", NULL};

const struct csv_format csv_format_azure_snp = {
    .id = CSV_FORMAT_AZURE_SNP,
    .name = "azure-snp",
    .recognise = recognise_snp,
    .appraise = appraise_snp,
    .rules = csv_azure_rules_snp,
    .rule_count = CSV_AZURE_RULE_COUNT,
    .catalogue = {csv_azure_entries, CSV_AZURE_ENTRY_COUNT},
    .launch_claims = snp_launch_claims,
};

const struct csv_format csv_format_azure_tdx = {
    .id = CSV_FORMAT_AZURE_TDX,
    .name = "azure-tdx",
    .recognise = recognise_tdx,
    .appraise = appraise_tdx,
    .rules = csv_azure_rules_tdx,
    .rule_count = CSV_AZURE_RULE_COUNT,
    .catalogue = {csv_azure_entries, CSV_AZURE_ENTRY_COUNT},
    .launch_claims = tdx_launch_claims,
};
