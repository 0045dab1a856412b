/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead_suite.h: the three AEADs of RFC 9180 section 7.3 by their number, one message at a time.
 *
 * For protocols that are not ours and name their AEAD (HPKE, Oblivious HTTP). Records are sealed
 * by aead.h, in batches. Trust, threads and constant time as there: inputs are private memory, and
 * a failed open leaves zeros.
 */
#ifndef CSN_CRYPTO_AEAD_SUITE_H
#define CSN_CRYPTO_AEAD_SUITE_H

#include <caisson/base.h>
#include <core/bytes.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_AEAD_KEY_SIZE_MAX 32
#define CSN_AEAD_NONCE_SIZE   12
#define CSN_AEAD_TAG_SIZE     16

enum csn_aead {
    CSN_AEAD_AES_128_GCM = 1,
    CSN_AEAD_AES_256_GCM = 2,
    CSN_AEAD_CHACHA20_POLY1305 = 3,
};

/* Nk of RFC 9180: 16 or 32 bytes; 0: not one of the three. */
size_t csn_aead_key_size(uint32_t aead);

/*
 * The nonce of a sequence number, as RFC 9180 section 5.2 makes it: iv XOR (0^4 | u64, big-endian);
 * in the words in which the kernels read it.
 */
static inline void csn_aead_nonce(const uint8_t iv[12], uint64_t sequence, uint8_t nonce[12])
{
    uint64_t big = __builtin_bswap64(sequence);
    csn_store_u64(nonce, csn_load_u64(iv) ^ big << 32);
    csn_store_u32(nonce + 8, csn_load_u32(iv + 8) ^ (uint32_t)(big >> 32));
}

struct csn_aead_text {
    const uint8_t *key; /* csn_aead_key_size() bytes */
    const uint8_t *nonce;
    const uint8_t *aad; /* NULL if 0 bytes */
    uint32_t aad_size;
    uint32_t size; /* bytes of input and of output, tag apart */
    const uint8_t *input;
    uint8_t *output; /* the same as input, or disjoint */
};

/* aead: one of the three, else CSN_ERR_SUITE and nothing is written. */
CSN_MUST_USE csn_err csn_aead_seal(uint32_t aead, const struct csn_aead_text *text,
                                   uint8_t tag[CSN_AEAD_TAG_SIZE]);
/* CSN_ERR_AUTH: not authentic; the output is zeros. */
CSN_MUST_USE csn_err csn_aead_open(uint32_t aead, const struct csn_aead_text *text,
                                   const uint8_t tag[CSN_AEAD_TAG_SIZE]);

#endif
