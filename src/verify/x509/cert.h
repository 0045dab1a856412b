/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert.h: one certificate (RFC 5280), read in place: pointers into the caller's bytes.
 *
 * Strict: DER throughout, version 3 (or 1 without extensions), the two signature algorithms equal,
 * each extension once. Names are compared byte for byte, as the vendors' chains have them. The key
 * is made when it is first needed. libcrypto's own reader would work as well, at five to thirty
 * times the cost of a key: an appraisal reads up to ten certificates.
 */
#ifndef CSV_VERIFY_CERT_H
#define CSV_VERIFY_CERT_H

#include "verify/case.h"

/* Signature algorithms: what is signed with what. */
struct csv_algorithm {
    const char *digest; /* libcrypto's name; NULL: unknown */
    bool rsa;
    int pss_salt; /* bytes; 0: PKCS #1 v1.5 */
};

/* An algorithm identifier's content: OID and parameters. False: not one that vendors use. */
bool csv_algorithm_read(struct csv_bytes identifier, struct csv_algorithm *algorithm);
/* Did key sign message? A key of the wrong kind did not. */
bool csv_signature_check(EVP_PKEY *key, const struct csv_algorithm *algorithm,
                         struct csv_bytes message, struct csv_bytes signature);

struct csv_cert {
    struct csv_bytes signed_part; /* tbsCertificate, with its tag */
    struct csv_bytes serial;      /* content of the INTEGER */
    struct csv_bytes issuer;      /* Names, with their tag */
    struct csv_bytes subject;
    struct csv_bytes spki; /* SubjectPublicKeyInfo, with its tag */
    struct csv_bytes extensions;
    struct csv_bytes signature;
    struct csv_algorithm algorithm;
    int64_t not_before; /* seconds since 1970 */
    int64_t not_after;
    /* of the extensions */
    bool has_basic;
    bool is_ca;
    uint64_t path_length; /* UINT64_MAX: not limited */
    bool has_usage;
    uint16_t usage;            /* bit n of KeyUsage at 1 << n */
    bool unknown_critical;     /* an extension that must be understood, and is not */
    struct csv_curves *curves; /* the appraisal's; NULL outside one */
    EVP_PKEY *key;             /* NULL: not made yet */
    uint8_t self_signed;       /* 0: not checked yet, 1: yes, 2: no */
};

#define CSV_USAGE_CERT_SIGN (1u << 5)
#define CSV_USAGE_CRL_SIGN  (1u << 6)

/* The certificate at the start of bytes; *size: how many it takes. */
bool csv_cert_read(struct csv_cert *cert, struct csv_bytes bytes, size_t *size);
/* Its key, the certificate's; NULL: of a kind or on a curve that vendors do not use, or not a
 * point. */
EVP_PKEY *csv_cert_key(struct csv_cert *cert);
/* A key from a SubjectPublicKeyInfo; the caller's. curves: NULL if there are none. */
EVP_PKEY *csv_key_read(struct csv_bytes spki, struct csv_curves *curves);

bool csv_spki_sha256(const struct csv_cert *cert, uint8_t digest[32]);
/* The value of the extension with this OID in dotted form; false: absent. */
bool csv_extension(const struct csv_cert *cert, const char *oid, struct csv_bytes *value);
/* The common name in a Name, from the arena; "" if there is none. */
const char *csv_name_common(struct csv_bytes name, struct csv_arena *arena);
const char *csv_common_name(const struct csv_cert *cert, struct csv_arena *arena); /* subject's */
/* Is content the OID in dotted form? */
bool csv_oid_is(struct csv_bytes content, const char *dotted);
bool csv_bytes_same(struct csv_bytes a, struct csv_bytes b);
/* "2025-06-19T10:56:11Z" for seconds since 1970. */
const char *csv_time_text(struct csv_arena *arena, int64_t unix_seconds);

#endif
