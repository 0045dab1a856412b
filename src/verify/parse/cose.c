/* SPDX-License-Identifier: Apache-2.0 */
/* cose.c: see cose.h. */
#include "verify/parse/cose.h"
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/objects.h>

#define LABEL_ALGORITHM 1
#define LABEL_CRITICAL  2

struct algorithm {
    int64_t number;
    const char *name;
    int curve;
    size_t scalar_size;
    const EVP_MD *(*hash)(void);
};

static const struct algorithm algorithms[] = {
    {CSV_COSE_ES256, "ES256", NID_X9_62_prime256v1, 32, EVP_sha256},
    {CSV_COSE_ES384, "ES384", NID_secp384r1, 48, EVP_sha384},
    {CSV_COSE_ES512, "ES512", NID_secp521r1, 66, EVP_sha512},
};

static const struct algorithm *find(int64_t number)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (algorithms[i].number == number) {
            return &algorithms[i];
        }
    }
    return NULL;
}

const char *csv_cose_algorithm_name(int64_t algorithm)
{
    const struct algorithm *known = find(algorithm);
    return known != NULL ? known->name : "unknown";
}

static const char *header_fault(struct csv_cose *cose)
{
    struct csv_cbor header;
    struct csv_cbor value;
    const char *why;
    if (!csv_cbor_open(cose->protected_header, &header, &why) || header.kind != CSV_CBOR_MAP) {
        return "the protected header is not a map";
    }
    if (!csv_cbor_at(&header, LABEL_ALGORITHM, &value) ||
        !csv_cbor_integer(&value, &cose->algorithm)) {
        return "the protected header names no algorithm";
    }
    if (csv_cbor_at(&header, LABEL_CRITICAL, &value)) {
        return "a critical header that is not understood";
    }
    if (csv_cbor_at(&cose->unprotected, LABEL_ALGORITHM, &value) ||
        csv_cbor_at(&cose->unprotected, LABEL_CRITICAL, &value)) {
        return "an unprotected header that must be protected";
    }
    return NULL;
}

bool csv_cose_open(struct csv_bytes message, struct csv_cose *cose, const char **why)
{
    struct csv_cbor item;
    *cose = (struct csv_cose){0};
    if (!csv_cbor_open(message, &item, why)) {
        return false;
    }
    if (item.kind == CSV_CBOR_TAG && item.number == CSV_COSE_TAG) {
        struct csv_reader inside = csv_cbor_inside(&item);
        cose->tagged = csv_cbor_next(&inside, &item);
    }
    struct csv_reader reader = csv_cbor_inside(&item);
    struct csv_cbor header;
    struct csv_cbor payload;
    struct csv_cbor signature;
    *why = "not a COSE_Sign1 with its payload inside";
    if (item.kind != CSV_CBOR_ARRAY || item.number != 4 || !csv_cbor_next(&reader, &header) ||
        !csv_cbor_next(&reader, &cose->unprotected) || !csv_cbor_next(&reader, &payload) ||
        !csv_cbor_next(&reader, &signature) || header.kind != CSV_CBOR_BYTES ||
        cose->unprotected.kind != CSV_CBOR_MAP || payload.kind != CSV_CBOR_BYTES ||
        signature.kind != CSV_CBOR_BYTES) {
        return false;
    }
    cose->protected_header = header.bytes;
    cose->payload = payload.bytes;
    cose->signature = signature.bytes;
    *why = header_fault(cose);
    return *why == NULL;
}

static bool is_on_curve(EVP_PKEY *key, int curve)
{
    char name[64];
    size_t size;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, name, sizeof name, &size) == 1 &&
           (OBJ_sn2nid(name) == curve || EC_curve_nist2nid(name) == curve);
}

/* In [1, n-1]. */
static bool is_scalar(const BIGNUM *number, const BIGNUM *order)
{
    return !BN_is_zero(number) && !BN_is_negative(number) && BN_cmp(number, order) < 0;
}

/* r and s as libcrypto wants them: its size, or 0 if they are out of range. Free *der. */
static int to_der(const struct algorithm *known, struct csv_bytes signature, unsigned char **der)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(known->curve);
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature.at, (int)known->scalar_size, NULL);
    BIGNUM *s = BN_bin2bn(signature.at + known->scalar_size, (int)known->scalar_size, NULL);
    int size = 0;
    if (group != NULL && pair != NULL && r != NULL && s != NULL &&
        is_scalar(r, EC_GROUP_get0_order(group)) && is_scalar(s, EC_GROUP_get0_order(group)) &&
        ECDSA_SIG_set0(pair, r, s) == 1) {
        r = NULL;
        s = NULL;
        size = i2d_ECDSA_SIG(pair, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    EC_GROUP_free(group);
    return size;
}

static bool add_string(EVP_MD_CTX *context, struct csv_bytes bytes)
{
    uint8_t head[9];
    size_t info = bytes.size < 24            ? 0
                  : bytes.size < 0x100       ? 1
                  : bytes.size < 0x10000     ? 2
                  : bytes.size < 0x100000000 ? 4
                                             : 8;
    static const uint8_t codes[] = {0, 24, 25, 0, 26, 0, 0, 0, 27};
    head[0] = (uint8_t)(0x40 | (info == 0 ? bytes.size : codes[info]));
    for (size_t i = 0; i < info; i++) {
        head[1 + i] = (uint8_t)(bytes.size >> (8 * (info - 1 - i)));
    }
    return EVP_DigestVerifyUpdate(context, head, 1 + info) == 1 &&
           EVP_DigestVerifyUpdate(context, bytes.at, bytes.size) == 1;
}

/* ["Signature1", protected, h'', payload] */
static enum csv_cose_result verify(const struct algorithm *known, const struct csv_cose *cose,
                                   EVP_PKEY *key, const unsigned char *der, int der_size)
{
    static const uint8_t head[] = "\x84\x6aSignature1";
    static const struct csv_bytes external = {(const uint8_t *)"", 0};
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    enum csv_cose_result result = CSV_COSE_BROKEN;
    if (context != NULL && EVP_DigestVerifyInit(context, NULL, known->hash(), NULL, key) == 1 &&
        EVP_DigestVerifyUpdate(context, head, sizeof head - 1) == 1 &&
        add_string(context, cose->protected_header) && add_string(context, external) &&
        add_string(context, cose->payload)) {
        int verified = EVP_DigestVerifyFinal(context, der, (size_t)der_size);
        result = verified == 1 ? CSV_COSE_GOOD : CSV_COSE_BAD;
    }
    EVP_MD_CTX_free(context);
    return result;
}

enum csv_cose_result csv_cose_check(const struct csv_cose *cose, EVP_PKEY *key, const char **why)
{
    const struct algorithm *known = find(cose->algorithm);
    unsigned char *der = NULL;
    *why = known == NULL                     ? "an algorithm that is not accepted"
           : key == NULL                     ? "no key"
           : !is_on_curve(key, known->curve) ? "a key of another kind than the algorithm's"
           : cose->signature.size != 2 * known->scalar_size
               ? "a signature of another size than the algorithm's"
               : NULL;
    if (*why != NULL) {
        return CSV_COSE_BAD;
    }
    int der_size = to_der(known, cose->signature, &der);
    if (der_size <= 0) {
        *why = "r or s is not in [1, n-1]";
        return CSV_COSE_BAD;
    }
    enum csv_cose_result result = verify(known, cose, key, der, der_size);
    OPENSSL_free(der);
    *why = result == CSV_COSE_GOOD  ? NULL
           : result == CSV_COSE_BAD ? "not by this key over these bytes"
                                    : "libcrypto failed";
    return result;
}
