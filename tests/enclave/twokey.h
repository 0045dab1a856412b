/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twokey.h: makes one AES-256-GCM ciphertext and tag that authenticate under two keys.
 *
 * GHASH is linear in each ciphertext block, so one free block solves for equal tags.
 */
#ifndef TESTS_ENCLAVE_TWOKEY_H
#define TESTS_ENCLAVE_TWOKEY_H

#include <stdint.h>

struct twokey_side {
    uint8_t key[32];
    uint8_t nonce[12];
};
/*
 * cipher: size bytes (a multiple of 16), whose last block is overwritten; tag: 16 bytes out. The
 * associated data is the same for both.
 */
void twokey_solve(const struct twokey_side sides[2], const uint8_t *aad, uint32_t aad_size,
                  uint8_t *cipher, uint32_t size, uint8_t tag[16]);

#endif
