/* SPDX-License-Identifier: Apache-2.0 */
/* hash.c: see hash.h. */
#include "hash.h"
#include "core/bytes.h"

void p11_hash_begin(struct p11_hash *hash, uint32_t bits)
{
    hash->bits = bits;
    if (bits == 256) {
        csn_sha256_init(&hash->state.sha256);
    } else if (bits == 384) {
        csn_sha384_init(&hash->state.sha512);
    } else {
        csn_sha512_init(&hash->state.sha512);
    }
}

void p11_hash_add(struct p11_hash *hash, const void *bytes, size_t size)
{
    if (size == 0) {
        return; /* and the pointer may be NULL */
    }
    if (hash->bits == 256) {
        csn_sha256_update(&hash->state.sha256, bytes, size);
    } else {
        csn_sha512_update(&hash->state.sha512, bytes, size);
    }
}

void p11_hash_end(struct p11_hash *hash, uint8_t digest[P11_DIGEST_MAX])
{
    if (hash->bits == 256) {
        csn_sha256_final(&hash->state.sha256, digest);
    } else if (hash->bits == 384) {
        csn_sha384_final(&hash->state.sha512, digest);
    } else {
        csn_sha512_final(&hash->state.sha512, digest);
    }
    csn_wipe(&hash->state, sizeof hash->state);
}
