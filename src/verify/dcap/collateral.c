/* SPDX-License-Identifier: Apache-2.0 */
/* collateral.c: see collateral.h. */
#include "verify/dcap/collateral.h"
#include "verify/ecdsa.h"
#include "verify/text.h"
#include <string.h>

const struct csv_part *csv_collateral_part(const struct csv_input *input, const char *stem)
{
    const struct csv_part *part;
    size_t size = strlen(stem);
    for (size_t i = 0; (part = csv_part(input, CSV_PART_COLLATERAL, i)) != NULL; i++) {
        if (part->name != NULL && strncmp(part->name, stem, size) == 0 &&
            (part->name[size] == 0 || part->name[size] == '.')) {
            return part;
        }
    }
    return NULL;
}

bool csv_collateral_certs(struct csv_case *appraisal, const char *stem, struct csv_certs *certs)
{
    const struct csv_part *part = csv_collateral_part(appraisal->input, stem);
    return part == NULL || csv_certs_read(certs, part->bytes);
}

/* Hex as a PCCS gives it: DER begins with 30. */
static struct csv_bytes hex_decoded(struct csv_arena *arena, struct csv_bytes text)
{
    size_t size = text.size;
    while (size != 0 && (text.at[size - 1] == '\n' || text.at[size - 1] == '\r')) {
        size--;
    }
    uint8_t *bytes = csv_take(arena, size / 2 + 1, 1);
    if (bytes == NULL || !csv_hex_read((const char *)text.at, size, bytes)) {
        return text;
    }
    return (struct csv_bytes){bytes, size / 2};
}

static bool read_list(struct csv_case *appraisal, const struct csv_part *part, struct csv_crl *list)
{
    struct csv_bytes bytes = part->bytes;
    if (bytes.size > 2 && bytes.at[0] == '3' && bytes.at[1] == '0') {
        bytes = hex_decoded(appraisal->arena, bytes);
    }
    return csv_crl_read(list, bytes, appraisal->arena);
}

/* The case's group becomes one inside it; gives back what it was. */
static const char *enter_group(struct csv_case *appraisal, const char *name)
{
    const char *outer = appraisal->group;
    appraisal->group = outer == NULL ? name : csv_text(appraisal->arena, "%s.%s", outer, name);
    return outer;
}

/* How many certificates a list names; once for each list. */
static void claim_list(struct csv_case *appraisal, const char *stem, const struct csv_crl *list)
{
    const char *outer = enter_group(appraisal, stem);
    if (csv_claim_find(appraisal, "entries") == NULL) {
        csv_claim_number(appraisal, "entries", csv_crl_count(list));
    }
    appraisal->group = outer;
}

static bool check_list(struct csv_case *appraisal, const char *stem, const struct csv_part *part,
                       struct csv_cert *cert, struct csv_cert *issuer, const char *finding)
{
    struct csv_crl list;
    bool read = read_list(appraisal, part, &list);
    if (read) {
        claim_list(appraisal, stem, &list);
    }
    return read ? csv_crl_check(appraisal, &list, cert, issuer, finding)
                : csv_note(appraisal, finding, CSV_FAILED, "a revocation list",
                           "bytes that are none");
}

bool csv_collateral_crl(struct csv_case *appraisal, const char *stem, struct csv_cert *cert,
                        struct csv_cert *issuer, const char *finding)
{
    const struct csv_part *part = csv_collateral_part(appraisal->input, stem);
    bool found = part != NULL;
    bool good = part == NULL || check_list(appraisal, stem, part, cert, issuer, finding);
    for (size_t i = 0; (part = csv_part(appraisal->input, CSV_PART_CRL, i)) != NULL; i++) {
        struct csv_crl list;
        bool ours = read_list(appraisal, part, &list) && csv_crl_is_from(&list, issuer);
        if (ours) {
            found = true;
            good = check_list(appraisal, stem, part, cert, issuer, finding) && good;
        }
    }
    if (!found) {
        return csv_note(appraisal, finding, CSV_MISSING, "the issuer's revocation list",
                        csv_text(appraisal->arena, "no %s was supplied", stem));
    }
    return good;
}

static void claim_members(struct csv_case *appraisal, const struct csv_collateral_kind *kind,
                          const struct csv_collateral *collateral)
{
    const struct csv_json_view *view = &collateral->view;
    const char *outer = enter_group(appraisal, kind->stem);
    for (size_t i = 0; kind->claims[i] != NULL; i++) {
        uint32_t value = csv_json_member(view, collateral->body, kind->claims[i]);
        const char *text = csv_json_text(view, value, appraisal->arena);
        uint64_t number;
        if (text != NULL) {
            csv_claim_text(appraisal, kind->claims[i], text);
        } else if (csv_json_number(view, value, &number)) {
            csv_claim_number(appraisal, kind->claims[i], number);
        }
    }
    uint32_t level = csv_json_first(view, csv_json_member(view, collateral->body, "tcbLevels"));
    uint64_t count = 0;
    for (; level != CSV_JSON_NONE; level = csv_json_next(view, level)) {
        count++;
    }
    csv_claim_number(appraisal, "levels", count);
    appraisal->group = outer;
}

static bool check_dates(struct csv_case *appraisal, const struct csv_collateral_kind *kind,
                        const struct csv_collateral *collateral)
{
    const struct csv_json_view *view = &collateral->view;
    const char *begin_text =
        csv_json_text(view, csv_json_member(view, collateral->body, "issueDate"), appraisal->arena);
    const char *end_text = csv_json_text(
        view, csv_json_member(view, collateral->body, "nextUpdate"), appraisal->arena);
    int64_t begin;
    int64_t end;
    if (begin_text == NULL || end_text == NULL ||
        !csv_time_read(begin_text, strlen(begin_text), &begin) ||
        !csv_time_read(end_text, strlen(end_text), &end)) {
        return csv_note(appraisal, kind->format, CSV_FAILED, "issueDate and nextUpdate",
                        "dates that are none");
    }
    int64_t now = appraisal->input->time;
    csv_note_if(appraisal, kind->current, begin <= now && now <= end,
                csv_text(appraisal->arena, "%s to %s", begin_text, end_text),
                csv_time_text(appraisal->arena, now));
    return true;
}

bool csv_collateral_open(struct csv_case *appraisal, const struct csv_collateral_kind *kind,
                         struct csv_cert *signer, struct csv_collateral *collateral)
{
    const struct csv_part *part = csv_collateral_part(appraisal->input, kind->stem);
    struct csv_json_view *view = &collateral->view;
    const char *why = NULL;
    uint8_t signature[64];
    if (part == NULL) {
        return csv_note(appraisal, kind->signature, CSV_MISSING, "signed by Intel",
                        csv_text(appraisal->arena, "no %s was supplied", kind->stem));
    }
    if (!csv_json_open(view, part->bytes, appraisal->arena, &why)) {
        return csv_note(appraisal, kind->format, CSV_FAILED, "strict JSON", why);
    }
    collateral->body = csv_json_member(view, 0, kind->member);
    if (!csv_json_is(view, collateral->body, CSN_JSON_OBJECT) ||
        !csv_json_hex(view, csv_json_member(view, 0, "signature"), signature, sizeof signature) ||
        !csv_json_number(view, csv_json_member(view, collateral->body, "tcbEvaluationDataNumber"),
                         &collateral->evaluation_number)) {
        return csv_note(appraisal, kind->format, CSV_FAILED, "a signed object",
                        "members are missing or of another kind");
    }
    claim_members(appraisal, kind, collateral);
    if (signer == NULL) {
        return false; /* why was noted with the signer */
    }
    bool good = csv_ecdsa_check(csv_cert_key(signer), EVP_sha256(), signature, 32,
                                csv_json_raw(view, collateral->body));
    return csv_note_if(appraisal, kind->signature, good, "signed by Intel",
                       good ? "signed" : "the signature is wrong") &&
           check_dates(appraisal, kind, collateral);
}

struct csv_cert *csv_collateral_signer(struct csv_case *appraisal, const char *stem,
                                       struct csv_certs *certs)
{
    static const struct csv_chain_options options = {
        .finding = "collateral.signer", .roots = &csv_roots_intel, .depth_max = 2};
    struct csv_chain chain;
    if (!csv_collateral_certs(appraisal, stem, certs)) {
        csv_note(appraisal, "collateral.signer", CSV_FAILED, "certificates", "bytes that are none");
        return NULL;
    }
    if (certs->count == 0) {
        csv_note(appraisal, "collateral.signer", CSV_MISSING, "the signer's certificates",
                 csv_text(appraisal->arena, "no %s was supplied", stem));
        return NULL;
    }
    struct csv_cert *leaf = certs->at[0];
    const char *name = csv_common_name(leaf, appraisal->arena);
    /* Other keys below the same root must not pass for this one: a PCK is in anybody's machine. */
    if (strstr(name, "SGX TCB Signing") == NULL ||
        !csv_ecdsa_is_on(csv_cert_key(leaf), "prime256v1")) {
        csv_note(appraisal, "collateral.signer", CSV_FAILED, "an SGX TCB Signing certificate",
                 name);
        return NULL;
    }
    if (!csv_chain_check(appraisal, leaf, certs, &options, &chain)) {
        return NULL;
    }
    csv_collateral_crl(appraisal, "root_ca_crl", leaf, chain.at[chain.count - 1],
                       "collateral.revoked");
    return leaf;
}
