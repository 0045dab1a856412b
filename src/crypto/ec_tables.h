/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ec_tables.h: the fields of P-256 and P-384, and multiples of their base points. Private.
 *
 * A comb (Lim and Lee) with signs: of a multiplier of 6 * span signs, +1 or -1, those of a column
 * stand span apart, and name one of 32 sums 2^(5 span) G +- 2^(4 span) G +- … +- G, or that with
 * all signs changed. The columns lie in CSN_EC_BLOCKS blocks, each with a table of its own (the
 * sums times 2^(block * span / CSN_EC_BLOCKS)), so that there are few doublings.
 */
#ifndef CSN_CRYPTO_EC_TABLES_H
#define CSN_CRYPTO_EC_TABLES_H

#include <stdint.h>

#define CSN_EC_TEETH  6u
#define CSN_EC_SUMS   32u
#define CSN_EC_BLOCKS 4u
#define CSN_EC_SPAN_256                                                                            \
    44u /* 6 * 44 signs: at least one bit more than a multiplier and the order */
#define CSN_EC_SPAN_384 68u

/* 2^(128 * words) modulo the primes; Montgomery numbers: b of the equation, x and y of sums. */
extern const uint64_t csn_ec_square_p256[4], csn_ec_square_p384[6];
extern const uint64_t csn_ec_b_p256[4], csn_ec_b_p384[6];
extern const uint64_t csn_ec_table_p256[CSN_EC_BLOCKS * CSN_EC_SUMS * 2 * 4];
extern const uint64_t csn_ec_table_p384[CSN_EC_BLOCKS * CSN_EC_SUMS * 2 * 6];

#endif
