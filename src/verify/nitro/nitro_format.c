/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nitro_format.c: AWS Nitro Enclaves attestation documents.
 *
 * Order: COSE framing, algorithm, payload, root of cabundle, path at T, signature by the leaf, time
 * of the document, registers, nonce. Later steps are shown even where an earlier one failed; they
 * cannot make the verdict better.
 */
#include "verify/digest.h"
#include "verify/nitro/nitro_document.h"
#include "verify/nitro/nitro_rules.h"
#include "verify/parse/cose.h"
#include "verify/parse/der.h"
#include "verify/x509/x509.h"

/* Longer fields are shown by their digest. */
#define SHOWN_SIZE_MAX 128

static bool recognise(struct csv_bytes evidence)
{
    static const uint8_t head[] = {0x84, 0x44, 0xa1, 0x01, 0x38, 0x22};
    size_t tag = evidence.size != 0 && evidence.at[0] == 0xd2;
    return evidence.size >= tag + sizeof head && memcmp(evidence.at + tag, head, sizeof head) == 0;
}

/* "2022-10-13T08:58:02+00:00", with the fraction where there is one. */
static const char *iso_time(struct csv_arena *arena, int64_t seconds, unsigned milliseconds)
{
    const char *text = csv_time_text(arena, seconds);
    size_t size = strlen(text);
    if (size == 0 || text[size - 1] != 'Z') {
        return text;
    }
    return milliseconds != 0
               ? csv_text(arena, "%.*s.%03u000+00:00", (int)(size - 1), text, milliseconds)
               : csv_text(arena, "%.*s+00:00", (int)(size - 1), text);
}

/* As JSON shows it, and as the fact that rules compare. */
static void claim_field(struct csv_case *appraisal, const char *name, const char *fact,
                        struct csv_bytes bytes)
{
    uint8_t digest[32];
    if (bytes.at == NULL) {
        csv_claim_text(appraisal, name, "null");
        return;
    }
    if (bytes.size <= SHOWN_SIZE_MAX) {
        csv_claim_bytes(appraisal, name, bytes.at, bytes.size);
    } else if (csv_sha256(bytes.at, bytes.size, digest)) {
        csv_claim_text(appraisal, name,
                       csv_text(appraisal->arena, "len%zu:sha256:%s", bytes.size,
                                csv_text_hex(appraisal->arena, digest, sizeof digest)));
    }
    csv_claim_bytes(appraisal, fact, bytes.at, bytes.size);
    csv_claim_hide(appraisal);
}

/* PCR0 to 2: all zero is how the NSM says debug; one zero register is no code either. */
static void claim_debug(struct csv_case *appraisal, const struct csv_nitro *document)
{
    size_t zeros = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct csv_bytes *pcr = &document->pcrs[i];
        zeros += pcr->at != NULL && csv_is_zero(pcr->at, pcr->size);
    }
    csv_claim_number(appraisal, "debug", zeros == 3);
    csv_claim_number(appraisal, "debug_any", zeros != 0);
    csv_claim_hide(appraisal);
}

static void take_claims(struct csv_case *appraisal, const struct csv_cose *cose,
                        const struct csv_nitro *document)
{
    csv_claim_text(appraisal, "module_id", document->module_id);
    csv_claim_text(appraisal, "digest", document->digest);
    csv_claim_number(appraisal, "timestamp_ms", document->timestamp);
    csv_claim_text(appraisal, "timestamp",
                   iso_time(appraisal->arena, (int64_t)(document->timestamp / 1000),
                            (unsigned)(document->timestamp % 1000)));
    claim_debug(appraisal, document);
    csv_claim_text(appraisal, "cose_tag", cose->tagged ? "18" : "None");
    csv_claim_number(appraisal, "chain_len", document->bundle_count + 1);
    for (size_t i = 0; i < CSV_NITRO_PCR_COUNT; i++) {
        if (document->pcrs[i].at != NULL) {
            csv_claim_bytes(appraisal, csv_nitro_pcr_names[i], document->pcrs[i].at,
                            document->pcrs[i].size);
        }
    }
    csv_claim_number(appraisal, "npcrs", document->pcr_count);
    claim_field(appraisal, "public_key", "public_key_bytes", document->public_key);
    claim_field(appraisal, "user_data", "user_data_bytes", document->user_data);
    claim_field(appraisal, "nonce", "nonce_bytes", document->nonce);
    csv_claim_text(appraisal, "keys", document->keys);
}

/* One DER certificate, and nothing behind it. */
static bool read_certificate(struct csv_certs *certs, struct csv_bytes bytes)
{
    struct csv_bytes inside;
    uint8_t tag;
    struct csv_reader reader = csv_read(bytes);
    return csv_der_next(&reader, &tag, &inside) && tag == CSV_DER_SEQUENCE && reader.left == 0 &&
           csv_certs_read(certs, bytes);
}

/* The leaf first, then cabundle as it stands. */
static bool read_certificates(const struct csv_nitro *document, struct csv_certs *certs)
{
    bool good = read_certificate(certs, document->certificate);
    for (size_t i = 0; good && i < document->bundle_count; i++) {
        good = read_certificate(certs, document->bundle[i]);
    }
    return good;
}

/* When all of these certificates hold. */
static void claim_window(struct csv_case *appraisal, const struct csv_certs *certs)
{
    int64_t begin = INT64_MIN;
    int64_t end = INT64_MAX;
    for (size_t i = 0; i < certs->count; i++) {
        const struct csv_cert *cert = certs->at[i];
        begin = cert->not_before > begin ? cert->not_before : begin;
        end = cert->not_after < end ? cert->not_after : end;
    }
    csv_claim_text(appraisal, "chain_window",
                   csv_text(appraisal->arena, "%s..%s", iso_time(appraisal->arena, begin, 0),
                            iso_time(appraisal->arena, end, 0)));
}

static const char *key_digest(struct csv_arena *arena, const struct csv_cert *cert)
{
    uint8_t digest[32] = {0};
    return csv_spki_sha256(cert, digest) ? csv_text_hex(arena, digest, sizeof digest) : "";
}

static void check_chain(struct csv_case *appraisal, const struct csv_certs *certs)
{
    static const struct csv_chain_options options = {
        .finding = "nitro.chain", .roots = &csv_roots_nitro, .depth_max = CSV_CHAIN_DEPTH_MAX};
    struct csv_chain chain;
    const struct csv_root *root;
    bool pinned = csv_root_is_pinned(appraisal, certs->at[1], options.roots, &root);
    csv_note_if(appraisal, "nitro.root", pinned, "the pinned root",
                pinned && root != NULL ? root->name : key_digest(appraisal->arena, certs->at[1]));
    csv_chain_check(appraisal, certs->at[0], certs, &options, &chain);
}

static void check_signature(struct csv_case *appraisal, const struct csv_cose *cose,
                            struct csv_cert *leaf)
{
    const char *why;
    bool good = csv_cose_check(cose, csv_cert_key(leaf), &why);
    csv_note_if(appraisal, "nitro.signature", good, "a signature by the leaf certificate's key",
                good ? "valid" : why);
}

/* The document's own time, and how far T is from it. */
static void check_time(struct csv_case *appraisal, const struct csv_nitro *document,
                       const struct csv_cert *leaf)
{
    int64_t made = (int64_t)(document->timestamp / 1000);
    bool inside = leaf->not_before <= made && made <= leaf->not_after;
    csv_note_if(appraisal, "nitro.timestamp", inside, "within the validity of the certificate",
                csv_time_text(appraisal->arena, made));
    if (appraisal->input->time_given) {
        uint64_t now = (uint64_t)appraisal->input->time;
        bool later = appraisal->input->time >= made;
        csv_claim_number(appraisal, "age", later ? now - (uint64_t)made : (uint64_t)made - now);
        csv_claim_hide(appraisal);
    }
}

/* A policy's line counts for nothing where the register is missing: these three must be there. */
static void check_registers(struct csv_case *appraisal, const struct csv_nitro *document)
{
    for (size_t i = 0; i < 3; i++) {
        if (document->pcrs[i].at == NULL) {
            csv_note(appraisal, "nitro.pcr", CSV_FAILED, "PCR0, PCR1 and PCR2",
                     csv_text(appraisal->arena, "no PCR%zu", i));
        }
    }
}

static void check_certified(struct csv_case *appraisal, const struct csv_cose *cose,
                            const struct csv_nitro *document)
{
    struct csv_certs certs = {.appraisal = appraisal};
    bool read = read_certificates(document, &certs);
    csv_note_if(appraisal, "nitro.document", read, "all fields, and DER certificates",
                read ? "all there" : "a certificate that is not one");
    if (read) {
        claim_window(appraisal, &certs);
        check_chain(appraisal, &certs);
        check_signature(appraisal, cose, certs.at[0]);
        check_time(appraisal, document, certs.at[0]);
    }
}

static void appraise(struct csv_case *appraisal, struct csv_bytes evidence)
{
    struct csv_cose cose;
    struct csv_nitro document;
    const char *why = NULL;
    bool framed = csv_cose_open(evidence, &cose, &why);
    if (framed && cose.unprotected.number != 0) {
        framed = false;
        why = "an unprotected header";
    }
    if (!csv_note_if(appraisal, "nitro.framing", framed, "a COSE_Sign1, well formed",
                     framed ? "well formed" : why)) {
        return;
    }
    csv_note_if(appraisal, "nitro.algorithm", cose.algorithm == CSV_COSE_ES384, "ES384",
                csv_cose_algorithm_name(cose.algorithm));
    if (!csv_nitro_read(cose.payload, appraisal->arena, &document, &why)) {
        csv_note(appraisal, "nitro.document", CSV_FAILED, "all fields of a document", why);
        return;
    }
    take_claims(appraisal, &cose, &document);
    check_certified(appraisal, &cose, &document);
    check_registers(appraisal, &document);
    csv_check_nonce(appraisal, document.nonce.at, document.nonce.size);
}

static const char *const launch_claims[] = {"pcr0", "pcr1", "pcr2", NULL};

const struct csv_format csv_format_nitro = {
    .id = CSV_FORMAT_NITRO,
    .name = "nitro",
    .recognise = recognise,
    .appraise = appraise,
    .rules = csv_nitro_rules,
    .rule_count = CSV_NITRO_RULE_COUNT,
    .catalogue = {csv_nitro_entries, CSV_NITRO_ENTRY_COUNT},
    .launch_claims = launch_claims,
};
