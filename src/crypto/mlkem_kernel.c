/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlkem_kernel.c: the transform of ML-KEM's polynomials, products of transformed ones, and four
 * Keccak states side by side. One source in plain C, built for SSE2 and for AVX2.
 *
 * All loops are over sixteen numbers, so that they are one or two registers. A polynomial is a
 * square of them: four layers of the transform are between rows; then the square is turned, and the
 * last three are between rows again. The includer of neither is there: CSN_MLKEM_KERNEL names what
 * this becomes. Constant time: there is no branch and no index on a number.
 */
#include "mlkem_core.h"
#include <core/bytes.h>

typedef uint64_t lanes __attribute__((vector_size(8 * CSN_MLKEM_LANES), aligned(8), may_alias));
#define LANE lanes
#include "keccak_rounds.h"

#define Q      CSN_MLKEM_Q
#define ROW    16u
#define INLINE static inline __attribute__((always_inline))

/*
 * 2^16 times 17^bitrev(k), modulo q, for k = 0 … 127. From 32 on sorted by lanes: of layer six the
 * even ones, then the odd; of layer seven by k modulo 4.
 */
static const int16_t roots[128] = {
    -1044, -758,  -359,  -1517, 1493,  1422,  287,   202,  -171,  622,   1577,  182,   962,
    -1202, -1474, 1468,  573,   -1325, 264,   383,   -829, 1458,  -1602, -130,  -681,  1017,
    732,   608,   -1542, 411,   -205,  -1571, 1223,  -552, -1293, -282,  516,   -320,  -1618,
    126,   -853,  -271,  107,   -247,  -398,  -1508, 448,  677,   652,   1015,  1491,  -1544,
    -8,    -666,  -1162, 1469,  -90,   830,   -1421, -951, 961,   -725,  -1065, -1275, -1103,
    -1251, 422,   -291,  -246,  -777,  -1590, 418,   817,  1322,  -1215, -874,  -1185, -1510,
    -108,  958,   430,   871,   587,   -460,  778,   1483, 644,   329,   1097,  -1285, -136,
    220,   -1530, -854,  -308,  -1460, 555,   1550,  177,  1574,  1159,  -602,  -872,  -156,
    603,   -1465, 1218,  -1187, -1278, -870,  996,   1522, 843,   105,   -235,  1653,  -147,
    1119,  349,   -75,   610,   384,   -1335, -1659, 794,  478,   991,   1628};

/* Their inverses, in the same order. */
static const int16_t inverses[128] = {
    -1044, 758,   1517,  359,   -202, -287, -1422, -1493, -1468, 1474,  1202, -962,  -182,
    -1577, -622,  171,   1571,  205,  -411, 1542,  -608,  -732,  -1017, 681,  130,   1602,
    -1458, 829,   -383,  -264,  1325, -573, 1275,  1065,  725,   -961,  951,  1421,  -830,
    90,    -1469, 1162,  666,   8,    1544, -1491, -1015, -652,  -677,  -448, 1508,  398,
    247,   -107,  271,   853,   -126, 1618, 320,   -516,  282,   1293,  552,  -1223, -1628,
    -991,  -478,  -794,  1659,  1335, -384, -610,  75,    -349,  -1119, 147,  -1653, 235,
    -105,  -843,  -1522, -996,  870,  1278, 1187,  -1218, 1465,  -603,  156,  872,   602,
    -1159, -1574, -177,  -1550, -555, 1460, 308,   854,   1530,  -220,  136,  1285,  -1097,
    -329,  -644,  -1483, -778,  460,  -587, -871,  -430,  -958,  108,   1510, 1185,  874,
    1215,  -1322, -817,  -418,  1590, 777,  246,   291,   -422,  1251,  1103};

/* ---- numbers ---- */
/* left * right / 2^16 modulo q, between -q and q, if the product is within 2^15 * q (Montgomery).
 */
INLINE int16_t multiply(int16_t left, int16_t right)
{
    int16_t low = (int16_t)((uint16_t)left * (uint32_t)(uint16_t)right);
    int16_t factor = (int16_t)((uint16_t)low * 62209u); /* 1 / q modulo 2^16 */
    int16_t high = (int16_t)((int32_t)left * right >> 16);
    return (int16_t)(high - (int16_t)((int32_t)factor * Q >> 16));
}

/* Any number to what is 0 to q - 1 (Barrett, by 2^26 / q; q itself may come out, and is taken off).
 */
INLINE int16_t reduce(int16_t number)
{
    int16_t quotient = (int16_t)((int16_t)((int32_t)number * 20159 >> 16) >> 10);
    int16_t rest = (int16_t)(number - quotient * Q - Q);
    return (int16_t)(rest + ((rest >> 15) & Q));
}

static void reduce_all(struct csn_mlkem_poly *poly)
{
    for (uint32_t i = 0; i < CSN_MLKEM_N; i++) {
        poly->at[i] = reduce(poly->at[i]);
    }
}

/* ---- the transform ---- */
INLINE void cross(int16_t *restrict top, int16_t *restrict bottom, int16_t root, uint32_t rows)
{
    for (uint32_t i = 0; i < ROW * rows; i++) {
        int16_t turned = multiply(bottom[i], root);
        bottom[i] = (int16_t)(top[i] - turned);
        top[i] = (int16_t)(top[i] + turned);
    }
}

INLINE void cross_lanes(int16_t *restrict top, int16_t *restrict bottom,
                        const int16_t *restrict root)
{
    for (uint32_t i = 0; i < ROW; i++) {
        int16_t turned = multiply(bottom[i], root[i]);
        bottom[i] = (int16_t)(top[i] - turned);
        top[i] = (int16_t)(top[i] + turned);
    }
}

INLINE void uncross(int16_t *restrict top, int16_t *restrict bottom, int16_t inverse, uint32_t rows)
{
    for (uint32_t i = 0; i < ROW * rows; i++) {
        int16_t difference = (int16_t)(top[i] - bottom[i]);
        top[i] = (int16_t)(top[i] + bottom[i]);
        bottom[i] = multiply(difference, inverse);
    }
}

INLINE void uncross_lanes(int16_t *restrict top, int16_t *restrict bottom,
                          const int16_t *restrict inverse)
{
    for (uint32_t i = 0; i < ROW; i++) {
        int16_t difference = (int16_t)(top[i] - bottom[i]);
        top[i] = (int16_t)(top[i] + bottom[i]);
        bottom[i] = multiply(difference, inverse[i]);
    }
}

static void turn(struct csn_mlkem_poly *poly)
{
    struct csn_mlkem_poly copy = *poly;
    for (uint32_t row = 0; row < ROW; row++) {
        for (uint32_t i = 0; i < ROW; i++) {
            poly->at[ROW * row + i] = copy.at[ROW * i + row];
        }
    }
    csn_wipe(&copy, sizeof copy);
}

/* Each of seven layers adds less than q to what is below q in size: 8 q fits into 16 bits. */
static void transform(struct csn_mlkem_poly *poly)
{
    const int16_t *root = roots + 1;
    for (uint32_t half = 8; half > 0; half /= 2) {
        for (uint32_t first = 0; first < ROW; first += 2 * half, root++) {
            cross(poly->at + ROW * first, poly->at + ROW * (first + half), *root, half);
        }
    }
    turn(poly);
    for (uint32_t half = 8; half > 1; half /= 2) {
        for (uint32_t first = 0; first < ROW; first += 2 * half, root += ROW) {
            for (uint32_t row = first; row < first + half; row++) {
                cross_lanes(poly->at + ROW * row, poly->at + ROW * (row + half), root);
            }
        }
    }
    reduce_all(poly);
}

/* Sums double in each layer: reduced after three. */
static void restore(struct csn_mlkem_poly *poly)
{
    uint32_t at = CSN_MLKEM_N / 4; /* a layer's inverses; those of the one before stand behind */
    for (uint32_t half = 2; half < ROW; half *= 2, at /= 2) {
        const int16_t *inverse = inverses + at;
        for (uint32_t first = 0; first < ROW; first += 2 * half, inverse += ROW) {
            for (uint32_t row = first; row < first + half; row++) {
                uncross_lanes(poly->at + ROW * row, poly->at + ROW * (row + half), inverse);
            }
        }
    }
    reduce_all(poly);
    turn(poly);
    for (uint32_t half = 1; half < ROW; half *= 2, at /= 2) {
        const int16_t *inverse = inverses + at;
        if (half == 8) {
            reduce_all(poly);
        }
        for (uint32_t first = 0; first < ROW; first += 2 * half, inverse++) {
            uncross(poly->at + ROW * first, poly->at + ROW * (first + half), *inverse, half);
        }
    }
    for (uint32_t i = 0; i < CSN_MLKEM_N; i++) {
        poly->at[i] = multiply(poly->at[i], 1441); /* 2^32 / 128 */
    }
}

/* ---- transformed polynomials ---- */
/*
 * Rows come in pairs, a number of each modulo X^2 - root: (a0 + a1 X)(b0 + b1 X). The roots of two
 * pairs that follow each other differ in the sign.
 */
INLINE void product(int16_t *restrict sum, const int16_t *a, const int16_t *b,
                    const int16_t *restrict root, int16_t sign)
{
    for (uint32_t i = 0; i < ROW; i++) {
        int16_t high = multiply(multiply(a[ROW + i], b[ROW + i]), root[i]);
        sum[i] = (int16_t)(sum[i] + multiply(a[i], b[i]) + sign * high);
        sum[ROW + i] =
            (int16_t)(sum[ROW + i] + multiply(a[i], b[ROW + i]) + multiply(a[ROW + i], b[i]));
    }
}

static void dot(struct csn_mlkem_poly *out, const struct csn_mlkem_poly *a, uint32_t step,
                const struct csn_mlkem_poly b[CSN_MLKEM_RANK])
{
    for (uint32_t row = 0; row < ROW; row += 4) {
        const int16_t *root = roots + 64 + ROW * (row / 4);
        int16_t sum[4 * ROW] = {0}; /* below 6 q in size */
        for (uint32_t i = 0; i < CSN_MLKEM_RANK; i++) {
            const int16_t *left = a[step * i].at + ROW * row;
            const int16_t *right = b[i].at + ROW * row;
            product(sum, left, right, root, 1);
            product(sum + 2 * ROW, left + 2 * ROW, right + 2 * ROW, root, -1);
        }
        for (uint32_t i = 0; i < 4 * ROW; i++) {
            out->at[ROW * row + i] = reduce(sum[i]);
        }
        csn_wipe(sum, sizeof sum);
    }
}

/* ---- sums ---- */
static void add(struct csn_mlkem_poly *to, const struct csn_mlkem_poly *from)
{
    for (uint32_t i = 0; i < CSN_MLKEM_N; i++) {
        to->at[i] = reduce((int16_t)(to->at[i] + from->at[i]));
    }
}

static void subtract_from(struct csn_mlkem_poly *to, const struct csn_mlkem_poly *from)
{
    for (uint32_t i = 0; i < CSN_MLKEM_N; i++) {
        to->at[i] = reduce((int16_t)(from->at[i] - to->at[i]));
    }
}

static void scale(struct csn_mlkem_poly *poly)
{
    for (uint32_t i = 0; i < CSN_MLKEM_N; i++) {
        poly->at[i] = reduce(multiply(poly->at[i], 1353)); /* 2^32 */
    }
}

static void permute(uint64_t states[25][CSN_MLKEM_LANES])
{
    keccak_rounds((lanes *)(void *)states);
}

const struct csn_mlkem_kernel CSN_MLKEM_KERNEL = {
    .permute = permute,
    .transform = transform,
    .restore = restore,
    .dot = dot,
    .add = add,
    .subtract_from = subtract_from,
    .scale = scale,
};
