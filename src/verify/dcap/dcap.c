/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dcap.c: SGX and TDX quotes with DCAP collateral.
 *
 * Order: structure; PCK certificate, its chain and lists; TCB info and QE identity; platform; QE
 * report; quote signature; TDX module; level; status. What a failed step leaves undone cannot make
 * the verdict better: a status is computed only from collateral that Intel signed.
 */
#include "verify/dcap/dcap_rules.h"
#include "verify/dcap/qe_identity.h"
#include "verify/digest.h"
#include "verify/ecdsa.h"
#include "verify/parse/read.h"
#include "verify/tcg/ccel.h"
#include <string.h>

struct dcap {
    struct csv_case *appraisal;
    struct csv_quote quote;
    struct csv_certs certs;      /* the PCK's and those above it */
    struct csv_certs signers;    /* of the TCB info */
    struct csv_certs qe_signers; /* of the QE identity, where they are others */
    struct csv_cert *pck_cert;   /* NULL: not known */
    struct csv_pck pck;
    struct csv_collateral tcb_info;
    struct csv_collateral qe_identity;
    bool tcb_info_signed;
    bool qe_identity_signed;
    struct csv_advisories advisories;
    struct csv_advisories qe_advisories;
};

/* ---- structure ---- */

static bool check_structure(struct dcap *dcap, struct csv_bytes evidence, uint32_t tee)
{
    static const uint8_t intel[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                      0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    struct csv_case *appraisal = dcap->appraisal;
    const char *fault = csv_quote_parse(evidence, &dcap->quote);
    if (fault == NULL && dcap->quote.tee_type != tee) {
        fault = "a quote of the other TEE";
    }
    if (!csv_note_if(appraisal, "quote.structure", fault == NULL,
                     tee == CSV_TEE_TDX ? "a TDX quote, version 4 or 5"
                                        : "an SGX quote, version 3 to 5",
                     fault == NULL ? "well formed" : fault)) {
        return false;
    }
    csv_quote_claims(appraisal, &dcap->quote);
    csv_note_bytes(appraisal, "quote.vendor", memcmp(dcap->quote.header + 12, intel, 16) == 0,
                   intel, dcap->quote.header + 12, 16);
    struct csv_bytes trailing = dcap->quote.trailing;
    if (!csv_is_zero(trailing.at, trailing.size)) {
        csv_note(appraisal, "quote.trailing", CSV_FAILED, "nothing but zero bytes after the quote",
                 csv_text(appraisal->arena, "%zu bytes that are not", trailing.size));
    }
    return true;
}

/* ---- the PCK ---- */

/* Certificates of the quote, or those that the caller brought for a quote without. */
static bool gather_certs(struct dcap *dcap)
{
    const struct csv_quote *quote = &dcap->quote;
    struct csv_case *appraisal = dcap->appraisal;
    bool inside = quote->cert_type == CSV_QUOTE_PCK_LEAF || quote->cert_type == CSV_QUOTE_PCK_CHAIN;
    if (inside && !csv_certs_read(&dcap->certs, quote->cert)) {
        return false;
    }
    if (quote->cert_type == CSV_QUOTE_PCK_LEAF && dcap->certs.count != 1) {
        return false;
    }
    return quote->cert_type == CSV_QUOTE_PCK_CHAIN ||
           (csv_collateral_certs(appraisal, "pck_chain", &dcap->certs) &&
            csv_collateral_certs(appraisal, "pck_crl_issuer_chain", &dcap->certs) &&
            csv_certs_read_parts(&dcap->certs, appraisal->input, CSV_PART_CHAIN));
}

static bool find_pck(struct dcap *dcap)
{
    struct csv_case *appraisal = dcap->appraisal;
    if (!gather_certs(dcap)) {
        return csv_note(appraisal, "pck.chain", CSV_FAILED, "certificates", "bytes that are none");
    }
    bool inside = dcap->quote.cert_type >= CSV_QUOTE_PCK_LEAF;
    for (size_t i = 0; i < dcap->certs.count && dcap->pck_cert == NULL; i++) {
        if (inside || csv_pck_is(dcap->certs.at[i])) {
            dcap->pck_cert = dcap->certs.at[i];
        }
    }
    return dcap->pck_cert != NULL ||
           csv_note(appraisal, "pck.chain", CSV_MISSING, "the PCK certificate and its chain",
                    "neither in the quote nor supplied");
}

static bool check_pck_content(struct dcap *dcap)
{
    struct csv_case *appraisal = dcap->appraisal;
    const char *name = csv_common_name(dcap->pck_cert, appraisal->arena);
    bool named = strstr(name, "SGX PCK Certificate") != NULL;
    bool read = csv_pck_read(dcap->pck_cert, &dcap->pck);
    bool curve = csv_ecdsa_is_on(csv_cert_key(dcap->pck_cert), "prime256v1");
    if (read) {
        csv_pck_claims(appraisal, dcap->pck_cert, &dcap->pck);
    }
    return csv_note_if(appraisal, "pck.certificate", named && read && curve,
                       "an SGX PCK certificate with a P-256 key",
                       !named   ? name
                       : !read  ? "an SGX extension that does not parse"
                       : !curve ? "a key of another kind"
                                : "so it is");
}

/* Whose root it is instead of Intel's, for a person to find out. */
static void claim_foreign_root(struct dcap *dcap)
{
    for (size_t i = 0; i < dcap->certs.count; i++) {
        const struct csv_cert *cert = dcap->certs.at[i];
        uint8_t digest[32];
        if (csv_bytes_same(cert->issuer, cert->subject) && csv_spki_sha256(cert, digest)) {
            csv_claim_bytes(dcap->appraisal, "root_spki", digest, sizeof digest);
            return;
        }
    }
}

static void check_pck_chain(struct dcap *dcap)
{
    static const struct csv_chain_options options = {
        .finding = "pck.chain", .roots = &csv_roots_intel, .depth_max = 3};
    struct csv_case *appraisal = dcap->appraisal;
    struct csv_chain chain;
    if (!csv_chain_check(appraisal, dcap->pck_cert, &dcap->certs, &options, &chain)) {
        claim_foreign_root(dcap);
        return;
    }
    const char *ca = chain.count == 3 ? csv_common_name(chain.at[1], appraisal->arena) : "";
    if (strstr(ca, "CA") == NULL) {
        csv_note(appraisal, "pck.chain", CSV_FAILED, "PCK, a PCK CA, root", "another path");
        return;
    }
    csv_collateral_crl(appraisal, "root_ca_crl", chain.at[1], chain.at[2], "pck.ca-revoked");
    csv_collateral_crl(appraisal, "pck_crl", chain.at[0], chain.at[1], "pck.revoked");
}

/* False: nothing that follows from the certificate can be checked. */
static bool check_pck(struct dcap *dcap)
{
    if (!find_pck(dcap) || !check_pck_content(dcap)) {
        return false;
    }
    if (dcap->appraisal->input->time_given) {
        check_pck_chain(dcap);
    }
    return true;
}

/* ---- collateral ---- */

static void check_collateral(struct dcap *dcap)
{
    struct csv_case *appraisal = dcap->appraisal;
    if (!appraisal->input->time_given) {
        return; /* noted; nothing of this holds without a clock */
    }
    bool alone = csv_collateral_part(appraisal->input, "qe_identity_issuer_chain") != NULL;
    /* The second name is that of the PCS's header. */
    const char *stem = csv_collateral_part(appraisal->input, "tcb_info_issuer_chain") != NULL
                           ? "tcb_info_issuer_chain"
                           : "tcb_signing_chain";
    struct csv_cert *signer = csv_collateral_signer(appraisal, stem, &dcap->signers);
    struct csv_cert *qe_signer =
        alone ? csv_collateral_signer(appraisal, "qe_identity_issuer_chain", &dcap->qe_signers)
              : signer;
    dcap->tcb_info_signed =
        csv_collateral_open(appraisal, &csv_tcb_info_kind, signer, &dcap->tcb_info);
    dcap->qe_identity_signed =
        csv_collateral_open(appraisal, &csv_qe_identity_kind, qe_signer, &dcap->qe_identity);
    if (dcap->tcb_info_signed && dcap->qe_identity_signed) {
        uint64_t tcb = dcap->tcb_info.evaluation_number;
        uint64_t qe = dcap->qe_identity.evaluation_number;
        csv_claim_number(appraisal, "tcb_evaluation_data_number", tcb < qe ? tcb : qe);
    }
}

/* ---- signatures ---- */

static void check_qe(struct dcap *dcap)
{
    const struct csv_quote *quote = &dcap->quote;
    struct csv_case *appraisal = dcap->appraisal;
    uint8_t digest[32] = {0};
    uint8_t *text = csv_take(appraisal->arena, 64 + quote->auth.size, 1);
    struct csv_bytes report = {quote->qe_report, CSV_SGX_BODY_SIZE};
    bool good = csv_ecdsa_check(csv_cert_key(dcap->pck_cert), EVP_sha256(), quote->qe_signature, 32,
                                report);
    csv_note_if(appraisal, "qe.signature", good, "signed by the PCK",
                good ? "signed" : "the signature is wrong");
    if (text == NULL) {
        return; /* the frame notes that the arena is full */
    }
    memcpy(text, quote->key, 64);
    memcpy(text + 64, quote->auth.at, quote->auth.size);
    const uint8_t *data = quote->qe_report + 320;
    bool bound = csv_sha256(text, 64 + quote->auth.size, digest) &&
                 memcmp(data, digest, sizeof digest) == 0 && csv_is_zero(data + 32, 32);
    csv_note_if(appraisal, "qe.key", bound,
                "the attestation key's hash in the QE report, then zeros",
                bound ? "so it is" : "something else");
}

static void check_signature(struct dcap *dcap)
{
    const struct csv_quote *quote = &dcap->quote;
    EVP_PKEY *key = csv_ecdsa_key(&dcap->appraisal->verdict->curves, "P-256", quote->key, 32);
    bool good = csv_ecdsa_check(key, EVP_sha256(), quote->signature, 32, quote->signed_bytes);
    csv_note_if(dcap->appraisal, "quote.signature", good, "signed by the attestation key",
                key == NULL ? "a key that is no point of P-256"
                : good      ? "signed"
                            : "the signature is wrong");
    EVP_PKEY_free(key);
}

/* ---- status ---- */

static void merge_advisories(struct dcap *dcap)
{
    struct csv_advisories *all = &dcap->advisories;
    for (size_t i = 0; i < dcap->qe_advisories.count; i++) {
        const char *id = dcap->qe_advisories.ids[i];
        bool known = false;
        for (size_t k = 0; k < all->count; k++) {
            known = known || strcmp(all->ids[k], id) == 0;
        }
        if (!known && all->count < CSV_ADVISORY_COUNT_MAX) {
            all->ids[all->count++] = id;
        }
    }
    const char **ids = csv_take(dcap->appraisal->arena, all->count + 1, sizeof *ids);
    if (ids != NULL) {
        memcpy(ids, all->ids, all->count * sizeof *ids);
        csv_claim_list(dcap->appraisal, "advisories", ids, all->count);
    }
}

static void check_status(struct dcap *dcap)
{
    struct csv_case *appraisal = dcap->appraisal;
    struct csv_tcb_info info = {.appraisal = appraisal,
                                .collateral = &dcap->tcb_info,
                                .quote = &dcap->quote,
                                .pck = &dcap->pck,
                                .advisories = &dcap->advisories};
    enum csv_tcb qe = CSV_TCB_UNKNOWN;
    enum csv_tcb status = CSV_TCB_UNKNOWN;
    bool fits = dcap->tcb_info_signed && csv_tcb_info_fits(&info);
    bool known =
        dcap->qe_identity_signed && csv_qe_identity_check(appraisal, &dcap->qe_identity,
                                                          &dcap->quote, &dcap->qe_advisories, &qe);
    if (!fits || !known || (dcap->quote.tee_type == CSV_TEE_TDX && !csv_tcb_info_module(&info)) ||
        !csv_tcb_info_status(&info, qe, &status)) {
        return;
    }
    merge_advisories(dcap);
    const char *name = csv_tcb_name(status);
    appraisal->verdict->tcb_status = name;
    csv_claim_text(appraisal, "tcb_status", name);
    csv_note_if(appraisal, "tcb.level", status != CSV_TCB_NOT_SUPPORTED,
                "a level that Intel describes", name);
    csv_note_if(appraisal, "tcb.revoked", status != CSV_TCB_REVOKED, "not revoked", name);
}

static void check_event_log(struct dcap *dcap)
{
    const struct csv_part *part = csv_part(dcap->appraisal->input, CSV_PART_EVENT_LOG, 0);
    if (part != NULL && dcap->quote.tee_type == CSV_TEE_TDX) {
        csv_ccel_check(dcap->appraisal, part->bytes, dcap->quote.body.at + 328);
    }
}

static void run(struct dcap *dcap)
{
    struct csv_case *appraisal = dcap->appraisal;
    csv_check_time(appraisal);
    bool pck = check_pck(dcap);
    check_collateral(dcap);
    if (pck) {
        check_qe(dcap);
    }
    check_signature(dcap);
    if (pck) {
        check_status(dcap);
    }
    check_event_log(dcap);
    bool sgx = dcap->quote.tee_type == CSV_TEE_SGX;
    csv_check_report_data(appraisal, dcap->quote.body.at + (sgx ? 320 : 520));
}

static void appraise(struct csv_case *appraisal, struct csv_bytes evidence, uint32_t tee)
{
    struct dcap *dcap = csv_take(appraisal->arena, 1, sizeof *dcap);
    if (dcap == NULL) {
        return; /* the frame notes that the arena is full */
    }
    dcap->appraisal = appraisal;
    dcap->certs.appraisal = appraisal;
    dcap->signers.appraisal = appraisal;
    dcap->qe_signers.appraisal = appraisal;
    if (check_structure(dcap, evidence, tee)) {
        run(dcap);
    }
}

static bool recognise_tdx(struct csv_bytes evidence)
{
    return csv_quote_tee(evidence) == CSV_TEE_TDX;
}

static bool recognise_sgx(struct csv_bytes evidence)
{
    return csv_quote_tee(evidence) == CSV_TEE_SGX;
}

static void appraise_tdx(struct csv_case *appraisal, struct csv_bytes evidence)
{
    appraise(appraisal, evidence, CSV_TEE_TDX);
}

static void appraise_sgx(struct csv_case *appraisal, struct csv_bytes evidence)
{
    appraise(appraisal, evidence, CSV_TEE_SGX);
}

/* What is measured before anything runs that could extend; RTMR3 is the running system's. */
static const char *const tdx_launch_claims[] = {"mrtd", "rtmr0", "rtmr1", "rtmr2", NULL};

const struct csv_format csv_format_tdx = {
    .id = CSV_FORMAT_TDX,
    .name = "tdx",
    .recognise = recognise_tdx,
    .appraise = appraise_tdx,
    .rules = csv_tdx_rules,
    .rule_count = CSV_TDX_RULE_COUNT,
    .catalogue = {csv_dcap_entries, CSV_DCAP_ENTRY_COUNT},
    .launch_claims = tdx_launch_claims,
};

const struct csv_format csv_format_sgx = {
    .id = CSV_FORMAT_SGX,
    .name = "sgx",
    .recognise = recognise_sgx,
    .appraise = appraise_sgx,
    .rules = csv_sgx_rules,
    .rule_count = CSV_SGX_RULE_COUNT,
    .catalogue = {csv_dcap_entries, CSV_DCAP_ENTRY_COUNT},
};
