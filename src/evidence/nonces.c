/* SPDX-License-Identifier: Apache-2.0 */
/* nonces.c: one report serves many waiting nonces. */
#include "nonces.h"
#include "verify/digest.h"
#include <stdlib.h>
#include <string.h>

uint32_t csn_nonces_depth(size_t count)
{
    uint32_t depth = 0;
    while (((size_t)1 << depth) < count) {
        depth++;
    }
    return depth;
}

static bool fill_leaves(const uint8_t (*nonces)[32], size_t count, size_t leaf_count,
                        uint8_t (*level)[32])
{
    bool good = true;
    for (size_t i = 0; good && i < leaf_count; i++) {
        if (i < count) {
            good = csv_nonce_leaf(nonces[i], level[i]);
        } else {
            memset(level[i], 0, 32);
        }
    }
    return good;
}

bool csn_nonces_tree(const uint8_t (*nonces)[32], size_t count, size_t index, uint8_t root[32],
                     uint8_t *path)
{
    uint32_t depth = csn_nonces_depth(count);
    size_t width = (size_t)1 << depth;
    uint8_t(*level)[32] = malloc(width * 32);
    bool good = level != NULL && fill_leaves(nonces, count, width, level);
    for (uint32_t d = 0; good && d < depth; d++) {
        if (path != NULL) {
            memcpy(path + (size_t)d * 32, level[(index >> d) ^ 1], 32);
        }
        width /= 2;
        for (size_t i = 0; good && i < width; i++) {
            good = csv_nonce_node(level[2 * i], level[2 * i + 1], level[i]);
        }
    }
    if (good) {
        memcpy(root, level[0], 32);
    }
    free(level);
    return good;
}
