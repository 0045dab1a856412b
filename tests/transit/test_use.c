/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_use.c: what the operations give, against OpenSSL: it verifies, agrees, opens and derives
 * with the same keys, which are ours and were imported, or were made inside and gave their public
 * half.
 */
#include "fake.h"
#include "reference/reference_parts.h"
#include <setjmp.h> /* before cmocka.h */
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#define OP(name) CSN_WIRE_TRANSIT_##name

static struct cse_call *call;

static int begin(void **state)
{
    (void)state;
    call = fake_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    fake_free(call);
    return 0;
}

static void good(uint32_t operation, const char *name, const char *text)
{
    const cse_status status = fake_json(call, operation, name, text);
    if (status != CSN_WIRE_STATUS_OK) {
        printf("# %s %s %s: %d\n", csn_wire_transit_operation_name(operation), name, text,
               (int)status);
    }
    assert_int_equal(status, CSN_WIRE_STATUS_OK);
}

static void hkdf(const uint8_t *salt, size_t salt_size, const uint8_t *secret, size_t secret_size,
                 const uint8_t *info, size_t info_size, uint8_t *key, size_t size)
{
    char digest[] = "SHA256";
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM params[5], *at = params;
    *at++ = OSSL_PARAM_construct_utf8_string("digest", digest, 0);
    *at++ = OSSL_PARAM_construct_octet_string("key", (void *)(uintptr_t)secret, secret_size);
    if (salt_size != 0) {
        *at++ = OSSL_PARAM_construct_octet_string("salt", (void *)(uintptr_t)salt, salt_size);
    }
    *at++ = OSSL_PARAM_construct_octet_string("info", (void *)(uintptr_t)info, info_size);
    *at = OSSL_PARAM_construct_end();
    assert_int_equal(EVP_KDF_derive(context, key, size, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

/* As docs/TRANSIT.md, section 8, has it. */
static void version_key(const uint8_t *secret, size_t secret_size, uint32_t version, uint8_t use,
                        const char *context, uint8_t *key, size_t size)
{
    uint8_t info[18 + 16 + 4 + 1 + 256], tenant[32], id[16];
    char hex[40];
    assert_true(fake_text(call, "id", hex, sizeof hex));
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        id[i] = (uint8_t)byte;
    }
    memset(tenant, 1, sizeof tenant);
    memcpy(info, "caisson-transit-v1", 18);
    memcpy(info + 18, id, 16);
    memcpy(info + 34, &version, 4);
    info[38] = use;
    memcpy(info + 39, context, strlen(context));
    hkdf(tenant, 32, secret, secret_size, info, 39 + strlen(context), key, size);
}

/* ---- sealing ---- */

static const uint8_t secret_32[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* Opens a sealed text with nothing of ours. */
static void open_by_openssl(const uint8_t base[32], const uint8_t *sealed, uint32_t size,
                            const uint8_t *aad, uint32_t aad_size, uint8_t *text)
{
    uint8_t message[39], key[32], nonce[12] = {0};
    unsigned key_size = 32;
    int done;
    memcpy(message, "caisson-seal-v1", 15);
    memcpy(message + 15, sealed + 8, 24);
    HMAC(EVP_sha256(), base, 32, message, sizeof message, key, &key_size);
    memcpy(nonce, sealed + 32, 8);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce), 1);
    assert_int_equal(EVP_DecryptUpdate(context, NULL, &done, aad, (int)aad_size), 1);
    assert_int_equal(EVP_DecryptUpdate(context, text, &done, sealed + 40, (int)size - 56), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16,
                                         (void *)(uintptr_t)(sealed + size - 16)),
                     1);
    assert_int_equal(EVP_DecryptFinal_ex(context, text, &done), 1);
    EVP_CIPHER_CTX_free(context);
}

static uint32_t bound(const uint8_t id[16], uint8_t kind, uint32_t purpose, uint32_t context_size,
                      const char *more, uint8_t aad[200])
{
    const uint32_t version = 1;
    memset(aad, 0, 200);
    memcpy(aad, "transit1", 8);
    memset(aad + 8, 1, 32);
    memcpy(aad + 40, id, 16);
    memcpy(aad + 56, &version, 4);
    aad[60] = kind;
    memcpy(aad + 64, &purpose, 4);
    memcpy(aad + 68, &context_size, 4);
    memcpy(aad + 72, more, strlen(more));
    return 72 + (uint32_t)strlen(more);
}

static void key_id(const char *name, uint8_t id[16])
{
    struct tra_grant *grant = call->states[0];
    memcpy(id, tra_find(grant->store, name, (uint32_t)strlen(name))->is.id, 16);
}

static void test_sealed_text(void **state)
{
    (void)state;
    uint8_t base[32], sealed[200], text[100], aad[200], id[16];
    call->purpose = 5;
    assert_int_equal(fake_import(call, "sym", "aes-256", secret_32, 32, ""), CSN_WIRE_STATUS_OK);
    version_key(secret_32, 32, 1, 1, "", base, 32);
    key_id("sym", id);
    /* "hello", bound to "name" */
    good(OP(ENCRYPT), "sym", "{\"plaintext\":\"aGVsbG8=\",\"associated_data\":\"bmFtZQ==\"}");
    assert_int_equal(fake_bytes(call, "ciphertext", sealed, sizeof sealed), 56 + 5);
    open_by_openssl(base, sealed, 61, aad, bound(id, 1, 5, 0, "name", aad), text);
    assert_memory_equal(text, "hello", 5);
    /* a data key opens to what was shown */
    good(OP(INFO), "sym", "");
    version_key(secret_32, 32, 1, 2, "", base, 32);
    good(OP(DATAKEY), "sym", "{\"size\":48}");
    uint8_t plain[48];
    assert_int_equal(fake_bytes(call, "ciphertext", sealed, sizeof sealed), 56 + 48);
    assert_int_equal(fake_bytes(call, "plaintext", plain, sizeof plain), 48);
    open_by_openssl(base, sealed, 104, aad, bound(id, 2, 5, 0, "", aad), text);
    assert_memory_equal(text, plain, 48);
    call->purpose = 0;
}

static void test_sealed_derived(void **state)
{
    (void)state;
    uint8_t base[32], sealed[200], text[100], aad[200], id[16];
    assert_int_equal(fake_import(call, "derived", "aes-256", secret_32, 32, ",\"derived\":true"),
                     CSN_WIRE_STATUS_OK);
    version_key(secret_32, 32, 1, 1, "user-7", base, 32);
    key_id("derived", id);
    good(OP(ENCRYPT), "derived", "{\"plaintext\":\"aGVsbG8=\",\"context\":\"dXNlci03\"}");
    assert_int_equal(fake_bytes(call, "ciphertext", sealed, sizeof sealed), 61);
    open_by_openssl(base, sealed, 61, aad, bound(id, 1, 0, 6, "", aad), text);
    assert_memory_equal(text, "hello", 5);
    /* without a context, and an open one with another */
    assert_int_equal(fake_json(call, OP(ENCRYPT), "derived", "{\"plaintext\":\"aGVsbG8=\"}"),
                     CSN_WIRE_STATUS_MALFORMED);
}

static void round_trip(const char *sealing, const char *opening, const char *more)
{
    char ciphertext[400], text[600], plain[200];
    good(OP(ENCRYPT), "sym2", sealing);
    assert_true(fake_text(call, "ciphertext", ciphertext, sizeof ciphertext));
    snprintf(text, sizeof text, "{\"ciphertext\":\"%s\"%s}", ciphertext, more);
    good(OP(DECRYPT), "sym2", text);
    assert_true(fake_text(call, "plaintext", plain, sizeof plain));
    assert_string_equal(plain, opening);
}

static void test_round_trips(void **state)
{
    (void)state;
    good(OP(CREATE), "sym2", "{\"type\":\"aes-256\"}");
    round_trip("{\"plaintext\":\"\"}", "", "");
    round_trip("{\"plaintext\":\"aGVsbG8=\"}", "aGVsbG8=", "");
    round_trip("{\"plaintext\":\"aGVsbG8=\",\"associated_data\":\"AAE=\"}",
               "aGVsbG8=", ",\"associated_data\":\"AAE=\"");
    round_trip("{\"plaintext\":\"\\u0061GVsbG8=\"}", "aGVsbG8=", "");
}

static void test_data_keys(void **state)
{
    (void)state;
    char ciphertext[400], text[600], plain[200], again[200];
    good(OP(CREATE), "wrap", "{\"type\":\"aes-256\"}");
    good(OP(DATAKEY), "wrap", "{\"associated_data\":\"AAE=\"}");
    assert_true(fake_text(call, "ciphertext", ciphertext, sizeof ciphertext));
    assert_true(fake_text(call, "plaintext", plain, sizeof plain));
    snprintf(text, sizeof text, "{\"ciphertext\":\"%s\",\"associated_data\":\"AAE=\"}", ciphertext);
    good(OP(DATAKEY_OPEN), "wrap", text);
    assert_true(fake_text(call, "plaintext", again, sizeof again));
    assert_string_equal(plain, again);
    /* decrypt is not for data keys, and the other way round */
    assert_int_equal(fake_json(call, OP(DECRYPT), "wrap", text), CSN_WIRE_STATUS_NOT_FOUND);
    good(OP(ENCRYPT), "wrap", "{\"plaintext\":\"AAAA\",\"associated_data\":\"AAE=\"}");
    assert_true(fake_text(call, "ciphertext", ciphertext, sizeof ciphertext));
    snprintf(text, sizeof text, "{\"ciphertext\":\"%s\",\"associated_data\":\"AAE=\"}", ciphertext);
    assert_int_equal(fake_json(call, OP(DATAKEY_OPEN), "wrap", text), CSN_WIRE_STATUS_NOT_FOUND);
    good(OP(DATAKEY), "wrap", "{\"wrapped\":true}");
    assert_false(fake_text(call, "plaintext", plain, sizeof plain));
    assert_true(fake_text(call, "ciphertext", ciphertext, sizeof ciphertext));
    snprintf(text, sizeof text, "{\"ciphertext\":\"%s\"}", ciphertext);
    good(OP(DATAKEY_OPEN), "wrap", text);
    assert_int_equal(fake_json(call, OP(DATAKEY), "wrap", "{\"size\":65}"),
                     CSN_WIRE_STATUS_MALFORMED);
}

static void test_rewrap(void **state)
{
    (void)state;
    char old[400], text[600], plain[100];
    good(OP(CREATE), "roll", "{\"type\":\"aes-256\"}");
    good(OP(ENCRYPT), "roll", "{\"plaintext\":\"aGVsbG8=\"}");
    assert_true(fake_text(call, "ciphertext", old, sizeof old));
    good(OP(ROTATE), "roll", "{}");
    snprintf(text, sizeof text, "{\"ciphertext\":\"%s\"}", old);
    good(OP(REWRAP), "roll", text);
    assert_true(fake_text(call, "ciphertext", old, sizeof old));
    assert_memory_equal(old, "caisson:v2:", 11);
    snprintf(text, sizeof text, "{\"ciphertext\":\"%s\"}", old);
    good(OP(DECRYPT), "roll", text);
    assert_true(fake_text(call, "plaintext", plain, sizeof plain));
    assert_string_equal(plain, "aGVsbG8=");
}

/* ---- signatures ---- */

static EVP_PKEY *public_of(const char *name)
{
    uint8_t spki[200];
    const uint8_t *at = spki;
    good(OP(INFO), name, "");
    const uint32_t size = fake_bytes(call, "spki", spki, sizeof spki);
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, size);
    assert_non_null(key);
    return key;
}

static const EVP_MD *hash_of(const char *name)
{
    return strcmp(name, "sha2-256") == 0   ? EVP_sha256()
           : strcmp(name, "sha2-384") == 0 ? EVP_sha384()
                                           : EVP_sha512();
}

static bool openssl_verifies(EVP_PKEY *key, const EVP_MD *hash, const uint8_t *signature,
                             uint32_t size, const void *message, size_t message_size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, hash, NULL, key), 1);
    const int result = EVP_DigestVerify(context, signature, size, message, message_size);
    EVP_MD_CTX_free(context);
    return result == 1;
}

static void check_valid(const char *name, const char *request, bool valid)
{
    char said[10];
    good(OP(VERIFY), name, request);
    assert_true(fake_text(call, "valid", said, sizeof said));
    assert_string_equal(said, valid ? "true" : "false");
}

static void check_ecdsa(const char *name, const char *hash)
{
    char request[600], signature[300], input[120];
    uint8_t bytes[200], digest[64];
    unsigned digest_size;
    EVP_PKEY *key = public_of(name);
    /* the message */
    snprintf(request, sizeof request, "{\"input\":\"aGVsbG8=\",\"hash\":\"%s\"}", hash);
    good(OP(SIGN), name, request);
    uint32_t size = fake_bytes(call, "signature", bytes, sizeof bytes);
    assert_true(openssl_verifies(key, hash_of(hash), bytes, size, "hello", 5));
    assert_true(fake_text(call, "signature", signature, sizeof signature));
    snprintf(request, sizeof request,
             "{\"input\":\"aGVsbG8=\",\"hash\":\"%s\",\"signature\":\"%s\"}", hash, signature);
    check_valid(name, request, true);
    snprintf(request, sizeof request,
             "{\"input\":\"aGVsbGg=\",\"hash\":\"%s\",\"signature\":\"%s\"}", hash, signature);
    check_valid(name, request, false);
    /* the digest */
    EVP_Digest("hello", 5, digest, &digest_size, hash_of(hash), NULL);
    fake_base64(digest, digest_size, input);
    snprintf(request, sizeof request, "{\"input\":\"%s\",\"hash\":\"%s\",\"prehashed\":true}",
             input, hash);
    good(OP(SIGN), name, request);
    size = fake_bytes(call, "signature", bytes, sizeof bytes);
    assert_true(openssl_verifies(key, hash_of(hash), bytes, size, "hello", 5));
    fake_base64(digest, digest_size - 1, input);
    snprintf(request, sizeof request, "{\"input\":\"%s\",\"hash\":\"%s\",\"prehashed\":true}",
             input, hash);
    assert_int_equal(fake_json(call, OP(SIGN), name, request), CSN_WIRE_STATUS_MALFORMED);
    EVP_PKEY_free(key);
}

static void test_ecdsa(void **state)
{
    (void)state;
    static const char *const hashes[] = {"sha2-256", "sha2-384", "sha2-512"};
    good(OP(CREATE), "p256", "{\"type\":\"p-256\"}");
    good(OP(CREATE), "p384", "{\"type\":\"p-384\"}");
    for (int i = 0; i < 3; i++) {
        check_ecdsa("p256", hashes[i]);
        check_ecdsa("p384", hashes[i]);
    }
}

static void test_marshaling(void **state)
{
    (void)state;
    static const char *const names[] = {"raw", "jws"};
    char request[600], signature[300];
    uint8_t bytes[200], der[200];
    EVP_PKEY *key = public_of("p256");
    for (int i = 0; i < 2; i++) {
        snprintf(request, sizeof request, "{\"input\":\"aGVsbG8=\",\"marshaling\":\"%s\"}",
                 names[i]);
        good(OP(SIGN), "p256", request);
        assert_int_equal(fake_bytes(call, "signature", bytes, sizeof bytes), 64);
        ECDSA_SIG *pair = ECDSA_SIG_new();
        uint8_t *at = der;
        ECDSA_SIG_set0(pair, BN_bin2bn(bytes, 32, NULL), BN_bin2bn(bytes + 32, 32, NULL));
        const int size = i2d_ECDSA_SIG(pair, &at);
        ECDSA_SIG_free(pair);
        assert_true(openssl_verifies(key, EVP_sha256(), der, (uint32_t)size, "hello", 5));
        assert_true(fake_text(call, "signature", signature, sizeof signature));
        assert_int_equal(strlen(strrchr(signature, ':') + 1), i == 0 ? 88 : 86);
        snprintf(request, sizeof request,
                 "{\"input\":\"aGVsbG8=\",\"marshaling\":\"%s\",\"signature\":\"%s\"}", names[i],
                 signature);
        check_valid("p256", request, true);
        snprintf(request, sizeof request, "{\"input\":\"aGVsbG8=\",\"signature\":\"%s\"}",
                 signature);
        if (i == 0) { /* raw bytes are no DER */
            check_valid("p256", request, false);
        }
    }
    EVP_PKEY_free(key);
}

static void test_ed25519(void **state)
{
    (void)state;
    uint8_t bytes[64], theirs[64];
    size_t size = 64;
    char request[300], signature[200];
    assert_int_equal(fake_import(call, "ed", "ed25519", secret_32, 32, ""), CSN_WIRE_STATUS_OK);
    good(OP(SIGN), "ed", "{\"input\":\"aGVsbG8=\"}");
    assert_int_equal(fake_bytes(call, "signature", bytes, sizeof bytes), 64);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret_32, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, NULL, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, theirs, &size, (const uint8_t *)"hello", 5), 1);
    EVP_MD_CTX_free(context);
    assert_memory_equal(bytes, theirs, 64);
    assert_true(fake_text(call, "signature", signature, sizeof signature));
    snprintf(request, sizeof request, "{\"input\":\"aGVsbG8=\",\"signature\":\"%s\"}", signature);
    check_valid("ed", request, true);
    snprintf(request, sizeof request, "{\"input\":\"aGVsbGg=\",\"signature\":\"%s\"}", signature);
    check_valid("ed", request, false);
    /* bare, from elsewhere */
    snprintf(request, sizeof request, "{\"input\":\"aGVsbG8=\",\"signature\":\"%s\"}",
             strrchr(signature, ':') + 1);
    check_valid("ed", request, true);
    EVP_PKEY *public_key = public_of("ed");
    assert_int_equal(EVP_PKEY_eq(key, public_key), 1);
    EVP_PKEY_free(public_key);
    EVP_PKEY_free(key);
    assert_int_equal(fake_json(call, OP(SIGN), "ed", "{\"input\":\"\",\"hash\":\"sha2-256\"}"),
                     CSN_WIRE_STATUS_MALFORMED);
    assert_int_equal(fake_json(call, OP(SIGN), "ed", "{\"input\":\"\",\"prehashed\":true}"),
                     CSN_WIRE_STATUS_MALFORMED);
}

static void test_hmac(void **state)
{
    (void)state;
    static const char *const hashes[] = {"sha2-256", "sha2-384", "sha2-512"};
    uint8_t secret[64], bytes[64], theirs[64], derived[32];
    char request[400], mac[200];
    unsigned size;
    memset(secret, 0x3c, sizeof secret);
    assert_int_equal(fake_import(call, "mac", "hmac", secret, 64, ""), CSN_WIRE_STATUS_OK);
    for (int i = 0; i < 3; i++) {
        snprintf(request, sizeof request, "{\"input\":\"aGVsbG8=\",\"hash\":\"%s\"}", hashes[i]);
        good(OP(MAC), "mac", request);
        HMAC(hash_of(hashes[i]), secret, 64, (const uint8_t *)"hello", 5, theirs, &size);
        assert_int_equal(fake_bytes(call, "hmac", bytes, sizeof bytes), size);
        assert_memory_equal(bytes, theirs, size);
        assert_true(fake_text(call, "hmac", mac, sizeof mac));
        snprintf(request, sizeof request,
                 "{\"input\":\"aGVsbG8=\",\"hash\":\"%s\",\"hmac\":\"%s\"}", hashes[i], mac);
        check_valid("mac", request, true);
        theirs[size - 1] ^= 1;
        fake_base64(theirs, size, mac);
        snprintf(request, sizeof request,
                 "{\"input\":\"aGVsbG8=\",\"hash\":\"%s\",\"hmac\":\"%s\"}", hashes[i], mac);
        check_valid("mac", request, false);
    }
    HMAC(EVP_sha256(), secret, 64, (const uint8_t *)"hello", 5, theirs, &size);
    fake_base64(theirs, 16, mac); /* a part of one is none */
    snprintf(request, sizeof request, "{\"input\":\"aGVsbG8=\",\"hmac\":\"%s\"}", mac);
    check_valid("mac", request, false);
    assert_int_equal(fake_import(call, "mac2", "hmac", secret, 16, ",\"derived\":true"),
                     CSN_WIRE_STATUS_OK);
    version_key(secret, 16, 1, 4, "ctx", derived, 32);
    good(OP(MAC), "mac2", "{\"input\":\"aGVsbG8=\",\"context\":\"Y3R4\"}");
    HMAC(EVP_sha256(), derived, 32, (const uint8_t *)"hello", 5, theirs, &size);
    assert_int_equal(fake_bytes(call, "hmac", bytes, sizeof bytes), 32);
    assert_memory_equal(bytes, theirs, 32);
}

/* ---- agreement ---- */

static void test_derive(void **state)
{
    (void)state;
    uint8_t bytes[1024], theirs[1024];
    assert_int_equal(
        fake_import(call, "kdf", "aes-256", secret_32, 32, ",\"operations\":[\"derive\"]"),
        CSN_WIRE_STATUS_OK);
    version_key(secret_32, 32, 1, 3, "user", theirs, 1024);
    good(OP(DERIVE), "kdf", "{\"context\":\"dXNlcg==\",\"size\":1024}");
    assert_int_equal(fake_bytes(call, "key", bytes, sizeof bytes), 1024);
    assert_memory_equal(bytes, theirs, 1024);
    assert_int_equal(fake_json(call, OP(DERIVE), "kdf", "{\"size\":32}"),
                     CSN_WIRE_STATUS_MALFORMED);
    assert_int_equal(fake_json(call, OP(DERIVE), "kdf", "{\"context\":\"dXNl\",\"size\":1025}"),
                     CSN_WIRE_STATUS_MALFORMED);
    assert_int_equal(fake_json(call, OP(ENCRYPT), "kdf", "{\"plaintext\":\"\"}"),
                     CSN_WIRE_STATUS_POLICY);
}

static void check_agree(const char *name, EVP_PKEY *theirs, const uint8_t *public_key,
                        uint32_t public_size, uint32_t size)
{
    char text[200], request[300];
    uint8_t ours[48], shared[48], key[40], expected[40];
    size_t shared_size = sizeof shared;
    fake_base64(public_key, public_size, text);
    snprintf(request, sizeof request, "{\"public_key\":\"%s\",\"kdf\":\"none\"}", text);
    good(OP(AGREE), name, request);
    assert_int_equal(fake_bytes(call, "secret", ours, sizeof ours), size);
    EVP_PKEY *peer = public_of(name);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(theirs, NULL);
    assert_int_equal(EVP_PKEY_derive_init(context), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(context, peer), 1);
    assert_int_equal(EVP_PKEY_derive(context, shared, &shared_size), 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
    assert_int_equal(shared_size, size);
    assert_memory_equal(ours, shared, size);
    hkdf(NULL, 0, shared, size, (const uint8_t *)"app", 3, expected, 40);
    snprintf(request, sizeof request, "{\"public_key\":\"%s\",\"info\":\"YXBw\",\"size\":40}",
             text);
    good(OP(AGREE), name, request);
    assert_int_equal(fake_bytes(call, "secret", key, sizeof key), 40);
    assert_memory_equal(key, expected, 40);
}

static void test_agree(void **state)
{
    (void)state;
    uint8_t public_key[97];
    size_t size = 32;
    good(OP(CREATE), "x", "{\"type\":\"x25519\"}");
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret_32, 32);
    assert_int_equal(EVP_PKEY_get_raw_public_key(key, public_key, &size), 1);
    check_agree("x", key, public_key, 32, 32);
    EVP_PKEY_free(key);
    static const char *const curves[] = {"P-256", "P-384"};
    static const char *const names[] = {"dh256", "dh384"};
    for (int i = 0; i < 2; i++) {
        char request[100];
        snprintf(request, sizeof request, "{\"type\":\"p-%d\",\"operations\":[\"agree\"]}",
                 i == 0 ? 256 : 384);
        good(OP(CREATE), names[i], request);
        key = EVP_EC_gen(curves[i]);
        assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, public_key,
                                                         sizeof public_key, &size),
                         1);
        check_agree(names[i], key, public_key, (uint32_t)size, i == 0 ? 32 : 48);
        EVP_PKEY_free(key);
        /* a point that is not on the curve, and a key that agrees does not sign */
        char text[200], bad[300];
        public_key[40] ^= 1;
        fake_base64(public_key, (uint32_t)size, text);
        snprintf(bad, sizeof bad, "{\"public_key\":\"%s\"}", text);
        assert_int_equal(fake_json(call, OP(AGREE), names[i], bad), CSN_WIRE_STATUS_MALFORMED);
        assert_int_equal(fake_json(call, OP(SIGN), names[i], "{\"input\":\"\"}"),
                         CSN_WIRE_STATUS_POLICY);
    }
}

static void test_kem(void **state)
{
    (void)state;
    static struct csn_mlkem_key ours;
    uint8_t seed[64], shared[32], again[32], ciphertext[1088], public_key[1184];
    char text[3200], word[1600];
    memset(seed, 7, sizeof seed);
    assert_int_equal(csn_mlkem_key_init(&ours, seed), CSN_OK);
    assert_int_equal(fake_import(call, "kem", "ml-kem-768", seed, 64, ""), CSN_WIRE_STATUS_OK);
    assert_int_equal(fake_bytes(call, "public_key", public_key, sizeof public_key), 1184);
    assert_memory_equal(public_key, ours.public.bytes, 1184);
    good(OP(ENCAPSULATE), "kem", "{}");
    assert_int_equal(fake_bytes(call, "shared_secret", shared, 32), 32);
    assert_int_equal(fake_bytes(call, "ciphertext", ciphertext, 1088), 1088);
    assert_int_equal(csn_mlkem_decapsulate(&ours, ciphertext, 1088, again), CSN_OK);
    assert_memory_equal(shared, again, 32);
    assert_true(fake_text(call, "ciphertext", word, sizeof word));
    snprintf(text, sizeof text, "{\"ciphertext\":\"%s\"}", word);
    good(OP(DECAPSULATE), "kem", text);
    assert_int_equal(fake_bytes(call, "shared_secret", again, 32), 32);
    assert_memory_equal(shared, again, 32);
    /* another version has another secret, though the bytes are the same */
    good(OP(ROTATE), "kem", "{}");
    snprintf(text, sizeof text, "{\"ciphertext\":\"%s\"}", strrchr(word, ':') + 1);
    good(OP(DECAPSULATE), "kem", text);
    assert_int_equal(fake_bytes(call, "shared_secret", again, 32), 32);
    assert_memory_not_equal(shared, again, 32);
    assert_int_equal(fake_json(call, OP(DECAPSULATE), "kem", "{\"ciphertext\":\"AAAA\"}"),
                     CSN_WIRE_STATUS_MALFORMED);
}

/* ---- FF1 ---- */

static void check_fpe(const char *alphabet, const char *characters, const char *value)
{
    char request[300], made[100], back[100];
    uint16_t expected[100];
    struct csr_ff1 ff1;
    const uint32_t count = (uint32_t)strlen(value);
    for (uint32_t i = 0; i < count; i++) {
        expected[i] = (uint16_t)(strchr(characters, value[i]) - characters);
    }
    assert_true(csr_ff1_init(&ff1, secret_32, 32));
    assert_true(csr_ff1_run(&ff1, CSR_FF1_BIGNUM, true, (const uint8_t *)"tw", 2,
                            (uint32_t)strlen(characters), expected, count));
    csr_ff1_free(&ff1);
    snprintf(request, sizeof request, "{\"value\":\"%s\",\"tweak\":\"dHc=\",\"alphabet\":\"%s\"}",
             value, alphabet);
    good(OP(FPE_ENCRYPT), "ff1", request);
    assert_true(fake_text(call, "value", made, sizeof made));
    assert_int_equal(strlen(made), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(made[i], characters[expected[i]]);
    }
    snprintf(request, sizeof request, "{\"value\":\"%s\",\"tweak\":\"dHc=\",\"alphabet\":\"%s\"}",
             made, alphabet);
    good(OP(FPE_DECRYPT), "ff1", request);
    assert_true(fake_text(call, "value", back, sizeof back));
    assert_string_equal(back, value);
}

static void test_fpe(void **state)
{
    (void)state;
    assert_int_equal(fake_import(call, "ff1", "ff1", secret_32, 32, ""), CSN_WIRE_STATUS_OK);
    check_fpe("digits", "0123456789", "4111111111111111");
    check_fpe("hex", "0123456789abcdef", "deadbeef01");
    check_fpe("alnum", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "Zz09aA");
    check_fpe("=zyxcba.0", "zyxcba.0", "abc.0zyx");
    static const char *const bad[] = {
        "{\"value\":\"12345\"}",                                  /* a domain below a million */
        "{\"value\":\"12345678x\"}",                              /* not of the alphabet */
        "{\"value\":\"12345678\",\"alphabet\":\"=\"}",            /* no characters */
        "{\"value\":\"1111111111111111\",\"alphabet\":\"=121\"}", /* one twice */
        "{\"value\":\"11111111\",\"alphabet\":\"roman\"}",        /* none that there is */
        "{\"value\":\"\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(fake_json(call, OP(FPE_ENCRYPT), "ff1", bad[i]),
                         CSN_WIRE_STATUS_MALFORMED);
    }
}

/* ---- base64 ---- */

static void test_base64(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "A",    "AA",   "AAA",  "=",    "A===", "====",    "AB==",     "AAB=",     "A=AA",
        "AA=A", "AA-_", "AA*A", "AA A", "AAA,", "AA\\n==", "AA==AAAA", "AAAAA===",
    };
    char text[400], request[500], said[400];
    uint8_t bytes[100];
    good(OP(CREATE), "b64", "{\"type\":\"aes-256\"}");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(request, sizeof request, "{\"plaintext\":\"%s\"}", bad[i]);
        assert_int_equal(fake_json(call, OP(ENCRYPT), "b64", request), CSN_WIRE_STATUS_MALFORMED);
    }
    for (int size = 0; size < 100; size++) { /* there and back, and as OpenSSL writes it */
        for (int i = 0; i < size; i++) {
            bytes[i] = (uint8_t)(size * 37 + i * 101);
        }
        EVP_EncodeBlock((uint8_t *)text, bytes, size);
        snprintf(request, sizeof request, "{\"plaintext\":\"%s\"}", text);
        good(OP(ENCRYPT), "b64", request);
        assert_true(fake_text(call, "ciphertext", said, sizeof said));
        snprintf(request, sizeof request, "{\"ciphertext\":\"%s\"}", said);
        good(OP(DECRYPT), "b64", request);
        assert_true(fake_text(call, "plaintext", said, sizeof said));
        assert_string_equal(said, text);
    }
}

/* ---- batches ---- */

static void test_batch(void **state)
{
    (void)state;
    char ciphertext[300], request[900];
    good(OP(CREATE), "many", "{\"type\":\"aes-256\"}");
    good(OP(ENCRYPT), "many",
         "{\"batch_input\":[{\"plaintext\":\"AAAA\"},{\"plaintext\":\"A\"},{\"input\":\"AAAA\"},"
         "{\"plaintext\":\"AAAA\",\"version\":9},7,{\"plaintext\":\"\"}]}");
    static const char *const statuses[] = {"ok",        "malformed", "malformed",
                                           "not-found", "malformed", "ok"};
    const char *at = (const char *)call->output;
    for (int i = 0; i < 6; i++) {
        char expected[40];
        at = strstr(at, "\"status\":");
        assert_non_null(at);
        snprintf(expected, sizeof expected, "\"status\":\"%s\"", statuses[i]);
        assert_memory_equal(at, expected, strlen(expected));
        at++;
    }
    assert_null(strstr(at, "\"status\":"));
    /* one that was spoilt does not spoil its neighbours */
    assert_true(fake_text(call, "ciphertext", ciphertext, sizeof ciphertext));
    char spoilt[300];
    strcpy(spoilt, ciphertext);
    spoilt[strlen(spoilt) - 6] = spoilt[strlen(spoilt) - 6] == 'A' ? 'B' : 'A';
    snprintf(request, sizeof request,
             "{\"batch_input\":[{\"ciphertext\":\"%s\"},{\"ciphertext\":\"%s\"},{\"ciphertext\":"
             "\"%s\"}]}",
             ciphertext, spoilt, ciphertext);
    good(OP(DECRYPT), "many", request);
    assert_string_equal((const char *)call->output,
                        "{\"batch_results\":[{\"status\":\"ok\",\"plaintext\":\"AAAA\",\"version\":"
                        "1},{\"status\":\"not-found\"},{\"status\":\"ok\",\"plaintext\":\"AAAA\","
                        "\"version\":1}]}");
}

static void test_random(void **state)
{
    (void)state;
    uint8_t first[4096], second[4096];
    good(OP(RANDOM), NULL, "{\"size\":4096}");
    assert_int_equal(fake_bytes(call, "random", first, sizeof first), 4096);
    good(OP(RANDOM), NULL, "{\"size\":4096}");
    assert_int_equal(fake_bytes(call, "random", second, sizeof second), 4096);
    assert_memory_not_equal(first, second, 4096);
    good(OP(RANDOM), NULL, "{\"batch_input\":[{},{}],\"size\":16}");
    assert_int_equal(fake_json(call, OP(RANDOM), NULL, "{\"size\":4097}"),
                     CSN_WIRE_STATUS_MALFORMED);
    assert_int_equal(fake_json(call, OP(RANDOM), NULL, "{\"size\":0}"), CSN_WIRE_STATUS_MALFORMED);
    call->random_fails = true;
    assert_int_equal(fake_json(call, OP(RANDOM), NULL, "{}"), CSN_WIRE_STATUS_INTERNAL);
    assert_int_equal(fake_json(call, OP(CREATE), "norandom", "{\"type\":\"p-256\"}"),
                     CSN_WIRE_STATUS_INTERNAL);
    call->random_fails = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sealed_text), cmocka_unit_test(test_sealed_derived),
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_data_keys),
        cmocka_unit_test(test_rewrap),      cmocka_unit_test(test_ecdsa),
        cmocka_unit_test(test_marshaling),  cmocka_unit_test(test_ed25519),
        cmocka_unit_test(test_hmac),        cmocka_unit_test(test_derive),
        cmocka_unit_test(test_agree),       cmocka_unit_test(test_kem),
        cmocka_unit_test(test_fpe),         cmocka_unit_test(test_base64),
        cmocka_unit_test(test_batch),       cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
