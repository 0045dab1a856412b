/* SPDX-License-Identifier: Apache-2.0 */
/* signature.c: see signature.h. */
#include "verify/tpm/signature.h"
#include "verify/parse/read.h"
#include "verify/x509/cert.h"
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#define SCHEME_RSASSA 0x0014
#define SCHEME_RSAPSS 0x0016
#define SCHEME_ECDSA  0x0018

/* A signature taken apart; ECDSA as the DER that libcrypto wants. */
struct parts {
    uint64_t scheme;
    const struct csv_tpm_hash *hash;
    struct csv_bytes signature;
    unsigned char *der; /* from libcrypto; owned */
};

static bool read_ecdsa(struct csv_reader *reader, struct parts *parts)
{
    BIGNUM *number[2] = {NULL, NULL};
    for (size_t i = 0; i < 2; i++) {
        size_t size = (size_t)csv_read_be(reader, 2);
        struct csv_bytes run = csv_read_run(reader, size);
        number[i] = !reader->failed && size <= 66 ? BN_bin2bn(run.at, (int)size, NULL) : NULL;
    }
    ECDSA_SIG *pair = ECDSA_SIG_new();
    bool good = pair != NULL && number[0] != NULL && number[1] != NULL &&
                ECDSA_SIG_set0(pair, number[0], number[1]) == 1;
    if (!good) {
        BN_free(number[0]);
        BN_free(number[1]);
    }
    int size = good ? i2d_ECDSA_SIG(pair, &parts->der) : -1;
    ECDSA_SIG_free(pair);
    parts->signature = (struct csv_bytes){parts->der, size > 0 ? (size_t)size : 0};
    return size > 0;
}

static const char *take_apart(struct csv_bytes bytes, struct parts *parts)
{
    struct csv_reader reader = csv_read(bytes);
    parts->scheme = csv_read_be(&reader, 2);
    parts->hash = csv_tpm_hash(csv_read_be(&reader, 2));
    if (reader.failed || parts->hash == NULL || parts->hash->make == NULL) {
        return "a hash other than SHA-256, SHA-384 and SHA-512";
    }
    if (parts->scheme == SCHEME_ECDSA) {
        if (!read_ecdsa(&reader, parts)) {
            return "lengths that do not fit";
        }
    } else if (parts->scheme == SCHEME_RSASSA || parts->scheme == SCHEME_RSAPSS) {
        parts->signature = csv_read_run(&reader, (size_t)csv_read_be(&reader, 2));
    } else {
        return "a scheme other than RSASSA, RSAPSS and ECDSA";
    }
    return reader.failed || reader.left != 0 ? "lengths that do not fit" : NULL;
}

static const char *open_parts(struct csv_bytes signature, const EVP_PKEY *key,
                              const struct csv_tpm_quote *quote, struct parts *parts)
{
    bool rsa = EVP_PKEY_is_a(key, "RSA") == 1;
    if (rsa && signature.size == (size_t)EVP_PKEY_get_size(key)) {
        parts->scheme = SCHEME_RSASSA;
        parts->signature = signature;
        parts->hash = csv_tpm_quote_hash(quote);
        return parts->hash != NULL ? NULL : "a PCR digest of no known hash";
    }
    const char *fault = take_apart(signature, parts);
    if (fault != NULL) {
        return fault;
    }
    return rsa != (parts->scheme != SCHEME_ECDSA)     ? "a scheme of another kind of key"
           : parts->hash != csv_tpm_quote_hash(quote) ? "another hash than the PCR digest's"
                                                      : NULL;
}

bool csv_tpm_signature_check(struct csv_bytes signature, EVP_PKEY *key,
                             const struct csv_tpm_quote *quote, const char **why)
{
    struct parts parts = {0};
    *why = open_parts(signature, key, quote, &parts);
    if (*why == NULL) {
        /* A TPM takes as much salt as fits, or as its hash has bytes. */
        struct csv_algorithm algorithm = {
            .digest = parts.hash->name,
            .rsa = parts.scheme != SCHEME_ECDSA,
            .pss_salt = parts.scheme == SCHEME_RSAPSS ? RSA_PSS_SALTLEN_AUTO : 0,
        };
        bool good = csv_signature_check(key, &algorithm, quote->whole, parts.signature);
        *why = good ? NULL : "not this key's signature of this quote";
    }
    OPENSSL_free(parts.der);
    return *why == NULL;
}
