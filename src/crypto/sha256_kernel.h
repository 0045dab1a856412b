/* SPDX-License-Identifier: Apache-2.0 */
/* sha256_kernel.h: the compression function of SHA-256. Private to src/crypto. */
#ifndef CSN_CRYPTO_SHA256_KERNEL_H
#define CSN_CRYPTO_SHA256_KERNEL_H

#include "sha2.h"

struct csn_sha256_kernel {
    /* count blocks of one message */
    void (*compress)(uint32_t state[8], const uint8_t *blocks, size_t count);
    /*
     * HMAC of messages of `blocks` blocks each, padding included, side by side. NULL: one at a time
     * is as good.
     */
    void (*macs)(const struct csn_hmac_item *const *items, uint32_t count, uint32_t blocks);
};

extern const uint32_t csn_sha256_constants[64];
extern const struct csn_sha256_kernel csn_sha256_portable;
extern const struct csn_sha256_kernel csn_sha256_shani;
extern const struct csn_sha256_kernel csn_sha256_shani_upper; /* AVX-512: more registers */

/* Called by csn_cpu_select() only. */
void csn_sha256_use(const struct csn_sha256_kernel *kernel);
const struct csn_sha256_kernel *csn_sha256_active(void);

#endif
