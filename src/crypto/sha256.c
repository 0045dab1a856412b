/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.c: SHA-256 (FIPS 180-4): the portable compression and the framing around either one. */
#include "sha2.h"
#include "sha256_kernel.h"
#include <core/bytes.h>

const uint32_t csn_sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t word, int count)
{
    return word >> count | word << (32 - count);
}

static void compress_one(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    uint32_t v[8];
    for (int i = 0; i < 16; i++) {
        w[i] = __builtin_bswap32(csn_load_u32(block + 4 * i));
    }
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    __builtin_memcpy(v, state, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t t1 = v[7] + s1 + choice + csn_sha256_constants[i] + w[i];
        uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        __builtin_memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + s0 + majority;
    }
    for (int i = 0; i < 8; i++) {
        state[i] += v[i];
    }
    csn_wipe(w, sizeof w);
    csn_wipe(v, sizeof v);
}

static void compress_all(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    for (; count > 0; count--, blocks += 64) {
        compress_one(state, blocks);
    }
}

static void put_digest(const uint32_t state[8], uint8_t digest[32])
{
    for (int i = 0; i < 8; i++) {
        csn_store_u32(digest + 4 * i, __builtin_bswap32(state[i]));
    }
}

const struct csn_sha256_kernel csn_sha256_portable = {.compress = compress_all};

static const struct csn_sha256_kernel *active = &csn_sha256_portable;

void csn_sha256_use(const struct csn_sha256_kernel *kernel)
{
    active = kernel;
}

const struct csn_sha256_kernel *csn_sha256_active(void)
{
    return active;
}

void csn_sha256_init(struct csn_sha256 *hash)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    __builtin_memcpy(hash->state, start, sizeof start);
    hash->total = 0;
}

void csn_sha256_update(struct csn_sha256 *hash, const void *bytes, size_t size)
{
    const uint8_t *next = bytes;
    size_t used = hash->total % 64;
    if (size == 0) {
        return; /* nothing may come as NULL, which takes no part in arithmetic or copies */
    }
    hash->total += size;
    if (used > 0) {
        size_t part = size < 64 - used ? size : 64 - used;
        __builtin_memcpy(hash->block + used, next, part);
        next += part;
        size -= part;
        if (used + part < 64) {
            return;
        }
        active->compress(hash->state, hash->block, 1);
    }
    if (size >= 64) {
        active->compress(hash->state, next, size / 64);
        next += size - size % 64;
        size %= 64;
    }
    if (size > 0) {
        __builtin_memcpy(hash->block, next, size);
    }
}

void csn_sha256_final(struct csn_sha256 *hash, uint8_t digest[32])
{
    size_t used = hash->total % 64;
    hash->block[used++] = 0x80;
    if (used > 56) {
        __builtin_memset(hash->block + used, 0, 64 - used);
        active->compress(hash->state, hash->block, 1);
        used = 0;
    }
    __builtin_memset(hash->block + used, 0, 56 - used);
    csn_store_u64(hash->block + 56, __builtin_bswap64(hash->total * 8));
    active->compress(hash->state, hash->block, 1);
    put_digest(hash->state, digest);
    csn_wipe(hash, sizeof *hash);
}

void csn_sha256(const void *bytes, size_t size, uint8_t digest[32])
{
    struct csn_sha256 hash;
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, bytes, size);
    csn_sha256_final(&hash, digest);
}
