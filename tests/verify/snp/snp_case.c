/* SPDX-License-Identifier: Apache-2.0 */
/* snp_case.c: see snp_case.h. */
#include "snp_case.h"
#include <stdio.h>

void snp_case_load(struct snp_case *one, const char *report)
{
    struct table table = table_read("snp/SOURCES.tsv");
    size_t row = table_find(&table, report);
    const char *window = table_cell(&table, row, "validity_window");
    memset(one, 0, sizeof *one);
    snprintf(one->report, sizeof one->report, "%s", report);
    snprintf(one->fields, sizeof one->fields, "%s", table_cell(&table, row, "expected_fields"));
    table_field(one->fields, "vek", one->vek, sizeof one->vek);
    table_field(one->fields, "issuer", one->issuer, sizeof one->issuer);
    table_field(one->fields, "root", one->root, sizeof one->root);
    one->time = window[0] != 0 ? table_time(window) + 30 * 86400 : table_time("2025-09-01");
    table_free(&table);
    char path[160];
    snprintf(path, sizeof path, "snp/%s", report);
    struct table_file file = table_file(path);
    assert_non_null(file.bytes);
    memcpy(one->bytes, file.bytes, file.size < sizeof one->bytes ? file.size : sizeof one->bytes);
    free(file.bytes);
}

static void add(struct csv_input *input, uint32_t part, const char *folder, const char *name)
{
    char path[160];
    if (name[0] != 0) {
        snprintf(path, sizeof path, "%s/%s", folder, name);
        table_add(input, part, path);
    }
}

struct csv_input *snp_case_input(const struct snp_case *one)
{
    struct csv_input *input = NULL;
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(
        csv_input_add(input, CSV_PART_EVIDENCE, one->report, one->bytes, SNP_REPORT_SIZE), CSN_OK);
    add(input, CSV_PART_VEK, "snp", one->vek);
    add(input, CSV_PART_CHAIN, "roots", one->issuer);
    add(input, CSV_PART_CHAIN, "roots", one->root);
    csv_input_set_time(input, one->time);
    return input;
}

struct csv_verdict *snp_case_appraise(struct snp_case *one, const struct csv_policy *policy,
                                      struct csv_input *input)
{
    struct csv_verdict *verdict = NULL;
    assert_int_equal(csv_input_set_report_data(input, one->bytes + 0x50, 64), CSN_OK);
    csn_err result = csv_appraise(policy, input, CSV_FORMAT_SNP, &verdict);
    assert_non_null(verdict);
    assert_int_equal(result == CSN_OK, csv_verdict_result(verdict) == CSV_VALID);
    csv_input_free(input);
    return verdict;
}

void snp_policy_text(const struct csv_verdict *verdict, char *target, size_t capacity)
{
    size_t size = 0;
    assert_int_equal(csv_policy_init(verdict, true, target, capacity, &size), CSN_OK);
    assert_true(size < capacity);
}
