/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.h: which token comes next, from logits.
 *
 * Trust:    options were checked by who took them; logits may be anything: NaN counts as least.
 * Threads:  none of its own. No allocation.
 * Time:     depends on the options and on how many tokens there are, and not on the logits nor on
 *           which token it is: every pass goes over all of them, and none branches on a value.
 * Repeats:  the same logits, options and step give the same token: sums are of integers.
 * Builds:   freestanding and hosted, same source.
 */
#ifndef CSN_SAMPLE_H
#define CSN_SAMPLE_H

#include <stdint.h>

#define CSN_SAMPLE_TEMPERATURE_MIN 0.001f
#define CSN_SAMPLE_TEMPERATURE_MAX 100.0f

/* Temperature first, then the top_k likeliest, of these the likeliest that have top_p together. */
struct csn_sample_options {
    float temperature; /* within the limits above; or 0: the likeliest, whatever else is said */
    float top_p;       /* above 0 to 1; 1: all. Of equally likely ones all that count or none */
    uint32_t top_k;    /* 0: all. Of equally likely ones those with the smallest number */
    uint64_t seed;
};

/*
 * step: how many tokens were drawn with this seed before. weights: room for count. A token less
 * likely than the likeliest by a factor of 2^31 is never drawn.
 */
uint32_t csn_sample(const struct csn_sample_options *options, uint64_t step, const float *logits,
                    uint32_t count, uint32_t *weights);

#endif
