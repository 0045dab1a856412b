/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate.c: X.509 certificates of keys. They lie in files that the settings name, since they
 * are public and programs (ssh, browsers) look for them beside the key.
 */
#include "module.h"
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536u

static X509 *read_certificate(const char *path)
{
    size_t size = 0;
    char *text = p11_file_read(path, FILE_MAX, &size);
    if (text == NULL) {
        return NULL;
    }
    const uint8_t *at = (const uint8_t *)text;
    X509 *certificate = d2i_X509(NULL, &at, (long)size);
    if (certificate == NULL) {
        BIO *memory = BIO_new_mem_buf(text, (int)size);
        certificate = memory != NULL ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;
        BIO_free(memory);
    }
    free(text);
    return certificate;
}

void p11_certificate_find(const struct p11_settings *settings, struct p11_key *key)
{
    for (uint32_t i = 0; i < settings->certificate_count; i++) {
        if (strcmp(settings->certificates[i].key, key->info.name) != 0) {
            continue;
        }
        X509 *certificate = read_certificate(settings->certificates[i].path);
        int size = certificate != NULL ? i2d_X509(certificate, NULL) : 0;
        uint8_t *der = size > 0 ? malloc((size_t)size) : NULL;
        if (der != NULL) {
            uint8_t *at = der;
            key->certificate = der;
            key->certificate_size = (uint32_t)i2d_X509(certificate, &at);
        }
        X509_free(certificate);
        return;
    }
}

uint8_t *p11_certificate_part(const struct p11_key *key, CK_ATTRIBUTE_TYPE type, CK_ULONG *size)
{
    const uint8_t *at = key->certificate;
    X509 *certificate = d2i_X509(NULL, &at, key->certificate_size);
    uint8_t *made = NULL; /* libcrypto's memory */
    uint8_t *copy = NULL;
    int length = certificate == NULL   ? 0
                 : type == CKA_SUBJECT ? i2d_X509_NAME(X509_get_subject_name(certificate), &made)
                 : type == CKA_ISSUER  ? i2d_X509_NAME(X509_get_issuer_name(certificate), &made)
                                      : i2d_ASN1_INTEGER(X509_get_serialNumber(certificate), &made);
    if (length > 0) {
        copy = malloc((size_t)length);
        *size = (CK_ULONG)length;
    }
    if (copy != NULL) {
        memcpy(copy, made, (size_t)length);
    }
    OPENSSL_free(made);
    X509_free(certificate);
    return copy;
}
