/* SPDX-License-Identifier: Apache-2.0 */
/* peer_trees_none.c: no peer was found at build time. */
#include "peer_trees.h"

const char *const peer_trees_name = NULL;

void peer_trees_train(const struct peer_trees_shape *shape, const void **model, size_t *size)
{
    (void)shape;
    *model = NULL;
    *size = 0;
}

const float *peer_trees_score(const float *rows, size_t row_count, size_t feature_count)
{
    (void)rows, (void)row_count, (void)feature_count;
    return NULL;
}
