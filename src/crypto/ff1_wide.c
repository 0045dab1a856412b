/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ff1_wide.c: FF1 for any radix and count, and Q for both paths.
 *
 * Numbers have a fixed count of 32-bit limbs that follows from public sizes; every loop runs its
 * full length. The sum modulo radix^m is taken numeral by numeral, so no wide modulus is needed.
 */
#include "ff1_core.h"
#include "ff1_math.h"
#include <core/bytes.h>

#define LIMBS_MAX 68u /* d is at most 260 bytes, rounded up to whole AES blocks */

/* number = number * factor + addend over count limbs, least significant first */
static void multiply_add(uint32_t *limbs, uint32_t count, uint32_t factor, uint32_t addend)
{
    uint64_t carry = addend;
    for (uint32_t i = 0; i < count; i++) {
        carry += (uint64_t)limbs[i] * factor;
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

uint32_t csn_ff1_number_size(uint32_t radix, uint32_t count)
{
    uint32_t largest[LIMBS_MAX] = {0};
    uint32_t bytes = sizeof largest;
    uint32_t limbs = count / 2 + 1; /* a numeral has at most 16 bits */
    for (uint32_t i = 0; i < count; i++) {
        multiply_add(largest, limbs, radix, radix - 1);
    }
    while (bytes > 0 && (largest[(bytes - 1) / 4] >> 8 * ((bytes - 1) % 4) & 255) == 0) {
        bytes--;
    }
    return bytes;
}

void csn_ff1_mac(const struct csn_aes_key *key, uint8_t state[16], const uint8_t *bytes,
                 uint32_t size)
{
    for (uint32_t done = 0; done < size; done += 16) {
        for (uint32_t i = 0; i < 16; i++) {
            state[i] ^= bytes[done + i];
        }
        csn_aes_encrypt(key, state, state, 1);
    }
}

void csn_ff1_prefix(const struct csn_ff1_item *item, uint8_t q[CSN_FF1_Q_SIZE_MAX],
                    uint8_t state[16])
{
    const struct csn_ff1_plan *plan = item->plan;
    __builtin_memset(q, 0, plan->q_size);
    if (plan->tweak_size > 0) {
        __builtin_memcpy(q, item->tweak, plan->tweak_size);
    }
    __builtin_memcpy(state, plan->start, 16);
    csn_ff1_mac(plan->key, state, q, plan->q_done);
}

/* NUM_radix(half) as b big-endian bytes */
static void half_bytes(const uint16_t *half, uint32_t count, uint32_t radix, uint8_t *bytes,
                       uint32_t b)
{
    uint32_t limbs[LIMBS_MAX] = {0};
    uint32_t limb_count = (b + 3) / 4;
    for (uint32_t i = 0; i < count; i++) {
        multiply_add(limbs, limb_count, radix, half[i]);
    }
    for (uint32_t i = 0; i < b; i++) {
        bytes[b - 1 - i] = (uint8_t)(limbs[i / 4] >> 8 * (i % 4));
    }
    csn_wipe(limbs, sizeof limbs);
}

/* S: R and as many CIPH(R ^ [j]) as d asks for, as limbs, least significant first */
static void round_number(const struct csn_aes_key *key, const uint8_t r[16], uint32_t d,
                         uint32_t limbs[LIMBS_MAX])
{
    uint8_t s[4 * LIMBS_MAX];
    __builtin_memcpy(s, r, 16);
    for (uint32_t j = 1; 16 * j < d; j++) {
        __builtin_memcpy(s + 16 * j, r, 16);
        s[16 * j + 15] ^= (uint8_t)j; /* j is at most 16: it fits the last byte */
        csn_aes_encrypt(key, s + 16 * j, s + 16 * j, 1);
    }
    for (uint32_t i = 0; i < d / 4; i++) {
        limbs[i] = __builtin_bswap32(csn_load_u32(s + d - 4 - 4 * i));
    }
    csn_wipe(s, sizeof s);
}

/* half = half +- y modulo radix^count, from the last numeral up; y is divided by radix each time */
static void half_step(uint16_t *half, uint32_t count, uint32_t radix, uint32_t *y,
                      uint32_t limb_count, bool encrypting)
{
    const uint64_t inverse = csn_radix_inverse(radix);
    uint32_t carry = 0;
    for (uint32_t i = count; i > 0; i--) {
        uint32_t digit = 0;
        for (uint32_t k = limb_count; k > 0; k--) {
            uint64_t part = (uint64_t)digit << 32 | y[k - 1];
            y[k - 1] = (uint32_t)csn_divide_radix(part, radix, inverse, &digit);
        }
        if (encrypting) {
            uint32_t sum = half[i - 1] + digit + carry;
            carry = (uint32_t)(sum >= radix);
            half[i - 1] = (uint16_t)(sum - (radix & (uint32_t)csn_mask(carry)));
        } else {
            uint32_t less = half[i - 1] - digit - carry;
            carry = less >> 31;
            half[i - 1] = (uint16_t)(less + (radix & (uint32_t)csn_mask(carry)));
        }
    }
}

void csn_ff1_wide(struct csn_ff1_item *item, bool encrypting)
{
    const struct csn_ff1_plan *plan = item->plan;
    uint8_t q[CSN_FF1_Q_SIZE_MAX];
    uint8_t prefix[16];
    uint8_t r[16];
    uint32_t y[LIMBS_MAX];
    uint16_t *halves[2] = {item->output, item->output + plan->u};
    const uint32_t counts[2] = {plan->u, plan->v};
    csn_ff1_prefix(item, q, prefix);
    __builtin_memmove(item->output, item->input, plan->count * sizeof item->input[0]);
    for (uint32_t step = 0; step < 10; step++) {
        uint32_t round = encrypting ? step : 9 - step;
        uint32_t which = round & 1;
        q[plan->q_size - plan->b - 1] = (uint8_t)round;
        half_bytes(halves[which ^ 1], counts[which ^ 1], plan->radix, q + plan->q_size - plan->b,
                   plan->b);
        __builtin_memcpy(r, prefix, sizeof r);
        csn_ff1_mac(plan->key, r, q + plan->q_done, plan->q_size - plan->q_done);
        round_number(plan->key, r, plan->d, y);
        half_step(halves[which], counts[which], plan->radix, y, plan->d / 4, encrypting);
    }
    csn_wipe(q, sizeof q);
    csn_wipe(r, sizeof r);
    csn_wipe(prefix, sizeof prefix);
    csn_wipe(y, sizeof y);
}
