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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluations),
    };
    return table_skip() ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
