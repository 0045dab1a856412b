/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509.h: certificates, chains and revocation lists, on libcrypto's signature checks.
 *
 * The path is walked here, not by libcrypto's own verifier: there is one clock (the caller's), no
 * store, no purpose guessing, and each step leaves a finding. What is required: issuer name equals
 * subject name, the signature verifies, T lies in the validity, an issuer is a CA with keyCertSign
 * where it says so and, unless the profile says otherwise, must say so; no unknown critical
 * extension; the root is recognised by the SHA-256 of its SubjectPublicKeyInfo and by nothing else.
 */
#ifndef CSV_VERIFY_X509_H
#define CSV_VERIFY_X509_H

#include "verify/x509/cert.h"

#define CSV_CERT_COUNT_MAX  32
#define CSV_CHAIN_DEPTH_MAX 8

/* Start with {.appraisal = appraisal}. Certificates live as long as the appraisal; one that comes
 * twice is the same one, so that its key is made and its signature checked once. */
struct csv_certs {
    struct csv_case *appraisal;
    size_t count;
    struct csv_cert *at[CSV_CERT_COUNT_MAX];
};

/*
 * Adds the certificates in bytes: one DER certificate (zero bytes may follow it: some platforms
 * pad), or PEM blocks with nothing but white space and NULs around them, perhaps percent-encoded
 * and behind the name of the HTTP header that they came in. False: something else, or too many.
 */
bool csv_certs_read(struct csv_certs *certs, struct csv_bytes bytes);
/* All parts of a kind. */
bool csv_certs_read_parts(struct csv_certs *certs, const struct csv_input *input, uint32_t kind);
/* At the end of an appraisal: gives back the keys of all its certificates. */
void csv_certs_release(struct csv_verdict *verdict);

/* A vendor's root: its key, by the SHA-256 of its SubjectPublicKeyInfo (docs/VERIFY.md). */
struct csv_root {
    const char *name;
    uint8_t spki_sha256[32];
};

struct csv_root_list {
    const struct csv_root *at;
    size_t count;
};
extern const struct csv_root_list csv_roots_amd;   /* SEV-SNP: one ARK a product */
extern const struct csv_root_list csv_roots_intel; /* SGX and TDX */
extern const struct csv_root_list csv_roots_nitro;
extern const struct csv_root_list csv_roots_gcs;
extern const struct csv_root_list csv_roots_vtpm; /* attestation keys of clouds' virtual TPMs */

struct csv_chain_options {
    const char *finding; /* id under which each fault is noted, and the success once */
    const struct csv_root_list *roots;
    size_t depth_max; /* certificates, leaf and root counted */
    bool lax_issuers; /* issuers without basicConstraints pass (none of today's vendors) */
};

/* The path found, leaf first, root last; borrowed from the certificates given. */
struct csv_chain {
    size_t count;
    struct csv_cert *at[CSV_CHAIN_DEPTH_MAX];
    const struct csv_root *root; /* NULL: a test root */
};

/* From leaf through pool (untrusted, any order) to a pinned root. Notes options->finding. */
bool csv_chain_check(struct csv_case *appraisal, struct csv_cert *leaf,
                     const struct csv_certs *pool, const struct csv_chain_options *options,
                     struct csv_chain *chain);

/* The key of cert is a vendor's root among these, or a test root (*root is then NULL). */
bool csv_root_is_pinned(const struct csv_case *appraisal, const struct csv_cert *cert,
                        const struct csv_root_list *roots, const struct csv_root **root);

/*
 * Is serial of cert on the list? The list (DER or PEM) must be signed by issuer, name it, and hold
 * at T. Notes finding: FAILED for a bad list or a revoked certificate.
 */
struct csv_crl {
    struct csv_bytes signed_part;
    struct csv_bytes issuer; /* Name, with its tag */
    struct csv_bytes entries;
    struct csv_bytes signature;
    struct csv_algorithm algorithm;
    int64_t this_update; /* seconds since 1970 */
    int64_t next_update;
    bool has_next;
    bool unknown_critical;
};
bool csv_crl_read(struct csv_crl *crl, struct csv_bytes bytes, struct csv_arena *arena);
bool csv_crl_is_from(const struct csv_crl *crl, const struct csv_cert *issuer); /* by name */
size_t csv_crl_count(const struct csv_crl *crl);                                /* entries */
bool csv_crl_check(struct csv_case *appraisal, const struct csv_crl *crl,
                   const struct csv_cert *cert, struct csv_cert *issuer, const char *finding);

#endif
