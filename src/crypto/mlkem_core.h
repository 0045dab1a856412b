/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlkem_core.h: what the parts of ML-KEM-768 share. Private to src/crypto.
 *
 * A polynomial is in the order of FIPS 203, or transformed: then number n of FIPS 203 is at
 * csn_mlkem_place(n), sixteen rows and columns swapped, which is how the last three layers run in
 * vectors. Numbers are modulo q, signed; "reduced" is 0 to q - 1.
 */
#ifndef CSN_CRYPTO_MLKEM_CORE_H
#define CSN_CRYPTO_MLKEM_CORE_H

#include "mlkem.h"
#include <stdbool.h>

#define CSN_MLKEM_Q     3329
#define CSN_MLKEM_N     256u
#define CSN_MLKEM_LANES 4u /* Keccak states side by side */

static inline uint32_t csn_mlkem_place(uint32_t n)
{
    return n % 16 * 16 + n / 16;
}

/* ---- mlkem_kernel.c: the same source for two sizes of register ---- */
struct csn_mlkem_kernel {
    void (*permute)(uint64_t states[25][CSN_MLKEM_LANES]);
    /* In: between -q and q; out: reduced. */
    void (*transform)(struct csn_mlkem_poly *poly);
    /* In: reduced; out: between -q and q. The factor 2^16 that dot() leaves away is made up for. */
    void (*restore)(struct csn_mlkem_poly *poly);
    /* out = 2^-16 times the sum of a[step * i] times b[i], all transformed; a and b reduced. */
    void (*dot)(struct csn_mlkem_poly *out, const struct csn_mlkem_poly *a, uint32_t step,
                const struct csn_mlkem_poly b[CSN_MLKEM_RANK]);
    /* to += from. Numbers between -2q and 2q in, reduced out. */
    void (*add)(struct csn_mlkem_poly *to, const struct csn_mlkem_poly *from);
    /* to = from - to. The same. */
    void (*subtract_from)(struct csn_mlkem_poly *to, const struct csn_mlkem_poly *from);
    /* The factor 2^16 again, reduced: for what stays transformed. */
    void (*scale)(struct csn_mlkem_poly *poly);
};
extern const struct csn_mlkem_kernel csn_mlkem_sse2;
extern const struct csn_mlkem_kernel csn_mlkem_avx2;

/* ---- mlkem_sample.c ---- */
/* The matrix of rho, transposed and transformed. False: beyond FIPS 203's bound. */
bool csn_mlkem_matrix(const struct csn_mlkem_kernel *kernel, const uint8_t rho[32],
                      struct csn_mlkem_poly matrix[CSN_MLKEM_RANK][CSN_MLKEM_RANK]);
/* At most CSN_MLKEM_LANES polynomials with numbers from -2 to 2, of first, first + 1 … */
void csn_mlkem_noise(const struct csn_mlkem_kernel *kernel, const uint8_t seed[32], uint32_t first,
                     struct csn_mlkem_poly *polys, uint32_t count);

/* ---- mlkem_encode.c: bytes and numbers; numbers are reduced ---- */
/* Of a transformed polynomial, in the order of FIPS 203: 384 bytes. */
void csn_mlkem_encode(const struct csn_mlkem_poly *poly, uint8_t bytes[384]);
/* Reduced; the result tells (a secret, if the bytes are one) whether all numbers had been. */
bool csn_mlkem_decode(const uint8_t bytes[384], struct csn_mlkem_poly *poly);
/* Compressed to 10, 4 and 1 bit: 320, 128 and 32 bytes. */
void csn_mlkem_compress_10(const struct csn_mlkem_poly *poly, uint8_t bytes[320]);
void csn_mlkem_expand_10(const uint8_t bytes[320], struct csn_mlkem_poly *poly);
void csn_mlkem_compress_4(const struct csn_mlkem_poly *poly, uint8_t bytes[128]);
void csn_mlkem_expand_4(const uint8_t bytes[128], struct csn_mlkem_poly *poly);
void csn_mlkem_compress_1(const struct csn_mlkem_poly *poly, uint8_t bytes[32]);
void csn_mlkem_expand_1(const uint8_t bytes[32], struct csn_mlkem_poly *poly);

/* ---- mlkem.c ---- */
/* Called by csn_mlkem_begin(), and by tests to have a kernel without the known-answer test. */
void csn_mlkem_use(const struct csn_mlkem_kernel *kernel);
/* csn_mlkem_key_init() from what G makes of d: rho, which is public, and sigma. */
CSN_MUST_USE csn_err csn_mlkem_key_grow(struct csn_mlkem_key *key, const uint8_t rho[32],
                                        const uint8_t sigma[32], const uint8_t z[32]);

/* ---- mlkem_self_test.c ---- */
CSN_MUST_USE csn_err csn_mlkem_self_test(void);

#endif
