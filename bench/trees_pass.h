/* SPDX-License-Identifier: Apache-2.0 */
/* trees_pass.h: what a score adds to the tokenize pass of a record. */
#ifndef CSN_BENCH_TREES_PASS_H
#define CSN_BENCH_TREES_PASS_H

#include <stddef.h>

/* A packed model of feature_count features; prints one row. */
void trees_pass(const void *image, size_t size, unsigned feature_count);

#endif
