/* SPDX-License-Identifier: Apache-2.0 */
/* peer_trees.h: a library that trains boosted trees and scores rows; the build picks which. */
#ifndef CSN_BENCH_PEER_TREES_H
#define CSN_BENCH_PEER_TREES_H

#include <stddef.h>

extern const char *const peer_trees_name; /* NULL: there is none on this machine */

struct peer_trees_shape {
    const float *rows;
    const float *targets;
    size_t row_count;
    size_t feature_count;
    unsigned tree_count;
    unsigned depth;
};
/* Trains for binary:logistic, one thread, the same each time; the model as UBJSON, its memory. */
void peer_trees_train(const struct peer_trees_shape *shape, const void **model, size_t *size);
/* Scores of the model that was trained last, one thread, by the quickest call for rows in memory.
 */
const float *peer_trees_score(const float *rows, size_t row_count, size_t feature_count);

#endif
