/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_mlkem.c: ML-KEM-768 without vectors: its polynomials against the schoolbook, rounding and
 * encoding of every number, each refusal of FIPS 203 section 7, every bit of a ciphertext flipped,
 * and exchanges with random keys, the same on each kernel that this CPU has.
 *
 * usage: test_mlkem [EXCHANGES]
 */
#include "mlkem_kernels.h"
#include <core/bytes.h>
#include <crypto/keccak.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define Q    CSN_MLKEM_Q
#define N    CSN_MLKEM_N
#define RANK CSN_MLKEM_RANK

static uint32_t exchange_total = 1000;

static struct {
    const struct csn_mlkem_kernel *kernels[2];
    uint32_t kernel_count;
    struct csn_mlkem_key key, other;
    struct csn_mlkem_public public;
    uint8_t seed[CSN_MLKEM_SEED_SIZE], randomness[32];
    uint8_t bytes[CSN_MLKEM_EXPANDED_SIZE + 1];
    uint8_t ciphertext[CSN_MLKEM_CIPHERTEXT_SIZE + 1];
    uint8_t shared[CSN_MLKEM_SHARED_SIZE], opened[CSN_MLKEM_SHARED_SIZE];
} t;

static void draw(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(rand() >> 7);
    }
}

static void fresh_key(void)
{
    draw(t.seed, sizeof t.seed);
    draw(t.randomness, sizeof t.randomness);
    assert_int_equal(csn_mlkem_key_init(&t.key, t.seed), CSN_OK);
}

/* ---- the parts ---- */
enum kind { RANDOM, HIGHEST, LOWEST, ALTERNATING, KINDS };

static void fill(struct csn_mlkem_poly *poly, enum kind kind)
{
    for (uint32_t i = 0; i < N; i++) {
        int number[KINDS] = {rand() % (2 * Q - 1) - (Q - 1), Q - 1, 1 - Q,
                             rand() % 2 == 0 ? Q - 1 : 1 - Q};
        poly->at[i] = (int16_t)number[kind];
    }
}

/* sum += left * right modulo X^256 + 1 and q */
static void schoolbook(int64_t sum[N], const struct csn_mlkem_poly *left,
                       const struct csn_mlkem_poly *right)
{
    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t k = 0; k < N; k++) {
            int64_t product = (int64_t)left->at[i] * right->at[k];
            sum[(i + k) % N] += i + k < N ? product : -product;
        }
    }
}

static bool is_same(int64_t left, int64_t right)
{
    return (left - right) % Q == 0;
}

static void check_product(const struct csn_mlkem_kernel *kernel, enum kind left, enum kind right)
{
    struct csn_mlkem_poly a[RANK], b[RANK], sum;
    int64_t expected[N] = {0};
    for (uint32_t i = 0; i < RANK; i++) {
        fill(&a[i], left);
        fill(&b[i], right);
        schoolbook(expected, &a[i], &b[i]);
        kernel->transform(&a[i]);
        kernel->transform(&b[i]);
        for (uint32_t k = 0; k < N; k++) {
            assert_in_range(a[i].at[k], 0, Q - 1);
        }
    }
    kernel->dot(&sum, a, 1, b);
    kernel->restore(&sum);
    for (uint32_t k = 0; k < N; k++) {
        assert_true(sum.at[k] > -Q && sum.at[k] < Q && is_same(sum.at[k], expected[k]));
    }
}

static void test_products(void **state)
{
    (void)state;
    for (uint32_t k = 0; k < t.kernel_count; k++) {
        for (uint32_t i = 0; i < KINDS * KINDS * 4; i++) {
            check_product(t.kernels[k], (enum kind)(i % KINDS), (enum kind)(i / KINDS % KINDS));
        }
    }
}

/* Every number within the bounds that these are documented for, in every place of a register. */
static void test_sums(void **state)
{
    (void)state;
    for (uint32_t k = 0; k < t.kernel_count; k++) {
        const struct csn_mlkem_kernel *kernel = t.kernels[k];
        for (int low = -2 * Q; low + (int)N - 1 <= 2 * Q; low += 3) {
            struct csn_mlkem_poly numbers, zero = {{0}}, made;
            for (uint32_t i = 0; i < N; i++) {
                numbers.at[i] = (int16_t)(low + (int)i);
            }
            made = numbers;
            kernel->add(&made, &zero);
            for (uint32_t i = 0; i < N; i++) {
                assert_true(made.at[i] >= 0 && made.at[i] < Q && is_same(made.at[i], low + (int)i));
            }
            kernel->subtract_from(&made, &numbers); /* numbers - what is the same */
            assert_memory_equal(made.at, zero.at, sizeof zero);
            made = numbers;
            kernel->scale(&made);
            for (uint32_t i = 0; i < N; i++) {
                assert_true(made.at[i] >= 0 && made.at[i] < Q &&
                            is_same(made.at[i], (low + (int)i) * INT64_C(65536)));
            }
        }
    }
}

/* FIPS 203's rounding, by a division of whole numbers. There are no ties: q is odd. */
static uint32_t rounded(uint32_t number, uint32_t bits)
{
    return (((number << bits) * 2 + Q) / (2 * Q)) % (1u << bits);
}

static void check_compression(uint32_t number)
{
    struct csn_mlkem_poly poly, whole;
    uint8_t ten[320], four[128], one[32];
    for (uint32_t i = 0; i < N; i++) {
        poly.at[i] = (int16_t)((number + i) % Q);
    }
    csn_mlkem_compress_10(&poly, ten);
    csn_mlkem_compress_4(&poly, four);
    csn_mlkem_compress_1(&poly, one);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t in_ten =
            (csn_load_u32(ten + i / 4 * 5) | (uint64_t)ten[i / 4 * 5 + 4] << 32) >> 10 * (i % 4) &
            0x3ff;
        assert_int_equal(in_ten, rounded((uint32_t)poly.at[i], 10));
        assert_int_equal(four[i / 2] >> 4 * (i % 2) & 15, rounded((uint32_t)poly.at[i], 4));
        assert_int_equal(one[i / 8] >> i % 8 & 1, rounded((uint32_t)poly.at[i], 1));
    }
    csn_mlkem_expand_10(ten, &whole);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t value = rounded((uint32_t)poly.at[i], 10);
        assert_int_equal(whole.at[i], (value * 2 * Q + 1024) / 2048);
    }
    csn_mlkem_expand_4(four, &whole);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t value = rounded((uint32_t)poly.at[i], 4);
        assert_int_equal(whole.at[i], (value * 2 * Q + 16) / 32);
    }
    csn_mlkem_expand_1(one, &whole);
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(whole.at[i], rounded((uint32_t)poly.at[i], 1) != 0 ? (Q + 1) / 2 : 0);
    }
}

static void test_rounding(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < Q; number++) {
        check_compression(number);
    }
}

/* ---- refusals ---- */
/* Number n of an encoded polynomial becomes value. */
static void put_number(uint8_t *bytes, uint32_t n, uint32_t value)
{
    uint8_t *at = bytes + n / 2 * 3;
    if (n % 2 == 0) {
        at[0] = (uint8_t)value;
        at[1] = (uint8_t)((at[1] & 0xf0) | value >> 8);
    } else {
        at[1] = (uint8_t)((at[1] & 15) | value << 4);
        at[2] = (uint8_t)(value >> 4);
    }
}

static void test_public_keys(void **state)
{
    (void)state;
    fresh_key();
    for (uint32_t n = 0; n < RANK * N; n++) {
        static const uint32_t values[] = {0, Q - 1, Q, 4095};
        for (uint32_t i = 0; i < 4; i++) {
            memcpy(t.bytes, t.key.public.bytes, CSN_MLKEM_PUBLIC_SIZE);
            put_number(t.bytes, n, values[i]);
            assert_int_equal(csn_mlkem_public_init(&t.public, t.bytes, CSN_MLKEM_PUBLIC_SIZE),
                             values[i] < Q ? CSN_OK : CSN_ERR_ARGUMENT);
        }
    }
    for (size_t size = 0; size <= CSN_MLKEM_PUBLIC_SIZE + 1; size++) {
        assert_int_equal(csn_mlkem_public_init(&t.public, t.key.public.bytes, size),
                         size == CSN_MLKEM_PUBLIC_SIZE ? CSN_OK : CSN_ERR_FORMAT);
    }
}

static void refuse_import(size_t size, csn_err expected)
{
    memset(&t.other, 0x5a, sizeof t.other);
    assert_int_equal(csn_mlkem_key_import(&t.other, t.bytes, size), expected);
    assert_true(csn_is_zero_ct(&t.other, sizeof t.other));
}

static void test_imports(void **state)
{
    (void)state;
    uint8_t *public = t.bytes + 384 * RANK, *hash = public + CSN_MLKEM_PUBLIC_SIZE;
    fresh_key();
    csn_mlkem_key_export(&t.key, t.bytes);
    for (size_t size = 0; size <= CSN_MLKEM_EXPANDED_SIZE + 1; size++) {
        if (size != CSN_MLKEM_EXPANDED_SIZE) {
            refuse_import(size, CSN_ERR_FORMAT);
        }
    }
    for (uint32_t bit = 0; bit < 256; bit++) {
        hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
        refuse_import(CSN_MLKEM_EXPANDED_SIZE, CSN_ERR_AUTH);
        hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    public[CSN_MLKEM_PUBLIC_SIZE - 1] ^= 1;
    refuse_import(CSN_MLKEM_EXPANDED_SIZE, CSN_ERR_AUTH);
    public[CSN_MLKEM_PUBLIC_SIZE - 1] ^= 1;
    assert_int_equal(csn_mlkem_key_import(&t.other, t.bytes, CSN_MLKEM_EXPANDED_SIZE), CSN_OK);
    assert_memory_equal(&t.other, &t.key, sizeof t.key);
    for (uint32_t n = 0; n < RANK * N; n += 255) { /* FIPS 203 takes secret numbers modulo q */
        uint32_t number = (uint16_t)t.key.s[n / N].at[csn_mlkem_place(n % N)];
        if (number + Q < 4096) {
            put_number(t.bytes, n, number + Q);
        }
    }
    assert_int_equal(csn_mlkem_key_import(&t.other, t.bytes, CSN_MLKEM_EXPANDED_SIZE), CSN_OK);
    assert_memory_equal(&t.other, &t.key, sizeof t.key);
    put_number(public, 0, Q);
    csn_sha3_256(public, CSN_MLKEM_PUBLIC_SIZE, hash);
    refuse_import(CSN_MLKEM_EXPANDED_SIZE, CSN_ERR_ARGUMENT);
}

/* ---- exchanges ---- */
static void permute_twice(uint64_t states[25][CSN_MLKEM_LANES])
{
    csn_mlkem_sse2.permute(states);
    csn_mlkem_sse2.permute(states);
}

/* And a kernel that agrees with itself, but with nobody else, must not start. */
static void test_self_test(void **state)
{
    (void)state;
    uint64_t features = 0;
    assert_int_equal(csn_cpu_features(&features), CSN_OK);
    assert_int_equal(csn_mlkem_begin(0), CSN_OK);
    assert_int_equal(csn_mlkem_begin(features), CSN_OK);
    struct csn_mlkem_kernel broken = csn_mlkem_sse2;
    broken.permute = permute_twice;
    csn_mlkem_use(&broken);
    assert_int_equal(csn_mlkem_self_test(), CSN_ERR_INTERNAL);
    csn_mlkem_use(&csn_mlkem_sse2);
}

static void expect_rejection(void)
{
    uint8_t input[32 + CSN_MLKEM_CIPHERTEXT_SIZE], expected[32];
    memcpy(input, t.seed + 32, 32);
    memcpy(input + 32, t.ciphertext, CSN_MLKEM_CIPHERTEXT_SIZE);
    csn_shake256(input, sizeof input, expected, sizeof expected);
    assert_int_equal(
        csn_mlkem_decapsulate(&t.key, t.ciphertext, CSN_MLKEM_CIPHERTEXT_SIZE, t.opened), CSN_OK);
    assert_memory_equal(t.opened, expected, sizeof expected);
}

/* Whatever is not what encapsulation gives, to the last bit, gives the hash of z and itself. */
static void test_rejection(void **state)
{
    (void)state;
    for (uint32_t k = 0; k < t.kernel_count; k++) {
        csn_mlkem_use(t.kernels[k]);
        fresh_key();
        csn_mlkem_encapsulate(&t.key.public, t.randomness, t.ciphertext, t.shared);
        for (uint32_t bit = 0; bit < 8 * CSN_MLKEM_CIPHERTEXT_SIZE; bit++) {
            t.ciphertext[bit / 8] ^= (uint8_t)(1u << bit % 8);
            expect_rejection();
            t.ciphertext[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        draw(t.ciphertext, CSN_MLKEM_CIPHERTEXT_SIZE);
        expect_rejection();
    }
}

static void test_ciphertext_sizes(void **state)
{
    (void)state;
    fresh_key();
    csn_mlkem_encapsulate(&t.key.public, t.randomness, t.ciphertext, t.shared);
    memset(t.opened, 0x5a, sizeof t.opened);
    for (size_t size = 0; size <= CSN_MLKEM_CIPHERTEXT_SIZE + 1; size++) {
        if (size != CSN_MLKEM_CIPHERTEXT_SIZE) {
            assert_int_equal(csn_mlkem_decapsulate(&t.key, t.ciphertext, size, t.opened),
                             CSN_ERR_FORMAT);
            assert_true(t.opened[0] == 0x5a && t.opened[31] == 0x5a);
        }
    }
}

static void check_exchange(void)
{
    uint8_t first[CSN_MLKEM_CIPHERTEXT_SIZE], secret[CSN_MLKEM_SHARED_SIZE];
    for (uint32_t k = 0; k < t.kernel_count; k++) {
        csn_mlkem_use(t.kernels[k]);
        assert_int_equal(csn_mlkem_key_init(&t.key, t.seed), CSN_OK);
        csn_mlkem_key_export(&t.key, t.bytes);
        assert_int_equal(
            csn_mlkem_public_init(&t.public, t.key.public.bytes, CSN_MLKEM_PUBLIC_SIZE), CSN_OK);
        assert_memory_equal(&t.public, &t.key.public, sizeof t.public);
        csn_mlkem_encapsulate(&t.public, t.randomness, t.ciphertext, t.shared);
        assert_int_equal(csn_mlkem_key_import(&t.other, t.bytes, CSN_MLKEM_EXPANDED_SIZE), CSN_OK);
        assert_int_equal(
            csn_mlkem_decapsulate(&t.other, t.ciphertext, CSN_MLKEM_CIPHERTEXT_SIZE, t.opened), 0);
        assert_memory_equal(t.opened, t.shared, sizeof t.shared);
        if (k == 0) {
            memcpy(first, t.ciphertext, sizeof first);
            memcpy(secret, t.shared, sizeof secret);
        }
        assert_memory_equal(first, t.ciphertext, sizeof first);
        assert_memory_equal(secret, t.shared, sizeof secret);
    }
}

static void test_exchanges(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < exchange_total; i++) {
        draw(t.seed, sizeof t.seed);
        draw(t.randomness, sizeof t.randomness);
        check_exchange();
    }
    printf("# %u keys made, exported, imported, sent to and opened with, on %u kernels\n",
           exchange_total, t.kernel_count);
}

int main(int count, char **arguments)
{
    exchange_total = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : exchange_total;
    t.kernel_count = mlkem_kernels(t.kernels);
    srand(17);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self_test),   cmocka_unit_test(test_products),
        cmocka_unit_test(test_sums),        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_public_keys), cmocka_unit_test(test_imports),
        cmocka_unit_test(test_rejection),   cmocka_unit_test(test_ciphertext_sizes),
        cmocka_unit_test(test_exchanges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
