/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto_parts.c: FF1 and HMAC of the tokenize enclave beside what libcrypto users write today.
 *
 * usage: crypto_parts; each line is one pair, measured in alternating slices of one run: ours, the
 * other one, and the median of the ratios of neighbouring slices with its spread. "Textbook FF1" is
 * the text of SP 800-38G on EVP's AES and BIGNUM (src/reference). No assertion: the ratios hold for
 * one machine and one moment.
 */
#include "crypto/cpu.h"
#include "crypto/ff1.h"
#include "crypto/sha2.h"
#include "reference/reference_parts.h"
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAIR_COUNT 15u
#define BATCH      64u
#define DIGITS     16u

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
    struct csr_ff1 textbook;
    EVP_MAC_CTX *evp_mac;
    EVP_CIPHER_CTX *evp_aes;
};

/* Seconds of this thread on a CPU: other programs on the machine do not count. */
static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void require(bool done)
{
    if (!done) {
        fprintf(stderr, "crypto_parts: libcrypto failed\n");
        exit(1);
    }
}

/* ---- what is measured: each call handles BATCH values ---- */
static void ff1_batch(struct setup *setup)
{
    csn_ff1_encrypt_batch(setup->ff1, BATCH);
}

static void ff1_single(struct setup *setup)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        csn_ff1_encrypt_batch(&setup->ff1[i], 1);
    }
}

static void ff1_textbook(struct setup *setup)
{
    static const uint8_t tweak[8] = {1};
    for (uint32_t i = 0; i < BATCH; i++) {
        require(csr_ff1_run(&setup->textbook, CSR_FF1_BIGNUM, true, tweak, sizeof tweak, 10,
                            setup->numerals[i], DIGITS));
    }
}

/* Ten blocks for each value: what FF1 would cost if counting were free. */
static void aes_blocks(struct setup *setup)
{
    int size = 0;
    for (uint32_t i = 0; i < 10; i++) {
        require(EVP_EncryptUpdate(setup->evp_aes, setup->blocks[0], &size, setup->blocks[0],
                                  sizeof setup->blocks) == 1);
    }
}

static void mac_batch(struct setup *setup)
{
    csn_hmac_batch(setup->macs, BATCH);
}

static void mac_single(struct setup *setup)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        csn_hmac(&setup->mac, setup->messages[i], 32, setup->tags[i]);
    }
}

static void mac_evp(struct setup *setup)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        size_t size = 32;
        require(EVP_MAC_init(setup->evp_mac, NULL, 0, NULL) == 1 &&
                EVP_MAC_update(setup->evp_mac, setup->messages[i], 32) == 1 &&
                EVP_MAC_final(setup->evp_mac, setup->tags[i], &size, size) == 1);
    }
}

/* ---- pairs ---- */
static int ascending(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

/* Nanoseconds for one value, over some ten milliseconds. */
static double slice(struct setup *setup, void (*run)(struct setup *))
{
    uint64_t values = 0;
    double begin = now();
    double end = begin;
    while (end - begin < 0.01) {
        for (uint32_t i = 0; i < 8; i++, values += BATCH) {
            run(setup);
        }
        end = now();
    }
    return (end - begin) * 1e9 / (double)values;
}

static void pair(struct setup *setup, const char *name, void (*ours)(struct setup *),
                 const char *other_name, void (*other)(struct setup *))
{
    double ratios[PAIR_COUNT];
    double mine[PAIR_COUNT];
    double theirs[PAIR_COUNT];
    for (uint32_t i = 0; i < PAIR_COUNT; i++) {
        mine[i] = slice(setup, ours);
        theirs[i] = slice(setup, other);
        ratios[i] = theirs[i] / mine[i];
    }
    qsort(ratios, PAIR_COUNT, sizeof ratios[0], ascending);
    qsort(mine, PAIR_COUNT, sizeof mine[0], ascending);
    qsort(theirs, PAIR_COUNT, sizeof theirs[0], ascending);
    printf("%-22s %8.1f ns   %-22s %8.1f ns   ratio %6.2f (%.2f to %.2f)\n", name,
           mine[PAIR_COUNT / 2], other_name, theirs[PAIR_COUNT / 2], ratios[PAIR_COUNT / 2],
           ratios[0], ratios[PAIR_COUNT - 1]);
}

static void set_up(struct setup *setup)
{
    static const uint8_t secret[32] = {7};
    static const uint8_t tweak[8] = {1};
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
    require(csr_ff1_init(&setup->textbook, secret, sizeof secret) && setup->evp_mac != NULL &&
            EVP_MAC_init(setup->evp_mac, secret, sizeof secret, parameters) == 1 &&
            setup->evp_aes != NULL &&
            EVP_EncryptInit_ex(setup->evp_aes, EVP_aes_256_ecb(), NULL, secret, NULL) == 1);
    EVP_MAC_free(hmac);
}

int main(void)
{
    static struct setup setup;
    set_up(&setup);
    printf("16 digits, AES-256, tweak of 8 bytes; MACs of 32 bytes under one key; batches of %u\n",
           BATCH);
    pair(&setup, "FF1 batched", ff1_batch, "textbook FF1", ff1_textbook);
    pair(&setup, "FF1 single", ff1_single, "textbook FF1", ff1_textbook);
    pair(&setup, "FF1 batched", ff1_batch, "ten AES blocks (EVP)", aes_blocks);
    pair(&setup, "HMAC batched", mac_batch, "EVP_MAC", mac_evp);
    pair(&setup, "HMAC single", mac_single, "EVP_MAC", mac_evp);
    csr_ff1_free(&setup.textbook);
    EVP_MAC_CTX_free(setup.evp_mac);
    EVP_CIPHER_CTX_free(setup.evp_aes);
    return 0;
}
