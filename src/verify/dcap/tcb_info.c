/* SPDX-License-Identifier: Apache-2.0 */
/* tcb_info.c: see tcb_info.h. Follows the order of Intel's own library. */
#include "verify/dcap/tcb_info.h"
#include "verify/parse/read.h"
#include <string.h>
#include <strings.h>

static const char *const claims[] = {
    "id", "version", "issueDate", "nextUpdate", "fmspc", "pceId", "tcbEvaluationDataNumber", NULL};

const struct csv_collateral_kind csv_tcb_info_kind = {
    .claims = claims,
    .stem = "tcb_info",
    .member = "tcbInfo",
    .format = "tcb-info.format",
    .signature = "tcb-info.signature",
    .current = "tcb-info.current",
};

/* Offsets in a TD report. */
#define TD_TEE_TCB_SVN     0
#define TD_MRSIGNERSEAM    64
#define TD_SEAM_ATTRIBUTES 112
#define TD_TEE_TCB_SVN_2   584

struct level {
    uint8_t sgx[16];
    uint8_t tdx[16];
    uint64_t pcesvn;
    enum csv_tcb status;
    uint32_t node;
};

static uint32_t member(const struct csv_tcb_info *info, const char *name)
{
    return csv_json_member(&info->collateral->view, info->collateral->body, name);
}

static bool malformed(struct csv_tcb_info *info, const char *what)
{
    return csv_note(info->appraisal, csv_tcb_info_kind.format, CSV_FAILED,
                    "TCB info of version 2 or 3", what);
}

static bool is_tdx(const struct csv_tcb_info *info)
{
    return info->quote->tee_type == CSV_TEE_TDX;
}

bool csv_advisories_add(struct csv_arena *arena, const struct csv_json_view *view, uint32_t level,
                        struct csv_advisories *advisories)
{
    uint32_t ids = csv_json_member(view, level, "advisoryIDs");
    if (ids == CSV_JSON_NONE) {
        return true;
    }
    if (!csv_json_is(view, ids, CSN_JSON_ARRAY)) {
        return false;
    }
    uint32_t item = csv_json_first(view, ids);
    for (; item != CSV_JSON_NONE; item = csv_json_next(view, item)) {
        const char *id = csv_json_text(view, item, arena);
        bool known = false;
        for (size_t i = 0; id != NULL && i < advisories->count; i++) {
            known = known || strcmp(advisories->ids[i], id) == 0;
        }
        if (id == NULL || (!known && advisories->count == CSV_ADVISORY_COUNT_MAX)) {
            return false;
        }
        if (!known) {
            advisories->ids[advisories->count++] = id;
        }
    }
    return true;
}

/* ---- for whom it is ---- */

static bool check_kind(struct csv_tcb_info *info)
{
    const struct csv_json_view *view = &info->collateral->view;
    uint64_t type = 0;
    if (!csv_json_number(view, member(info, "version"), &info->version) ||
        !csv_json_number(view, member(info, "tcbType"), &type) || type != 0) {
        return malformed(info, "no version, or an unknown type of TCB");
    }
    /* Version 2 knows SGX alone, and has no id. */
    bool sgx_2 = info->version == 2 && !is_tdx(info);
    bool fits = sgx_2 || (info->version == 3 &&
                          csv_json_says(view, member(info, "id"), is_tdx(info) ? "TDX" : "SGX"));
    return csv_note_if(info->appraisal, "tcb-info.kind", fits,
                       is_tdx(info) ? "TDX, version 3" : "SGX, version 2 or 3",
                       fits ? "so it is" : "of another TEE or version");
}

static bool check_platform(struct csv_tcb_info *info)
{
    const struct csv_json_view *view = &info->collateral->view;
    struct csv_arena *arena = info->appraisal->arena;
    uint8_t fmspc[6];
    uint8_t pceid[2];
    if (!csv_json_hex(view, member(info, "fmspc"), fmspc, sizeof fmspc) ||
        !csv_json_hex(view, member(info, "pceId"), pceid, sizeof pceid)) {
        return malformed(info, "no FMSPC or PCE-ID");
    }
    bool same = memcmp(fmspc, info->pck->fmspc, sizeof fmspc) == 0 &&
                memcmp(pceid, info->pck->pceid, sizeof pceid) == 0;
    return csv_note_if(info->appraisal, "tcb-info.platform", same,
                       csv_text(arena, "FMSPC %s, PCE-ID %s (of the PCK certificate)",
                                csv_text_hex(arena, info->pck->fmspc, sizeof fmspc),
                                csv_text_hex(arena, info->pck->pceid, sizeof pceid)),
                       csv_text(arena, "FMSPC %s, PCE-ID %s",
                                csv_text_hex(arena, fmspc, sizeof fmspc),
                                csv_text_hex(arena, pceid, sizeof pceid)));
}

bool csv_tcb_info_fits(struct csv_tcb_info *info)
{
    return check_kind(info) && check_platform(info);
}

/* ---- the TDX module ---- */

static const char *module_name(const struct csv_tcb_info *info, uint8_t major)
{
    return csv_text(info->appraisal->arena, "TDX_%02X", major);
}

/* "tdxModule" for modules of major version 0, else the identity of that name; or none. */
static uint32_t find_module(const struct csv_tcb_info *info, uint8_t major)
{
    const struct csv_json_view *view = &info->collateral->view;
    const char *name = module_name(info, major);
    if (major == 0) {
        return member(info, "tdxModule");
    }
    uint32_t item = csv_json_first(view, member(info, "tdxModuleIdentities"));
    for (; item != CSV_JSON_NONE; item = csv_json_next(view, item)) {
        const char *id =
            csv_json_text(view, csv_json_member(view, item, "id"), info->appraisal->arena);
        if (id != NULL && strcasecmp(id, name) == 0) {
            return item;
        }
    }
    return CSV_JSON_NONE;
}

bool csv_tcb_info_module(struct csv_tcb_info *info)
{
    const struct csv_json_view *view = &info->collateral->view;
    const uint8_t *td = info->quote->body.at;
    uint8_t major = td[TD_TEE_TCB_SVN + 1];
    uint32_t module = find_module(info, major);
    uint8_t signer[48];
    uint8_t attributes[8];
    csv_claim_text(info->appraisal, "tdx_module",
                   major == 0 ? "tdxModule" : module_name(info, major));
    if (module == CSV_JSON_NONE) {
        return csv_note(
            info->appraisal, "tdx-module.identity", CSV_FAILED,
            "a TDX module that the TCB info describes",
            csv_text(info->appraisal->arena, "%s: not in it", module_name(info, major)));
    }
    if (!csv_json_hex(view, csv_json_member(view, module, "mrsigner"), signer, sizeof signer) ||
        !csv_json_hex(view, csv_json_member(view, module, "attributes"), attributes,
                      sizeof attributes)) {
        return malformed(info, "a TDX module without signer or attributes");
    }
    bool same = memcmp(td + TD_MRSIGNERSEAM, signer, sizeof signer) == 0 &&
                memcmp(td + TD_SEAM_ATTRIBUTES, attributes, sizeof attributes) == 0 &&
                csv_is_zero(attributes, sizeof attributes);
    return csv_note_if(info->appraisal, "tdx-module.identity", same,
                       "signer and attributes that Intel names, attributes zero",
                       same ? "so they are" : "another signer or other attributes");
}

/* ---- levels ---- */

static bool read_components(const struct csv_json_view *view, uint32_t list, uint8_t svn[16])
{
    uint32_t item =
        csv_json_is(view, list, CSN_JSON_ARRAY) ? csv_json_first(view, list) : CSV_JSON_NONE;
    for (size_t i = 0; i < 16; i++) {
        uint64_t number;
        if (!csv_json_number(view, csv_json_member(view, item, "svn"), &number) || number > 255) {
            return false;
        }
        svn[i] = (uint8_t)number;
        item = csv_json_next(view, item);
    }
    return item == CSV_JSON_NONE;
}

/* Version 2 has a member for each. */
static bool read_numbered(const struct csv_json_view *view, uint32_t tcb, uint8_t svn[16])
{
    char name[] = "sgxtcbcomp00svn";
    for (unsigned i = 0; i < 16; i++) {
        uint64_t number;
        name[10] = (char)('0' + (i + 1) / 10);
        name[11] = (char)('0' + (i + 1) % 10);
        if (!csv_json_number(view, csv_json_member(view, tcb, name), &number) || number > 255) {
            return false;
        }
        svn[i] = (uint8_t)number;
    }
    return true;
}

static bool read_level(const struct csv_tcb_info *info, uint32_t node, struct level *level)
{
    const struct csv_json_view *view = &info->collateral->view;
    uint32_t tcb = csv_json_member(view, node, "tcb");
    *level = (struct level){.node = node};
    level->status = csv_tcb_read(
        csv_json_text(view, csv_json_member(view, node, "tcbStatus"), info->appraisal->arena));
    bool sgx =
        info->version == 2
            ? read_numbered(view, tcb, level->sgx)
            : read_components(view, csv_json_member(view, tcb, "sgxtcbcomponents"), level->sgx);
    bool tdx = !is_tdx(info) ||
               read_components(view, csv_json_member(view, tcb, "tdxtcbcomponents"), level->tdx);
    return level->status != CSV_TCB_UNKNOWN && sgx && tdx &&
           csv_json_number(view, csv_json_member(view, tcb, "pcesvn"), &level->pcesvn) &&
           level->pcesvn <= 65535;
}

static bool reaches(const uint8_t *got, const uint8_t *wanted, size_t from)
{
    bool enough = true;
    for (size_t i = from; i < 16; i++) {
        enough = enough && got[i] >= wanted[i];
    }
    return enough;
}

/* The levels that PCK and TD reach. The first two components of a TD are the module's own, which
 * has levels of its own from major version 1 on. */
struct selection {
    bool sgx_found;
    bool found;
    struct level first; /* the latest */
    struct level sgx;
    struct level level;
};

static bool select_level(const struct csv_tcb_info *info, struct selection *selection)
{
    const struct csv_json_view *view = &info->collateral->view;
    const uint8_t *svn = info->quote->body.at + TD_TEE_TCB_SVN;
    uint32_t levels = member(info, "tcbLevels");
    uint32_t item =
        csv_json_is(view, levels, CSN_JSON_ARRAY) ? csv_json_first(view, levels) : CSV_JSON_NONE;
    bool first = true;
    *selection = (struct selection){.found = false};
    for (; item != CSV_JSON_NONE; item = csv_json_next(view, item)) {
        struct level level;
        if (!read_level(info, item, &level)) {
            return false;
        }
        selection->first = first ? level : selection->first;
        first = false;
        if (!reaches(info->pck->comp, level.sgx, 0) || info->pck->pcesvn < level.pcesvn) {
            continue;
        }
        if (!selection->sgx_found) {
            selection->sgx = level;
            selection->sgx_found = true;
        }
        if (!selection->found && (!is_tdx(info) || reaches(svn, level.tdx, svn[1] > 0 ? 2 : 0))) {
            selection->level = level;
            selection->found = true;
        }
    }
    return !first;
}

/* The status of a module by its minor version; its advisories too. False: malformed. */
static bool module_status(struct csv_tcb_info *info, const uint8_t svn[16], enum csv_tcb *status)
{
    const struct csv_json_view *view = &info->collateral->view;
    *status = CSV_TCB_UP_TO_DATE;
    if (svn[1] == 0) {
        return true; /* its versions are components of the platform's levels */
    }
    uint32_t levels = csv_json_member(view, find_module(info, svn[1]), "tcbLevels");
    uint32_t item = csv_json_first(view, levels);
    for (; item != CSV_JSON_NONE; item = csv_json_next(view, item)) {
        uint64_t minimum;
        uint32_t tcb = csv_json_member(view, item, "tcb");
        if (!csv_json_number(view, csv_json_member(view, tcb, "isvsvn"), &minimum)) {
            return false;
        }
        if (svn[0] >= minimum) {
            *status = csv_tcb_read(csv_json_text(view, csv_json_member(view, item, "tcbStatus"),
                                                 info->appraisal->arena));
            return (*status == CSV_TCB_UP_TO_DATE || *status == CSV_TCB_OUT_OF_DATE ||
                    *status == CSV_TCB_REVOKED) &&
                   csv_advisories_add(info->appraisal->arena, view, item, info->advisories);
        }
    }
    *status = CSV_TCB_NOT_SUPPORTED;
    return csv_json_is(view, levels, CSN_JSON_ARRAY);
}

/* Is what runs now (TEE_TCB_SVN_2) of the latest level? known: false for a module that the TCB info
 * does not describe. */
static bool is_current(const struct csv_tcb_info *info, const struct level *latest, bool *known)
{
    const struct csv_json_view *view = &info->collateral->view;
    const uint8_t *svn = info->quote->body.at + TD_TEE_TCB_SVN_2;
    uint64_t minor = latest->tdx[0];
    *known = true;
    if (svn[1] != 0) {
        uint32_t levels = csv_json_member(view, find_module(info, svn[1]), "tcbLevels");
        uint32_t tcb = csv_json_member(view, csv_json_first(view, levels), "tcb");
        *known = csv_json_number(view, csv_json_member(view, tcb, "isvsvn"), &minor);
    }
    return *known && svn[0] >= minor && svn[2] >= latest->tdx[2];
}

static bool td_status(struct csv_tcb_info *info, const struct selection *selection, enum csv_tcb qe,
                      enum csv_tcb *status)
{
    struct csv_tcb_launch launch = {.sgx = selection->sgx.status, .qe = qe};
    if (!module_status(info, info->quote->body.at + TD_TEE_TCB_SVN, &launch.module)) {
        return malformed(info, "levels of a TDX module that do not parse");
    }
    csv_claim_text(info->appraisal, "tdx_module_status", csv_tcb_name(launch.module));
    launch.tdx = csv_tcb_converge(selection->level.status, launch.module);
    *status = launch.tdx;
    if (info->quote->body_type >= CSV_QUOTE_BODY_TD15) {
        bool known;
        launch.current = is_current(info, &selection->first, &known);
        bool wanted = launch.current;
        launch.current = true;
        enum csv_tcb advised = csv_tcb_relaunch(&launch);
        if (advised != launch.tdx && !known) {
            return csv_note(info->appraisal, "tdx-module.identity", CSV_FAILED,
                            "a TDX module that the TCB info describes",
                            "the one that runs now is not in it");
        }
        *status = wanted ? advised : launch.tdx;
    }
    return true;
}

bool csv_tcb_info_status(struct csv_tcb_info *info, enum csv_tcb qe, enum csv_tcb *status)
{
    struct csv_case *appraisal = info->appraisal;
    const struct csv_json_view *view = &info->collateral->view;
    struct selection selection;
    if (!select_level(info, &selection)) {
        return malformed(info, "levels that do not parse");
    }
    *status = CSV_TCB_NOT_SUPPORTED;
    csv_claim_text(appraisal, "platform_tcb_status",
                   csv_tcb_name(selection.found ? selection.level.status : *status));
    if (!selection.found) {
        return true;
    }
    const char *date = csv_json_text(view, csv_json_member(view, selection.level.node, "tcbDate"),
                                     appraisal->arena);
    if (date == NULL ||
        !csv_advisories_add(appraisal->arena, view, selection.level.node, info->advisories)) {
        return malformed(info, "a level without date, or with advisories that do not parse");
    }
    csv_claim_text(appraisal, "tcb_date", date);
    *status = selection.level.status;
    if (is_tdx(info) && !td_status(info, &selection, qe, status)) {
        return false;
    }
    *status = csv_tcb_converge(*status, qe);
    return true;
}
