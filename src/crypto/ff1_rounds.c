/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ff1_rounds.c: the ten rounds of FF1 for any plans, eight lanes side by side; built with -maes.
 *
 * The rounds of one value are a chain, so eight values fill each other's waits. Half `which` is
 * changed by a function of the other one; the specification swaps the halves each round, here
 * their roles alternate instead. Constant time in halves, MAC and keys.
 */
#include "aes_block.h"
#include "ff1_core.h"
#include <core/bytes.h>

#define LANES  CSN_FF1_GROUP
#define INLINE static inline __attribute__((always_inline)) /* a body for each shape */

/* What the compiler makes a body of its own for. */
struct shape {
    const struct csn_ff1_plan *common; /* the plan of all lanes; NULL: each has its own */
    uint32_t width;
    bool encrypting;
};

INLINE const struct csn_ff1_plan *plan_of(const struct csn_ff1_lanes *lanes, struct shape shape,
                                          uint32_t i)
{
    return shape.common != NULL ? shape.common : lanes->items[i]->plan;
}

/* The last block of Q with round and B, XOR the MAC so far. */
INLINE __m128i lane_block(const struct csn_ff1_lanes *lanes, struct shape shape, uint32_t i,
                          uint32_t round)
{
    const uint32_t b = plan_of(lanes, shape, i)->b; /* at most 8, then the round is one word up */
    uint64_t high = lanes->fixed[0][i];
    uint64_t low = lanes->halves[~round & 1][i];
    if (shape.width == 32 || b < 8) {
        low ^= (uint64_t)round << 8 * b;
    } else {
        high ^= (uint64_t)round << 56;
    }
    low = __builtin_bswap64(low) ^ lanes->fixed[1][i];
    return _mm_set_epi64x((long long)low, (long long)high);
}

/* Adds or subtracts y mod radix^m; y is the first d bytes of the block: 8 or, if wider, 12. */
INLINE void lane_half(struct csn_ff1_lanes *lanes, struct shape shape, uint32_t i, uint32_t round,
                      __m128i block)
{
    const struct csn_modulus *modulus = &plan_of(lanes, shape, i)->modulus[round & 1];
    uint64_t *half = &lanes->halves[round & 1][i];
    uint64_t first = __builtin_bswap64((uint64_t)_mm_cvtsi128_si64(block));
    if (shape.width == 32) {
        uint64_t y = csn_modulus_reduce_64(modulus, first);
        uint64_t sum = *half + (shape.encrypting ? y : modulus->value - y);
        *half = sum - (modulus->value & csn_mask((uint64_t)(sum >= modulus->value)));
    } else {
        uint64_t second = (uint64_t)_mm_cvtsi128_si64(_mm_srli_si128(block, 8));
        uint64_t low = first << 32 | __builtin_bswap32((uint32_t)second);
        uint64_t y = csn_modulus_reduce(modulus, first >> 32, low);
        *half = shape.encrypting ? csn_modulus_add(modulus, *half, y)
                                 : csn_modulus_subtract(modulus, *half, y);
    }
}

INLINE __m128i round_key(const struct csn_ff1_lanes *lanes, struct shape shape, uint32_t i,
                         uint32_t round)
{
    return csn_load_block(plan_of(lanes, shape, i)->key->round_keys[round]);
}

/* All keys have one size. */
INLINE void encrypt_lanes(const struct csn_ff1_lanes *lanes, struct shape shape, uint32_t first,
                          __m128i blocks[LANES])
{
    const uint32_t last = plan_of(lanes, shape, 0)->key->round_count;
    for (uint32_t i = 0; i < LANES; i++) {
        blocks[i] = _mm_xor_si128(blocks[i], round_key(lanes, shape, first + i, 0));
    }
    for (uint32_t round = 1; round < last; round++) {
        for (uint32_t i = 0; i < LANES; i++) {
            blocks[i] = _mm_aesenc_si128(blocks[i], round_key(lanes, shape, first + i, round));
        }
    }
    for (uint32_t i = 0; i < LANES; i++) {
        blocks[i] = _mm_aesenclast_si128(blocks[i], round_key(lanes, shape, first + i, last));
    }
}

INLINE void run_eight(struct csn_ff1_lanes *lanes, struct shape shape, uint32_t first)
{
    for (uint32_t step = 0; step < 10; step++) {
        uint32_t round = shape.encrypting ? step : 9 - step;
        __m128i blocks[LANES];
        for (uint32_t i = 0; i < LANES; i++) {
            blocks[i] = lane_block(lanes, shape, first + i, round);
        }
        encrypt_lanes(lanes, shape, first, blocks);
        for (uint32_t i = 0; i < LANES; i++) {
            lane_half(lanes, shape, first + i, round, blocks[i]);
        }
    }
}

INLINE void run_one(struct csn_ff1_lanes *lanes, struct shape shape)
{
    for (uint32_t step = 0; step < 10; step++) {
        uint32_t round = shape.encrypting ? step : 9 - step;
        __m128i block = lane_block(lanes, shape, 0, round);
        block = csn_aes_one(shape.common->key, block);
        lane_half(lanes, shape, 0, round, block);
    }
}

INLINE void run(struct csn_ff1_lanes *lanes, struct shape shape)
{
    if (lanes->count == 1) {
        run_one(lanes, shape);
        return;
    }
    for (uint32_t first = 0; first < lanes->count; first += LANES) {
        if (shape.common != NULL) {
            run_eight(lanes, shape, first);
        } else {
            shape.common = NULL; /* a constant again */
            run_eight(lanes, shape, first);
        }
    }
}

static csn_ff1_kernel *active = csn_ff1_narrow_aesni;

void csn_ff1_use(csn_ff1_kernel *kernel)
{
    active = kernel;
}

void csn_ff1_rounds(struct csn_ff1_lanes *lanes, bool encrypting)
{
    struct shape shape = {.common = lanes->items[0]->plan, .encrypting = encrypting};
    const uint32_t filled = (lanes->count + LANES - 1) / LANES * LANES;
    for (uint32_t i = 1; i < filled; i++) {
        if (i >= lanes->count) { /* lanes without an item do the first one's, to no end */
            lanes->items[i] = lanes->items[0];
            lanes->halves[0][i] = lanes->halves[1][i] = 0;
            lanes->fixed[0][i] = lanes->fixed[1][i] = 0;
        } else if (lanes->items[i]->plan != lanes->items[0]->plan) {
            shape.common = NULL;
        }
    }
    if (shape.common != NULL && shape.common->narrow && lanes->count > 1) {
        active(lanes, encrypting);
    } else if (lanes->items[0]->plan->width == 32) {
        shape.width = 32;
        run(lanes, shape);
    } else {
        shape.width = 64;
        run(lanes, shape);
    }
}
