/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_number.c: numbers of features from text, and a score to text (docs/TOKENIZE.md section 7).
 *
 * Up to 15 digits with a power of ten up to 22 become the nearest double (both are exact, and one
 * multiplication or division rounds once); others are a few units in the last place of a double
 * away, which a float seldom shows.
 */
#include "tok_state.h"

#define DIGITS_MAX    19u /* of a mantissa in 64 bits */
#define EXPONENT_MAX  400 /* beyond, a double is infinite or zero, whatever its digits */
#define POWER_MAX     22
#define FLOAT_MAX     3.4028234663852886e38 /* the largest float; a half step more is infinite */
#define FLOAT_ABOVE   3.4028235677973366e38
#define SCORE_MAX     1e12
#define SCORE_PARTS   1000000u
#define SCORE_DECIMAL 6u

struct decimal {
    uint64_t mantissa;
    int32_t exponent;
    uint32_t digits; /* of the mantissa */
    bool negative;
};

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Digits from *at on; false if there are none. shift: what each of them adds to the exponent. */
static bool take_digits(struct decimal *decimal, const uint8_t *bytes, uint32_t size, uint32_t *at,
                        int32_t shift)
{
    const uint32_t first = *at;
    for (; *at < size && is_digit(bytes[*at]); ++*at) {
        if (decimal->digits < DIGITS_MAX) {
            decimal->mantissa = decimal->mantissa * 10 + bytes[*at] - '0';
            decimal->digits += decimal->mantissa != 0;
            decimal->exponent += shift;
        } else {
            decimal->exponent += shift + 1; /* it is left out */
        }
    }
    return *at != first;
}

static bool take_exponent(struct decimal *decimal, const uint8_t *bytes, uint32_t size,
                          uint32_t *at)
{
    int32_t exponent = 0;
    bool negative = false;
    if (*at == size || (bytes[*at] | 0x20) != 'e') {
        return true;
    }
    ++*at;
    if (*at < size && (bytes[*at] == '+' || bytes[*at] == '-')) {
        negative = bytes[(*at)++] == '-';
    }
    const uint32_t first = *at;
    for (; *at < size && is_digit(bytes[*at]); ++*at) {
        exponent = exponent < 1000000 ? exponent * 10 + (bytes[*at] - '0') : exponent;
    }
    decimal->exponent += negative ? -exponent : exponent;
    return *at != first;
}

/* As JSON writes numbers, and nothing else. */
static bool read_decimal(const uint8_t *bytes, uint32_t size, struct decimal *decimal)
{
    uint32_t at = 0;
    if (size > 0 && bytes[0] == '-') {
        decimal->negative = true;
        at = 1;
    }
    const uint32_t whole = at;
    if (!take_digits(decimal, bytes, size, &at, 0) || (bytes[whole] == '0' && at - whole > 1)) {
        return false;
    }
    if (at < size && bytes[at] == '.') {
        at++;
        if (!take_digits(decimal, bytes, size, &at, -1)) {
            return false;
        }
    }
    return take_exponent(decimal, bytes, size, &at) && at == size;
}

static double scale(double value, int32_t exponent)
{
    static const double powers[POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    exponent = exponent > EXPONENT_MAX    ? EXPONENT_MAX
               : exponent < -EXPONENT_MAX ? -EXPONENT_MAX
                                          : exponent;
    for (; exponent > POWER_MAX; exponent -= POWER_MAX) {
        value *= powers[POWER_MAX];
    }
    for (; exponent < -POWER_MAX; exponent += POWER_MAX) {
        value /= powers[POWER_MAX];
    }
    return exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
}

bool tok_read_number(const uint8_t *bytes, uint32_t size, float *number)
{
    struct decimal decimal = {0};
    if (!read_decimal(bytes, size, &decimal)) {
        return false;
    }
    const double value = scale((double)decimal.mantissa, decimal.exponent);
    const float positive = value >= FLOAT_ABOVE ? __builtin_inff()
                           : value > FLOAT_MAX  ? (float)FLOAT_MAX
                                                : (float)value;
    *number = decimal.negative ? -positive : positive;
    return true;
}

void tok_put_number(struct tok_writer *out, float number)
{
    const double size = number < 0 ? -(double)number : (double)number;
    uint8_t reversed[24]; /* enough for all below SCORE_MAX, and a sign */
    uint32_t used = 0;
    if (!(size < SCORE_MAX)) { /* NaN too */
        tok_put(out, "null", 4);
        return;
    }
    uint64_t parts = (uint64_t)(size * SCORE_PARTS + 0.5);
    const bool is_negative = number < 0 && parts != 0;
    for (; used < SCORE_DECIMAL; parts /= 10) {
        reversed[used++] = (uint8_t)('0' + parts % 10);
    }
    reversed[used++] = '.';
    do {
        reversed[used++] = (uint8_t)('0' + parts % 10);
        parts /= 10;
    } while (parts != 0 && used < sizeof reversed - 1);
    if (is_negative) {
        reversed[used++] = '-';
    }
    uint8_t *target = tok_take(out, used);
    for (uint32_t i = 0; target != NULL && i < used; i++) {
        target[i] = reversed[used - 1 - i];
    }
}
