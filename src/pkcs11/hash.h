/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h: SHA-2 as PKCS #11 mechanisms ask for it. In this process: what is hashed is no secret of
 * the enclave's. */
#ifndef CSV_PKCS11_HASH_H
#define CSV_PKCS11_HASH_H

#include "crypto/sha2.h"
#include <stddef.h>
#include <stdint.h>

#define P11_DIGEST_MAX 64u

struct p11_hash {
    uint32_t bits; /* 256, 384, 512 */
    union {
        struct csn_sha256 sha256;
        struct csn_sha512 sha512;
    } state;
};

void p11_hash_begin(struct p11_hash *hash, uint32_t bits);
void p11_hash_add(struct p11_hash *hash, const void *bytes, size_t size);
/* bits / 8 bytes; wipes the state. */
void p11_hash_end(struct p11_hash *hash, uint8_t digest[P11_DIGEST_MAX]);

#endif
