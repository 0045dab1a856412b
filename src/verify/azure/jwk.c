/* SPDX-License-Identifier: Apache-2.0 */
/* jwk.c: see jwk.h. */
#include "verify/azure/jwk.h"
#include "verify/text.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#define MODULUS_SIZE_MAX 512

/* Base64url of a number; NULL: something else. */
static BIGNUM *read_number(const struct csv_json_view *view, uint32_t value)
{
    uint8_t bytes[MODULUS_SIZE_MAX + 3];
    size_t size = 0;
    struct csv_bytes raw = csv_json_raw(view, value);
    if (!csv_json_is(view, value, CSN_JSON_STRING) || raw.size < 3 ||
        (raw.size - 2) / 4 * 3 > MODULUS_SIZE_MAX) {
        return NULL;
    }
    if (!csv_base64url_read(raw.at + 1, raw.size - 2, bytes, &size) || bytes[0] == 0) {
        return NULL;
    }
    return BN_bin2bn(bytes, (int)size, NULL);
}

static EVP_PKEY *make_key(const BIGNUM *n, const BIGNUM *e)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (builder != NULL && context != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        params = OSSL_PARAM_BLD_to_param(builder);
    }
    if (params == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *csv_jwk_rsa(const struct csv_json_view *view, uint32_t jwk, const char **why)
{
    EVP_PKEY *key = NULL;
    *why = "not an RSA key";
    if (!csv_json_says(view, csv_json_member(view, jwk, "kty"), "RSA")) {
        return NULL;
    }
    BIGNUM *n = read_number(view, csv_json_member(view, jwk, "n"));
    BIGNUM *e = read_number(view, csv_json_member(view, jwk, "e"));
    *why = "n or e is not a number in strict base64url of at most 4096 bits";
    if (n != NULL && e != NULL) {
        *why = "libcrypto refuses the key";
        key = make_key(n, e);
    }
    BN_free(n);
    BN_free(e);
    return key;
}
