/* SPDX-License-Identifier: Apache-2.0 */
/* crl.c: revocation lists (RFC 5280, section 5): who signed them, when they hold, whom they name.
 */
#include "verify/parse/der.h"
#include "verify/x509/pem.h"
#include "verify/x509/x509.h"

/* Only what narrows a list to some certificates would be critical: such a list is refused. */
static bool read_extensions(struct csv_crl *crl, struct csv_bytes content)
{
    struct csv_reader outer = csv_read(content);
    struct csv_bytes list;
    if (!csv_der_take(&outer, CSV_DER_SEQUENCE, &list) || outer.left != 0) {
        return false;
    }
    struct csv_reader reader = csv_read(list);
    while (reader.left != 0) {
        struct csv_bytes one;
        struct csv_bytes flag;
        bool there = false;
        if (!csv_der_take(&reader, CSV_DER_SEQUENCE, &one)) {
            return false;
        }
        struct csv_reader inner = csv_read(one);
        if (!csv_der_take(&inner, CSV_DER_OID, &flag) ||
            !csv_der_optional(&inner, CSV_DER_BOOLEAN, &flag, &there)) {
            return false;
        }
        crl->unknown_critical |= there && flag.size == 1 && flag.at[0] != 0;
    }
    return true;
}

/* tbsCertList, after its version. */
static bool read_body(struct csv_crl *crl, struct csv_reader *body, struct csv_bytes *inner)
{
    struct csv_bytes content;
    bool there = false;
    if (!csv_der_optional(body, CSV_DER_INTEGER, &content, &there) ||
        !csv_der_take(body, CSV_DER_SEQUENCE, inner) ||
        !csv_der_take_whole(body, CSV_DER_SEQUENCE, &crl->issuer) ||
        !csv_der_time(body, &crl->this_update)) {
        return false;
    }
    uint8_t next = body->left != 0 ? body->at[0] : 0;
    crl->has_next = next == CSV_DER_UTC_TIME || next == CSV_DER_GENERAL_TIME;
    if (crl->has_next && !csv_der_time(body, &crl->next_update)) {
        return false;
    }
    return csv_der_optional(body, CSV_DER_SEQUENCE, &crl->entries, &there) &&
           csv_der_optional(body, CSV_DER_CONTEXT(0), &content, &there) && body->left == 0 &&
           (!there || read_extensions(crl, content));
}

static bool read_der(struct csv_crl *crl, struct csv_bytes bytes)
{
    struct csv_reader reader = csv_read(bytes);
    struct csv_bytes content;
    struct csv_bytes inner;
    struct csv_bytes outer;
    if (!csv_der_take(&reader, CSV_DER_SEQUENCE, &content) ||
        !csv_is_zero(reader.at, reader.left)) {
        return false;
    }
    struct csv_reader parts = csv_read(content);
    if (!csv_der_take_whole(&parts, CSV_DER_SEQUENCE, &crl->signed_part) ||
        !csv_der_take(&parts, CSV_DER_SEQUENCE, &outer) || !csv_der_bits(&parts, &crl->signature) ||
        parts.left != 0) {
        return false;
    }
    struct csv_reader whole = csv_read(crl->signed_part);
    if (!csv_der_take(&whole, CSV_DER_SEQUENCE, &content)) {
        return false;
    }
    struct csv_reader body = csv_read(content);
    return read_body(crl, &body, &inner) && csv_bytes_same(inner, outer) &&
           csv_algorithm_read(outer, &crl->algorithm);
}

bool csv_crl_read(struct csv_crl *crl, struct csv_bytes bytes, struct csv_arena *arena)
{
    struct csv_bytes content = bytes;
    *crl = (struct csv_crl){0};
    if (bytes.size == 0 || bytes.size > CSV_PART_SIZE_MAX) {
        return false;
    }
    if (bytes.at[0] != 0x30 &&
        (!csv_pem_next(&bytes, "X509 CRL", arena, &content) || bytes.size != 0)) {
        return false;
    }
    return read_der(crl, content);
}

bool csv_crl_is_from(const struct csv_crl *crl, const struct csv_cert *issuer)
{
    return csv_bytes_same(crl->issuer, issuer->subject);
}

/* Each entry is (serial, date, perhaps extensions): the whole list is read, malformed ones refuse.
 */
static bool is_listed(const struct csv_crl *crl, const struct csv_cert *cert, bool *listed,
                      size_t *count)
{
    struct csv_reader reader = csv_read(crl->entries);
    *listed = false;
    *count = 0;
    while (reader.left != 0) {
        struct csv_bytes entry;
        struct csv_bytes serial;
        if (!csv_der_take(&reader, CSV_DER_SEQUENCE, &entry)) {
            return false;
        }
        struct csv_reader inner = csv_read(entry);
        if (!csv_der_take(&inner, CSV_DER_INTEGER, &serial)) {
            return false;
        }
        *listed = *listed || (cert != NULL && csv_bytes_same(serial, cert->serial));
        ++*count;
    }
    return true;
}

size_t csv_crl_count(const struct csv_crl *crl)
{
    bool listed = false;
    size_t count = 0;
    return is_listed(crl, NULL, &listed, &count) ? count : 0;
}

static bool is_same_run(struct csv_bytes a, struct csv_bytes b)
{
    return a.at == b.at && a.size == b.size;
}

/*
 * A root's list is asked about several certificates; its signature is checked once for each issuer.
 * It is known again by where it stands, for what a caller supplied does not change meanwhile. What
 * was decoded stands in the arena, and is checked each time.
 */
static bool is_signed_by(const struct csv_case *appraisal, const struct csv_crl *crl,
                         struct csv_cert *issuer)
{
    struct csv_verdict *verdict = appraisal->verdict;
    for (size_t i = 0; i < verdict->signed_list_count; i++) {
        const struct csv_signed_list *known = &verdict->signed_lists[i];
        if (known->issuer == issuer && is_same_run(known->signed_part, crl->signed_part) &&
            is_same_run(known->signature, crl->signature)) {
            return true;
        }
    }
    bool good = csv_signature_check(csv_cert_key(issuer), &crl->algorithm, crl->signed_part,
                                    crl->signature);
    if (good && verdict->signed_list_count < CSV_SIGNED_LIST_COUNT_MAX &&
        !csv_arena_holds(appraisal->arena, crl->signed_part.at)) {
        verdict->signed_lists[verdict->signed_list_count++] =
            (struct csv_signed_list){crl->signed_part, crl->signature, issuer};
    }
    return good;
}

static const char *crl_fault(const struct csv_case *appraisal, const struct csv_crl *crl,
                             struct csv_cert *issuer)
{
    int64_t time = appraisal->input->time;
    bool signs = !issuer->has_usage || (issuer->usage & CSV_USAGE_CRL_SIGN) != 0;
    if (!csv_crl_is_from(crl, issuer)) {
        return "the list is another issuer's";
    }
    if (!signs || !is_signed_by(appraisal, crl, issuer)) {
        return "the list is not signed by the issuer";
    }
    return crl->unknown_critical     ? "the list has a critical extension that is not known"
           : !crl->has_next          ? "the list does not say how long it holds"
           : time < crl->this_update ? "the list is not valid yet"
           : time > crl->next_update ? "the list has expired"
                                     : NULL;
}

bool csv_crl_check(struct csv_case *appraisal, const struct csv_crl *crl,
                   const struct csv_cert *cert, struct csv_cert *issuer, const char *finding)
{
    bool listed = false;
    size_t count = 0;
    const char *fault = crl_fault(appraisal, crl, issuer);
    fault = fault == NULL && !is_listed(crl, cert, &listed, &count) ? "malformed entries" : fault;
    if (fault != NULL) {
        return csv_note(appraisal, finding, CSV_FAILED, "a list of the issuer's that holds now",
                        fault);
    }
    return csv_note_if(appraisal, finding, !listed, "not revoked",
                       csv_text(appraisal->arena, "%s: %s", csv_common_name(cert, appraisal->arena),
                                listed ? "revoked" : "not on the list"));
}
