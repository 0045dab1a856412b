/* SPDX-License-Identifier: Apache-2.0 */
/* service_claims.h: what a service says of its tenants' grants (docs/WIRE.md, 14), as texts. */
#ifndef CSV_VERIFY_SERVICE_CLAIMS_H
#define CSV_VERIFY_SERVICE_CLAIMS_H

#include "verify/case.h"

/* For the policy's `claims`: "LABEL:VALUE" or "LABEL:VALUE@TENANT". */
bool csv_service_claim_valid(const char *text, const char **why);
/* Notes the claims of the verdict, and what the policy says of them. */
void csv_check_service_claims(struct csv_case *appraisal);

#endif
