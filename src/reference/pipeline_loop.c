/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_loop.c: the work of the enclave path in one process, with OpenSSL, for comparison.
 *
 * Per record: AES-256-GCM open (the sealed size class), tokenize, pad to the output's class,
 * AES-256-GCM seal. No rings, no processes, no key schedule per record: a loop that somebody would
 * write who trusts the host.
 */
#include "reference/generator.h"
#include "reference/reference.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STORED_COUNT 1024u /* different records; the loop goes round */
#define PLAIN_MAX    1056u /* a size class: the generator makes no longer records */
#define OUTPUT_MAX   2048u

/* How long an answer is: as the manifest of enclaves/tokenize has it. */
static const struct csn_wire_manifest rule = {.output_scale = 24, .output_extra = 176};

struct stored {
    uint8_t cipher[PLAIN_MAX + CSN_WIRE_TAG_SIZE];
    uint32_t size; /* of the plaintext with its padding */
    uint32_t payload_size;
};

struct csr_loop {
    EVP_CIPHER_CTX *open;
    EVP_CIPHER_CTX *seal;
    struct stored *stored;
    uint8_t input[PLAIN_MAX];
    uint8_t output[OUTPUT_MAX];
    uint8_t sealed[OUTPUT_MAX + CSN_WIRE_TAG_SIZE];
};

static void nonce_of(uint64_t number, uint8_t nonce[12])
{
    memset(nonce, 0, 12);
    memcpy(nonce + 4, &number, 8);
}

static bool seal(EVP_CIPHER_CTX *context, uint64_t number, const uint8_t *plain, size_t size,
                 uint8_t *cipher)
{
    uint8_t nonce[12];
    int done = 0;
    nonce_of(number, nonce);
    return EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce) == 1 &&
           EVP_EncryptUpdate(context, cipher, &done, plain, (int)size) == 1 &&
           EVP_EncryptFinal_ex(context, cipher + done, &done) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, cipher + size) == 1;
}

static bool open(EVP_CIPHER_CTX *context, uint64_t number, uint8_t *cipher, size_t size,
                 uint8_t *plain)
{
    uint8_t nonce[12];
    int done = 0;
    nonce_of(number, nonce);
    return EVP_DecryptInit_ex(context, NULL, NULL, NULL, nonce) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, cipher + size) == 1 &&
           EVP_DecryptUpdate(context, plain, &done, cipher, (int)size) == 1 &&
           EVP_DecryptFinal_ex(context, plain + done, &done) == 1;
}

static bool prepare(struct csr_loop *loop, uint64_t seed)
{
    static const uint8_t key[32] = {1, 2, 3};
    struct csr_record record;
    loop->open = EVP_CIPHER_CTX_new();
    loop->seal = EVP_CIPHER_CTX_new();
    loop->stored = calloc(STORED_COUNT, sizeof *loop->stored);
    if (loop->open == NULL || loop->seal == NULL || loop->stored == NULL ||
        EVP_EncryptInit_ex(loop->seal, EVP_aes_256_gcm(), NULL, key, NULL) != 1 ||
        EVP_DecryptInit_ex(loop->open, EVP_aes_256_gcm(), NULL, key, NULL) != 1) {
        return false;
    }
    for (uint32_t index = 0; index < STORED_COUNT; index++) {
        struct stored *stored = &loop->stored[index];
        csr_generate(seed, index, &record);
        uint32_t size = (uint32_t)record.size + CSN_WIRE_CLASS_BESIDE;
        uint8_t plain[PLAIN_MAX] = {0};
        memcpy(plain + sizeof(struct csn_wire_prelude), record.text, record.size);
        stored->payload_size = (uint32_t)record.size;
        stored->size = csn_wire_input_class(csn_wire_class_for(size));
        if (!seal(loop->seal, index, plain, stored->size, stored->cipher)) {
            return false;
        }
    }
    return true;
}

bool csr_loop_step(struct csr_loop *loop, struct csr_policy *policy, uint64_t number)
{
    uint32_t index = (uint32_t)(number % STORED_COUNT);
    struct stored *stored = &loop->stored[index];
    size_t header = sizeof(struct csn_wire_result);
    size_t made = 0;
    uint32_t output_size =
        (uint32_t)header + csn_wire_output_room(&rule, csn_wire_class_for(stored->size));
    if (!open(loop->open, index, stored->cipher, stored->size, loop->input) ||
        csr_tokenize(policy, loop->input + sizeof(struct csn_wire_prelude), stored->payload_size,
                     loop->output + header, output_size - header, &made) != CSN_WIRE_STATUS_OK) {
        return false;
    }
    memset(loop->output, 0, header);
    memset(loop->output + header + made, 0, output_size - header - made);
    return seal(loop->seal, STORED_COUNT + number, loop->output, output_size, loop->sealed);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

csn_err csr_loop_new(uint64_t seed, struct csr_loop **loop)
{
    *loop = calloc(1, sizeof **loop);
    if (*loop == NULL || !prepare(*loop, seed)) {
        csr_loop_free(*loop);
        *loop = NULL;
        return CSN_ERR_MEMORY;
    }
    return CSN_OK;
}

void csr_loop_free(struct csr_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    EVP_CIPHER_CTX_free(loop->open);
    EVP_CIPHER_CTX_free(loop->seal);
    free(loop->stored);
    OPENSSL_cleanse(loop, sizeof *loop);
    free(loop);
}

csn_err csr_pipeline_loop(struct csr_policy *policy, uint64_t seed, uint64_t record_count,
                          double *records_per_second)
{
    struct csr_loop *loop;
    if (record_count == 0) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(csr_loop_new(seed, &loop));
    bool done = true;
    double begin = now();
    for (uint64_t number = 0; done && number < record_count; number++) {
        done = csr_loop_step(loop, policy, number);
    }
    double seconds = now() - begin;
    csr_loop_free(loop);
    if (!done) {
        return CSN_ERR_INTERNAL;
    }
    *records_per_second = (double)record_count / (seconds > 0 ? seconds : 1e-9);
    return CSN_OK;
}
