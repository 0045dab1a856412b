/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dcap.c: every published quote and collateral set gives the verdict, the fields and Intel's
 * status that its table says, at both ends of its window and beyond them.
 */
#include "published.h"
#include <stdio.h>

/* Rows whose sets lack a list: Intel's status, but not a verdict. */
static bool lacks_list(const char *set)
{
    return strcmp(set, "tdx-c0806f000000-2024-09") == 0 ||
           strcmp(set, "sgx-00606a000000-2022-12") == 0;
}

/* A list claim against "A,B" of a table. */
static void same_advisories(const struct csv_verdict *verdict, const char *expected)
{
    const char *claim = csv_verdict_claim(verdict, "advisories");
    assert_non_null(claim);
    assert_string_equal(claim, expected);
}

static void check_row(const struct table *table, size_t row, int64_t at)
{
    const char *quote = table_cell(table, row, "quote");
    const char *set = table_cell(table, row, "collateral");
    const char *status = table_cell(table, row, "converged_status");
    struct csv_verdict *verdict = NULL;
    csn_err result = published_appraise(quote, set, at, NULL, &verdict);
    const char *got = csv_verdict_tcb_status(verdict);
    csn_err expected = strcmp(status, "NotSupported") == 0 ? CSN_ERR_EVIDENCE
                       : lacks_list(set)                   ? CSN_ERR_UNVERIFIED
                                                           : CSN_OK;
    if (got == NULL || strcmp(got, status) != 0 || result != expected) {
        table_explain(verdict);
        fail_msg("%s with %s at %lld: status %s, Intel's is %s; result %d", quote, set,
                 (long long)at, got != NULL ? got : "(none)", status, result);
    }
    assert_string_equal(csv_verdict_claim(verdict, "platform_tcb_status"),
                        table_cell(table, row, "platform_tcb_status"));
    assert_string_equal(csv_verdict_claim(verdict, "qe_status"),
                        table_cell(table, row, "qe_status"));
    if (strcmp(status, "NotSupported") != 0) {
        assert_string_equal(csv_verdict_claim(verdict, "tcb_date"),
                            table_cell(table, row, "tcb_date"));
        same_advisories(verdict, table_cell(table, row, "advisories"));
    }
    csv_verdict_free(verdict);
}

/* Beyond the window something has expired, or does not hold yet. */
static void check_outside(const struct table *table, size_t row, int64_t at)
{
    struct csv_verdict *verdict = NULL;
    csn_err result = published_appraise(table_cell(table, row, "quote"),
                                        table_cell(table, row, "collateral"), at, NULL, &verdict);
    if (result != CSN_ERR_EVIDENCE) {
        fail_msg("%s with %s at %lld: result %d", table_cell(table, row, "quote"),
                 table_cell(table, row, "collateral"), (long long)at, result);
    }
    csv_verdict_free(verdict);
}

static void evaluations(void **state)
{
    (void)state;
    struct table table = table_read("dcap-collateral/EVALUATION.tsv");
    for (size_t row = 0; row < table_rows(&table); row++) {
        int64_t from = table_time(table_cell(&table, row, "usable_from"));
        int64_t to = table_time(table_cell(&table, row, "usable_to"));
        check_row(&table, row, to - 60);
        check_row(&table, row, to);
        check_row(&table, row,
                  from + (strlen(table_cell(&table, row, "usable_from")) == 10 ? 86400 : 0));
        check_outside(&table, row, to + 1);
    }
    printf("# %zu of %zu rows give Intel's status\n", table_rows(&table), table_rows(&table));
    table_free(&table);
}

/* ---- every file of the folders ---- */

struct plan {
    char set[64]; /* "": none */
    int64_t at;
    csn_err result;
};

/* The first row of EVALUATION.tsv with a quote and, if set is not "", that set. */
static bool find_evaluation(const struct table *evaluation, const char *quote, const char *set,
                            struct plan *plan)
{
    for (size_t row = 0; row < table_rows(evaluation); row++) {
        const char *name = table_cell(evaluation, row, "collateral");
        if (strcmp(table_cell(evaluation, row, "quote"), quote) == 0 &&
            (set[0] == 0 || strcmp(name, set) == 0)) {
            bool below =
                strcmp(table_cell(evaluation, row, "converged_status"), "NotSupported") == 0;
            snprintf(plan->set, sizeof plan->set, "%s", name);
            plan->at = table_time(table_cell(evaluation, row, "usable_to")) - 60;
            plan->result = below              ? CSN_ERR_EVIDENCE
                           : lacks_list(name) ? CSN_ERR_UNVERIFIED
                                              : CSN_OK;
            return true;
        }
    }
    return false;
}

/* Without collateral a quote is unverifiable; what its table calls a bad signature is invalid. */
static struct plan plan_of(const struct table *sources, const struct table *evaluation, size_t row,
                           const char *quote)
{
    struct plan plan = {.result = CSN_ERR_UNVERIFIED};
    char set[64] = "";
    const char *window = table_cell(sources, row, "validity_window");
    table_field(table_cell(sources, row, "expected_fields"), "collateral", set, sizeof set);
    if (!find_evaluation(evaluation, quote, set, &plan)) {
        plan.at = strncmp(window, "PCK ", 4) == 0 ? table_time(window + 4) + 86400
                                                  : table_time("2025-01-01");
    }
    if (strcmp(table_cell(sources, row, "expected_verdict"), "INVALID: quote signature") == 0) {
        plan.result = CSN_ERR_EVIDENCE;
    }
    return plan;
}

static size_t check_quotes(const char *folder, const struct table *evaluation, size_t *fields)
{
    static const char *const ignored[] = {"collateral", NULL};
    char path[256];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/SOURCES.tsv", folder);
    struct table sources = table_read(path);
    for (size_t row = 0; row < table_rows(&sources); row++) {
        const char *file = table_cell(&sources, row, "file");
        if (strstr(file, ".quote.bin") == NULL || strstr(file, "untrusted-root") != NULL) {
            continue;
        }
        struct csv_verdict *verdict = NULL;
        snprintf(path, sizeof path, "%s/%s", folder, file);
        struct plan plan = plan_of(&sources, evaluation, row, path);
        csn_err result =
            published_appraise(path, plan.set[0] != 0 ? plan.set : NULL, plan.at, NULL, &verdict);
        if (result != plan.result) {
            table_explain(verdict);
            fail_msg("%s with %s: result %d, expected %d", path, plan.set, result, plan.result);
        }
        *fields += table_compare(verdict, table_cell(&sources, row, "expected_fields"), ignored);
        csv_verdict_free(verdict);
        count++;
    }
    table_free(&sources);
    return count;
}

static void quotes(void **state)
{
    (void)state;
    struct table evaluation = table_read("dcap-collateral/EVALUATION.tsv");
    size_t fields = 0;
    size_t count = check_quotes("tdx", &evaluation, &fields);
    count += check_quotes("sgx", &evaluation, &fields);
    printf("# %zu quotes give their verdict, %zu fields their value\n", count, fields);
    assert_int_equal(count, 13 + 6);
    table_free(&evaluation);
}

/* The quote of a set: one that was evaluated with it, or any of the TEE. */
static const char *quote_of(const struct table *evaluation, const char *set)
{
    for (size_t row = 0; row < table_rows(evaluation); row++) {
        if (strcmp(table_cell(evaluation, row, "collateral"), set) == 0) {
            return table_cell(evaluation, row, "quote");
        }
    }
    return strncmp(set, "tdx", 3) == 0 ? "tdx/v5-coco-90c06f000000.quote.bin"
                                       : "sgx/v3-phala-00a067110000.quote.bin";
}

static size_t compare_group(const struct csv_verdict *verdict, const char *group,
                            const char *fields)
{
    size_t count = 0;
    while (fields != NULL && *fields != 0) {
        char name[128];
        char expected[256];
        snprintf(name, sizeof name, "%s.%.*s", group, (int)strcspn(fields, "="), fields);
        assert_true(table_field(fields, name + strlen(group) + 1, expected, sizeof expected));
        assert_non_null(csv_verdict_claim(verdict, name));
        assert_string_equal(csv_verdict_claim(verdict, name), expected);
        count++;
        fields = strchr(fields, ';');
        fields = fields != NULL ? fields + 1 : NULL;
    }
    return count;
}

static void window_of(const char *set, int64_t *from, int64_t *to)
{
    struct table windows = table_read("dcap-collateral/WINDOWS.tsv");
    size_t row = table_find(&windows, set);
    *from = table_time(table_cell(&windows, row, "from"));
    *to = table_time(table_cell(&windows, row, "to"));
    table_free(&windows);
}

/* The claims of each piece of collateral. */
static void collateral(void **state)
{
    (void)state;
    struct table sources = table_read("dcap-collateral/SOURCES.tsv");
    struct table evaluation = table_read("dcap-collateral/EVALUATION.tsv");
    size_t files = 0;
    size_t fields = 0;
    for (size_t row = 0; row < table_rows(&sources); row++) {
        char set[64];
        char group[64];
        int64_t from;
        int64_t to;
        struct csv_verdict *verdict = NULL;
        const char *file = table_cell(&sources, row, "file");
        if (strncmp(table_cell(&sources, row, "expected_verdict"), "INVALID", 7) == 0) {
            continue; /* wrong_signer */
        }
        const char *slash = strchr(file, '/');
        assert_non_null(slash);
        snprintf(set, sizeof set, "%.*s", (int)(slash - file), file);
        snprintf(group, sizeof group, "%.*s", (int)strcspn(slash + 1, "."),
                 slash != NULL ? slash + 1 : "");
        window_of(set, &from, &to);
        published_appraise(quote_of(&evaluation, set), set, to, NULL, &verdict);
        fields += compare_group(verdict, group, table_cell(&sources, row, "expected_fields"));
        files++;
        csv_verdict_free(verdict);
    }
    printf("# %zu files of collateral, %zu fields\n", files, fields);
    assert_true(files > 60);
    table_free(&evaluation);
    table_free(&sources);
}

/* Something that has a date failed. */
static bool date_failed(const struct csv_verdict *verdict)
{
    static const char *const ids[] = {"tcb-info.current", "qe-identity.current", "pck.revoked",
                                      "pck.ca-revoked",   "collateral.revoked",  "pck.chain",
                                      "collateral.signer"};
    bool failed = false;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        failed = failed || table_finding(verdict, ids[i], CSV_FAILED) != NULL;
    }
    return failed;
}

static void windows(void **state)
{
    (void)state;
    struct table table = table_read("dcap-collateral/WINDOWS.tsv");
    struct table evaluation = table_read("dcap-collateral/EVALUATION.tsv");
    for (size_t row = 0; row < table_rows(&table); row++) {
        const char *set = table_cell(&table, row, "set");
        int64_t from = table_time(table_cell(&table, row, "from"));
        int64_t to = table_time(table_cell(&table, row, "to"));
        bool paired = strcmp(set, "tdx-00a06d080000-2025-10") != 0;
        const int64_t times[] = {from - 1, from, to, to + 1};
        for (size_t i = 0; i < 4; i++) {
            struct csv_verdict *verdict = NULL;
            bool outside = i == 0 || i == 3;
            published_appraise(quote_of(&evaluation, set), set, times[i], NULL, &verdict);
            if (date_failed(verdict) != outside) {
                table_explain(verdict);
                fail_msg("%s at %lld: %s", set, (long long)times[i],
                         outside ? "holds outside its window" : "does not hold inside");
            }
            assert_int_equal(csv_verdict_tcb_status(verdict) != NULL, paired);
            csv_verdict_free(verdict);
        }
    }
    printf("# %zu sets hold just in their windows\n", table_rows(&table));
    table_free(&evaluation);
    table_free(&table);
}

/* Times at which the tests of the quote's source refuse it, and why. */
static void upstream_times(void **state)
{
    (void)state;
    static const struct {
        int64_t at;
        const char *id;
    } cases[] = {{1891163522, "pck.chain"},
                 {1670238720, "pck.chain"},
                 {1671194735, "qe-identity.current"},
                 {1673786737, "qe-identity.current"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct csv_verdict *verdict = NULL;
        assert_int_equal(published_appraise("sgx/v3-oasis-00606a000000.quote.bin",
                                            "sgx-00606a000000-2022-12", cases[i].at, NULL,
                                            &verdict),
                         CSN_ERR_EVIDENCE);
        assert_non_null(table_finding(verdict, cases[i].id, CSV_FAILED));
        csv_verdict_free(verdict);
    }
}

static struct csv_input *new_input(const char *quote, const char *set, const char *but, int64_t at)
{
    struct csv_input *input = NULL;
    assert_int_equal(csv_input_create(&input), CSN_OK);
    table_add(input, CSV_PART_EVIDENCE, quote);
    published_set(input, set, but);
    if (at != 0) {
        csv_input_set_time(input, at);
    }
    return input;
}

/* Appraises under any policy, and expects a result with a finding (NULL: any). */
static struct csv_verdict *expect(struct csv_input *input, uint32_t format, csn_err result,
                                  const char *id, uint32_t outcome)
{
    struct csv_policy *any = NULL;
    struct csv_verdict *verdict = NULL;
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    csn_err got = csv_appraise(any, input, format, &verdict);
    if (got != result || (id != NULL && table_finding(verdict, id, outcome) == NULL)) {
        table_explain(verdict);
        fail_msg("result %d, expected %d with %s", got, result, id != NULL ? id : "-");
    }
    csv_policy_free(any);
    csv_input_free(input);
    table_forget();
    return verdict;
}

#define PHALA     "tdx/v4-phala-b0c06f000000.quote.bin"
#define PHALA_SET "tdx-b0c06f000000-2025-06"
#define PHALA_AT  INT64_C(1751328000) /* 2025-07-01 */

/* What is missing makes a quote unverifiable, never invalid and never valid. */
static void missing_parts(void **state)
{
    (void)state;
    static const struct {
        const char *but;
        const char *id;
    } cases[] = {{"tcb_info", "tcb-info.signature"},
                 {"qe_identity", "qe-identity.signature"},
                 {"tcb_signing", "collateral.signer"},
                 {"pck_crl.der", "pck.revoked"},
                 {"root_ca_crl", "pck.ca-revoked"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct csv_input *input = new_input(PHALA, PHALA_SET, cases[i].but, PHALA_AT);
        csv_verdict_free(
            expect(input, CSV_FORMAT_TDX, CSN_ERR_UNVERIFIED, cases[i].id, CSV_MISSING));
    }
    csv_verdict_free(expect(new_input(PHALA, PHALA_SET, NULL, 0), CSV_FORMAT_TDX,
                            CSN_ERR_UNVERIFIED, "time.given", CSV_MISSING));
    csv_verdict_free(
        expect(new_input("sgx/v3-oasis-ppid-type3.quote.bin", PHALA_SET, NULL, PHALA_AT),
               CSV_FORMAT_SGX, CSN_ERR_UNVERIFIED, "pck.chain", CSV_MISSING));
}

/* Lists may come as --crl, too, and in other codings. */
static void lists_by_issuer(void **state)
{
    (void)state;
    static const char *const files[] = {"dcap-collateral/" PHALA_SET "/pck_crl.der",
                                        "dcap-collateral/" PHALA_SET "/root_ca_crl.der",
                                        "dcap-collateral/sgx-00a067110000-2025-06/pck_crl.der"};
    struct csv_input *input = new_input(PHALA, PHALA_SET, "crl.der", PHALA_AT);
    for (size_t i = 0; i < 3; i++) { /* the last is of another CA: not looked at */
        table_add(input, CSV_PART_CRL, files[i]);
    }
    csv_verdict_free(expect(input, CSV_FORMAT_TDX, CSN_OK, "pck.revoked", CSV_PASSED));
}

static void hex_list(void **state)
{
    (void)state;
    struct csv_input *input = new_input(PHALA, PHALA_SET, "pck_crl.der", PHALA_AT);
    struct table_file file = table_file("dcap-collateral/" PHALA_SET "/pck_crl.der");
    char *hex = calloc(file.size, 2);
    for (size_t i = 0; i < file.size; i++) {
        static const char digits[] = "0123456789abcdef";
        hex[2 * i] = digits[file.bytes[i] >> 4];
        hex[2 * i + 1] = digits[file.bytes[i] & 15];
    }
    assert_int_equal(csv_input_add(input, CSV_PART_COLLATERAL, "pck_crl.hex", hex, 2 * file.size),
                     CSN_OK);
    csv_verdict_free(expect(input, CSV_FORMAT_TDX, CSN_OK, "pck.revoked", CSV_PASSED));
    free(hex);
    free(file.bytes);
}

/* A Processor CA's list for a Platform CA's certificate. */
static void crossed_lists(void **state)
{
    (void)state;
    struct csv_input *input = new_input(PHALA, PHALA_SET, "pck_crl.der", PHALA_AT);
    table_add(input, CSV_PART_COLLATERAL, "dcap-collateral/sgx-00a067110000-2025-06/pck_crl.der");
    csv_verdict_free(expect(input, CSV_FORMAT_TDX, CSN_ERR_EVIDENCE, "pck.revoked", CSV_FAILED));
}

/* The list of October 2025 expired three days before: pitfall 23. */
static void expired_list(void **state)
{
    (void)state;
    struct csv_input *input = new_input("tdx/v5-coco-90c06f000000.quote.bin",
                                        "tdx-00a06d080000-2025-10", NULL, table_time("2025-11-15"));
    csv_verdict_free(expect(input, CSV_FORMAT_TDX, CSN_ERR_EVIDENCE, "pck.revoked", CSV_FAILED));
}

/* Collateral for SGX beside a TDX quote, and another platform's. */
static void wrong_collateral(void **state)
{
    (void)state;
    struct csv_input *input = new_input(PHALA, "sgx-00a067110000-2025-06", "crl", PHALA_AT);
    struct csv_verdict *verdict =
        expect(input, CSV_FORMAT_TDX, CSN_ERR_EVIDENCE, "tcb-info.kind", CSV_FAILED);
    assert_non_null(table_finding(verdict, "qe-identity.kind", CSV_FAILED));
    assert_null(csv_verdict_tcb_status(verdict));
    csv_verdict_free(verdict);
    input = new_input(PHALA, "tdx-00806f050000-2025-07", NULL, table_time("2025-07-20"));
    csv_verdict_free(
        expect(input, CSV_FORMAT_TDX, CSN_ERR_EVIDENCE, "tcb-info.platform", CSV_FAILED));
    csv_verdict_free(expect(new_input(PHALA, PHALA_SET, NULL, PHALA_AT), CSV_FORMAT_SGX,
                            CSN_ERR_EVIDENCE, "quote.structure", CSV_FAILED));
}

static void wrong_signer(void **state)
{
    (void)state;
    struct csv_input *input = new_input("sgx/v3-oasis-00606a000000.quote.bin",
                                        "sgx-00606a000000-2022-12", "tcb_signing", 1671497404);
    struct table_file file =
        table_file("dcap-collateral/sgx-00606a000000-2022-12/tcb_signing_chain_bad.pem");
    assert_int_equal(
        csv_input_add(input, CSV_PART_COLLATERAL, "tcb_signing_chain.pem", file.bytes, file.size),
        CSN_OK);
    csv_verdict_free(
        expect(input, CSV_FORMAT_SGX, CSN_ERR_EVIDENCE, "collateral.signer", CSV_FAILED));
    free(file.bytes);
}

/* Each byte of signed collateral counts: a flipped bit in any of them. */
static void flipped_collateral(void **state)
{
    (void)state;
    static const char *const names[] = {"tcb_info.json", "qe_identity.json"};
    size_t flips = 0;
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof path, "dcap-collateral/%s/%s", PHALA_SET, names[i]);
        struct table_file file = table_file(path);
        assert_non_null(file.bytes);
        for (size_t at = 0; at < file.size; at += 7) {
            struct csv_input *input = new_input(PHALA, PHALA_SET, names[i], PHALA_AT);
            uint8_t kept = file.bytes[at];
            file.bytes[at] ^= (uint8_t)(1 << at % 8);
            assert_int_equal(
                csv_input_add(input, CSV_PART_COLLATERAL, names[i], file.bytes, file.size), CSN_OK);
            struct csv_policy *any = NULL;
            struct csv_verdict *verdict = NULL;
            assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
            csn_err result = csv_appraise(any, input, CSV_FORMAT_TDX, &verdict);
            /* Hex digits of either case are one number; nothing else may pass. */
            bool same = (kept ^ file.bytes[at]) == 0x20 && strchr("abcdefABCDEF", kept) != NULL &&
                        at + 140 > file.size;
            if (result != (same ? CSN_OK : CSN_ERR_EVIDENCE)) {
                table_explain(verdict);
                fail_msg("%s: bit %zu of byte %zu", names[i], at % 8, at);
            }
            csv_verdict_free(verdict);
            csv_policy_free(any);
            csv_input_free(input);
            table_forget();
            file.bytes[at] = kept;
            flips++;
        }
        free(file.bytes);
    }
    printf("# %zu flips of collateral refused\n", flips);
}

/* Intel's names, another's keys (pitfall 8); and the same set under its own root. */
static void foreign_root(void **state)
{
    (void)state;
    static const char folder[] = "sgx/untrusted-root/qvl-sample";
    static const struct {
        uint32_t kind;
        const char *name;
        const char *file;
    } parts[] = {{CSV_PART_EVIDENCE, NULL, ".quote.bin"},
                 {CSV_PART_CHAIN, NULL, ".pck.pem"},
                 {CSV_PART_CHAIN, NULL, ".pck_chain.pem"},
                 {CSV_PART_CHAIN, NULL, ".root.pem"},
                 {CSV_PART_COLLATERAL, "pck_crl.der", ".pck_crl.der"},
                 {CSV_PART_COLLATERAL, "root_ca_crl.der", ".root_crl.der"},
                 {CSV_PART_COLLATERAL, "tcb_info.json", ".tcb_info_v2.json"},
                 {CSV_PART_COLLATERAL, "qe_identity.json", ".qe_identity.json"},
                 {CSV_PART_COLLATERAL, "tcb_signing_chain.pem", ".tcb_signing_chain.pem"}};
    static const char *const ignored[] = {"root_spki", NULL};
    enum { PART_COUNT = sizeof parts / sizeof parts[0] };
    struct table_file files[PART_COUNT];
    struct table sources = table_read("sgx/SOURCES.tsv");
    size_t row = table_find(&sources, "untrusted-root/qvl-sample.quote.bin");
    const char *fields = table_cell(&sources, row, "expected_fields");
    for (int trusted = 0; trusted < 2; trusted++) {
        struct csv_input *input = NULL;
        assert_int_equal(csv_input_create(&input), CSN_OK);
        for (size_t i = 0; i < PART_COUNT; i++) {
            char path[128];
            snprintf(path, sizeof path, "%s%s", folder, parts[i].file);
            files[i] = table_file(path);
            assert_non_null(files[i].bytes);
            assert_int_equal(
                csv_input_add(input, parts[i].kind, parts[i].name, files[i].bytes, files[i].size),
                CSN_OK);
        }
        csv_input_set_time(input, table_time("2020-01-01"));
        if (trusted != 0) {
            char hex[65];
            uint8_t spki[32];
            assert_true(table_field(fields, "root_spki", hex, sizeof hex));
            for (size_t i = 0; i < 32; i++) {
                unsigned byte;
                assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
                spki[i] = (uint8_t)byte;
            }
            assert_int_equal(csv_input_trust_test_root_insecure(input, spki), CSN_OK);
        }
        struct csv_verdict *verdict =
            expect(input, CSV_FORMAT_SGX, trusted != 0 ? CSN_OK : CSN_ERR_EVIDENCE, "pck.chain",
                   trusted != 0 ? CSV_PASSED : CSV_FAILED);
        const char *status = csv_verdict_tcb_status(verdict);
        assert_true(trusted != 0 ? strcmp(status, "UpToDate") == 0 : status == NULL);
        assert_true(table_compare(verdict, fields, ignored) > 15);
        csv_verdict_free(verdict);
        for (size_t i = 0; i < PART_COUNT; i++) {
            free(files[i].bytes);
        }
    }
    table_free(&sources);
}

/* ---- event logs ---- */

#define GCE     "tdx/v4-gce-cos113-00806f050000.quote.bin"
#define GCE_SET "tdx-00806f050000-2025-07"
#define GCE_LOG "tdx/ccel/v4-gce-cos113.ccel.bin"

static struct csv_verdict *with_log(const uint8_t *log, size_t size, csn_err result, const char *id,
                                    uint32_t outcome)
{
    struct csv_input *input = new_input(GCE, GCE_SET, NULL, table_time("2025-07-20"));
    assert_int_equal(csv_input_add(input, CSV_PART_EVENT_LOG, NULL, log, size), CSN_OK);
    return expect(input, CSV_FORMAT_TDX, result, id, outcome);
}

static void event_log(void **state)
{
    (void)state;
    struct table sources = table_read("tdx/SOURCES.tsv");
    size_t row = table_find(&sources, "ccel/v4-gce-cos113.ccel.bin");
    struct table_file log = table_file(GCE_LOG);
    struct csv_verdict *verdict =
        with_log(log.bytes, log.size, CSN_OK, "event-log.replay", CSV_PASSED);
    assert_int_equal(table_compare(verdict, table_cell(&sources, row, "expected_fields"), NULL), 6);
    assert_memory_equal(csv_verdict_claim(verdict, "event_digests"), "rtmr0:80000", 11);
    csv_verdict_free(verdict);
    /* Each bit of a digest that is extended counts: the first event's, at 0x50. */
    log.bytes[0x50] ^= 1;
    csv_verdict_free(
        with_log(log.bytes, log.size, CSN_ERR_EVIDENCE, "event-log.replay", CSV_FAILED));
    log.bytes[0x50] ^= 1;
    /* Another register. */
    log.bytes[0x41] ^= 3;
    csv_verdict_free(
        with_log(log.bytes, log.size, CSN_ERR_EVIDENCE, "event-log.replay", CSV_FAILED));
    log.bytes[0x41] ^= 3;
    /* Cut short: inside events this is malformed, between them registers differ. */
    for (size_t size = 1; size < 18101; size += 97) {
        csv_verdict_free(with_log(log.bytes, size, CSN_ERR_EVIDENCE, NULL, 0));
    }
    /* An event that informs only is not extended: one more of them, in front. */
    uint8_t *more = calloc(1, log.size + 66);
    memcpy(more, log.bytes, 0x41);
    memcpy(more + 0x41, "\1\0\0\0\3\0\0\0\1\0\0\0\x0c\0", 14);
    memset(more + 0x41 + 14, 0x11, 48);
    memcpy(more + 0x41 + 66, log.bytes + 0x41, log.size - 0x41);
    csv_verdict_free(with_log(more, log.size + 66, CSN_OK, "event-log.replay", CSV_PASSED));
    more[0x45] = 4;
    csv_verdict_free(
        with_log(more, log.size + 66, CSN_ERR_EVIDENCE, "event-log.replay", CSV_FAILED));
    free(more);
    /* Behind the last event only ones or zeros. */
    memset(log.bytes + 18101, 0, log.size - 18101);
    csv_verdict_free(with_log(log.bytes, log.size, CSN_OK, "event-log.replay", CSV_PASSED));
    log.bytes[log.size - 1] = 1;
    csv_verdict_free(
        with_log(log.bytes, log.size, CSN_ERR_EVIDENCE, "event-log.structure", CSV_FAILED));
    csv_verdict_free(with_log(log.bytes, 18101, CSN_OK, "event-log.replay", CSV_PASSED));
    free(log.bytes);
    table_free(&sources);
}

/* A log beside another TD's quote. */
static void foreign_log(void **state)
{
    (void)state;
    struct csv_input *input = new_input(PHALA, PHALA_SET, NULL, PHALA_AT);
    table_add(input, CSV_PART_EVENT_LOG, GCE_LOG);
    csv_verdict_free(
        expect(input, CSV_FORMAT_TDX, CSN_ERR_EVIDENCE, "event-log.replay", CSV_FAILED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluations),        cmocka_unit_test(quotes),
        cmocka_unit_test(collateral),         cmocka_unit_test(windows),
        cmocka_unit_test(upstream_times),     cmocka_unit_test(missing_parts),
        cmocka_unit_test(lists_by_issuer),    cmocka_unit_test(hex_list),
        cmocka_unit_test(crossed_lists),      cmocka_unit_test(expired_list),
        cmocka_unit_test(wrong_collateral),   cmocka_unit_test(wrong_signer),
        cmocka_unit_test(flipped_collateral), cmocka_unit_test(foreign_root),
        cmocka_unit_test(event_log),          cmocka_unit_test(foreign_log),
    };
    return table_skip() ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
