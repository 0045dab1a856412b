/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ff1_lanes.h: the ten rounds of FF1 for lanes that share one narrow plan, the arithmetic in
 * vectors as well; the body of ff1_narrow_aesni.c and ff1_narrow_vaes.c.
 *
 * A group is eight values; two groups take turns, so that one's AES fills the other's waits. The
 * includer brings VEC (1 or 2 blocks, a number of 64 bits for each block half) and its operations.
 * Constant time in halves, MAC and keys: there is no branch and no index on them.
 */
#include "ff1_core.h"
#include <core/bytes.h>

#define BLOCKS  (sizeof(VEC) / 16)        /* in a vector */
#define NUMBERS (2 * BLOCKS)              /* in a vector */
#define VECTORS (CSN_FF1_GROUP / NUMBERS) /* of numbers, for a group */
#define INLINE  static inline __attribute__((always_inline))

/* A modulus, the same in all lanes; upper halves of the lanes are 0. */
struct lane_modulus {
    VEC value, twice, four_times;
    VEC fold, estimate;
    __m128i bits;
};

INLINE struct lane_modulus lane_modulus(const struct csn_modulus *modulus)
{
    return (struct lane_modulus){.value = vec_set(modulus->value),
                                 .twice = vec_set(2 * modulus->value),
                                 .four_times = vec_set(4 * modulus->value),
                                 .fold = vec_set(modulus->fold),
                                 .estimate = vec_set(modulus->estimate),
                                 .bits = _mm_cvtsi64_si128(modulus->bits)};
}

/*
 * y mod m, for any y. 2^32 is folded in, which leaves less than 2^32 m; a product with the
 * reciprocal of its upper 32 bits then gives a quotient that is at most 5 too low: 2 for the lower
 * bits, 2 for the reciprocal's end, 1 for its own. So less than 8 m is left, and is halved thrice.
 */
INLINE VEC reduce(const struct lane_modulus *m, VEC y)
{
    VEC folded = vec_multiply(vec_right(y, 32), m->fold) + (y & vec_set(UINT32_MAX));
    VEC quotient = vec_right(vec_multiply(vec_right_by(folded, m->bits), m->estimate), 31);
    VEC rest = folded - vec_multiply(quotient, m->value);
    rest = vec_less(rest, m->four_times);
    rest = vec_less(rest, m->twice);
    return vec_less(rest, m->value);
}

struct group {
    VEC halves[2][VECTORS];
    VEC fixed[2][VECTORS];
};

/* A vector has numbers (a, b) of each pair of blocks: lane order is kept by going both ways alike.
 */
INLINE void one_round(struct group *group, const struct csn_ff1_plan *plan,
                      const struct lane_modulus *modulus, uint32_t round, bool encrypting)
{
    const struct csn_aes_key *key = plan->key;
    const VEC number = vec_set(__builtin_bswap64((uint64_t)round << 8 * plan->b));
    VEC blocks[2 * VECTORS];
    VEC round_key = vec_block(key->round_keys[0]);
    for (uint32_t i = 0; i < VECTORS; i++) {
        VEC low = vec_swap(group->halves[~round & 1][i]) ^ group->fixed[1][i] ^ number;
        blocks[2 * i] = vec_low(group->fixed[0][i], low) ^ round_key;
        blocks[2 * i + 1] = vec_high(group->fixed[0][i], low) ^ round_key;
    }
    for (uint32_t step = 1; step < key->round_count; step++) {
        round_key = vec_block(key->round_keys[step]);
        for (uint32_t i = 0; i < 2 * VECTORS; i++) {
            blocks[i] = vec_aes(blocks[i], round_key);
        }
    }
    round_key = vec_block(key->round_keys[key->round_count]);
    for (uint32_t i = 0; i < VECTORS; i++) {
        VEC first = vec_low(vec_aes_last(blocks[2 * i], round_key),
                            vec_aes_last(blocks[2 * i + 1], round_key));
        VEC y = reduce(modulus, vec_swap(first));
        VEC *half = &group->halves[round & 1][i];
        if (!encrypting) {
            y = modulus->value - y;
        }
        *half = vec_less(*half + y, modulus->value);
    }
}

INLINE void move_group(struct csn_ff1_lanes *lanes, uint32_t first, struct group *group, bool in)
{
    for (uint32_t k = 0; k < 2; k++) {
        for (uint32_t i = 0; i < VECTORS; i++) {
            uint64_t *half = &lanes->halves[k][first + NUMBERS * i];
            if (in) {
                group->halves[k][i] = vec_load(half);
                group->fixed[k][i] = vec_load(&lanes->fixed[k][first + NUMBERS * i]);
            } else {
                vec_store(half, group->halves[k][i]);
            }
        }
    }
}

INLINE void run_groups(struct csn_ff1_lanes *lanes, uint32_t count, bool encrypting)
{
    const struct csn_ff1_plan *plan = lanes->items[0]->plan;
    const struct lane_modulus moduli[2] = {lane_modulus(&plan->modulus[0]),
                                           lane_modulus(&plan->modulus[1])};
    struct group groups[CSN_FF1_LANES / CSN_FF1_GROUP];
    for (uint32_t i = 0; i < count; i++) {
        move_group(lanes, CSN_FF1_GROUP * i, &groups[i], true);
    }
    for (uint32_t step = 0; step < 10; step++) {
        uint32_t round = encrypting ? step : 9 - step;
        for (uint32_t i = 0; i < count; i++) {
            one_round(&groups[i], plan, &moduli[round & 1], round, encrypting);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        move_group(lanes, CSN_FF1_GROUP * i, &groups[i], false);
    }
    csn_wipe(groups, count * sizeof groups[0]);
}

INLINE void run_narrow(struct csn_ff1_lanes *lanes, bool encrypting)
{
    if (lanes->count > CSN_FF1_GROUP) {
        run_groups(lanes, 2, encrypting);
    } else {
        run_groups(lanes, 1, encrypting);
    }
}
