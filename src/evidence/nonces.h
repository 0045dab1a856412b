/* SPDX-License-Identifier: Apache-2.0 */
/* nonces.h: the Merkle tree over waiting nonces (layout in wire/evidence.h). */
#ifndef CSN_EVIDENCE_NONCES_H
#define CSN_EVIDENCE_NONCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_NONCE_COUNT_MAX 65536u

/* Smallest depth whose tree holds count leaves. */
uint32_t csn_nonces_depth(size_t count);
/*
 * Root over count nonces; leaves beyond them are 32 zero bytes, which no nonce hashes to: a nonce
 * has one place, and the index in its bundle no bit that could be another. If path is given, the
 * siblings of leaf `index`, leaf first, depth * 32 bytes. False: libcrypto or memory failed.
 */
bool csn_nonces_tree(const uint8_t (*nonces)[32], size_t count, size_t index, uint8_t root[32],
                     uint8_t *path);

#endif
