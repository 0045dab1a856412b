/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecdsa_base.h: multiples of the base point, several times as fast as BearSSL's. Private.
 *
 * A comb of six teeth (Lim and Lee): the bits of a multiplier stand in six rows of `span`, and a
 * column of them names one of 63 sums of the points 2^(row * span) * G, which are tabled.
 */
#ifndef CSN_CRYPTO_ECDSA_BASE_H
#define CSN_CRYPTO_ECDSA_BASE_H

#include "ecdsa_scalar.h"

#define CSN_EC_TEETH        6
#define CSN_EC_TABLE_POINTS 63

/* The prime, as an order is described; Montgomery numbers: b of the equation, and x, y of sums. */
extern const struct csn_order csn_field_p256, csn_field_p384;
extern const struct csn_scalar csn_ec_b_p256, csn_ec_b_p384;
extern const uint64_t csn_ec_table_p256[CSN_EC_TABLE_POINTS * 2 * 4];
extern const uint64_t csn_ec_table_p384[CSN_EC_TABLE_POINTS * 2 * 6];

struct csn_ec_comb {
    const struct csn_order *field;
    const struct csn_scalar *b;
    const uint64_t *table;
};

/* x and y of multiplier * G, big-endian; zeros for a multiplier of zero. Constant time. */
void csn_ec_comb_multiply(const struct csn_ec_comb *comb, const uint8_t *multiplier, uint8_t *x,
                          uint8_t *y);

#endif
