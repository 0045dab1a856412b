/* SPDX-License-Identifier: Apache-2.0 */
/* made.h: keys and certificates of our own, in the place of a vendor's. */
#ifndef TESTS_VERIFY_VTPM_MADE_H
#define TESTS_VERIFY_VTPM_MADE_H

#include "../table.h"
#include <openssl/x509.h>

#define MADE_TIME 1760000000 /* in October 2025, when what is made here holds */

/* "RSA-1024", "RSA-2048", "RSA-3" (an exponent of 3), or a curve's name. Made once for a kind and
 * number, given back by made_forget(). */
EVP_PKEY *made_key(const char *kind, unsigned number);
void made_forget(void);

struct made_cert {
    const char *subject;
    const char *issuer;
    EVP_PKEY *key;
    EVP_PKEY *signer;
    const char *constraints; /* "critical,CA:TRUE"; NULL: none */
    const char *usage;       /* "digitalSignature"; NULL: none */
    int64_t until;           /* 0: a day after MADE_TIME */
    const uint8_t *gce;      /* value of GCE's extension; NULL: none */
    size_t gce_size;
};
/* In DER; the test's own memory, of that many bytes. */
struct made_der {
    uint8_t bytes[2048];
    size_t size;
};
struct made_der made_certificate(const struct made_cert *text);
/* A revocation list that names serial (0: none). */
struct made_der made_crl(const char *issuer, EVP_PKEY *signer, long serial);
/* All certificates have this serial number. */
#define MADE_SERIAL 77
void made_spki_sha256(EVP_PKEY *key, uint8_t digest[32]);
/* As text in hex, terminated. */
void made_hex(const uint8_t *bytes, size_t size, char *text);
/* Raw signature of message; returns its size. */
size_t made_signature(EVP_PKEY *key, const EVP_MD *digest, bool pss, const void *message,
                      size_t size, uint8_t signature[600]);

#endif
