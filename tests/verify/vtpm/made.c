/* SPDX-License-Identifier: Apache-2.0 */
/* made.c: see made.h. */
#include "made.h"
#include "../extend.h"
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdio.h>

static struct {
    char kind[24];
    unsigned number;
    EVP_PKEY *key;
} keys[32];

static EVP_PKEY *make_rsa(const char *kind)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    bool small = strcmp(kind, "RSA-3") == 0;
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    int bits = small ? 2048 : atoi(kind + 4);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits), 1);
    if (small) {
        BIGNUM *three = BN_new();
        BN_set_word(three, 3);
        assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, three), 1);
        BN_free(three);
    }
    assert_int_equal(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *made_key(const char *kind, unsigned number)
{
    size_t i = 0;
    while (keys[i].key != NULL && (strcmp(keys[i].kind, kind) != 0 || keys[i].number != number)) {
        i++;
        assert_true(i < sizeof keys / sizeof keys[0]);
    }
    if (keys[i].key == NULL) {
        snprintf(keys[i].kind, sizeof keys[i].kind, "%s", kind);
        keys[i].number = number;
        keys[i].key = strncmp(kind, "RSA", 3) == 0 ? make_rsa(kind) : EVP_EC_gen(kind);
        assert_non_null(keys[i].key);
    }
    return keys[i].key;
}

void made_forget(void)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        EVP_PKEY_free(keys[i].key);
        keys[i].key = NULL;
    }
}

static void name(X509_NAME *target, const char *text)
{
    X509_NAME_add_entry_by_txt(target, "CN", MBSTRING_ASC, (const uint8_t *)text, -1, -1, 0);
}

struct made_der made_certificate(const struct made_cert *text)
{
    struct made_der der = {0};
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), MADE_SERIAL);
    name(X509_get_subject_name(cert), text->subject);
    name(X509_get_issuer_name(cert), text->issuer);
    ASN1_TIME_set(X509_getm_notBefore(cert), MADE_TIME - 86400);
    ASN1_TIME_set(X509_getm_notAfter(cert), text->until != 0 ? text->until : MADE_TIME + 86400);
    X509_set_pubkey(cert, text->key);
    if (text->constraints != NULL) {
        extend_words(cert, NID_basic_constraints, text->constraints);
    }
    if (text->usage != NULL) {
        extend_words(cert, NID_key_usage, text->usage);
    }
    if (text->gce != NULL) {
        extend_bytes(cert, "1.3.6.1.4.1.11129.2.1.21", text->gce, text->gce_size);
    }
    assert_true(X509_sign(cert, text->signer, EVP_sha256()) > 0);
    uint8_t *at = der.bytes;
    assert_true(i2d_X509(cert, NULL) <= (int)sizeof der.bytes);
    der.size = (size_t)i2d_X509(cert, &at);
    X509_free(cert);
    return der;
}

struct made_der made_crl(const char *issuer, EVP_PKEY *signer, long serial)
{
    struct made_der der = {0};
    X509_CRL *crl = X509_CRL_new();
    X509_NAME *subject = X509_NAME_new();
    ASN1_TIME *time = ASN1_TIME_set(NULL, MADE_TIME - 3600);
    name(subject, issuer);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, subject);
    X509_CRL_set1_lastUpdate(crl, time);
    if (serial != 0) {
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_INTEGER *number = ASN1_INTEGER_new();
        ASN1_INTEGER_set(number, serial);
        X509_REVOKED_set_serialNumber(entry, number);
        X509_REVOKED_set_revocationDate(entry, time);
        X509_CRL_add0_revoked(crl, entry);
        ASN1_INTEGER_free(number);
    }
    ASN1_TIME_set(time, MADE_TIME + 3600);
    X509_CRL_set1_nextUpdate(crl, time);
    assert_true(X509_CRL_sign(crl, signer, EVP_sha256()) > 0);
    uint8_t *at = der.bytes;
    der.size = (size_t)i2d_X509_CRL(crl, &at);
    ASN1_TIME_free(time);
    X509_NAME_free(subject);
    X509_CRL_free(crl);
    return der;
}

void made_spki_sha256(EVP_PKEY *key, uint8_t digest[32])
{
    uint8_t *der = NULL;
    int size = i2d_PUBKEY(key, &der);
    assert_true(size > 0);
    EVP_Digest(der, (size_t)size, digest, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
}

void made_hex(const uint8_t *bytes, size_t size, char *text)
{
    for (size_t i = 0; i < size; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
}

size_t made_signature(EVP_PKEY *key, const EVP_MD *digest, bool pss, const void *message,
                      size_t size, uint8_t signature[600])
{
    size_t signature_size = 600;
    EVP_PKEY_CTX *options = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, &options, digest, NULL, key), 1);
    if (pss) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
    }
    assert_int_equal(EVP_DigestSign(context, signature, &signature_size, message, size), 1);
    EVP_MD_CTX_free(context);
    return signature_size;
}
