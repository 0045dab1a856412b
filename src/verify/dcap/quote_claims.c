/* SPDX-License-Identifier: Apache-2.0 */
/* quote_claims.c: what header, body and QE report say, field by field. See quote.h. */
#include "verify/dcap/quote.h"
#include "verify/parse/read.h"

struct field {
    const char *name;
    uint16_t offset;
    uint16_t size; /* up to 2: a number */
};

static const struct field sgx_fields[] = {
    {"cpusvn", 0, 16},        {"miscselect", 16, 4}, {"isvextprodid", 32, 16},
    {"attributes", 48, 16},   {"xfrm", 56, 8},       {"mrenclave", 64, 32},
    {"mrsigner", 128, 32},    {"configid", 192, 64}, {"isvprodid", 256, 2},
    {"isvsvn", 258, 2},       {"configsvn", 260, 2}, {"isvfamilyid", 304, 16},
    {"report_data", 320, 64},
};

/* A longer body begins with a shorter one: fields beyond a body's end are not there. */
static const struct field td_fields[] = {
    {"tee_tcb_svn", 0, 16},
    {"mrseam", 16, 48},
    {"mrsignerseam", 64, 48},
    {"seam_attributes", 112, 8},
    {"td_attributes", 120, 8},
    {"xfam", 128, 8},
    {"mrtd", 136, 48},
    {"mrconfigid", 184, 48},
    {"mrowner", 232, 48},
    {"mrownerconfig", 280, 48},
    {"rtmr0", 328, 48},
    {"rtmr1", 376, 48},
    {"rtmr2", 424, 48},
    {"rtmr3", 472, 48},
    {"report_data", 520, 64},
    {"tee_tcb_svn_2", 584, 16},
    {"mrservicetd", 600, 48},
    {"vmid", 648, 1},
    {"td_id", 649, 32},
    {"dev_info", 681, 48},
    {"init_servtd_hash", 729, 48},
    {"init_servtd_attributes", 777, 8},
    {"init_cpusvn", 785, 16},
    {"init_tee_tcb_svn", 801, 16},
    {"init_tee_fmspc", 817, 12},
    {"current_servtd_hash", 829, 48},
    {"current_servtd_attributes", 877, 8},
};

static void claim_fields(struct csv_case *appraisal, struct csv_bytes body,
                         const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        if ((size_t)field->offset + field->size > body.size) {
            return;
        }
        if (field->size <= 2) {
            csv_claim_number(appraisal, field->name, csv_le(body.at + field->offset, field->size));
        } else {
            csv_claim_bytes(appraisal, field->name, body.at + field->offset, field->size);
        }
    }
}

/* Bit fields once more, as words: for rules. */
static void claim_word(struct csv_case *appraisal, const char *name, uint64_t value)
{
    csv_claim_word(appraisal, name, value);
    csv_claim_hide(appraisal);
}

static void claim_body(struct csv_case *appraisal, const struct csv_quote *quote)
{
    bool sgx = quote->body_type == CSV_QUOTE_BODY_SGX;
    uint64_t attributes = csv_le(quote->body.at + (sgx ? 48 : 120), 8);
    uint64_t debug = sgx ? attributes >> 1 & 1 : attributes & 1;
    if (sgx) {
        claim_fields(appraisal, quote->body, sgx_fields, sizeof sgx_fields / sizeof sgx_fields[0]);
        csv_claim_number(appraisal, "sgx_debug", debug);
    } else {
        claim_fields(appraisal, quote->body, td_fields, sizeof td_fields / sizeof td_fields[0]);
        csv_claim_number(appraisal, "td_debug", debug);
    }
    claim_word(appraisal, sgx ? "sgx_flags" : "td_flags", attributes);
    csv_claim_number(appraisal, "debug_any", debug);
    csv_claim_hide(appraisal);
}

void csv_quote_claims(struct csv_case *appraisal, const struct csv_quote *quote)
{
    csv_claim_number(appraisal, "version", quote->version);
    csv_claim_word(appraisal, "tee_type", quote->tee_type);
    csv_claim_number(appraisal, "body_type", quote->body_type);
    csv_claim_number(appraisal, "cert_type", quote->cert_type);
    csv_claim_bytes(appraisal, "vendor", quote->header + 12, 16);
    csv_claim_number(appraisal, "trailing", quote->trailing.size);
    claim_body(appraisal, quote);
    csv_claim_bytes(appraisal, "qe_mrsigner", quote->qe_report + 128, 32);
    csv_claim_number(appraisal, "qe_isvprodid", csv_le(quote->qe_report + 256, 2));
    csv_claim_number(appraisal, "qe_isvsvn", csv_le(quote->qe_report + 258, 2));
}
