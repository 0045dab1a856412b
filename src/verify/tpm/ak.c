/* SPDX-License-Identifier: Apache-2.0 */
/* ak.c: see ak.h. */
#include "verify/tpm/ak.h"
#include "verify/parse/der.h"
#include "verify/x509/pem.h"
#include "verify/x509/signing_key.h"
#include "verify/x509/x509.h"
#include <openssl/x509.h>

#define USAGE_DIGITAL_SIGNATURE (1u << 0)

/* One PEM block "PUBLIC KEY" and nothing else; NULL: something else. */
static EVP_PKEY *read_public_key(struct csv_case *appraisal, struct csv_bytes bytes)
{
    struct csv_bytes content;
    csv_pem_skip(&bytes);
    if (!csv_pem_next(&bytes, "PUBLIC KEY", appraisal->arena, &content) || bytes.size != 0) {
        return NULL;
    }
    const unsigned char *at = content.at;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)content.size);
    if (key != NULL && at != content.at + content.size) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

/* The certificate's own, to be freed all the same; NULL: of a kind that nobody here uses. */
static EVP_PKEY *key_of(struct csv_cert *cert)
{
    EVP_PKEY *key = csv_cert_key(cert);
    return key != NULL && EVP_PKEY_up_ref(key) == 1 ? key : NULL;
}

EVP_PKEY *csv_tpm_ak_read(struct csv_case *appraisal, struct csv_bytes bytes)
{
    struct csv_certs certs = {.appraisal = appraisal};
    EVP_PKEY *key = read_public_key(appraisal, bytes);
    return key != NULL ? key : csv_certs_read(&certs, bytes) ? key_of(certs.at[0]) : NULL;
}

/* Where a GCE virtual machine's key lives: SEQUENCE of zone, project number, project id, instance
 * id, instance name, and what follows. */
static void claim_gce(struct csv_case *appraisal, const struct csv_cert *cert)
{
    static const char *const names[] = {"gce_zone", "gce_project_number", "gce_project_id",
                                        "gce_instance_id", "gce_instance_name"};
    struct csv_bytes value;
    struct csv_bytes fields;
    if (!csv_extension(cert, "1.3.6.1.4.1.11129.2.1.21", &value)) {
        return;
    }
    struct csv_reader outer = csv_read(value);
    if (!csv_der_take(&outer, CSV_DER_SEQUENCE, &fields)) {
        return;
    }
    struct csv_reader reader = csv_read(fields);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint8_t tag = 0;
        uint64_t number = 0;
        if (!csv_der_next(&reader, &tag, &value)) {
            return;
        }
        if (tag == CSV_DER_INTEGER && csv_der_number(value, &number)) {
            csv_claim_text(appraisal, names[i],
                           csv_text(appraisal->arena, "%llu", (unsigned long long)number));
        } else {
            csv_claim_text(appraisal, names[i],
                           csv_text_foreign(appraisal->arena, value.at, value.size));
        }
    }
}

/* A list of a chain's issuer, if one was supplied, must hold and must not name what it issued. */
static bool check_crls(struct csv_case *appraisal, const struct csv_chain *chain)
{
    const struct csv_part *part;
    bool good = true;
    for (size_t i = 0; good && (part = csv_part(appraisal->input, CSV_PART_CRL, i)) != NULL; i++) {
        struct csv_crl crl;
        good = csv_crl_read(&crl, part->bytes, appraisal->arena) ||
               csv_note(appraisal, "tpm.ak-revoked", CSV_FAILED, "a revocation list", "not one");
        for (size_t j = 1; good && j < chain->count; j++) {
            good = !csv_crl_is_from(&crl, chain->at[j]) ||
                   csv_crl_check(appraisal, &crl, chain->at[j - 1], chain->at[j], "tpm.ak-revoked");
        }
    }
    return good;
}

static bool may_sign(struct csv_case *appraisal, const struct csv_cert *cert)
{
    bool signs = !cert->has_usage || (cert->usage & USAGE_DIGITAL_SIGNATURE) != 0;
    return signs || csv_note(appraisal, "tpm.ak", CSV_FAILED, "a certificate of a key that signs",
                             "a key for something else");
}

/* certs: the leaf first; what follows it helps to build the path, as the pool does. */
static EVP_PKEY *certified(struct csv_case *appraisal, const struct csv_certs *certs,
                           struct csv_certs *pool)
{
    static const struct csv_chain_options options = {
        .finding = "tpm.ak",
        .roots = &csv_roots_vtpm,
        .depth_max = 4,
    };
    struct csv_chain chain;
    struct csv_cert *leaf = certs->at[0];
    for (size_t i = 1; i < certs->count && pool->count < CSV_CERT_COUNT_MAX; i++) {
        pool->at[pool->count++] = certs->at[i];
    }
    csv_claim_text(appraisal, "ak_subject", csv_common_name(leaf, appraisal->arena));
    claim_gce(appraisal, leaf);
    if (!csv_chain_check(appraisal, leaf, pool, &options, &chain) ||
        !check_crls(appraisal, &chain) || !may_sign(appraisal, leaf)) {
        return NULL;
    }
    csv_claim_text(appraisal, "ak_root", chain.root != NULL ? chain.root->name : "test");
    EVP_PKEY *key = key_of(leaf);
    if (key == NULL) {
        csv_note(appraisal, "tpm.ak-kind", CSV_FAILED, "a key that may attest",
                 "a key of another kind");
    }
    return key;
}

static EVP_PKEY *from_certificate(struct csv_case *appraisal, struct csv_bytes bytes)
{
    struct csv_certs certs = {.appraisal = appraisal};
    struct csv_certs pool = {.appraisal = appraisal};
    if (!csv_certs_read(&certs, bytes)) {
        csv_note(appraisal, "tpm.ak", CSV_FAILED, "a PEM public key or a certificate", "neither");
        return NULL;
    }
    if (!csv_certs_read_parts(&pool, appraisal->input, CSV_PART_CHAIN)) {
        csv_note(appraisal, "tpm.ak", CSV_FAILED, "certificates", "not certificates");
        return NULL;
    }
    return certified(appraisal, &certs, &pool);
}

static EVP_PKEY *bare(struct csv_case *appraisal, EVP_PKEY *key)
{
    uint8_t digest[32];
    csv_note(appraisal, "tpm.ak", CSV_PASSED, "a public key or a certificate",
             "a public key: trusted only as far as the policy lists it");
    if (csv_key_sha256(key, digest)) {
        csv_claim_bytes(appraisal, "ak_bare", digest, sizeof digest);
        csv_claim_hide(appraisal);
    }
    return key;
}

EVP_PKEY *csv_tpm_ak(struct csv_case *appraisal)
{
    const struct csv_part *part =
        csv_need_part(appraisal, CSV_PART_AK, "tpm.ak", "a public key or a certificate");
    if (part == NULL) {
        return NULL;
    }
    EVP_PKEY *key = read_public_key(appraisal, part->bytes);
    key = key != NULL ? bare(appraisal, key) : from_certificate(appraisal, part->bytes);
    const char *fault = key != NULL ? csv_key_fault(key) : NULL;
    uint8_t digest[32];
    if (key != NULL && csv_key_sha256(key, digest)) {
        csv_claim_bytes(appraisal, "ak_sha256", digest, sizeof digest);
    }
    if (fault != NULL) {
        csv_note(appraisal, "tpm.ak-kind", CSV_FAILED, "a key that may attest", fault);
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}
