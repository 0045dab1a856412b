/* SPDX-License-Identifier: Apache-2.0 */
/* ff1_core.h: what the FF1 paths share. Private to src/crypto. */
#ifndef CSN_CRYPTO_FF1_CORE_H
#define CSN_CRYPTO_FF1_CORE_H

#include "ff1.h"
#include <stdbool.h>

#define CSN_FF1_Q_SIZE_MAX 544u /* tweak 256, padding 15, round 1, B 256, to whole blocks */
#define CSN_FF1_LANES      16u  /* in groups that fill each other's waits */
#define CSN_FF1_GROUP      8u

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
    /* MAC XOR the last block of Q, without round and B: the block's two words */
    uint64_t fixed[2][CSN_FF1_LANES];
};
/* Ten rounds; lanes from count on hold whatever they do. */
void csn_ff1_rounds(struct csn_ff1_lanes *lanes, bool encrypting);

/* The same for lanes that share one narrow plan. */
typedef void csn_ff1_kernel(struct csn_ff1_lanes *lanes, bool encrypting);
extern csn_ff1_kernel csn_ff1_narrow_aesni;
extern csn_ff1_kernel csn_ff1_narrow_vaes;
/* Called by csn_cpu_select() only. */
void csn_ff1_use(csn_ff1_kernel *kernel);

/* Halves of 4 to 8 decimal digits as numbers, and back. True: a numeral is above 9. */
bool csn_ff1_read_decimal(const uint16_t *numerals, uint32_t u, uint32_t v, uint64_t halves[2]);
void csn_ff1_write_decimal(const uint64_t halves[2], uint16_t *numerals, uint32_t u, uint32_t v);

#endif
