/* SPDX-License-Identifier: Apache-2.0 */
/* azure_case.c: see azure_case.h. */
#include "azure_case.h"
#include "../dcap/published.h"
#include <stdio.h>

const struct azure_case azure_cases[AZURE_CASE_COUNT] = {
    {"snp-milan-v1", CSV_FORMAT_AZURE_SNP, "milan", "2025-06-01", NULL},
    {"snp-milan-v2", CSV_FORMAT_AZURE_SNP, "milan", "2025-06-01", NULL},
    {"snp-milan-v2report", CSV_FORMAT_AZURE_SNP, "milan", "2025-06-01", NULL},
    {"snp-genoa", CSV_FORMAT_AZURE_SNP, "genoa", "2025-06-01", NULL},
    {"tdx-v1", CSV_FORMAT_AZURE_TDX, "tdx-00806f050000-2025-07", "2025-07-20", "OutOfDate"},
    {"tdx-live-2026", CSV_FORMAT_AZURE_TDX, "tdx-90c06f000000-2026-03", "2026-03-20", "UpToDate"},
};

const char *azure_fields(const struct azure_case *one, const char *file)
{
    static char fields[8192];
    char path[128];
    struct table table = table_read("azure/SOURCES.tsv");
    snprintf(path, sizeof path, "%s/%s", one->folder, file);
    snprintf(fields, sizeof fields, "%s",
             table_cell(&table, table_find(&table, path), "expected_fields"));
    table_free(&table);
    return fields;
}

static void add(struct csv_input *input, const struct azure_parts *parts, uint32_t kind,
                const struct azure_case *from, const char *name)
{
    char path[128];
    if (from != NULL && (parts->without >> kind & 1) == 0) {
        snprintf(path, sizeof path, "azure/%s/%s", from->folder, name);
        table_add(input, kind, path);
    }
}

static void set_nonce(struct csv_input *input, const struct azure_case *from)
{
    char hex[160];
    uint8_t nonce[64];
    assert_true(table_field(azure_fields(from, "tpm-quote.msg"), "extra_data", hex, sizeof hex));
    for (size_t i = 0; i < strlen(hex) / 2; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        nonce[i] = (uint8_t)byte;
    }
    assert_int_equal(csv_input_set_nonce(input, nonce, strlen(hex) / 2), CSN_OK);
}

static void add_hardware(struct csv_input *input, const struct azure_case *one,
                         const struct azure_parts *parts)
{
    char path[128];
    if (one->format == CSV_FORMAT_AZURE_TDX) {
        published_set(input, one->certs, NULL);
        add(input, parts, CSV_PART_TD_QUOTE, parts->td_quote != NULL ? parts->td_quote : one,
            "td-quote.bin");
        return;
    }
    add(input, parts, CSV_PART_VEK, one, "vcek.der");
    static const char *const names[] = {"ask", "ark"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "roots/amd-%s-%s.pem", names[i], one->certs);
        table_add(input, CSV_PART_CHAIN, path);
    }
}

struct csv_input *azure_input(const struct azure_case *one, const struct azure_parts *parts,
                              const uint8_t *hcl)
{
    static const struct azure_parts own;
    struct csv_input *input = NULL;
    parts = parts != NULL ? parts : &own;
    assert_int_equal(csv_input_create(&input), CSN_OK);
    if (hcl != NULL) {
        assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, hcl, 2600), CSN_OK);
    } else {
        add(input, parts, CSV_PART_EVIDENCE, one, "hcl-report.bin");
    }
    const struct azure_case *quote = parts->quote != NULL ? parts->quote : one;
    add(input, parts, CSV_PART_TPM_QUOTE, quote, "tpm-quote.msg");
    add(input, parts, CSV_PART_TPM_SIGNATURE, quote, "tpm-quote.sig");
    add(input, parts, CSV_PART_PCRS, parts->pcrs != NULL ? parts->pcrs : one, "pcrs-sha256.txt");
    add(input, parts, CSV_PART_AK, parts->ak, "ak.pub.pem");
    add_hardware(input, one, parts);
    set_nonce(input, parts->nonce != NULL ? parts->nonce : one);
    csv_input_set_time(input, table_time(one->time));
    return input;
}
