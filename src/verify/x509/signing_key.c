/* SPDX-License-Identifier: Apache-2.0 */
/* signing_key.c: see signing_key.h. */
#include "verify/x509/signing_key.h"
#include "verify/digest.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/x509.h>
#include <string.h>

static const char *rsa_fault(const EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    int bits = EVP_PKEY_get_bits(key);
    if (bits < 2048 || bits > 4096) {
        return "an RSA key of fewer than 2048 or more than 4096 bits";
    }
    bool got = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1;
    bool sound =
        got && BN_is_odd(exponent) && BN_num_bits(exponent) <= 32 && BN_get_word(exponent) >= 65537;
    BN_free(exponent);
    return sound ? NULL : "an RSA exponent that is even, below 65537 or over 32 bits";
}

static const char *ec_fault(const EVP_PKEY *key)
{
    static const char *const curves[] = {"prime256v1", "secp384r1", "secp521r1"};
    char name[32] = "";
    if (EVP_PKEY_get_group_name(key, name, sizeof name, NULL) == 1) {
        for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
            if (strcmp(name, curves[i]) == 0) {
                return NULL;
            }
        }
    }
    return "a curve other than P-256, P-384 and P-521";
}

const char *csv_key_fault(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "RSA")  ? rsa_fault(key)
           : EVP_PKEY_is_a(key, "EC") ? ec_fault(key)
                                      : "neither an RSA nor an EC key";
}

bool csv_key_sha256(const EVP_PKEY *key, uint8_t digest[32])
{
    unsigned char *der = NULL;
    int size = i2d_PUBKEY(key, &der);
    bool good = size > 0 && csv_sha256(der, (size_t)size, digest);
    OPENSSL_free(der);
    return good;
}
