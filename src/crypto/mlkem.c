/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlkem.c: ML-KEM-768 (FIPS 203, sections 5 to 7) out of its parts.
 *
 * The matrix and the hash of an encapsulation key are computed once for a key: they are more than
 * half of the work of each operation.
 */
#include "mlkem.h"
#include "keccak.h"
#include "mlkem_core.h"
#include <caisson/wire/boot.h>
#include <core/bytes.h>

#define RANK      CSN_MLKEM_RANK
#define POLY_SIZE 384u               /* bytes of an encoded polynomial */
#define T_SIZE    (RANK * POLY_SIZE) /* then comes rho, 32 bytes */
#define U_SIZE    320u               /* of a compressed one of u; v follows the three */
#define HASH_AT   (T_SIZE + CSN_MLKEM_PUBLIC_SIZE) /* in a decapsulation key; then comes z */

static const struct csn_mlkem_kernel *active = &csn_mlkem_sse2;

void csn_mlkem_use(const struct csn_mlkem_kernel *kernel)
{
    active = kernel;
}

csn_err csn_mlkem_begin(uint64_t features)
{
    csn_mlkem_use((features & CSN_WIRE_FEATURE_AVX2) != 0 ? &csn_mlkem_avx2 : &csn_mlkem_sse2);
    return csn_mlkem_self_test();
}

/* ---- keys ---- */
csn_err csn_mlkem_public_init(struct csn_mlkem_public *public, const uint8_t *bytes, size_t size)
{
    bool reduced = true;
    if (size != CSN_MLKEM_PUBLIC_SIZE) {
        return CSN_ERR_FORMAT;
    }
    for (uint32_t i = 0; i < RANK; i++) {
        reduced = csn_mlkem_decode(bytes + POLY_SIZE * i, &public->t[i]) && reduced;
    }
    if (!reduced) {
        return CSN_ERR_ARGUMENT;
    }
    __builtin_memcpy(public->bytes, bytes, size);
    csn_sha3_256(bytes, size, public->hash);
    return csn_mlkem_matrix(active, bytes + T_SIZE, public->matrix) ? CSN_OK : CSN_ERR_INTERNAL;
}

csn_err csn_mlkem_key_grow(struct csn_mlkem_key *key, const uint8_t rho[32],
                           const uint8_t sigma[32], const uint8_t z[32])
{
    struct csn_mlkem_public *public = &key->public;
    struct csn_mlkem_poly noise[RANK + 1];
    if (!csn_mlkem_matrix(active, rho, public->matrix)) {
        return CSN_ERR_INTERNAL;
    }
    csn_mlkem_noise(active, sigma, 0, key->s, RANK);
    csn_mlkem_noise(active, sigma, RANK, noise, RANK);
    for (uint32_t i = 0; i < RANK; i++) {
        active->transform(&key->s[i]);
    }
    for (uint32_t i = 0; i < RANK; i++) {
        active->transform(&noise[i]);
        active->dot(&public->t[i], &public->matrix[0][i], RANK, key->s);
        active->scale(&public->t[i]);
        active->add(&public->t[i], &noise[i]);
        csn_mlkem_encode(&public->t[i], public->bytes + POLY_SIZE * i);
    }
    __builtin_memcpy(public->bytes + T_SIZE, rho, 32);
    csn_sha3_256(public->bytes, sizeof public->bytes, public->hash);
    __builtin_memcpy(key->rejection, z, 32);
    csn_wipe(noise, sizeof noise);
    return CSN_OK;
}

csn_err csn_mlkem_key_init(struct csn_mlkem_key *key, const uint8_t seed[CSN_MLKEM_SEED_SIZE])
{
    uint8_t input[33];
    uint8_t seeds[64]; /* rho, sigma */
    __builtin_memcpy(input, seed, 32);
    input[32] = RANK;
    csn_sha3_512(input, sizeof input, seeds);
    csn_err err = csn_mlkem_key_grow(key, seeds, seeds + 32, seed + 32);
    csn_wipe(input, sizeof input);
    csn_wipe(seeds, sizeof seeds);
    return err;
}

csn_err csn_mlkem_key_import(struct csn_mlkem_key *key, const uint8_t *bytes, size_t size)
{
    if (size != CSN_MLKEM_EXPANDED_SIZE) {
        csn_wipe(key, sizeof *key);
        return CSN_ERR_FORMAT;
    }
    csn_err err = csn_mlkem_public_init(&key->public, bytes + T_SIZE, CSN_MLKEM_PUBLIC_SIZE);
    if (err == CSN_OK && !csn_equal_ct(key->public.hash, bytes + HASH_AT, 32)) {
        err = CSN_ERR_AUTH;
    }
    if (err != CSN_OK) {
        csn_wipe(key, sizeof *key);
        return err;
    }
    for (uint32_t i = 0; i < RANK; i++) {
        (void)csn_mlkem_decode(bytes + POLY_SIZE * i, &key->s[i]); /* FIPS 203: modulo q */
    }
    __builtin_memcpy(key->rejection, bytes + HASH_AT + 32, 32);
    return CSN_OK;
}

void csn_mlkem_key_export(const struct csn_mlkem_key *key, uint8_t bytes[CSN_MLKEM_EXPANDED_SIZE])
{
    for (uint32_t i = 0; i < RANK; i++) {
        csn_mlkem_encode(&key->s[i], bytes + POLY_SIZE * i);
    }
    __builtin_memcpy(bytes + T_SIZE, key->public.bytes, CSN_MLKEM_PUBLIC_SIZE);
    __builtin_memcpy(bytes + HASH_AT, key->public.hash, 32);
    __builtin_memcpy(bytes + HASH_AT + 32, key->rejection, 32);
}

/* ---- K-PKE ---- */
/* Algorithm 14. The noise of y, e1 and e2 is numbered 0 to 6. */
static void encrypt(const struct csn_mlkem_public *public, const uint8_t message[32],
                    const uint8_t seed[32], uint8_t ciphertext[CSN_MLKEM_CIPHERTEXT_SIZE])
{
    struct csn_mlkem_poly noise[2 * RANK + 2];
    struct csn_mlkem_poly sum;
    struct csn_mlkem_poly *y = noise, *e1 = noise + RANK, *e2 = noise + 2 * RANK;
    csn_mlkem_noise(active, seed, 0, noise, CSN_MLKEM_LANES);
    csn_mlkem_noise(active, seed, CSN_MLKEM_LANES, noise + CSN_MLKEM_LANES, RANK);
    for (uint32_t i = 0; i < RANK; i++) {
        active->transform(&y[i]);
    }
    for (uint32_t i = 0; i < RANK; i++) {
        active->dot(&sum, public->matrix[i], 1, y);
        active->restore(&sum);
        active->add(&sum, &e1[i]);
        csn_mlkem_compress_10(&sum, ciphertext + U_SIZE * i);
    }
    active->dot(&sum, public->t, 1, y);
    active->restore(&sum);
    active->add(&sum, e2);
    csn_mlkem_expand_1(message, e2);
    active->add(&sum, e2);
    csn_mlkem_compress_4(&sum, ciphertext + RANK * U_SIZE);
    csn_wipe(noise, sizeof noise);
    csn_wipe(&sum, sizeof sum);
}

/* Algorithm 15. */
static void decrypt(const struct csn_mlkem_key *key,
                    const uint8_t ciphertext[CSN_MLKEM_CIPHERTEXT_SIZE], uint8_t message[32])
{
    struct csn_mlkem_poly u[RANK];
    struct csn_mlkem_poly v, sum;
    for (uint32_t i = 0; i < RANK; i++) {
        csn_mlkem_expand_10(ciphertext + U_SIZE * i, &u[i]);
        active->transform(&u[i]);
    }
    csn_mlkem_expand_4(ciphertext + RANK * U_SIZE, &v);
    active->dot(&sum, key->s, 1, u);
    active->restore(&sum);
    active->subtract_from(&sum, &v);
    csn_mlkem_compress_1(&sum, message);
    csn_wipe(&sum, sizeof sum);
}

/* ---- ML-KEM ---- */
/* The shared secret and the seed of the noise, from message and key. */
static void derive(const struct csn_mlkem_public *public, const uint8_t message[32],
                   uint8_t secrets[64])
{
    uint8_t input[64];
    __builtin_memcpy(input, message, 32);
    __builtin_memcpy(input + 32, public->hash, 32);
    csn_sha3_512(input, sizeof input, secrets);
    csn_wipe(input, sizeof input);
}

void csn_mlkem_encapsulate(const struct csn_mlkem_public *public, const uint8_t randomness[32],
                           uint8_t ciphertext[CSN_MLKEM_CIPHERTEXT_SIZE],
                           uint8_t shared[CSN_MLKEM_SHARED_SIZE])
{
    uint8_t secrets[64];
    derive(public, randomness, secrets);
    encrypt(public, randomness, secrets + 32, ciphertext);
    __builtin_memcpy(shared, secrets, CSN_MLKEM_SHARED_SIZE);
    csn_wipe(secrets, sizeof secrets);
}

/* What stands for the shared secret where the ciphertext is not genuine. */
static void reject(const struct csn_mlkem_key *key,
                   const uint8_t ciphertext[CSN_MLKEM_CIPHERTEXT_SIZE], uint8_t secret[32])
{
    struct csn_keccak hash;
    csn_shake256_init(&hash);
    csn_keccak_absorb(&hash, key->rejection, sizeof key->rejection);
    csn_keccak_absorb(&hash, ciphertext, CSN_MLKEM_CIPHERTEXT_SIZE);
    csn_keccak_finish(&hash);
    csn_keccak_squeeze(&hash, secret, 32);
    csn_wipe(&hash, sizeof hash);
}

/* All ones if the bytes differ, else 0; neither which nor whether is seen in time. */
static uint64_t difference(const uint8_t left[CSN_MLKEM_CIPHERTEXT_SIZE],
                           const uint8_t right[CSN_MLKEM_CIPHERTEXT_SIZE])
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < CSN_MLKEM_CIPHERTEXT_SIZE; i += 8) {
        any |= csn_load_u64(left + i) ^ csn_load_u64(right + i);
    }
    uint64_t mask = 0 - ((any | (0 - any)) >> 63);
    __asm__("" : "+r"(mask)); /* no branch by a compiler that sees 0 or -1 */
    return mask;
}

csn_err csn_mlkem_decapsulate(const struct csn_mlkem_key *key, const uint8_t *ciphertext,
                              size_t size, uint8_t shared[CSN_MLKEM_SHARED_SIZE])
{
    uint8_t message[32], secrets[64], rejected[32];
    uint8_t again[CSN_MLKEM_CIPHERTEXT_SIZE];
    if (size != CSN_MLKEM_CIPHERTEXT_SIZE) {
        return CSN_ERR_FORMAT;
    }
    decrypt(key, ciphertext, message);
    derive(&key->public, message, secrets);
    reject(key, ciphertext, rejected);
    encrypt(&key->public, message, secrets + 32, again);
    uint64_t mask = difference(again, ciphertext);
    for (uint32_t i = 0; i < CSN_MLKEM_SHARED_SIZE; i += 8) {
        uint64_t genuine = csn_load_u64(secrets + i);
        csn_store_u64(shared + i, genuine ^ (mask & (genuine ^ csn_load_u64(rejected + i))));
    }
    csn_wipe(message, sizeof message);
    csn_wipe(secrets, sizeof secrets);
    csn_wipe(rejected, sizeof rejected);
    csn_wipe(again, sizeof again);
    return CSN_OK;
}
