/* SPDX-License-Identifier: Apache-2.0 */
/* sha256_kernel.h: the compression function of SHA-256. Private to src/crypto. */
#ifndef CSN_CRYPTO_SHA256_KERNEL_H
#define CSN_CRYPTO_SHA256_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* A hash in the making and the block that it takes next. */
struct csn_sha256_stream {
    uint32_t state[8];
    const uint8_t *block;
};

struct csn_sha256_kernel {
    /* count blocks of one message */
    void (*compress)(uint32_t state[8], const uint8_t *blocks, size_t count);
    /* one block of each of two messages: their chains of rounds fill each other's waits */
    void (*compress_two)(struct csn_sha256_stream *left, struct csn_sha256_stream *right);
};

extern const uint32_t csn_sha256_constants[64];
extern const struct csn_sha256_kernel csn_sha256_portable;
extern const struct csn_sha256_kernel csn_sha256_shani;

/* Called by csn_cpu_select() only. */
void csn_sha256_use(const struct csn_sha256_kernel *kernel);
const struct csn_sha256_kernel *csn_sha256_active(void);

#endif
