/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcs.c: Google Confidential Space tokens: Google appraised the machine and says so in a JWT.
 *
 * Of the two kinds of token only the one with its certificates inside (x5c) can be verified
 * offline: RS256 by the leaf, whose chain must end in the pinned root; what else x5c holds is only
 * a pool to build the path from. Nothing in the header chooses a key or an algorithm.
 */
#include "verify/format.h"
#include "verify/gcs/gcs_claims.h"
#include "verify/gcs/gcs_rules.h"
#include "verify/gcs/jwt.h"
#include "verify/text.h"
#include "verify/x509/signing_key.h"
#include "verify/x509/x509.h"
#include <string.h>

#define X5C_COUNT_MAX 8

static const char issuer[] = "https://confidentialcomputing.googleapis.com";

static const char *header_fault(const struct csv_json_view *header)
{
    uint32_t typ = csv_json_member(header, 0, "typ");
    return !csv_json_is(header, 0, CSN_JSON_OBJECT) ? "the header is not an object"
           : !csv_json_says(header, csv_json_member(header, 0, "alg"), "RS256")
               ? "another algorithm than RS256"
           : csv_json_member(header, 0, "crit") != CSV_JSON_NONE ? "critical extensions (crit)"
           : typ != CSV_JSON_NONE && !csv_json_says(header, typ, "JWT") ? "another type than JWT"
                                                                        : NULL;
}

/* One string of x5c: standard base64 of DER. */
static bool read_x5c_item(struct csv_case *appraisal, const struct csv_json_view *header,
                          uint32_t item, struct csv_certs *certs)
{
    size_t size = 0;
    const char *text = csv_json_text(header, item, appraisal->arena);
    size_t digits = text != NULL ? strlen(text) : 0;
    uint8_t *der = csv_take(appraisal->arena, digits / 4 * 3 + 3, 1);
    return digits != 0 && der != NULL &&
           csv_base64_read((const uint8_t *)text, digits, der, &size) && size != 0 &&
           der[0] == 0x30 && csv_certs_read(certs, (struct csv_bytes){der, size});
}

static bool read_x5c(struct csv_case *appraisal, const struct csv_json_view *header,
                     struct csv_certs *certs)
{
    uint32_t x5c = csv_json_member(header, 0, "x5c");
    if (x5c == CSV_JSON_NONE) {
        return csv_note(appraisal, "gcs.chain", CSV_MISSING, "a token with its certificates (x5c)",
                        "one without: ask for a token of type PKI");
    }
    bool good = csv_json_is(header, x5c, CSN_JSON_ARRAY);
    uint32_t item = csv_json_first(header, x5c);
    good = good && item != CSV_JSON_NONE;
    for (; good && item != CSV_JSON_NONE; item = csv_json_next(header, item)) {
        good = certs->count < X5C_COUNT_MAX && read_x5c_item(appraisal, header, item, certs);
    }
    return good ||
           csv_note(appraisal, "gcs.chain", CSV_FAILED, "certificates in x5c", "something else");
}

static void check_signature(struct csv_case *appraisal, const struct csv_jwt *jwt,
                            const struct csv_certs *certs)
{
    static const struct csv_chain_options options = {
        .finding = "gcs.chain",
        .roots = &csv_roots_gcs,
        .depth_max = 4,
    };
    static const struct csv_algorithm rs256 = {.digest = "SHA256", .rsa = true};
    struct csv_chain chain;
    csv_chain_check(appraisal, certs->at[0], certs, &options, &chain);
    EVP_PKEY *key = csv_cert_key(certs->at[0]);
    const char *fault = key == NULL                  ? "a key of another kind"
                        : !EVP_PKEY_is_a(key, "RSA") ? "not an RSA key"
                                                     : csv_key_fault(key);
    if (fault == NULL && !csv_signature_check(key, &rs256, jwt->message, jwt->signature)) {
        fault = "not valid";
    }
    csv_note_if(appraisal, "gcs.signature", fault == NULL, "a valid signature of the leaf",
                fault == NULL ? "valid" : fault);
}

static void check_header(struct csv_case *appraisal, const struct csv_jwt *jwt)
{
    struct csv_json_view header;
    struct csv_certs certs = {.appraisal = appraisal};
    const char *why = NULL;
    const char *fault =
        csv_json_open(&header, jwt->header, appraisal->arena, &why) ? header_fault(&header) : why;
    if (!csv_note_if(appraisal, "gcs.header", fault == NULL, "RS256, and nothing that changes it",
                     fault == NULL ? "RS256" : fault)) {
        return;
    }
    csv_claim_text(appraisal, "alg", "RS256");
    if (read_x5c(appraisal, &header, &certs)) {
        check_signature(appraisal, jwt, &certs);
    }
}

/* A time of the token's: whole seconds since 1970. */
static bool read_time(const struct csv_json_view *payload, const char *name, int64_t *time)
{
    uint64_t number = 0;
    bool good =
        csv_json_number(payload, csv_json_member(payload, 0, name), &number) && number <= INT64_MAX;
    *time = (int64_t)number;
    return good;
}

static void check_times(struct csv_case *appraisal, const struct csv_json_view *payload)
{
    int64_t issued = 0;
    int64_t begin = 0;
    int64_t end = 0;
    int64_t now = appraisal->input->time;
    struct csv_arena *arena = appraisal->arena;
    if (!read_time(payload, "iat", &issued) || !read_time(payload, "nbf", &begin) ||
        !read_time(payload, "exp", &end)) {
        csv_note(appraisal, "gcs.time", CSV_FAILED, "iat, nbf and exp", "not all there");
    } else if (csv_check_time(appraisal)) {
        csv_note_if(appraisal, "gcs.time", issued <= now && begin <= now && now < end,
                    csv_text(arena, "valid at %s", csv_time_text(arena, now)),
                    csv_text(arena, "from %s until before %s",
                             csv_time_text(arena, begin > issued ? begin : issued),
                             csv_time_text(arena, end)));
    }
}

/* The nonce as the token's text or, in either case, as hex of it. */
static bool is_nonce(struct csv_case *appraisal, const struct csv_json_view *payload,
                     uint32_t value, const struct csv_nonce *nonce)
{
    uint8_t bytes[64];
    const char *text = csv_json_text(payload, value, appraisal->arena);
    size_t size = text != NULL ? strlen(text) : 0;
    if (size == nonce->size && memcmp(text, nonce->bytes, size) == 0) {
        return true;
    }
    return size == 2 * nonce->size && csv_hex_read(text, size, bytes) &&
           memcmp(bytes, nonce->bytes, nonce->size) == 0;
}

static void check_fresh(struct csv_case *appraisal, const struct csv_json_view *payload)
{
    struct csv_nonce nonce;
    uint32_t value = csv_json_member(payload, 0, "eat_nonce");
    bool list = csv_json_is(payload, value, CSN_JSON_ARRAY);
    if (!csv_nonce_wanted(appraisal, &nonce)) {
        return;
    }
    bool found = false;
    uint32_t item = list ? csv_json_first(payload, value) : value;
    for (; item != CSV_JSON_NONE && !found;
         item = list ? csv_json_next(payload, item) : CSV_JSON_NONE) {
        found = is_nonce(appraisal, payload, item, &nonce);
    }
    const struct csv_claim *claim = csv_claim_find(appraisal, "eat_nonce");
    csv_note_nonce(appraisal, &nonce, found,
                   claim != NULL ? csv_claim_value(appraisal->arena, claim) : "none");
}

static void appraise(struct csv_case *appraisal, struct csv_bytes evidence)
{
    struct csv_jwt jwt;
    struct csv_json_view payload;
    const char *why = NULL;
    bool read = csv_jwt_read(evidence, appraisal->arena, &jwt, &why) &&
                csv_json_open(&payload, jwt.payload, appraisal->arena, &why);
    if (read && !csv_json_is(&payload, 0, CSN_JSON_OBJECT)) {
        read = false;
        why = "the payload is not an object";
    }
    if (!csv_note_if(appraisal, "gcs.framing", read, "a compact JWT", read ? "well formed" : why)) {
        return;
    }
    check_header(appraisal, &jwt);
    csv_gcs_claims(appraisal, &payload);
    bool ours = csv_json_says(&payload, csv_json_member(&payload, 0, "iss"), issuer);
    csv_note_if(appraisal, "gcs.issuer", ours, issuer, ours ? "the same" : "another");
    check_times(appraisal, &payload);
    check_fresh(appraisal, &payload);
}

static const char *const launch_claims[] = {"image_digest", NULL};

const struct csv_format csv_format_gcs_jwt = {
    .id = CSV_FORMAT_GCS_JWT,
    .name = "gcs-jwt",
    .recognise = csv_jwt_recognise,
    .appraise = appraise,
    .rules = csv_gcs_rules,
    .rule_count = CSV_GCS_RULE_COUNT,
    .catalogue = {csv_gcs_entries, CSV_GCS_ENTRY_COUNT},
    .launch_claims = launch_claims,
};
