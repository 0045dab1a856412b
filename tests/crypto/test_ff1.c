/* SPDX-License-Identifier: Apache-2.0 */
/* test_ff1.c: NIST, ACVP and Wycheproof vectors of FF1, its limits, and batches against singles. */
#include "vectors.h"
#include <crypto/cpu.h>
#include <crypto/ff1_core.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define NUMERALS_MAX 4096

struct numerals {
    uint16_t values[NUMERALS_MAX];
    uint32_t count;
    bool outside; /* a symbol that is not in the alphabet */
};

/* A string over the alphabet, or a list of numbers. */
static void read_numerals(const cJSON *item, const char *alphabet, struct numerals *numerals)
{
    const char *text = cJSON_GetStringValue(item);
    numerals->count = 0;
    numerals->outside = false;
    for (size_t i = 0; text != NULL && text[i] != 0; i++) {
        const char *place = strchr(alphabet, text[i]);
        numerals->outside |= place == NULL;
        assert_true(numerals->count < NUMERALS_MAX);
        numerals->values[numerals->count++] = place == NULL ? 0xffff : (uint16_t)(place - alphabet);
    }
    const cJSON *entry;
    cJSON_ArrayForEach(entry, item) /* a string has no children */
    {
        assert_true(numerals->count < NUMERALS_MAX);
        numerals->outside |= entry->valueint < 0 || entry->valueint > 0xffff;
        numerals->values[numerals->count++] = (uint16_t)entry->valueint;
    }
}

struct vector_case {
    const cJSON *test;
    const char *plain_name, *cipher_name, *alphabet;
    uint32_t radix;
};

/* Both directions. The result is that of encrypting; wrong numerals fail the test at once. */
static csn_err run_case(const struct vector_case *vector, bool *match)
{
    static struct numerals plain, cipher;
    static uint16_t output[NUMERALS_MAX];
    struct vector_bytes secret = vector_hex(vector->test, "key");
    struct vector_bytes tweak = vector_hex(vector->test, "tweak");
    struct csn_aes_key key;
    csn_err err = csn_aes_key_init(&key, secret.bytes, secret.size);
    read_numerals(cJSON_GetObjectItem(vector->test, vector->plain_name), vector->alphabet, &plain);
    read_numerals(cJSON_GetObjectItem(vector->test, vector->cipher_name), vector->alphabet,
                  &cipher);
    struct csn_ff1_plan plan;
    struct csn_ff1_item item = {
        .plan = &plan, .tweak = tweak.bytes, .input = plain.values, .output = output};
    *match = false;
    if (err == CSN_OK) {
        err = csn_ff1_plan_init(&plan, &key, vector->radix, plain.count, (uint32_t)tweak.size);
    }
    if (err == CSN_OK) {
        csn_ff1_encrypt_batch(&item, 1);
        err = item.result;
    }
    if (err == CSN_OK && cipher.count == plain.count) {
        *match = memcmp(output, cipher.values, plain.count * 2) == 0;
        item.input = output;
        csn_ff1_decrypt_batch(&item, 1);
        *match =
            *match && item.result == CSN_OK && memcmp(output, plain.values, plain.count * 2) == 0;
    }
    vector_free(&secret), vector_free(&tweak);
    return err;
}

static void run_samples(const char *file, const char *list)
{
    cJSON *root = vector_load(file);
    const cJSON *test;
    int run = 0;
    if (root == NULL) {
        printf("# skipped: %s is not there (CAISSON_SHARED)\n", file);
        skip();
    }
    cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(root, list))
    {
        struct vector_case vector = {test, "pt", "ct", vector_text(test, "alphabet"),
                                     (uint32_t)vector_number(test, "radix")};
        bool match;
        assert_int_equal(run_case(&vector, &match), CSN_OK);
        assert_true(match);
        run++;
    }
    printf("# %s: %d run, both directions\n", file, run);
    assert_true(run >= 9);
    cJSON_Delete(root);
}

static void test_nist(void **state)
{
    (void)state;
    run_samples("ff1/nist-sp800-38g-ff1-samples.json", "samples");
}

static void test_acvp(void **state)
{
    (void)state;
    run_samples("ff1/acvp-ff1-radix10-subset.json", "tests");
}

struct ff1_tally {
    int matched, refused, domain, size, wrong;
};

static void judge_case(const cJSON *group, const cJSON *test, struct ff1_tally *tally)
{
    struct vector_case vector = {test, "msg", "ct", vector_text(group, "alphabet"),
                                 (uint32_t)vector_number(group, "radix")};
    bool match;
    bool valid = strcmp(vector_text(test, "result"), "valid") == 0;
    csn_err err = run_case(&vector, &match);
    if (!valid) {
        tally->refused += err != CSN_OK;
        tally->wrong += err == CSN_OK;
    } else if (err == CSN_OK) {
        tally->matched += match;
        tally->wrong += !match;
    } else {
        const cJSON *message = cJSON_GetObjectItem(test, "msg");
        size_t count = cJSON_IsString(message) ? strlen(message->valuestring)
                                               : (size_t)cJSON_GetArraySize(message);
        /* LIMIT is the domain floor; ARGUMENT may only mean over 256 numerals or tweak bytes. */
        bool large = count > CSN_FF1_COUNT_MAX ||
                     strlen(vector_text(test, "tweak")) / 2 > CSN_FF1_TWEAK_SIZE_MAX;
        tally->domain += err == CSN_ERR_LIMIT;
        tally->size += err == CSN_ERR_ARGUMENT && large;
        tally->wrong += err == CSN_ERR_ARGUMENT && !large;
    }
}

static void test_wycheproof(void **state)
{
    (void)state;
    static const char *const names[] = {"base10", "base36", "base62", "radix10"};
    for (int i = 0; i < 4; i++) {
        char file[64];
        struct ff1_tally tally = {0};
        const cJSON *group, *test;
        snprintf(file, sizeof file, "wycheproof/aes_ff1_%s_test.json", names[i]);
        cJSON *root = vector_load(file);
        if (root == NULL) {
            printf("# skipped: %s is not there (CAISSON_SHARED)\n", file);
            skip();
        }
        cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(root, "testGroups"))
        {
            cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(group, "tests"))
            {
                judge_case(group, test, &tally);
            }
        }
        printf("# %s: %d matched both ways, %d invalid refused; out of scope: %d domain below a "
               "million, %d over our sizes; %d wrong\n",
               file, tally.matched, tally.refused, tally.domain, tally.size, tally.wrong);
        assert_int_equal(tally.wrong, 0);
        assert_int_equal(tally.matched + tally.refused + tally.domain + tally.size,
                         vector_number(root, "numberOfTests"));
        assert_true(tally.matched > 100);
        cJSON_Delete(root);
    }
}

static void test_limits(void **state)
{
    (void)state;
    static const struct {
        uint32_t radix, count, tweak;
        uint16_t value;
        csn_err expected;
    } cases[] = {
        {10, 5, 0, 9, CSN_ERR_LIMIT},
        {10, 6, 0, 9, CSN_OK},
        {1, 30, 0, 0, CSN_ERR_ARGUMENT},
        {65537, 30, 0, 1, CSN_ERR_ARGUMENT},
        {10, 1, 0, 1, CSN_ERR_ARGUMENT},
        {10, 257, 0, 1, CSN_ERR_ARGUMENT},
        {10, 0, 0, 1, CSN_ERR_ARGUMENT},
        {10, 16, 257, 1, CSN_ERR_ARGUMENT},
        {10, 16, 256, 10, CSN_ERR_ARGUMENT},
        {2, 19, 0, 1, CSN_ERR_LIMIT},
        {2, 20, 0, 1, CSN_OK},
        {65536, 2, 0, 0xffff, CSN_OK},
        {999, 2, 0, 998, CSN_ERR_LIMIT},
        {1000, 2, 0, 999, CSN_OK},
        {65536, 256, 256, 0xffff, CSN_OK},
        {10, 256, 256, 9, CSN_OK},
    };
    static const uint8_t tweak[257];
    struct csn_aes_key key;
    assert_int_equal(csn_aes_key_init(&key, tweak, 32), CSN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint16_t input[257], output[257];
        for (int k = 0; k < 257; k++) {
            input[k] = cases[i].value;
            output[k] = 0x5555;
        }
        struct csn_ff1_plan plan;
        struct csn_ff1_item item = {
            .plan = &plan, .tweak = tweak, .input = input, .output = output};
        csn_err err =
            csn_ff1_plan_init(&plan, &key, cases[i].radix, cases[i].count, cases[i].tweak);
        if (err == CSN_OK) {
            csn_ff1_encrypt_batch(&item, 1);
            err = item.result;
        }
        assert_int_equal(err, cases[i].expected);
        assert_int_equal(output[0] == 0x5555 && output[256] == 0x5555, err != CSN_OK);
        if (err == CSN_OK) {
            item.input = output;
            csn_ff1_decrypt_batch(&item, 1);
            assert_memory_equal(output, input, plan.count * sizeof input[0]);
        }
    }
}

/* Mixed batches (fast and wide, three key sizes) equal the same items one by one. */
static void test_batch(void **state)
{
    (void)state;
    enum { COUNT = 61 };
    static uint16_t plain[COUNT][64], batch[COUNT][64], single[64];
    static struct csn_aes_key keys[3];
    static uint8_t tweak[32];
    static struct csn_ff1_plan plans[COUNT];
    struct csn_ff1_item items[COUNT];
    uint32_t widths[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(csn_aes_key_init(&keys[i], tweak, 16 + 8 * i), CSN_OK);
    }
    srand(7);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t radix = i % 3 != 0 ? 10 : 2 + (uint32_t)rand() % 65535;
        uint32_t digits = i % 3 == 1 ? 6 + (uint32_t)rand() % 14 : 20 + (uint32_t)rand() % 44;
        assert_int_equal(
            csn_ff1_plan_init(&plans[i], &keys[i / 7 % 3], radix, digits, (uint32_t)rand() % 32),
            CSN_OK);
        widths[plans[i].width / 32]++;
        items[i] = (struct csn_ff1_item){
            .plan = &plans[i], .tweak = tweak, .input = plain[i], .output = batch[i]};
        for (uint32_t k = 0; k < digits; k++) {
            plain[i][k] = (uint16_t)((uint32_t)rand() % radix);
        }
    }
    assert_true(widths[0] > 5 && widths[1] > 5 && widths[2] > 5);
    csn_ff1_encrypt_batch(items, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(items[i].result, CSN_OK);
        items[i].output = single;
        csn_ff1_encrypt_batch(&items[i], 1);
        assert_memory_equal(single, batch[i], plans[i].count * 2);
        items[i].input = items[i].output = batch[i]; /* in place */
    }
    csn_ff1_decrypt_batch(items, COUNT);
    assert_memory_equal(batch, plain, sizeof plain);
}

/* A numeral out of range is refused in any lane, and the other lanes are not touched by it. */
static void test_outside(void **state)
{
    (void)state;
    static const uint8_t secret[32] = {1};
    struct csn_aes_key key;
    struct csn_ff1_plan plan;
    assert_int_equal(csn_aes_key_init(&key, secret, 32), CSN_OK);
    for (uint32_t digits = 12; digits <= 60; digits += 12) { /* every width */
        assert_int_equal(csn_ff1_plan_init(&plan, &key, 10, digits, 4), CSN_OK);
        for (uint32_t bad = 0; bad < 11; bad++) {
            uint16_t text[11][60] = {{0}};
            struct csn_ff1_item items[11];
            for (uint32_t i = 0; i < 11; i++) {
                items[i] = (struct csn_ff1_item){
                    .plan = &plan, .tweak = secret, .input = text[i], .output = text[i]};
            }
            text[bad][bad] = 10;
            csn_ff1_encrypt_batch(items, 11);
            for (uint32_t i = 0; i < 11; i++) {
                assert_int_equal(items[i].result, i == bad ? CSN_ERR_ARGUMENT : CSN_OK);
                assert_int_equal(memcmp(text[i], text[bad == 0], digits * 2) == 0, i != bad);
            }
        }
    }
}

/* What 64-bit reductions and divisions do at the ends of their ranges, against the machine's own.
 */
static void test_arithmetic(void **state)
{
    (void)state;
    srand(5);
    for (uint32_t i = 0; i < 200000; i++) {
        static const uint64_t edges[] = {0, 1, UINT32_MAX, UINT64_MAX, UINT64_MAX - 1, 1ull << 63};
        uint64_t random = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
        uint64_t modulus = 1 + (uint32_t)random % 0xffffffffu;
        uint64_t number = i % 3 == 0 ? edges[i / 3 % 6] : i % 3 == 1 ? random : modulus * (i % 99);
        struct csn_modulus made;
        csn_modulus_init(&made, modulus);
        assert_int_equal(csn_modulus_reduce_64(&made, number), number % modulus);
        assert_int_equal(csn_modulus_reduce(&made, number & 0xffffffff, number * 3),
                         (((csn_u128)(number & 0xffffffff) << 64) | number * 3) % modulus);
    }
}

static uint64_t kernels[VECTOR_KERNELS_MAX];
static uint32_t kernel_count;

/* Random values below the radix under one plan: a batch on vectors equals singles, which are not.
 */
static void compare_narrow(struct csn_ff1_plan *plan)
{
    enum { COUNT = 37 };
    static uint16_t plain[COUNT][64], batch[COUNT][64], single[64];
    static uint8_t tweaks[COUNT][64];
    struct csn_ff1_item items[COUNT];
    uint32_t count = 2 + (uint32_t)rand() % (COUNT - 1);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (struct csn_ff1_item){
            .plan = plan, .tweak = tweaks[i], .input = plain[i], .output = batch[i]};
        for (uint32_t k = 0; k < 64; k++) {
            tweaks[i][k] = (uint8_t)rand();
            plain[i][k] = (uint16_t)((uint32_t)rand() % plan->radix);
            batch[i][k] = 0x5555;
        }
    }
    csn_ff1_encrypt_batch(items, count);
    for (uint32_t i = 0; i < count; i++) {
        struct csn_ff1_item alone = items[i];
        alone.output = single;
        csn_ff1_encrypt_batch(&alone, 1);
        assert_int_equal(items[i].result, CSN_OK);
        assert_memory_equal(single, batch[i], plan->count * 2);
        assert_int_equal(batch[i][plan->count], 0x5555); /* nothing behind the last one */
        items[i].input = batch[i];
    }
    csn_ff1_decrypt_batch(items, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_memory_equal(batch[i], plain[i], plan->count * 2);
    }
}

/* On every kernel, with moduli of every size that fits a lane, and decimals of every length. */
static void test_narrow(void **state)
{
    (void)state;
    static uint8_t secret[32];
    uint32_t narrow = 0;
    uint32_t decimal[17] = {0};
    srand(11);
    for (uint32_t i = 0; i < 3000; i++) {
        struct csn_aes_key key;
        struct csn_ff1_plan plan;
        uint32_t radix = i % 2 == 0 ? 10 : 2 + ((uint32_t)rand() % 65535 >> rand() % 16);
        uint32_t count = 2 + (uint32_t)rand() % 28;
        secret[i % 32] = (uint8_t)rand();
        assert_int_equal(csn_cpu_select(kernels[i / 2 % kernel_count]), CSN_OK);
        assert_int_equal(csn_aes_key_init(&key, secret, 16 + 8 * (i / 6 % 3)), CSN_OK);
        uint32_t tweak_size = i % 3 == 0 ? 8 : (uint32_t)rand() % 40;
        if (csn_ff1_plan_init(&plan, &key, radix, count, tweak_size) != CSN_OK || !plan.narrow) {
            continue;
        }
        narrow++;
        decimal[plan.decimal ? count : 0]++;
        compare_narrow(&plan);
    }
    printf("# %u narrow plans on %u kernel sets\n", narrow, kernel_count);
    assert_true(narrow > 500);
    for (uint32_t count = 8; count <= 16; count++) {
        assert_true(decimal[count] > 5);
    }
}

/* Decimal halves in vectors against a loop: each length, the ends, and each place out of range. */
static void test_decimal(void **state)
{
    (void)state;
    srand(12);
    for (uint32_t i = 0; i < 400000; i++) {
        const uint32_t count = 8 + i % 9;
        const uint32_t u = count / 2;
        uint16_t digits[17], written[17];
        uint64_t halves[2], wanted[2] = {0};
        for (uint32_t k = 0; k < 17; k++) {
            digits[k] = (uint16_t)(i < 90 ? i / 9 : (uint32_t)rand() % 10);
            written[k] = 0x5555;
            if (k < count) {
                wanted[k >= u] = wanted[k >= u] * 10 + digits[k];
            }
        }
        assert_false(csn_ff1_read_decimal(digits, u, count - u, halves));
        assert_memory_equal(halves, wanted, sizeof wanted);
        csn_ff1_write_decimal(halves, written, u, count - u);
        assert_memory_equal(written, digits, count * 2);
        assert_int_equal(written[count], 0x5555);
        uint32_t place = (uint32_t)rand() % count;
        digits[place] = (uint16_t)(i % 3 == 0 ? 10 : 10 + (uint32_t)rand() % 65526);
        assert_true(csn_ff1_read_decimal(digits, u, count - u, halves));
    }
}

int main(void)
{
    kernel_count = vector_kernels(kernels);
    if (kernel_count == 0) {
        return 77;
    }
    if (csn_cpu_select(kernels[kernel_count - 1]) != CSN_OK) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nist),       cmocka_unit_test(test_acvp),
        cmocka_unit_test(test_wycheproof), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_batch),      cmocka_unit_test(test_outside),
        cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
