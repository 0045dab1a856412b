/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_vectors.c: is the textbook FF1 the FF1 of NIST SP 800-38G?
 *
 * NIST samples and ACVP by both ways of counting, forwards and back; and the two ways against each
 * other over random parameters. Vectors come from $CAISSON_SHARED; without them: skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reference/reference_parts.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cJSON *load_vectors(const char *name)
{
    const char *shared = getenv("CAISSON_SHARED");
    char path[512];
    snprintf(path, sizeof path, "%s/vectors/crypto/ff1/%s", shared == NULL ? "../shared" : shared,
             name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        print_message("# skipped: no %s\n", path);
        return NULL;
    }
    static char text[65536];
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    cJSON *root = cJSON_ParseWithLength(text, size);
    assert_non_null(root);
    return root;
}

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t size = strlen(hex) / 2;
    for (size_t index = 0; index < size; index++) {
        unsigned value = 0;
        assert_int_equal(sscanf(hex + 2 * index, "%2x", &value), 1);
        bytes[index] = (uint8_t)value;
    }
    return size;
}

static const char *text_of(const cJSON *test, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(test, key);
    assert_true(cJSON_IsString(item));
    return item->valuestring;
}

static size_t numerals(const char *text, const char *alphabet, uint16_t *symbols)
{
    size_t count = strlen(text);
    for (size_t index = 0; index < count; index++) {
        symbols[index] = (uint16_t)(strchr(alphabet, text[index]) - alphabet);
    }
    return count;
}

static void check_vector(const cJSON *test, enum csr_ff1_path path, bool flip)
{
    uint8_t key[32];
    uint8_t tweak[256];
    uint16_t plain[256];
    uint16_t cipher[256];
    uint16_t work[256];
    const char *alphabet = text_of(test, "alphabet");
    size_t key_size = from_hex(text_of(test, "key"), key);
    size_t tweak_size = from_hex(text_of(test, "tweak"), tweak);
    size_t count = numerals(text_of(test, "pt"), alphabet, plain);
    assert_int_equal(numerals(text_of(test, "ct"), alphabet, cipher), count);
    key[0] ^= flip ? 1 : 0;
    struct csr_ff1 ff1;
    assert_true(csr_ff1_init(&ff1, key, key_size));
    uint32_t radix = (uint32_t)strlen(alphabet);
    memcpy(work, plain, sizeof work);
    assert_true(csr_ff1_run(&ff1, path, true, tweak, tweak_size, radix, work, count));
    /* With a flipped key bit the vector must not hold: the comparison can fail. */
    assert_int_equal(memcmp(work, cipher, count * sizeof *work) == 0, !flip);
    assert_true(csr_ff1_run(&ff1, path, false, tweak, tweak_size, radix, work, count));
    assert_memory_equal(work, plain, count * sizeof *work);
    csr_ff1_free(&ff1);
}

static void run_file(const char *name, const char *list)
{
    cJSON *root = load_vectors(name);
    if (root == NULL) {
        skip();
    }
    const cJSON *test = NULL;
    unsigned count = 0;
    cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(root, list))
    {
        check_vector(test, CSR_FF1_BIGNUM, false);
        check_vector(test, CSR_FF1_AUTO, false);
        check_vector(test, CSR_FF1_AUTO, true);
        count++;
    }
    print_message("# %s: %u vectors\n", name, count);
    assert_true(count >= 9);
    cJSON_Delete(root);
}

static void test_nist_samples(void **state)
{
    (void)state;
    run_file("nist-sp800-38g-ff1-samples.json", "samples");
}

static void test_acvp(void **state)
{
    (void)state;
    run_file("acvp-ff1-radix10-subset.json", "tests");
}

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void test_two_ways_agree(void **state)
{
    (void)state;
    uint64_t seed = 7;
    uint8_t key[32] = {9};
    struct csr_ff1 ff1;
    assert_true(csr_ff1_init(&ff1, key, sizeof key));
    for (unsigned round = 0; round < 3000; round++) {
        static const uint32_t radixes[] = {2, 10, 16, 26, 36, 62, 94, 255, 256, 65535, 65536};
        uint32_t radix = radixes[next(&seed) % 11];
        size_t count = 2 + next(&seed) % 40;
        uint16_t plain[64];
        uint16_t by_big[64];
        uint16_t by_auto[64];
        uint8_t tweak[24];
        for (size_t index = 0; index < count; index++) {
            plain[index] = (uint16_t)(next(&seed) % radix);
        }
        for (size_t index = 0; index < sizeof tweak; index++) {
            tweak[index] = (uint8_t)next(&seed);
        }
        size_t tweak_size = next(&seed) % sizeof tweak;
        memcpy(by_big, plain, sizeof plain);
        memcpy(by_auto, plain, sizeof plain);
        assert_true(
            csr_ff1_run(&ff1, CSR_FF1_BIGNUM, true, tweak, tweak_size, radix, by_big, count));
        assert_true(
            csr_ff1_run(&ff1, CSR_FF1_AUTO, true, tweak, tweak_size, radix, by_auto, count));
        assert_memory_equal(by_big, by_auto, count * sizeof *plain);
        assert_true(
            csr_ff1_run(&ff1, CSR_FF1_AUTO, false, tweak, tweak_size, radix, by_big, count));
        assert_memory_equal(by_big, plain, count * sizeof *plain);
    }
    csr_ff1_free(&ff1);
}

static void test_bad_parameters(void **state)
{
    (void)state;
    uint8_t key[32] = {0};
    uint16_t symbols[2] = {1, 10};
    struct csr_ff1 ff1;
    assert_false(csr_ff1_init(&ff1, key, 17));
    csr_ff1_free(&ff1);
    assert_true(csr_ff1_init(&ff1, key, 16));
    assert_false(csr_ff1_run(&ff1, CSR_FF1_AUTO, true, NULL, 0, 10, symbols, 2));
    assert_false(csr_ff1_run(&ff1, CSR_FF1_AUTO, true, NULL, 0, 1, symbols, 2));
    assert_false(csr_ff1_run(&ff1, CSR_FF1_AUTO, true, NULL, 0, 65537, symbols, 2));
    assert_false(csr_ff1_run(&ff1, CSR_FF1_AUTO, true, NULL, 0, 11, symbols, 1));
    assert_true(csr_ff1_run(&ff1, CSR_FF1_AUTO, true, NULL, 0, 11, symbols, 2));
    csr_ff1_free(&ff1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nist_samples),
        cmocka_unit_test(test_acvp),
        cmocka_unit_test(test_two_ways_agree),
        cmocka_unit_test(test_bad_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
