/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ff1.c: FF1: plans, checks, and batches: values whose halves fit 64 bits go sixteen at a time,
 * the others one by one.
 *
 * Radix, counts, tweak size and key size are public and may branch; keys, tweaks' bytes and
 * numerals are not.
 */
#include "ff1.h"
#include "ff1_core.h"
#include <core/bytes.h>

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

static void start_mac(struct csn_ff1_plan *plan)
{
    uint8_t p[16] = {1, 2, 1, 0, 0, 0, 10};
    p[3] = (uint8_t)(plan->radix >> 16);
    p[4] = (uint8_t)(plan->radix >> 8);
    p[5] = (uint8_t)plan->radix;
    p[7] = (uint8_t)plan->u;
    csn_store_u32(p + 8, __builtin_bswap32(plan->count));
    csn_store_u32(p + 12, __builtin_bswap32(plan->tweak_size));
    csn_aes_encrypt(plan->key, p, plan->start, 1);
}

csn_err csn_ff1_plan_init(struct csn_ff1_plan *plan, const struct csn_aes_key *key, uint32_t radix,
                          uint32_t count, uint32_t tweak_size)
{
    if (radix < CSN_FF1_RADIX_MIN || radix > CSN_FF1_RADIX_MAX || count < 2 ||
        count > CSN_FF1_COUNT_MAX || tweak_size > CSN_FF1_TWEAK_SIZE_MAX || key->round_count == 0) {
        return CSN_ERR_ARGUMENT;
    }
    uint64_t domain = power(radix, count);
    if (domain != 0 && domain < CSN_FF1_DOMAIN_MIN) {
        return CSN_ERR_LIMIT;
    }
    uint32_t v = count - count / 2;
    uint32_t b = csn_ff1_number_size(radix, v);
    uint64_t power_v = power(radix, v);
    *plan = (struct csn_ff1_plan){.key = key,
                                  .radix = radix,
                                  .count = count,
                                  .tweak_size = tweak_size,
                                  .u = count / 2,
                                  .v = v,
                                  .b = b,
                                  .d = 4 * ((b + 3) / 4) + 4,
                                  .q_size = (tweak_size + b + 1 + 15) / 16 * 16,
                                  .inverse = UINT64_MAX / radix + 1};
    plan->q_done = (plan->q_size - b - 1) / 16 * 16;
    if (power_v != 0) {
        plan->width = b <= 4 ? 32 : 64;
        csn_modulus_init(&plan->modulus[0], power(radix, plan->u));
        csn_modulus_init(&plan->modulus[1], power_v);
        plan->narrow = plan->modulus[1].bits <= CSN_MODULUS_LANE_BITS;
        plan->decimal = radix == 10 && count >= 8 && count <= 16;
    }
    start_mac(plan);
    return CSN_OK;
}

/* Sets bits of *outside if a numeral is out of range; looked at once, at the end. */
static uint64_t number(const uint16_t *numerals, uint32_t count, uint32_t radix, uint32_t *outside)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < count; i++) {
        *outside |= (uint32_t)(numerals[i] >= radix);
        value = value * radix + numerals[i];
    }
    return value;
}

/* A number below 2^32: the rounded-up reciprocal is exact, as value * radix is below 2^64. */
static void numerals_32(uint64_t value, uint16_t *output, uint32_t count,
                        const struct csn_ff1_plan *plan)
{
    for (uint32_t i = count; i > 0; i--) {
        uint64_t quotient = (uint64_t)((csn_u128)value * plan->inverse >> 64);
        output[i - 1] = (uint16_t)(value - quotient * plan->radix);
        value = quotient;
    }
}

static void numerals_64(uint64_t value, uint16_t *output, uint32_t count, uint32_t radix)
{
    const uint64_t inverse = csn_radix_inverse(radix);
    for (uint32_t i = count; i > 0; i--) {
        uint32_t digit;
        value = csn_divide_radix(value, radix, inverse, &digit);
        output[i - 1] = (uint16_t)digit;
    }
}

static bool all_inside(const struct csn_ff1_item *item)
{
    uint32_t outside = 0;
    (void)number(item->input, item->plan->count, item->plan->radix, &outside);
    return outside == 0;
}

/* MAC XOR the last block of Q, without round and B. */
static void start_lane(struct csn_ff1_lanes *lanes, const struct csn_ff1_item *item)
{
    const struct csn_ff1_plan *plan = item->plan;
    const uint32_t lane = lanes->count;
    if (plan->q_size == 16 && plan->tweak_size == 8) { /* the usual one, without a copy */
        lanes->fixed[0][lane] = csn_load_u64(plan->start) ^ csn_load_u64(item->tweak);
        lanes->fixed[1][lane] = csn_load_u64(plan->start + 8);
        return;
    }
    uint8_t q[CSN_FF1_Q_SIZE_MAX];
    uint8_t state[16];
    csn_ff1_prefix(item, q, state);
    for (uint32_t i = 0; i < 2; i++) {
        lanes->fixed[i][lane] =
            csn_load_u64(state + 8 * i) ^ csn_load_u64(q + plan->q_size - 16 + 8 * i);
    }
    csn_wipe(state, sizeof state); /* q holds nothing but the tweak */
}

/* False: a numeral is out of range. */
static bool lane_init(struct csn_ff1_lanes *lanes, struct csn_ff1_item *item)
{
    const struct csn_ff1_plan *plan = item->plan;
    const uint32_t lane = lanes->count;
    uint32_t outside = 0;
    if (plan->decimal) {
        uint64_t halves[2];
        outside = csn_ff1_read_decimal(item->input, plan->u, plan->v, halves);
        lanes->halves[0][lane] = halves[0];
        lanes->halves[1][lane] = halves[1];
    } else {
        lanes->halves[0][lane] = number(item->input, plan->u, plan->radix, &outside);
        lanes->halves[1][lane] = number(item->input + plan->u, plan->v, plan->radix, &outside);
    }
    if (outside != 0) {
        return false;
    }
    lanes->items[lane] = item;
    start_lane(lanes, item);
    lanes->count++;
    return true;
}

static void write_lane(const struct csn_ff1_lanes *lanes, uint32_t lane)
{
    const struct csn_ff1_item *item = lanes->items[lane];
    const struct csn_ff1_plan *plan = item->plan;
    const uint64_t halves[2] = {lanes->halves[0][lane], lanes->halves[1][lane]};
    if (plan->decimal) {
        csn_ff1_write_decimal(halves, item->output, plan->u, plan->v);
    } else if (plan->width == 32) {
        numerals_32(halves[0], item->output, plan->u, plan);
        numerals_32(halves[1], item->output + plan->u, plan->v, plan);
    } else {
        numerals_64(halves[0], item->output, plan->u, plan->radix);
        numerals_64(halves[1], item->output + plan->u, plan->v, plan->radix);
    }
}

static void run_lanes(struct csn_ff1_lanes *lanes, bool encrypting)
{
    if (lanes->count == 0) {
        return;
    }
    csn_ff1_rounds(lanes, encrypting);
    for (uint32_t i = 0; i < lanes->count; i++) {
        write_lane(lanes, i);
    }
    lanes->count = 0;
}

static bool go_together(const struct csn_ff1_plan *left, const struct csn_ff1_plan *right)
{
    return left->width == right->width && left->key->round_count == right->key->round_count;
}

static void run_batch(struct csn_ff1_item *items, uint32_t count, bool encrypting)
{
    struct csn_ff1_lanes lanes;
    lanes.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct csn_ff1_item *item = &items[i];
        item->result = CSN_OK;
        if (item->plan->width == 0) {
            if (all_inside(item)) {
                csn_ff1_wide(item, encrypting);
            } else {
                item->result = CSN_ERR_ARGUMENT;
            }
            continue;
        }
        if (lanes.count == CSN_FF1_LANES ||
            (lanes.count > 0 && !go_together(lanes.items[0]->plan, item->plan))) {
            run_lanes(&lanes, encrypting);
        }
        if (!lane_init(&lanes, item)) {
            item->result = CSN_ERR_ARGUMENT;
        }
    }
    run_lanes(&lanes, encrypting);
    csn_wipe(lanes.halves, sizeof lanes.halves);
    csn_wipe(lanes.fixed, sizeof lanes.fixed);
}

void csn_ff1_encrypt_batch(struct csn_ff1_item *items, uint32_t count)
{
    run_batch(items, count, true);
}

void csn_ff1_decrypt_batch(struct csn_ff1_item *items, uint32_t count)
{
    run_batch(items, count, false);
}
