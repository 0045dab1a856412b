/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.c: logits to integer weights, a threshold by bisection, one draw. No sort: its time would
 * tell how the weights lie.
 */
#include "sample.h"
#include <stdbool.h>

#define WEIGHT_BITS 31u
#define WEIGHT_MAX  2147483000.0 /* of the likeliest; what the polynomial is off fits above it */
#define LOGIT_MAX   3.0e38f

/* ---- choices without branches ---- */

/*
 * All bits, or none. The compiler is not told which two values it may have: of a choice that it can
 * see through it makes a branch where it likes.
 */
static uint64_t mask_of(bool is_set)
{
    uint64_t mask = 0 - (uint64_t)is_set;
    __asm__("" : "+r"(mask));
    return mask;
}

static uint32_t choose(bool is_first, uint32_t first, uint32_t second)
{
    const uint32_t mask = (uint32_t)mask_of(is_first);
    return (first & mask) | (second & ~mask);
}

static float choose_float(bool is_first, float first, float second)
{
    uint32_t bits[2];
    float chosen;
    __builtin_memcpy(&bits[0], &first, sizeof first);
    __builtin_memcpy(&bits[1], &second, sizeof second);
    const uint32_t found = choose(is_first, bits[0], bits[1]);
    __builtin_memcpy(&chosen, &found, sizeof chosen);
    return chosen;
}

/* ---- logits ---- */

/* NaN becomes the least. */
static float tame(float logit)
{
    const float above = choose_float(logit > -LOGIT_MAX, logit, -LOGIT_MAX);
    return choose_float(above < LOGIT_MAX, above, LOGIT_MAX);
}

static float greatest(const float *logits, uint32_t count)
{
    float best = -LOGIT_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const float logit = tame(logits[i]);
        best = choose_float(logit > best, logit, best);
    }
    return best;
}

static uint32_t likeliest(const float *logits, uint32_t count)
{
    const float best = greatest(logits, count);
    uint32_t token = count;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t found = choose(tame(logits[i]) == best, i, count);
        token = choose(found < token, found, token);
    }
    return token;
}

static double larger(double left, double right)
{
    uint64_t bits[2];
    double chosen;
    const uint64_t mask = mask_of(left > right);
    __builtin_memcpy(&bits[0], &left, sizeof left);
    __builtin_memcpy(&bits[1], &right, sizeof right);
    const uint64_t found = (bits[0] & mask) | (bits[1] & ~mask);
    __builtin_memcpy(&chosen, &found, sizeof chosen);
    return chosen;
}

/*
 * 2^x times the greatest weight, for x at most 0: the whole part of x goes into the exponent, the
 * rest through a polynomial (Taylor of 2^f around 1/2, below 1e-8 off).
 */
static uint32_t weight_of(double x)
{
    static const double terms[8] = {1.4142135623730951,     0.98025814346854723,
                                    0.33973158418307492,    0.078494663241220688,
                                    0.013602088628663626,   0.0018856498765369369,
                                    0.00021783881590746446, 2.1570623008967991e-05};
    const double least = -(double)WEIGHT_BITS - 1;
    const double bounded = larger(x, least);
    const int32_t whole = (int32_t)(bounded + 64.0) - 64; /* towards minus infinity */
    const double rest = bounded - (double)whole - 0.5;
    double value = terms[7];
    for (uint32_t i = 7; i > 0; i--) {
        value = value * rest + terms[i - 1];
    }
    const uint64_t bits = (uint64_t)(1023 + whole) << 52;
    double scale;
    __builtin_memcpy(&scale, &bits, sizeof scale);
    const double weight = value * scale * WEIGHT_MAX;
    return (uint32_t)(int64_t)weight;
}

static void make_weights(float temperature, const float *logits, uint32_t count, uint32_t *weights)
{
    const double factor = 1.4426950408889634 / (double)temperature;
    const double best = (double)greatest(logits, count);
    for (uint32_t i = 0; i < count; i++) {
        weights[i] = weight_of(((double)tame(logits[i]) - best) * factor);
    }
}

/* ---- thresholds ---- */

/* All bits, or none; of weights and limits up to 2^31. A loop over many stays a loop of vectors. */
static uint32_t is_below(uint32_t weight, uint32_t least)
{
    return (uint32_t)((int32_t)(weight - least) >> 31);
}

static uint64_t count_from(const uint32_t *weights, uint32_t count, uint32_t least)
{
    uint64_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        found += ~is_below(weights[i], least) & 1;
    }
    return found;
}

static uint64_t sum_from(const uint32_t *weights, uint32_t count, uint32_t least)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i] & ~is_below(weights[i], least);
    }
    return sum;
}

/* The greatest threshold at which what is at or above it still measures up. */
static uint32_t threshold(const uint32_t *weights, uint32_t count, uint64_t wanted,
                          uint64_t (*measure)(const uint32_t *, uint32_t, uint32_t))
{
    uint32_t least = 0;
    for (uint32_t bit = WEIGHT_BITS; bit-- > 0;) {
        const uint32_t candidate = least | UINT32_C(1) << bit;
        least = choose(measure(weights, count, candidate) >= wanted, candidate, least);
    }
    return least;
}

static void keep_count(uint32_t *weights, uint32_t count, uint32_t wanted)
{
    const uint32_t least = threshold(weights, count, wanted, count_from);
    uint64_t equal = wanted - count_from(weights, count, least + 1);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t takes = mask_of(weights[i] == least) & mask_of(equal > 0) & 1;
        weights[i] &= (uint32_t)(mask_of(weights[i] > least) | (0 - takes));
        equal -= takes;
    }
}

static void keep_share(uint32_t *weights, uint32_t count, float share)
{
    const int64_t all = (int64_t)sum_from(weights, count, 0);
    const int64_t part = (int64_t)((double)all * (double)share);
    const uint64_t wanted = (uint64_t)part + (mask_of(part == 0) & 1);
    const uint32_t least = threshold(weights, count, wanted, sum_from);
    for (uint32_t i = 0; i < count; i++) {
        weights[i] &= ~is_below(weights[i], least);
    }
}

/* ---- the draw ---- */

static uint64_t mix(uint64_t word)
{
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

__extension__ typedef unsigned __int128 product;

static uint32_t draw(const uint32_t *weights, uint32_t count, uint64_t random)
{
    const uint64_t all = sum_from(weights, count, 0);
    const uint64_t at = (uint64_t)((product)random * all >> 64);
    uint64_t sum = 0;
    uint32_t token = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i];
        token += (uint32_t)mask_of(sum <= at) & 1;
    }
    return token;
}

uint32_t csn_sample(const struct csn_sample_options *options, uint64_t step, const float *logits,
                    uint32_t count, uint32_t *weights)
{
    if (options->temperature <= 0) {
        return likeliest(logits, count);
    }
    make_weights(options->temperature, logits, count, weights);
    if (options->top_k != 0 && options->top_k < count) {
        keep_count(weights, count, options->top_k);
    }
    if (options->top_p < 1) {
        keep_share(weights, count, options->top_p);
    }
    return draw(weights, count,
                mix(mix(options->seed) + (step + 1) * UINT64_C(0x9e3779b97f4a7c15)));
}
