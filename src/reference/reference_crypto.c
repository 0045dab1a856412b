/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_crypto.c: HMAC-SHA-256 and HKDF-SHA-256 by OpenSSL's EVP interfaces.
 */
#include "reference/reference_parts.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

bool csr_hash_init(struct csr_hash *hash)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    hash->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    hash->context = hash->mac == NULL ? NULL : EVP_MAC_CTX_new(hash->mac);
    return hash->context != NULL && EVP_MAC_CTX_set_params(hash->context, params) == 1;
}

void csr_hash_free(struct csr_hash *hash)
{
    EVP_MAC_CTX_free(hash->context);
    EVP_MAC_free(hash->mac);
    hash->context = NULL;
    hash->mac = NULL;
}

bool csr_hmac(struct csr_hash *hash, const uint8_t key[32], const struct csr_span *spans,
              size_t span_count, uint8_t mac[32])
{
    size_t size = 0;
    if (EVP_MAC_init(hash->context, key, 32, NULL) != 1) {
        return false;
    }
    for (size_t index = 0; index < span_count; index++) {
        if (EVP_MAC_update(hash->context, spans[index].data, spans[index].size) != 1) {
            return false;
        }
    }
    return EVP_MAC_final(hash->context, mac, &size, 32) == 1 && size == 32;
}

bool csr_hkdf(const uint8_t salt[32], const uint8_t secret[32], const void *info, size_t info_size,
              uint8_t key[32])
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret, 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, info_size),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    bool done = context != NULL && EVP_KDF_derive(context, key, 32, params) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return done;
}
