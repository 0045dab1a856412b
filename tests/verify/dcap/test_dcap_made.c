/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dcap_made.c: quotes and collateral of a vendor of our own, for what no published sample
 * shows: each step of the appraisal is failed alone, and all ways in which statuses meet.
 */
#include "dcap_rig.h"
#include <openssl/pem.h>
#include <stdio.h>

static struct dcap_rig rig;

#define INVALID CSN_ERR_EVIDENCE
#define OPEN    CSN_ERR_UNVERIFIED

static void refuse(const char *id)
{
    dcap_rig_expect(&rig, INVALID, id, CSV_FAILED);
}

static void kinds(void **state)
{
    (void)state;
    static const unsigned kinds[][2] = {{3, 1}, {4, 1}, {5, 1}, {4, 2}, {5, 2}, {5, 3}, {5, 4}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        dcap_rig_init(&rig, kinds[i][0], kinds[i][1]);
        dcap_rig_expect_status(&rig, "UpToDate");
        rig.trailing = 70;
        dcap_rig_expect_status(&rig, "UpToDate");
    }
}

static void structure(void **state)
{
    (void)state;
    static const struct {
        unsigned version;
        unsigned body;
        size_t offset;
        uint8_t value;
    } cases[] = {{3, 1, 0, 2}, {3, 1, 0, 6},    {3, 1, 2, 3}, {3, 1, 4, 0x81}, {4, 2, 4, 1},
                 {5, 3, 4, 0}, {5, 1, 4, 0x81}, {4, 2, 2, 0}, {4, 2, 0, 2},    {4, 2, 0, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dcap_rig_init(&rig, cases[i].version, cases[i].body);
        rig.header[cases[i].offset] = cases[i].value;
        refuse("quote.structure");
    }
    dcap_rig_init(&rig, 4, 2);
    rig.header[12] ^= 1;
    refuse("quote.vendor");
}

/* Version 5 says the TEE twice; each format sees one that the body contradicts. */
static void two_tees(void **state)
{
    (void)state;
    static const unsigned bodies[] = {1, 3};
    for (size_t i = 0; i < 2; i++) {
        struct csv_policy *any = NULL;
        struct csv_verdict *verdict = NULL;
        dcap_rig_init(&rig, 5, bodies[i]);
        rig.header[4] = bodies[i] == 1 ? 0x81 : 0;
        dcap_rig_make(&rig);
        struct csv_input *input = dcap_rig_input(&rig);
        assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
        uint32_t other = bodies[i] == 1 ? CSV_FORMAT_TDX : CSV_FORMAT_SGX;
        assert_int_equal(csv_appraise(any, input, other, &verdict), INVALID);
        assert_non_null(table_finding(verdict, "quote.structure", CSV_FAILED));
        csv_verdict_free(verdict);
        csv_input_free(input);
        csv_policy_free(any);
    }
}

static void add_to(uint8_t *at, uint32_t more)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    value += more;
    memcpy(at, &value, sizeof value);
}

/* Bytes that one length counts and the next one does not. */
static void slack(unsigned version, bool inner)
{
    struct csv_verdict *verdict = NULL;
    dcap_rig_init(&rig, version, version == 3 ? 1 : 2);
    rig.trailing = 9;
    dcap_rig_make(&rig);
    size_t signature = version == 3 ? 432 : 632;
    add_to(rig.quote + signature, 9);
    if (inner) {
        add_to(rig.quote + signature + 4 + 128 + 2, 9);
    }
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
    assert_non_null(table_finding(verdict, "quote.structure", CSV_FAILED));
    csv_verdict_free(verdict);
}

static void slacks(void **state)
{
    (void)state;
    slack(3, false);
    slack(4, false);
    slack(4, true);
}

/* Without a checked QE identity there is no status to speak of. */
static void no_status(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct csv_verdict *verdict = NULL;
        dcap_rig_init(&rig, 4, 2);
        rig.qe_identity_signer = i == 0 ? RIG_OTHER : RIG_SIGNER;
        rig.qe_report[128] ^= 1;
        dcap_rig_make(&rig);
        assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
        assert_null(csv_verdict_tcb_status(verdict));
        assert_null(csv_verdict_claim(verdict, "tcb_status"));
        csv_verdict_free(verdict);
    }
}

/* Appraises the quote as it stands, with one number in it moved. */
static void move_number(size_t offset, unsigned size, int by)
{
    struct csv_verdict *verdict = NULL;
    uint32_t value = 0;
    memcpy(&value, rig.quote + offset, size);
    uint32_t moved = value + (uint32_t)by;
    memcpy(rig.quote + offset, &moved, size);
    if (dcap_rig_appraise(&rig, NULL, &verdict) == CSN_OK) {
        fail_msg("length at %zu moved by %d is accepted", offset, by);
    }
    memcpy(rig.quote + offset, &value, size);
    csv_verdict_free(verdict);
}

static void lengths(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 5, 3);
    dcap_rig_make(&rig);
    const size_t signature = 54 + 648;
    const size_t qe = signature + 4 + 128 + 6;
    const struct {
        size_t offset;
        unsigned size;
    } numbers[] = {{48, 2},     {50, 4},       {signature, 4},        {qe - 6, 2},
                   {qe - 4, 4}, {qe + 448, 2}, {qe + 450 + 32 + 2, 4}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        static const int steps[] = {-1, 1, 0x40, -0x40};
        for (size_t k = 0; k < 4; k++) {
            move_number(numbers[i].offset, numbers[i].size, steps[k]);
        }
    }
    size_t whole = rig.quote_size;
    for (rig.quote_size = 1; rig.quote_size < whole; rig.quote_size += 31) {
        struct csv_verdict *verdict = NULL;
        assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
        assert_non_null(table_finding(verdict, "quote.structure", CSV_FAILED));
        csv_verdict_free(verdict);
    }
    rig.trailing = 9;
    dcap_rig_make(&rig);
    rig.quote[rig.quote_size - 1] = 1;
    struct csv_verdict *verdict = NULL;
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
    assert_non_null(table_finding(verdict, "quote.trailing", CSV_FAILED));
    csv_verdict_free(verdict);
}

static void signatures(void **state)
{
    (void)state;
    for (unsigned version = 3; version <= 5; version++) {
        dcap_rig_init(&rig, version, version == 3 ? 1 : version == 4 ? 2 : 3);
        rig.quote_signer = RIG_OTHER;
        refuse("quote.signature");
        rig.quote_signer = RIG_ATTESTATION;
        rig.qe_signer = RIG_OTHER;
        refuse("qe.signature");
        rig.qe_signer = RIG_PCK;
        rig.keep_qe_data = true;
        rig.qe_report[351] ^= 1; /* the report names another key */
        refuse("qe.key");
        rig.keep_qe_data = false;
        rig.qe_report[383] = 1; /* zeros behind the hash */
        refuse("qe.key");
    }
}

/* A point that is on no curve (pitfall 22), and r of zero. */
static void bad_numbers(void **state)
{
    (void)state;
    struct csv_verdict *verdict = NULL;
    dcap_rig_init(&rig, 4, 2);
    dcap_rig_make(&rig);
    const size_t signature = 632 + 4;
    rig.quote[signature + 64 + 63] ^= 1;
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
    assert_non_null(table_finding(verdict, "quote.signature", CSV_FAILED));
    csv_verdict_free(verdict);
    memset(rig.quote + signature, 0, 64);
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
    csv_verdict_free(verdict);
}

static void certificates(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 4, 2);
    rig.pck_name = "Intel SGX TCB Signing";
    refuse("pck.certificate");
    rig.pck_name = "Intel SGX PCK Certificate";
    static const char *const faults[] = {"twice", "missing", "wide", "none"};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        rig.pck_fault = faults[i];
        refuse("pck.certificate");
    }
    rig.pck_fault = "order";
    dcap_rig_expect_status(&rig, "UpToDate");
    rig.pck_fault = NULL;
    rig.comp[5] = 255; /* an INTEGER of two bytes */
    rig.comp[6] = 128;
    dcap_rig_expect_status(&rig, "UpToDate");
}

static void revocation(void **state)
{
    (void)state;
    static const struct {
        enum rig_key key;
        const char *id;
    } cases[] = {
        {RIG_PCK, "pck.revoked"}, {RIG_CA, "pck.ca-revoked"}, {RIG_SIGNER, "collateral.revoked"}};
    for (size_t i = 0; i < 3; i++) {
        dcap_rig_init(&rig, 4, 2);
        rig.revoked = 1u << cases[i].key;
        refuse(cases[i].id);
        for (int shift = -1; shift <= 1; shift += 2) { /* expired, not valid yet */
            dcap_rig_init(&rig, 4, 2);
            rig.list_shift = shift * INT64_C(86401);
            refuse(cases[i].id);
            rig.list_shift = shift * INT64_C(86400);
            dcap_rig_expect_status(&rig, "UpToDate");
        }
    }
    dcap_rig_init(&rig, 4, 2);
    rig.root_list_signer = RIG_OTHER;
    refuse("pck.ca-revoked");
    dcap_rig_init(&rig, 4, 2);
    rig.pck_list_signer = RIG_OTHER;
    refuse("pck.revoked");
    dcap_rig_init(&rig, 4, 2);
    rig.pck_list_signer = RIG_ROOT;
    rig.lists_crossed = true;
    refuse("pck.revoked");
}

/* One list, two roots of its issuer's name: only one of them signed it. */
static void list_of_one_root(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 4, 2);
    rig.two_roots = true;
    dcap_rig_make(&rig);
    struct csv_verdict *verdict = NULL;
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
    assert_non_null(table_finding(verdict, "pck.ca-revoked", CSV_PASSED));
    assert_non_null(table_finding(verdict, "collateral.signer", CSV_PASSED));
    assert_non_null(table_finding(verdict, "collateral.revoked", CSV_FAILED));
    csv_verdict_free(verdict);
}

/* A second list of the same issuer's name, which it did not sign, beside one that it did. */
static void list_beside(void **state)
{
    (void)state;
    uint8_t forged[sizeof rig.root_list];
    struct csv_policy *any = NULL;
    struct csv_verdict *verdict = NULL;
    dcap_rig_init(&rig, 4, 2);
    rig.root_list_signer = RIG_OTHER;
    dcap_rig_make(&rig);
    size_t size = rig.root_list_size;
    memcpy(forged, rig.root_list, size);
    rig.root_list_signer = RIG_ROOT;
    dcap_rig_make(&rig);
    struct csv_input *input = dcap_rig_input(&rig);
    assert_int_equal(csv_input_add(input, CSV_PART_CRL, NULL, forged, size), CSN_OK);
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    assert_int_equal(csv_appraise(any, input, CSV_FORMAT_TDX, &verdict), INVALID);
    assert_non_null(table_finding(verdict, "pck.ca-revoked", CSV_FAILED));
    csv_verdict_free(verdict);
    csv_policy_free(any);
    csv_input_free(input);
}

static void untrusted_root(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 4, 2);
    dcap_rig_make(&rig);
    rig.root_spki[0] ^= 1;
    struct csv_verdict *verdict = NULL;
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
    assert_non_null(table_finding(verdict, "pck.chain", CSV_FAILED));
    assert_non_null(table_finding(verdict, "collateral.signer", CSV_FAILED));
    assert_null(csv_verdict_tcb_status(verdict));
    csv_verdict_free(verdict);
}

/* Certification data without a chain: the caller brings it. */
static void other_certification(void **state)
{
    (void)state;
    for (unsigned type = 1; type <= 4; type++) {
        dcap_rig_init(&rig, type == 2 ? 3 : 4, type == 2 ? 1 : 2);
        rig.cert_type = type;
        dcap_rig_expect_status(&rig, "UpToDate");
        rig.qe_signer = RIG_OTHER;
        refuse("qe.signature");
    }
    dcap_rig_init(&rig, 4, 2);
    rig.cert_type = 4;
    rig.leaf_with_chain = true;
    refuse("pck.chain");
    dcap_rig_init(&rig, 4, 2);
    rig.cert_type = 6;
    refuse("quote.structure");
    rig.cert_type = 0;
    refuse("quote.structure");
}

/* A PCK is below Intel's root, too, and anybody has one: it must not sign collateral. */
static void collateral_signers(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 4, 2);
    rig.signer_name = "Intel SGX PCK Certificate";
    refuse("collateral.signer");
    dcap_rig_init(&rig, 4, 2);
    rig.signer_issuer = RIG_CA; /* the name alone does not do */
    refuse("collateral.signer");
    dcap_rig_init(&rig, 4, 2);
    rig.tcb_signer = RIG_PCK;
    refuse("tcb-info.signature");
    dcap_rig_init(&rig, 4, 2);
    rig.qe_identity_signer = RIG_OTHER;
    refuse("qe-identity.signature");
}

static void kinds_of_collateral(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 4, 2);
    rig.tcb_id = "SGX";
    refuse("tcb-info.kind");
    dcap_rig_init(&rig, 3, 1);
    rig.tcb_id = "TDX";
    refuse("tcb-info.kind");
    dcap_rig_init(&rig, 4, 2);
    rig.tcb_version = 4;
    refuse("tcb-info.kind");
    rig.tcb_version = 2;
    refuse("tcb-info.kind");
    dcap_rig_init(&rig, 3, 1);
    rig.tcb_version = 2;
    dcap_rig_expect_status(&rig, "UpToDate");
    rig.qe_id = "TD_QE";
    refuse("qe-identity.kind");
    rig.qe_id = "QVE";
    refuse("qe-identity.kind");
    rig.qe_id = "QE";
    rig.qe_identity_version = 1;
    refuse("qe-identity.kind");
}

static void platforms(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 4, 2);
    rig.tcb_fmspc = "90C06F000000";
    dcap_rig_expect_status(&rig, "UpToDate");
    rig.tcb_fmspc = "90C06F000001";
    refuse("tcb-info.platform");
    dcap_rig_init(&rig, 4, 2);
    rig.fmspc[5] = 1;
    refuse("tcb-info.platform");
    dcap_rig_init(&rig, 4, 2);
    rig.tcb_pceid = "0001";
    refuse("tcb-info.platform");
}

static void dates(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 4, 2);
    rig.tcb_issued = "2026-01-01T00:00:00Z";
    dcap_rig_expect_status(&rig, "UpToDate");
    rig.tcb_issued = "2026-01-01T00:00:01Z";
    refuse("tcb-info.current");
    rig.tcb_issued = "2025-12-20T00:00:00Z";
    rig.tcb_next = "2026-01-01T00:00:00Z";
    dcap_rig_expect_status(&rig, "UpToDate");
    rig.tcb_next = "2025-12-31T23:59:59Z";
    refuse("tcb-info.current");
    rig.tcb_next = "2026-13-01T00:00:00Z";
    refuse("tcb-info.format");
}

/* Strict JSON, and the bytes as they stand. */
static void json(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 4, 2);
    rig.tcb_extra = "\"unknown\":[{}], ";
    dcap_rig_expect_status(&rig, "UpToDate");
    rig.tcb_extra = "\"fmspc\":\"90C06F000000\",";
    refuse("tcb-info.format"); /* twice */
    dcap_rig_init(&rig, 4, 2);
    dcap_rig_make(&rig);
    struct csv_verdict *verdict = NULL;
    char *comma = strchr(rig.tcb_info, ',');
    memmove(comma + 2, comma + 1, strlen(comma + 1) + 1);
    comma[1] = ' '; /* the same values, other bytes */
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
    assert_non_null(table_finding(verdict, "tcb-info.signature", CSV_FAILED));
    csv_verdict_free(verdict);
    /* The two members in the other order, with blanks around them. */
    dcap_rig_make(&rig);
    char text[2 * sizeof rig.tcb_info];
    char *signature = strstr(rig.tcb_info, ",\"signature\"");
    *strrchr(signature, '}') = 0;
    *signature = 0;
    snprintf(text, sizeof text, "{ %s , %s }\n", signature + 1, rig.tcb_info + 1);
    memcpy(rig.tcb_info, text, sizeof rig.tcb_info);
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), CSN_OK);
    csv_verdict_free(verdict);
    static const char *const broken[] = {"{}", "[]", "{\"tcbInfo\":{}}",
                                         "{\"tcbInfo\":[],\"signature\":\"\"}", "x"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        snprintf(rig.tcb_info, sizeof rig.tcb_info, "%s", broken[i]);
        assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
        assert_non_null(table_finding(verdict, "tcb-info.format", CSV_FAILED));
        csv_verdict_free(verdict);
    }
}

/* A TCB info that is signed and yet not what it should be. */
static void malformed_levels(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 4, 2);
    rig.level_count = 0;
    refuse("tcb-info.format");
    dcap_rig_init(&rig, 4, 2);
    rig.levels[1].status = "Splendid";
    refuse("tcb-info.format");
    dcap_rig_init(&rig, 4, 2);
    rig.levels[1].advisories = "7";
    rig.pcesvn = 12;
    refuse("tcb-info.format");
    dcap_rig_init(&rig, 4, 2);
    rig.modules[0].status = "SWHardeningNeeded";
    refuse("tcb-info.format");
    dcap_rig_init(&rig, 4, 2);
    rig.module_attributes = "00";
    refuse("tcb-info.format");
    dcap_rig_init(&rig, 4, 2);
    rig.qe_levels[0].status = "Splendid";
    refuse("qe-identity.format");
    dcap_rig_init(&rig, 4, 2);
    rig.qe_mrsigner = "9";
    refuse("qe-identity.format");
}

static void quoting_enclave(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint8_t flip;
    } cases[] = {{128, 1},   {159, 0x80}, {256, 1}, {257, 1},  {16, 1},
                 {19, 0x80}, {48, 2},     {48, 1},  {55, 0x80}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dcap_rig_init(&rig, 5, 3);
        rig.qe_report[cases[i].offset] ^= cases[i].flip;
        refuse("qe.identity");
    }
    dcap_rig_init(&rig, 5, 3);
    rig.qe_report[48] ^= 4; /* outside the mask */
    rig.qe_report[56] ^= 0xff;
    dcap_rig_expect_status(&rig, "UpToDate");
}

static void modules(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 4, 2);
    rig.module_id = "TDX_02";
    refuse("tdx-module.identity");
    rig.module_id = "tdx_01";
    dcap_rig_expect_status(&rig, "UpToDate");
    rig.module_id = NULL;
    refuse("tdx-module.identity");
    rig.body[1] = 0; /* the module of major version 0: tdxModule itself */
    dcap_rig_expect_status(&rig, "UpToDate");
    rig.module_mrsigner = "01";
    refuse("tdx-module.identity");
    memset(rig.body + 64, 1, 48);
    dcap_rig_expect_status(&rig, "UpToDate");
    rig.body[112] = 1;
    refuse("tdx-module.identity");
    rig.module_attributes = "0100000000000000"; /* never other than zero */
    refuse("tdx-module.identity");
    dcap_rig_init(&rig, 5, 3);
    rig.body[64 + 47] = 1;
    refuse("tdx-module.identity");
}

/* Each component alone is one too low for the first level. */
static void components(void **state)
{
    (void)state;
    for (size_t i = 0; i < 16; i++) {
        dcap_rig_init(&rig, 4, 2);
        memset(rig.comp, 9, 16);
        memset(rig.levels[0].sgx, 9, 16);
        memset(rig.levels[1].sgx, 8, 16);
        dcap_rig_expect_status(&rig, "UpToDate");
        rig.comp[i] = 8;
        dcap_rig_expect_status(&rig, "OutOfDate");
        rig.comp[i] = 7;
        dcap_rig_expect_status(&rig, "NotSupported");
    }
    dcap_rig_init(&rig, 4, 2);
    rig.pcesvn = 12;
    dcap_rig_expect_status(&rig, "OutOfDate");
    rig.pcesvn = 11;
    dcap_rig_expect_status(&rig, "OutOfDate");
    rig.pcesvn = 10;
    dcap_rig_expect_status(&rig, "NotSupported");
}

static void td_components(void **state)
{
    (void)state;
    for (size_t i = 0; i < 16; i++) {
        dcap_rig_init(&rig, 4, 2);
        rig.body[1] = 0;
        memset(rig.levels[0].tdx, 9, 16);
        memset(rig.levels[1].tdx, 8, 16);
        memset(rig.body, 9, 16);
        rig.body[1] = rig.levels[0].tdx[1] = rig.levels[1].tdx[1] = 0;
        dcap_rig_expect_status(&rig, "UpToDate");
        if (i == 1) {
            rig.levels[0].tdx[1] = 1; /* major version 0 is below it */
            dcap_rig_expect_status(&rig, "OutOfDate");
            continue;
        }
        rig.body[i] = 8;
        dcap_rig_expect_status(&rig, "OutOfDate");
        rig.body[i] = 7;
        dcap_rig_expect_status(&rig, "NotSupported");
    }
    /* From major version 1 on, the first two are the module's own (pitfall 7). */
    dcap_rig_init(&rig, 4, 2);
    rig.levels[0].tdx[0] = 7;
    rig.levels[0].tdx[1] = 2;
    dcap_rig_expect_status(&rig, "UpToDate");
    rig.body[2] = 2;
    dcap_rig_expect_status(&rig, "OutOfDate");
    dcap_rig_init(&rig, 4, 2);
    rig.body[0] = 5;
    dcap_rig_expect_status(&rig, "OutOfDate"); /* the module's level */
    rig.body[0] = 3;
    dcap_rig_expect_status(&rig, "NotSupported");
}

/* ---- how statuses meet ---- */

static const char *const platform_statuses[] = {"UpToDate",
                                                "SWHardeningNeeded",
                                                "ConfigurationNeeded",
                                                "ConfigurationAndSWHardeningNeeded",
                                                "OutOfDate",
                                                "OutOfDateConfigurationNeeded",
                                                "Revoked"};

/* What Intel's document says of a part that is out of date or worse. */
static const char *met(const char *platform, const char *part)
{
    bool configuration = strncmp(platform, "Configuration", 13) == 0;
    bool good = strcmp(platform, "UpToDate") == 0 || strcmp(platform, "SWHardeningNeeded") == 0;
    return strcmp(part, "Revoked") == 0     ? part
           : strcmp(part, "OutOfDate") != 0 ? platform
           : good                           ? "OutOfDate"
           : configuration                  ? "OutOfDateConfigurationNeeded"
                                            : platform;
}

static void converging(void **state)
{
    (void)state;
    static const char *const parts[] = {"UpToDate", "OutOfDate", "Revoked"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof platform_statuses / sizeof platform_statuses[0]; i++) {
        for (size_t module = 0; module < 3; module++) {
            for (size_t qe = 0; qe < 3; qe++) {
                dcap_rig_init(&rig, 4, 2);
                rig.levels[0].status = platform_statuses[i];
                rig.modules[0].status = parts[module];
                rig.qe_levels[0].status = parts[qe];
                dcap_rig_expect_status(&rig,
                                       met(met(platform_statuses[i], parts[module]), parts[qe]));
                dcap_rig_init(&rig, 3, 1);
                rig.levels[0].status = platform_statuses[i];
                rig.qe_levels[0].status = parts[qe];
                dcap_rig_expect_status(&rig, met(platform_statuses[i], parts[qe]));
                count += 2;
            }
        }
    }
    printf("# %zu combinations of statuses\n", count);
    dcap_rig_init(&rig, 3, 1);
    rig.qe_report[258] = 2; /* below each level of the identity */
    dcap_rig_expect_status(&rig, "NotSupported");
    rig.qe_report[258] = 4;
    dcap_rig_expect_status(&rig, "OutOfDate");
}

/* A TD that was launched under an old module while the new one runs already. */
static void old_launch(unsigned version, unsigned body_type)
{
    dcap_rig_init(&rig, version, body_type);
    rig.body[0] = 5; /* the module's second level */
    if (body_type >= 3) {
        rig.body[584] = 6;
    }
}

static void relaunch(void **state)
{
    (void)state;
    for (unsigned body = 3; body <= 4; body++) {
        old_launch(5, body);
        dcap_rig_expect_status(&rig, "TDRelaunchAdvised");
        rig.levels[0].status = "SWHardeningNeeded";
        dcap_rig_expect_status(&rig, "TDRelaunchAdvised");
        rig.levels[0].status = "ConfigurationNeeded";
        dcap_rig_expect_status(&rig, "TDRelaunchAdvisedConfigurationNeeded");
        rig.levels[0].status = "OutOfDate"; /* the machine itself is old */
        dcap_rig_expect_status(&rig, "OutOfDate");
        old_launch(5, body);
        rig.qe_levels[0].status = "OutOfDate";
        dcap_rig_expect_status(&rig, "OutOfDate");
        old_launch(5, body);
        rig.modules[1].status = "Revoked";
        dcap_rig_expect_status(&rig, "Revoked");
        old_launch(5, body);
        rig.body[584] = 5; /* what runs now is old as well */
        dcap_rig_expect_status(&rig, "OutOfDate");
        rig.body[584] = 6;
        rig.body[586] = 2;
        dcap_rig_expect_status(&rig, "OutOfDate");
        rig.body[586] = 3;
        rig.body[585] = 2; /* a module that nobody describes */
        refuse("tdx-module.identity");
        rig.body[585] = 0; /* and one of major version 0: components of the level */
        dcap_rig_expect_status(&rig, "TDRelaunchAdvised");
        rig.body[584] = 4;
        dcap_rig_expect_status(&rig, "OutOfDate");
    }
    old_launch(4, 2); /* does not say what runs now */
    dcap_rig_expect_status(&rig, "OutOfDate");
    /* The old level of the TD under a good one of the platform. */
    old_launch(5, 3);
    memcpy(rig.levels[1].sgx, rig.levels[0].sgx, 16);
    rig.body[2] = 2;
    dcap_rig_expect_status(&rig, "TDRelaunchAdvised");
    rig.body[0] = 6; /* the module is current: relaunching it would change nothing */
    dcap_rig_expect_status(&rig, "OutOfDate");
}

static void advisories(void **state)
{
    (void)state;
    struct csv_verdict *verdict = NULL;
    dcap_rig_init(&rig, 4, 2);
    rig.pcesvn = 11;
    rig.body[0] = 5;
    rig.qe_report[258] = 4;
    dcap_rig_make(&rig);
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), CSN_OK);
    assert_string_equal(csv_verdict_claim(verdict, "advisories"),
                        "INTEL-SA-00001,INTEL-SA-00002,INTEL-SA-00003,INTEL-SA-00004");
    assert_string_equal(csv_verdict_claim(verdict, "tcb_evaluation_data_number"), "17");
    assert_string_equal(csv_verdict_claim(verdict, "tdx_module_status"), "OutOfDate");
    assert_string_equal(csv_verdict_claim(verdict, "pck_serial"), "0x66");
    csv_verdict_free(verdict);
}

/* What is made stands as somebody may have saved it; then with one byte of it wrong. */
static void accept_then_refuse(char *text, size_t at, const char *id)
{
    struct csv_verdict *verdict = NULL;
    csn_err result = dcap_rig_appraise(&rig, NULL, &verdict);
    if (result != CSN_OK) {
        table_explain(verdict);
        fail_msg("refused with %s", id);
    }
    csv_verdict_free(verdict);
    text[at] = text[at] == '0' ? '1' : '0';
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
    assert_non_null(table_finding(verdict, id, CSV_FAILED));
    csv_verdict_free(verdict);
}

/* As in the headers of Intel's PCS: percent-encoded, and perhaps with the header's name. */
static void encode_chain(char *chain, size_t capacity, const char *name)
{
    char text[sizeof rig.signer_chain];
    size_t size = (size_t)snprintf(text, sizeof text, "%s", name);
    for (const char *at = chain; *at != 0; at++) {
        bool plain = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') || *at == '-' ||
                     (*at >= '0' && *at <= '9');
        size += (size_t)snprintf(text + size, sizeof text - size, plain ? "%c" : "%%%02X",
                                 (unsigned char)*at);
    }
    if (*name != 0) {
        size += (size_t)snprintf(text + size, sizeof text - size, "\r\n");
    }
    assert_true(size < sizeof text && size < capacity);
    memcpy(chain, text, size + 1);
}

static void encoded_chain(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "TCB-Info-Issuer-Chain: ", "sgx-tcb-info-issuer-chain:"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        dcap_rig_init(&rig, 4, 2);
        dcap_rig_make(&rig);
        encode_chain(rig.signer_chain, sizeof rig.signer_chain, names[i]);
        accept_then_refuse(rig.signer_chain, 200, "collateral.signer");
    }
    dcap_rig_make(&rig);
    snprintf(rig.signer_chain, sizeof rig.signer_chain, "no certificate");
    struct csv_verdict *verdict = NULL;
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), INVALID);
    assert_non_null(table_finding(verdict, "collateral.signer", CSV_FAILED));
    csv_verdict_free(verdict);
}

/* A quote without certificates: leaf and issuers in one file, encoded. */
static void encoded_pck_chain(void **state)
{
    (void)state;
    dcap_rig_init(&rig, 3, 1);
    rig.cert_type = 3;
    dcap_rig_make(&rig);
    encode_chain(rig.pck_chain, sizeof rig.pck_chain, "SGX-PCK-Certificate-Issuer-Chain: ");
    accept_then_refuse(rig.pck_chain, 200, "pck.chain");
}

/* Lists as the PCS gives them (PEM), and as a PCCS does (hex). */
static void encode_list(uint8_t *list, size_t *size, const char *digits)
{
    char text[sizeof rig.root_list];
    if (digits == NULL) {
        const uint8_t *at = list;
        char *pem = NULL;
        BIO *bio = BIO_new(BIO_s_mem());
        X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)*size);
        assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1);
        *size = (size_t)BIO_get_mem_data(bio, &pem);
        assert_true(*size < sizeof text);
        memcpy(text, pem, *size);
        X509_CRL_free(crl);
        BIO_free(bio);
    } else {
        size_t count = 0;
        assert_true(2 * *size + 2 < sizeof text);
        for (size_t i = 0; i < *size; i++) {
            text[count++] = digits[list[i] >> 4];
            text[count++] = digits[list[i] & 15];
        }
        text[count++] = '\n';
        *size = count;
    }
    memcpy(list, text, *size);
}

static void encoded_lists(void **state)
{
    (void)state;
    static const char *const forms[] = {NULL, "0123456789abcdef", "0123456789ABCDEF"};
    for (size_t i = 0; i < 2 * sizeof forms / sizeof forms[0]; i++) {
        dcap_rig_init(&rig, 4, 2);
        dcap_rig_make(&rig);
        encode_list(rig.root_list, &rig.root_list_size, forms[i / 2]);
        encode_list(rig.pck_list, &rig.pck_list_size, forms[i / 2]);
        uint8_t *list = i % 2 == 0 ? rig.root_list : rig.pck_list;
        size_t size = i % 2 == 0 ? rig.root_list_size : rig.pck_list_size;
        accept_then_refuse((char *)list, size - 60, i % 2 == 0 ? "pck.ca-revoked" : "pck.revoked");
    }
}

/* The signer's chain under the name of the header. */
static void header_names(void **state)
{
    (void)state;
    struct csv_policy *any = NULL;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    dcap_rig_init(&rig, 4, 2);
    dcap_rig_make(&rig);
    for (int i = 0; i < 2; i++) {
        struct csv_verdict *verdict = NULL;
        char chain[sizeof rig.signer_chain];
        memcpy(chain, rig.signer_chain, sizeof chain);
        rig.signer_chain[0] = 0;
        struct csv_input *input = dcap_rig_input(&rig);
        memcpy(rig.signer_chain, chain, sizeof chain);
        if (i == 1) {
            assert_int_equal(csv_input_add(input, CSV_PART_COLLATERAL, "tcb_info_issuer_chain.pem",
                                           chain, strlen(chain)),
                             CSN_OK);
        }
        assert_int_equal(csv_appraise(any, input, CSV_FORMAT_TDX, &verdict),
                         i == 1 ? CSN_OK : OPEN);
        csv_verdict_free(verdict);
        csv_input_free(input);
    }
    csv_policy_free(any);
}

/* What a body of type 4 adds is claimed. */
static void long_body(void **state)
{
    (void)state;
    struct csv_verdict *verdict = NULL;
    dcap_rig_init(&rig, 5, 4);
    rig.body[648] = 3;
    rig.body[884] = 0x42;
    dcap_rig_make(&rig);
    assert_int_equal(dcap_rig_appraise(&rig, NULL, &verdict), CSN_OK);
    assert_string_equal(csv_verdict_claim(verdict, "vmid"), "3");
    assert_string_equal(csv_verdict_claim(verdict, "current_servtd_attributes"),
                        "0000000000000042");
    csv_verdict_free(verdict);
}

static int free_rig(void **state)
{
    (void)state;
    dcap_rig_free(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(structure),
        cmocka_unit_test(two_tees),
        cmocka_unit_test(slacks),
        cmocka_unit_test(no_status),
        cmocka_unit_test(lengths),
        cmocka_unit_test(signatures),
        cmocka_unit_test(bad_numbers),
        cmocka_unit_test(certificates),
        cmocka_unit_test(revocation),
        cmocka_unit_test(list_of_one_root),
        cmocka_unit_test(list_beside),
        cmocka_unit_test(untrusted_root),
        cmocka_unit_test(other_certification),
        cmocka_unit_test(collateral_signers),
        cmocka_unit_test(kinds_of_collateral),
        cmocka_unit_test(platforms),
        cmocka_unit_test(dates),
        cmocka_unit_test(json),
        cmocka_unit_test(malformed_levels),
        cmocka_unit_test(quoting_enclave),
        cmocka_unit_test(modules),
        cmocka_unit_test(components),
        cmocka_unit_test(td_components),
        cmocka_unit_test(converging),
        cmocka_unit_test(relaunch),
        cmocka_unit_test(advisories),
        cmocka_unit_test(encoded_chain),
        cmocka_unit_test(encoded_pck_chain),
        cmocka_unit_test(encoded_lists),
        cmocka_unit_test(header_names),
        cmocka_unit_test(long_body),
    };
    return cmocka_run_group_tests(tests, NULL, free_rig);
}
