/* SPDX-License-Identifier: Apache-2.0 */
/* ecdsa.c: see ecdsa.h. */
#include "verify/ecdsa.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/params.h>
#include <string.h>

EVP_PKEY *csv_ecdsa_key(const char *curve, const uint8_t *xy, size_t half)
{
    uint8_t point[1 + 2 * CSV_ECDSA_HALF_MAX] = {4}; /* uncompressed */
    char group[16] = "";
    EVP_PKEY *key = NULL;
    if (half > CSV_ECDSA_HALF_MAX || strlen(curve) >= sizeof group) {
        return NULL;
    }
    memcpy(point + 1, xy, 2 * half);
    memcpy(group, curve, strlen(curve));
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * half),
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
