/* SPDX-License-Identifier: Apache-2.0 */
/* gcm_kernel.h: what a GCM kernel is: one item, sealed or opened. Private to src/crypto. */
#ifndef CSN_CRYPTO_GCM_KERNEL_H
#define CSN_CRYPTO_GCM_KERNEL_H

#include "aead.h"

/*
 * crypt: CTR over item->input to item->output and GHASH over aad, ciphertext and lengths; writes
 * the tag that belongs to it. opening: the ciphertext is the input, else the output.
 */
struct csn_gcm_kernel {
    void (*crypt)(const struct csn_gcm_item *item, int opening, uint8_t tag[16]);
};

extern const struct csn_gcm_kernel csn_gcm_aesni;
extern const struct csn_gcm_kernel csn_gcm_vaes;

/* Called by csn_cpu_select() only. */
void csn_gcm_use(const struct csn_gcm_kernel *kernel);
void csn_gcm_hash_powers(struct csn_gcm_key *key);

#endif
