/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_aead_suite.c: do the three numbered AEADs give what Wycheproof and OpenSSL say, at every
 * length, in place and apart, and does a forgery leave nothing behind?
 */
#include "vectors.h"
#include <crypto/aead_suite.h>
#include <crypto/cpu.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define SIZE_MAX_TESTED 700u

static const uint32_t suites[3] = {CSN_AEAD_AES_128_GCM, CSN_AEAD_AES_256_GCM,
                                   CSN_AEAD_CHACHA20_POLY1305};

/* ---- Wycheproof ---- */

/* 0 as published, 1 not, -1 out of scope. */
static int judge(uint32_t aead, const cJSON *group, const cJSON *test)
{
    if (vector_number(group, "keySize") != 8 * (int)csn_aead_key_size(aead) ||
        vector_number(group, "ivSize") != 96) {
        return -1;
    }
    struct vector_bytes key = vector_hex(test, "key"), nonce = vector_hex(test, "iv");
    struct vector_bytes aad = vector_hex(test, "aad"), plain = vector_hex(test, "msg");
    struct vector_bytes cipher = vector_hex(test, "ct"), tag = vector_hex(test, "tag");
    uint8_t *output = calloc(1, plain.size + 1), made[16];
    struct csn_aead_text text = {.key = key.bytes,
                                 .nonce = nonce.bytes,
                                 .aad = aad.bytes,
                                 .aad_size = (uint32_t)aad.size,
                                 .size = (uint32_t)plain.size,
                                 .input = plain.bytes,
                                 .output = output};
    assert_int_equal(csn_aead_seal(aead, &text, made), CSN_OK);
    bool same = memcmp(output, cipher.bytes, plain.size) == 0 && memcmp(made, tag.bytes, 16) == 0;
    text.input = cipher.bytes;
    csn_err err = csn_aead_open(aead, &text, tag.bytes);
    bool opened = err == CSN_OK && memcmp(output, plain.bytes, plain.size) == 0;
    bool valid = strcmp(vector_text(test, "result"), "valid") == 0;
    free(output);
    vector_free(&key), vector_free(&nonce), vector_free(&aad);
    vector_free(&plain), vector_free(&cipher), vector_free(&tag);
    return valid ? !(same && opened) : err != CSN_ERR_AUTH;
}

static void run_wycheproof(const char *name, uint32_t aead, int expected)
{
    cJSON *root = vector_load(name);
    const cJSON *group, *test;
    int run = 0, skipped = 0, wrong = 0;
    if (root == NULL) {
        printf("# skipped: %s is not there (CAISSON_SHARED)\n", name);
        skip();
    }
    cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(root, "testGroups"))
    {
        cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(group, "tests"))
        {
            int result = judge(aead, group, test);
            run += result >= 0;
            skipped += result < 0;
            wrong += result > 0;
        }
    }
    printf("# %s, AEAD %u: %d run, %d of other key or nonce sizes\n", name, aead, run, skipped);
    assert_int_equal(run, expected);
    assert_int_equal(wrong, 0);
    cJSON_Delete(root);
}

static void test_wycheproof(void **state)
{
    (void)state;
    run_wycheproof("wycheproof/aes_gcm_test.json", CSN_AEAD_AES_128_GCM, 67);
    run_wycheproof("wycheproof/aes_gcm_test.json", CSN_AEAD_AES_256_GCM, 66);
    run_wycheproof("wycheproof/chacha20_poly1305_test.json", CSN_AEAD_CHACHA20_POLY1305, 316);
}

/* ---- OpenSSL ---- */

static const EVP_CIPHER *peer_of(uint32_t aead)
{
    return aead == CSN_AEAD_AES_128_GCM   ? EVP_aes_128_gcm()
           : aead == CSN_AEAD_AES_256_GCM ? EVP_aes_256_gcm()
                                          : EVP_chacha20_poly1305();
}

static void peer_seal(uint32_t aead, const struct csn_aead_text *text, uint8_t *cipher,
                      uint8_t tag[16])
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int size = 0;
    assert_int_equal(EVP_EncryptInit_ex(context, peer_of(aead), NULL, text->key, text->nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(context, NULL, &size, text->aad, (int)text->aad_size), 1);
    assert_int_equal(EVP_EncryptUpdate(context, cipher, &size, text->input, (int)text->size), 1);
    assert_int_equal(EVP_EncryptFinal_ex(context, cipher + size, &size), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag), 1);
    EVP_CIPHER_CTX_free(context);
}

static void fill(uint8_t *bytes, uint32_t size, uint32_t seed)
{
    for (uint32_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static void check_length(uint32_t aead, uint32_t size, uint32_t aad_size)
{
    uint8_t key[32], nonce[12], aad[64], plain[SIZE_MAX_TESTED], peer[SIZE_MAX_TESTED + 1];
    uint8_t buffer[SIZE_MAX_TESTED + 1], peer_tag[16], tag[16];
    static const uint8_t zeros[SIZE_MAX_TESTED];
    fill(key, sizeof key, size + 1), fill(nonce, sizeof nonce, size + 2);
    fill(aad, sizeof aad, size + 3), fill(plain, sizeof plain, size + 4);
    memcpy(buffer, plain, sizeof plain);
    buffer[size] = 0xa5; /* a byte behind the text, to stay as it is */
    struct csn_aead_text text = {key, nonce, aad, aad_size, size, plain, buffer};
    peer_seal(aead, &text, peer, peer_tag);
    text.input = buffer; /* in place */
    assert_int_equal(csn_aead_seal(aead, &text, tag), CSN_OK);
    assert_memory_equal(buffer, peer, size);
    assert_memory_equal(tag, peer_tag, 16);
    assert_int_equal(csn_aead_open(aead, &text, tag), CSN_OK);
    assert_memory_equal(buffer, plain, size);
    text.input = peer; /* apart, and forged in a bit of text, associated data or tag */
    uint32_t kind = size % 3;
    uint8_t *target = kind == 0 && size > 0 ? peer : kind == 1 && aad_size > 0 ? aad : tag;
    target[0] ^= 0x10;
    assert_int_equal(csn_aead_open(aead, &text, tag), CSN_ERR_AUTH);
    assert_memory_equal(buffer, zeros, size);
    assert_int_equal(buffer[size], 0xa5);
}

static void test_openssl(void **state)
{
    (void)state;
    int count = 0;
    for (uint32_t s = 0; s < 3; s++) {
        for (uint32_t size = 0; size < SIZE_MAX_TESTED; size++) {
            check_length(suites[s], size, size % 41);
            count++;
        }
    }
    printf("# %d texts, each sealed by both, opened, and refused when changed\n", count);
}

static void test_numbers(void **state)
{
    (void)state;
    uint8_t tag[16] = {0};
    const struct csn_aead_text text = {0};
    assert_int_equal(csn_aead_key_size(CSN_AEAD_AES_128_GCM), 16);
    assert_int_equal(csn_aead_key_size(CSN_AEAD_CHACHA20_POLY1305), 32);
    assert_int_equal(csn_aead_key_size(0), 0);
    assert_int_equal(csn_aead_key_size(0xffff), 0); /* RFC 9180's export-only */
    assert_int_equal(csn_aead_seal(4, &text, tag), CSN_ERR_SUITE);
    assert_int_equal(csn_aead_open(0, &text, tag), CSN_ERR_SUITE);
}

int main(void)
{
    uint64_t kernels[VECTOR_KERNELS_MAX];
    uint32_t count = vector_kernels(kernels);
    if (count == 0 || csn_cpu_select(kernels[count - 1]) != CSN_OK) {
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wycheproof),
        cmocka_unit_test(test_openssl),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
