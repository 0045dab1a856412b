/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cmw.c: evidence in the RATS conceptual message wrapper: each form, in and out, and what is
 * refused. Usage: test_cmw [published]
 */
#include "cose_rig.h"
#include "table.h"
#include <stdio.h>

static const uint8_t evidence[] = {0xff, 0xfe, 0xfb, 0x00, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20};

/* What is in a wrapper; CSN_ERR_FORMAT: not one. */
static csn_err open_bytes(const void *bytes, size_t size, uint8_t *target, size_t *target_size,
                          uint32_t *format)
{
    /* A copy that ends where the wrapper does, so that a sanitizer sees a read beyond. */
    uint8_t *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy + 1, bytes, size);
    csn_err result = csv_cmw_open(copy + 1, size, target, sizeof evidence, target_size, format);
    free(copy);
    return result;
}

static void expect_evidence(const void *bytes, size_t size, uint32_t format)
{
    uint8_t target[sizeof evidence] = {0};
    size_t target_size = 0;
    uint32_t named = UINT32_MAX;
    assert_int_equal(open_bytes(bytes, size, target, &target_size, &named), CSN_OK);
    assert_int_equal(target_size, sizeof evidence);
    assert_memory_equal(target, evidence, sizeof evidence);
    assert_int_equal(named, format);
}

static void expect_refusal(const void *bytes, size_t size)
{
    uint8_t target[sizeof evidence];
    size_t target_size;
    assert_int_equal(open_bytes(bytes, size, target, &target_size, NULL), CSN_ERR_FORMAT);
}

/* Each format in each form that it has; every prefix of it is refused. */
static void round_trip(void **state)
{
    (void)state;
    for (uint32_t format = CSV_FORMAT_CAISSON; format <= CSV_FORMAT_TPM; format++) {
        for (uint32_t form = CSV_CMW_JSON; form <= CSV_CMW_TAG; form++) {
            uint8_t bytes[256];
            size_t size = 0;
            size_t again = 0;
            csn_err made =
                csv_cmw_wrap(format, form, evidence, sizeof evidence, bytes, sizeof bytes, &size);
            if (form == CSV_CMW_TAG && format != CSV_FORMAT_GCS_JWT) {
                assert_int_equal(made, CSN_ERR_UNKNOWN);
                continue;
            }
            assert_int_equal(made, CSN_OK);
            expect_evidence(bytes, size, format);
            assert_int_equal(csv_cmw_wrap(format, form, evidence, sizeof evidence, NULL, 0, &again),
                             CSN_OK);
            assert_int_equal(again, size);
            for (size_t cut = 0; cut < size; cut++) {
                expect_refusal(bytes, cut);
            }
        }
    }
}

/* The bytes as the text of RFC 9999 and of RFC 9277 has them. */
static void as_written(void **state)
{
    (void)state;
    static const char json[] = "[\"application/eat+jwt\",\"__77ABCDEFGHIA\",4]";
    uint8_t bytes[256];
    size_t size;
    assert_int_equal(csv_cmw_wrap(CSV_FORMAT_GCS_JWT, CSV_CMW_JSON, evidence, sizeof evidence,
                                  bytes, sizeof bytes, &size),
                     CSN_OK);
    assert_int_equal(size, sizeof json - 1);
    assert_memory_equal(bytes, json, size);
    struct made made = {.size = 0};
    made_head(&made, MADE_ARRAY, 3);
    made_text(&made, "application/x.caisson.nitro");
    made_bytes(&made, evidence, sizeof evidence);
    made_int(&made, 4);
    assert_int_equal(csv_cmw_wrap(CSV_FORMAT_NITRO, CSV_CMW_CBOR, evidence, sizeof evidence, bytes,
                                  sizeof bytes, &size),
                     CSN_OK);
    assert_int_equal(size, made.size);
    assert_memory_equal(bytes, made.bytes, size);
    made.size = 0;
    made_head(&made, MADE_TAG, 1668546817 + 256 + 9); /* 264 = 255 + 9 */
    made_bytes(&made, evidence, sizeof evidence);
    assert_int_equal(csv_cmw_wrap(CSV_FORMAT_GCS_JWT, CSV_CMW_TAG, evidence, sizeof evidence, bytes,
                                  sizeof bytes, &size),
                     CSN_OK);
    assert_int_equal(size, made.size);
    assert_memory_equal(bytes, made.bytes, size);
}

static void arguments(void **state)
{
    (void)state;
    uint8_t bytes[8];
    size_t size;
    assert_int_equal(csv_cmw_wrap(0, 1, evidence, 1, bytes, 8, &size), CSN_ERR_ARGUMENT);
    assert_int_equal(csv_cmw_wrap(11, 1, evidence, 1, bytes, 8, &size), CSN_ERR_ARGUMENT);
    assert_int_equal(csv_cmw_wrap(1, 0, evidence, 1, bytes, 8, &size), CSN_ERR_ARGUMENT);
    assert_int_equal(csv_cmw_wrap(1, 4, evidence, 1, bytes, 8, &size), CSN_ERR_ARGUMENT);
    assert_int_equal(csv_cmw_wrap(1, 1, NULL, 0, bytes, 8, &size), CSN_ERR_ARGUMENT);
    assert_int_equal(csv_cmw_wrap(1, 1, evidence, 1, NULL, 8, &size), CSN_ERR_ARGUMENT);
    assert_int_equal(csv_cmw_wrap(1, 1, evidence, CSV_PART_SIZE_MAX + 1, bytes, 8, &size),
                     CSN_ERR_LIMIT);
    assert_int_equal(csv_cmw_open(NULL, 0, bytes, 8, &size, NULL), CSN_ERR_ARGUMENT);
    assert_int_equal(csv_cmw_open(evidence, CSV_PART_SIZE_MAX + 1, bytes, 8, &size, NULL),
                     CSN_ERR_LIMIT);
}

#define VALUE "\"__77ABCDEFGHIA\""

static void json_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t format;
    } good[] = {
        {"[\"application/x.caisson.snp\"," VALUE "]", CSV_FORMAT_SNP},
        {" [ \"Application/EAT+JWT; q=1\" , " VALUE " ]\n", CSV_FORMAT_GCS_JWT},
        {"[\"application/eat-collection; profile=\\\"http://arm.com/CCA-SSD/1.0.0\\\"\"," VALUE "]",
         CSV_FORMAT_CCA},
        {"[\"application/vnd.unknown\"," VALUE "]", 0},
        {"[\"application/vnd.unknown\"," VALUE ",6]", 0},
        {"{\"a\":[\"application/x.caisson.tdx\"," VALUE "]}", CSV_FORMAT_TDX},
        {"{\"__cmwc_t\":\"tag:example.com,2025:a\",\"a\":[\"application/vnd.unknown\"," VALUE ",4],"
         "\"b\":[\"application/pkix-cert\",\"AA\",2]}",
         0},
    };
    static const char *const bad[] = {
        "[]",
        "{}",
        "[\"application/x.caisson.snp\"]",
        "[7," VALUE "]",
        "[\"a\",7]",
        "[\"a\"," VALUE ",0]",
        "[\"a\"," VALUE ",16]",
        "[\"a\"," VALUE ",4,4]",
        "[\"a\"," VALUE ",\"4\"]",
        "[\"a\"," VALUE ",8]", /* results, not evidence */
        "[\"a\",\"__77ABCDEFGHIA=\"]",
        "[\"a\",\"//77ABCDEFGHIA\"]",
        "[\"a\",\"__77ABCDEFGHI\\u0041\"]",
        "[\"#cmw-c2j-tunnel\"," VALUE "]",
        "{\"a\":{\"b\":[\"application/x.caisson.snp\"," VALUE "]}}",
        "{\"__cmwc_t\":\"tag:example.com,2025:a\"}",
        "{\"a\":[\"application/x.caisson.snp\"," VALUE
        "],\"b\":[\"application/x.caisson.tdx\"," VALUE "]}",
        "{\"a\":[\"application/vnd.unknown\"," VALUE "]}", /* which of many would it be? */
        "[\"a\"," VALUE "]x",
        "[\"a\",\"__77ABCDEFGHIA\"",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        expect_evidence(good[i].text, strlen(good[i].text), good[i].format);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect_refusal(bad[i], strlen(bad[i]));
    }
}

/* A record; type NULL: the number instead. indicator -1: none. */
static void add_record(struct made *made, const char *type, int64_t number, int64_t indicator)
{
    made_head(made, MADE_ARRAY, indicator < 0 ? 2 : 3);
    if (type != NULL) {
        made_text(made, type);
    } else {
        made_int(made, number);
    }
    made_bytes(made, evidence, sizeof evidence);
    if (indicator >= 0) {
        made_int(made, indicator);
    }
}

static void cbor_forms(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int64_t number;
        int64_t indicator;
        bool good;
        uint32_t format;
    } records[] = {
        {"application/x.caisson.cca", 0, -1, true, CSV_FORMAT_CCA},
        {NULL, 264, -1, true, CSV_FORMAT_GCS_JWT},
        {NULL, 263, 4, true, 0},
        {NULL, 65535, 15, true, 0},
        {NULL, 65536, 4, false, 0},
        {NULL, -1, 4, false, 0},
        {"", 0, 4, false, 0},
        {"#cmw-j2c-tunnel", 0, -1, false, 0},
        {"application/x.caisson.cca", 0, 0, false, 0},
        {"application/x.caisson.cca", 0, 16, false, 0},
        {"application/x.caisson.cca", 0, 11, false, 0},
        {"application/x.caisson.cca", 0, 20, false, 0},
    };
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        struct made made = {.size = 0};
        add_record(&made, records[i].type, records[i].number, records[i].indicator);
        if (records[i].good) {
            expect_evidence(made.bytes, made.size, records[i].format);
        } else {
            expect_refusal(made.bytes, made.size);
        }
    }
}

/* The first and last tag of RFC 9277, those that it leaves out, and those beside. */
static void tags(void **state)
{
    (void)state;
    static const struct {
        uint64_t tag;
        bool good;
    } cases[] = {{1668546817, true},
                 {1668546816, false},
                 {1668546817 + 254, true},
                 {1668546817 + 255, false},
                 {1668612095, true},
                 {1668612096, false},
                 {18, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made made = {.size = 0};
        made_head(&made, MADE_TAG, cases[i].tag);
        made_bytes(&made, evidence, sizeof evidence);
        if (cases[i].good) {
            expect_evidence(made.bytes, made.size, CSV_FORMAT_AUTO);
        } else {
            expect_refusal(made.bytes, made.size);
        }
    }
    struct made made = {.size = 0};
    made_head(&made, MADE_TAG, 1668546817 + 256 + 9);
    made_text(&made, "not bytes");
    expect_refusal(made.bytes, made.size);
}

static void cbor_collections(void **state)
{
    (void)state;
    for (size_t count = 0; count <= 17; count++) {
        struct made made = {.size = 0};
        made_head(&made, MADE_MAP, count + 1);
        made_text(&made, "__cmwc_t");
        made_text(&made, "tag:example.com,2025:a");
        for (size_t i = 0; i < count; i++) {
            made_int(&made, (int64_t)i - 5);
            if (i == count / 2) {
                add_record(&made, NULL, 263, -1);
            } else {
                add_record(&made, "application/pkix-cert", 0, i % 2 == 0 ? -1 : 2);
            }
        }
        if (count == 0 || count == 17) {
            expect_refusal(made.bytes, made.size);
        } else {
            expect_evidence(made.bytes, made.size, CSV_FORMAT_AUTO);
        }
    }
    struct made made = {.size = 0};
    made_head(&made, MADE_MAP, 1);
    made_bytes(&made, "label", 5);
    add_record(&made, NULL, 263, -1);
    expect_refusal(made.bytes, made.size);
    made.size = 0;
    made_head(&made, MADE_MAP, 1);
    made_int(&made, 1);
    made_head(&made, MADE_MAP, 1);
    made_int(&made, 1);
    add_record(&made, NULL, 263, -1);
    expect_refusal(made.bytes, made.size);
}

/* ---- in an appraisal ---- */

static const struct csv_finding *appraise_text(const char *text, uint32_t format, uint32_t outcome,
                                               struct csv_verdict **verdict)
{
    struct csv_policy *any;
    struct csv_input *input;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, text, strlen(text)), CSN_OK);
    assert_int_equal(csv_appraise(any, input, format, verdict), CSN_ERR_EVIDENCE);
    csv_input_free(input);
    csv_policy_free(any);
    return table_finding(*verdict, "evidence.cmw", outcome);
}

/* Auto wants a type that it knows; a format that was asked for is tried whatever the type says. */
static void types_in_an_appraisal(void **state)
{
    (void)state;
    struct csv_verdict *verdict = NULL;
    const char *unknown = "[\"application/vnd.unknown\"," VALUE "]";
    assert_non_null(appraise_text(unknown, CSV_FORMAT_AUTO, CSV_FAILED, &verdict));
    csv_verdict_free(verdict);
    assert_non_null(appraise_text(unknown, CSV_FORMAT_NITRO, CSV_PASSED, &verdict));
    assert_non_null(table_finding(verdict, "nitro.framing", CSV_FAILED));
    csv_verdict_free(verdict);
    const char *known = "[\"application/x.caisson.cca\"," VALUE "]";
    assert_non_null(appraise_text(known, CSV_FORMAT_AUTO, CSV_PASSED, &verdict));
    assert_non_null(table_finding(verdict, "evidence.format", CSV_FAILED)); /* the bytes are none */
    csv_verdict_free(verdict);
    const char *beside =
        "{\"a\":[\"application/x.caisson.cca\"," VALUE "],\"b\":[\"text/plain\",\"\",2]}";
    assert_non_null(appraise_text(beside, CSV_FORMAT_CCA, CSV_FAILED, &verdict));
    csv_verdict_free(verdict);
    assert_null(appraise_text("[\"broken", CSV_FORMAT_CCA, CSV_FAILED, &verdict));
    assert_non_null(table_finding(verdict, "cca.framing", CSV_FAILED));
    csv_verdict_free(verdict);
    assert_non_null(appraise_text("[\"broken", CSV_FORMAT_AUTO, CSV_FAILED, &verdict));
    csv_verdict_free(verdict);
}

static void appraise_made(struct made *made, const char *ak, uint32_t format, csn_err expected)
{
    struct csv_policy *any;
    struct csv_input *input;
    struct csv_verdict *verdict = NULL;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, made->bytes, made->size),
                     CSN_OK);
    if (ak != NULL) {
        table_add(input, CSV_PART_AK, ak);
    }
    csv_input_set_time(input, table_time("2025-06-01"));
    csn_err result = csv_appraise(any, input, format, &verdict);
    if (result != expected) {
        table_explain(verdict);
        fail_msg("%d, expected %d", result, expected);
    }
    assert_non_null(table_finding(verdict, "evidence.cmw", CSV_PASSED));
    csv_verdict_free(verdict);
    csv_input_free(input);
    csv_policy_free(any);
    table_forget();
}

/* A published CCA token in each form. */
static void token_in_a_wrapper(void **state)
{
    (void)state;
    struct table_file token = table_file("cca/token-02.cbor");
    struct made made;
    assert_non_null(token.bytes);
    for (uint32_t form = CSV_CMW_JSON; form <= CSV_CMW_CBOR; form++) {
        assert_int_equal(csv_cmw_wrap(CSV_FORMAT_CCA, form, token.bytes, token.size, made.bytes,
                                      sizeof made.bytes, &made.size),
                         CSN_OK);
        appraise_made(&made, "cca/ta-02.pub.pem", CSV_FORMAT_CCA, CSN_OK);
        appraise_made(&made, "cca/ta-02.pub.pem", CSV_FORMAT_AUTO, CSN_OK);
        appraise_made(&made, NULL, CSV_FORMAT_AUTO, CSN_ERR_UNVERIFIED);
    }
    made.size = 0;
    made_head(&made, MADE_TAG, 1668546817 + 256 + 8); /* 263: eat+cwt */
    made_bytes(&made, token.bytes, token.size);
    appraise_made(&made, "cca/ta-02.pub.pem", CSV_FORMAT_AUTO, CSN_OK);
    free(token.bytes);
}

static void add_file(struct made *made, const char *label, const char *type, const char *path)
{
    struct table_file file = table_file(path);
    assert_non_null(file.bytes);
    made_text(made, label);
    made_head(made, MADE_ARRAY, 2);
    made_text(made, type);
    made_bytes(made, file.bytes, file.size);
    free(file.bytes);
}

/* A published SNP report with its certificates in one collection, and nothing beside it. */
static void certificates_in_a_collection(void **state)
{
    (void)state;
    for (size_t count = 4; count >= 3; count--) {
        struct made made = {.size = 0};
        made_head(&made, MADE_MAP, count);
        add_file(&made, "report", "application/x.caisson.snp",
                 "snp/milan-v2-google-debug.report.bin");
        add_file(&made, "ask", "application/pem-certificate-chain", "roots/amd-ask-milan.pem");
        add_file(&made, "ark", "application/pem-certificate-chain", "roots/amd-ark-milan.pem");
        if (count == 4) {
            add_file(&made, "vek", "application/pkix-cert", "snp/milan-v2-google-debug.vcek.der");
        }
        appraise_made(&made, NULL, CSV_FORMAT_AUTO, count == 4 ? CSN_OK : CSN_ERR_UNVERIFIED);
    }
}

int main(int count, char **arguments_given)
{
    const struct CMUnitTest published[] = {cmocka_unit_test(token_in_a_wrapper),
                                           cmocka_unit_test(certificates_in_a_collection)};
    const struct CMUnitTest forms[] = {
        cmocka_unit_test(round_trip),       cmocka_unit_test(as_written),
        cmocka_unit_test(arguments),        cmocka_unit_test(json_forms),
        cmocka_unit_test(cbor_forms),       cmocka_unit_test(tags),
        cmocka_unit_test(cbor_collections), cmocka_unit_test(types_in_an_appraisal)};
    if (count == 1) {
        return cmocka_run_group_tests_name("wrappers", forms, NULL, NULL);
    }
    return strcmp(arguments_given[1], "published") != 0 ? 2
           : table_skip()
               ? 0
               : cmocka_run_group_tests_name("published evidence, wrapped", published, NULL, NULL);
}
