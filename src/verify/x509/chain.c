/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c: the path from a leaf to a pinned root. See x509.h. */
#include "verify/x509/x509.h"

static bool fail(struct csv_case *appraisal, const struct csv_chain_options *options,
                 const char *expected, const struct csv_cert *cert, const char *what)
{
    const char *name = csv_common_name(cert, appraisal->arena);
    return csv_note(appraisal, options->finding, CSV_FAILED, expected,
                    csv_text(appraisal->arena, "%s: %s", name, what));
}

static bool holds_at(const struct csv_cert *cert, int64_t time)
{
    return cert->not_before <= time && time <= cert->not_after;
}

/* May this certificate issue others, with depth certificates between it and the leaf? */
static bool is_issuer(const struct csv_cert *cert, size_t depth, bool lax)
{
    if (!cert->has_basic) {
        return lax;
    }
    bool signs = !cert->has_usage || (cert->usage & CSV_USAGE_CERT_SIGN) != 0;
    return cert->is_ca && signs && cert->path_length >= depth;
}

static bool is_signed_by(const struct csv_cert *cert, struct csv_cert *issuer)
{
    return csv_signature_check(csv_cert_key(issuer), &cert->algorithm, cert->signed_part,
                               cert->signature);
}

/* Asked of a root once in each chain that ends there. */
static bool is_self_signed(struct csv_cert *cert)
{
    if (cert->self_signed == 0) {
        cert->self_signed = is_signed_by(cert, cert) ? 1 : 2;
    }
    return cert->self_signed == 1;
}

/* The certificate in the pool that signed cert; NULL if none did. */
static struct csv_cert *find_issuer(struct csv_cert *cert, const struct csv_certs *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        struct csv_cert *issuer = pool->at[i];
        if (csv_bytes_same(cert->issuer, issuer->subject) && is_signed_by(cert, issuer)) {
            return issuer;
        }
    }
    return NULL;
}

/* Is there one of the issuer's name, though it did not sign? */
static bool issuer_is_named(const struct csv_cert *cert, const struct csv_certs *pool)
{
    bool found = false;
    for (size_t i = 0; i < pool->count; i++) {
        found = found || csv_bytes_same(cert->issuer, pool->at[i]->subject);
    }
    return found;
}

static bool check_cert(struct csv_case *appraisal, const struct csv_chain_options *options,
                       struct csv_cert *cert, size_t depth)
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
    if (cert->unknown_critical) {
        return fail(appraisal, options, "no unknown critical extension", cert,
                    "an unknown critical extension");
    }
    return true;
}

/* The path ends here: a forgery if the issuer's name is there without its key, else unfinished. */
static bool no_issuer(struct csv_case *appraisal, const struct csv_chain_options *options,
                      struct csv_cert *cert, const struct csv_certs *pool)
{
    bool self = csv_bytes_same(cert->issuer, cert->subject);
    bool named = issuer_is_named(cert, pool);
    const char *what = self    ? "a root that is not pinned"
                       : named ? "not signed by the issuer it names"
                               : "its issuer's certificate was not supplied";
    return csv_note(
        appraisal, options->finding, self || named ? CSV_FAILED : CSV_MISSING,
        "a chain to a pinned root",
        csv_text(appraisal->arena, "%s: %s", csv_common_name(cert, appraisal->arena), what));
}

bool csv_chain_check(struct csv_case *appraisal, struct csv_cert *leaf,
                     const struct csv_certs *pool, const struct csv_chain_options *options,
                     struct csv_chain *chain)
{
    struct csv_cert *cert = leaf;
    *chain = (struct csv_chain){0};
    if (!csv_check_time(appraisal)) {
        return false;
    }
    for (size_t depth = 0; depth < options->depth_max && depth < CSV_CHAIN_DEPTH_MAX; depth++) {
        if (!check_cert(appraisal, options, cert, depth)) {
            return false;
        }
        chain->at[chain->count++] = cert;
        if (csv_root_is_pinned(appraisal, cert, options->roots, &chain->root) &&
            is_self_signed(cert)) {
            return csv_note(appraisal, options->finding, CSV_PASSED, "a chain to a pinned root",
                            chain->root != NULL ? chain->root->name : "a test root: INSECURE");
        }
        struct csv_cert *issuer = find_issuer(cert, pool);
        if (issuer == NULL || issuer == cert) {
            return no_issuer(appraisal, options, cert, pool);
        }
        cert = issuer;
    }
    return fail(appraisal, options, "a chain to a pinned root", cert, "the chain is too long");
}
