/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generator_test.c: are the made-up records deterministic, valid and distinct, does the card
 * policy leave nothing of their secrets, and does the canary scan find what is there?
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reference/canary.h"
#include "reference/generator.h"
#include "reference/reference_parts.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD_COUNT 5000u

static unsigned iban_rest(const char *iban, size_t size)
{
    unsigned rest = 0;
    for (size_t index = 0; index < size; index++) {
        char byte = iban[(index + 4) % size];
        rest = byte <= '9' ? (rest * 10 + (unsigned)(byte - '0')) % 97
                           : (rest * 100 + (unsigned)(byte - 'A') + 10) % 97;
    }
    return rest;
}

static bool luhn(const char *text, size_t size)
{
    uint8_t digits[32];
    for (size_t index = 0; index < size; index++) {
        digits[index] = (uint8_t)(text[index] - '0');
    }
    return csr_luhn_valid(digits, size);
}

static void test_records_are_valid(void **state)
{
    (void)state;
    size_t total = 0;
    for (uint64_t index = 0; index < RECORD_COUNT; index++) {
        struct csr_record record;
        csr_generate(42, index * 7919, &record);
        assert_true(record.size <= CSR_RECORD_SIZE_MAX && record.size > 450);
        total += record.size;
        cJSON *root = cJSON_ParseWithLength(record.text, record.size);
        assert_non_null(root);
        const cJSON *card = cJSON_GetObjectItem(root, "card");
        const char *pan = cJSON_GetObjectItem(card, "pan")->valuestring;
        assert_memory_equal(pan, record.secrets[0].text, record.secrets[0].size);
        const char *iban =
            cJSON_GetObjectItem(cJSON_GetObjectItem(root, "customer"), "iban")->valuestring;
        assert_memory_equal(iban, record.secrets[4].text, record.secrets[4].size);
        assert_true(luhn(record.secrets[0].text, 16) && luhn(record.secrets[5].text, 16));
        assert_int_equal(iban_rest(record.secrets[4].text, 22), 1);
        assert_int_equal(iban_rest(record.secrets[6].text, 22), 1);
        cJSON_Delete(root);
    }
    assert_in_range(total / RECORD_COUNT, 560, 700);
}

static void test_records_are_deterministic(void **state)
{
    (void)state;
    struct csr_record first;
    struct csr_record again;
    memset(&again, 0xff, sizeof again);
    csr_generate(1, 1234, &first);
    csr_generate(1, 1234, &again);
    assert_int_equal(first.size, again.size);
    assert_memory_equal(first.text, again.text, first.size);
    csr_generate(2, 1234, &again);
    assert_memory_not_equal(first.secrets[0].text, again.secrets[0].text, 16);
}

static int compare_text(const void *left, const void *right)
{
    return memcmp(left, right, 40);
}

static void test_secrets_are_distinct(void **state)
{
    (void)state;
    char(*list)[40] = calloc(RECORD_COUNT, sizeof *list);
    assert_non_null(list);
    for (unsigned secret = 0; secret < CSR_SECRET_COUNT; secret++) {
        memset(list, 0, RECORD_COUNT * sizeof *list);
        for (uint64_t index = 0; index < RECORD_COUNT; index++) {
            struct csr_record record;
            csr_generate(5, index, &record);
            assert_in_range(record.secrets[secret].size, 11, 40);
            memcpy(list[index], record.secrets[secret].text, record.secrets[secret].size);
        }
        qsort(list, RECORD_COUNT, sizeof *list, compare_text);
        for (size_t index = 1; index < RECORD_COUNT; index++) {
            assert_memory_not_equal(list[index - 1], list[index], 40);
        }
    }
    free(list);
}

static struct csr_canary *canary_of(uint64_t seed, size_t count)
{
    struct csr_canary *canary = NULL;
    assert_int_equal(csr_canary_create(&canary, count * CSR_SECRET_COUNT), CSN_OK);
    for (uint64_t index = 0; index < count; index++) {
        struct csr_record record;
        csr_generate(seed, index, &record);
        for (unsigned secret = 0; secret < CSR_SECRET_COUNT; secret++) {
            assert_int_equal(
                csr_canary_add(canary, record.secrets[secret].text, record.secrets[secret].size),
                CSN_OK);
        }
    }
    return canary;
}

/* Reads a whole file of the source tree. */
static char *read_source(const char *path, size_t *size)
{
    char name[512];
    const char *root = getenv("CAISSON_SOURCE");
    snprintf(name, sizeof name, "%s/%s", root == NULL ? "." : root, path);
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    char *text = malloc(65536);
    assert_non_null(text);
    *size = fread(text, 1, 65536, file);
    fclose(file);
    return text;
}

static void test_card_policy_leaves_no_secret(void **state)
{
    (void)state;
    uint8_t key[32] = {3};
    char error[CSR_ERROR_SIZE];
    size_t size = 0;
    char *text = read_source("examples/policies/card.json", &size);
    struct csr_policy *policy = csr_policy_load(text, size, key, key, error);
    assert_non_null(policy);
    struct csr_canary *canary = canary_of(11, RECORD_COUNT);
    struct csr_canary_hits output_hits = {0};
    struct csr_canary_hits input_hits = {0};
    for (uint64_t index = 0; index < RECORD_COUNT; index++) {
        struct csr_record record;
        char output[2048];
        csr_generate(11, index, &record);
        assert_int_equal(csr_tokenize(policy, record.text, record.size, output, 1792 - 128, &size),
                         CSN_WIRE_STATUS_OK);
        csr_canary_scan(canary, output, size, &output_hits);
        csr_canary_scan(canary, record.text, record.size, &input_hits);
    }
    assert_int_equal(output_hits.count, 0);
    /* The control: the same scan sees each secret of the plaintext. */
    assert_true(input_hits.count >= RECORD_COUNT * CSR_SECRET_COUNT);
    csr_canary_destroy(canary);
    csr_policy_free(policy);
    free(text);
}

static void test_canary_finds_planted(void **state)
{
    (void)state;
    enum { NOISE_SIZE = 1 << 20 };
    struct csr_canary *canary = canary_of(11, RECORD_COUNT);
    uint8_t *noise = malloc(NOISE_SIZE);
    assert_non_null(noise);
    uint64_t value = 1;
    for (size_t index = 0; index < NOISE_SIZE; index++) {
        value = value * UINT64_C(6364136223846793005) + 1;
        noise[index] = (uint8_t)(value >> 56);
    }
    struct csr_canary_hits hits = {0};
    csr_canary_scan(canary, noise, NOISE_SIZE, &hits);
    assert_int_equal(hits.count, 0);
    assert_int_equal(hits.bytes, NOISE_SIZE);
    struct csr_record record;
    csr_generate(11, 4321, &record);
    for (unsigned secret = 0; secret < CSR_SECRET_COUNT; secret++) {
        const struct csr_secret *planted = &record.secrets[secret];
        size_t places[] = {0, 12345, NOISE_SIZE - planted->size};
        for (unsigned index = 0; index < 3; index++) {
            uint8_t saved[64];
            memcpy(saved, noise + places[index], planted->size);
            memcpy(noise + places[index], planted->text, planted->size);
            hits = (struct csr_canary_hits){0};
            csr_canary_scan(canary, noise, NOISE_SIZE, &hits);
            assert_true(hits.count >= 1);
            assert_int_equal(hits.first_offset, places[index]);
            /* One byte off is no hit. */
            noise[places[index] + 3] ^= 1;
            hits = (struct csr_canary_hits){0};
            csr_canary_scan(canary, noise, NOISE_SIZE, &hits);
            assert_int_equal(hits.count, 0);
            memcpy(noise + places[index], saved, planted->size);
        }
    }
    free(noise);
    csr_canary_destroy(canary);
}

static void test_canary_over_file(void **state)
{
    (void)state;
    struct csr_canary *canary = canary_of(11, 100);
    struct csr_record record;
    csr_generate(11, 77, &record);
    FILE *file = tmpfile();
    assert_non_null(file);
    /* Across the boundary of two chunks, just before it and just after it. */
    const size_t chunk = 1 << 20;
    const struct csr_secret *pan = &record.secrets[0];
    const size_t places[] = {100, chunk - 8, chunk + 200, 2 * chunk - 16, 3 * chunk};
    for (unsigned index = 0; index < 5; index++) {
        assert_int_equal(pwrite(fileno(file), pan->text, pan->size, (off_t)places[index]), 16);
    }
    struct csr_canary_hits hits = {0};
    assert_int_equal(csr_canary_scan_fd(canary, fileno(file), 0, UINT64_MAX, &hits), CSN_OK);
    assert_int_equal(hits.count, 5);
    assert_int_equal(hits.first_offset, 100);
    assert_int_equal(hits.first_secret, 77 * CSR_SECRET_COUNT);
    assert_int_equal(hits.bytes, 3 * chunk + 16);
    hits = (struct csr_canary_hits){0};
    assert_int_equal(csr_canary_scan_fd(canary, fileno(file), 101, chunk, &hits), CSN_OK);
    assert_int_equal(hits.count, 1);
    fclose(file);
    hits = (struct csr_canary_hits){0};
    assert_int_equal(csr_canary_scan_fd(canary, -1, 0, 10, &hits), CSN_ERR_SYSTEM);
    csr_canary_destroy(canary);
}

static void test_canary_limits(void **state)
{
    (void)state;
    struct csr_canary *canary = NULL;
    assert_int_equal(csr_canary_create(&canary, 0), CSN_ERR_ARGUMENT);
    assert_int_equal(csr_canary_create(&canary, 1), CSN_OK);
    assert_int_equal(csr_canary_add(canary, "1234567", 7), CSN_ERR_ARGUMENT);
    assert_int_equal(csr_canary_add(canary, "12345678", 8), CSN_OK);
    assert_int_equal(csr_canary_add(canary, "12345679", 8), CSN_ERR_LIMIT);
    struct csr_canary_hits hits = {0};
    csr_canary_scan(canary, "x12345678", 9, &hits);
    assert_int_equal(hits.count, 1);
    csr_canary_scan(canary, "1234567", 7, &hits);
    assert_int_equal(hits.count, 1);
    csr_canary_destroy(canary);
    csr_canary_destroy(NULL);
}

static void test_pipeline_loop(void **state)
{
    (void)state;
    uint8_t key[32] = {3};
    char error[CSR_ERROR_SIZE];
    size_t size = 0;
    double rate = 0;
    char *text = read_source("examples/policies/card.json", &size);
    struct csr_policy *policy = csr_policy_load(text, size, key, key, error);
    assert_non_null(policy);
    assert_int_equal(csr_pipeline_loop(policy, 3, 0, &rate), CSN_ERR_ARGUMENT);
    assert_int_equal(csr_pipeline_loop(policy, 3, 3000, &rate), CSN_OK);
    print_message("# single-process loop: %.0f records/s\n", rate);
    assert_true(rate > 0);
    csr_policy_free(policy);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_are_valid),
        cmocka_unit_test(test_records_are_deterministic),
        cmocka_unit_test(test_secrets_are_distinct),
        cmocka_unit_test(test_card_policy_leaves_no_secret),
        cmocka_unit_test(test_canary_finds_planted),
        cmocka_unit_test(test_canary_over_file),
        cmocka_unit_test(test_canary_limits),
        cmocka_unit_test(test_pipeline_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
