/* SPDX-License-Identifier: Apache-2.0 */
/* ecdsa.c: see ecdsa.h. */
#include "verify/ecdsa.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/params.h>
#include <string.h>

static EVP_PKEY *first_key(const char *curve, uint8_t *point, size_t size)
{
    char group[16] = "";
    EVP_PKEY *key = NULL;
    memcpy(group, curve, strlen(curve));
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, size),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

/* Only the curve comes from the known key; the point is checked as in a first one. */
static EVP_PKEY *further_key(const EVP_PKEY *known, const uint8_t *point, size_t size)
{
    EVP_PKEY *key = EVP_PKEY_new();
    if (key != NULL && EVP_PKEY_copy_parameters(key, known) == 1 &&
        EVP_PKEY_set1_encoded_public_key(key, point, size) == 1) {
        return key;
    }
    EVP_PKEY_free(key);
    return NULL;
}

EVP_PKEY *csv_ecdsa_key(struct csv_curves *curves, const char *curve, const uint8_t *xy,
                        size_t half)
{
    static const struct {
        const char *name;
        size_t half;
    } named[] = {{"P-256", 32}, {"P-384", 48}, {"P-521", 66}};
    uint8_t point[1 + 2 * CSV_ECDSA_HALF_MAX] = {4}; /* uncompressed */
    size_t index = 0;
    while (index < 3 && strcmp(named[index].name, curve) != 0) {
        index++;
    }
    if (index == 3 || named[index].half != half) {
        return NULL;
    }
    memcpy(point + 1, xy, 2 * half);
    EVP_PKEY **known = curves != NULL ? &curves->known[index] : NULL;
    if (known != NULL && *known != NULL) {
        return further_key(*known, point, 1 + 2 * half);
    }
    EVP_PKEY *key = first_key(curve, point, 1 + 2 * half);
    if (known != NULL && key != NULL && EVP_PKEY_up_ref(key) == 1) {
        *known = key;
    }
    return key;
}

void csv_curves_release(struct csv_curves *curves)
{
    for (size_t i = 0; i < sizeof curves->known / sizeof curves->known[0]; i++) {
        EVP_PKEY_free(curves->known[i]);
        curves->known[i] = NULL;
    }
}

bool csv_ecdsa_is_on(const EVP_PKEY *key, const char *group)
{
    char name[32];
    return key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, name, sizeof name, NULL) == 1 && strcmp(name, group) == 0;
}

/* r || s to the DER that libcrypto reads; the size, or 0. */
static int to_der(const uint8_t *rs, size_t half, uint8_t **der)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(rs, (int)half, NULL);
    BIGNUM *s = BN_bin2bn(rs + half, (int)half, NULL);
    int size = 0;
    if (signature != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1) {
        r = NULL; /* the signature's now */
        s = NULL;
        size = i2d_ECDSA_SIG(signature, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(signature);
    return size > 0 ? size : 0;
}

bool csv_ecdsa_check_pieces(EVP_PKEY *key, const EVP_MD *digest, const uint8_t *rs, size_t half,
                            const struct csv_bytes *pieces, size_t count)
{
    uint8_t *der = NULL;
    int size = key != NULL && half <= CSV_ECDSA_HALF_MAX ? to_der(rs, half, &der) : 0;
    EVP_MD_CTX *context = size != 0 ? EVP_MD_CTX_new() : NULL;
    bool good = context != NULL && EVP_DigestVerifyInit(context, NULL, digest, NULL, key) == 1;
    for (size_t i = 0; good && i < count; i++) {
        good = EVP_DigestVerifyUpdate(context, pieces[i].at, pieces[i].size) == 1;
    }
    good = good && EVP_DigestVerifyFinal(context, der, (size_t)size) == 1;
    EVP_MD_CTX_free(context);
    OPENSSL_free(der);
    return good;
}

bool csv_ecdsa_check(EVP_PKEY *key, const EVP_MD *digest, const uint8_t *rs, size_t half,
                     struct csv_bytes message)
{
    return csv_ecdsa_check_pieces(key, digest, rs, half, &message, 1);
}

static bool is_scalar(const EC_GROUP *group, const uint8_t *bytes, size_t size)
{
    BIGNUM *number = BN_bin2bn(bytes, (int)size, NULL);
    bool good =
        number != NULL && !BN_is_zero(number) && BN_cmp(number, EC_GROUP_get0_order(group)) < 0;
    BN_free(number);
    return good;
}

bool csv_ecdsa_in_range(int curve, const uint8_t *rs, size_t half)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(curve);
    bool good = group != NULL && is_scalar(group, rs, half) && is_scalar(group, rs + half, half);
    EC_GROUP_free(group);
    return good;
}
