/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ff1_rounds.c: the ten rounds of FF1, eight lanes side by side; built with -maes.
 *
 * The rounds of one value are a chain, so eight values fill each other's waits. Half `which` is
 * changed by a function of the other one; the specification swaps the halves each round, here
 * their roles alternate instead. Constant time in halves, MAC and keys.
 */
#include "aes_block.h"
#include "ff1_core.h"
#include <core/bytes.h>

#define LANES CSN_FF1_LANES

/* The last block of Q with round and B, XOR the MAC so far. */
static inline __m128i lane_block(const struct csn_ff1_lanes *lanes, uint32_t i, uint32_t round,
                                 uint64_t value)
{
    const uint32_t b = lanes->items[i]->plan->b; /* at most 8 */
    csn_u128 mark = (csn_u128)round << (8 * b);
    uint64_t high = lanes->fixed[0][i] ^ (uint64_t)(mark >> 64);
    uint64_t low = lanes->fixed[1][i] ^ (uint64_t)mark ^ value;
    return _mm_set_epi64x((long long)__builtin_bswap64(low), (long long)__builtin_bswap64(high));
}

/* y mod radix^m and the new half; y is the first d bytes of the block: 8 or, if wider, 12. */
static inline uint64_t lane_half(const struct csn_ff1_plan *plan, uint32_t which, uint64_t half,
                                 __m128i block, bool encrypting, uint32_t width)
{
    const struct csn_modulus *modulus = &plan->modulus[which];
    uint64_t first = __builtin_bswap64((uint64_t)_mm_cvtsi128_si64(block));
    uint64_t mask;
    if (width == 32) {
        mask = csn_modulus_reduce_64(modulus, first);
    } else {
        uint64_t second = (uint64_t)_mm_cvtsi128_si64(_mm_srli_si128(block, 8));
        uint64_t low = first << 32 | __builtin_bswap32((uint32_t)second);
        mask = csn_modulus_reduce(modulus, first >> 32, low);
    }
    return encrypting ? csn_modulus_add(modulus, half, mask)
                      : csn_modulus_subtract(modulus, half, mask);
}

/* All keys have one size. */
static inline void encrypt_lanes(const struct csn_ff1_lanes *lanes, __m128i blocks[LANES])
{
    const struct csn_aes_key *keys[LANES];
    for (uint32_t i = 0; i < LANES; i++) {
        keys[i] = lanes->items[i]->plan->key;
        blocks[i] = _mm_xor_si128(blocks[i], csn_load_block(keys[i]->round_keys[0]));
    }
    const uint32_t last = keys[0]->round_count;
    for (uint32_t round = 1; round < last; round++) {
        for (uint32_t i = 0; i < LANES; i++) {
            blocks[i] = _mm_aesenc_si128(blocks[i], csn_load_block(keys[i]->round_keys[round]));
        }
    }
    for (uint32_t i = 0; i < LANES; i++) {
        blocks[i] = _mm_aesenclast_si128(blocks[i], csn_load_block(keys[i]->round_keys[last]));
    }
}

static inline void run_eight(struct csn_ff1_lanes *lanes, bool encrypting, uint32_t width)
{
    for (uint32_t step = 0; step < 10; step++) {
        uint32_t round = encrypting ? step : 9 - step;
        uint32_t which = round & 1;
        __m128i blocks[LANES];
        for (uint32_t i = 0; i < LANES; i++) {
            blocks[i] = lane_block(lanes, i, round, lanes->halves[which ^ 1][i]);
        }
        encrypt_lanes(lanes, blocks);
        for (uint32_t i = 0; i < LANES; i++) {
            lanes->halves[which][i] =
                lane_half(lanes->items[i]->plan, which, lanes->halves[which][i], blocks[i],
                          encrypting, width);
        }
    }
}

static inline void run_one(struct csn_ff1_lanes *lanes, bool encrypting, uint32_t width)
{
    const struct csn_ff1_plan *plan = lanes->items[0]->plan;
    for (uint32_t step = 0; step < 10; step++) {
        uint32_t round = encrypting ? step : 9 - step;
        uint32_t which = round & 1;
        __m128i block = lane_block(lanes, 0, round, lanes->halves[which ^ 1][0]);
        block = csn_aes_one(plan->key, block);
        lanes->halves[which][0] =
            lane_half(plan, which, lanes->halves[which][0], block, encrypting, width);
    }
}

static inline void run(struct csn_ff1_lanes *lanes, bool encrypting, uint32_t width)
{
    if (lanes->count == 1) {
        run_one(lanes, encrypting, width);
    } else {
        run_eight(lanes, encrypting, width);
    }
}

void csn_ff1_rounds(struct csn_ff1_lanes *lanes, bool encrypting)
{
    for (uint32_t i = lanes->count; i < LANES; i++) { /* lanes without an item do the first one's */
        lanes->items[i] = lanes->items[0];
        lanes->halves[0][i] = lanes->halves[1][i] = 0;
        lanes->fixed[0][i] = lanes->fixed[1][i] = 0;
    }
    /* The constants let the compiler make a body for each case. */
    if (lanes->items[0]->plan->width == 32) {
        if (encrypting) {
            run(lanes, true, 32);
        } else {
            run(lanes, false, 32);
        }
    } else if (encrypting) {
        run(lanes, true, 64);
    } else {
        run(lanes, false, 64);
    }
}
