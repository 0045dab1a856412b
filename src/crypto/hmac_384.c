/* SPDX-License-Identifier: Apache-2.0 */
/* hmac_384.c: HMAC-SHA-384 (RFC 2104), which nonces of P-384 are made with. */
#include "sha2.h"
#include <core/bytes.h>

#define BLOCK 128u

void csn_hmac_384(const void *secret, size_t secret_size, const void *bytes, size_t size,
                  uint8_t tag[48])
{
    struct csn_sha512 hash;
    uint8_t block[BLOCK] = {0};
    if (secret_size > BLOCK) {
        csn_sha384_init(&hash);
        csn_sha512_update(&hash, secret, secret_size);
        csn_sha384_final(&hash, block);
    } else if (secret_size > 0) {
        __builtin_memcpy(block, secret, secret_size);
    }
    for (uint32_t i = 0; i < BLOCK; i++) {
        block[i] ^= 0x36;
    }
    csn_sha384_init(&hash);
    csn_sha512_update(&hash, block, BLOCK);
    csn_sha512_update(&hash, bytes, size);
    csn_sha384_final(&hash, tag);
    for (uint32_t i = 0; i < BLOCK; i++) {
        block[i] ^= 0x36 ^ 0x5c;
    }
    csn_sha384_init(&hash);
    csn_sha512_update(&hash, block, BLOCK);
    csn_sha512_update(&hash, tag, 48);
    csn_sha384_final(&hash, tag);
    csn_wipe(&hash, sizeof hash);
    csn_wipe(block, sizeof block);
}
