/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_page.h: what lies where in the gate page of the process backend. Also read by the assembler.
 *
 * A site is the offset just behind a system call instruction: what seccomp sees as the
 * instruction pointer. gate_page.S pins them, the filter names them.
 */
#ifndef CSN_PROCESS_GATE_PAGE_H
#define CSN_PROCESS_GATE_PAGE_H

#define CSN_GATE_SITE_PARK 0x22
#define CSN_GATE_SITE_WAKE 0xa2
#define CSN_GATE_SITE_STOP 0x122

#define CSN_GATE_ENTER 0x200 /* the last steps of the stub's first thread */
#define CSN_GATE_JOIN  0x300 /* where other workers' threads begin */

/* Where struct csn_gate_last keeps what the last steps need; checked against the C struct. */
#define CSN_GATE_LAST_GAP_COUNT 0
#define CSN_GATE_LAST_THREADS   8
#define CSN_GATE_LAST_READY     16
#define CSN_GATE_LAST_GO        20
#define CSN_GATE_LAST_FILTER    24
#define CSN_GATE_LAST_PLAN      32
#define CSN_GATE_LAST_GAPS      64

/* Offsets in the plan page, which is the launcher's and the stub's until the last step. */
#define CSN_PLAN_STEP  0
#define CSN_PLAN_ERROR 4

#define CSN_PLAN_STEP_UNMAP 100
#define CSN_PLAN_STEP_GONE  101

/* Exit code where even the plan page is gone: the filter could not be installed. */
#define CSN_GATE_EXIT_FILTER 125

#endif
