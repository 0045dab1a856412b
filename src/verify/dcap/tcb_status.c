/* SPDX-License-Identifier: Apache-2.0 */
/* tcb_status.c: see tcb_status.h. */
#include "verify/dcap/tcb_status.h"
#include <stddef.h>
#include <string.h>

static const char *const names[CSV_TCB_COUNT] = {
    [CSV_TCB_UNKNOWN] = "Unknown",
    [CSV_TCB_NOT_SUPPORTED] = "NotSupported",
    [CSV_TCB_UP_TO_DATE] = "UpToDate",
    [CSV_TCB_SW_HARDENING_NEEDED] = "SWHardeningNeeded",
    [CSV_TCB_CONFIGURATION_NEEDED] = "ConfigurationNeeded",
    [CSV_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED] = "ConfigurationAndSWHardeningNeeded",
    [CSV_TCB_OUT_OF_DATE] = "OutOfDate",
    [CSV_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED] = "OutOfDateConfigurationNeeded",
    [CSV_TCB_REVOKED] = "Revoked",
    [CSV_TCB_RELAUNCH_ADVISED] = "TDRelaunchAdvised",
    [CSV_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED] = "TDRelaunchAdvisedConfigurationNeeded",
};

const char *csv_tcb_name(enum csv_tcb status)
{
    return names[status];
}

enum csv_tcb csv_tcb_read(const char *name)
{
    for (int i = CSV_TCB_UP_TO_DATE; name != NULL && i <= CSV_TCB_REVOKED; i++) {
        if (strcmp(names[i], name) == 0) {
            return (enum csv_tcb)i;
        }
    }
    return CSV_TCB_UNKNOWN;
}

enum csv_tcb csv_tcb_converge(enum csv_tcb platform, enum csv_tcb part)
{
    if (part == CSV_TCB_REVOKED || part == CSV_TCB_NOT_SUPPORTED) {
        return part;
    }
    if (part == CSV_TCB_UP_TO_DATE) {
        return platform;
    }
    switch (platform) { /* the part is out of date */
    case CSV_TCB_UP_TO_DATE:
    case CSV_TCB_SW_HARDENING_NEEDED:
        return CSV_TCB_OUT_OF_DATE;
    case CSV_TCB_CONFIGURATION_NEEDED:
    case CSV_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
        return CSV_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    default:
        return platform;
    }
}

static bool wants_configuration(enum csv_tcb status)
{
    return status == CSV_TCB_CONFIGURATION_NEEDED ||
           status == CSV_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
           status == CSV_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

enum csv_tcb csv_tcb_relaunch(const struct csv_tcb_launch *launch)
{
    bool platform = launch->sgx == CSV_TCB_UP_TO_DATE ||
                    launch->sgx == CSV_TCB_SW_HARDENING_NEEDED ||
                    launch->sgx == CSV_TCB_CONFIGURATION_NEEDED ||
                    launch->sgx == CSV_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;
    bool old = launch->tdx == CSV_TCB_OUT_OF_DATE ||
               launch->tdx == CSV_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    if (launch->qe != CSV_TCB_UP_TO_DATE || !platform || !old ||
        launch->module != CSV_TCB_OUT_OF_DATE || !launch->current) {
        return launch->tdx;
    }
    return wants_configuration(launch->sgx) || wants_configuration(launch->tdx)
               ? CSV_TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
               : CSV_TCB_RELAUNCH_ADVISED;
}
