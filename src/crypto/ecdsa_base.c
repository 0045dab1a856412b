/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecdsa_base.c: multiples of the base point by a comb.
 *
 * Points are projective and added by the complete formulas of Renes, Costello and Batina (2015,
 * algorithm 4), which hold for equal points and for the neutral one too, so that there is one way
 * for all. The whole table is read for each column.
 */
#include "ecdsa_base.h"
#include "mask.h"
#include <core/bytes.h>

struct point {
    struct csn_scalar x, y, z; /* Montgomery; 0 : 1 : 0 is the neutral one */
};

typedef struct csn_scalar number;

/* What the products in the formulas are summed from: names as in the paper. */
static void add_points(const struct csn_ec_comb *comb, const struct point *left,
                       const struct point *right, struct point *sum)
{
    const struct csn_order *field = comb->field;
    number t0, t1, t2, t3, t4, x3, y3, z3;
    csn_scalar_multiply(field, &left->x, &right->x, &t0);
    csn_scalar_multiply(field, &left->y, &right->y, &t1);
    csn_scalar_multiply(field, &left->z, &right->z, &t2);
    csn_scalar_add(field, &left->x, &left->y, &t3);
    csn_scalar_add(field, &right->x, &right->y, &t4);
    csn_scalar_multiply(field, &t3, &t4, &t3);
    csn_scalar_add(field, &t0, &t1, &t4);
    csn_scalar_subtract(field, &t3, &t4, &t3);
    csn_scalar_add(field, &left->y, &left->z, &t4);
    csn_scalar_add(field, &right->y, &right->z, &x3);
    csn_scalar_multiply(field, &t4, &x3, &t4);
    csn_scalar_add(field, &t1, &t2, &x3);
    csn_scalar_subtract(field, &t4, &x3, &t4);
    csn_scalar_add(field, &left->x, &left->z, &x3);
    csn_scalar_add(field, &right->x, &right->z, &y3);
    csn_scalar_multiply(field, &x3, &y3, &x3);
    csn_scalar_add(field, &t0, &t2, &y3);
    csn_scalar_subtract(field, &x3, &y3, &y3);
    csn_scalar_multiply(field, comb->b, &t2, &z3);
    csn_scalar_subtract(field, &y3, &z3, &x3);
    csn_scalar_add(field, &x3, &x3, &z3);
    csn_scalar_add(field, &x3, &z3, &x3);
    csn_scalar_subtract(field, &t1, &x3, &z3);
    csn_scalar_add(field, &t1, &x3, &x3);
    csn_scalar_multiply(field, comb->b, &y3, &y3);
    csn_scalar_add(field, &t2, &t2, &t1);
    csn_scalar_add(field, &t1, &t2, &t2);
    csn_scalar_subtract(field, &y3, &t2, &y3);
    csn_scalar_subtract(field, &y3, &t0, &y3);
    csn_scalar_add(field, &y3, &y3, &t1);
    csn_scalar_add(field, &t1, &y3, &y3);
    csn_scalar_add(field, &t0, &t0, &t1);
    csn_scalar_add(field, &t1, &t0, &t0);
    csn_scalar_subtract(field, &t0, &t2, &t0);
    csn_scalar_multiply(field, &t4, &y3, &t1);
    csn_scalar_multiply(field, &t0, &y3, &t2);
    csn_scalar_multiply(field, &x3, &z3, &y3);
    csn_scalar_add(field, &y3, &t2, &sum->y);
    csn_scalar_multiply(field, &t3, &x3, &x3);
    csn_scalar_subtract(field, &x3, &t1, &sum->x);
    csn_scalar_multiply(field, &t4, &z3, &z3);
    csn_scalar_multiply(field, &t3, &t0, &t1);
    csn_scalar_add(field, &z3, &t1, &sum->z);
}

/* The point of a column, 0 to 63. */
static void choose(const struct csn_ec_comb *comb, uint64_t digit, const number *one,
                   struct point *point)
{
    const uint32_t count = comb->field->count;
    const uint64_t *row = comb->table;
    const uint64_t neutral = csn_mask((digit - 1) >> 63);
    *point = (struct point){0};
    for (uint64_t i = 1; i <= CSN_EC_TABLE_POINTS; i++) {
        const uint64_t taken = csn_mask(((i ^ digit) - 1) >> 63);
        for (uint32_t k = 0; k < count; k++) {
            point->x.words[k] |= row[k] & taken;
            point->y.words[k] |= row[count + k] & taken;
        }
        row += 2 * count;
    }
    for (uint32_t k = 0; k < count; k++) {
        point->y.words[k] |= one->words[k] & neutral;
        point->z.words[k] = one->words[k] & ~neutral;
    }
}

/* Bit c of each row. */
static uint64_t column(const number *multiplier, uint32_t count, uint32_t span, uint32_t c)
{
    uint64_t digit = 0;
    for (uint32_t tooth = 0; tooth < CSN_EC_TEETH; tooth++) {
        uint32_t at = tooth * span + c;
        uint64_t word = at / 64 < count ? multiplier->words[at / 64] : 0;
        digit |= (word >> at % 64 & 1) << tooth;
    }
    return digit;
}

void csn_ec_comb_multiply(const struct csn_ec_comb *comb, const uint8_t *multiplier, uint8_t *x,
                          uint8_t *y)
{
    const struct csn_order *field = comb->field;
    const uint32_t span = (64 * field->count + CSN_EC_TEETH - 1) / CSN_EC_TEETH;
    const number plain_one = {{1}};
    struct {
        number multiplier;
        struct point sum, next;
    } use;
    number one;
    csn_scalar_load(field, multiplier, &use.multiplier);
    csn_scalar_to_montgomery(field, &plain_one, &one);
    choose(comb, 0, &one, &use.sum);
    for (uint32_t c = span; c-- > 0;) {
        add_points(comb, &use.sum, &use.sum, &use.sum);
        choose(comb, column(&use.multiplier, field->count, span, c), &one, &use.next);
        add_points(comb, &use.sum, &use.next, &use.sum);
    }
    /* Taken for a plain number, Montgomery z gives plain 1 / z. */
    csn_scalar_invert(field, &use.sum.z, &use.sum.z);
    csn_scalar_multiply(field, &use.sum.x, &use.sum.z, &use.sum.x);
    csn_scalar_multiply(field, &use.sum.y, &use.sum.z, &use.sum.y);
    csn_scalar_store(field, &use.sum.x, x);
    csn_scalar_store(field, &use.sum.y, y);
    csn_wipe(&use, sizeof use);
}
