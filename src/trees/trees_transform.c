/* SPDX-License-Identifier: Apache-2.0 */
/* trees_transform.c: sums to scores. Inside an image there is no libm, so the exponential is here.
 */
#include "trees.h"

#define EXP_MIN (-700.0)
#define EXP_MAX 700.0
#define TERMS   12

/* e^x to a few parts in 10^15, far below what a float shows: 2^n times a series for what is left.
 */
static double exponential(double x)
{
    if (x != x) {
        return x;
    }
    x = x < EXP_MIN ? EXP_MIN : x > EXP_MAX ? EXP_MAX : x;
    const double log2_e = 1.4426950408889634;
    const double ln2_high = 6.93147180369123816490e-01; /* few bits: n times it is exact */
    const double ln2_low = 1.90821492927058770002e-10;
    const int64_t n = (int64_t)(x * log2_e + (x < 0 ? -0.5 : 0.5));
    const double rest = (x - (double)n * ln2_high) - (double)n * ln2_low;
    double sum = 1;
    for (int term = TERMS; term > 0; term--) {
        sum = 1 + sum * rest / term;
    }
    const uint64_t bits = (uint64_t)(n + 1023) << 52;
    double power;
    __builtin_memcpy(&power, &bits, sizeof power);
    return sum * power;
}

static void softmax(float *scores, uint32_t count)
{
    float highest = scores[0];
    for (uint32_t i = 1; i < count; i++) {
        highest = scores[i] > highest ? scores[i] : highest;
    }
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        scores[i] = (float)exponential((double)scores[i] - highest);
        sum += scores[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        scores[i] = (float)(scores[i] / sum);
    }
}

void csn_trees_transform(const struct csn_trees *model, float *scores, size_t row_count)
{
    const struct csn_trees_header *header = model->header;
    const size_t count = row_count * header->output_count;
    switch (header->transform) {
    case CSN_TREES_LOGISTIC:
        for (size_t i = 0; i < count; i++) {
            scores[i] = (float)(1 / (1 + exponential(-(double)header->slope * scores[i])));
        }
        break;
    case CSN_TREES_SOFTMAX:
        for (size_t i = 0; i < count; i += header->output_count) {
            softmax(scores + i, header->output_count);
        }
        break;
    case CSN_TREES_EXP:
        for (size_t i = 0; i < count; i++) {
            scores[i] = (float)exponential(scores[i]);
        }
        break;
    default:
        break;
    }
}
