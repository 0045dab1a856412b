/* SPDX-License-Identifier: Apache-2.0 */
/* snp_product.c: AMD's products, as far as a report depends on them. */
#include "verify/snp/snp_report.h"
#include <string.h>

#define OID(tail) "1.3.6.1.4.1.3704.1.3." tail

static const struct csv_snp_component milan_components[CSV_SNP_TCB_SIZE] = {
    {"bl", "blSPL", OID("1"), 0},   {"tee", "teeSPL", OID("2"), 1},
    {"snp", "snpSPL", OID("3"), 6}, {"ucode", "ucodeSPL", OID("8"), 7},
    {NULL, "spl4", OID("4"), 2},    {NULL, "spl5", OID("5"), 3},
    {NULL, "spl6", OID("6"), 4},    {NULL, "spl7", OID("7"), 5},
};

static const struct csv_snp_component turin_components[CSV_SNP_TCB_SIZE] = {
    {"fmc", "fmcSPL", OID("9"), 0},     {"bl", "blSPL", OID("1"), 1},
    {"tee", "teeSPL", OID("2"), 2},     {"snp", "snpSPL", OID("3"), 3},
    {"ucode", "ucodeSPL", OID("8"), 7}, {NULL, "spl5", OID("5"), 4},
    {NULL, "spl6", OID("6"), 5},        {NULL, "spl7", OID("7"), 6},
};

static const char *const milan_parts[] = {"Milan", NULL};
static const char *const genoa_parts[] = {"Genoa", "Bergamo", "Siena", NULL};
static const char *const turin_parts[] = {"Turin", NULL};

static const struct csv_snp_product products[] = {
    {"Milan", "milan", "ARK-Milan", "SEV-Milan", "SEV-VLEK-Milan", milan_parts, 64, 0,
     milan_components},
    {"Genoa", "genoa", "ARK-Genoa", "SEV-Genoa", "SEV-VLEK-Genoa", genoa_parts, 64, 0,
     milan_components},
    {"Turin", "turin", "ARK-Turin", "SEV-Turin", "SEV-VLEK-Turin", turin_parts, 8, 1,
     turin_components},
};

const struct csv_snp_product *csv_snp_product_by_cpuid(uint8_t family, uint8_t model)
{
    if (family == 0x19 && model <= 0x0f) {
        return &products[0];
    }
    if (family == 0x19 && ((model >= 0x10 && model <= 0x1f) || (model >= 0xa0 && model <= 0xaf))) {
        return &products[1];
    }
    return family == 0x1a && model <= 0x11 ? &products[2] : NULL;
}

const struct csv_snp_product *csv_snp_product_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        for (const char *const *part = products[i].parts; *part != NULL; part++) {
            size_t size = strlen(*part);
            if (strncmp(name, *part, size) == 0 && (name[size] == 0 || name[size] == '-')) {
                return &products[i];
            }
        }
    }
    return NULL;
}

const struct csv_snp_component *csv_snp_components(uint64_t struct_version)
{
    return struct_version == 0 ? milan_components : struct_version == 1 ? turin_components : NULL;
}
