/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_report.h: where things stand in AMD's ATTESTATION_REPORT (SEV-SNP firmware ABI), and which
 * product a report is of.
 *
 * The four TCB versions of a report are eight bytes each, one per component. They are compared
 * component by component: as one number, a high microcode level would hide an old boot loader.
 */
#ifndef CSV_VERIFY_SNP_REPORT_H
#define CSV_VERIFY_SNP_REPORT_H

#include "verify/appraise.h"
#include "verify/parse/read.h"

#define CSV_SNP_REPORT_SIZE 1184u
#define CSV_SNP_SIGNED_SIZE 0x2a0u
#define CSV_SNP_TCB_SIZE    8u

/* Offsets in a report. */
enum csv_snp_at {
    CSV_SNP_VERSION = 0x000,
    CSV_SNP_GUEST_SVN = 0x004,
    CSV_SNP_POLICY = 0x008,
    CSV_SNP_FAMILY_ID = 0x010,
    CSV_SNP_IMAGE_ID = 0x020,
    CSV_SNP_VMPL = 0x030,
    CSV_SNP_ALGORITHM = 0x034,
    CSV_SNP_CURRENT_TCB = 0x038,
    CSV_SNP_PLATFORM_INFO = 0x040,
    CSV_SNP_KEY_INFO = 0x048,
    CSV_SNP_REPORT_DATA = 0x050,
    CSV_SNP_MEASUREMENT = 0x090,
    CSV_SNP_HOST_DATA = 0x0c0,
    CSV_SNP_ID_KEY_DIGEST = 0x0e0,
    CSV_SNP_AUTHOR_KEY_DIGEST = 0x110,
    CSV_SNP_REPORT_ID = 0x140,
    CSV_SNP_REPORT_ID_MA = 0x160,
    CSV_SNP_REPORTED_TCB = 0x180,
    CSV_SNP_CPUID = 0x188,
    CSV_SNP_CHIP_ID = 0x1a0,
    CSV_SNP_COMMITTED_TCB = 0x1e0,
    CSV_SNP_CURRENT_VERSION = 0x1e8,
    CSV_SNP_COMMITTED_VERSION = 0x1ec,
    CSV_SNP_LAUNCH_TCB = 0x1f0,
    CSV_SNP_LAUNCH_MIT = 0x1f8,
    CSV_SNP_CURRENT_MIT = 0x200,
    CSV_SNP_SIGNATURE = 0x2a0,
};

enum csv_snp_key { CSV_SNP_KEY_VCEK = 0, CSV_SNP_KEY_VLEK = 1, CSV_SNP_KEY_NONE = 7 };

/* One of the eight bytes of a TCB version. */
struct csv_snp_component {
    const char *name;  /* in policies and in "reported_spl"; NULL: a reserved byte */
    const char *claim; /* the claim of its level in the certificate */
    const char *oid;   /* the certificate's extension */
    uint8_t at;        /* in a TCB version */
};

struct csv_snp_product {
    const char *name; /* "Milan" */
    const char *key;  /* in policies: "milan" */
    const char *ark;  /* common names of its root and of the two keys below it */
    const char *ask;
    const char *asvk;
    const char *const *parts; /* names in certificates, NULL-terminated; "-STEPPING" may follow */
    size_t hwid_size;         /* bytes of a chip's identity; the rest of CHIP_ID is zero */
    uint64_t struct_version;  /* of its certificates: which layout a TCB version has */
    const struct csv_snp_component *components; /* of CSV_SNP_TCB_SIZE */
};

/* The product by the CPUID that reports carry from version 3 on; NULL: unknown. */
const struct csv_snp_product *csv_snp_product_by_cpuid(uint8_t family, uint8_t model);
/* By the name that a certificate carries ("Milan-B0"); NULL: unknown. */
const struct csv_snp_product *csv_snp_product_by_name(const char *name);
/* The layout of a certificate's levels; NULL: an unknown structure. */
const struct csv_snp_component *csv_snp_components(uint64_t struct_version);

/* Size, version, algorithm, reserved bytes, key information. False: nothing more can be read. */
bool csv_snp_check_form(struct csv_case *appraisal, struct csv_bytes evidence);
/* What the report says, claim by claim. */
void csv_snp_claims(struct csv_case *appraisal, const uint8_t *report);
/* What it says in the terms of one product: levels by component. */
void csv_snp_product_claims(struct csv_case *appraisal, const uint8_t *report,
                            const struct csv_snp_product *product);

static inline uint32_t csv_snp_version(const uint8_t *report)
{
    return (uint32_t)csv_le(report + CSV_SNP_VERSION, 4);
}

static inline unsigned csv_snp_signing_key(const uint8_t *report)
{
    return (unsigned)csv_le(report + CSV_SNP_KEY_INFO, 4) >> 2 & 7;
}

#endif
