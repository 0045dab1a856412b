/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_key_wrap.c: is key wrap with padding that of RFC 5649? Every Wycheproof case, and each size
 * up to 300 bytes against OpenSSL. Seeded bugs: mutant_wrap_*.
 */
#include "../skip.h"
#include "vectors.h"
#include <crypto/cpu.h>
#include <crypto/key_wrap.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

static bool wrap_case(const cJSON *group, const cJSON *test, bool *skip)
{
    (void)group, (void)skip;
    struct vector_bytes secret = vector_hex(test, "key"), message = vector_hex(test, "msg");
    struct vector_bytes given = vector_hex(test, "ct");
    struct csn_aes_key key;
    uint32_t size = 77;
    uint8_t *output = calloc(1, given.size + message.size + 16);
    assert_int_equal(csn_aes_key_init(&key, secret.bytes, secret.size), CSN_OK);
    csn_err wrapped = csn_key_wrap(&key, message.bytes, (uint32_t)message.size, output);
    bool same = wrapped == CSN_OK && csn_key_wrap_size((uint32_t)message.size) == given.size &&
                memcmp(output, given.bytes, given.size) == 0;
    csn_err err = csn_key_unwrap(&key, given.bytes, (uint32_t)given.size, output, &size);
    bool opened = err == CSN_OK && size == message.size && memcmp(output, message.bytes, size) == 0;
    free(output);
    vector_free(&secret), vector_free(&message), vector_free(&given);
    return vector_valid(test) ? same && opened : err == CSN_ERR_AUTH && size == 0;
}

static void test_wycheproof(void **state)
{
    (void)state;
    cJSON *root = vector_load("wycheproof/aes_kwp_test.json");
    if (root == NULL) {
        printf("# skipped: aes_kwp_test.json is not there (CAISSON_SHARED)\n");
        skip();
    }
    struct vector_tally tally = vector_judge_all(root, wrap_case);
    cJSON_Delete(root);
    printf("# aes_kwp_test.json: %d run of %d, %d wrong\n", tally.run, tally.total, tally.wrong);
    assert_int_equal(tally.run, 254);
    assert_int_equal(tally.total, 254);
    assert_int_equal(tally.wrong, 0);
}

static uint32_t peer_wrap(const uint8_t key[32], const uint8_t *secret, uint32_t size,
                          uint8_t *wrapped)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int made = 0;
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_256_wrap_pad(), NULL, key, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, wrapped, &made, secret, (int)size), 1);
    EVP_CIPHER_CTX_free(context);
    return (uint32_t)made;
}

/* Each size, and each byte of what was wrapped spoilt in one bit. */
static void test_sizes(void **state)
{
    (void)state;
    uint8_t bytes[32], secret[300], wrapped[320], expected[320], output[320], zero[320] = {0};
    struct csn_aes_key key;
    for (uint32_t size = 1; size <= sizeof secret; size++) {
        uint32_t made = 0;
        for (uint32_t i = 0; i < size; i++) {
            secret[i] = (uint8_t)rand();
            bytes[i % 32] = (uint8_t)rand();
        }
        assert_int_equal(csn_aes_key_init(&key, bytes, sizeof bytes), CSN_OK);
        memset(wrapped, 0xee, sizeof wrapped);
        assert_int_equal(csn_key_wrap(&key, secret, size, wrapped), CSN_OK);
        const uint32_t wrapped_size = peer_wrap(bytes, secret, size, expected);
        assert_int_equal(csn_key_wrap_size(size), wrapped_size);
        assert_memory_equal(wrapped, expected, wrapped_size);
        assert_int_equal(wrapped[wrapped_size], 0xee);
        assert_int_equal(csn_key_unwrap(&key, wrapped, wrapped_size, output, &made), CSN_OK);
        assert_int_equal(made, size);
        assert_memory_equal(output, secret, size);
        for (uint32_t i = 0; i < wrapped_size; i += 1 + size / 16) {
            wrapped[i] ^= (uint8_t)(1 << i % 8);
            assert_int_equal(csn_key_unwrap(&key, wrapped, wrapped_size, output, &made),
                             CSN_ERR_AUTH);
            assert_int_equal(made, 0);
            assert_memory_equal(output, zero, wrapped_size - 8);
            wrapped[i] ^= (uint8_t)(1 << i % 8);
        }
        for (uint32_t more = 1; more < 8; more++) {
            assert_int_equal(csn_key_unwrap(&key, wrapped, wrapped_size + more, output, &made),
                             CSN_ERR_AUTH);
        }
        for (uint32_t cut = 0; cut < wrapped_size; cut += 1 + size / 16) {
            assert_int_equal(csn_key_unwrap(&key, wrapped, cut, output, &made), CSN_ERR_AUTH);
        }
    }
}

static void test_limits(void **state)
{
    (void)state;
    static uint8_t secret[CSN_KEY_WRAP_SIZE_MAX + 1], wrapped[CSN_KEY_WRAP_SIZE_MAX + 24];
    static uint8_t output[CSN_KEY_WRAP_SIZE_MAX + 24];
    struct csn_aes_key key;
    uint32_t made;
    assert_int_equal(csn_aes_key_init(&key, secret, 32), CSN_OK);
    assert_int_equal(csn_key_wrap(&key, secret, 0, wrapped), CSN_ERR_ARGUMENT);
    assert_int_equal(csn_key_wrap(&key, secret, sizeof secret, wrapped), CSN_ERR_ARGUMENT);
    assert_int_equal(csn_key_wrap(&key, secret, CSN_KEY_WRAP_SIZE_MAX, wrapped), CSN_OK);
    assert_int_equal(csn_key_unwrap(&key, wrapped, CSN_KEY_WRAP_SIZE_MAX + 8, output, &made),
                     CSN_OK);
    assert_int_equal(made, CSN_KEY_WRAP_SIZE_MAX);
    peer_wrap(secret, secret, sizeof secret, wrapped);
    assert_int_equal(csn_key_unwrap(&key, wrapped, CSN_KEY_WRAP_SIZE_MAX + 16, output, &made),
                     CSN_ERR_AUTH);
}

static void test_self(void **state)
{
    (void)state;
    assert_int_equal(csn_key_wrap_self_test(), CSN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self),
        cmocka_unit_test(test_wycheproof),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_sizes),
    };
    uint64_t features;
    srand(1);
    if (csn_cpu_features(&features) != CSN_OK) {
        return test_skip("no AES-NI");
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
