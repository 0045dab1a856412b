/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_firmware.h: what OVMF says of itself in the table of GUIDs at its end: the pages that an SNP
 * host must prepare, where other processors start, where hashes of a kernel belong.
 */
#ifndef CSV_PREDICT_SNP_FIRMWARE_H
#define CSV_PREDICT_SNP_FIRMWARE_H

#include "verify/parse/read.h"

#define CSV_SNP_SECTION_MAX 64

enum csv_snp_section_type {
    CSV_SNP_SECTION_MEMORY = 1,
    CSV_SNP_SECTION_SECRETS = 2,
    CSV_SNP_SECTION_CPUID = 3,
    CSV_SNP_SECTION_CALLING_AREA = 4,
    CSV_SNP_SECTION_HASHES = 0x10,
};

struct csv_snp_section {
    uint32_t address;
    uint32_t size;
    uint32_t type;
};

struct csv_snp_firmware {
    bool reset_given;
    uint32_t reset; /* where processors but the first start */
    bool hashes_given;
    uint32_t hashes; /* address of the table of kernel hashes */
    size_t section_count;
    struct csv_snp_section sections[CSV_SNP_SECTION_MAX];
};

/* False with *why (static). */
bool csv_snp_firmware_read(struct csv_bytes bytes, struct csv_snp_firmware *firmware,
                           const char **why);

#endif
