/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ccel.h: event logs of confidential computing (TCG crypto-agile format), replayed to RTMRs.
 *
 * A log is untrusted text that explains registers: once the replay gives the registers' values,
 * each digest in it was really extended, in that order. Event data is not looked at.
 */
#ifndef CSV_VERIFY_CCEL_H
#define CSV_VERIFY_CCEL_H

#include "verify/case.h"

#define CSV_RTMR_COUNT 4
#define CSV_RTMR_SIZE  48

/* rtmrs: the four registers that were signed, in a row. Notes event-log.structure and
 * event-log.replay; claims events, used and event_digests. */
bool csv_ccel_check(struct csv_case *appraisal, struct csv_bytes log, const uint8_t *rtmrs);

#endif
