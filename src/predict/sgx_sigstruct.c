/* SPDX-License-Identifier: Apache-2.0 */
/* sgx_sigstruct.c: who signed an enclave, and as what. See sgx_enclave.h. */
#include "predict/sgx_enclave.h"
#include "verify/digest.h"
#include "verify/parse/read.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#define MODULUS   128
#define EXPONENT  512
#define SIGNATURE 516
#define Q1        1040
#define Q2        1424
#define KEY_SIZE  384

static const uint8_t header[16] = {6, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0};
static const uint8_t header2[16] = {1, 1, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 1, 0, 0, 0};

static const char *form_fault(struct csv_bytes bytes)
{
    if (bytes.size != CSV_SGX_SIGSTRUCT_SIZE) {
        return "not 1808 bytes";
    }
    if (memcmp(bytes.at, header, 16) != 0 || memcmp(bytes.at + 24, header2, 16) != 0) {
        return "not the header of a SIGSTRUCT";
    }
    if (csv_le(bytes.at + EXPONENT, 4) != 3) {
        return "an exponent other than 3";
    }
    bool clear = csv_is_zero(bytes.at + 44, 84) && csv_is_zero(bytes.at + 910, 2) &&
                 csv_is_zero(bytes.at + 992, 16) && csv_is_zero(bytes.at + 1028, 12);
    return clear ? NULL : "reserved bytes are not zero";
}

/* RSA-3072, PKCS#1 v1.5, SHA-256, over the header part and the body part. */
static bool check_signature(const uint8_t *bytes)
{
    uint8_t modulus[KEY_SIZE];
    uint8_t signature[KEY_SIZE];
    uint8_t text[128 + 128];
    unsigned exponent = 3;
    EVP_PKEY *key = NULL;
    for (size_t i = 0; i < KEY_SIZE; i++) {
        modulus[i] = bytes[MODULUS + i]; /* libcrypto wants the machine's order here */
        signature[KEY_SIZE - 1 - i] = bytes[SIGNATURE + i];
    }
    memcpy(text, bytes, 128);
    memcpy(text + 128, bytes + 900, 128);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, sizeof modulus),
        OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = maker != NULL && context != NULL && EVP_PKEY_fromdata_init(maker) == 1 &&
                EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, params) == 1 &&
                EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(context, signature, KEY_SIZE, text, sizeof text) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_CTX_free(maker);
    EVP_PKEY_free(key);
    return good;
}

/* Q1 = S^2 / N, Q2 = S * (S^2 mod N) / N, each rounded down. */
static bool check_helpers(const uint8_t *bytes)
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *n = BN_lebin2bn(bytes + MODULUS, KEY_SIZE, NULL);
    BIGNUM *s = BN_lebin2bn(bytes + SIGNATURE, KEY_SIZE, NULL);
    BIGNUM *q1 = BN_lebin2bn(bytes + Q1, KEY_SIZE, NULL);
    BIGNUM *q2 = BN_lebin2bn(bytes + Q2, KEY_SIZE, NULL);
    BIGNUM *product = BN_new();
    BIGNUM *quotient = BN_new();
    BIGNUM *rest = BN_new();
    bool made = context && n && s && q1 && q2 && product && quotient && rest;
    bool good = made && !BN_is_zero(n) && BN_cmp(s, n) < 0 && BN_sqr(product, s, context) == 1 &&
                BN_div(quotient, rest, product, n, context) == 1 && BN_cmp(quotient, q1) == 0 &&
                BN_mul(product, s, rest, context) == 1 &&
                BN_div(quotient, NULL, product, n, context) == 1 && BN_cmp(quotient, q2) == 0;
    BN_free(rest);
    BN_free(quotient);
    BN_free(product);
    BN_free(q2);
    BN_free(q1);
    BN_free(s);
    BN_free(n);
    BN_CTX_free(context);
    return good;
}

bool csv_sgx_sigstruct_read(struct csv_bytes bytes, struct csv_sgx_sigstruct *sigstruct,
                            const char **why)
{
    const uint8_t *at = bytes.at;
    *sigstruct = (struct csv_sgx_sigstruct){.vendor = 0};
    *why = form_fault(bytes);
    if (*why != NULL) {
        return false;
    }
    sigstruct->vendor = (uint32_t)csv_le(at + 16, 4);
    sigstruct->date = (uint32_t)csv_le(at + 20, 4);
    memcpy(sigstruct->miscselect, at + 900, 4);
    memcpy(sigstruct->miscselect_mask, at + 904, 4);
    memcpy(sigstruct->isvfamilyid, at + 912, 16);
    memcpy(sigstruct->attributes, at + 928, 16);
    memcpy(sigstruct->attributes_mask, at + 944, 16);
    memcpy(sigstruct->mrenclave, at + 960, 32);
    memcpy(sigstruct->isvextprodid, at + 1008, 16);
    sigstruct->isvprodid = (uint16_t)csv_le(at + 1024, 2);
    sigstruct->isvsvn = (uint16_t)csv_le(at + 1026, 2);
    sigstruct->is_signed = check_signature(at);
    sigstruct->helpers_fit = check_helpers(at);
    if (!csv_sha256(at + MODULUS, KEY_SIZE, sigstruct->mrsigner)) {
        *why = "libcrypto failed";
    }
    return *why == NULL;
}
