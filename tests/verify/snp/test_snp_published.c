/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_snp_published.c: every published SEV-SNP file gives the verdict and the fields of its row.
 *
 * Reports are appraised twice: under no policy (cryptography alone), and under the strict policy
 * that `policy init` makes of them, which must accept them and nothing else.
 */
#include "snp_case.h"
#include <stdio.h>

static const char *const apart[] = {"vek", "issuer", "root", NULL};
static struct snp_case one;
static char text[16384];

static bool is_report(const char *name)
{
    return strstr(name, ".report.bin") != NULL && strncmp(name, "bad/", 4) != 0;
}

static size_t check_report(const char *name)
{
    snp_case_load(&one, name);
    uint32_t expected = one.vek[0] != 0 ? CSV_VALID : CSV_UNVERIFIABLE;
    struct csv_verdict *verdict = snp_case_appraise(&one, table_any, snp_case_input(&one));
    if (csv_verdict_result(verdict) != expected) {
        table_explain(verdict);
        fail_msg("%s: result %u", name, csv_verdict_result(verdict));
    }
    assert_false(csv_verdict_appraised(verdict));
    size_t compared = table_compare(verdict, one.fields, apart);
    if (expected == CSV_VALID) {
        snp_policy_text(verdict, text, sizeof text);
        struct csv_policy *strict = table_policy(text);
        csv_verdict_free(verdict);
        verdict = snp_case_appraise(&one, strict, snp_case_input(&one));
        if (csv_verdict_result(verdict) != CSV_VALID) {
            table_explain(verdict);
            fail_msg("%s: refused by its own policy\n%s", name, text);
        }
        csv_policy_free(strict);
    } else {
        assert_non_null(table_finding(verdict, "snp.vek", CSV_MISSING));
    }
    csv_verdict_free(verdict);
    table_forget();
    return compared;
}

static void reports(void **state)
{
    (void)state;
    size_t count = 0;
    size_t compared = 0;
    struct table table = table_read("snp/SOURCES.tsv");
    for (size_t row = 0; row < table_rows(&table); row++) {
        const char *name = table_cell(&table, row, "file");
        if (is_report(name)) {
            compared += check_report(name);
            count++;
        }
    }
    printf("# %zu reports, %zu fields equal\n", count, compared);
    assert_true(count >= 11 && compared >= 200);
    table_free(&table);
}

/* The report that a certificate belongs to, or one of its product. */
static void report_of(const char *vek, char report[128])
{
    const char *dot = strstr(vek, ".v");
    bool turin = strncmp(vek, "turin", 5) == 0;
    snprintf(report, 128, "%.*s.report.bin", dot != NULL ? (int)(dot - vek) : 0, vek);
    if (strncmp(vek, "bad/", 4) == 0 || strncmp(vek, "turin-virtee", 12) == 0) {
        snprintf(report, 128, "%s", turin ? "turin-v5-oak.report.bin" : "milan-v2-coco.report.bin");
    }
}

static void certificates(void **state)
{
    (void)state;
    static const char *const ignored[] = {"hwID_len_raw", NULL};
    size_t count = 0;
    size_t compared = 0;
    struct table table = table_read("snp/SOURCES.tsv");
    for (size_t row = 0; row < table_rows(&table); row++) {
        char report[128];
        const char *name = table_cell(&table, row, "file");
        if (strstr(name, ".der") == NULL) {
            continue;
        }
        report_of(name, report);
        snp_case_load(&one, report);
        snprintf(one.vek, sizeof one.vek, "%s", name);
        struct csv_verdict *verdict = snp_case_appraise(&one, table_any, snp_case_input(&one));
        bool bad = strncmp(name, "bad/", 4) == 0;
        if (table_finding(verdict, "snp.chain", bad ? CSV_FAILED : CSV_PASSED) == NULL) {
            table_explain(verdict);
            fail_msg("%s: chain", name);
        }
        assert_non_null(table_finding(verdict, "snp.vek-extensions", CSV_PASSED));
        compared += table_compare(verdict, table_cell(&table, row, "expected_fields"), ignored);
        count++;
        csv_verdict_free(verdict);
        table_forget();
    }
    printf("# %zu certificates, %zu fields equal\n", count, compared);
    assert_true(count >= 13 && compared >= 100);
    table_free(&table);
}

static void broken_files(void **state)
{
    (void)state;
    static const char *const names[] = {"snp/bad/guest_report_corrupt.bin",
                                        "snp/bad/guest_report_bad_sig.bin"};
    for (size_t i = 0; i < 2; i++) {
        struct csv_verdict *verdict = NULL;
        struct csv_input *input = NULL;
        assert_int_equal(csv_input_create(&input), CSN_OK);
        table_add(input, CSV_PART_EVIDENCE, names[i]);
        csv_input_set_time(input, table_time("2025-09-01"));
        assert_int_equal(csv_appraise(table_any, input, CSV_FORMAT_SNP, &verdict),
                         CSN_ERR_EVIDENCE);
        assert_non_null(table_finding(verdict, "snp.size", CSV_FAILED));
        csv_verdict_free(verdict);
        assert_int_equal(csv_appraise(table_any, input, CSV_FORMAT_AUTO, &verdict),
                         CSN_ERR_EVIDENCE);
        csv_verdict_free(verdict);
        csv_input_free(input);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports),
        cmocka_unit_test(certificates),
        cmocka_unit_test(broken_files),
    };
    if (table_skip()) {
        return 0;
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, table_start, table_stop);
}
