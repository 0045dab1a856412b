/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hcl.h: the report of Azure's paravisor (TPM NV index 0x01400001), little-endian.
 *
 * 0x000 header 32 ("HCLA", version 1 or 2, size, type 2, zeros) · 0x020 hardware report in a slot
 * of 1184 bytes (an SNP report, or a TDREPORT and zeros) · 0x4c0 size of what follows, version,
 * report type, hash type, size of the JSON · 0x4d4 JSON, whose hash is the hardware's report data,
 * then zeros. The JSON has the virtual TPM's keys, how the machine is configured, and user data.
 */
#ifndef CSV_VERIFY_HCL_H
#define CSV_VERIFY_HCL_H

#include "verify/parse/json_view.h"
#include <openssl/evp.h>

#define CSV_HCL_SNP 2 /* report types */
#define CSV_HCL_TDX 4

struct csv_hcl {
    uint32_t version;
    uint32_t report_type;
    uint32_t hash_type;      /* 1: SHA-256, 2: SHA-384, 3: SHA-512 */
    struct csv_bytes report; /* the slot, 1184 bytes */
    struct csv_bytes json;
};

/* False with *why (static). */
bool csv_hcl_read(struct csv_bytes bytes, struct csv_hcl *hcl, const char **why);
/* Starts like one with a report of this type. */
bool csv_hcl_recognise(struct csv_bytes bytes, uint32_t report_type);
/* The report data that binds the JSON: its hash, then zeros. False: libcrypto failed. */
bool csv_hcl_report_data(const struct csv_hcl *hcl, uint8_t report_data[64]);
/* The key named HCLAkPub, to be freed; NULL with *why (static). */
EVP_PKEY *csv_hcl_ak(const struct csv_json_view *view, const char **why);

#endif
