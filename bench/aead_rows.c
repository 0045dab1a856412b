/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead_rows.c: AES-256-GCM over batches beside libcrypto's EVP, with its key schedule set up once
 * and a nonce for each record, as fast as its interface allows.
 */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "measure.h"
#include "rows.h"
#include <openssl/evp.h>
#include <string.h>

#define BATCH    32u
#define TEXT_MAX (16384u + 64)
#define KEYS     4u
#define ROUNDS   64u /* batches a call: reading the clock costs as much as a short batch */

/* One shape of batch; both sides do the same records. */
struct setup {
    bool opening;
    bool single; /* one record a call */
    uint64_t features;
    uint32_t count;
    struct csn_gcm_key keys[KEYS];
    struct csn_gcm_item items[BATCH];
    EVP_CIPHER_CTX *evp[KEYS];
    uint8_t aad[64];
    uint8_t tags[BATCH][16];
    uint8_t input[BATCH * TEXT_MAX]; /* texts lie one after another */
    uint8_t output[BATCH * TEXT_MAX];
};

static void require(bool done)
{
    bench_require(done, "aead_rows: a record came out wrong");
}

/* ---- what is measured: each call handles the records of a batch ---- */
static void our_batch(struct setup *setup)
{
    const uint32_t step = setup->single ? 1 : setup->count;
    csn_err failed = CSN_OK;
    for (uint32_t i = 0; i < setup->count; i += step) {
        if (setup->opening) {
            csn_gcm_open_batch(&setup->items[i], step);
        } else {
            csn_gcm_seal_batch(&setup->items[i], step);
        }
    }
    for (uint32_t i = 0; i < setup->count; i++) {
        failed |= setup->items[i].result;
    }
    require(failed == CSN_OK);
}

static uint64_t ours(void *state)
{
    struct setup *setup = state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        our_batch(setup);
    }
    return (uint64_t)ROUNDS * setup->count;
}

static void evp_seal(EVP_CIPHER_CTX *evp, const struct csn_gcm_item *item)
{
    int size = 0;
    require(EVP_EncryptInit_ex(evp, NULL, NULL, NULL, item->nonce) == 1 &&
            (item->aad_size == 0 ||
             EVP_EncryptUpdate(evp, NULL, &size, item->aad, (int)item->aad_size) == 1) &&
            EVP_EncryptUpdate(evp, item->output, &size, item->input, (int)item->size) == 1 &&
            EVP_EncryptFinal_ex(evp, item->output + size, &size) == 1 &&
            EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_GET_TAG, 16, item->tag) == 1);
}

static void evp_open(EVP_CIPHER_CTX *evp, const struct csn_gcm_item *item)
{
    int size = 0;
    require(EVP_DecryptInit_ex(evp, NULL, NULL, NULL, item->nonce) == 1 &&
            (item->aad_size == 0 ||
             EVP_DecryptUpdate(evp, NULL, &size, item->aad, (int)item->aad_size) == 1) &&
            EVP_DecryptUpdate(evp, item->output, &size, item->input, (int)item->size) == 1 &&
            EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_SET_TAG, 16, item->tag) == 1 &&
            EVP_DecryptFinal_ex(evp, item->output + size, &size) == 1);
}

static void evp_batch(struct setup *setup)
{
    for (uint32_t i = 0; i < setup->count; i++) {
        EVP_CIPHER_CTX *evp = setup->evp[setup->items[i].key - setup->keys];
        if (setup->opening) {
            evp_open(evp, &setup->items[i]);
        } else {
            evp_seal(evp, &setup->items[i]);
        }
    }
}

static uint64_t libcrypto(void *state)
{
    struct setup *setup = state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        evp_batch(setup);
    }
    return (uint64_t)ROUNDS * setup->count;
}

/* ---- shapes ---- */
struct shape {
    struct bench_row row;
    bool aesni; /* the kernel that every CPU has */
    bool opening;
    bool single;
    uint32_t keys;
    uint32_t aad_size;
    uint32_t sizes[4]; /* taken in turns */
    uint32_t size_count;
};

static void set_up(struct setup *setup, const struct shape *shape)
{
    require(csn_cpu_select(shape->aesni ? 0 : setup->features) == CSN_OK);
    setup->count = BATCH;
    setup->opening = false;
    setup->single = shape->single;
    uint32_t at = 0;
    for (uint32_t i = 0; i < BATCH; i++) {
        const uint32_t size = shape->sizes[i / shape->keys % shape->size_count];
        setup->items[i] = (struct csn_gcm_item){.key = &setup->keys[i % shape->keys],
                                                .nonce = {(uint8_t)i, 1},
                                                .aad = setup->aad,
                                                .aad_size = shape->aad_size,
                                                .size = size,
                                                .input = setup->input + at,
                                                .output = setup->output + at,
                                                .tag = setup->tags[i]};
        at += (size + 127) / 64 * 64;
    }
    evp_batch(setup); /* what is opened, by either side, is libcrypto's */
    setup->opening = shape->opening;
    if (shape->opening) {
        memcpy(setup->input, setup->output, sizeof setup->input);
    }
}

static void run(struct setup *setup, const struct shape *shape)
{
    set_up(setup, shape);
    bench_pair(&shape->row, ours, libcrypto, setup);
    memset(setup->input, 0, sizeof setup->input);
}

#define ROW(goal, what, ours, target)                                                              \
    {                                                                                              \
        goal, what, ours, "EVP", BENCH_FASTER, target                                              \
    }
#define BOTH(goal, what, ours, target, aesni, single, keys, aad, ...)                              \
    {ROW(goal, "seal " what, ours, target), aesni, false, single, keys, aad, __VA_ARGS__},         \
    {                                                                                              \
        ROW(goal, "open " what, ours, target), aesni, true, single, keys, aad, __VA_ARGS__         \
    }

static const struct shape shapes[] = {
    BOTH(5, "256 B", "batches of 32", 7, false, false, 1, 0, {256}, 1),
    BOTH(5, "1 KiB", "batches of 32", 3.5, false, false, 1, 0, {1024}, 1),
    BOTH(5, "16 KiB", "batches of 32", 1.8, false, false, 1, 0, {16384}, 1),
    BOTH(5, "64 B", "one record", 5, false, true, 1, 0, {64}, 1),
    BOTH(0, "64 B", "batches of 32", 0, false, false, 1, 0, {64}, 1),
    BOTH(0, "256 B", "one record", 0, false, true, 1, 0, {256}, 1),
    BOTH(0, "96 to 1,024 B", "mixed batch", 0, false, false, 4, 48, {96, 256, 512, 1024}, 4),
    BOTH(0, "37 to 1,500 B", "mixed batch", 0, false, false, 4, 48, {37, 1500, 203, 611}, 4),
    BOTH(0, "256 B", "AES-NI batches", 0, true, false, 1, 0, {256}, 1),
    BOTH(0, "1 KiB", "AES-NI batches", 0, true, false, 1, 0, {1024}, 1),
    BOTH(0, "16 KiB", "AES-NI batches", 0, true, false, 1, 0, {16384}, 1),
    BOTH(0, "64 B", "AES-NI one record", 0, true, true, 1, 0, {64}, 1),
    BOTH(0, "96 to 1,024 B", "AES-NI mixed batch", 0, true, false, 4, 48, {96, 256, 512, 1024}, 4),
};

_Static_assert(sizeof shapes / sizeof shapes[0] == BENCH_AEAD_ROWS, "rows.h says how many");

void bench_aead_rows(void)
{
    static struct setup setup;
    require(csn_cpu_features(&setup.features) == CSN_OK);
    for (uint32_t i = 0; i < KEYS; i++) {
        const uint8_t secret[32] = {(uint8_t)(i + 7)};
        csn_gcm_key_init(&setup.keys[i], secret);
        setup.evp[i] = EVP_CIPHER_CTX_new();
        require(setup.evp[i] != NULL &&
                EVP_EncryptInit_ex(setup.evp[i], EVP_aes_256_gcm(), NULL, secret, NULL) == 1);
    }
    for (size_t i = 0; i < BENCH_AEAD_ROWS; i++) {
        run(&setup, &shapes[i]);
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        EVP_CIPHER_CTX_free(setup.evp[i]);
    }
}
