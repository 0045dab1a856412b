/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_keccak.c: SHA-3 and SHAKE against OpenSSL at every size from 0 to 1,000, in random pieces;
 * and four states side by side against one.
 */
#include "mlkem_kernels.h"
#include <crypto/keccak.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define SIZE_MAX_TESTED 1000u
#define OUTPUT_MAX      700u

static uint8_t message[SIZE_MAX_TESTED];

struct function {
    const char *name;
    void (*init)(struct csn_keccak *hash);
    uint32_t size; /* 0: any */
    const EVP_MD *(*peer)(void);
};

static const struct function functions[] = {
    {"SHA3-256", csn_sha3_256_init, 32, EVP_sha3_256},
    {"SHA3-512", csn_sha3_512_init, 64, EVP_sha3_512},
    {"SHAKE128", csn_shake128_init, 0, EVP_shake128},
    {"SHAKE256", csn_shake256_init, 0, EVP_shake256},
};
#define FUNCTIONS (sizeof functions / sizeof functions[0])

static void by_openssl(const struct function *function, size_t size, uint8_t *output,
                       size_t output_size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestInit_ex(context, function->peer(), NULL), 1);
    assert_int_equal(EVP_DigestUpdate(context, message, size), 1);
    if (function->size == 0) {
        assert_int_equal(EVP_DigestFinalXOF(context, output, output_size), 1);
    } else {
        assert_int_equal(EVP_DigestFinal_ex(context, output, NULL), 1);
    }
    EVP_MD_CTX_free(context);
}

/* At most what is left, often nothing, often a few bytes. */
static size_t piece(size_t left)
{
    size_t most = rand() % 2 == 0 ? 9 : 300;
    size_t size = (size_t)rand() % most;
    return size < left ? size : left;
}

static void check(const struct function *function, size_t size, bool in_pieces)
{
    uint8_t made[OUTPUT_MAX], expected[OUTPUT_MAX];
    size_t output_size = function->size != 0 ? function->size : (size_t)rand() % OUTPUT_MAX + 1;
    struct csn_keccak hash;
    function->init(&hash);
    for (size_t done = 0, next; done < size; done += next) {
        next = in_pieces ? piece(size - done) : size;
        csn_keccak_absorb(&hash, message + done, next);
    }
    csn_keccak_finish(&hash);
    for (size_t done = 0, next; done < output_size; done += next) {
        next = in_pieces ? piece(output_size - done) : output_size;
        csn_keccak_squeeze(&hash, made + done, next);
    }
    by_openssl(function, size, expected, output_size);
    assert_memory_equal(made, expected, output_size);
}

static void test_sizes(void **state)
{
    (void)state;
    long count = 0;
    for (uint32_t f = 0; f < FUNCTIONS; f++) {
        for (size_t size = 0; size <= SIZE_MAX_TESTED; size++, count += 4) {
            check(&functions[f], size, false);
            check(&functions[f], size, true);
            check(&functions[f], size, true);
            check(&functions[f], size, true);
        }
    }
    printf("# %ld messages of SHA-3 and SHAKE against OpenSSL\n", count);
    assert_int_equal(count, 4 * FUNCTIONS * (SIZE_MAX_TESTED + 1));
}

static void test_at_once(void **state)
{
    (void)state;
    uint8_t made[OUTPUT_MAX], expected[OUTPUT_MAX];
    for (size_t size = 0; size <= SIZE_MAX_TESTED; size++) {
        csn_sha3_256(message, size, made);
        by_openssl(&functions[0], size, expected, 32);
        assert_memory_equal(made, expected, 32);
        csn_sha3_512(message, size, made);
        by_openssl(&functions[1], size, expected, 64);
        assert_memory_equal(made, expected, 64);
        csn_shake256(message, size, made, OUTPUT_MAX);
        by_openssl(&functions[3], size, expected, OUTPUT_MAX);
        assert_memory_equal(made, expected, OUTPUT_MAX);
    }
}

/* Four states with a block of SHAKE256 in each; the last byte of a block is 0x80's place. */
static void test_side_by_side(void **state)
{
    (void)state;
    const struct csn_mlkem_kernel *kernels[2];
    uint32_t kernel_count = mlkem_kernels(kernels);
    for (uint32_t k = 0; k < kernel_count; k++) {
        for (uint32_t round = 0; round < 100; round++) {
            uint64_t states[25][CSN_MLKEM_LANES] = {{0}};
            for (uint32_t lane = 0; lane < CSN_MLKEM_LANES; lane++) {
                memcpy(&states[0][lane], message + 8 * round + lane, 8);
                states[1][lane] = 0x1f;
                states[16][lane] = UINT64_C(1) << 63;
            }
            kernels[k]->permute(states);
            for (uint32_t lane = 0; lane < CSN_MLKEM_LANES; lane++) {
                uint64_t words[17];
                csn_shake256(message + 8 * round + lane, 8, words, sizeof words);
                for (uint32_t i = 0; i < 17; i++) {
                    assert_true(states[i][lane] == words[i]);
                }
            }
        }
    }
    printf("# 100 permutations of four states on %u kernels\n", kernel_count);
}

int main(void)
{
    srand(13);
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] = (uint8_t)rand();
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes), cmocka_unit_test(test_at_once),
                                       cmocka_unit_test(test_side_by_side)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
