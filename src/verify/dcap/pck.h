/* SPDX-License-Identifier: Apache-2.0 */
/* pck.h: what a PCK certificate says of its platform: the SGX extension (1.2.840.113741.1.13.1). */
#ifndef CSV_VERIFY_PCK_H
#define CSV_VERIFY_PCK_H

#include "verify/x509/x509.h"

struct csv_pck {
    uint8_t ppid[16];
    uint8_t comp[16]; /* SVNs of the SGX TCB components */
    uint16_t pcesvn;
    uint8_t cpusvn[16];
    uint8_t pceid[2];
    uint8_t fmspc[6];
    uint8_t sgx_type;
    bool piid_given; /* by the Platform CA only */
    uint8_t piid[16];
};

/* Order does not matter, but each field is there once; unknown fields are skipped. */
bool csv_pck_read(const struct csv_cert *cert, struct csv_pck *pck);
/* Is there such an extension at all? */
bool csv_pck_is(const struct csv_cert *cert);
void csv_pck_claims(struct csv_case *appraisal, const struct csv_cert *cert,
                    const struct csv_pck *pck);

#endif
