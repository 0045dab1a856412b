/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hmac_batch.c: HMAC-SHA-256 of many short messages, some lanes at a time.
 *
 * Lanes run in step, so only messages of one block count go together: they wait for each other.
 * Sizes are public; which lane a message gets follows from them alone.
 */
#include "sha256_kernel.h"

#define BLOCKS_MAX  2u
#define WAITING_MAX 24u

/* Messages of one block count. */
struct waiting {
    uint32_t count;
    const struct csn_hmac_item *items[WAITING_MAX];
};

void csn_hmac_batch(const struct csn_hmac_item *items, uint32_t count)
{
    const struct csn_sha256_kernel *kernel = csn_sha256_active();
    struct waiting waiting[BLOCKS_MAX];
    for (uint32_t i = 0; i < BLOCKS_MAX; i++) {
        waiting[i].count = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct csn_hmac_item *item = &items[i];
        uint32_t blocks = item->size / 64 + (item->size % 64 < 56 ? 1 : 2);
        if (blocks > BLOCKS_MAX || kernel->macs == NULL) {
            csn_hmac(item->key, item->bytes, item->size, item->tag);
            continue;
        }
        struct waiting *same = &waiting[blocks - 1];
        same->items[same->count++] = item;
        if (same->count == WAITING_MAX) {
            kernel->macs(same->items, same->count, blocks);
            same->count = 0;
        }
    }
    for (uint32_t i = 0; i < BLOCKS_MAX; i++) {
        if (waiting[i].count > 0) {
            kernel->macs(waiting[i].items, waiting[i].count, i + 1);
        }
    }
}
