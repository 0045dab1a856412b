/* SPDX-License-Identifier: Apache-2.0 */
/* test_signature.c: does a detached signature hold for exactly one image and one signer? */
#include "image/image.h"
#include "support/elf.h"
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct elf_file file;
static struct csn_image image;
static uint8_t measurement[48];
static struct csn_wire_signature signature;
static const uint8_t seed[32] = {1, 2, 3, 4, 5, 6, 7, 8};

/* The same statement checked by OpenSSL, from the description in image.h. */
static void test_independent_check(void **state)
{
    uint8_t text[20 + 128];
    (void)state;
    memcpy(text, "caisson-signature-v1", 20);
    memcpy(text + 20, &signature, 128);
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, signature.signer_key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, NULL, NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(context, signature.signature, 64, text, sizeof text), 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

static void test_good(void **state)
{
    (void)state;
    assert_int_equal(csn_signature_verify(&signature, sizeof signature), CSN_OK);
    assert_int_equal(csn_signature_match(&signature, &image, measurement), CSN_OK);
    assert_string_equal(signature.name, "idle");
    assert_int_equal(signature.security_version, 1);
}

static void test_every_bit(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
        struct csn_wire_signature changed = signature;
        ((uint8_t *)&changed)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        csn_err err = csn_signature_verify(&changed, sizeof changed);
        assert_int_equal(err, bit < 64 ? CSN_ERR_FORMAT : CSN_ERR_AUTH);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    assert_int_equal(csn_signature_verify(&signature, 0), CSN_ERR_FORMAT);
    assert_int_equal(csn_signature_verify(&signature, sizeof signature - 1), CSN_ERR_FORMAT);
    assert_int_equal(csn_signature_verify(&signature, sizeof signature + 1), CSN_ERR_FORMAT);
}

/* A genuine signature of another image, version or flag says nothing about this one. */
static void test_other_images(void **state)
{
    struct csn_image other = image;
    uint8_t digest[48];
    (void)state;
    memcpy(digest, measurement, sizeof digest);
    digest[47] ^= 1;
    assert_int_equal(csn_signature_match(&signature, &image, digest), CSN_ERR_AUTH);
    other.manifest.security_version = 2;
    assert_int_equal(csn_signature_match(&signature, &other, measurement), CSN_ERR_AUTH);
    other = image;
    other.manifest.flags ^= CSN_WIRE_FLAG_DEBUG;
    assert_int_equal(csn_signature_match(&signature, &other, measurement), CSN_ERR_AUTH);
    other = image;
    other.manifest.name[0] = 'x';
    assert_int_equal(csn_signature_match(&signature, &other, measurement), CSN_ERR_AUTH);
}

static int make(void **state)
{
    (void)state;
    if (elf_load(&file, "tests/images/idle.elf") != 0 ||
        csn_image_measure_file(file.bytes, file.size, &image, measurement, NULL) != CSN_OK) {
        return -1;
    }
    csn_signature_make(&signature, &image, measurement, seed);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    elf_free(&file);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_independent_check), cmocka_unit_test(test_good),
        cmocka_unit_test(test_every_bit),         cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_other_images),
    };
    return cmocka_run_group_tests_name("image signature", tests, make, unmake);
}
