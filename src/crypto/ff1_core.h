/* SPDX-License-Identifier: Apache-2.0 */
/* ff1_core.h: what the two FF1 paths share: numbers of one item, P and Q, the prefix MAC. */
#ifndef CSN_CRYPTO_FF1_CORE_H
#define CSN_CRYPTO_FF1_CORE_H

#include "ff1.h"
#include <stdbool.h>

/* Names of SP 800-38G, algorithm 7: u and v numerals in the halves, b bytes of B, d bytes of S. */
struct csn_ff1_shape {
    uint32_t u, v, b, d;
    uint32_t q_size;
    uint32_t q_done; /* bytes of Q before the block that holds the round number: never change */
};

#define CSN_FF1_Q_SIZE_MAX 544u /* tweak 256, padding 15, round 1, B 256, to whole blocks */

/* b from public numbers: the bytes of radix^v - 1 */
void csn_ff1_shape_init(struct csn_ff1_shape *shape, const struct csn_ff1_item *item);
/* Q with zero round and B. CBC-MAC over P and the first q_done bytes goes to state. */
void csn_ff1_prefix(const struct csn_ff1_item *item, const struct csn_ff1_shape *shape,
                    uint8_t q[CSN_FF1_Q_SIZE_MAX], uint8_t state[16]);

/* Any radix and count, one item at a time. */
void csn_ff1_wide(struct csn_ff1_item *item, const struct csn_ff1_shape *shape, bool encrypting);

#endif
