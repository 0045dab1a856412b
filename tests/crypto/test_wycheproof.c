/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_wycheproof.c: does every published Wycheproof case in scope give the published result?
 *
 * Each case runs on every kernel that this CPU has. What is out of scope is counted by reason.
 * Negative control: the same runs against a seeded wrong judge must find differences.
 */
#include "vectors.h"
#include <crypto/aead.h>
#include <crypto/cpu.h>
#include <crypto/curve.h>
#include <crypto/sha2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

/* The seeded bug of the negative control: a tag comparison that looks at all but the last byte. */
static size_t tag_bytes_compared = 16;

static bool gcm_case(const cJSON *group, const cJSON *test, bool *skip)
{
    if (vector_number(group, "keySize") != 256 || vector_number(group, "ivSize") != 96) {
        *skip = true;
        return true;
    }
    struct vector_bytes key = vector_hex(test, "key"), nonce = vector_hex(test, "iv");
    struct vector_bytes aad = vector_hex(test, "aad"), plain = vector_hex(test, "msg");
    struct vector_bytes cipher = vector_hex(test, "ct"), tag = vector_hex(test, "tag");
    struct csn_gcm_key schedule;
    uint8_t made[16];
    uint8_t *output = calloc(1, plain.size + 1);
    csn_gcm_key_init(&schedule, key.bytes);
    struct csn_gcm_item item = {.key = &schedule,
                                .aad = aad.bytes,
                                .aad_size = (uint32_t)aad.size,
                                .size = (uint32_t)plain.size,
                                .input = plain.bytes,
                                .output = output,
                                .tag = made};
    memcpy(item.nonce, nonce.bytes, 12);
    csn_gcm_seal_batch(&item, 1);
    bool same = memcmp(output, cipher.bytes, plain.size) == 0 && memcmp(made, tag.bytes, 16) == 0;
    memcpy(made, tag.bytes, tag_bytes_compared); /* 16, but for the control */
    item.input = cipher.bytes;
    csn_gcm_open_batch(&item, 1);
    bool opened = item.result == CSN_OK && memcmp(output, plain.bytes, plain.size) == 0;
    free(output);
    vector_free(&key), vector_free(&nonce), vector_free(&aad);
    vector_free(&plain), vector_free(&cipher), vector_free(&tag);
    return vector_valid(test) ? same && opened : item.result == CSN_ERR_AUTH;
}

static bool x25519_case(const cJSON *group, const cJSON *test, bool *skip)
{
    (void)group, (void)skip;
    struct vector_bytes public = vector_hex(test, "public"), secret = vector_hex(test, "private");
    struct vector_bytes shared = vector_hex(test, "shared");
    uint8_t result[32];
    static const uint8_t zero[32];
    csn_err err = csn_x25519(result, secret.bytes, public.bytes);
    /* A shared secret of zero must be refused, even where the file calls it acceptable. */
    bool zero_expected = memcmp(shared.bytes, zero, 32) == 0;
    bool good = zero_expected ? err == CSN_ERR_AUTH && memcmp(result, zero, 32) == 0
                              : err == CSN_OK && memcmp(result, shared.bytes, 32) == 0;
    vector_free(&public), vector_free(&secret), vector_free(&shared);
    return good;
}

static bool ed25519_case(const cJSON *group, const cJSON *test, bool *skip)
{
    (void)skip;
    struct vector_bytes key =
        vector_hex(cJSON_GetObjectItemCaseSensitive(group, "publicKey"), "pk");
    struct vector_bytes message = vector_hex(test, "msg"), signature = vector_hex(test, "sig");
    csn_err err = CSN_ERR_AUTH; /* a signature of another size cannot even be passed */
    if (signature.size == 64) {
        err = csn_ed25519_verify(signature.bytes, message.bytes, message.size, key.bytes);
    }
    vector_free(&key), vector_free(&message), vector_free(&signature);
    return (err == CSN_OK) == vector_valid(test);
}

static bool hkdf_case(const cJSON *group, const cJSON *test, bool *skip)
{
    (void)group, (void)skip;
    struct vector_bytes secret = vector_hex(test, "ikm"), salt = vector_hex(test, "salt");
    struct vector_bytes info = vector_hex(test, "info"), okm = vector_hex(test, "okm");
    size_t size = (size_t)vector_number(test, "size");
    uint8_t *output = calloc(1, size + 1);
    csn_err err = csn_hkdf(salt.bytes, salt.size, secret.bytes, secret.size, info.bytes, info.size,
                           output, size);
    bool good = vector_valid(test) ? err == CSN_OK && memcmp(output, okm.bytes, size) == 0
                                   : err == CSN_ERR_ARGUMENT;
    free(output);
    vector_free(&secret), vector_free(&salt), vector_free(&info), vector_free(&okm);
    return good;
}

static bool hmac_case(const cJSON *group, const cJSON *test, bool *skip)
{
    (void)skip;
    struct vector_bytes secret = vector_hex(test, "key"), message = vector_hex(test, "msg");
    struct vector_bytes tag = vector_hex(test, "tag");
    struct csn_hmac_key key;
    uint8_t made[32];
    csn_hmac_key_init(&key, secret.bytes, secret.size);
    csn_hmac(&key, message.bytes, message.size, made);
    bool same = memcmp(made, tag.bytes, (size_t)vector_number(group, "tagSize") / 8) == 0;
    vector_free(&secret), vector_free(&message), vector_free(&tag);
    return same == vector_valid(test);
}

static bool hmac_384_case(const cJSON *group, const cJSON *test, bool *skip)
{
    (void)skip;
    struct vector_bytes secret = vector_hex(test, "key"), message = vector_hex(test, "msg");
    struct vector_bytes tag = vector_hex(test, "tag");
    uint8_t made[48];
    csn_hmac_384(secret.bytes, secret.size, message.bytes, message.size, made);
    bool same = memcmp(made, tag.bytes, (size_t)vector_number(group, "tagSize") / 8) == 0;
    vector_free(&secret), vector_free(&message), vector_free(&tag);
    return same == vector_valid(test);
}

static struct vector_tally run_file(const char *name, vector_judge judge)
{
    struct vector_tally tally = {0};
    int wrong = 0;
    uint64_t kernels[VECTOR_KERNELS_MAX];
    uint32_t kernel_count = vector_kernels(kernels);
    cJSON *root = vector_load(name);
    if (root == NULL || kernel_count == 0) {
        printf("# skipped: %s is not there (CAISSON_SHARED), or no AES-NI\n", name);
        skip();
    }
    for (uint32_t k = 0; k < kernel_count; k++) {
        assert_int_equal(csn_cpu_select(kernels[k]), CSN_OK);
        tally = vector_judge_all(root, judge);
        wrong += tally.wrong;
    }
    tally.wrong = wrong;
    printf("# %s: %d run, %d out of scope, of %d, on %u kernel sets, %d wrong\n", name, tally.run,
           tally.skipped, tally.total, kernel_count, tally.wrong);
    assert_int_equal(tally.run + tally.skipped, tally.total);
    cJSON_Delete(root);
    return tally;
}

static void test_gcm(void **state)
{
    (void)state;
    struct vector_tally tally = run_file("wycheproof/aes_gcm_test.json", gcm_case);
    printf("# out of scope: keys other than 256 bits or nonces other than 96 bits\n");
    assert_true(tally.run > 60);
    assert_int_equal(tally.wrong, 0);
}

static void test_gcm_control(void **state)
{
    (void)state;
    tag_bytes_compared = 8;
    struct vector_tally tally = run_file("wycheproof/aes_gcm_test.json", gcm_case);
    tag_bytes_compared = 16;
    printf("# control: a comparison of half the tag is found %d times\n", tally.wrong);
    assert_true(tally.wrong > 0);
}

static void run_all(const char *name, vector_judge judge, int expected)
{
    struct vector_tally tally = run_file(name, judge);
    assert_int_equal(tally.run, expected);
    assert_int_equal(tally.wrong, 0);
}

static void test_x25519(void **state)
{
    (void)state;
    run_all("wycheproof/x25519_test.json", x25519_case, 518);
}

static void test_ed25519(void **state)
{
    (void)state;
    run_all("wycheproof/ed25519_test.json", ed25519_case, 151);
}

static void test_hkdf(void **state)
{
    (void)state;
    run_all("wycheproof/hkdf_sha256_test.json", hkdf_case, 86);
}

static void test_hmac(void **state)
{
    (void)state;
    run_all("wycheproof/hmac_sha256_test.json", hmac_case, 174);
}

static void test_hmac_384(void **state)
{
    (void)state;
    run_all("wycheproof/hmac_sha384_test.json", hmac_384_case, 174);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gcm),      cmocka_unit_test(test_gcm_control),
        cmocka_unit_test(test_x25519),   cmocka_unit_test(test_ed25519),
        cmocka_unit_test(test_hkdf),     cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_hmac_384),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
