/* SPDX-License-Identifier: Apache-2.0 */
/* cose_rig.c: see cose_rig.h. */
#include "cose_rig.h"
#include "extend.h"
#include "table.h"
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

void made_raw(struct made *made, const void *bytes, size_t size)
{
    assert_true(size <= sizeof made->bytes - made->size);
    memcpy(made->bytes + made->size, bytes, size);
    made->size += size;
}

void made_head(struct made *made, unsigned major, uint64_t number)
{
    unsigned extra = number < 24            ? 0
                     : number <= UINT8_MAX  ? 1
                     : number <= UINT16_MAX ? 2
                     : number <= UINT32_MAX ? 4
                                            : 8;
    unsigned code = extra == 0   ? (unsigned)number
                    : extra == 1 ? 24
                    : extra == 2 ? 25
                    : extra == 4 ? 26
                                 : 27;
    uint8_t head[9] = {(uint8_t)(major << 5 | code)};
    for (unsigned i = 0; i < extra; i++) {
        head[1 + i] = (uint8_t)(number >> (8 * (extra - 1 - i)));
    }
    made_raw(made, head, 1 + extra);
}

void made_int(struct made *made, int64_t number)
{
    if (number < 0) {
        made_head(made, 1, (uint64_t)(-1 - number));
    } else {
        made_head(made, 0, (uint64_t)number);
    }
}

void made_text(struct made *made, const char *text)
{
    made_head(made, 3, strlen(text));
    made_raw(made, text, strlen(text));
}

void made_bytes(struct made *made, const void *bytes, size_t size)
{
    made_head(made, 2, size);
    made_raw(made, bytes, size);
}

static const EVP_MD *hash_of(int64_t algorithm)
{
    return algorithm == -7 ? EVP_sha256() : algorithm == -36 ? EVP_sha512() : EVP_sha384();
}

/* r || s of the curve's size from DER. */
static void add_signature(struct made *made, const struct sign1 *how, const uint8_t *der,
                          size_t der_size)
{
    uint8_t raw[140] = {0};
    int size = (EVP_PKEY_get_bits(how->key) + 7) / 8;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)der_size);
    assert_non_null(pair);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, size), size);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + size, size), size);
    made_bytes(made, raw, 2 * (size_t)size + how->padding);
    ECDSA_SIG_free(pair);
}

void made_sign1(struct made *made, const struct sign1 *how, const void *payload, size_t size)
{
    struct made header = {.size = 0};
    struct made message = {.size = 0};
    uint8_t der[160];
    size_t der_size = sizeof der;
    if (how->header != NULL) {
        header = *how->header;
    } else {
        made_head(&header, MADE_MAP, 1);
        made_int(&header, 1);
        made_int(&header, how->algorithm);
    }
    made_head(&message, MADE_ARRAY, 4);
    made_text(&message, "Signature1");
    made_bytes(&message, header.bytes, header.size);
    made_bytes(&message, "", 0);
    made_bytes(&message, payload, size);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, hash_of(how->algorithm), NULL, how->key), 1);
    assert_int_equal(EVP_DigestSign(context, der, &der_size, message.bytes, message.size), 1);
    EVP_MD_CTX_free(context);
    if (how->tagged) {
        made_head(made, MADE_TAG, 18);
    }
    made_head(made, MADE_ARRAY, 4);
    made_bytes(made, header.bytes, header.size);
    made_head(made, MADE_MAP, how->unprotected != NULL);
    if (how->unprotected != NULL) {
        made_int(made, 99);
        made_text(made, how->unprotected);
    }
    made_bytes(made, payload, size);
    if (how->der) {
        made_bytes(made, der, der_size);
    } else {
        add_signature(made, how, der, der_size);
    }
}

EVP_PKEY *made_key(const char *curve)
{
    EVP_PKEY *key = EVP_EC_gen(curve);
    assert_non_null(key);
    return key;
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    if (value != NULL) {
        extend_words(cert, nid, value);
    }
}

X509 *made_certificate(const struct made_cert *how)
{
    static long serial = 1;
    X509 *cert = X509_new();
    assert_non_null(cert);
    X509_NAME *name = X509_get_subject_name(cert);
    assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)how->name, -1, -1, 0),
                     1);
    X509 *issuer = how->issuer != NULL ? how->issuer : cert;
    assert_int_equal(X509_set_issuer_name(cert, X509_get_subject_name(issuer)), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), how->begin));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(cert), how->end));
    assert_int_equal(X509_set_pubkey(cert, how->key), 1);
    add_extension(cert, NID_basic_constraints, how->constraints);
    add_extension(cert, NID_key_usage, how->usage);
    assert_true(
        X509_sign(cert, how->issuer_key != NULL ? how->issuer_key : how->key, EVP_sha384()) > 0);
    return cert;
}

void made_add_certificate(struct made *made, X509 *cert)
{
    unsigned char *der = NULL;
    int size = i2d_X509(cert, &der);
    assert_true(size > 0);
    made_bytes(made, der, (size_t)size);
    OPENSSL_free(der);
}

void made_root(struct csv_input *input, X509 *cert)
{
    unsigned char *der = NULL;
    uint8_t digest[32];
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    assert_true(size > 0);
    assert_int_equal(EVP_Digest(der, (size_t)size, digest, NULL, EVP_sha256(), NULL), 1);
    OPENSSL_free(der);
    assert_int_equal(csv_input_trust_test_root_insecure(input, digest), CSN_OK);
}

size_t made_public_pem(EVP_PKEY *key, char *text, size_t capacity)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_non_null(bio);
    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    int size = BIO_read(bio, text, (int)capacity);
    BIO_free(bio);
    assert_true(size > 0 && (size_t)size < capacity);
    return (size_t)size;
}
