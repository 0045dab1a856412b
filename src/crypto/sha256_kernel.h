/* SPDX-License-Identifier: Apache-2.0 */
/* sha256_kernel.h: the compression function, count blocks at once. Private to src/crypto. */
#ifndef CSN_CRYPTO_SHA256_KERNEL_H
#define CSN_CRYPTO_SHA256_KERNEL_H

#include <stddef.h>
#include <stdint.h>

typedef void (*csn_sha256_compress)(uint32_t state[8], const uint8_t *blocks, size_t count);

extern const uint32_t csn_sha256_constants[64];
void csn_sha256_portable(uint32_t state[8], const uint8_t *blocks, size_t count);
void csn_sha256_shani(uint32_t state[8], const uint8_t *blocks, size_t count);

/* Called by csn_cpu_select() only. */
void csn_sha256_use(csn_sha256_compress kernel);

#endif
