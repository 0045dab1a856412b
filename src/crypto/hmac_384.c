/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hmac_384.c: HMAC-SHA-384 (RFC 2104), which nonces of P-384 are made with, and HMAC-SHA-512: one
 * hash with two beginnings and ends.
 */
#include "sha2.h"
#include <core/bytes.h>

#define BLOCK 128u

struct wide_hash {
    void (*init)(struct csn_sha512 *hash);
    void (*final)(struct csn_sha512 *hash, uint8_t *digest);
    uint32_t size;
};

static void final_384(struct csn_sha512 *hash, uint8_t *digest)
{
    csn_sha384_final(hash, digest);
}

static void final_512(struct csn_sha512 *hash, uint8_t *digest)
{
    csn_sha512_final(hash, digest);
}

static void hmac(const struct wide_hash *wide, const void *secret, size_t secret_size,
                 const void *bytes, size_t size, uint8_t *tag)
{
    struct csn_sha512 hash;
    uint8_t block[BLOCK] = {0};
    if (secret_size > BLOCK) {
        wide->init(&hash);
        csn_sha512_update(&hash, secret, secret_size);
        wide->final(&hash, block);
    } else if (secret_size > 0) {
        __builtin_memcpy(block, secret, secret_size);
    }
    for (uint32_t i = 0; i < BLOCK; i++) {
        block[i] ^= 0x36;
    }
    wide->init(&hash);
    csn_sha512_update(&hash, block, BLOCK);
    csn_sha512_update(&hash, bytes, size);
    wide->final(&hash, tag);
    for (uint32_t i = 0; i < BLOCK; i++) {
        block[i] ^= 0x36 ^ 0x5c;
    }
    wide->init(&hash);
    csn_sha512_update(&hash, block, BLOCK);
    csn_sha512_update(&hash, tag, wide->size);
    wide->final(&hash, tag);
    csn_wipe(&hash, sizeof hash);
    csn_wipe(block, sizeof block);
}

void csn_hmac_384(const void *secret, size_t secret_size, const void *bytes, size_t size,
                  uint8_t tag[48])
{
    const struct wide_hash wide = {csn_sha384_init, final_384, 48};
    hmac(&wide, secret, secret_size, bytes, size, tag);
}

void csn_hmac_512(const void *secret, size_t secret_size, const void *bytes, size_t size,
                  uint8_t tag[64])
{
    const struct wide_hash wide = {csn_sha512_init, final_512, 64};
    hmac(&wide, secret, secret_size, bytes, size, tag);
}
