/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_snp_bits.c: every single bit of every valid published report, flipped, is refused: there is
 * none that no check covers. Usage: test_snp_bits [STEP] (every STEP-th bit; 1 without it)
 */
#include "snp_case.h"
#include <stdio.h>

static struct csv_policy *any;
static struct snp_case one;
static size_t step = 1;

/* Refused, and by the signature or the form alone: policy and nonce take no part. */
static bool is_refused(size_t bit)
{
    uint8_t report_data[64];
    struct csv_verdict *verdict = NULL;
    one.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    struct csv_input *input = snp_case_input(&one);
    memcpy(report_data, one.bytes + 0x50, 64);
    assert_int_equal(csv_input_set_report_data(input, report_data, 64), CSN_OK);
    csn_err result = csv_appraise(any, input, CSV_FORMAT_SNP, &verdict);
    bool named = table_finding(verdict, "snp.signature", CSV_FAILED) != NULL ||
                 table_finding(verdict, "snp.reserved", CSV_FAILED) != NULL ||
                 table_finding(verdict, "snp.version", CSV_FAILED) != NULL;
    csv_verdict_free(verdict);
    csv_input_free(input);
    table_forget();
    one.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    return result == CSN_ERR_EVIDENCE && named;
}

static size_t flip_all(const char *name, size_t first)
{
    size_t count = 0;
    snp_case_load(&one, name);
    if (one.vek[0] == 0) {
        return 0;
    }
    for (size_t bit = first % step; bit < SNP_REPORT_SIZE * 8; bit += step) {
        if (!is_refused(bit)) {
            fail_msg("%s: bit %zu of byte 0x%zx is under no check", name, bit % 8, bit / 8);
        }
        count++;
    }
    return count;
}

static void every_bit_counts(void **state)
{
    (void)state;
    size_t reports = 0;
    size_t flips = 0;
    struct table table = table_read("snp/SOURCES.tsv");
    for (size_t row = 0; row < table_rows(&table); row++) {
        const char *name = table_cell(&table, row, "file");
        if (strstr(name, ".report.bin") != NULL) {
            size_t done = flip_all(name, row * 7);
            flips += done;
            reports += done != 0;
        }
    }
    printf("# %zu bits of %zu reports\n", flips, reports);
    assert_true(reports >= 11);
    table_free(&table);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_bit_counts)};
    if (table_skip()) {
        return 0;
    }
    step = argc > 1 ? (size_t)atol(argv[1]) : 1;
    if (csv_policy_create_insecure_any(&any) != CSN_OK) {
        return 1;
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    csv_policy_free(any);
    return failed;
}
