/* SPDX-License-Identifier: Apache-2.0 */
/* qe_identity.c: see qe_identity.h. */
#include "verify/dcap/qe_identity.h"
#include "verify/parse/read.h"

static const char *const claims[] = {
    "id", "version", "issueDate", "nextUpdate", "mrsigner", "isvprodid", "tcbEvaluationDataNumber",
    NULL};

const struct csv_collateral_kind csv_qe_identity_kind = {
    .claims = claims,
    .stem = "qe_identity",
    .member = "enclaveIdentity",
    .format = "qe-identity.format",
    .signature = "qe-identity.signature",
    .current = "qe-identity.current",
};

struct identity {
    uint8_t miscselect[4];
    uint8_t miscselect_mask[4];
    uint8_t attributes[16];
    uint8_t attributes_mask[16];
    uint8_t mrsigner[32];
    uint64_t isvprodid;
};

static bool malformed(struct csv_case *appraisal, const char *what)
{
    return csv_note(appraisal, csv_qe_identity_kind.format, CSV_FAILED,
                    "an enclave identity of version 2", what);
}

static bool read_identity(const struct csv_collateral *collateral, struct identity *identity)
{
    const struct csv_json_view *view = &collateral->view;
    uint32_t body = collateral->body;
    return csv_json_hex(view, csv_json_member(view, body, "miscselect"), identity->miscselect, 4) &&
           csv_json_hex(view, csv_json_member(view, body, "miscselectMask"),
                        identity->miscselect_mask, 4) &&
           csv_json_hex(view, csv_json_member(view, body, "attributes"), identity->attributes,
                        16) &&
           csv_json_hex(view, csv_json_member(view, body, "attributesMask"),
                        identity->attributes_mask, 16) &&
           csv_json_hex(view, csv_json_member(view, body, "mrsigner"), identity->mrsigner, 32) &&
           csv_json_number(view, csv_json_member(view, body, "isvprodid"), &identity->isvprodid);
}

static bool masked_equal(const uint8_t *got, const uint8_t *mask, const uint8_t *wanted,
                         size_t size)
{
    uint8_t differs = 0;
    for (size_t i = 0; i < size; i++) {
        differs |= (got[i] & mask[i]) ^ wanted[i];
    }
    return differs == 0;
}

static const char *identity_fault(const uint8_t *report, const struct identity *identity)
{
    return memcmp(report + 128, identity->mrsigner, 32) != 0 ? "another signer"
           : csv_le(report + 256, 2) != identity->isvprodid  ? "another product of the signer's"
           : !masked_equal(report + 16, identity->miscselect_mask, identity->miscselect, 4)
               ? "other MISCSELECT bits"
           : !masked_equal(report + 48, identity->attributes_mask, identity->attributes, 16)
               ? "other attributes"
               : NULL;
}

static bool version_status(struct csv_case *appraisal, const struct csv_collateral *collateral,
                           uint64_t isvsvn, struct csv_advisories *advisories, enum csv_tcb *status)
{
    const struct csv_json_view *view = &collateral->view;
    uint32_t levels = csv_json_member(view, collateral->body, "tcbLevels");
    uint32_t item = csv_json_first(view, levels);
    for (; item != CSV_JSON_NONE; item = csv_json_next(view, item)) {
        uint64_t minimum;
        uint32_t tcb = csv_json_member(view, item, "tcb");
        if (!csv_json_number(view, csv_json_member(view, tcb, "isvsvn"), &minimum)) {
            return malformed(appraisal, "a level without isvsvn");
        }
        if (isvsvn >= minimum) {
            *status = csv_tcb_read(
                csv_json_text(view, csv_json_member(view, item, "tcbStatus"), appraisal->arena));
            bool good = *status != CSV_TCB_UNKNOWN &&
                        csv_advisories_add(appraisal->arena, view, item, advisories);
            /* Whatever is neither good nor revoked is out of date. */
            *status = *status == CSV_TCB_UP_TO_DATE || *status == CSV_TCB_REVOKED
                          ? *status
                          : CSV_TCB_OUT_OF_DATE;
            return good || malformed(appraisal, "a level with an unknown status");
        }
    }
    *status = CSV_TCB_NOT_SUPPORTED;
    return csv_json_is(view, levels, CSN_JSON_ARRAY) || malformed(appraisal, "no levels");
}

bool csv_qe_identity_check(struct csv_case *appraisal, const struct csv_collateral *collateral,
                           const struct csv_quote *quote, struct csv_advisories *advisories,
                           enum csv_tcb *status)
{
    const struct csv_json_view *view = &collateral->view;
    bool tdx = quote->tee_type == CSV_TEE_TDX;
    uint64_t version = 0;
    struct identity identity;
    if (!csv_json_number(view, csv_json_member(view, collateral->body, "version"), &version) ||
        !read_identity(collateral, &identity)) {
        return malformed(appraisal, "members are missing or of another kind");
    }
    bool ours = version == 2 && csv_json_says(view, csv_json_member(view, collateral->body, "id"),
                                              tdx ? "TD_QE" : "QE");
    if (!csv_note_if(appraisal, "qe-identity.kind", ours,
                     tdx ? "TD_QE, version 2" : "QE, version 2",
                     ours ? "so it is" : "of another enclave or version")) {
        return false;
    }
    const char *fault = identity_fault(quote->qe_report, &identity);
    if (!csv_note_if(appraisal, "qe.identity", fault == NULL, "Intel's quoting enclave",
                     fault == NULL ? "so it is" : fault)) {
        return false;
    }
    if (!version_status(appraisal, collateral, csv_le(quote->qe_report + 258, 2), advisories,
                        status)) {
        return false;
    }
    csv_claim_text(appraisal, "qe_status", csv_tcb_name(*status));
    return true;
}
