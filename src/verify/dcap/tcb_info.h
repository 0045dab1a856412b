/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcb_info.h: Intel's word on a platform: which level of security versions has which status.
 *
 * The text was checked to be signed by Intel before anything here looks at it.
 */
#ifndef CSV_VERIFY_TCB_INFO_H
#define CSV_VERIFY_TCB_INFO_H

#include "verify/dcap/collateral.h"
#include "verify/dcap/pck.h"
#include "verify/dcap/quote.h"
#include "verify/dcap/tcb_status.h"

#define CSV_ADVISORY_COUNT_MAX 256

extern const struct csv_collateral_kind csv_tcb_info_kind;

/* Advisories of all levels that were selected, each once. */
struct csv_advisories {
    size_t count;
    const char *ids[CSV_ADVISORY_COUNT_MAX];
};
/* Those of a level; false: malformed or too many. */
bool csv_advisories_add(struct csv_arena *arena, const struct csv_json_view *view, uint32_t level,
                        struct csv_advisories *advisories);

struct csv_tcb_info {
    struct csv_case *appraisal;
    const struct csv_collateral *collateral;
    const struct csv_quote *quote;
    const struct csv_pck *pck;
    uint64_t version;
    struct csv_advisories *advisories;
};

/* Is it for this TEE, and for this platform? Notes tcb-info.kind and tcb-info.platform. */
bool csv_tcb_info_fits(struct csv_tcb_info *info);
/* TDX: is the module Intel's? Notes tdx-module.identity. */
bool csv_tcb_info_module(struct csv_tcb_info *info);
/*
 * The platform's status with that of the TDX module and of the QE. False: the text is malformed
 * (noted). Claims tcb_date, platform_tcb_status, tdx_module_status.
 */
bool csv_tcb_info_status(struct csv_tcb_info *info, enum csv_tcb qe, enum csv_tcb *status);

#endif
