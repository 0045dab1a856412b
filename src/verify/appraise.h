/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.h: running one format inside another (HCL reports, Caisson's own evidence). */
#ifndef CSV_VERIFY_APPRAISE_H
#define CSV_VERIFY_APPRAISE_H

#include "verify/format.h"

/* The steps of format over evidence, then the policy's rules for it, in the case's group. */
void csv_run_format(struct csv_case *appraisal, const struct csv_format *format,
                    struct csv_bytes evidence);

#endif
