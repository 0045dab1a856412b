/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_gcm.c: AES-256-GCM against OpenSSL on every kernel: all short lengths, in place and not,
 * against guard pages at both ends, every single-bit flip, and batches of mixed keys.
 */
#include "vectors.h"
#include <crypto/aead.h>
#include <crypto/aes.h>
#include <crypto/cpu.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define PAGE      4096u
#define AREA_SIZE (20 * PAGE)

static uint64_t kernels[4];
static uint32_t kernel_count;

/* size bytes that begin right after, or end right before, a page that may not be touched */
struct area {
    uint8_t *start;
};

static struct area area_create(void)
{
    uint8_t *all = mmap(NULL, AREA_SIZE + 2 * PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(all != MAP_FAILED);
    assert_int_equal(mprotect(all, PAGE, PROT_NONE), 0);
    assert_int_equal(mprotect(all + PAGE + AREA_SIZE, PAGE, PROT_NONE), 0);
    return (struct area){all + PAGE};
}

static uint8_t *area_place(struct area area, uint32_t size, bool at_end)
{
    return at_end ? area.start + AREA_SIZE - size : area.start;
}

static void fill(uint8_t *bytes, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static void openssl_seal(EVP_CIPHER_CTX *context, const uint8_t key[32],
                         const struct csn_gcm_item *item, uint8_t *output, uint8_t tag[16])
{
    int size;
    uint8_t none[1];
    assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, item->nonce), 1);
    if (item->aad_size > 0) {
        EVP_EncryptUpdate(context, NULL, &size, item->aad, (int)item->aad_size);
    }
    if (item->size > 0) {
        EVP_EncryptUpdate(context, output, &size, item->input, (int)item->size);
    }
    EVP_EncryptFinal_ex(context, none, &size);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag), 1);
}

static struct {
    struct area input, output, aad, tag;
    uint8_t *expected;
    EVP_CIPHER_CTX *openssl;
    uint8_t key[32];
    struct csn_gcm_key schedule;
} t;

/* One length: seal apart and in place, open in place, open a forgery. */
static void check_length(uint32_t size, uint32_t aad_size, bool at_end)
{
    uint8_t expected_tag[16];
    uint8_t *input = area_place(t.input, size, at_end);
    uint8_t *output = area_place(t.output, size, at_end);
    struct csn_gcm_item item = {.key = &t.schedule,
                                .aad = area_place(t.aad, aad_size, at_end),
                                .aad_size = aad_size,
                                .size = size,
                                .input = input,
                                .output = output,
                                .tag = area_place(t.tag, 16, at_end)};
    fill(input, size, size + 1);
    fill(area_place(t.aad, aad_size, at_end), aad_size, aad_size + 77);
    fill(item.nonce, 12, size ^ aad_size << 16);
    openssl_seal(t.openssl, t.key, &item, t.expected, expected_tag);
    csn_gcm_seal_batch(&item, 1);
    assert_memory_equal(output, t.expected, size);
    assert_memory_equal(item.tag, expected_tag, 16);
    memcpy(output, input, size);
    item.input = output;
    csn_gcm_seal_batch(&item, 1);
    assert_memory_equal(output, t.expected, size);
    csn_gcm_open_batch(&item, 1);
    assert_int_equal(item.result, CSN_OK);
    assert_memory_equal(output, input, size);
    item.input = t.expected;
    item.tag[size % 16] ^= (uint8_t)(1 << size % 8);
    csn_gcm_open_batch(&item, 1);
    assert_int_equal(item.result, CSN_ERR_AUTH);
    for (uint32_t i = 0; i < size; i++) {
        assert_int_equal(output[i], 0);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    static const uint32_t aad_sizes[] = {0, 1, 13, 16, 31, 128, 129, 300};
    static const uint32_t large[] = {1023, 1024, 1025, 4096, 4111, 16384, 65536, 65551};
    t.input = area_create(), t.output = area_create(), t.aad = area_create(), t.tag = area_create();
    t.expected = malloc(AREA_SIZE);
    t.openssl = EVP_CIPHER_CTX_new();
    fill(t.key, sizeof t.key, 3);
    long count = 0;
    for (uint32_t k = 0; k < kernel_count; k++) {
        assert_int_equal(csn_cpu_select(kernels[k]), CSN_OK);
        csn_gcm_key_init(&t.schedule, t.key);
        for (uint32_t size = 0; size <= 600 + 8; size++) {
            for (uint32_t a = 0; a < 8; a++) {
                uint32_t bytes = size <= 600 ? size : large[size - 601];
                check_length(bytes, aad_sizes[a], false);
                check_length(bytes, aad_sizes[a], true);
                count += 2;
            }
        }
    }
    printf("# %ld lengths against OpenSSL on %u kernel sets, guard pages at both ends\n", count,
           kernel_count);
    EVP_CIPHER_CTX_free(t.openssl);
    free(t.expected);
}

static void test_bit_flips(void **state)
{
    (void)state;
    enum { SIZE = 100, AAD = 21 };
    long count = 0;
    for (uint32_t k = 0; k < kernel_count; k++) {
        /* ciphertext, tag, associated data, nonce: one array, so that a flip is one index */
        uint8_t message[SIZE + 16 + AAD + 12], plain[SIZE], output[SIZE], secret[32] = {9};
        struct csn_gcm_key key;
        assert_int_equal(csn_cpu_select(kernels[k]), CSN_OK);
        csn_gcm_key_init(&key, secret);
        fill(plain, sizeof plain, 1);
        fill(message, sizeof message, 2);
        struct csn_gcm_item item = {.key = &key,
                                    .aad = message + SIZE + 16,
                                    .aad_size = AAD,
                                    .size = SIZE,
                                    .input = plain,
                                    .output = message,
                                    .tag = message + SIZE};
        memcpy(item.nonce, message + SIZE + 16 + AAD, 12);
        csn_gcm_seal_batch(&item, 1);
        item.input = message;
        item.output = output;
        for (uint32_t bit = 0; bit <= sizeof message * 8; bit++) {
            bool flip = bit < sizeof message * 8;
            message[flip ? bit / 8 : 0] ^= (uint8_t)(flip << bit % 8);
            memset(output, 0xaa, sizeof output);
            memcpy(item.nonce, message + SIZE + 16 + AAD, 12);
            csn_gcm_open_batch(&item, 1);
            assert_int_equal(item.result, flip ? CSN_ERR_AUTH : CSN_OK);
            static const uint8_t wiped[SIZE];
            assert_memory_equal(output, flip ? wiped : plain, SIZE);
            message[flip ? bit / 8 : 0] ^= (uint8_t)(flip << bit % 8);
            count += flip;
        }
    }
    printf("# %ld single-bit flips rejected, output wiped; the unflipped message opens\n", count);
}

static void test_batch(void **state)
{
    (void)state;
    enum { COUNT = 32, SIZE = 400 };
    static struct csn_gcm_key keys[3];
    static uint8_t plain[COUNT][SIZE], batch[COUNT][SIZE], tags[COUNT][16], single[SIZE];
    struct csn_gcm_item items[COUNT];
    uint8_t tag[16];
    for (int i = 0; i < 3; i++) {
        uint8_t secret[32] = {(uint8_t)i};
        csn_gcm_key_init(&keys[i], secret);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        fill(plain[i], SIZE, i);
        items[i] = (struct csn_gcm_item){.key = &keys[i % 3],
                                         .nonce = {(uint8_t)i},
                                         .size = (i * 37) % SIZE,
                                         .input = plain[i],
                                         .output = batch[i],
                                         .tag = tags[i]};
    }
    csn_gcm_seal_batch(items, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct csn_gcm_item item = items[i];
        item.output = single;
        item.tag = tag;
        csn_gcm_seal_batch(&item, 1);
        assert_memory_equal(single, batch[i], item.size);
        assert_memory_equal(tag, tags[i], 16);
        items[i].input = batch[i];
    }
    tags[5][0] ^= 1; /* one forgery; its neighbours are served */
    csn_gcm_open_batch(items, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(items[i].result, i == 5 ? CSN_ERR_AUTH : CSN_OK);
        if (i != 5) {
            assert_memory_equal(batch[i], plain[i], items[i].size);
        }
    }
}

/* FIPS 197 appendix C: one block, three key sizes. */
static void test_aes(void **state)
{
    (void)state;
    static const uint8_t first[3][4] = {
        {0x69, 0xc4, 0xe0, 0xd8}, {0xdd, 0xa9, 0x7c, 0xa4}, {0x8e, 0xa2, 0xb7, 0xca}};
    uint8_t secret[32], blocks[11][16], output[11][16];
    struct csn_aes_key key;
    for (int i = 0; i < 32; i++) {
        secret[i] = (uint8_t)i;
    }
    for (int i = 0; i < 11 * 16; i++) {
        blocks[i / 16][i % 16] = (uint8_t)(17 * (i % 16));
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(csn_aes_key_init(&key, secret, 16 + 8 * i), CSN_OK);
        csn_aes_encrypt(&key, blocks[0], output[0], 11);
        for (int k = 0; k < 11; k++) {
            assert_memory_equal(output[k], first[i], 4);
        }
    }
    assert_int_equal(csn_aes_key_init(&key, secret, 31), CSN_ERR_ARGUMENT);
}

int main(void)
{
    kernel_count = vector_kernels(kernels);
    if (kernel_count == 0) {
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_bit_flips),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_aes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
