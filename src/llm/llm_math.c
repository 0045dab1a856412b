/* SPDX-License-Identifier: Apache-2.0 */
/* llm_math.c: power, sine and cosine by series. Every loop has a constant count. */
#include "llm_math.h"
#include <stdint.h>

#define LN2         0.693147180559945309417
#define HALF_PI     1.57079632679489661923
#define HALF_PI_TOP 0x1.921fb544p+0 /* its upper bits: multiples of it are exact */
#define HALF_PI_END 0x1.0b4611a62633145c06ep-34
#define TERMS       24

/* 2^e f with f in [1, 2). */
static double logarithm(double value)
{
    uint64_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    const int32_t exponent = (int32_t)(bits >> 52) - 1023;
    double fraction;
    bits = (bits & 0xfffffffffffffu) | UINT64_C(1023) << 52;
    __builtin_memcpy(&fraction, &bits, sizeof fraction);
    const double ratio = (fraction - 1) / (fraction + 1); /* at most 1/3 */
    double sum = 0;
    for (int i = TERMS; i >= 0; i--) {
        sum = sum * ratio * ratio + 1.0 / (2 * i + 1);
    }
    return exponent * LN2 + 2 * ratio * sum;
}

static double exponential(double value)
{
    const double steps = value / LN2;
    const int32_t whole = (int32_t)(steps < 0 ? steps - 0.5 : steps + 0.5);
    const double rest = value - whole * LN2;
    double sum = 1;
    for (int i = TERMS; i > 0; i--) {
        sum = 1 + sum * rest / i;
    }
    const uint64_t bits = (uint64_t)(whole + 1023) << 52;
    double scale;
    __builtin_memcpy(&scale, &bits, sizeof scale);
    return sum * scale;
}

double csn_llm_power(double base, double exponent)
{
    return exponential(exponent * logarithm(base));
}

void csn_llm_turn(double angle, double *cosine, double *sine)
{
    const int64_t quarter = (int64_t)(angle / HALF_PI + 0.5);
    const double rest = angle - (double)quarter * HALF_PI_TOP - (double)quarter * HALF_PI_END;
    const double square = rest * rest; /* at most 0.62 */
    double even = 1;
    double odd = 1;
    for (int i = 10; i > 0; i--) {
        even = 1 - even * square / ((2 * i - 1) * (2 * i));
        odd = 1 - odd * square / ((2 * i) * (2 * i + 1));
    }
    odd *= rest;
    const double cosines[4] = {even, -odd, -even, odd};
    const double sines[4] = {odd, even, -odd, -even};
    *cosine = cosines[quarter & 3];
    *sine = sines[quarter & 3];
}
