/* SPDX-License-Identifier: Apache-2.0 */
/* test_sha2.c: SHA-2, HMAC and HKDF against OpenSSL on every kernel, in random pieces. */
#include "vectors.h"
#include <crypto/cpu.h>
#include <crypto/sha2.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define PAGE 4096u

static uint8_t message[5000];

static void check_size(size_t size)
{
    uint8_t made[64], expected[64];
    struct csn_sha256 small;
    struct csn_sha512 large;
    struct csn_hmac_key key;
    size_t cut = size == 0 ? 0 : (size_t)rand() % size;
    csn_sha256_init(&small);
    csn_sha256_update(&small, message, cut);
    csn_sha256_update(&small, message + cut, size - cut);
    csn_sha256_final(&small, made);
    assert_memory_equal(made, SHA256(message, size, expected), 32);
    csn_sha384_init(&large);
    csn_sha512_update(&large, message, cut);
    csn_sha512_update(&large, message + cut, size - cut);
    csn_sha384_final(&large, made);
    assert_memory_equal(made, SHA384(message, size, expected), 48);
    csn_sha512_init(&large);
    csn_sha512_update(&large, message, size);
    csn_sha512_final(&large, made);
    assert_memory_equal(made, SHA512(message, size, expected), 64);
    csn_hmac_key_init(&key, message, cut % 200);
    csn_hmac(&key, message, size, made);
    HMAC(EVP_sha256(), message, (int)(cut % 200), message, size, expected, NULL);
    assert_memory_equal(made, expected, 32);
    csn_hmac_384(message, cut % 200, message, size, made);
    HMAC(EVP_sha384(), message, (int)(cut % 200), message, size, expected, NULL);
    assert_memory_equal(made, expected, 48);
    csn_hmac_512(message, cut % 200, message, size, made);
    HMAC(EVP_sha512(), message, (int)(cut % 200), message, size, expected, NULL);
    assert_memory_equal(made, expected, 64);
}

static void test_sizes(void **state)
{
    (void)state;
    uint64_t kernels[VECTOR_KERNELS_MAX];
    uint32_t kernel_count = vector_kernels(kernels);
    long count = 0;
    srand(11);
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] = (uint8_t)rand();
    }
    for (uint32_t k = 0; k < kernel_count; k++) {
        assert_int_equal(csn_cpu_select(kernels[k]), CSN_OK);
        for (size_t size = 0; size < 700; size++, count++) {
            check_size(size);
        }
        for (int i = 0; i < 300; i++, count++) {
            check_size((size_t)rand() % sizeof message);
        }
    }
    printf("# %ld messages against OpenSSL on %u kernel sets\n", count, kernel_count);
    assert_true(count > 0);
}

/* Sizes on both sides of each block border, in batches of every small count. */
static void check_batch(uint32_t count)
{
    static uint8_t tags[40][32];
    struct csn_hmac_key keys[3];
    struct csn_hmac_item items[40];
    uint8_t expected[32];
    for (uint32_t i = 0; i < 3; i++) {
        csn_hmac_key_init(&keys[i], message + i, 32 + i);
    }
    memset(tags, 0, sizeof tags);
    for (uint32_t i = 0; i < count; i++) {
        static const uint32_t borders[] = {0, 32, 55, 56, 63, 64, 119, 120, 127, 128, 200};
        uint32_t size = borders[(uint32_t)rand() % (sizeof borders / sizeof borders[0])];
        items[i] = (struct csn_hmac_item){
            .key = &keys[i % 3], .bytes = message + i, .size = size, .tag = tags[i]};
    }
    csn_hmac_batch(items, count);
    for (uint32_t i = 0; i < count; i++) {
        HMAC(EVP_sha256(), message + i % 3, (int)(32 + i % 3), items[i].bytes, items[i].size,
             expected, NULL);
        assert_memory_equal(tags[i], expected, 32);
    }
}

static void test_batches(void **state)
{
    (void)state;
    uint64_t kernels[VECTOR_KERNELS_MAX];
    uint32_t kernel_count = vector_kernels(kernels);
    for (uint32_t k = 0; k < kernel_count; k++) {
        assert_int_equal(csn_cpu_select(kernels[k]), CSN_OK);
        for (uint32_t round = 0; round < 2000; round++) {
            check_batch(round % 41);
        }
    }
}

/* A page between two that nobody may touch. */
static uint8_t *guarded_page(void)
{
    uint8_t *pages = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED && mprotect(pages + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    return pages + PAGE;
}

/* A batch of one size, in groups of each size that there is; the first byte or the last at a guard.
 */
static void check_edges(uint8_t *input, uint8_t *output, uint32_t size, uint32_t count)
{
    struct csn_hmac_key key;
    struct csn_hmac_item items[9];
    uint8_t expected[32];
    csn_hmac_key_init(&key, message, 32);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (struct csn_hmac_item){.key = &key,
                                          .bytes = i % 2 == 0 ? input : input + PAGE - size,
                                          .size = size,
                                          .tag = output + PAGE - 32 * (i + 1)};
    }
    csn_hmac_batch(items, count);
    for (uint32_t i = 0; i < count; i++) {
        HMAC(EVP_sha256(), message, 32, items[i].bytes, size, expected, NULL);
        assert_memory_equal(items[i].tag, expected, 32);
    }
}

static void test_edges(void **state)
{
    (void)state;
    uint64_t kernels[VECTOR_KERNELS_MAX];
    uint32_t kernel_count = vector_kernels(kernels);
    uint8_t *input = guarded_page();
    uint8_t *output = guarded_page();
    memcpy(input, message, PAGE);
    for (uint32_t k = 0; k < kernel_count; k++) {
        assert_int_equal(csn_cpu_select(kernels[k]), CSN_OK);
        for (uint32_t size = 0; size <= 200; size++) {
            for (uint32_t count = 1; count <= 9; count++) {
                check_edges(input, output, size, count);
            }
        }
    }
    printf("# batches of 1 to 9 messages of 0 to 200 bytes, guard pages at both ends\n");
    munmap(input - PAGE, 3 * PAGE);
    munmap(output - PAGE, 3 * PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes), cmocka_unit_test(test_batches),
                                       cmocka_unit_test(test_edges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
