/* SPDX-License-Identifier: Apache-2.0 */
/* sha256_kernel.h: the compression function of SHA-256. Private to src/crypto. */
#ifndef CSN_CRYPTO_SHA256_KERNEL_H
#define CSN_CRYPTO_SHA256_KERNEL_H

#include "sha2.h"

#define CSN_SHA256_LANES 4u /* as many rounds as the unit is deep; more gain nothing */

/* A message under one HMAC key: whole blocks, padded for the inner hash. */
struct csn_sha256_mac {
    const struct csn_hmac_key *key;
    const uint8_t *blocks;
    uint8_t *tag;
};

struct csn_sha256_kernel {
    /* count blocks of one message */
    void (*compress)(uint32_t state[8], const uint8_t *blocks, size_t count);
    /* Both hashes of messages of `count` blocks each: their rounds fill each other's waits. */
    void (*mac_lanes)(const struct csn_sha256_mac lanes[CSN_SHA256_LANES], uint32_t count);
};

extern const uint32_t csn_sha256_constants[64];
extern const struct csn_sha256_kernel csn_sha256_portable;
extern const struct csn_sha256_kernel csn_sha256_shani;

/* Called by csn_cpu_select() only. */
void csn_sha256_use(const struct csn_sha256_kernel *kernel);
const struct csn_sha256_kernel *csn_sha256_active(void);

#endif
