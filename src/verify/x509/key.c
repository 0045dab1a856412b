/* SPDX-License-Identifier: Apache-2.0 */
/* key.c: public keys and signature algorithms of certificates, handed to libcrypto. See cert.h. */
#include "verify/parse/der.h"
#include "verify/x509/cert.h"
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#define RSA_BYTES_MIN 256
#define RSA_BYTES_MAX 1024

/* Parameters of RSASSA-PSS (RFC 4055): one hash for both uses, and as much salt as it has bytes. */
static bool read_pss(struct csv_bytes parameters, struct csv_algorithm *algorithm)
{
    static const struct {
        const char *oid;
        const char *digest;
        int size;
    } hashes[] = {{"2.16.840.1.101.3.4.2.1", "SHA256", 32},
                  {"2.16.840.1.101.3.4.2.2", "SHA384", 48},
                  {"2.16.840.1.101.3.4.2.3", "SHA512", 64}};
    struct csv_reader reader = csv_read(parameters);
    struct csv_bytes part[3];
    struct csv_bytes content;
    struct csv_bytes oid;
    struct csv_bytes mask;
    uint64_t salt = 0;
    bool there = false;
    for (unsigned i = 0; i < 3; i++) {
        if (!csv_der_take(&reader, CSV_DER_CONTEXT(i), &part[i])) {
            return false;
        }
    }
    if (!csv_der_optional(&reader, CSV_DER_CONTEXT(3), &content, &there) || reader.left != 0 ||
        (there && !csv_bytes_equal(content, "\x02\x01\x01", 3))) {
        return false;
    }
    struct csv_reader hash = csv_read(part[0]);
    struct csv_reader generator = csv_read(part[1]);
    struct csv_reader length = csv_read(part[2]);
    if (!csv_der_take_whole(&hash, CSV_DER_SEQUENCE, &content) ||
        !csv_der_take(&generator, CSV_DER_SEQUENCE, &mask) ||
        !csv_der_take(&length, CSV_DER_INTEGER, &oid) || !csv_der_number(oid, &salt)) {
        return false;
    }
    struct csv_reader inner = csv_read(mask);
    if (!csv_der_take(&inner, CSV_DER_OID, &oid) || !csv_oid_is(oid, "1.2.840.113549.1.1.8") ||
        !csv_bytes_equal(content, inner.at, inner.left)) { /* the same hash once more */
        return false;
    }
    struct csv_reader identifier = csv_read(content);
    if (!csv_der_take(&identifier, CSV_DER_SEQUENCE, &content)) {
        return false;
    }
    identifier = csv_read(content);
    if (!csv_der_take(&identifier, CSV_DER_OID, &oid)) {
        return false;
    }
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        if (csv_oid_is(oid, hashes[i].oid) && salt == (uint64_t)hashes[i].size) {
            *algorithm = (struct csv_algorithm){hashes[i].digest, true, hashes[i].size};
            return true;
        }
    }
    return false;
}

bool csv_algorithm_read(struct csv_bytes identifier, struct csv_algorithm *algorithm)
{
    static const struct {
        const char *oid;
        struct csv_algorithm algorithm;
    } known[] = {
        {"1.2.840.10045.4.3.2", {"SHA256", false, 0}},
        {"1.2.840.10045.4.3.3", {"SHA384", false, 0}},
        {"1.2.840.10045.4.3.4", {"SHA512", false, 0}},
        {"1.2.840.113549.1.1.11", {"SHA256", true, 0}},
        {"1.2.840.113549.1.1.12", {"SHA384", true, 0}},
        {"1.2.840.113549.1.1.13", {"SHA512", true, 0}},
    };
    struct csv_reader reader = csv_read(identifier);
    struct csv_bytes oid;
    struct csv_bytes content;
    if (!csv_der_take(&reader, CSV_DER_OID, &oid)) {
        return false;
    }
    if (csv_oid_is(oid, "1.2.840.113549.1.1.10")) {
        return csv_der_take(&reader, CSV_DER_SEQUENCE, &content) && reader.left == 0 &&
               read_pss(content, algorithm);
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (csv_oid_is(oid, known[i].oid)) {
            *algorithm = known[i].algorithm;
            /* RSA has NULL parameters, ECDSA none. */
            return reader.left == 0 ||
                   (algorithm->rsa && reader.left == 2 && memcmp(reader.at, "\x05\x00", 2) == 0);
        }
    }
    return false;
}

static EVP_PKEY *read_ec(struct csv_reader *parameters, struct csv_bytes bits,
                         struct csv_curves *known)
{
    static const struct {
        const char *oid;
        const char *group;
        size_t half;
    } curves[] = {{"1.2.840.10045.3.1.7", "P-256", 32},
                  {"1.3.132.0.34", "P-384", 48},
                  {"1.3.132.0.35", "P-521", 66}};
    struct csv_bytes oid;
    if (!csv_der_take(parameters, CSV_DER_OID, &oid) || parameters->left != 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (csv_oid_is(oid, curves[i].oid)) {
            bool whole = bits.size == 1 + 2 * curves[i].half && bits.at[0] == 4;
            return whole ? csv_ecdsa_key(known, curves[i].group, bits.at + 1, curves[i].half)
                         : NULL;
        }
    }
    return NULL;
}

/* An unsigned INTEGER as libcrypto wants it: native, that is little-endian. */
static bool read_big(struct csv_reader *reader, uint8_t *target, size_t capacity, size_t *size)
{
    struct csv_bytes content;
    if (!csv_der_take(reader, CSV_DER_INTEGER, &content) || content.size == 0 ||
        (content.at[0] & 0x80) != 0) {
        return false;
    }
    if (content.at[0] == 0 && content.size > 1) {
        content.at++;
        content.size--;
    }
    if (content.size > capacity) {
        return false;
    }
    *size = content.size;
    for (size_t i = 0; i < content.size; i++) {
        target[i] = content.at[content.size - 1 - i];
    }
    return true;
}

static EVP_PKEY *read_rsa(struct csv_bytes bits)
{
    uint8_t modulus[RSA_BYTES_MAX];
    uint8_t exponent[8] = {0};
    size_t modulus_size = 0;
    size_t exponent_size = 0;
    struct csv_bytes content;
    struct csv_reader outer = csv_read(bits);
    EVP_PKEY *key = NULL;
    if (!csv_der_take(&outer, CSV_DER_SEQUENCE, &content) || outer.left != 0) {
        return NULL;
    }
    struct csv_reader pair = csv_read(content);
    if (!read_big(&pair, modulus, sizeof modulus, &modulus_size) ||
        !read_big(&pair, exponent, sizeof exponent, &exponent_size) || pair.left != 0 ||
        modulus_size < RSA_BYTES_MIN || (exponent_size == 1 && exponent[0] < 3) ||
        (exponent[0] & 1) == 0) {
        return NULL;
    }
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, modulus_size),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent, exponent_size),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *csv_key_read(struct csv_bytes spki, struct csv_curves *curves)
{
    struct csv_reader outer = csv_read(spki);
    struct csv_bytes content;
    struct csv_bytes identifier;
    struct csv_bytes oid;
    struct csv_bytes bits;
    if (!csv_der_take(&outer, CSV_DER_SEQUENCE, &content) || outer.left != 0) {
        return NULL;
    }
    struct csv_reader parts = csv_read(content);
    if (!csv_der_take(&parts, CSV_DER_SEQUENCE, &identifier) || !csv_der_bits(&parts, &bits) ||
        parts.left != 0) {
        return NULL;
    }
    struct csv_reader inner = csv_read(identifier);
    if (!csv_der_take(&inner, CSV_DER_OID, &oid)) {
        return NULL;
    }
    if (csv_oid_is(oid, "1.2.840.10045.2.1")) {
        return read_ec(&inner, bits, curves);
    }
    bool null = inner.left == 2 && memcmp(inner.at, "\x05\x00", 2) == 0;
    return csv_oid_is(oid, "1.2.840.113549.1.1.1") && null ? read_rsa(bits) : NULL;
}

bool csv_signature_check(EVP_PKEY *key, const struct csv_algorithm *algorithm,
                         struct csv_bytes message, struct csv_bytes signature)
{
    EVP_PKEY_CTX *options = NULL;
    int kind = key != NULL ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;
    if (kind != (algorithm->rsa ? EVP_PKEY_RSA : EVP_PKEY_EC)) {
        return false;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestVerifyInit_ex(context, &options, algorithm->digest,
                                                           NULL, NULL, key, NULL) == 1;
    if (good && algorithm->pss_salt != 0) {
        good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(options, algorithm->pss_salt) == 1;
    }
    good = good &&
           EVP_DigestVerify(context, signature.at, signature.size, message.at, message.size) == 1;
    EVP_MD_CTX_free(context);
    return good;
}
