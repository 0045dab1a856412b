/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead.h: AES-256-GCM (NIST SP 800-38D), one record or a batch of records at a time.
 *
 * Trust:    inputs are private memory (copied in first: GCM over memory that changes is a forgery).
 * Threads:  a key is read-only after init; any thread may use it.
 * Constant time in key and data; lengths are public. No unauthenticated plaintext is left behind:
 * a failed open wipes its output.
 */
#ifndef CSN_CRYPTO_AEAD_H
#define CSN_CRYPTO_AEAD_H

#include <caisson/base.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_GCM_KEY_SIZE   32
#define CSN_GCM_NONCE_SIZE 12
#define CSN_GCM_TAG_SIZE   16

#define CSN_GCM_POWERS 17 /* a chunk of sixteen blocks and the lengths */

/*
 * Key schedule (15 round keys) and powers of the hash key, H^17 first and one row more than
 * there are, in the bit order of the kernels; beside them, for each, the sum of its halves, twice.
 * Private; the layout is public only so that callers can place it. Wipe with csn_wipe().
 */
struct csn_gcm_key {
    _Alignas(32) uint8_t round_keys[15][16];
    uint8_t hash_powers[CSN_GCM_POWERS + 1][16];
    uint8_t hash_halves[CSN_GCM_POWERS + 1][16];
};

void csn_gcm_key_init(struct csn_gcm_key *key, const uint8_t secret[CSN_GCM_KEY_SIZE]);

struct csn_shared;

/* One record. input and output may be the same address or disjoint; aad may be NULL if 0 bytes. */
struct csn_gcm_item {
    const struct csn_gcm_key *key;
    uint8_t nonce[CSN_GCM_NONCE_SIZE];
    const uint8_t *aad;
    uint32_t aad_size;
    uint32_t size; /* bytes of input and of output, tag apart */
    const uint8_t *input;
    uint8_t *output;
    uint8_t *tag; /* 16 bytes: written by seal, read by open */
    /* size bytes that will be read soon, of which open asks for the lines while it works. */
    const struct csn_shared *ahead; /* never accessed; NULL: nothing */
    csn_err result;                 /* open: CSN_OK or CSN_ERR_AUTH; seal: CSN_OK */
};

/*
 * Items are independent and may mix keys and sizes: what one writes, none other touches, for the
 * work on several is interleaved. result is set in each.
 */
void csn_gcm_seal_batch(struct csn_gcm_item *items, uint32_t count);
void csn_gcm_open_batch(struct csn_gcm_item *items, uint32_t count);

/* Known-answer self-test of the kernel in use; CSN_ERR_INTERNAL if it fails. */
CSN_MUST_USE csn_err csn_gcm_self_test(void);

#endif
