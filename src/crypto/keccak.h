/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keccak.h: SHA3-256, SHA3-512, SHAKE128 and SHAKE256 (FIPS 202).
 *
 * Threads:  any; a state is its caller's. Constant time in the contents; lengths are public.
 * In images only with ML-KEM (mlkem.h).
 */
#ifndef CSN_CRYPTO_KECCAK_H
#define CSN_CRYPTO_KECCAK_H

#include <caisson/base.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_SHA3_256_SIZE 32
#define CSN_SHA3_512_SIZE 64
#define CSN_SHAKE128_RATE 168u /* bytes that one permutation takes or gives */
#define CSN_SHAKE256_RATE 136u

/* Private; the layout is public only so that callers can place it. Wipe with csn_wipe(). */
struct csn_keccak {
    uint64_t state[25];
    uint32_t rate;   /* bytes */
    uint32_t at;     /* bytes of the rate that were absorbed or squeezed */
    uint32_t suffix; /* what stands behind the message: which of the functions it is */
};

void csn_sha3_256_init(struct csn_keccak *hash);
void csn_sha3_512_init(struct csn_keccak *hash);
void csn_shake128_init(struct csn_keccak *hash);
void csn_shake256_init(struct csn_keccak *hash);
void csn_keccak_absorb(struct csn_keccak *hash, const void *bytes, size_t size);
/* The message is complete: once, before the first squeeze. */
void csn_keccak_finish(struct csn_keccak *hash);
/* The next size bytes; SHA-3 has 32 or 64 of them, SHAKE any number in pieces of any size. */
void csn_keccak_squeeze(struct csn_keccak *hash, void *output, size_t size);

void csn_sha3_256(const void *bytes, size_t size, uint8_t digest[CSN_SHA3_256_SIZE]);
void csn_sha3_512(const void *bytes, size_t size, uint8_t digest[CSN_SHA3_512_SIZE]);
void csn_shake256(const void *bytes, size_t size, void *output, size_t output_size);

#endif
