/* SPDX-License-Identifier: Apache-2.0 */
/* ff1_core.h: what the two FF1 paths share. Private to src/crypto. */
#ifndef CSN_CRYPTO_FF1_CORE_H
#define CSN_CRYPTO_FF1_CORE_H

#include "ff1.h"
#include <stdbool.h>

#define CSN_FF1_Q_SIZE_MAX 544u /* tweak 256, padding 15, round 1, B 256, to whole blocks */
#define CSN_FF1_LANES      8u

/* The bytes of radix^count - 1. */
uint32_t csn_ff1_number_size(uint32_t radix, uint32_t count);
/* CBC-MAC goes on over size bytes, a multiple of 16. */
void csn_ff1_mac(const struct csn_aes_key *key, uint8_t state[16], const uint8_t *bytes,
                 uint32_t size);
/* Q with zero round and B. CBC-MAC over P and the first q_done bytes goes to state. */
void csn_ff1_prefix(const struct csn_ff1_item *item, uint8_t q[CSN_FF1_Q_SIZE_MAX],
                    uint8_t state[16]);

/* Any radix and count, one item at a time. */
void csn_ff1_wide(struct csn_ff1_item *item, bool encrypting);

/* Items in flight, halves as numbers; plans of one width (not 0) and one key size. */
struct csn_ff1_lanes {
    uint32_t count;
    struct csn_ff1_item *items[CSN_FF1_LANES];
    uint64_t halves[2][CSN_FF1_LANES]; /* A and B */
    /* MAC XOR the last block of Q, without round and B, as two big-endian numbers */
    uint64_t fixed[2][CSN_FF1_LANES];
};
/* Ten rounds; lanes from count on hold whatever they do. */
void csn_ff1_rounds(struct csn_ff1_lanes *lanes, bool encrypting);

#endif
