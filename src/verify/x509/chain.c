/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c: the path from a leaf to a pinned root. See x509.h. */
#include "verify/x509/x509.h"
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

bool csv_root_is_pinned(const struct csv_case *appraisal, const uint8_t digest[32],
                        const struct csv_root *roots, size_t root_count,
                        const struct csv_root **root)
{
    *root = NULL;
    for (size_t i = 0; i < root_count; i++) {
        if (memcmp(roots[i].spki_sha256, digest, 32) == 0) {
            *root = &roots[i];
            return true;
        }
    }
    for (size_t i = 0; i < appraisal->input->test_root_count; i++) {
        if (memcmp(appraisal->input->test_roots[i], digest, 32) == 0) {
            return true;
        }
    }
    return false;
}

static bool fail(struct csv_case *appraisal, const struct csv_chain_options *options,
                 const char *expected, const X509 *cert, const char *what)
{
    const char *name = csv_common_name(cert, appraisal->arena);
    return csv_note(appraisal, options->finding, CSV_FAILED, expected,
                    csv_text(appraisal->arena, "%s: %s", name, what));
}

static bool holds_at(const X509 *cert, int64_t time)
{
    int64_t begin;
    int64_t end;
    return csv_asn1_time(X509_get0_notBefore(cert), &begin) &&
           csv_asn1_time(X509_get0_notAfter(cert), &end) && begin <= time && time <= end;
}

/* May this certificate issue others, with depth certificates between it and the leaf? */
static bool is_issuer(X509 *cert, size_t depth, bool lax)
{
    uint32_t flags = X509_get_extension_flags(cert);
    if ((flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0) {
        return false;
    }
    if ((flags & EXFLAG_BCONS) == 0) {
        return lax;
    }
    long length = X509_get_pathlen(cert);
    bool signs = (flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(cert) & KU_KEY_CERT_SIGN) != 0;
    return (flags & EXFLAG_CA) != 0 && signs && (length < 0 || (size_t)length >= depth);
}

/* The certificate in the pool that signed cert; NULL if none did. */
static X509 *find_issuer(X509 *cert, const struct csv_certs *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        X509 *issuer = pool->at[i];
        if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) == 0 &&
            X509_verify(cert, X509_get0_pubkey(issuer)) == 1) {
            return issuer;
        }
    }
    return NULL;
}

/* Is there one of the issuer's name, though it did not sign? */
static bool issuer_is_named(const X509 *cert, const struct csv_certs *pool)
{
    bool found = false;
    for (size_t i = 0; i < pool->count; i++) {
        found = found ||
                X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(pool->at[i])) == 0;
    }
    return found;
}

/* Whether cert is a pinned root that signed itself. */
static bool is_root(const struct csv_case *appraisal, X509 *cert,
                    const struct csv_chain_options *options, const struct csv_root **root)
{
    uint8_t digest[32];
    return csv_spki_sha256(cert, digest) &&
           csv_root_is_pinned(appraisal, digest, options->roots, options->root_count, root) &&
           X509_verify(cert, X509_get0_pubkey(cert)) == 1;
}

static bool check_cert(struct csv_case *appraisal, const struct csv_chain_options *options,
                       X509 *cert, size_t depth)
{
    if (!holds_at(cert, appraisal->input->time)) {
        return fail(appraisal, options,
                    csv_text(appraisal->arena, "valid at %s",
                             csv_time_text(appraisal->arena, appraisal->input->time)),
                    cert, "not valid then");
    }
    if (depth != 0 && !is_issuer(cert, depth - 1, options->lax_issuers)) {
        return fail(appraisal, options, "an issuer is a CA that may sign certificates", cert,
                    "not such a CA");
    }
    if ((X509_get_extension_flags(cert) & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0) {
        return fail(appraisal, options, "no unknown critical extension", cert,
                    "a malformed or unknown critical extension");
    }
    return true;
}

/* The path ends here: a forgery if the issuer's name is there without its key, else unfinished. */
static bool no_issuer(struct csv_case *appraisal, const struct csv_chain_options *options,
                      X509 *cert, const struct csv_certs *pool)
{
    bool self = X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(cert)) == 0;
    bool named = issuer_is_named(cert, pool);
    const char *what = self    ? "a root that is not pinned"
                       : named ? "not signed by the issuer it names"
                               : "its issuer's certificate was not supplied";
    return csv_note(
        appraisal, options->finding, self || named ? CSV_FAILED : CSV_MISSING,
        "a chain to a pinned root",
        csv_text(appraisal->arena, "%s: %s", csv_common_name(cert, appraisal->arena), what));
}

bool csv_chain_check(struct csv_case *appraisal, X509 *leaf, const struct csv_certs *pool,
                     const struct csv_chain_options *options, struct csv_chain *chain)
{
    X509 *cert = leaf;
    *chain = (struct csv_chain){0};
    if (!csv_check_time(appraisal)) {
        return false;
    }
    for (size_t depth = 0; depth < options->depth_max && depth < CSV_CHAIN_DEPTH_MAX; depth++) {
        if (!check_cert(appraisal, options, cert, depth)) {
            return false;
        }
        chain->at[chain->count++] = cert;
        if (is_root(appraisal, cert, options, &chain->root)) {
            return csv_note(appraisal, options->finding, CSV_PASSED, "a chain to a pinned root",
                            chain->root != NULL ? chain->root->name : "a test root: INSECURE");
        }
        X509 *issuer = find_issuer(cert, pool);
        if (issuer == NULL || issuer == cert) {
            return no_issuer(appraisal, options, cert, pool);
        }
        cert = issuer;
    }
    return fail(appraisal, options, "a chain to a pinned root", cert, "the chain is too long");
}
