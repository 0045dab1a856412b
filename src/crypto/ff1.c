/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ff1.c: FF1: checks, and the fast path for halves that fit 64 bits, eight items at a time.
 *
 * Radix, counts, tweak size and key size are public and may branch; keys, tweaks' bytes and
 * numerals are not. The ten rounds of an item are a chain, so the AES of eight items is
 * interleaved.
 */
#include "ff1.h"
#include "aes_lanes.h"
#include "ff1_core.h"
#include "ff1_math.h"
#include <core/bytes.h>

#define LANES 8u

/* radix^count, or 0 if that is 2^64 or more */
static uint64_t power(uint32_t radix, uint32_t count)
{
    uint64_t result = 1;
    for (uint32_t i = 0; i < count; i++) {
        if (!csn_mul_u64(result, radix, &result)) {
            return 0;
        }
    }
    return result;
}

static csn_err check_item(const struct csn_ff1_item *item)
{
    if (item->radix < CSN_FF1_RADIX_MIN || item->radix > CSN_FF1_RADIX_MAX || item->count < 2 ||
        item->count > CSN_FF1_COUNT_MAX || item->tweak_size > CSN_FF1_TWEAK_SIZE_MAX ||
        item->key->round_count == 0) {
        return CSN_ERR_ARGUMENT;
    }
    uint32_t outside = 0; /* looked at once, at the end: says nothing of where */
    for (uint32_t i = 0; i < item->count; i++) {
        outside |= (uint32_t)(item->input[i] >= item->radix);
    }
    if (outside != 0) {
        return CSN_ERR_ARGUMENT;
    }
    uint64_t domain = power(item->radix, item->count);
    return domain != 0 && domain < CSN_FF1_DOMAIN_MIN ? CSN_ERR_LIMIT : CSN_OK;
}

/* One item in flight: halves as numbers. */
struct lane {
    struct csn_ff1_item *item;
    uint64_t half[2]; /* A and B */
    uint32_t count[2];
    struct csn_modulus modulus[2]; /* of u and of v numerals */
    uint32_t d;
    uint8_t state[16]; /* MAC before the last block */
    uint8_t last[16];  /* the last block of Q, without round and B */
    uint32_t b;
};

static uint64_t number(const uint16_t *numerals, uint32_t count, uint32_t radix)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < count; i++) {
        value = value * radix + numerals[i];
    }
    return value;
}

static void numerals(uint64_t value, uint16_t *output, uint32_t count, uint32_t radix)
{
    const uint64_t inverse = csn_radix_inverse(radix);
    for (uint32_t i = count; i > 0; i--) {
        uint32_t digit;
        value = csn_divide_radix(value, radix, inverse, &digit);
        output[i - 1] = (uint16_t)digit;
    }
}

/* CSN_AGAIN: the item does not fit this path. */
static csn_err lane_init(struct lane *lane, struct csn_ff1_item *item,
                         const struct csn_ff1_shape *shape)
{
    uint8_t q[CSN_FF1_Q_SIZE_MAX];
    uint64_t power_v = power(item->radix, shape->v);
    if (power_v == 0 || shape->b > 8) {
        return CSN_AGAIN;
    }
    lane->item = item;
    lane->count[0] = shape->u;
    lane->count[1] = shape->v;
    lane->half[0] = number(item->input, shape->u, item->radix);
    lane->half[1] = number(item->input + shape->u, shape->v, item->radix);
    csn_modulus_init(&lane->modulus[1], power_v);
    lane->modulus[0] = lane->modulus[1];
    if (shape->u != shape->v) {
        csn_modulus_init(&lane->modulus[0], power(item->radix, shape->u));
    }
    lane->b = shape->b;
    lane->d = shape->d;
    csn_ff1_prefix(item, shape, q, lane->state);
    __builtin_memcpy(lane->last, q + shape->q_size - 16, 16);
    csn_wipe(q, sizeof q);
    return CSN_OK;
}

/* The block that goes into AES for this round: state ^ last block of Q. */
static void lane_block(const struct lane *lane, uint32_t round, uint64_t value, uint8_t block[16])
{
    uint8_t last[16];
    __builtin_memcpy(last, lane->last, sizeof last);
    last[15 - lane->b] = (uint8_t)round;
    for (uint32_t i = 0; i < lane->b; i++) {
        last[15 - i] = (uint8_t)(value >> 8 * i);
    }
    for (uint32_t i = 0; i < 16; i++) {
        block[i] = lane->state[i] ^ last[i];
    }
    csn_wipe(last, sizeof last);
}

/* y mod radix^m, y the first d (8 or 12) bytes of the round's block. */
static uint64_t lane_mask(const struct lane *lane, const uint8_t block[16], uint32_t which)
{
    uint64_t first = __builtin_bswap64(csn_load_u64(block));
    uint64_t high = 0;
    uint64_t low = first;
    if (lane->d == 12) {
        high = first >> 32;
        low = first << 32 | __builtin_bswap32(csn_load_u32(block + 8));
    }
    return csn_modulus_reduce(&lane->modulus[which], high, low);
}

/*
 * Ten rounds, lanes side by side. Half `which` is changed by a function of the other one; the
 * specification swaps the halves each round, here their roles alternate instead.
 */
static void run_lanes(struct lane lanes[LANES], uint32_t count, bool encrypting)
{
    const struct csn_aes_key *keys[LANES];
    uint8_t blocks[LANES][16] = {{0}};
    for (uint32_t i = 0; i < LANES; i++) {
        keys[i] = lanes[i < count ? i : 0].item->key;
    }
    for (uint32_t step = 0; step < 10; step++) {
        uint32_t round = encrypting ? step : 9 - step;
        uint32_t which = round & 1;
        for (uint32_t i = 0; i < count; i++) {
            lane_block(&lanes[i], round, lanes[i].half[which ^ 1], blocks[i]);
        }
        if (count == 1) {
            csn_aes_encrypt(keys[0], blocks[0], blocks[0], 1);
        } else {
            csn_aes_encrypt_lanes(keys, blocks);
        }
        for (uint32_t i = 0; i < count; i++) {
            struct lane *lane = &lanes[i];
            uint64_t mask = lane_mask(lane, blocks[i], which);
            lane->half[which] =
                encrypting ? csn_modulus_add(&lane->modulus[which], lane->half[which], mask)
                           : csn_modulus_subtract(&lane->modulus[which], lane->half[which], mask);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        struct csn_ff1_item *item = lanes[i].item;
        numerals(lanes[i].half[0], item->output, lanes[i].count[0], item->radix);
        numerals(lanes[i].half[1], item->output + lanes[i].count[0], lanes[i].count[1],
                 item->radix);
    }
    csn_wipe(blocks, sizeof blocks);
    csn_wipe(lanes, count * sizeof lanes[0]);
}

static void run_batch(struct csn_ff1_item *items, uint32_t count, bool encrypting)
{
    struct lane lanes[LANES];
    uint32_t filled = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct csn_ff1_item *item = &items[i];
        struct csn_ff1_shape shape;
        item->result = check_item(item);
        if (item->result != CSN_OK) {
            continue;
        }
        if (filled == LANES ||
            (filled > 0 && lanes[0].item->key->round_count != item->key->round_count)) {
            run_lanes(lanes, filled, encrypting);
            filled = 0;
        }
        csn_ff1_shape_init(&shape, item);
        if (lane_init(&lanes[filled], item, &shape) == CSN_OK) {
            filled++;
        } else {
            csn_ff1_wide(item, &shape, encrypting);
        }
    }
    if (filled > 0) {
        run_lanes(lanes, filled, encrypting);
    }
}

void csn_ff1_encrypt_batch(struct csn_ff1_item *items, uint32_t count)
{
    run_batch(items, count, true);
}

void csn_ff1_decrypt_batch(struct csn_ff1_item *items, uint32_t count)
{
    run_batch(items, count, false);
}
