/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_gcm.c: AES-256-GCM against OpenSSL on every kernel: lengths and alignments, in place and
 * not, against guard pages at both ends, every single-bit flip, and random batches of mixed keys
 * and lengths. An argument is the number of random records, and then all lengths are taken.
 */
#include "../skip.h"
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
#define KEYS      5u
#define BATCH_MAX 40u
#define GAP       32u /* bytes between records, which nobody may write */

static uint64_t kernels[VECTOR_KERNELS_MAX];
static uint32_t kernel_count;
static uint64_t random_records = 20000;
static bool all_lengths;

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

/* offset: from the start, or AT_END */
#define AT_END UINT32_MAX

static uint8_t *area_place(struct area area, uint32_t size, uint32_t offset)
{
    return area.start + (offset == AT_END ? AREA_SIZE - size : offset);
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
    const EVP_CIPHER *cipher = key == NULL ? NULL : EVP_aes_256_gcm(); /* NULL: it has its key */
    assert_int_equal(EVP_EncryptInit_ex(context, cipher, NULL, key, item->nonce), 1);
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

/* One length: seal apart and in place, open in place and a forgery. */
static void check_length(uint32_t size, uint32_t aad_size, uint32_t offset)
{
    uint8_t expected_tag[16];
    uint8_t *input = area_place(t.input, size, offset);
    uint8_t *output = area_place(t.output, size, offset);
    struct csn_gcm_item item = {.key = &t.schedule,
                                .aad = area_place(t.aad, aad_size, offset),
                                .aad_size = aad_size,
                                .size = size,
                                .input = input,
                                .output = output,
                                .tag = area_place(t.tag, 16, offset)};
    fill(input, size, size + 1);
    fill(area_place(t.aad, aad_size, offset), aad_size, aad_size + 77);
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

/* Lengths to 4,200 at each offset from a boundary; in the short suite, one offset for each. */
static long check_alignments(void)
{
    long count = 0;
    for (uint32_t size = 0; size <= 4200; size += all_lengths ? 1 : 7) {
        for (uint32_t offset = 0; offset < 32; offset++) {
            if (all_lengths || offset == size % 32) {
                check_length(size, (size + offset) % 50, offset);
                count++;
            }
        }
    }
    return count;
}

static void test_lengths(void **state)
{
    (void)state;
    static const uint32_t aad_sizes[] = {0, 1, 13, 16, 31, 48, 128, 129, 176, 240, 272, 300};
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
            for (uint32_t a = 0; a < sizeof aad_sizes / sizeof aad_sizes[0]; a++) {
                uint32_t bytes = size <= 600 ? size : large[size - 601];
                check_length(bytes, aad_sizes[a], 0);
                check_length(bytes, aad_sizes[a], AT_END);
                count += 2;
            }
        }
        count += check_alignments();
    }
    printf("# %ld lengths against OpenSSL on %u kernels, guard pages at both ends\n", count,
           kernel_count);
    EVP_CIPHER_CTX_free(t.openssl);
    free(t.expected);
}

/* Each bit of one record of `size` bytes; the record itself opens. Returns how many. */
static long flip_bits(uint32_t size)
{
    enum { SIZE_MAX_HERE = 300, AAD = 21 };
    /* ciphertext, tag, associated data, nonce: one array, so that a flip is one index */
    uint8_t message[SIZE_MAX_HERE + 16 + AAD + 12], plain[SIZE_MAX_HERE], output[SIZE_MAX_HERE];
    static const uint8_t wiped[SIZE_MAX_HERE], secret[32] = {9};
    const uint32_t bits = (size + 16 + AAD + 12) * 8;
    struct csn_gcm_key key;
    csn_gcm_key_init(&key, secret);
    fill(plain, sizeof plain, 1);
    fill(message, sizeof message, 2);
    struct csn_gcm_item item = {.key = &key,
                                .aad = message + size + 16,
                                .aad_size = AAD,
                                .size = size,
                                .input = plain,
                                .output = message,
                                .tag = message + size};
    memcpy(item.nonce, message + size + 16 + AAD, 12);
    csn_gcm_seal_batch(&item, 1);
    item.input = message;
    item.output = output;
    for (uint32_t bit = 0; bit <= bits; bit++) {
        bool flip = bit < bits;
        message[flip ? bit / 8 : 0] ^= (uint8_t)(flip << bit % 8);
        memset(output, 0xaa, sizeof output);
        memcpy(item.nonce, message + size + 16 + AAD, 12);
        csn_gcm_open_batch(&item, 1);
        assert_int_equal(item.result, flip ? CSN_ERR_AUTH : CSN_OK);
        assert_memory_equal(output, flip ? wiped : plain, size);
        message[flip ? bit / 8 : 0] ^= (uint8_t)(flip << bit % 8);
    }
    return bits;
}

static void test_bit_flips(void **state)
{
    (void)state;
    long count = 0;
    for (uint32_t k = 0; k < kernel_count; k++) {
        assert_int_equal(csn_cpu_select(kernels[k]), CSN_OK);
        count += flip_bits(0) + flip_bits(64) + flip_bits(100) + flip_bits(256) + flip_bits(300);
    }
    printf("# %ld single-bit flips rejected, output wiped; the unflipped message opens\n", count);
}

/* ---- random batches ---- */
static struct {
    uint64_t seed;
    uint8_t secrets[KEYS][32];
    struct csn_gcm_key keys[KEYS];
    EVP_CIPHER_CTX *openssl[KEYS];
    struct csn_gcm_item items[BATCH_MAX];
    uint8_t plain[BATCH_MAX * 4096], bytes[BATCH_MAX * 4096], expected[BATCH_MAX * 4096];
    uint8_t aad[512];
} r;

static uint32_t draw(uint32_t below)
{
    r.seed = r.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((r.seed >> 33) % below);
}

/* Mostly short, some at the edges of vectors and chunks, some long. */
static uint32_t draw_size(void)
{
    switch (draw(4)) {
    case 0:
        return draw(100);
    case 1:
        return draw(10) * 32 + draw(3);
    case 2:
        return draw(3) * 256 + draw(300);
    default:
        return draw(8) == 0 ? draw(3000) : draw(64) * 16;
    }
}

/* count records, each followed by its tag and a gap; half of them are sealed in place. */
static void draw_batch(uint32_t count)
{
    uint32_t at = 0;
    memset(r.bytes, 0xa5, sizeof r.bytes);
    memset(r.expected, 0xa5, sizeof r.expected);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t size = draw_size();
        struct csn_gcm_item *item = &r.items[i];
        *item = (struct csn_gcm_item){.key = &r.keys[draw(KEYS)],
                                      .aad = r.aad + draw(32),
                                      .aad_size = draw(3) == 0 ? draw(400) : draw(2) * 48,
                                      .size = size,
                                      .input = r.plain + at,
                                      .output = r.bytes + at,
                                      .tag = r.bytes + at + size,
                                      .ahead = draw(2) == 0 ? (void *)r.bytes : NULL};
        fill(item->nonce, sizeof item->nonce, draw(UINT32_MAX));
        fill(r.plain + at, size, draw(UINT32_MAX));
        uint32_t key = (uint32_t)(item->key - r.keys);
        openssl_seal(r.openssl[key], NULL, item, r.expected + at, r.expected + at + size);
        if (draw(2) == 0) {
            memcpy(item->output, item->input, size);
            item->input = item->output;
        }
        at += size + 16 + draw(GAP) + 1;
    }
}

/* Opens all in one batch, apart or in place, one in four of them spoilt. */
static uint32_t open_drawn(uint32_t count)
{
    bool spoilt[BATCH_MAX];
    uint32_t forged = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct csn_gcm_item *item = &r.items[i];
        uint32_t at = (uint32_t)(item->output - r.bytes);
        spoilt[i] = draw(4) == 0;
        forged += spoilt[i];
        r.bytes[at + draw(item->size + 16)] ^= (uint8_t)(spoilt[i] << draw(8));
        item->input = item->output;
        item->output = draw(2) == 0 ? item->output : r.expected + at;
    }
    csn_gcm_open_batch(r.items, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct csn_gcm_item *item = &r.items[i];
        const uint8_t *plain = r.plain + (item->input - r.bytes);
        assert_int_equal(item->result, spoilt[i] ? CSN_ERR_AUTH : CSN_OK);
        for (uint32_t k = 0; k < item->size; k++) {
            assert_int_equal(item->output[k], spoilt[i] ? 0 : plain[k]);
        }
    }
    return forged;
}

static void test_batches(void **state)
{
    (void)state;
    uint64_t done = 0, forged = 0;
    fill(r.aad, sizeof r.aad, 5);
    for (uint32_t i = 0; i < KEYS; i++) {
        fill(r.secrets[i], 32, i + 100);
        csn_gcm_key_init(&r.keys[i], r.secrets[i]);
        r.openssl[i] = EVP_CIPHER_CTX_new();
        assert_int_equal(
            EVP_EncryptInit_ex(r.openssl[i], EVP_aes_256_gcm(), NULL, r.secrets[i], NULL), 1);
    }
    while (done < random_records) {
        uint32_t count = 1 + draw(draw(2) == 0 ? BATCH_MAX : 4);
        assert_int_equal(csn_cpu_select(kernels[draw(kernel_count)]), CSN_OK);
        for (uint32_t some = 0; some < 8; some++) { /* choosing runs every self-test */
            draw_batch(count);
            csn_gcm_seal_batch(r.items, count);
            assert_memory_equal(r.bytes, r.expected, sizeof r.bytes); /* and the gaps */
            forged += open_drawn(count);
            done += count;
        }
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        EVP_CIPHER_CTX_free(r.openssl[i]);
    }
    printf("# %llu random records in batches against OpenSSL, %llu of them spoilt and refused\n",
           (unsigned long long)done, (unsigned long long)forged);
}

/* The block counter has more than 16 bits. */
static void test_long_record(void **state)
{
    (void)state;
    enum { SIZE = (1 << 20) + 1000 };
    uint8_t *bytes = malloc(SIZE), *expected = malloc(SIZE), tag[16], expected_tag[16];
    EVP_CIPHER_CTX *openssl = EVP_CIPHER_CTX_new();
    static const uint8_t secret[32] = {3};
    struct csn_gcm_key key;
    csn_gcm_key_init(&key, secret);
    for (uint32_t k = 0; k < kernel_count; k++) {
        struct csn_gcm_item item = {
            .key = &key, .size = SIZE, .input = bytes, .output = bytes, .tag = tag};
        assert_int_equal(csn_cpu_select(kernels[k]), CSN_OK);
        fill(bytes, SIZE, k);
        openssl_seal(openssl, secret, &item, expected, expected_tag);
        csn_gcm_seal_batch(&item, 1);
        assert_memory_equal(bytes, expected, SIZE);
        assert_memory_equal(tag, expected_tag, 16);
        csn_gcm_open_batch(&item, 1);
        assert_int_equal(item.result, CSN_OK);
    }
    EVP_CIPHER_CTX_free(openssl);
    free(bytes);
    free(expected);
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

int main(int count, char **arguments)
{
    kernel_count = vector_kernels(kernels);
    if (kernel_count == 0) {
        return 77;
    }
    const bool wide = kernel_count > 2;
    if (wide) { /* the sets between the first and the last differ in other kernels */
        kernels[1] = kernels[kernel_count - 1];
        kernel_count = 2;
    }
    if (count > 1 && strcmp(arguments[1], "vaes") == 0) { /* a bug is in that kernel */
        if (!wide) {
            return test_skip("this CPU has no VAES");
        }
    } else if (count > 1) {
        random_records = strtoull(arguments[1], NULL, 10);
        all_lengths = true;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_bit_flips),
        cmocka_unit_test(test_batches), cmocka_unit_test(test_long_record),
        cmocka_unit_test(test_aes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
