/* SPDX-License-Identifier: Apache-2.0 */
/* tcb_status.h: the statuses of DCAP, and how several of them become one, as Intel's library does.
 */
#ifndef CSV_VERIFY_TCB_STATUS_H
#define CSV_VERIFY_TCB_STATUS_H

#include <stdbool.h>

enum csv_tcb {
    CSV_TCB_UNKNOWN,       /* a word that is none of these */
    CSV_TCB_NOT_SUPPORTED, /* below every level */
    CSV_TCB_UP_TO_DATE,
    CSV_TCB_SW_HARDENING_NEEDED,
    CSV_TCB_CONFIGURATION_NEEDED,
    CSV_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    CSV_TCB_OUT_OF_DATE,
    CSV_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    CSV_TCB_REVOKED,
    CSV_TCB_RELAUNCH_ADVISED, /* computed only: no collateral says so */
    CSV_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
    CSV_TCB_COUNT,
};

/* "UpToDate", … */
const char *csv_tcb_name(enum csv_tcb status);
/* A status that collateral may state; CSV_TCB_UNKNOWN for another word, or NULL. */
enum csv_tcb csv_tcb_read(const char *name);

/* A platform's status under that of a part (the QE, the TDX module). */
enum csv_tcb csv_tcb_converge(enum csv_tcb platform, enum csv_tcb part);
/* Can the machine be brought up to date by relaunching the TD? what: statuses before converging
 * with the QE; current: the software that runs now is of the latest level. */
struct csv_tcb_launch {
    enum csv_tcb sgx;    /* of the level that the PCK reaches, whatever the TD's */
    enum csv_tcb tdx;    /* converged with the module's */
    enum csv_tcb module; /* at launch */
    enum csv_tcb qe;
    bool current;
};
enum csv_tcb csv_tcb_relaunch(const struct csv_tcb_launch *launch);

#endif
