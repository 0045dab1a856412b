/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha512.c: SHA-512 and SHA-384 by libsodium's SHA-512, which Ed25519 needs in the image anyway.
 *
 * libsodium has no SHA-384, but that is SHA-512 from another start value, cut to 48 bytes, and
 * libsodium's state is public: so one compression function is in the image, not two.
 */
#include "sha2.h"
#include <core/bytes.h>
#include <sodium/crypto_hash_sha512.h>

_Static_assert(sizeof(struct csn_sha512) == sizeof(crypto_hash_sha512_state), "same layout");
_Static_assert(offsetof(struct csn_sha512, block) == offsetof(crypto_hash_sha512_state, buf), "");

static crypto_hash_sha512_state *inner(struct csn_sha512 *hash)
{
    return (crypto_hash_sha512_state *)(void *)hash;
}

void csn_sha512_init(struct csn_sha512 *hash)
{
    crypto_hash_sha512_init(inner(hash));
}

void csn_sha384_init(struct csn_sha512 *hash)
{
    static const uint64_t start[8] = {UINT64_C(0xcbbb9d5dc1059ed8), UINT64_C(0x629a292a367cd507),
                                      UINT64_C(0x9159015a3070dd17), UINT64_C(0x152fecd8f70e5939),
                                      UINT64_C(0x67332667ffc00b31), UINT64_C(0x8eb44a8768581511),
                                      UINT64_C(0xdb0c2e0d64f98fa7), UINT64_C(0x47b5481dbefa4fa4)};
    crypto_hash_sha512_init(inner(hash));
    __builtin_memcpy(hash->state, start, sizeof start);
}

void csn_sha512_update(struct csn_sha512 *hash, const void *bytes, size_t size)
{
    crypto_hash_sha512_update(inner(hash), bytes, size);
}

void csn_sha512_final(struct csn_sha512 *hash, uint8_t digest[64])
{
    crypto_hash_sha512_final(inner(hash), digest);
}

void csn_sha384_final(struct csn_sha512 *hash, uint8_t digest[48])
{
    uint8_t whole[64];
    crypto_hash_sha512_final(inner(hash), whole);
    __builtin_memcpy(digest, whole, 48);
    csn_wipe(whole, sizeof whole);
}
