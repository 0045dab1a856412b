/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tpm.c: TPM 2.0 quotes: the published one gives the fields of its row; of our own making,
 * each scheme and each thing that may be wrong, under the finding that names it.
 */
#include "vtpm_rig.h"
#include <openssl/evp.h>
#include <stdio.h>

static struct vtpm_rig rig;

static void fresh(void)
{
    vtpm_rig_init(&rig, made_key("RSA-2048", 0));
}

/* The rig's quote under its policy with extra lines. */
static void expect(const char *extra, uint32_t result, const char *id, uint32_t outcome)
{
    struct csv_policy *policy = vtpm_rig_policy(&rig, extra);
    csv_verdict_free(
        vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM, result, id, outcome));
    csv_policy_free(policy);
}

/* ---- the published quote ---- */

static struct csv_input *published(uint8_t nonce[64])
{
    struct csv_input *input = NULL;
    struct table table = table_read("tpm/SOURCES.tsv");
    char extra[160];
    const char *fields =
        table_cell(&table, table_find(&table, "coco-tpm.quote.msg"), "expected_fields");
    assert_true(table_field(fields, "extra_data", extra, sizeof extra));
    for (size_t i = 0; i < 64; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(extra + 2 * i, "%2x", &byte), 1);
        nonce[i] = (uint8_t)byte;
    }
    table_free(&table);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    table_add(input, CSV_PART_EVIDENCE, "tpm/coco-tpm.quote.msg");
    table_add(input, CSV_PART_TPM_SIGNATURE, "tpm/coco-tpm.quote.sig");
    table_add(input, CSV_PART_PCRS, "tpm/coco-tpm.pcrs-sha256.txt");
    csv_input_set_time(input, MADE_TIME);
    assert_int_equal(csv_input_set_nonce(input, nonce, 64), CSN_OK);
    return input;
}

static void published_quote(void **state)
{
    (void)state;
    uint8_t nonce[64];
    static char text[16384];
    size_t size = 0;
    struct table table = table_read("tpm/SOURCES.tsv");
    struct csv_input *input = published(nonce);
    table_add(input, CSV_PART_AK, "tpm/coco-tpm.ak.pub.pem");
    struct csv_verdict *verdict =
        vtpm_expect(table_any, input, CSV_FORMAT_TPM, CSV_VALID, "tpm.pcr-digest", CSV_PASSED);
    size_t compared = table_compare(
        verdict, table_cell(&table, table_find(&table, "coco-tpm.quote.msg"), "expected_fields"),
        NULL);
    assert_true(compared >= 5);
    /* the policy made from it accepts it */
    assert_int_equal(csv_policy_init(verdict, true, text, sizeof text, &size), CSN_OK);
    csv_verdict_free(verdict);
    struct csv_policy *strict = table_policy(text);
    input = published(nonce);
    table_add(input, CSV_PART_AK, "tpm/coco-tpm.ak.pub.pem");
    csv_verdict_free(
        vtpm_expect(strict, input, CSV_FORMAT_AUTO, CSV_VALID, "tpm.ak-listed", CSV_PASSED));
    csv_policy_free(strict);
    table_free(&table);
    table_forget();
    printf("# %zu fields compared\n", compared);
}

/* The chains are right; the quote is another key's. */
static void published_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *ak;
        const char *issuer;
        const char *root;
        const char *name;
        const char *time;
    } rows[] = {
        {"tpm/gce-ak.pem", "tpm/gce-ak-intermediate.pem", "roots/gce-ek-ak-root.pem", "gce-vtpm",
         "2026-01-01"},
        {"azure/ak-cert-0.pem", "roots/azure-vtpm-intermediate-03.pem",
         "roots/azure-vtpm-root-2023.pem", "azure-vtpm", "2026-01-01"},
        {"azure/ak-cert-1.pem", "roots/azure-vtpm-intermediate-03.pem",
         "roots/azure-vtpm-root-2023.pem", "azure-vtpm", "2026-01-01"},
    };
    uint8_t nonce[64];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned way = 0; way < 4; way++) {
            struct csv_input *input = published(nonce);
            table_add(input, CSV_PART_AK, rows[i].ak);
            if (way != 1) {
                table_add(input, CSV_PART_CHAIN, rows[i].issuer);
                table_add(input, CSV_PART_CHAIN,
                          way == 3 ? "roots/aws-nitro-root-g1.pem" : rows[i].root);
            }
            csv_input_set_time(input, way == 2 ? MADE_TIME + INT64_C(4000000000)
                                               : table_time(rows[i].time));
            uint32_t outcome = way == 0 ? CSV_PASSED : way == 2 ? CSV_FAILED : CSV_MISSING;
            struct csv_verdict *verdict = vtpm_expect(
                table_any, input, CSV_FORMAT_TPM,
                way == 0 || way == 2 ? CSV_INVALID : CSV_UNVERIFIABLE, "tpm.ak", outcome);
            if (way == 0) {
                assert_non_null(table_finding(verdict, "tpm.signature", CSV_FAILED));
                assert_string_equal(csv_verdict_claim(verdict, "ak_root"), rows[i].name);
            }
            if (i == 0) {
                assert_string_equal(csv_verdict_claim(verdict, "gce_zone"), "us-west1-b");
                assert_string_equal(csv_verdict_claim(verdict, "gce_project_id"),
                                    "nonvolatile-dev");
                assert_string_equal(csv_verdict_claim(verdict, "gce_instance_id"),
                                    "8033817256003918212");
            }
            csv_verdict_free(verdict);
            table_forget();
        }
    }
    printf("# %zu certificates of published attestation keys\n", sizeof rows / sizeof rows[0]);
}

/* ---- quotes of our own ---- */

static void schemes(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint16_t scheme;
        uint16_t hash;
        uint16_t digest_hash;
        bool good;
    } rows[] = {
        {"RSA-2048", 0x14, 0xb, 0xb, true},  {"RSA-2048", 0x14, 0xc, 0xc, true},
        {"RSA-2048", 0x14, 0xd, 0xd, true},  {"RSA-2048", 0x16, 0xb, 0xb, true},
        {"RSA-2048", 0x16, 0xc, 0xc, true},  {"RSA-2048", 0x16, 0xd, 0xd, true},
        {"RSA-2048", 0, 0xb, 0xb, true},     {"RSA-2048", 0, 0xc, 0xc, true},
        {"RSA-3072", 0x14, 0xb, 0xb, true},  {"P-256", 0x18, 0xb, 0xb, true},
        {"P-384", 0x18, 0xc, 0xc, true},     {"P-521", 0x18, 0xd, 0xd, true},
        {"RSA-2048", 0x14, 0xb, 0xc, false}, {"RSA-2048", 0x14, 0xd, 0xb, false},
        {"RSA-2048", 0x14, 0x4, 0x4, false}, {"RSA-2048", 0, 0xb, 0xc, false},
        {"P-256", 0x18, 0xc, 0xb, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        vtpm_rig_init(&rig, made_key(rows[i].key, 0));
        rig.scheme = rows[i].scheme;
        rig.hash = rows[i].hash;
        rig.digest_hash = rows[i].digest_hash;
        vtpm_rig_make(&rig);
        expect(NULL, rows[i].good ? CSV_VALID : CSV_INVALID, "tpm.signature",
               rows[i].good ? CSV_PASSED : CSV_FAILED);
    }
}

/* Another scheme, hash or length than the signature's own. */
static void signatures(void **state)
{
    (void)state;
    static const uint8_t heads[][4] = {
        {0x00, 0x16, 0x00, 0x0b}, {0x00, 0x18, 0x00, 0x0b}, {0x00, 0x14, 0x00, 0x0c},
        {0x00, 0x14, 0x00, 0x04}, {0x00, 0x10, 0x00, 0x0b}, {0x00, 0x14, 0x00, 0x12},
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        fresh();
        memcpy(rig.signature, heads[i], 4);
        expect(NULL, CSV_INVALID, "tpm.signature", CSV_FAILED);
    }
    fresh();
    size_t whole = rig.signature_size;
    for (rig.signature_size = 0; rig.signature_size < whole; rig.signature_size++) {
        expect(NULL, CSV_INVALID, "tpm.signature", CSV_FAILED);
    }
    rig.signature_size = whole + 1;
    expect(NULL, CSV_INVALID, "tpm.signature", CSV_FAILED);
    fresh();
    rig.without_signature = true;
    expect(NULL, CSV_UNVERIFIABLE, "tpm.signature", CSV_MISSING);
    /* r of 0 and s of 0 */
    static const uint8_t zeros[] = {0, 0x18, 0, 0xb, 0, 0, 0, 0};
    vtpm_rig_init(&rig, made_key("P-256", 0));
    memcpy(rig.signature, zeros, sizeof zeros);
    rig.signature_size = sizeof zeros;
    expect(NULL, CSV_INVALID, "tpm.signature", CSV_FAILED);
}

static void keys(void **state)
{
    (void)state;
    static const char *const weak[] = {"RSA-1024", "RSA-3", "secp256k1"};
    for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
        vtpm_rig_init(&rig, made_key(weak[i], 0));
        expect(NULL, CSV_INVALID, "tpm.ak-kind", CSV_FAILED);
    }
    /* another key than the one that signed, though the policy lists it */
    fresh();
    rig.key = made_key("RSA-2048", 1);
    struct csv_policy *policy = vtpm_rig_policy(&rig, NULL);
    rig.key = made_key("RSA-2048", 0);
    csv_verdict_free(vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM, CSV_INVALID,
                                 "tpm.ak-listed", CSV_FAILED));
    vtpm_rig_init(&rig, made_key("RSA-2048", 1));
    rig.key = made_key("RSA-2048", 0);
    vtpm_rig_sign(&rig);
    csv_verdict_free(vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM, CSV_INVALID,
                                 "tpm.signature", CSV_FAILED));
    csv_policy_free(policy);
    fresh();
    rig.without_ak = true;
    expect(NULL, CSV_UNVERIFIABLE, "tpm.ak", CSV_MISSING);
    fresh();
    strcat(rig.ak, "more");
    expect(NULL, CSV_INVALID, "tpm.ak", CSV_FAILED);
    fresh();
    memcpy(rig.ak + strlen(rig.ak), rig.ak, strlen(rig.ak)); /* zeros follow */
    expect(NULL, CSV_INVALID, "tpm.ak", CSV_FAILED);
    fresh();
    strcpy(rig.ak, "key");
    expect(NULL, CSV_INVALID, "tpm.ak", CSV_FAILED);
    /* no policy line vouches for a bare key */
    fresh();
    policy = table_policy("formats = [\"tpm\"]\n[tpm]\nak_roots = [\"gce-vtpm\"]\n"
                          "any_pcrs = [0,1,2,3,4,5,6,7,23]\n");
    csv_verdict_free(vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM, CSV_INVALID,
                                 "tpm.ak-listed", CSV_FAILED));
    csv_policy_free(policy);
}

static void framing(void **state)
{
    (void)state;
    fresh();
    size_t whole = rig.quote_size;
    for (rig.quote_size = 0; rig.quote_size < whole; rig.quote_size++) {
        expect(NULL, CSV_INVALID, "tpm.framing", CSV_FAILED);
    }
    rig.quote_size = whole + 1;
    expect(NULL, CSV_INVALID, "tpm.framing", CSV_FAILED);
    fresh();
    rig.magic++;
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "tpm.framing", CSV_FAILED);
    fresh();
    rig.type = 0x8019; /* of time */
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "tpm.framing", CSV_FAILED);
    fresh();
    rig.safe = 2;
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "tpm.framing", CSV_FAILED);
    fresh();
    rig.selection_count = 2; /* the same bank twice */
    rig.selections[1] = rig.selections[0];
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "tpm.framing", CSV_FAILED);
    fresh();
    rig.selections[0].bank = 0x0012; /* SM3 */
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "tpm.framing", CSV_FAILED);
    fresh();
    rig.selections[0].size = 5;
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "tpm.framing", CSV_FAILED);
    fresh();
    rig.selection_count = 5;
    for (uint16_t i = 0; i < 5; i++) {
        rig.selections[i] = rig.selections[0];
        rig.selections[i].bank = (uint16_t)(0x000a + i);
    }
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "tpm.framing", CSV_FAILED);
}

static void every_bit_is_signed(void **state)
{
    (void)state;
    fresh();
    struct csv_policy *policy = vtpm_rig_policy(&rig, NULL);
    for (size_t bit = 0; bit < rig.quote_size * 8; bit++) {
        rig.quote[bit / 8] ^= (uint8_t)(1 << bit % 8);
        csv_verdict_free(
            vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM, CSV_INVALID, NULL, 0));
        rig.quote[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < rig.signature_size * 8; bit++) {
        rig.signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        csv_verdict_free(
            vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM, CSV_INVALID, NULL, 0));
        rig.signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    csv_policy_free(policy);
    expect(NULL, CSV_VALID, "tpm.signature", CSV_PASSED);
    printf("# %zu bits\n", (rig.quote_size + rig.signature_size) * 8);
}

/* A list of values may say what it likes of PCRs that the quote does not select. */
static void only_selected_pcrs_count(void **state)
{
    (void)state;
    fresh();
    struct csv_policy *policy = vtpm_rig_policy(&rig, NULL);
    struct csv_verdict *verdict =
        vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM, CSV_VALID, "tpm.pcr", CSV_PASSED);
    assert_non_null(csv_verdict_claim(verdict, "pcr23"));
    assert_null(csv_verdict_claim(verdict, "pcr8"));
    csv_verdict_free(verdict);
    /* the policy wants PCR 4; a quote that leaves it out has its value in the list alone */
    rig.selections[0].bitmap[0] = 0xef;
    vtpm_rig_make(&rig);
    verdict = vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM, CSV_INVALID, "tpm.pcr",
                          CSV_FAILED);
    assert_non_null(table_finding(verdict, "tpm.pcr-digest", CSV_PASSED));
    assert_null(csv_verdict_claim(verdict, "pcr4"));
    csv_verdict_free(verdict);
    csv_policy_free(policy);
    /* bits of a PCR that is not selected are under no check, and claim nothing */
    fresh();
    rig.pcr[9][0] ^= 1;
    vtpm_rig_list(&rig, UINT32_MAX);
    expect(NULL, CSV_VALID, "tpm.pcr-digest", CSV_PASSED);
}

static void pcr_values(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 8; n++) {
        fresh();
        rig.pcr[n][31] ^= 1;
        vtpm_rig_list(&rig, UINT32_MAX);
        expect(NULL, CSV_INVALID, "tpm.pcr-digest", CSV_FAILED);
        fresh();
        vtpm_rig_list(&rig, ~(UINT32_C(1) << n)); /* one is missing */
        expect(NULL, CSV_INVALID, "tpm.pcr-digest", CSV_FAILED);
        /* another value, honestly signed: what the policy lists is not there */
        fresh();
        struct csv_policy *policy = vtpm_rig_policy(&rig, NULL);
        rig.pcr[n][0] ^= 1;
        vtpm_rig_make(&rig);
        csv_verdict_free(vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM, CSV_INVALID,
                                     "tpm.pcr", CSV_FAILED));
        csv_policy_free(policy);
    }
    fresh();
    rig.without_pcrs = true;
    expect(NULL, CSV_UNVERIFIABLE, "tpm.pcr-values", CSV_MISSING);
}

/* Values that are selected and that no line names are refused, unless any_pcrs says so. */
static void unlisted_pcrs(void **state)
{
    (void)state;
    fresh();
    struct csv_policy *policy = vtpm_rig_policy(&rig, NULL);
    rig.selections[0].bitmap[1] = 0x04; /* PCR 10 */
    vtpm_rig_make(&rig);
    csv_verdict_free(vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM, CSV_INVALID,
                                 "tpm.pcr", CSV_FAILED));
    csv_policy_free(policy);
    fresh();
    policy = vtpm_rig_policy(&rig, "any_pcrs = [10]\n");
    rig.selections[0].bitmap[1] = 0x04;
    vtpm_rig_make(&rig);
    struct csv_verdict *verdict =
        vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM, CSV_VALID, "tpm.pcr", CSV_PASSED);
    assert_non_null(csv_verdict_claim(verdict, "pcr10"));
    csv_verdict_free(verdict);
    csv_policy_free(policy);
}

static void banks(void **state)
{
    (void)state;
    static const struct {
        uint16_t bank[3];
        bool good;
    } rows[] = {
        {{0xb}, true},      {{0xc}, true},      {{0xd}, true},           {{0x4, 0xb}, true},
        {{0xb, 0xc}, true}, {{0xc, 0xb}, true}, {{0x4, 0xb, 0xd}, true}, {{0x4}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fresh();
        uint16_t ruled = 0;
        rig.selection_count = 0;
        for (size_t j = 0; j < 3 && rows[i].bank[j] != 0; j++) {
            rig.selections[j] = (struct vtpm_selection){rows[i].bank[j], 3, {0xff, 0, 0x80}};
            rig.selection_count++;
            ruled = ruled == 0x000b ? ruled : rows[i].bank[j];
        }
        vtpm_rig_make(&rig);
        struct vtpm_rig model = rig;
        model.selections[0].bank = ruled;
        struct csv_policy *policy = vtpm_rig_policy(&model, NULL);
        csv_verdict_free(vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM,
                                     rows[i].good ? CSV_VALID : CSV_INVALID, "tpm.pcr-select",
                                     rows[i].good ? CSV_PASSED : CSV_FAILED));
        csv_policy_free(policy);
    }
    fresh();
    memset(rig.selections[0].bitmap, 0, 3);
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "tpm.pcr-select", CSV_FAILED);
    fresh();
    rig.selection_count = 0;
    vtpm_rig_make(&rig);
    expect("", CSV_INVALID, "tpm.pcr-select", CSV_FAILED);
}

/* The list as text; %s is the value of PCR 0, which alone is selected. */
static void pcr_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"0 %s\n", true},          {"0 %s", true},
        {"0: %s\n", true},         {"0 : 0x%s\r\n\r\n", true},
        {"\t0\t:\t0X%s \n", true}, {"sha256:\n  0 : %s\n", true},
        {"0%s\n", false},          {"00 %s\n", false},
        {"0 %s 1\n", false},       {"0 %sff\n", false},
        {"0 %s\n0 %s\n", false},   {"32 %s\n", false},
        {"-0 %s\n", false},        {"sha3: 0 %s\n", false},
        {"sha256\n0 %s\n", false}, {"sha384:\n0 %s\n", false},
        {"zero %s\n", false},      {"0 zz%s\n", false},
        {"0 = %s\n", false},       {"", false},
        {"0 \n", false},           {"sha1:\nsha256:\n0 %s\n", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char hex[65];
        vtpm_rig_init(&rig, made_key("RSA-2048", 0));
        memset(rig.selections[0].bitmap, 0, 3);
        rig.selections[0].bitmap[0] = 1;
        vtpm_rig_make(&rig);
        made_hex(rig.pcr[0], 32, hex);
        char *at = rig.pcrs;
        for (const char *c = rows[i].text; *c != 0; c++) {
            bool value = c[0] == '%' && c[1] == 's';
            at += value ? sprintf(at, "%s", hex) : sprintf(at, "%c", *c);
            c += value;
        }
        *at = 0;
        struct csv_policy *policy = vtpm_rig_policy(&rig, NULL);
        struct csv_verdict *verdict = vtpm_expect(policy, vtpm_rig_input(&rig), CSV_FORMAT_TPM,
                                                  rows[i].good ? CSV_VALID : CSV_INVALID, NULL, 0);
        csv_verdict_free(verdict);
        csv_policy_free(policy);
    }
    printf("# %zu texts\n", sizeof rows / sizeof rows[0]);
}

static void freshness(void **state)
{
    (void)state;
    uint8_t report_data[64];
    memset(report_data, 0x77, sizeof report_data);
    fresh();
    rig.extra[31] ^= 1;
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "nonce.fresh", CSV_FAILED);
    fresh();
    rig.extra_size = 31;
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "nonce.fresh", CSV_FAILED);
    fresh();
    rig.extra_size = 33;
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "nonce.fresh", CSV_FAILED);
    fresh();
    struct csv_policy *policy = vtpm_rig_policy(&rig, NULL);
    struct csv_input *input = NULL;
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, rig.quote, rig.quote_size),
                     CSN_OK);
    vtpm_rig_parts(&rig, input);
    csv_verdict_free(
        vtpm_expect(policy, input, CSV_FORMAT_TPM, CSV_UNVERIFIABLE, "nonce.fresh", CSV_MISSING));
    /* 64 bytes of report data stand there as their SHA-256 */
    for (unsigned way = 0; way < 2; way++) {
        EVP_Digest(report_data, 64, rig.extra, NULL, EVP_sha256(), NULL);
        rig.extra[0] ^= (uint8_t)way;
        vtpm_rig_make(&rig);
        input = vtpm_rig_input(&rig);
        assert_int_equal(csv_input_set_report_data(input, report_data, 64), CSN_OK);
        csv_verdict_free(vtpm_expect(policy, input, CSV_FORMAT_TPM,
                                     way == 0 ? CSV_VALID : CSV_INVALID, "nonce.fresh",
                                     way == 0 ? CSV_PASSED : CSV_FAILED));
    }
    csv_policy_free(policy);
}

/* Firmware, counters and clock are checked where a line speaks of them. */
static void clock_lines(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        bool good;
    } rows[] = {
        {"firmware = [0x2020031200120003]\n", true},
        {"firmware = [0x2020031200120002]\n", false},
        {"reset_counts = [6, 7]\n", true},
        {"reset_counts = [6, 8]\n", false},
        {"minimum_clock = 123456\n", true},
        {"minimum_clock = 123457\n", false},
        {"safe = \"required\"\n", true},
        {"safe = \"forbidden\"\n", false},
        {"safe = \"any\"\nreset_counts = [7]\n", true},
        {"safe = \"required\"\nreset_counts = [1]\n", false},
        {"firmware = [1]\nminimum_clock = 1\n", false},
        {"ak_subjects = [\"nobody\"]\n", false},
        {"gce_project_ids = [\"none\"]\n", false},
        {"gce_instance_ids = [\"none\"]\n", false},
        {"ak_roots = [\"gce-vtpm\"]\n", true}, /* the key is bare, and listed */
        {"pcrs.8 = [\"00\"]\n", false},        /* wanted, but not in the quote */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fresh();
        expect(rows[i].lines, rows[i].good ? CSV_VALID : CSV_INVALID, NULL, 0);
    }
    fresh();
    rig.safe = 0;
    vtpm_rig_make(&rig);
    expect(NULL, CSV_INVALID, "tpm.clock", CSV_FAILED);
    expect("safe = \"any\"\n", CSV_VALID, "tpm.clock", CSV_PASSED);
    expect("safe = \"required\"\n", CSV_INVALID, "tpm.clock", CSV_FAILED);
}

/* ---- certified keys, under a root of our own ---- */

struct certified {
    struct made_der ak;
    struct made_der issuer;
    struct made_der root;
    struct made_der crl;
    bool without_issuer;
    bool without_trust;
};
static struct certified certified;

/* zone "z", project 5, "p", instance 9, "i" */
static const uint8_t gce[] = {0x30, 15, 0x0c, 1, 'z', 2, 1, 5, 0x0c, 1, 'p', 2, 1, 9, 0x0c, 1, 'i'};

static void certify(const char *usage, const char *constraints, int64_t until)
{
    EVP_PKEY *ca = made_key("P-256", 8);
    EVP_PKEY *middle = made_key("P-256", 9);
    certified = (struct certified){0};
    certified.root = made_certificate(&(struct made_cert){.subject = "root",
                                                          .issuer = "root",
                                                          .key = ca,
                                                          .signer = ca,
                                                          .constraints = "critical,CA:TRUE",
                                                          .usage = "critical,keyCertSign,cRLSign"});
    certified.issuer =
        made_certificate(&(struct made_cert){.subject = "issuer",
                                             .issuer = "root",
                                             .key = middle,
                                             .signer = ca,
                                             .constraints = constraints,
                                             .usage = "critical,keyCertSign,cRLSign"});
    certified.ak = made_certificate(&(struct made_cert){.subject = "machine",
                                                        .issuer = "issuer",
                                                        .key = rig.key,
                                                        .signer = middle,
                                                        .usage = usage,
                                                        .until = until,
                                                        .gce = gce,
                                                        .gce_size = sizeof gce});
    rig.without_ak = true;
}

static struct csv_verdict *appraise_certified(const char *lines, uint32_t result, const char *id,
                                              uint32_t outcome)
{
    uint8_t digest[32];
    char text[1024];
    struct csv_input *input = vtpm_rig_input(&rig);
    snprintf(text, sizeof text, "formats = [\"tpm\"]\n[tpm]\nany_pcrs = [0,1,2,3,4,5,6,7,23]\n%s",
             lines);
    struct csv_policy *policy = table_policy(text);
    const struct {
        uint32_t kind;
        const struct made_der *der;
    } parts[] = {{CSV_PART_AK, &certified.ak},
                 {CSV_PART_CHAIN, &certified.root},
                 {CSV_PART_CHAIN, certified.without_issuer ? &certified.root : &certified.issuer},
                 {CSV_PART_CRL, &certified.crl}};
    for (size_t i = 0; i < 4; i++) {
        if (parts[i].der->size != 0) {
            assert_int_equal(
                csv_input_add(input, parts[i].kind, NULL, parts[i].der->bytes, parts[i].der->size),
                CSN_OK);
        }
    }
    made_spki_sha256(made_key("P-256", 8), digest);
    if (!certified.without_trust) {
        assert_int_equal(csv_input_trust_test_root_insecure(input, digest), CSN_OK);
    }
    struct csv_verdict *verdict = vtpm_expect(policy, input, CSV_FORMAT_TPM, result, id, outcome);
    csv_policy_free(policy);
    return verdict;
}

static void certified_keys(void **state)
{
    (void)state;
    static const char trusted[] = "ak_roots = [\"test\"]\n";
    fresh();
    certify("critical,digitalSignature", "critical,CA:TRUE", 0);
    struct csv_verdict *verdict =
        appraise_certified(trusted, CSV_VALID, "tpm.ak-listed", CSV_PASSED);
    assert_string_equal(csv_verdict_claim(verdict, "ak_subject"), "machine");
    assert_string_equal(csv_verdict_claim(verdict, "gce_zone"), "z");
    assert_string_equal(csv_verdict_claim(verdict, "gce_project_number"), "5");
    assert_string_equal(csv_verdict_claim(verdict, "gce_instance_name"), "i");
    csv_verdict_free(verdict);
    certified.ak.size += 100; /* zeros, as Azure's NV index has them */
    csv_verdict_free(appraise_certified(trusted, CSV_VALID, "tpm.ak", CSV_PASSED));
    certified.ak.bytes[certified.ak.size - 1] = 1;
    csv_verdict_free(appraise_certified(trusted, CSV_INVALID, "tpm.ak", CSV_FAILED));
    certify("critical,digitalSignature", "critical,CA:TRUE", 0);
    certified.without_trust = true;
    csv_verdict_free(appraise_certified(trusted, CSV_INVALID, "tpm.ak", CSV_FAILED));
    certified.without_trust = false;
    certified.without_issuer = true;
    csv_verdict_free(appraise_certified(trusted, CSV_UNVERIFIABLE, "tpm.ak", CSV_MISSING));
    certify("critical,keyEncipherment", "critical,CA:TRUE", 0); /* an EK */
    csv_verdict_free(appraise_certified(trusted, CSV_INVALID, "tpm.ak", CSV_FAILED));
    certify("critical,digitalSignature", NULL, 0);
    csv_verdict_free(appraise_certified(trusted, CSV_INVALID, "tpm.ak", CSV_FAILED));
    certify("critical,digitalSignature", "critical,CA:TRUE", MADE_TIME - 1);
    csv_verdict_free(appraise_certified(trusted, CSV_INVALID, "tpm.ak", CSV_FAILED));
}

static void certified_keys_and_policy(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        bool good;
    } rows[] = {
        {"", false},
        {"ak_roots = [\"gce-vtpm\"]\n", false},
        {"ak_roots = [\"gce-vtpm\", \"test\"]\n", true},
        {"ak_roots = [\"test\"]\nak_subjects = [\"machine\"]\n", true},
        {"ak_roots = [\"test\"]\nak_subjects = [\"other\"]\n", false},
        {"ak_roots = [\"test\"]\ngce_project_ids = [\"p\"]\ngce_instance_ids = [\"9\"]\n", true},
        {"ak_roots = [\"test\"]\ngce_project_ids = [\"q\"]\n", false},
        {"ak_roots = [\"test\"]\ngce_instance_ids = [\"8\"]\n", false},
    };
    fresh();
    certify("critical,digitalSignature", "critical,CA:TRUE", 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        csv_verdict_free(appraise_certified(rows[i].lines, rows[i].good ? CSV_VALID : CSV_INVALID,
                                            "tpm.ak-listed",
                                            rows[i].good ? CSV_PASSED : CSV_FAILED));
    }
}

static void revoked_keys(void **state)
{
    (void)state;
    static const char trusted[] = "ak_roots = [\"test\"]\n";
    fresh();
    certify("critical,digitalSignature", "critical,CA:TRUE", 0);
    certified.crl = made_crl("issuer", made_key("P-256", 9), MADE_SERIAL + 1);
    csv_verdict_free(appraise_certified(trusted, CSV_VALID, "tpm.ak-revoked", CSV_PASSED));
    certified.crl = made_crl("issuer", made_key("P-256", 9), MADE_SERIAL);
    csv_verdict_free(appraise_certified(trusted, CSV_INVALID, "tpm.ak-revoked", CSV_FAILED));
    certified.crl = made_crl("root", made_key("P-256", 8), MADE_SERIAL); /* the issuer itself */
    csv_verdict_free(appraise_certified(trusted, CSV_INVALID, "tpm.ak-revoked", CSV_FAILED));
    certified.crl = made_crl("issuer", made_key("P-256", 8), 0); /* signed by another */
    csv_verdict_free(appraise_certified(trusted, CSV_INVALID, "tpm.ak-revoked", CSV_FAILED));
    certified.crl = certified.root;
    csv_verdict_free(appraise_certified(trusted, CSV_INVALID, "tpm.ak-revoked", CSV_FAILED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_quote),
        cmocka_unit_test(published_certificates),
        cmocka_unit_test(schemes),
        cmocka_unit_test(signatures),
        cmocka_unit_test(keys),
        cmocka_unit_test(framing),
        cmocka_unit_test(every_bit_is_signed),
        cmocka_unit_test(only_selected_pcrs_count),
        cmocka_unit_test(pcr_values),
        cmocka_unit_test(unlisted_pcrs),
        cmocka_unit_test(banks),
        cmocka_unit_test(pcr_texts),
        cmocka_unit_test(freshness),
        cmocka_unit_test(clock_lines),
        cmocka_unit_test(certified_keys),
        cmocka_unit_test(certified_keys_and_policy),
        cmocka_unit_test(revoked_keys),
    };
    if (table_skip()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, table_start, vtpm_rig_stop);
}
