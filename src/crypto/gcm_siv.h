/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm_siv.h: AES-256-GCM-SIV (RFC 8452): a nonce that comes twice tells only that a text came
 * twice. For what is sealed under long-lived keys, where a rollback could repeat a nonce.
 *
 * Trust, threads and constant time as in aead.h. An open decrypts before it can verify, into its
 * output, which must be private memory and is wiped if the tag is wrong.
 */
#ifndef CSN_CRYPTO_GCM_SIV_H
#define CSN_CRYPTO_GCM_SIV_H

#include "aes.h"
#include <caisson/base.h>
#include <stdint.h>

#define CSN_GCM_SIV_KEY_SIZE   32
#define CSN_GCM_SIV_NONCE_SIZE 12
#define CSN_GCM_SIV_TAG_SIZE   16

/* Keys of records are derived from it, one pair for each nonce. Wipe with csn_wipe(). */
struct csn_gcm_siv_key {
    struct csn_aes_key aes;
};

void csn_gcm_siv_key_init(struct csn_gcm_siv_key *key, const uint8_t secret[CSN_GCM_SIV_KEY_SIZE]);

/* One record. input and output may be the same address or disjoint; aad may be NULL if 0 bytes. */
struct csn_gcm_siv_item {
    const struct csn_gcm_siv_key *key;
    uint8_t nonce[CSN_GCM_SIV_NONCE_SIZE];
    const uint8_t *aad;
    uint32_t aad_size;
    uint32_t size; /* bytes of input and of output, tag apart */
    const uint8_t *input;
    uint8_t *output;
    uint8_t *tag;   /* 16 bytes: written by seal, read by open */
    csn_err result; /* open: CSN_OK or CSN_ERR_AUTH; seal: CSN_OK */
};

/* Items are independent, one after the other; result is set in each. */
void csn_gcm_siv_seal_batch(struct csn_gcm_siv_item *items, uint32_t count);
void csn_gcm_siv_open_batch(struct csn_gcm_siv_item *items, uint32_t count);

/* Known answers of RFC 8452; CSN_ERR_INTERNAL. To be run before the first use. */
CSN_MUST_USE csn_err csn_gcm_siv_self_test(void);

#endif
