/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlkem.h: ML-KEM-768 (FIPS 203): key generation from its seeds, encapsulation with given
 * randomness, decapsulation with implicit rejection.
 *
 * Trust:    bytes given are private memory; lengths and the checks of FIPS 203 section 7 are here.
 * Threads:  a key is read-only after init; any thread may use it.
 * Constant time in the seeds, the secret key, the randomness and the shared secret; the
 * encapsulation key and with it the matrix, ciphertexts and lengths are public.
 * Callers take seeds and randomness from csn_random_fill() and wipe them.
 * Stack: 12 KiB at most; csn_mlkem_begin() 24.
 */
#ifndef CSN_CRYPTO_MLKEM_H
#define CSN_CRYPTO_MLKEM_H

#include <caisson/base.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_MLKEM_SEED_SIZE       64u   /* d, then z: the secret as it is stored */
#define CSN_MLKEM_PUBLIC_SIZE     1184u /* FIPS 203's encapsulation key */
#define CSN_MLKEM_EXPANDED_SIZE   2400u /* FIPS 203's decapsulation key */
#define CSN_MLKEM_CIPHERTEXT_SIZE 1088u
#define CSN_MLKEM_SHARED_SIZE     32u
#define CSN_MLKEM_RANK            3u

/* Private to mlkem*.c, as are the members of what follows: public so that callers can place it. */
struct csn_mlkem_poly {
    int16_t at[256];
};

/* An encapsulation key, checked and expanded. */
struct csn_mlkem_public {
    struct csn_mlkem_poly matrix[CSN_MLKEM_RANK][CSN_MLKEM_RANK]; /* A transposed */
    struct csn_mlkem_poly t[CSN_MLKEM_RANK];
    uint8_t bytes[CSN_MLKEM_PUBLIC_SIZE];
    uint8_t hash[32];
};

/* A key pair, expanded. Wipe with csn_wipe(). */
struct csn_mlkem_key {
    struct csn_mlkem_public public;
    struct csn_mlkem_poly s[CSN_MLKEM_RANK];
    uint8_t rejection[32]; /* z */
};

/*
 * Picks the kernels by the feature word and runs the known-answer test. Whoever uses ML-KEM calls
 * it once, after csn_cpu_begin() and before anything else here: that one leaves it out, for images
 * without ML-KEM are not to carry it. CSN_ERR_INTERNAL: wrong answers.
 */
CSN_MUST_USE csn_err csn_mlkem_begin(uint64_t features);

/* CSN_ERR_INTERNAL: no matrix within FIPS 203's bound, which no seed is known to give. */
CSN_MUST_USE csn_err csn_mlkem_key_init(struct csn_mlkem_key *key,
                                        const uint8_t seed[CSN_MLKEM_SEED_SIZE]);
/*
 * From FIPS 203's decapsulation key. CSN_ERR_FORMAT: another size; CSN_ERR_AUTH: the hash in it is
 * not that of the encapsulation key in it; CSN_ERR_ARGUMENT: a number of that key is not below q.
 * On failure the key is wiped.
 */
CSN_MUST_USE csn_err csn_mlkem_key_import(struct csn_mlkem_key *key, const uint8_t *bytes,
                                          size_t size);
void csn_mlkem_key_export(const struct csn_mlkem_key *key, uint8_t bytes[CSN_MLKEM_EXPANDED_SIZE]);

/* CSN_ERR_FORMAT: another size; CSN_ERR_ARGUMENT: a number is not below q. */
CSN_MUST_USE csn_err csn_mlkem_public_init(struct csn_mlkem_public *public, const uint8_t *bytes,
                                           size_t size);

/* randomness: FIPS 203's m. */
void csn_mlkem_encapsulate(const struct csn_mlkem_public *public, const uint8_t randomness[32],
                           uint8_t ciphertext[CSN_MLKEM_CIPHERTEXT_SIZE],
                           uint8_t shared[CSN_MLKEM_SHARED_SIZE]);
/*
 * CSN_ERR_FORMAT: another size. Any ciphertext of the right size gives a shared secret; that of one
 * which nobody made for this key is unknown to whoever sent it.
 */
CSN_MUST_USE csn_err csn_mlkem_decapsulate(const struct csn_mlkem_key *key,
                                           const uint8_t *ciphertext, size_t size,
                                           uint8_t shared[CSN_MLKEM_SHARED_SIZE]);

#endif
