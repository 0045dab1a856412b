/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmw_type.c: which media types mean what. docs/verify/evidence.cmw.md has the table.
 *
 * Most evidence has no registered type: reports, quotes and documents travel under names of our
 * own, application/x.caisson.FORMAT. Registered ones, and one in wide use, are understood besides.
 */
#include "verify/cmw.h"
#include <string.h>

#define PREFIX "application/x.caisson."

static const struct {
    const char *type; /* lower case, without parameters */
    uint64_t number;  /* content format; 0: none */
    struct csv_cmw_kind kind;
} known[] = {
    {"application/eat+jwt", 264, {CSV_PART_EVIDENCE, CSV_FORMAT_GCS_JWT}},
    {"application/eat+cwt", 263, {CSV_PART_EVIDENCE, CSV_FORMAT_AUTO}},
    {"application/eat-collection", 0, {CSV_PART_EVIDENCE, CSV_FORMAT_CCA}},
    {"application/jwt", 0, {CSV_PART_EVIDENCE, CSV_FORMAT_GCS_JWT}},
    {"application/pkix-cert", 287, {CSV_PART_CHAIN, CSV_FORMAT_AUTO}},
    {"application/pem-certificate-chain", 0, {CSV_PART_CHAIN, CSV_FORMAT_AUTO}},
    {"application/pkix-crl", 0, {CSV_PART_CRL, CSV_FORMAT_AUTO}},
};

static const char *const own[] = {
    [CSV_FORMAT_CAISSON] = PREFIX "caisson",
    [CSV_FORMAT_SNP] = PREFIX "snp",
    [CSV_FORMAT_TDX] = PREFIX "tdx",
    [CSV_FORMAT_SGX] = PREFIX "sgx",
    [CSV_FORMAT_NITRO] = PREFIX "nitro",
    [CSV_FORMAT_CCA] = PREFIX "cca",
    [CSV_FORMAT_AZURE_SNP] = PREFIX "azure-snp",
    [CSV_FORMAT_AZURE_TDX] = PREFIX "azure-tdx",
    [CSV_FORMAT_GCS_JWT] = "application/eat+jwt",
    [CSV_FORMAT_TPM] = PREFIX "tpm",
};

const char *csv_cmw_type(uint32_t format, uint64_t *number)
{
    *number = format == CSV_FORMAT_GCS_JWT ? 264 : 0;
    return format < sizeof own / sizeof own[0] ? own[format] : NULL;
}

/* Media types compare without case; a parameter begins with a semicolon. */
static bool is_type(const char *type, const char *wanted)
{
    size_t size = strcspn(type, "; ");
    bool same = strlen(wanted) == size;
    for (size_t i = 0; same && i < size; i++) {
        char c = type[i] >= 'A' && type[i] <= 'Z' ? (char)(type[i] - 'A' + 'a') : type[i];
        same = c == wanted[i];
    }
    return same;
}

struct csv_cmw_kind csv_cmw_kind(const struct csv_cmw_item *item)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        bool same = item->type != NULL ? is_type(item->type, known[i].type)
                                       : known[i].number != 0 && item->number == known[i].number;
        if (same) {
            return known[i].kind;
        }
    }
    for (uint32_t format = 1; item->type != NULL && format < sizeof own / sizeof own[0]; format++) {
        if (is_type(item->type, own[format])) {
            return (struct csv_cmw_kind){CSV_PART_EVIDENCE, format};
        }
    }
    return (struct csv_cmw_kind){0};
}
