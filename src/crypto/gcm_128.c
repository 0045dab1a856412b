/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm_128.c: AES-128-GCM (NIST SP 800-38D), eight blocks at a time, on AES-NI and PCLMULQDQ.
 *
 * A message is hashed and encrypted in two passes: it is private memory, and what is sealed so is
 * small. Opening decrypts only what authenticated. Branches follow lengths, which are public.
 */
#include "gcm_128.h"
#include "aes.h"
#include "gcm_math.h"
#include "load_part.h"

#define BLOCK  16u
#define BLOCKS 8u
#define CHUNK  (BLOCKS * BLOCK)

struct gcm {
    struct csn_aes_key aes;
    __m128i powers[BLOCKS + 1]; /* H^n * x^-1, from n = 1 */
    __m128i hash;
    uint8_t stream[CHUNK];
};

static void start(struct gcm *gcm, const uint8_t key[16])
{
    uint8_t block[BLOCK] = {0};
    (void)!csn_aes_key_init(&gcm->aes, key, 16); /* 16 bytes are always a legal size */
    csn_aes_encrypt(&gcm->aes, block, block, 1);
    gcm->powers[1] = csn_gcm_hash_key(csn_gcm_reverse(csn_gcm_load(block)));
    for (uint32_t n = 2; n <= BLOCKS; n++) {
        gcm->powers[n] = csn_gcm_multiply(gcm->powers[n - 1], gcm->powers[1]);
    }
    gcm->hash = _mm_setzero_si128();
    csn_wipe(block, sizeof block);
}

/* Zeros fill the last block, as SP 800-38D has it for both associated data and text. */
static void absorb(struct gcm *gcm, const uint8_t *bytes, uint32_t size)
{
    const __m128i zero = _mm_setzero_si128();
    uint32_t left = size;
    while (left > 0) {
        uint32_t count = left < CHUNK ? (left + BLOCK - 1) / BLOCK : BLOCKS;
        struct csn_gcm_product sum = {zero, zero, zero};
        for (uint32_t i = 0; i < count; i++) {
            __m128i block = left < BLOCK ? csn_load_part(bytes, left) : csn_gcm_load(bytes);
            block = csn_gcm_reverse(block);
            block = i == 0 ? _mm_xor_si128(block, gcm->hash) : block;
            csn_gcm_add(&sum, block, gcm->powers[count - i]);
            uint32_t taken = left < BLOCK ? left : BLOCK;
            bytes += taken;
            left -= taken;
        }
        gcm->hash = csn_gcm_reduce(&sum);
    }
}

/* Counter blocks from `counter` on, encrypted. */
static void make_stream(struct gcm *gcm, const uint8_t nonce[12], uint32_t counter, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        __m128i block = csn_gcm_counter(nonce, counter + i);
        csn_gcm_store(gcm->stream + BLOCK * i, _mm_shuffle_epi8(block, csn_gcm_counter_order()));
    }
    csn_aes_encrypt(&gcm->aes, gcm->stream, gcm->stream, count);
}

static void mix(uint8_t *output, const uint8_t *input, const uint8_t *stream, uint32_t size)
{
    uint32_t at = 0;
    for (; at + BLOCK <= size; at += BLOCK) {
        __m128i mixed = _mm_xor_si128(csn_gcm_load(input + at), csn_gcm_load(stream + at));
        csn_gcm_store(output + at, mixed);
    }
    for (; at < size; at++) {
        output[at] = input[at] ^ stream[at];
    }
}

static void crypt(struct gcm *gcm, const struct csn_aead_text *text)
{
    for (uint32_t done = 0; done < text->size; done += CHUNK) {
        uint32_t size = text->size - done < CHUNK ? text->size - done : CHUNK;
        make_stream(gcm, text->nonce, 2 + done / BLOCK, (size + BLOCK - 1) / BLOCK);
        mix(text->output + done, text->input + done, gcm->stream, size);
    }
}

static void finish(struct gcm *gcm, const struct csn_aead_text *text, const uint8_t *cipher,
                   uint8_t tag[16])
{
    absorb(gcm, text->aad, text->aad_size);
    absorb(gcm, cipher, text->size);
    __m128i lengths = _mm_set_epi64x((long long)text->aad_size * 8, (long long)text->size * 8);
    __m128i hash = csn_gcm_multiply(_mm_xor_si128(gcm->hash, lengths), gcm->powers[1]);
    make_stream(gcm, text->nonce, 1, 1);
    csn_gcm_store(tag, _mm_xor_si128(csn_gcm_reverse(hash), csn_gcm_load(gcm->stream)));
}

void csn_gcm_128_seal(const struct csn_aead_text *text, uint8_t tag[16])
{
    struct gcm gcm;
    start(&gcm, text->key);
    crypt(&gcm, text);
    finish(&gcm, text, text->output, tag);
    csn_wipe(&gcm, sizeof gcm);
}

csn_err csn_gcm_128_open(const struct csn_aead_text *text, const uint8_t tag[16])
{
    struct gcm gcm;
    uint8_t expected[16];
    start(&gcm, text->key);
    finish(&gcm, text, text->input, expected);
    bool genuine = csn_equal_ct(expected, tag, sizeof expected);
    if (genuine) {
        crypt(&gcm, text);
    } else {
        csn_wipe(text->output, text->size);
    }
    csn_wipe(&gcm, sizeof gcm);
    csn_wipe(expected, sizeof expected);
    return genuine ? CSN_OK : CSN_ERR_AUTH;
}
