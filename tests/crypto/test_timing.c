/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_timing.c: does the time of AES-256-GCM, HMAC, FF1, X25519, ML-KEM or a comparison tell two
 * classes of secrets apart? Welch's t of the cycles of many calls, classes in random order (the
 * method of dudect by Reparaz, Balasch and Verbauwhede), on every kernel.
 *
 * On a machine that does other work t wanders, so a measurement is repeated until it shows no
 * leak, five times at most. The control is: a comparison of the tag that stops at the first
 * difference must be seen each time.
 *
 * usage: test_timing [SAMPLES]
 */
#include "vectors.h"
#include <core/bytes.h>
#include <crypto/aead.h>
#include <crypto/cpu.h>
#include <crypto/curve.h>
#include <crypto/ff1.h>
#include <crypto/mlkem.h>
#include <crypto/sha2.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define SIZE     256u
#define MACS     5u /* four lanes and one */
#define VALUES   9u /* of FF1: a group and one */
#define DIGITS   16u
#define LEAK_T   10.0 /* dudect calls 10 certain */
#define ATTEMPTS 5u

static uint32_t sample_total = 200000;

static struct {
    struct csn_gcm_key keys[2]; /* of zeros; of something */
    uint8_t texts[2][SIZE];
    uint8_t sealed[SIZE], tags[2][16]; /* forged tags: wrong at the first, and at the last byte */
    uint8_t right[16], output[SIZE];
    struct csn_hmac_key mac_keys[2];
    struct csn_aes_key ff1_keys[2];
    struct csn_mlkem_key kem_keys[2];
    uint8_t encapsulations[2][CSN_MLKEM_CIPHERTEXT_SIZE]; /* genuine; not, in its last byte */
    uint64_t seed;
    struct csn_gcm_key key; /* what a call works on lies at the same address in both classes */
    uint8_t text[SIZE], tag[16];
    struct csn_hmac_key mac_key;
    struct csn_aes_key ff1_key;
    struct csn_ff1_plan plan;
    uint16_t digits[VALUES][DIGITS];
    uint8_t scalar[32];
    bool with_kem;
    struct csn_mlkem_key kem_key;
    uint8_t encapsulation[CSN_MLKEM_CIPHERTEXT_SIZE];
    volatile bool equal;
} t;

enum varied { TEXTS, KEYS, TAGS };

static const uint8_t secrets[2][32] = {{0}, {0x5a, 0xc3, 0x17, 0x88, 0xe1}};

static uint32_t draw(void)
{
    t.seed = t.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(t.seed >> 33);
}

/* ---- what is timed ---- */
static void prepare(enum varied varied, uint32_t class)
{
    t.key = t.keys[varied == KEYS ? class : 1];
    memcpy(t.text, t.texts[varied == TEXTS ? class : 1], SIZE);
    memcpy(t.tag, t.tags[class], 16);
    t.mac_key = t.mac_keys[varied == KEYS ? class : 1];
    t.ff1_key = t.ff1_keys[varied == KEYS ? class : 1];
    assert_int_equal(csn_ff1_plan_init(&t.plan, &t.ff1_key, 10, DIGITS, 0), CSN_OK);
    for (uint32_t i = 0; i < VALUES * DIGITS; i++) {
        t.digits[i / DIGITS][i % DIGITS] = t.text[i] % 10;
    }
    memcpy(t.scalar, secrets[varied == KEYS ? class : 1], sizeof t.scalar);
    if (t.with_kem) { /* 9 KiB, which would push out of the cache what the others work on */
        t.kem_key = t.kem_keys[varied == KEYS ? class : 1];
        memcpy(t.encapsulation, t.encapsulations[varied == TAGS ? class : 0],
               sizeof t.encapsulation);
    }
}

static void seal(void)
{
    struct csn_gcm_item item = {
        .key = &t.key, .size = SIZE, .input = t.text, .output = t.output, .tag = t.tag};
    csn_gcm_seal_batch(&item, 1);
}

static void open_forgery(void)
{
    struct csn_gcm_item item = {
        .key = &t.key, .size = SIZE, .input = t.sealed, .output = t.output, .tag = t.tag};
    csn_gcm_open_batch(&item, 1);
}

static void mac_batch(void)
{
    struct csn_hmac_item items[MACS];
    for (uint32_t i = 0; i < MACS; i++) {
        items[i] = (struct csn_hmac_item){
            .key = &t.mac_key, .bytes = t.text, .size = 32 + i, .tag = t.output + 32 * i};
    }
    csn_hmac_batch(items, MACS);
}

static void encrypt_digits(void)
{
    struct csn_ff1_item items[VALUES];
    for (uint32_t i = 0; i < VALUES; i++) {
        items[i] =
            (struct csn_ff1_item){.plan = &t.plan, .input = t.digits[i], .output = t.digits[i]};
    }
    csn_ff1_encrypt_batch(items, VALUES);
}

static void public_key(void)
{
    csn_x25519_public(t.output, t.scalar);
}

static void decapsulate(void)
{
    (void)!csn_mlkem_decapsulate(&t.kem_key, t.encapsulation, sizeof t.encapsulation, t.output);
}

static void compare_tags(void)
{
    t.equal = csn_equal_ct(t.tag, t.right, sizeof t.tag);
}

static void leak(void)
{
    const volatile uint8_t *left = t.tag, *right = t.right;
    for (uint32_t i = 0; i < 16 && left[i] == right[i]; i++) {
    }
}

/* ---- the statistics ---- */
static int ascending(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* Welch's t of what took at most `limit`: beyond it are interrupts. */
static double welch(const uint32_t *cycles, const uint8_t *classes, uint32_t sample_count,
                    uint32_t limit)
{
    double count[2] = {0}, mean[2] = {0}, square[2] = {0};
    for (uint32_t i = 0; i < sample_count; i++) {
        if (cycles[i] <= limit) {
            uint32_t class = classes[i];
            double step = cycles[i] - mean[class];
            mean[class] += step / ++count[class];
            square[class] += step * (cycles[i] - mean[class]);
        }
    }
    double error =
        square[0] / (count[0] * (count[0] - 1)) + square[1] / (count[1] * (count[1] - 1));
    return error > 0 ? fabs(mean[0] - mean[1]) / sqrt(error) : 0;
}

static double measure(void (*call)(void), enum varied varied, uint32_t sample_count)
{
    uint32_t *cycles = malloc(2 * sample_count * sizeof *cycles);
    uint8_t *classes = malloc(sample_count);
    assert_true(cycles != NULL && classes != NULL);
    for (uint32_t i = 0; i < sample_count; i++) {
        classes[i] = draw() & 1;
        prepare(varied, classes[i]);
        _mm_lfence();
        uint64_t begin = __rdtsc();
        _mm_lfence();
        call();
        _mm_lfence();
        cycles[i] = (uint32_t)(__rdtsc() - begin);
    }
    uint32_t *sorted = cycles + sample_count;
    memcpy(sorted, cycles, sample_count * sizeof *cycles);
    qsort(sorted, sample_count, sizeof *sorted, ascending);
    double result = welch(cycles, classes, sample_count, sorted[sample_count / 10 * 9]);
    free(cycles);
    free(classes);
    return result;
}

/* The first t that shows no leak, else the last one. */
static double lowest(void (*call)(void), enum varied varied, uint32_t sample_count)
{
    double found = LEAK_T;
    for (uint32_t i = 0; i < ATTEMPTS && found >= LEAK_T; i++) {
        found = measure(call, varied, sample_count);
    }
    return found;
}

static void hold(const char *what, void (*call)(void), enum varied varied, uint32_t sample_count)
{
    double found = lowest(call, varied, sample_count);
    printf("# %s: t %.1f\n", what, found);
    assert_true(found < LEAK_T);
}

static void test_kernels(void **state)
{
    (void)state;
    uint64_t kernels[VECTOR_KERNELS_MAX];
    uint32_t count = vector_kernels(kernels);
    for (uint32_t k = 0; k < count; k++) {
        assert_int_equal(csn_cpu_select(kernels[k]), CSN_OK);
        printf("# features %#llx, zeros and others:\n", (unsigned long long)kernels[k]);
        hold("GCM, texts", seal, TEXTS, sample_total);
        hold("GCM, keys", seal, KEYS, sample_total);
        hold("GCM, tags wrong early and late", open_forgery, TAGS, sample_total);
        hold("HMAC, texts", mac_batch, TEXTS, sample_total);
        hold("HMAC, keys", mac_batch, KEYS, sample_total);
        hold("FF1, digits", encrypt_digits, TEXTS, sample_total);
        hold("FF1, keys", encrypt_digits, KEYS, sample_total);
        assert_int_equal(csn_mlkem_begin(kernels[k]), CSN_OK);
        t.with_kem = true;
        hold("ML-KEM, genuine and not", decapsulate, TAGS, sample_total / 20 + 2);
        hold("ML-KEM, keys", decapsulate, KEYS, sample_total / 20 + 2);
        t.with_kem = false;
    }
}

/* What has no kernels. A scalar multiplication takes a hundred times as long as the others. */
static void test_one_kernel(void **state)
{
    (void)state;
    hold("X25519, scalars", public_key, KEYS, sample_total / 100 + 2);
    hold("a comparison, tags wrong early and late", compare_tags, TAGS, sample_total);
}

static void test_control(void **state)
{
    (void)state;
    double found = lowest(leak, TAGS, sample_total);
    printf("# control: t of a comparison that stops early %.1f\n", found);
    assert_true(found >= LEAK_T);
}

int main(int count, char **arguments)
{
    uint64_t kernels[VECTOR_KERNELS_MAX];
    if (vector_kernels(kernels) == 0) {
        return 77;
    }
    sample_total = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : sample_total;
    for (uint32_t i = 0; i < 2; i++) {
        csn_gcm_key_init(&t.keys[i], secrets[i]);
        csn_hmac_key_init(&t.mac_keys[i], secrets[i], 32);
        if (csn_aes_key_init(&t.ff1_keys[i], secrets[i], 32) != CSN_OK) {
            return 1;
        }
        uint8_t seed[CSN_MLKEM_SEED_SIZE] = {(uint8_t)i};
        if (csn_mlkem_key_init(&t.kem_keys[i], seed) != CSN_OK) {
            return 1;
        }
    }
    for (uint32_t i = 0; i < 2; i++) {
        csn_mlkem_encapsulate(&t.kem_keys[1].public, secrets[1], t.encapsulations[i], t.output);
    }
    t.encapsulations[1][CSN_MLKEM_CIPHERTEXT_SIZE - 1] ^= 1;
    for (uint32_t i = 0; i < SIZE; i++) {
        t.texts[1][i] = (uint8_t)draw();
    }
    struct csn_gcm_item item = {
        .key = &t.keys[1], .size = SIZE, .input = t.texts[1], .output = t.sealed, .tag = t.right};
    csn_gcm_seal_batch(&item, 1);
    memcpy(t.tags[0], t.right, 16);
    memcpy(t.tags[1], t.right, 16);
    t.tags[0][0] ^= 1;
    t.tags[1][15] ^= 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kernels),
                                       cmocka_unit_test(test_one_kernel),
                                       cmocka_unit_test(test_control)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
