/* SPDX-License-Identifier: Apache-2.0 */
/* eat.h: a verdict's claims under the names of RFC 9711. */
#ifndef CSV_VERIFY_EAT_H
#define CSV_VERIFY_EAT_H

#include "verify/case.h"

/* Fills verdict->eat when the appraisal has ended. */
void csv_eat_settle(struct csv_verdict *verdict, const struct csv_input *input);

#endif
