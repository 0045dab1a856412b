/* SPDX-License-Identifier: Apache-2.0 */
/* gcs_claims.h: what a Confidential Space token says, as claims and facts for its rules. */
#ifndef CSV_VERIFY_GCS_CLAIMS_H
#define CSV_VERIFY_GCS_CLAIMS_H

#include "verify/case.h"
#include "verify/parse/json_view.h"

/* Notes gcs.claims. What is not there, or of another kind, is claimed as empty or false wherever a
 * policy must decide on it. */
void csv_gcs_claims(struct csv_case *appraisal, const struct csv_json_view *payload);

/* A decoded string for people and rules: bytes that do not print become "\xHH". NULL: not a
 * string, one with a NUL in it, or one over 4096 bytes. */
const char *csv_gcs_text(struct csv_arena *arena, const struct csv_json_view *view, uint32_t value);

#endif
