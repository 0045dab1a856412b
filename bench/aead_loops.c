/* SPDX-License-Identifier: Apache-2.0 */
/* aead_loops.c: key schedules are made once, nonces are new for each record, as users do. */
#include "aead_loops.h"
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "measure.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define BATCH      32u
#define HEADER     16u /* bytes that are authenticated and not hidden */
#define TAG        16u
#define NONCE      12u
#define ROOM       (65536u + TAG)
#define NOBODY_KEY "a key of a benchmark, not secret"

struct aead_loops {
    uint32_t size;
    uint64_t sequence;
    EVP_CIPHER_CTX *open;
    EVP_CIPHER_CTX *seal;
    struct csn_gcm_key key;
    uint8_t header[HEADER];
    uint8_t tag[TAG];     /* of the sealed text, under the nonce of zeros */
    uint8_t sealed[ROOM]; /* what is opened again and again */
    uint8_t plain[BATCH][ROOM];
    uint8_t out[BATCH][ROOM];
    uint8_t tags[BATCH][TAG];
    uint8_t nonces[BATCH][NONCE];
};

static void require(bool done)
{
    bench_require(done, "aead_loops: a record does not open or seal");
}

static void evp_seal(struct aead_loops *loops, const uint8_t nonce[NONCE], const uint8_t *plain,
                     uint8_t *sealed, uint8_t *tag)
{
    int size = 0;
    require(EVP_EncryptInit_ex(loops->seal, NULL, NULL, NULL, nonce) == 1 &&
            EVP_EncryptUpdate(loops->seal, NULL, &size, loops->header, HEADER) == 1 &&
            EVP_EncryptUpdate(loops->seal, sealed, &size, plain, (int)loops->size) == 1 &&
            EVP_EncryptFinal_ex(loops->seal, sealed + size, &size) == 1 &&
            EVP_CIPHER_CTX_ctrl(loops->seal, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1);
}

static void evp_open(struct aead_loops *loops, const uint8_t nonce[NONCE], uint8_t *plain)
{
    int size = 0;
    require(EVP_DecryptInit_ex(loops->open, NULL, NULL, NULL, nonce) == 1 &&
            EVP_DecryptUpdate(loops->open, NULL, &size, loops->header, HEADER) == 1 &&
            EVP_DecryptUpdate(loops->open, plain, &size, loops->sealed, (int)loops->size) == 1 &&
            EVP_CIPHER_CTX_ctrl(loops->open, EVP_CTRL_AEAD_SET_TAG, TAG, loops->tag) == 1 &&
            EVP_DecryptFinal_ex(loops->open, plain + size, &size) == 1);
}

struct aead_loops *aead_loops_new(uint32_t size)
{
    static const uint8_t nonce[NONCE];
    const uint8_t *key = (const uint8_t *)NOBODY_KEY;
    uint64_t features = 0;
    struct aead_loops *loops = aligned_alloc(64, (sizeof *loops + 63) / 64 * 64);
    bench_require(loops != NULL && size <= ROOM - TAG, "aead_loops: size");
    memset(loops, 0, sizeof *loops);
    loops->size = size;
    loops->open = EVP_CIPHER_CTX_new();
    loops->seal = EVP_CIPHER_CTX_new();
    require(csn_cpu_features(&features) == CSN_OK && csn_cpu_select(features) == CSN_OK &&
            loops->open != NULL && loops->seal != NULL &&
            EVP_EncryptInit_ex(loops->seal, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
            EVP_DecryptInit_ex(loops->open, EVP_aes_256_gcm(), NULL, key, nonce) == 1);
    csn_gcm_key_init(&loops->key, key);
    evp_seal(loops, nonce, loops->plain[0], loops->sealed, loops->tag);
    return loops;
}

void aead_loops_free(struct aead_loops *loops)
{
    EVP_CIPHER_CTX_free(loops->open);
    EVP_CIPHER_CTX_free(loops->seal);
    free(loops);
}

static void next_nonce(struct aead_loops *loops, uint8_t nonce[NONCE])
{
    loops->sequence++;
    memcpy(nonce, &loops->sequence, sizeof loops->sequence);
}

uint64_t aead_loops_evp(void *state)
{
    static const uint8_t opening[NONCE];
    struct aead_loops *loops = state;
    for (uint32_t i = 0; i < BATCH; i++) {
        evp_open(loops, opening, loops->plain[i]);
        next_nonce(loops, loops->nonces[i]);
        evp_seal(loops, loops->nonces[i], loops->plain[i], loops->out[i], loops->tags[i]);
    }
    return BATCH;
}

uint64_t aead_loops_own(void *state)
{
    struct aead_loops *loops = state;
    struct csn_gcm_item items[BATCH];
    for (uint32_t i = 0; i < BATCH; i++) {
        items[i] = (struct csn_gcm_item){.key = &loops->key,
                                         .aad = loops->header,
                                         .aad_size = HEADER,
                                         .size = loops->size,
                                         .input = loops->sealed,
                                         .output = loops->plain[i],
                                         .tag = loops->tag};
    }
    csn_gcm_open_batch(items, BATCH);
    for (uint32_t i = 0; i < BATCH; i++) {
        require(items[i].result == CSN_OK);
        next_nonce(loops, loops->nonces[i]);
        memcpy(items[i].nonce, loops->nonces[i], NONCE);
        items[i].input = loops->plain[i];
        items[i].output = loops->out[i];
        items[i].tag = loops->tags[i];
    }
    csn_gcm_seal_batch(items, BATCH);
    return BATCH;
}
