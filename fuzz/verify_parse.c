/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_parse.c: hostile bytes against the verifier's parsers alone: no key is made, no signature
 * checked, nothing allocated, so that millions of inputs are tried where a whole appraisal gets
 * through a hundred a second.
 *
 * parsers.h has the choice of a parser and the time that it may take. Oracles: every slice that a
 * parser hands out lies in the input or in what was taken from the arena; what is read strictly is
 * written again to the same text.
 */
#include "parsers.h"
#include "verify/azure/hcl.h"
#include "verify/caisson/bundle.h"
#include "verify/cca/cca_token.h"
#include "verify/cmw.h"
#include "verify/dcap/qe_identity.h"
#include "verify/gcs/gcs_claims.h"
#include "verify/gcs/jwt.h"
#include "verify/nitro/nitro_document.h"
#include "verify/policy/policy.h"
#include "verify/snp/snp_report.h"
#include "verify/tcg/ccel.h"
#include "verify/text.h"
#include "verify/tpm/pcrs.h"
#include "verify/x509/pem.h"
#include <stdio.h>
#include <stdlib.h>

#define ARENA_SIZE ((size_t)4 << 20) /* the nodes of a text of commas fit */

/* One run: all of it static, and empty again before the next. */
static _Alignas(16) uint8_t memory[ARENA_SIZE];
static struct csv_arena arena = {.base = memory, .size = sizeof memory};
static struct csv_verdict verdict;
static struct csv_policy policy;
static struct csv_case appraisal = {.arena = &arena, .policy = &policy, .verdict = &verdict};
static struct csv_bytes input;
static const char *why;

static bool lies_in(struct csv_bytes slice, const uint8_t *base, size_t size)
{
    uintptr_t start = (uintptr_t)base;
    uintptr_t at = (uintptr_t)slice.at;
    return at >= start && at - start <= size && slice.size <= size - (at - start);
}

static void check_slice(struct csv_bytes slice)
{
    CHECK(slice.size == 0 || lies_in(slice, input.at, input.size) ||
          lies_in(slice, arena.base, arena.used));
}

static void check_slices(const struct csv_bytes *slices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_slice(slices[i]);
    }
}

static void check_fixed(const uint8_t *at, size_t size)
{
    CHECK(at != NULL);
    check_slice((struct csv_bytes){at, size});
}

/* What was claimed must outlive the input's parser: bytes are copies. */
static void check_claims(void)
{
    CHECK(verdict.claim_count <= CSV_CLAIM_COUNT_MAX);
    CHECK(verdict.finding_count <= CSV_FINDING_COUNT_MAX);
    for (size_t i = 0; i < verdict.claim_count; i++) {
        const struct csv_claim *claim = &verdict.claims[i];
        if (claim->kind == CSV_CLAIM_BYTES && claim->bytes != NULL && !arena.full) {
            CHECK(lies_in((struct csv_bytes){claim->bytes, claim->size}, arena.base, arena.used));
        }
        CHECK(claim->kind != CSV_CLAIM_TEXT || claim->text != NULL);
    }
}

/* ---- DER and PEM ---- */

static void run_cert(void)
{
    struct csv_cert cert;
    struct csv_pck pck;
    struct csv_bytes value;
    size_t size = 0;
    if (!csv_cert_read(&cert, input, &size)) {
        return;
    }
    CHECK(size <= input.size && cert.key == NULL && cert.self_signed == 0);
    const struct csv_bytes slices[] = {cert.signed_part, cert.serial, cert.issuer,
                                       cert.subject,     cert.spki,   cert.extensions,
                                       cert.signature};
    check_slices(slices, sizeof slices / sizeof slices[0]);
    CHECK(strlen(csv_common_name(&cert, &arena)) <= input.size);
    CHECK(strlen(csv_time_text(&arena, cert.not_after)) != 0);
    if (csv_extension(&cert, "2.5.29.14", &value)) {
        check_slice(value);
    }
    CHECK(!csv_pck_read(&cert, &pck) || csv_pck_is(&cert));
}

static void run_crl(void)
{
    struct csv_crl crl;
    if (!csv_crl_read(&crl, input, &arena)) {
        return;
    }
    const struct csv_bytes slices[] = {crl.signed_part, crl.issuer, crl.entries, crl.signature};
    check_slices(slices, sizeof slices / sizeof slices[0]);
    CHECK(csv_crl_count(&crl) <= crl.entries.size / 2);
}

static void run_pem(void)
{
    struct csv_bytes left = input;
    struct csv_bytes content;
    size_t before = left.size + 1;
    while (left.size < before && csv_pem_next(&left, "CERTIFICATE", &arena, &content)) {
        check_slice(left);
        check_slice(content);
        before = left.size;
    }
}

/* ---- CBOR ---- */

/* Goes through all of an item; its depth was checked when it was opened. */
static void walk_cbor(const struct csv_cbor *root)
{
    struct csv_reader stack[CSV_CBOR_DEPTH_MAX + 1];
    size_t depth = 0;
    stack[depth++] = csv_read(root->whole);
    while (depth != 0) {
        struct csv_reader *reader = &stack[depth - 1];
        struct csv_cbor item;
        int64_t number;
        if (reader->left == 0) {
            depth--;
            continue;
        }
        CHECK(csv_cbor_next(reader, &item));
        check_slice(item.whole);
        check_slice(item.bytes);
        CHECK(!csv_cbor_integer(&item, &number) || item.kind <= CSV_CBOR_NINT);
        if (item.kind >= CSV_CBOR_ARRAY && item.kind <= CSV_CBOR_TAG) {
            CHECK(depth < sizeof stack / sizeof stack[0]);
            stack[depth++] = csv_cbor_inside(&item);
        }
    }
}

static void run_cbor(void)
{
    struct csv_cbor item;
    if (csv_cbor_open(input, &item, &why)) {
        CHECK(item.whole.size == input.size);
        walk_cbor(&item);
        (void)csv_cbor_at(&item, 1, &item);
        (void)csv_cbor_named(&item, "a", &item);
    }
}

static void check_cose(const struct csv_cose *cose)
{
    const struct csv_bytes slices[] = {cose->protected_header, cose->payload, cose->signature,
                                       cose->unprotected.whole};
    check_slices(slices, sizeof slices / sizeof slices[0]);
    CHECK(csv_cose_algorithm_name(cose->algorithm) != NULL);
}

static void run_cose(void)
{
    struct csv_cose cose;
    if (csv_cose_open(input, &cose, &why)) {
        check_cose(&cose);
    }
}

static void run_nitro(void)
{
    struct csv_nitro document = {0};
    if (!csv_nitro_read(input, &arena, &document, &why)) {
        return;
    }
    const struct csv_bytes slices[] = {document.certificate, document.public_key,
                                       document.user_data, document.nonce};
    check_slices(slices, sizeof slices / sizeof slices[0]);
    check_slices(document.pcrs, CSV_NITRO_PCR_COUNT);
    CHECK(document.bundle_count <= CSV_NITRO_BUNDLE_COUNT_MAX);
    check_slices(document.bundle, document.bundle_count);
}

/* The token, and the input itself as either half's payload. */
static void run_cca(void)
{
    struct csv_cose halves[2];
    struct csv_cca_platform platform = {0};
    struct csv_cca_realm realm = {0};
    if (csv_cca_open(input, &halves[0], &halves[1], &why)) {
        check_cose(&halves[0]);
        check_cose(&halves[1]);
    }
    if (csv_cca_read_platform(input, &arena, &platform, &why)) {
        const struct csv_bytes slices[] = {platform.nonce, platform.implementation_id,
                                           platform.instance_id, platform.config};
        check_slices(slices, sizeof slices / sizeof slices[0]);
        CHECK(platform.component_count <= CSV_CCA_COMPONENT_COUNT_MAX);
    }
    if (csv_cca_read_realm(input, &arena, &realm, &why)) {
        const struct csv_bytes slices[] = {realm.challenge, realm.personalization, realm.rak,
                                           realm.rim};
        check_slices(slices, sizeof slices / sizeof slices[0]);
        check_slices(realm.rem, CSV_CCA_REM_COUNT);
    }
}

static void run_cmw(void)
{
    struct csv_cmw cmw = {0};
    if (!csv_cmw_recognise(input) || !csv_cmw_read(input, &arena, &cmw, &why)) {
        return;
    }
    CHECK(cmw.count <= CSV_CMW_ITEM_COUNT_MAX);
    for (size_t i = 0; i < cmw.count; i++) {
        check_slice(cmw.items[i].value);
        (void)csv_cmw_kind(&cmw.items[i]);
    }
}

/* ---- JSON and tokens ---- */

static void run_json(void)
{
    struct csv_json_view view;
    if (!csv_json_open(&view, input, &arena, &why)) {
        return;
    }
    for (uint32_t i = 0; i < view.json.node_count; i++) {
        uint64_t number;
        uint32_t next = csv_json_next(&view, i);
        CHECK(next == CSV_JSON_NONE || (next > i && next < view.json.node_count));
        CHECK(lies_in(csv_json_raw(&view, i), input.at, input.size));
        CHECK(!csv_json_number(&view, i, &number) || csv_json_is(&view, i, CSN_JSON_NUMBER));
        const char *text = csv_json_text(&view, i, &arena);
        CHECK(text == NULL || csv_json_is(&view, i, CSN_JSON_STRING));
    }
    (void)csv_json_member(&view, 0, "a");
}

static void run_jwt(void)
{
    struct csv_jwt jwt;
    if (csv_jwt_read(input, &arena, &jwt, &why)) {
        const struct csv_bytes slices[] = {jwt.message, jwt.header, jwt.payload, jwt.signature};
        check_slices(slices, sizeof slices / sizeof slices[0]);
        CHECK(jwt.message.at == input.at && jwt.message.size < input.size);
    }
}

static void run_gcs(void)
{
    struct csv_json_view view;
    if (csv_json_open(&view, input, &arena, &why)) {
        csv_gcs_claims(&appraisal, &view);
    }
}

/* ---- Intel's ---- */

static void run_quote(void)
{
    struct csv_quote quote;
    if (csv_quote_parse(input, &quote) != NULL) {
        return;
    }
    const struct csv_bytes slices[] = {quote.body, quote.signed_bytes, quote.auth, quote.cert,
                                       quote.trailing};
    check_slices(slices, sizeof slices / sizeof slices[0]);
    check_fixed(quote.header, CSV_QUOTE_HEADER_SIZE);
    check_fixed(quote.signature, 64);
    check_fixed(quote.key, 64);
    check_fixed(quote.qe_report, CSV_SGX_BODY_SIZE);
    check_fixed(quote.qe_signature, 64);
    csv_quote_claims(&appraisal, &quote);
}

/* The signed object of a text whose signature nobody looks at. */
static bool open_collateral(const char *name, struct csv_collateral *collateral)
{
    *collateral = (struct csv_collateral){0};
    if (!csv_json_open(&collateral->view, input, &arena, &why)) {
        return false;
    }
    collateral->body = csv_json_member(&collateral->view, 0, name);
    return true;
}

static void run_tcb_info(void)
{
    static uint8_t body[CSV_TD15EX_BODY_SIZE];
    static struct csv_advisories advisories;
    struct csv_collateral collateral;
    if (!open_collateral("tcbInfo", &collateral)) {
        return;
    }
    const struct csv_json_view *view = &collateral.view;
    for (uint8_t tdx = 0; tdx < 3; tdx++) {
        struct csv_pck pck = {.pcesvn = 7};
        struct csv_quote quote = {.version = 4,
                                  .tee_type = tdx != 0 ? CSV_TEE_TDX : CSV_TEE_SGX,
                                  .body_type =
                                      tdx != 0 ? CSV_QUOTE_BODY_TD15EX : CSV_QUOTE_BODY_SGX,
                                  .body = {body, sizeof body}};
        struct csv_tcb_info info = {&appraisal, &collateral, &quote, &pck, 0, &advisories};
        enum csv_tcb status = CSV_TCB_UNKNOWN;
        memset(pck.comp, 7, sizeof pck.comp);
        advisories.count = 0;
        body[1] = tdx == 2; /* a module with levels of its own */
        /* The platform is the text's own, so that its levels are reached. */
        (void)csv_json_hex(view, csv_json_member(view, collateral.body, "fmspc"), pck.fmspc, 6);
        (void)csv_json_hex(view, csv_json_member(view, collateral.body, "pceId"), pck.pceid, 2);
        if (csv_tcb_info_fits(&info) && (tdx == 0 || csv_tcb_info_module(&info)) &&
            csv_tcb_info_status(&info, CSV_TCB_UP_TO_DATE, &status)) {
            CHECK(csv_tcb_name(status) != NULL);
        }
        CHECK(advisories.count <= CSV_ADVISORY_COUNT_MAX);
    }
}

static void run_qe_identity(void)
{
    static struct csv_advisories advisories;
    struct csv_collateral collateral;
    if (!open_collateral("enclaveIdentity", &collateral)) {
        return;
    }
    const struct csv_json_view *view = &collateral.view;
    uint8_t report[CSV_SGX_BODY_SIZE] = {0};
    uint64_t product = 0;
    enum csv_tcb status = CSV_TCB_UNKNOWN;
    uint32_t body = collateral.body;
    struct csv_quote quote = {.qe_report = report};
    quote.tee_type =
        csv_json_says(view, csv_json_member(view, body, "id"), "TD_QE") ? CSV_TEE_TDX : CSV_TEE_SGX;
    /* The enclave is the text's own, so that its levels are reached. */
    (void)csv_json_hex(view, csv_json_member(view, body, "miscselect"), report + 16, 4);
    (void)csv_json_hex(view, csv_json_member(view, body, "attributes"), report + 48, 16);
    (void)csv_json_hex(view, csv_json_member(view, body, "mrsigner"), report + 128, 32);
    (void)csv_json_number(view, csv_json_member(view, body, "isvprodid"), &product);
    report[256] = (uint8_t)product;
    report[257] = (uint8_t)(product >> 8);
    report[258] = 5;
    advisories.count = 0;
    if (csv_qe_identity_check(&appraisal, &collateral, &quote, &advisories, &status)) {
        CHECK(csv_tcb_name(status) != NULL && advisories.count <= CSV_ADVISORY_COUNT_MAX);
    }
}

static void run_ccel(void)
{
    static const uint8_t rtmrs[CSV_RTMR_COUNT * CSV_RTMR_SIZE];
    (void)csv_ccel_check(&appraisal, input, rtmrs);
}

/* ---- AMD's, TPMs, Azure's, our own ---- */

static void run_snp(void)
{
    if (csv_snp_check_form(&appraisal, input)) {
        CHECK(input.size == CSV_SNP_REPORT_SIZE);
        csv_snp_claims(&appraisal, input.at);
    }
}

static void run_tpm_quote(void)
{
    struct csv_tpm_quote quote;
    if (!csv_tpm_quote_read(input, &quote, &why)) {
        return;
    }
    const struct csv_bytes slices[] = {quote.whole, quote.qualified_signer, quote.extra_data,
                                       quote.pcr_digest};
    check_slices(slices, sizeof slices / sizeof slices[0]);
    CHECK(csv_tpm_quote_recognise(input) && quote.selection_count <= CSV_TPM_BANK_COUNT_MAX);
    for (size_t i = 0; i < quote.selection_count; i++) {
        CHECK(quote.selections[i].bank != NULL);
        check_slice(quote.selections[i].bitmap);
    }
    (void)csv_tpm_quote_hash(&quote);
    (void)csv_tpm_selection_text(&arena, &quote);
    csv_tpm_quote_claims(&appraisal, &quote);
}

static void run_tpm_pcrs(void)
{
    static struct csv_tpm_pcrs pcrs;
    memset(&pcrs, 0, sizeof pcrs);
    if (csv_tpm_pcrs_read(input, &pcrs, &why)) {
        (void)csv_tpm_bank(&pcrs, csv_tpm_hash_named("sha256", 6));
    }
}

static void run_hcl(void)
{
    struct csv_hcl hcl;
    if (csv_hcl_read(input, &hcl, &why)) {
        check_slice(hcl.report);
        check_slice(hcl.json);
        CHECK(csv_hcl_recognise(input, hcl.report_type));
    }
}

static void run_evidence(void)
{
    struct csv_bundle bundle;
    if (csv_evidence_parse(input.at, input.size, &bundle, &why) != CSN_OK) {
        return;
    }
    check_fixed(bundle.path, (size_t)bundle.head.path_depth * 32);
    check_fixed(bundle.keys, bundle.head.key_count * sizeof(struct csn_wire_boot_key));
    check_fixed(bundle.platform, bundle.head.platform_size);
    CHECK(strnlen(bundle.head.name, sizeof bundle.head.name) < sizeof bundle.head.name);
}

static void run_birth(void)
{
    struct csv_birth birth;
    if (csv_birth_read(input.at, input.size, &birth) == CSN_OK) {
        check_fixed(birth.public_key, birth.public_size);
        CHECK(strnlen(birth.name, sizeof birth.name) < sizeof birth.name);
        CHECK(csv_birth_type_name(birth.key_type) != NULL);
    }
}

/* ---- texts ---- */

static const char *put_value(void *context, const struct csv_toml_value *value)
{
    const char *fault = NULL;
    if (value->literal.kind != CSV_LITERAL_NONE) {
        (void)csv_policy_put(context, csv_rule_find(value->key), &value->literal, &fault);
    }
    return fault;
}

/* As csv_policy_parse() does it, without a new policy for each. */
static void run_policy(void)
{
    struct csv_policy_mistake mistake = {0};
    policy.arena = arena;
    bool good = csv_toml_read((const char *)input.at, input.size, put_value, &policy, &mistake);
    CHECK(good == (mistake.line == 0));
    CHECK(good || (mistake.column != 0 && mistake.text[0] != 0));
    CHECK(policy.value_count <= CSV_POLICY_VALUE_COUNT_MAX);
    if (good) {
        (void)csv_policy_fault(&policy);
    }
}

static void run_base64(void)
{
    size_t room = input.size / 4 * 3 + 2;
    uint8_t *bytes = malloc(room); /* exact: a byte more is seen */
    size_t size = 0;
    CHECK(bytes != NULL);
    if (csv_base64url_read(input.at, input.size, bytes, &size)) {
        CHECK(size <= room);
        const char *again = csv_text_base64url(&arena, bytes, size);
        CHECK(strlen(again) == input.size && memcmp(again, input.at, input.size) == 0);
    }
    if (csv_base64_read(input.at, input.size, bytes, &size)) {
        CHECK(size <= room && (size + 2) / 3 * 4 == input.size);
    }
    free(bytes);
}

static void run_numbers(void)
{
    uint64_t number;
    int64_t when;
    size_t digits = input.size & ~(size_t)1;
    char *text = csv_take(&arena, input.size + 1, 1);
    uint8_t *bytes = csv_take(&arena, digits / 2 + 1, 1);
    CHECK(text != NULL && bytes != NULL);
    memcpy(text, input.at, input.size);
    (void)csv_number_read(text, &number);
    (void)csv_version_read(text, &number);
    if (csv_hex_read(text, digits, bytes)) {
        const char *again = csv_text_hex(&arena, bytes, digits / 2);
        for (size_t i = 0; i < digits; i++) {
            CHECK(again[i] == text[i] || again[i] == (text[i] | 0x20));
        }
    }
    if (csv_time_read(text, input.size, &when)) {
        CHECK(strcmp(csv_time_text(&arena, when), text) == 0);
    }
}

/* ---- choosing ---- */

static const struct fuzz_parser parsers[] = {
    {"cert", run_cert, 2048},
    {"crl", run_crl, 1024},
    {"pem", run_pem, 4096},
    {"cbor", run_cbor, 1024},
    {"cose", run_cose, 1024},
    {"nitro", run_nitro, 1024},
    {"cca", run_cca, 1024},
    {"cmw", run_cmw, 1024},
    {"json", run_json, 2048},
    {"jwt", run_jwt, 1024},
    {"gcs", run_gcs, 2048},
    {"quote", run_quote, 2560},
    {"tcb_info", run_tcb_info, 3072},
    {"qe", run_qe_identity, 1024},
    {"ccel", run_ccel, 1024},
    {"snp", run_snp, 1216},
    {"tpm_quote", run_tpm_quote, 320},
    {"tpm_pcrs", run_tpm_pcrs, 1024},
    {"hcl", run_hcl, 1536},
    {"evidence", run_evidence, 1280},
    {"policy", run_policy, 2048},
    {"base64", run_base64, 256},
    {"numbers", run_numbers, 96},
    {"birth", run_birth, 1600},
};

static void run_one(void (*run)(void))
{
    csv_give_back(&arena, 0);
    arena.full = false;
    verdict.finding_count = 0;
    verdict.claim_count = 0;
    verdict.result = CSV_VALID;
    memset(&policy, 0, sizeof policy);
    run();
    CHECK(arena.used <= arena.size);
    check_claims();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return parsers_take(parsers, sizeof parsers / sizeof parsers[0], data, size, &input, run_one);
}
