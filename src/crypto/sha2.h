/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha2.h: SHA-256, SHA-384, SHA-512 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869).
 *
 * SHA-256 uses SHA-NI where csn_cpu_select() was told that it is there, and HMAC in batches the
 * registers of AVX-512 with it.
 */
#ifndef CSN_CRYPTO_SHA2_H
#define CSN_CRYPTO_SHA2_H

#include <caisson/base.h>
#include <stddef.h>
#include <stdint.h>

struct csn_sha256 {
    uint32_t state[8];
    uint64_t total; /* bytes */
    uint8_t block[64];
};
void csn_sha256_init(struct csn_sha256 *hash);
void csn_sha256_update(struct csn_sha256 *hash, const void *bytes, size_t size);
void csn_sha256_final(struct csn_sha256 *hash, uint8_t digest[32]);
void csn_sha256(const void *bytes, size_t size, uint8_t digest[32]);

/* SHA-384 and SHA-512 share a state; which one is set by the init function. */
struct csn_sha512 {
    uint64_t state[8];
    uint64_t count[2]; /* bits; the layout is libsodium's */
    uint8_t block[128];
};
void csn_sha384_init(struct csn_sha512 *hash);
void csn_sha512_init(struct csn_sha512 *hash);
void csn_sha512_update(struct csn_sha512 *hash, const void *bytes, size_t size);
void csn_sha384_final(struct csn_sha512 *hash, uint8_t digest[48]);
void csn_sha512_final(struct csn_sha512 *hash, uint8_t digest[64]);

/* HMAC-SHA-256 with both pad blocks hashed once, so that a short message costs two compressions. */
struct csn_hmac_key {
    uint32_t inner[8];
    uint32_t outer[8];
};
struct csn_hmac {
    struct csn_sha256 hash;
    const struct csn_hmac_key *key;
};
void csn_hmac_key_init(struct csn_hmac_key *key, const void *secret, size_t size);
void csn_hmac_init(struct csn_hmac *mac, const struct csn_hmac_key *key);
void csn_hmac_update(struct csn_hmac *mac, const void *bytes, size_t size);
void csn_hmac_final(struct csn_hmac *mac, uint8_t tag[32]);
void csn_hmac(const struct csn_hmac_key *key, const void *bytes, size_t size, uint8_t tag[32]);

/* HMAC-SHA-384 and HMAC-SHA-512, in one go. tag may be part of what is read. */
void csn_hmac_384(const void *secret, size_t secret_size, const void *bytes, size_t size,
                  uint8_t tag[48]);
void csn_hmac_512(const void *secret, size_t secret_size, const void *bytes, size_t size,
                  uint8_t tag[64]);

/*
 * Many short messages, under the same or different keys. Those of one block (up to 55 bytes) and of
 * two (119) are hashed side by side, in any order; longer ones one at a time. Sixteen or more of
 * one kind at once cost least; neighbours under one key a little less than others.
 */
struct csn_hmac_item {
    const struct csn_hmac_key *key;
    const uint8_t *bytes;
    uint32_t size;
    uint8_t *tag; /* 32 bytes */
};
void csn_hmac_batch(const struct csn_hmac_item *items, uint32_t count);

/* RFC 5869. extract: salt may be NULL with size 0. expand: at most 255 * 32 bytes. */
void csn_hkdf_extract(const void *salt, size_t salt_size, const void *secret, size_t secret_size,
                      uint8_t prk[32]);
CSN_MUST_USE csn_err csn_hkdf_expand(const uint8_t prk[32], const void *info, size_t info_size,
                                     void *output, size_t output_size);
CSN_MUST_USE csn_err csn_hkdf(const void *salt, size_t salt_size, const void *secret,
                              size_t secret_size, const void *info, size_t info_size, void *output,
                              size_t output_size);

#endif
