/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_vek.h: the certificate of the key that signed a report: VCEK (of a chip at a TCB version) or
 * VLEK (of a cloud, at a TCB version), and the certificates above it.
 */
#ifndef CSV_VERIFY_SNP_VEK_H
#define CSV_VERIFY_SNP_VEK_H

#include "verify/snp/snp_report.h"
#include "verify/x509/x509.h"

struct csv_snp_vek {
    struct csv_cert *cert; /* one of the certificates read; NULL: none was supplied */
    bool read;             /* what follows is set */
    uint64_t struct_version;
    const char *product;              /* as in the certificate */
    uint8_t levels[CSV_SNP_TCB_SIZE]; /* in the order of a TCB version */
    struct csv_bytes hwid;            /* VCEK; empty for a VLEK */
    const char *csp;                  /* VLEK; NULL for a VCEK */
};

/*
 * Reads all certificates that came with a report: VEK parts first, then the chain, of which each
 * part may be certificates or the host's cert_table (GHCB). Finds the VEK: the first certificate of
 * a VEK part or, without one, the first that looks like the kind wanted. Notes snp.certificates,
 * and snp.vek as missing if there is none.
 */
bool csv_snp_vek_find(struct csv_case *appraisal, bool vlek, struct csv_certs *certs,
                      struct csv_snp_vek *vek);
/* AMD's extensions: claims, and finding snp.vek-extensions. */
void csv_snp_vek_read(struct csv_case *appraisal, struct csv_snp_vek *vek);
/* Chain to the ARK, names of product's keys in it, revocation list. */
void csv_snp_chain_check(struct csv_case *appraisal, const struct csv_snp_vek *vek,
                         const struct csv_certs *certs, const struct csv_snp_product *product,
                         bool vlek);
/* The report's signature under the VEK, and the kind of that key. */
void csv_snp_signature_check(struct csv_case *appraisal, const struct csv_snp_vek *vek,
                             const uint8_t *report);

#endif
