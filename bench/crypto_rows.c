/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto_rows.c: FF1 and HMAC of the tokenize enclave beside what libcrypto users write today.
 *
 * "Textbook FF1" is the text of SP 800-38G on EVP and BIGNUM, as libraries write it
 * (textbook_ff1.c); "tuned FF1" is that of src/reference on BIGNUM, which keeps what it can between
 * the rounds. All three must agree before anything is measured.
 */
#include "crypto/cpu.h"
#include "crypto/ff1.h"
#include "crypto/sha2.h"
#include "measure.h"
#include "reference/reference_parts.h"
#include "rows.h"
#include "textbook_ff1.h"
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#define BATCH  64u
#define DIGITS 16u

static const uint8_t tweak[8] = {1};

struct setup {
    struct csn_aes_key aes;
    struct csn_ff1_plan plan;
    struct csn_ff1_item ff1[BATCH];
    uint16_t numerals[BATCH][DIGITS];
    struct csn_hmac_key mac;
    struct csn_hmac_item macs[BATCH];
    uint8_t messages[BATCH][32];
    uint8_t tags[BATCH][32];
    uint8_t blocks[BATCH][16];
    struct csr_ff1 tuned;
    EVP_CIPHER_CTX *textbook;
    EVP_MAC_CTX *evp_mac;
    EVP_CIPHER_CTX *evp_aes;
};

static void require(bool done)
{
    bench_require(done, "crypto_rows: libcrypto failed");
}

/* ---- what is measured: each call handles BATCH values ---- */
static uint64_t ff1_batch(void *state)
{
    struct setup *setup = state;
    csn_ff1_encrypt_batch(setup->ff1, BATCH);
    return BATCH;
}

static uint64_t ff1_single(void *state)
{
    struct setup *setup = state;
    for (uint32_t i = 0; i < BATCH; i++) {
        csn_ff1_encrypt_batch(&setup->ff1[i], 1);
    }
    return BATCH;
}

static uint64_t ff1_textbook(void *state)
{
    struct setup *setup = state;
    for (uint32_t i = 0; i < BATCH; i++) {
        require(textbook_ff1(setup->textbook, 10, tweak, sizeof tweak, setup->numerals[i], DIGITS));
    }
    return BATCH;
}

static uint64_t ff1_tuned(void *state)
{
    struct setup *setup = state;
    for (uint32_t i = 0; i < BATCH; i++) {
        require(csr_ff1_run(&setup->tuned, CSR_FF1_BIGNUM, true, tweak, sizeof tweak, 10,
                            setup->numerals[i], DIGITS));
    }
    return BATCH;
}

/* Ten blocks for each value: what FF1 would cost if counting were free. */
static uint64_t aes_blocks(void *state)
{
    struct setup *setup = state;
    int size = 0;
    for (uint32_t i = 0; i < 10; i++) {
        require(EVP_EncryptUpdate(setup->evp_aes, setup->blocks[0], &size, setup->blocks[0],
                                  sizeof setup->blocks) == 1);
    }
    return BATCH;
}

static uint64_t mac_batch(void *state)
{
    struct setup *setup = state;
    csn_hmac_batch(setup->macs, BATCH);
    return BATCH;
}

static uint64_t mac_single(void *state)
{
    struct setup *setup = state;
    for (uint32_t i = 0; i < BATCH; i++) {
        csn_hmac(&setup->mac, setup->messages[i], 32, setup->tags[i]);
    }
    return BATCH;
}

static uint64_t mac_evp(void *state)
{
    struct setup *setup = state;
    for (uint32_t i = 0; i < BATCH; i++) {
        size_t size = 32;
        require(EVP_MAC_init(setup->evp_mac, NULL, 0, NULL) == 1 &&
                EVP_MAC_update(setup->evp_mac, setup->messages[i], 32) == 1 &&
                EVP_MAC_final(setup->evp_mac, setup->tags[i], &size, size) == 1);
    }
    return BATCH;
}

static void set_up(struct setup *setup)
{
    static const uint8_t secret[32] = {7};
    static char sha256[] = "SHA256";
    OSSL_PARAM parameters[2] = {OSSL_PARAM_construct_utf8_string("digest", sha256, 0),
                                OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    uint64_t features = 0;
    require(csn_cpu_features(&features) == CSN_OK && csn_cpu_select(features) == CSN_OK &&
            csn_aes_key_init(&setup->aes, secret, sizeof secret) == CSN_OK &&
            csn_ff1_plan_init(&setup->plan, &setup->aes, 10, DIGITS, sizeof tweak) == CSN_OK);
    csn_hmac_key_init(&setup->mac, secret, sizeof secret);
    for (uint32_t i = 0; i < BATCH; i++) {
        setup->numerals[i][i % DIGITS] = (uint16_t)(i % 10);
        setup->ff1[i] = (struct csn_ff1_item){.plan = &setup->plan,
                                              .tweak = tweak,
                                              .input = setup->numerals[i],
                                              .output = setup->numerals[i]};
        setup->macs[i] = (struct csn_hmac_item){.key = &setup->mac,
                                                .bytes = setup->messages[i],
                                                .size = sizeof setup->messages[i],
                                                .tag = setup->tags[i]};
    }
    setup->evp_mac = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
    setup->evp_aes = EVP_CIPHER_CTX_new();
    require(csr_ff1_init(&setup->tuned, secret, sizeof secret) &&
            textbook_ff1_init(&setup->textbook, secret) && setup->evp_mac != NULL &&
            EVP_MAC_init(setup->evp_mac, secret, sizeof secret, parameters) == 1 &&
            setup->evp_aes != NULL &&
            EVP_EncryptInit_ex(setup->evp_aes, EVP_aes_256_ecb(), NULL, secret, NULL) == 1);
    EVP_MAC_free(hmac);
}

static void compare(struct setup *setup)
{
    static uint16_t before[BATCH][DIGITS], ours[BATCH][DIGITS];
    memcpy(before, setup->numerals, sizeof before);
    ff1_batch(setup);
    memcpy(ours, setup->numerals, sizeof ours);
    for (bench_side *const *side = (bench_side *const[]){ff1_single, ff1_tuned, ff1_textbook, NULL};
         *side != NULL; side++) {
        memcpy(setup->numerals, before, sizeof before);
        (*side)(setup);
        bench_require(memcmp(setup->numerals, ours, sizeof ours) == 0,
                      "crypto_rows: the FF1 of two sides differ");
    }
}

static void tear_down(struct setup *setup)
{
    csr_ff1_free(&setup->tuned);
    EVP_CIPHER_CTX_free(setup->textbook);
    EVP_MAC_CTX_free(setup->evp_mac);
    EVP_CIPHER_CTX_free(setup->evp_aes);
}

struct sides {
    struct bench_row row;
    bench_side *ours;
    bench_side *other;
};

static void run(const struct sides *sides, size_t count)
{
    static struct setup setup;
    set_up(&setup);
    compare(&setup);
    for (size_t i = 0; i < count; i++) {
        bench_pair(&sides[i].row, sides[i].ours, sides[i].other, &setup);
    }
    tear_down(&setup);
}

void bench_ff1_rows(void)
{
    static const struct sides rows[BENCH_FF1_ROWS] = {
        {{8, "FF1 batched", "batches of 64", "textbook FF1", BENCH_FASTER, 80},
         ff1_batch,
         ff1_textbook},
        {{8, "FF1 single", "one at a time", "textbook FF1", BENCH_FASTER, 15},
         ff1_single,
         ff1_textbook},
        {{0, "FF1 batched", "batches of 64", "tuned FF1", BENCH_FASTER, 0}, ff1_batch, ff1_tuned},
        {{0, "FF1 single", "one at a time", "tuned FF1", BENCH_FASTER, 0}, ff1_single, ff1_tuned},
        {{8, "FF1 batched", "batches of 64", "ten AES blocks (EVP)", BENCH_FASTER, 0.2},
         ff1_batch,
         aes_blocks},
    };
    run(rows, BENCH_FF1_ROWS);
}

void bench_hmac_rows(void)
{
    static const struct sides rows[BENCH_HMAC_ROWS] = {
        {{9, "HMAC batched", "batches of 64", "EVP_MAC", BENCH_FASTER, 6}, mac_batch, mac_evp},
        {{0, "HMAC single", "one at a time", "EVP_MAC", BENCH_FASTER, 0}, mac_single, mac_evp},
    };
    run(rows, BENCH_HMAC_ROWS);
}
