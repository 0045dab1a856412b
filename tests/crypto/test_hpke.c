/* SPDX-License-Identifier: Apache-2.0 */
/* test_hpke.c: RFC 9180's vectors of our suite, base and PSK, and the refusals around them. */
#include "vectors.h"
#include <crypto/cpu.h>
#include <crypto/curve.h>
#include <crypto/hpke.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

static int encryption_count;
static int export_count;

static void expect_bytes(const void *bytes, const cJSON *vector, const char *name)
{
    struct vector_bytes expected = vector_hex(vector, name);
    assert_memory_equal(bytes, expected.bytes, expected.size);
    vector_free(&expected);
}

static void check_encryptions(const cJSON *vector, struct csn_hpke_context *sender,
                              struct csn_hpke_context *receiver)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(vector, "encryptions"))
    {
        struct vector_bytes aad = vector_hex(entry, "aad"), plain = vector_hex(entry, "pt");
        struct vector_bytes cipher = vector_hex(entry, "ct");
        uint8_t made[256];
        uint8_t *tag = made + plain.size;
        assert_true(plain.size + 16 == cipher.size && cipher.size < sizeof made);
        assert_int_equal(
            csn_hpke_seal(sender, aad.bytes, aad.size, plain.bytes, plain.size, made, tag), CSN_OK);
        assert_memory_equal(made, cipher.bytes, cipher.size);
        tag[0] ^= 1; /* a forgery does not advance the sequence */
        uint8_t opened[256];
        assert_int_equal(
            csn_hpke_open(receiver, aad.bytes, aad.size, made, plain.size, tag, opened),
            CSN_ERR_AUTH);
        tag[0] ^= 1;
        assert_int_equal(
            csn_hpke_open(receiver, aad.bytes, aad.size, made, plain.size, tag, opened), CSN_OK);
        assert_memory_equal(opened, plain.bytes, plain.size);
        encryption_count++;
        vector_free(&aad), vector_free(&plain), vector_free(&cipher);
    }
}

static void check_exports(const cJSON *vector, const struct csn_hpke_context *context)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(vector, "exports"))
    {
        struct vector_bytes label = vector_hex(entry, "exporter_context");
        uint8_t made[512];
        size_t size = (size_t)vector_number(entry, "L");
        assert_true(size <= sizeof made);
        assert_int_equal(csn_hpke_export_bytes(context, label.bytes, label.size, made, size),
                         CSN_OK);
        expect_bytes(made, entry, "exported_value");
        export_count++;
        vector_free(&label);
    }
}

static void check_vector(const cJSON *vector)
{
    struct vector_bytes info = vector_hex(vector, "info"), psk = vector_hex(vector, "psk");
    struct vector_bytes psk_id = vector_hex(vector, "psk_id");
    struct vector_bytes seed_r = vector_hex(vector, "ikmR"), seed_e = vector_hex(vector, "ikmE");
    bool with_psk = vector_number(vector, "mode") == 1;
    struct csn_hpke_setup setup = {.info = info.bytes,
                                   .info_size = info.size,
                                   .psk = with_psk ? psk.bytes : NULL,
                                   .psk_size = psk.size,
                                   .psk_id = with_psk ? psk_id.bytes : NULL,
                                   .psk_id_size = psk_id.size};
    uint8_t secret_r[32], public_r[32], secret_e[32], public_e[32], encapsulation[32];
    struct csn_hpke_context sender, receiver;
    assert_int_equal(csn_hpke_derive_key_pair(secret_r, public_r, seed_r.bytes, seed_r.size), 0);
    assert_int_equal(csn_hpke_derive_key_pair(secret_e, public_e, seed_e.bytes, seed_e.size), 0);
    expect_bytes(secret_r, vector, "skRm");
    expect_bytes(public_r, vector, "pkRm");
    expect_bytes(secret_e, vector, "skEm");
    assert_int_equal(csn_hpke_sender(&sender, encapsulation, public_r, secret_e, &setup), CSN_OK);
    expect_bytes(encapsulation, vector, "enc");
    assert_int_equal(csn_hpke_receiver(&receiver, encapsulation, secret_r, public_r, &setup), 0);
    expect_bytes(sender.key, vector, "key");
    expect_bytes(sender.base_nonce, vector, "base_nonce");
    expect_bytes(sender.exporter_secret, vector, "exporter_secret");
    assert_memory_equal(sender.key, receiver.key, sizeof sender.key);
    assert_memory_equal(sender.base_nonce, receiver.base_nonce, sizeof sender.base_nonce);
    assert_memory_equal(sender.exporter_secret, receiver.exporter_secret, 32);
    check_encryptions(vector, &sender, &receiver);
    check_exports(vector, &receiver);
    vector_free(&info), vector_free(&psk), vector_free(&psk_id);
    vector_free(&seed_r), vector_free(&seed_e);
}

static void test_vectors(void **state)
{
    (void)state;
    cJSON *root = vector_load("hpke/rfc9180-test-vectors-5f503c5.json");
    const cJSON *vector;
    int run = 0, skipped = 0;
    if (root == NULL) {
        printf("# skipped: the RFC 9180 vectors are not there (CAISSON_SHARED)\n");
        skip();
    }
    cJSON_ArrayForEach(vector, root)
    {
        bool ours = vector_number(vector, "kem_id") == 0x20 &&
                    vector_number(vector, "kdf_id") == 1 && vector_number(vector, "aead_id") == 2 &&
                    vector_number(vector, "mode") <= 1;
        if (ours) {
            check_vector(vector);
        }
        run += ours;
        skipped += !ours;
    }
    printf("# RFC 9180: %d set-ups, %d encryptions, %d exports run; %d set-ups out of scope: other "
           "suites, and the auth modes\n",
           run, encryption_count, export_count, skipped);
    assert_int_equal(run, 2);
    assert_int_equal(encryption_count, 2 * 257);
    assert_int_equal(export_count, 2 * 3);
    cJSON_Delete(root);
}

static void test_refusals(void **state)
{
    (void)state;
    static const uint8_t zero[32];
    uint8_t secret[32] = {1, 2, 3}, public[32], encapsulation[32], tag[16], out[1];
    struct csn_hpke_context context = {.sequence = 7};
    struct csn_hpke_setup setup = {
        .psk = secret, .psk_size = 31, .psk_id = secret, .psk_id_size = 1};
    csn_x25519_public(public, secret);
    assert_int_equal(csn_hpke_sender(&context, encapsulation, public, secret, &setup),
                     CSN_ERR_ARGUMENT);
    setup.psk_size = 32;
    assert_int_equal(csn_hpke_sender(&context, encapsulation, zero, secret, &setup), CSN_ERR_AUTH);
    assert_int_equal(csn_hpke_receiver(&context, zero, secret, public, &setup), CSN_ERR_AUTH);
    assert_int_equal(context.sequence, 7); /* untouched so far */
    setup.psk_id_size = 0;
    assert_int_equal(csn_hpke_sender(&context, encapsulation, public, secret, &setup),
                     CSN_ERR_ARGUMENT);
    setup.psk_id_size = 1;
    assert_int_equal(csn_hpke_sender(&context, encapsulation, public, secret, &setup), CSN_OK);
    context.sequence = UINT64_MAX;
    assert_int_equal(csn_hpke_seal(&context, NULL, 0, secret, 1, out, tag), CSN_ERR_LIMIT);
    assert_int_equal(csn_hpke_export(&context, "x", out, 255 * 32 + 1), CSN_ERR_ARGUMENT);
}

int main(void)
{
    uint64_t kernels[VECTOR_KERNELS_MAX];
    uint32_t count = vector_kernels(kernels);
    if (count == 0 || csn_cpu_select(kernels[count - 1]) != CSN_OK) {
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
