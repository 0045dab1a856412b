/* SPDX-License-Identifier: Apache-2.0 */
/* qe_identity.h: Intel's word on the quoting enclave: who signs it, and which versions are good. */
#ifndef CSV_VERIFY_QE_IDENTITY_H
#define CSV_VERIFY_QE_IDENTITY_H

#include "verify/dcap/tcb_info.h"

extern const struct csv_collateral_kind csv_qe_identity_kind;

/*
 * Is the QE report that of Intel's quoting enclave for this TEE? Notes qe-identity.kind and
 * qe.identity; status is that of its version. False: not known.
 */
bool csv_qe_identity_check(struct csv_case *appraisal, const struct csv_collateral *collateral,
                           const struct csv_quote *quote, struct csv_advisories *advisories,
                           enum csv_tcb *status);

#endif
