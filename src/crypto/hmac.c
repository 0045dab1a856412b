/* SPDX-License-Identifier: Apache-2.0 */
/* hmac.c: HMAC-SHA-256 (RFC 2104) and HKDF (RFC 5869). */
#include "sha2.h"
#include <core/bytes.h>

static void pad_state(uint32_t state[8], const uint8_t secret[64], uint8_t pad)
{
    struct csn_sha256 hash;
    uint8_t block[64];
    for (int i = 0; i < 64; i++) {
        block[i] = secret[i] ^ pad;
    }
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, block, sizeof block);
    __builtin_memcpy(state, hash.state, sizeof hash.state);
    csn_wipe(&hash, sizeof hash);
    csn_wipe(block, sizeof block);
}

void csn_hmac_key_init(struct csn_hmac_key *key, const void *secret, size_t size)
{
    uint8_t block[64] = {0};
    if (size > sizeof block) {
        csn_sha256(secret, size, block);
    } else if (size > 0) {
        __builtin_memcpy(block, secret, size);
    }
    pad_state(key->inner, block, 0x36);
    pad_state(key->outer, block, 0x5c);
    csn_wipe(block, sizeof block);
}

/* A hash that has taken one pad block already. */
static void resume(struct csn_sha256 *hash, const uint32_t state[8])
{
    __builtin_memcpy(hash->state, state, sizeof hash->state);
    hash->total = 64;
}

void csn_hmac_init(struct csn_hmac *mac, const struct csn_hmac_key *key)
{
    mac->key = key;
    resume(&mac->hash, key->inner);
}

void csn_hmac_update(struct csn_hmac *mac, const void *bytes, size_t size)
{
    csn_sha256_update(&mac->hash, bytes, size);
}

void csn_hmac_final(struct csn_hmac *mac, uint8_t tag[32])
{
    uint8_t digest[32];
    csn_sha256_final(&mac->hash, digest);
    resume(&mac->hash, mac->key->outer);
    csn_sha256_update(&mac->hash, digest, sizeof digest);
    csn_sha256_final(&mac->hash, tag);
    csn_wipe(digest, sizeof digest);
}

void csn_hmac(const struct csn_hmac_key *key, const void *bytes, size_t size, uint8_t tag[32])
{
    struct csn_hmac mac;
    csn_hmac_init(&mac, key);
    csn_hmac_update(&mac, bytes, size);
    csn_hmac_final(&mac, tag);
}

void csn_hkdf_extract(const void *salt, size_t salt_size, const void *secret, size_t secret_size,
                      uint8_t prk[32])
{
    struct csn_hmac_key key;
    csn_hmac_key_init(&key, salt, salt_size);
    csn_hmac(&key, secret, secret_size, prk);
    csn_wipe(&key, sizeof key);
}

csn_err csn_hkdf_expand(const uint8_t prk[32], const void *info, size_t info_size, void *output,
                        size_t output_size)
{
    struct csn_hmac_key key;
    struct csn_hmac mac;
    uint8_t block[32];
    uint8_t *next = output;
    if (output_size > 255 * sizeof block) {
        return CSN_ERR_ARGUMENT;
    }
    csn_hmac_key_init(&key, prk, 32);
    for (uint8_t counter = 1; output_size > 0; counter++) {
        size_t part = output_size < sizeof block ? output_size : sizeof block;
        csn_hmac_init(&mac, &key);
        csn_hmac_update(&mac, block, counter == 1 ? 0 : sizeof block);
        csn_hmac_update(&mac, info, info_size);
        csn_hmac_update(&mac, &counter, 1);
        csn_hmac_final(&mac, block);
        __builtin_memcpy(next, block, part);
        next += part;
        output_size -= part;
    }
    csn_wipe(&key, sizeof key);
    csn_wipe(block, sizeof block);
    return CSN_OK;
}

csn_err csn_hkdf(const void *salt, size_t salt_size, const void *secret, size_t secret_size,
                 const void *info, size_t info_size, void *output, size_t output_size)
{
    uint8_t prk[32];
    csn_hkdf_extract(salt, salt_size, secret, secret_size, prk);
    csn_err err = csn_hkdf_expand(prk, info, info_size, output, output_size);
    csn_wipe(prk, sizeof prk);
    return err;
}
