/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cose_rig.h: CBOR, COSE_Sign1, keys and certificates of a test's own making, by code that shares
 * nothing with the verifier.
 */
#ifndef TESTS_VERIFY_COSE_RIG_H
#define TESTS_VERIFY_COSE_RIG_H

#include <caisson/verify.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing document; too small is a failed test. */
struct made {
    uint8_t bytes[16384];
    size_t size;
};

void made_head(struct made *made, unsigned major, uint64_t number);
void made_int(struct made *made, int64_t number);
void made_text(struct made *made, const char *text);
void made_bytes(struct made *made, const void *bytes, size_t size);
void made_raw(struct made *made, const void *bytes, size_t size);

#define MADE_ARRAY 4
#define MADE_MAP   5
#define MADE_TAG   6

/* A message as COSE writes it, and what may be wrong with it. */
struct sign1 {
    int64_t algorithm;
    EVP_PKEY *key;
    bool tagged;
    size_t padding;            /* zero bytes after the signature, in its string */
    bool der;                  /* the signature as DER, not r || s */
    const char *unprotected;   /* NULL: an empty map; else one text of this label 99 */
    const struct made *header; /* NULL: {1: algorithm} */
};
void made_sign1(struct made *made, const struct sign1 *how, const void *payload, size_t size);

EVP_PKEY *made_key(const char *curve); /* "P-256", "P-384", "P-521" */

/* A certificate for key, by issuer_key; NULL issuer: self-signed. */
struct made_cert {
    const char *name;
    EVP_PKEY *key;
    X509 *issuer;
    EVP_PKEY *issuer_key;
    int64_t begin; /* seconds since 1970 */
    int64_t end;
    const char *constraints; /* basicConstraints; NULL: none */
    const char *usage;       /* keyUsage; NULL: none */
};
X509 *made_certificate(const struct made_cert *how);
void made_add_certificate(struct made *made, X509 *cert);
void made_root(struct csv_input *input, X509 *cert); /* trust it as a test root */
size_t made_public_pem(EVP_PKEY *key, char *text, size_t capacity);

#endif
