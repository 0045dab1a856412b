/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ec_kernel.c: points of the curve in CSN_EC_CURVE: y^2 = x^3 - 3 x + b, of prime order.
 *
 * Points are projective and added by the complete formulas of Renes, Costello and Batina (2015,
 * algorithm 4), which hold for equal points and for the neutral one too, so that there is one way
 * for all. Runs of doublings go through Jacobian coordinates, where a doubling has no exceptions
 * but that one. Multipliers are made odd by the order and written in signs (Hamburg): no digit is
 * zero, and half a table is enough. A table is read whole for each digit.
 */
#include "ec_kernel.h"
#include "ecdsa_scalar.h"
#include CSN_EC_CURVE

#define SIZE       (8 * WORDS)
#define WINDOW     5u
#define WINDOWS    (MULTIPLIER / WINDOW)
#define ODD_POINTS 16u
#define COLUMNS    (SPAN / CSN_EC_BLOCKS)
#define SIGN_WORDS (WORDS + 1)
#define NOINLINE   static __attribute__((noinline))

_Static_assert(CSN_EC_TEETH *SPAN > 64 * WORDS && CSN_EC_TEETH * SPAN <= 64 * SIGN_WORDS, "signs");
_Static_assert(MULTIPLIER > 64 * WORDS && MULTIPLIER % WINDOW == 0, "windows");
_Static_assert(SPAN % CSN_EC_BLOCKS == 0, "blocks are alike");

typedef struct {
    uint64_t words[WORDS];
} number; /* Montgomery, unless it is said not to be */

struct point {
    number x, y, z; /* 0 : 1 : 0 is the neutral one */
};

struct affine {
    number x, y;
};

/* ---- the field ---- */

NOINLINE void multiply(const number *left, const number *right, number *product)
{
    multiply_field(left->words, right->words, product->words);
}

static void square(const number *value, number *result)
{
    multiply(value, value, result);
}

CSN_EC_INLINE void add(const number *left, const number *right, number *sum)
{
    csn_ec_add(prime, left->words, right->words, sum->words, WORDS);
}

CSN_EC_INLINE void subtract(const number *left, const number *right, number *difference)
{
    csn_ec_subtract(prime, left->words, right->words, difference->words, WORDS);
}

static void to_montgomery(const number *plain, number *result)
{
    number square_of_r;
    __builtin_memcpy(square_of_r.words, SQUARE_OF_R, sizeof square_of_r.words);
    multiply(plain, &square_of_r, result);
}

static number one(void)
{
    static const number plain = {{1}};
    number result;
    to_montgomery(&plain, &result);
    return result;
}

/* value^(prime - 2), four bits at a time of the exponent, which is public; 0 of 0. */
static void invert(const number *value, number *result)
{
    number powers[16];
    powers[1] = *value;
    for (uint32_t i = 2; i < 16; i++) {
        multiply(&powers[i - 1], &powers[1], &powers[i]);
    }
    *result = powers[15]; /* both primes begin with four ones */
    for (uint32_t digit = 16 * WORDS - 1; digit-- > 0;) {
        /* The lowest words of both primes are above 2, so nothing is borrowed. */
        uint64_t word = prime[digit / 16] - (digit < 16 ? 2 : 0);
        uint32_t power = (uint32_t)(word >> 4 * (digit % 16)) & 15;
        for (uint32_t i = 0; i < 4; i++) {
            square(result, result);
        }
        if (power != 0) {
            multiply(result, &powers[power], result);
        }
    }
    csn_wipe(powers, sizeof powers);
}

/* ---- points ---- */

/* What both ways to a sum begin with: names as in the paper. */
struct products {
    number xx, yy, zz; /* of the coordinates of the one with those of the other */
    number xy, yz, xz; /* x1 y2 + x2 y1 and so on */
};

static void finish_sum(struct products *p, struct point *sum)
{
    number x, y, z, t;
    number b;
    __builtin_memcpy(b.words, B, sizeof b.words);
    multiply(&b, &p->zz, &z);
    subtract(&p->xz, &z, &x);
    add(&x, &x, &z);
    add(&x, &z, &x);
    subtract(&p->yy, &x, &z);
    add(&p->yy, &x, &x);
    multiply(&b, &p->xz, &y);
    add(&p->zz, &p->zz, &t);
    add(&t, &p->zz, &p->zz); /* 3 z1 z2 */
    subtract(&y, &p->zz, &y);
    subtract(&y, &p->xx, &y);
    add(&y, &y, &t);
    add(&t, &y, &y);
    add(&p->xx, &p->xx, &t);
    add(&t, &p->xx, &p->xx);
    subtract(&p->xx, &p->zz, &p->xx); /* 3 x1 x2 - 3 z1 z2 */
    multiply(&p->yz, &y, &t);
    multiply(&p->xx, &y, &p->zz);
    multiply(&x, &z, &y);
    add(&y, &p->zz, &sum->y);
    multiply(&p->xy, &x, &x);
    subtract(&x, &t, &sum->x);
    multiply(&p->yz, &z, &z);
    multiply(&p->xy, &p->xx, &t);
    add(&z, &t, &sum->z);
}

/* a1 b2 + a2 b1, of sums (a1 + b1) (a2 + b2), a1 a2 and b1 b2. */
CSN_EC_INLINE void mixed(const number *a1, const number *b1, const number *a2, const number *b2,
                         const number *aa, const number *bb, number *result)
{
    number left, right;
    add(a1, b1, &left);
    add(a2, b2, &right);
    multiply(&left, &right, result);
    add(aa, bb, &left);
    subtract(result, &left, result);
}

NOINLINE void add_points(const struct point *left, const struct point *right, struct point *sum)
{
    struct products p;
    multiply(&left->x, &right->x, &p.xx);
    multiply(&left->y, &right->y, &p.yy);
    multiply(&left->z, &right->z, &p.zz);
    mixed(&left->x, &left->y, &right->x, &right->y, &p.xx, &p.yy, &p.xy);
    mixed(&left->y, &left->z, &right->y, &right->z, &p.yy, &p.zz, &p.yz);
    mixed(&left->x, &left->z, &right->x, &right->z, &p.xx, &p.zz, &p.xz);
    finish_sum(&p, sum);
}

/* The other one with z = 1. */
NOINLINE void add_affine(const struct point *left, const struct affine *right, struct point *sum)
{
    struct products p;
    multiply(&left->x, &right->x, &p.xx);
    multiply(&left->y, &right->y, &p.yy);
    mixed(&left->x, &left->y, &right->x, &right->y, &p.xx, &p.yy, &p.xy);
    multiply(&right->y, &left->z, &p.yz);
    add(&p.yz, &left->y, &p.yz);
    multiply(&right->x, &left->z, &p.xz);
    add(&p.xz, &left->x, &p.xz);
    p.zz = left->z;
    finish_sum(&p, sum);
}

/* Jacobian: x / z^2, y / z^3. */
static void double_jacobian(struct point *point)
{
    number delta, gamma, beta, alpha, t;
    square(&point->z, &delta);
    square(&point->y, &gamma);
    multiply(&point->x, &gamma, &beta);
    subtract(&point->x, &delta, &t);
    add(&point->x, &delta, &alpha);
    multiply(&alpha, &t, &alpha);
    add(&alpha, &alpha, &t);
    add(&t, &alpha, &alpha);
    multiply(&point->y, &point->z, &t);
    add(&t, &t, &point->z);
    add(&beta, &beta, &beta);
    add(&beta, &beta, &beta); /* 4 x y^2 */
    square(&alpha, &point->x);
    subtract(&point->x, &beta, &point->x);
    subtract(&point->x, &beta, &point->x);
    subtract(&beta, &point->x, &t);
    multiply(&alpha, &t, &point->y);
    add(&gamma, &gamma, &gamma);
    square(&gamma, &gamma);
    add(&gamma, &gamma, &gamma); /* 8 y^4 */
    subtract(&point->y, &gamma, &point->y);
}

/*
 * 2^count times a point that is not the neutral one: as a row of signs from the top is an odd
 * number below the order, no sum in front of a doubling ever is.
 */
static void double_often(struct point *point, uint32_t count)
{
    number t;
    square(&point->z, &t);
    multiply(&point->y, &t, &point->y);
    multiply(&point->x, &point->z, &point->x);
    for (uint32_t i = 0; i < count; i++) {
        double_jacobian(point);
    }
    multiply(&point->x, &point->z, &point->x);
    square(&point->z, &t);
    multiply(&t, &point->z, &point->z);
}

/* Plain numbers, or zeros; y may be NULL. */
static void to_affine(const struct point *point, uint8_t *x, uint8_t *y)
{
    static const number plain = {{1}};
    number inverse, value;
    invert(&point->z, &inverse);
    multiply(&inverse, &plain, &inverse); /* one product with it then leaves no Montgomery */
    multiply(&point->x, &inverse, &value);
    csn_ec_store(value.words, x, WORDS);
    if (y != NULL) {
        multiply(&point->y, &inverse, &value);
        csn_ec_store(value.words, y, WORDS);
    }
    csn_wipe(&inverse, sizeof inverse);
    csn_wipe(&value, sizeof value);
}

/* ---- multipliers ---- */

/*
 * The signs of a multiplier, or of the multiplier and the order, whichever is odd: bit i stands for
 * +2^i or -2^i, of `count` bits.
 */
static void recode(const uint8_t *multiplier, uint32_t count, uint64_t signs[SIGN_WORDS])
{
    uint64_t words[SIGN_WORDS];
    unsigned char carry = 0;
    csn_ec_load(multiplier, words, WORDS);
    const uint64_t even = csn_mask((words[0] & 1) ^ 1);
    for (uint32_t i = 0; i < WORDS; i++) {
        csn_ec_limb step;
        carry = _addcarry_u64(carry, words[i], ORDER.order[i] & even, &step);
        words[i] = step;
    }
    words[WORDS] = carry;
    for (uint32_t i = 0; i < SIGN_WORDS; i++) {
        signs[i] = words[i] >> 1 | (i < WORDS ? words[i + 1] << 63 : 0);
    }
    signs[(count - 1) / 64] |= UINT64_C(1) << (count - 1) % 64;
    csn_wipe(words, sizeof words);
}

static uint64_t sign_at(const uint64_t signs[SIGN_WORDS], uint32_t at)
{
    return signs[at / 64] >> at % 64 & 1;
}

/* If the top sign of a digit is -, all are changed: of `count` bits, those below it. */
static uint64_t split(uint64_t digit, uint32_t count, uint64_t *negative)
{
    *negative = csn_mask(digit >> (count - 1) ^ 1);
    return (digit ^ *negative) & ((UINT64_C(1) << (count - 1)) - 1);
}

/* One row of a table of `count` rows of `width` words; all of them are read. */
CSN_EC_INLINE void choose(const uint64_t *table, uint64_t index, uint64_t *row,
                          const uint32_t count, const uint32_t width)
{
    for (uint32_t k = 0; k < width; k++) {
        row[k] = 0;
    }
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t taken = csn_mask(((i ^ index) - 1) >> 63);
        for (uint32_t k = 0; k < width; k++) {
            row[k] |= table[i * width + k] & taken;
        }
    }
}

static void negate(number *y, uint64_t negative)
{
    static const number zero;
    number other;
    subtract(&zero, y, &other);
    for (uint32_t i = 0; i < WORDS; i++) {
        y->words[i] = (y->words[i] & ~negative) | (other.words[i] & negative);
    }
}

static void choose_sum(uint32_t block, uint64_t digit, struct affine *sum)
{
    uint64_t row[2 * WORDS];
    uint64_t negative;
    const uint64_t index = split(digit, CSN_EC_TEETH, &negative);
    choose(TABLE + (size_t)block * CSN_EC_SUMS * 2 * WORDS, index, row, CSN_EC_SUMS, 2 * WORDS);
    __builtin_memcpy(&sum->x, row, sizeof sum->x);
    __builtin_memcpy(&sum->y, row + WORDS, sizeof sum->y);
    negate(&sum->y, negative);
}

static void multiply_base(const uint8_t *multiplier, struct point *result)
{
    struct {
        uint64_t signs[SIGN_WORDS];
        struct affine sum;
    } use;
    recode(multiplier, CSN_EC_TEETH * SPAN, use.signs);
    *result = (struct point){.y = one()};
    for (uint32_t column = COLUMNS; column-- > 0;) {
        if (column != COLUMNS - 1) {
            add_points(result, result, result);
        }
        for (uint32_t block = 0; block < CSN_EC_BLOCKS; block++) {
            uint64_t digit = 0;
            for (uint32_t tooth = 0; tooth < CSN_EC_TEETH; tooth++) {
                digit |= sign_at(use.signs, tooth * SPAN + block * COLUMNS + column) << tooth;
            }
            choose_sum(block, digit, &use.sum);
            add_affine(result, &use.sum, result);
        }
    }
    csn_wipe(&use, sizeof use);
}

/* Montgomery x and y; z = 1. */
static void load_point(const uint8_t *xy, struct point *point)
{
    number plain;
    csn_ec_load(xy, plain.words, WORDS);
    to_montgomery(&plain, &point->x);
    csn_ec_load(xy + SIZE, plain.words, WORDS);
    to_montgomery(&plain, &point->y);
    point->z = one();
}

static void multiply_point(const uint8_t *multiplier, const uint8_t *xy, struct point *result)
{
    struct {
        uint64_t signs[SIGN_WORDS];
        struct point odd[ODD_POINTS]; /* 1, 3, … 31 times the point */
        struct point next;
    } use;
    _Static_assert(sizeof(struct point) == 3 * WORDS * sizeof(uint64_t), "a row of words");
    load_point(xy, &use.odd[0]);
    add_points(&use.odd[0], &use.odd[0], &use.next);
    for (uint32_t i = 1; i < ODD_POINTS; i++) {
        add_points(&use.odd[i - 1], &use.next, &use.odd[i]);
    }
    recode(multiplier, MULTIPLIER, use.signs);
    *result = (struct point){.y = one()};
    for (uint32_t window = WINDOWS; window-- > 0;) {
        uint64_t digit = 0;
        uint64_t negative;
        for (uint32_t i = 0; i < WINDOW; i++) {
            digit |= sign_at(use.signs, window * WINDOW + i) << i;
        }
        if (window != WINDOWS - 1) {
            double_often(result, WINDOW);
        }
        const uint64_t index = split(digit, WINDOW, &negative);
        choose(use.odd[0].x.words, index, use.next.x.words, ODD_POINTS, 3 * WORDS);
        negate(&use.next.y, negative);
        add_points(result, &use.next, result);
    }
    csn_wipe(&use, sizeof use);
}

/* ---- what others call ---- */

static void base(const uint8_t *multiplier, uint8_t *xy)
{
    struct point point;
    multiply_base(multiplier, &point);
    to_affine(&point, xy, xy + SIZE);
    csn_wipe(&point, sizeof point);
}

static bool is_point(const uint8_t *xy)
{
    number x, y, b, t, difference;
    struct point point;
    csn_ec_load(xy, x.words, WORDS);
    csn_ec_load(xy + SIZE, y.words, WORDS);
    if (csn_ec_below(x.words, prime, difference.words, WORDS) == 0 ||
        csn_ec_below(y.words, prime, difference.words, WORDS) == 0) {
        return false;
    }
    load_point(xy, &point);
    __builtin_memcpy(b.words, B, sizeof b.words);
    square(&point.x, &x);
    add(&point.z, &point.z, &t);
    add(&t, &point.z, &t);
    subtract(&x, &t, &x);
    multiply(&x, &point.x, &x); /* x^3 - 3 x */
    add(&x, &b, &x);
    square(&point.y, &y);
    subtract(&x, &y, &difference);
    return csn_ec_is_zero(difference.words, WORDS) != 0;
}

static void multiply_x(const uint8_t *multiplier, const uint8_t *xy, uint8_t *x)
{
    struct point point;
    multiply_point(multiplier, xy, &point);
    to_affine(&point, x, NULL);
    csn_wipe(&point, sizeof point);
}

static void combine(const uint8_t *of_base, const uint8_t *of_point, const uint8_t *xy, uint8_t *x)
{
    struct point left, right;
    multiply_base(of_base, &left);
    multiply_point(of_point, xy, &right);
    add_points(&left, &right, &left);
    to_affine(&left, x, NULL);
}

const struct csn_ec_kernel KERNEL = {
    .base = base, .is_point = is_point, .multiply = multiply_x, .combine = combine};
