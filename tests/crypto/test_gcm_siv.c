/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_gcm_siv.c: is AES-256-GCM-SIV that of RFC 8452?
 *
 * Every Wycheproof case of 256-bit keys (those of 128 bits are counted), and random batches of
 * mixed keys and lengths, in place and apart, between guard bytes, against the text of the RFC
 * written down bit by bit over OpenSSL's AES. Seeded bugs: mutant_siv_*.
 */
#include "../skip.h"
#include "vectors.h"
#include <crypto/cpu.h>
#include <crypto/gcm_siv.h>
#include <openssl/aes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define SIZE_MAX_HERE 700u
#define BATCH         9u

/* ---- the RFC's text, slowly ---- */

/* left = left * right * x^-128 (section 3); the lowest bit of the first byte is x^0. */
static void dot(uint8_t left[16], const uint8_t right[16])
{
    uint8_t sum[16] = {0};
    for (int bit = 0; bit < 128; bit++) { /* sum = (sum + bit of left * right) / x, 128 times */
        for (int i = 0; i < 16; i++) {
            sum[i] ^= (left[bit / 8] >> bit % 8 & 1) != 0 ? right[i] : 0;
        }
        bool odd = (sum[0] & 1) != 0;
        for (int i = 0; i < 16; i++) {
            sum[i] = (uint8_t)(sum[i] >> 1 | (i < 15 ? sum[i + 1] << 7 : 0));
        }
        sum[15] ^= odd ? 0xe1 : 0; /* (x^128 + x^127 + x^126 + x^121) / x; the 1 went out */
    }
    memcpy(left, sum, 16);
}

static void polyval(const uint8_t key[16], const uint8_t *bytes, uint32_t size, uint8_t sum[16])
{
    for (uint32_t at = 0; at < size; at += 16) {
        for (uint32_t i = 0; i < 16 && at + i < size; i++) {
            sum[i] ^= bytes[at + i];
        }
        dot(sum, key);
    }
}

static void textbook_seal(const uint8_t secret[32], const struct csn_gcm_siv_item *item,
                          uint8_t *output, uint8_t tag[16])
{
    AES_KEY aes;
    uint8_t keys[48], block[16], hash[16] = {0}, lengths[16] = {0};
    AES_set_encrypt_key(secret, 256, &aes);
    for (uint32_t i = 0; i < 6; i++) {
        memcpy(block, &i, 4);
        memcpy(block + 4, item->nonce, 12);
        AES_encrypt(block, block, &aes);
        memcpy(keys + 8 * i, block, 8);
    }
    AES_set_encrypt_key(keys + 16, 256, &aes);
    uint64_t bits[2] = {(uint64_t)item->aad_size * 8, (uint64_t)item->size * 8};
    memcpy(lengths, bits, 16);
    polyval(keys, item->aad, item->aad_size, hash);
    polyval(keys, item->input, item->size, hash);
    polyval(keys, lengths, 16, hash);
    for (int i = 0; i < 12; i++) {
        hash[i] ^= item->nonce[i];
    }
    hash[15] &= 0x7f;
    AES_encrypt(hash, tag, &aes);
    memcpy(block, tag, 16);
    block[15] |= 0x80;
    for (uint32_t at = 0; at < item->size; at += 16) {
        uint8_t stream[16];
        uint32_t counter;
        AES_encrypt(block, stream, &aes);
        for (uint32_t i = 0; i < 16 && at + i < item->size; i++) {
            output[at + i] = item->input[at + i] ^ stream[i];
        }
        memcpy(&counter, block, 4);
        counter++;
        memcpy(block, &counter, 4);
    }
}

/* ---- random batches ---- */

static uint8_t secrets[2][32], texts[BATCH][SIZE_MAX_HERE], outputs[BATCH][SIZE_MAX_HERE + 16];
static uint8_t aads[BATCH][SIZE_MAX_HERE], tags[BATCH][16];

static void fill(void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)bytes)[i] = (uint8_t)rand();
    }
}

/* Sealed as the textbook has it; opened again, but those that were spoilt. */
static void check_batch(struct csn_gcm_siv_item *items, uint32_t count, bool in_place)
{
    static uint8_t expected[SIZE_MAX_HERE], zero[SIZE_MAX_HERE];
    static uint8_t plain[BATCH][SIZE_MAX_HERE];
    memcpy(plain, texts, sizeof plain);
    csn_gcm_siv_seal_batch(items, count);
    for (uint32_t i = 0; i < count; i++) {
        struct csn_gcm_siv_item again = items[i];
        uint8_t tag[16];
        again.input = plain[i];
        textbook_seal(secrets[i % 2], &again, expected, tag);
        assert_int_equal(items[i].result, CSN_OK);
        assert_memory_equal(items[i].output, expected, items[i].size);
        assert_memory_equal(items[i].tag, tag, 16);
        if (!in_place) {
            assert_int_equal(outputs[i][items[i].size], 0xee);
        }
        items[i].input = items[i].output;
        if (i % 4 == 3) {
            tags[i][rand() % 16] ^= (uint8_t)(1 << rand() % 8);
        }
    }
    csn_gcm_siv_open_batch(items, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(items[i].result, i % 4 == 3 ? CSN_ERR_AUTH : CSN_OK);
        assert_memory_equal(items[i].output, i % 4 == 3 ? zero : plain[i], items[i].size);
    }
}

static void test_batches(void **state)
{
    (void)state;
    struct csn_gcm_siv_key keys[2];
    for (int round = 0; round < 300; round++) {
        struct csn_gcm_siv_item items[BATCH];
        const bool in_place = round % 2 == 1;
        fill(secrets, sizeof secrets);
        fill(texts, sizeof texts);
        fill(aads, sizeof aads);
        memset(outputs, 0xee, sizeof outputs);
        csn_gcm_siv_key_init(&keys[0], secrets[0]);
        csn_gcm_siv_key_init(&keys[1], secrets[1]);
        for (uint32_t i = 0; i < BATCH; i++) {
            items[i] = (struct csn_gcm_siv_item){.key = &keys[i % 2],
                                                 .aad = aads[i],
                                                 .aad_size = (uint32_t)(rand() % 150),
                                                 .size = (uint32_t)(round + 40 * (int)i),
                                                 .input = texts[i],
                                                 .output = in_place ? texts[i] : outputs[i],
                                                 .tag = tags[i]};
            fill(items[i].nonce, sizeof items[i].nonce);
        }
        check_batch(items, 1 + (uint32_t)round % BATCH, in_place);
    }
}

/* Each bit of nonce, associated data, text and tag counts. */
static void test_bits(void **state)
{
    (void)state;
    uint8_t plain[40], cipher[40], output[40], aad[20], tag[16], zero[40] = {0};
    struct csn_gcm_siv_key key;
    fill(plain, sizeof plain);
    fill(aad, sizeof aad);
    csn_gcm_siv_key_init(&key, plain);
    struct csn_gcm_siv_item item = {.key = &key,
                                    .aad = aad,
                                    .aad_size = sizeof aad,
                                    .size = sizeof plain,
                                    .input = plain,
                                    .output = cipher,
                                    .tag = tag};
    csn_gcm_siv_seal_batch(&item, 1);
    item.input = cipher;
    item.output = output;
    const struct {
        uint8_t *bytes;
        size_t size;
    } parts[] = {{item.nonce, 12}, {aad, sizeof aad}, {cipher, sizeof cipher}, {tag, 16}};
    for (size_t p = 0; p < 4; p++) {
        for (size_t bit = 0; bit < 8 * parts[p].size; bit++) {
            parts[p].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            csn_gcm_siv_open_batch(&item, 1);
            assert_int_equal(item.result, CSN_ERR_AUTH);
            assert_memory_equal(output, zero, sizeof zero);
            parts[p].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    csn_gcm_siv_open_batch(&item, 1);
    assert_int_equal(item.result, CSN_OK);
    assert_memory_equal(output, plain, sizeof plain);
}

/* ---- Wycheproof ---- */

static bool siv_case(const cJSON *group, const cJSON *test, bool *skip)
{
    if (vector_number(group, "keySize") != 256) {
        *skip = true;
        return true;
    }
    struct vector_bytes secret = vector_hex(test, "key"), nonce = vector_hex(test, "iv");
    struct vector_bytes aad = vector_hex(test, "aad"), plain = vector_hex(test, "msg");
    struct vector_bytes cipher = vector_hex(test, "ct"), tag = vector_hex(test, "tag");
    struct csn_gcm_siv_key key;
    uint8_t made[16];
    uint8_t *output = calloc(1, plain.size + cipher.size + 1);
    csn_gcm_siv_key_init(&key, secret.bytes);
    struct csn_gcm_siv_item item = {.key = &key,
                                    .aad = aad.bytes,
                                    .aad_size = (uint32_t)aad.size,
                                    .size = (uint32_t)plain.size,
                                    .input = plain.bytes,
                                    .output = output,
                                    .tag = made};
    memcpy(item.nonce, nonce.bytes, 12);
    csn_gcm_siv_seal_batch(&item, 1);
    bool same = cipher.size == plain.size && memcmp(output, cipher.bytes, plain.size) == 0 &&
                memcmp(made, tag.bytes, 16) == 0;
    item.size = (uint32_t)cipher.size;
    item.input = cipher.bytes;
    item.tag = tag.bytes;
    csn_gcm_siv_open_batch(&item, 1);
    bool opened = item.result == CSN_OK && memcmp(output, plain.bytes, plain.size) == 0;
    free(output);
    vector_free(&secret), vector_free(&nonce), vector_free(&aad);
    vector_free(&plain), vector_free(&cipher), vector_free(&tag);
    return vector_valid(test) ? same && opened : item.result == CSN_ERR_AUTH;
}

static void test_wycheproof(void **state)
{
    (void)state;
    cJSON *root = vector_load("wycheproof/aes_gcm_siv_test.json");
    if (root == NULL) {
        printf("# skipped: aes_gcm_siv_test.json is not there (CAISSON_SHARED)\n");
        skip();
    }
    struct vector_tally tally = vector_judge_all(root, siv_case);
    cJSON_Delete(root);
    printf("# aes_gcm_siv_test.json: %d run, %d with keys of 128 bits, of %d, %d wrong\n",
           tally.run, tally.skipped, tally.total, tally.wrong);
    assert_int_equal(tally.run, 103);
    assert_int_equal(tally.run + tally.skipped, tally.total);
    assert_int_equal(tally.wrong, 0);
}

static void test_self(void **state)
{
    (void)state;
    assert_int_equal(csn_gcm_siv_self_test(), CSN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self),
        cmocka_unit_test(test_wycheproof),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_batches),
    };
    uint64_t features;
    srand(1);
    if (csn_cpu_features(&features) != CSN_OK) {
        return test_skip("no AES-NI");
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
