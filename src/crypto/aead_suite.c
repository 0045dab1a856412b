/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead_suite.c: which code serves which AEAD number. AES-256-GCM is the batch kernel with a batch
 * of one, AES-128-GCM gcm_128.c, ChaCha20-Poly1305 chacha.c.
 */
#include "aead_suite.h"
#include "aead.h"
#include "chacha.h"
#include "gcm_128.h"
#include <core/bytes.h>

size_t csn_aead_key_size(uint32_t aead)
{
    switch (aead) {
    case CSN_AEAD_AES_128_GCM:
        return 16;
    case CSN_AEAD_AES_256_GCM:
    case CSN_AEAD_CHACHA20_POLY1305:
        return 32;
    default:
        return 0;
    }
}

/* tag: written by sealing, read by opening. */
static csn_err run_gcm_256(const struct csn_aead_text *text, uint8_t tag[16], bool opening)
{
    struct csn_gcm_key key;
    struct csn_gcm_item item = {.key = &key,
                                .aad = text->aad,
                                .aad_size = text->aad_size,
                                .size = text->size,
                                .input = text->input,
                                .output = text->output,
                                .tag = tag};
    __builtin_memcpy(item.nonce, text->nonce, sizeof item.nonce);
    csn_gcm_key_init(&key, text->key);
    (opening ? csn_gcm_open_batch : csn_gcm_seal_batch)(&item, 1);
    csn_wipe(&key, sizeof key);
    return item.result;
}

csn_err csn_aead_seal(uint32_t aead, const struct csn_aead_text *text, uint8_t tag[16])
{
    switch (aead) {
    case CSN_AEAD_AES_128_GCM:
        csn_gcm_128_seal(text, tag);
        return CSN_OK;
    case CSN_AEAD_AES_256_GCM:
        return run_gcm_256(text, tag, false);
    case CSN_AEAD_CHACHA20_POLY1305:
        csn_chacha_seal(text, tag);
        return CSN_OK;
    default:
        return CSN_ERR_SUITE;
    }
}

csn_err csn_aead_open(uint32_t aead, const struct csn_aead_text *text, const uint8_t tag[16])
{
    uint8_t expected[16];
    switch (aead) {
    case CSN_AEAD_AES_128_GCM:
        return csn_gcm_128_open(text, tag);
    case CSN_AEAD_AES_256_GCM:
        __builtin_memcpy(expected, tag, sizeof expected);
        return run_gcm_256(text, expected, true);
    case CSN_AEAD_CHACHA20_POLY1305:
        return csn_chacha_open(text, tag);
    default:
        return CSN_ERR_SUITE;
    }
}
