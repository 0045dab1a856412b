/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curves.c: names of curves, and signatures checked with public halves in this process.
 *
 * ECDSA on P-256 is checked by libcrypto, in a library context of our own: the program's may have
 * this very module as its engine. On P-384 ours takes less than half of its time.
 */
#include "crypto/curve.h"
#include "crypto/ecdsa.h"
#include "module.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

/* ---- names ---- */

static const struct {
    uint32_t type;
    CK_ULONG size;
    uint8_t der[16];
    bool is_ours; /* the one that is given; the others are taken */
} curves[] = {
    {CSN_WIRE_TRANSIT_P256, 10, {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, true},
    {CSN_WIRE_TRANSIT_P384, 7, {6, 5, 0x2b, 0x81, 4, 0, 0x22}, true},
    {CSN_WIRE_TRANSIT_ED25519,
     14,
     {19, 12, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'},
     true},
    {CSN_WIRE_TRANSIT_ED25519, 5, {6, 3, 0x2b, 0x65, 0x70}, false},
    {CSN_WIRE_TRANSIT_X25519, 12, {19, 10, 'c', 'u', 'r', 'v', 'e', '2', '5', '5', '1', '9'}, true},
    {CSN_WIRE_TRANSIT_X25519, 5, {6, 3, 0x2b, 0x65, 0x6e}, false},
};
#define CURVE_COUNT (sizeof curves / sizeof curves[0])

const uint8_t *p11_curve_params(uint32_t type, CK_ULONG *size)
{
    for (size_t i = 0; i < CURVE_COUNT; i++) {
        if (curves[i].type == type && curves[i].is_ours) {
            *size = curves[i].size;
            return curves[i].der;
        }
    }
    return NULL;
}

uint32_t p11_curve_type(const struct ck_attribute *params)
{
    for (size_t i = 0; params != NULL && i < CURVE_COUNT; i++) {
        if (params->size == curves[i].size &&
            memcmp(params->value, curves[i].der, curves[i].size) == 0) {
            return curves[i].type;
        }
    }
    return 0;
}

/* ---- checking ---- */

void p11_ecdsa_fit(const uint8_t *digest, size_t digest_size, uint8_t *target, size_t size)
{
    /* The leftmost bits of a longer one; a shorter one is the same number with zeros before it. */
    size_t taken = digest_size < size ? digest_size : size;
    memset(target, 0, size - taken);
    if (taken != 0) {
        memcpy(target + size - taken, digest, taken);
    }
}

static OSSL_LIB_CTX *library(void)
{
    static OSSL_LIB_CTX *made;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    OSSL_LIB_CTX *found = __atomic_load_n(&made, __ATOMIC_ACQUIRE);
    if (found == NULL) {
        pthread_mutex_lock(&lock);
        if (made == NULL) {
            __atomic_store_n(&made, OSSL_LIB_CTX_new(), __ATOMIC_RELEASE);
        }
        found = made;
        pthread_mutex_unlock(&lock);
    }
    return found;
}

static EVP_PKEY *make_verifier(const struct p11_key_info *info)
{
    char name[8];
    memcpy(name, "P-256", sizeof "P-256");
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                                             (void *)(uintptr_t)info->public_key,
                                                             info->public_size),
                           OSSL_PARAM_construct_end()};
    EVP_PKEY *made = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(library(), "EC", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        made = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return made;
}

void p11_verifier_free(void *verifier)
{
    EVP_PKEY_free(verifier);
}

/* One is made for each key; who comes second uses the first one's. */
static EVP_PKEY *verifier_of(const struct p11_key *key)
{
    void **place = (void **)(uintptr_t)&key->verifier;
    void *found = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (found == NULL) {
        void *made = make_verifier(&key->info);
        if (made == NULL || __atomic_compare_exchange_n(place, &found, made, false,
                                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            return made;
        }
        EVP_PKEY_free(made);
    }
    return found;
}

/* r and s as DER, or 0. */
static int to_der(const uint8_t *signature, size_t size, uint8_t der[128])
{
    ECDSA_SIG *parts = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, (int)size / 2, NULL);
    BIGNUM *s = BN_bin2bn(signature + size / 2, (int)size / 2, NULL);
    uint8_t *at = der;
    int length = 0;
    if (parts != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(parts, r, s) == 1) {
        length = i2d_ECDSA_SIG(parts, &at);
        r = s = NULL; /* are parts' now */
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(parts);
    return length;
}

static csn_err ecdsa_fate = CSN_ERR_STATE;

static void test_ecdsa(void)
{
    ecdsa_fate = csn_ecdsa_self_test();
}

static CK_RV verify_p384(const struct p11_key *key, const uint8_t *digest, size_t digest_size,
                         const uint8_t *signature, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const struct csn_ecdsa_claim claim = {.curve = CSN_EC_P384,
                                          .public_key = key->info.public_key,
                                          .digest = digest,
                                          .digest_size = digest_size,
                                          .signature = signature,
                                          .signature_size = size};
    if (pthread_once(&once, test_ecdsa) != 0 || ecdsa_fate != CSN_OK) {
        return CKR_GENERAL_ERROR;
    }
    return csn_ecdsa_verify(&claim) == CSN_OK ? CKR_OK : CKR_SIGNATURE_INVALID;
}

static CK_RV verify_p256(const struct p11_key *key, const uint8_t *digest, size_t digest_size,
                         const uint8_t *signature, size_t size)
{
    _Static_assert(P11_SIGNATURE_MAX + 16 <= 128, "room for r and s as DER");
    uint8_t der[128];
    EVP_PKEY *verifier = verifier_of(key);
    int length = to_der(signature, size, der);
    CK_RV rv = CKR_HOST_MEMORY;
    EVP_PKEY_CTX *context =
        verifier != NULL ? EVP_PKEY_CTX_new_from_pkey(library(), verifier, NULL) : NULL;
    if (context != NULL && length > 0 && EVP_PKEY_verify_init(context) == 1) {
        rv = EVP_PKEY_verify(context, der, (size_t)length, digest, digest_size) == 1
                 ? CKR_OK
                 : CKR_SIGNATURE_INVALID;
    }
    EVP_PKEY_CTX_free(context);
    return rv;
}

CK_RV p11_ecdsa_verify(const struct p11_key *key, const uint8_t *digest, size_t digest_size,
                       const uint8_t *signature, size_t size)
{
    return key->info.type == CSN_WIRE_TRANSIT_P384
               ? verify_p384(key, digest, digest_size, signature, size)
               : verify_p256(key, digest, digest_size, signature, size);
}

CK_RV p11_eddsa_verify(const struct p11_key *key, const uint8_t *message, size_t message_size,
                       const uint8_t *signature)
{
    return csn_ed25519_verify(signature, message, message_size, key->info.public_key) == CSN_OK
               ? CKR_OK
               : CKR_SIGNATURE_INVALID;
}
