/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: the registry of formats. */
#include "verify/format.h"
#include <string.h>

static const struct csv_format *const formats[CSV_FORMAT_COUNT + 1] = {
    [CSV_FORMAT_CAISSON] = &csv_format_caisson,
    [CSV_FORMAT_SNP] = &csv_format_snp,
    [CSV_FORMAT_TDX] = &csv_format_tdx,
    [CSV_FORMAT_SGX] = &csv_format_sgx,
    [CSV_FORMAT_NITRO] = &csv_format_nitro,
    [CSV_FORMAT_CCA] = &csv_format_cca,
    [CSV_FORMAT_AZURE_SNP] = &csv_format_azure_snp,
    [CSV_FORMAT_AZURE_TDX] = &csv_format_azure_tdx,
    [CSV_FORMAT_GCS_JWT] = &csv_format_gcs_jwt,
    [CSV_FORMAT_TPM] = &csv_format_tpm,
};

/* Names of all formats that the header knows, in its order. */
static const char *const names[CSV_FORMAT_COUNT + 1] = {
    "auto", "caisson",   "snp",       "tdx",     "sgx", "nitro",
    "cca",  "azure-snp", "azure-tdx", "gcs-jwt", "tpm",
};

const struct csv_format *csv_format(uint32_t id)
{
    return id <= CSV_FORMAT_COUNT ? formats[id] : NULL;
}

const char *csv_format_name(uint32_t format)
{
    return format <= CSV_FORMAT_COUNT ? names[format] : NULL;
}

uint32_t csv_format_number(const char *name)
{
    for (uint32_t i = 0; name != NULL && i <= CSV_FORMAT_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}
