/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hmac_batch.c: HMAC-SHA-256 of many short messages, some lanes at a time.
 *
 * Lanes run in step, so only messages of one block count go together: they wait, padded, until
 * their lanes are full. Sizes are public; which lane a message gets follows from them alone.
 */
#include "sha256_kernel.h"
#include <core/bytes.h>
#include <emmintrin.h>

#define LANES      CSN_SHA256_LANES
#define BLOCKS_MAX 2u

/* Messages of one block count that wait for each other. */
struct waiting {
    uint32_t count;
    struct csn_sha256_mac macs[LANES];
    _Alignas(16) uint8_t blocks[LANES][64 * BLOCKS_MAX];
};

static inline void pad(uint8_t *blocks, uint32_t block_count, const struct csn_hmac_item *item)
{
    for (uint32_t at = 0; at < 64 * block_count; at += 16) { /* no call for so few bytes */
        _mm_store_si128((__m128i *)(void *)(blocks + at), _mm_setzero_si128());
    }
    csn_copy(blocks, item->bytes, item->size);
    blocks[item->size] = 0x80;
    csn_store_u64(blocks + 64 * block_count - 8,
                  __builtin_bswap64(8 * (UINT64_C(64) + item->size)));
}

static void run(const struct csn_sha256_kernel *kernel, struct waiting *waiting,
                uint32_t block_count)
{
    uint8_t unused[32];
    if (waiting->count == 0) {
        return;
    }
    for (uint32_t i = waiting->count; i < LANES; i++) { /* the first one again */
        waiting->macs[i] = waiting->macs[0];
        waiting->macs[i].tag = unused;
    }
    kernel->mac_lanes(waiting->macs, block_count);
    waiting->count = 0;
    csn_wipe(unused, sizeof unused);
}

void csn_hmac_batch(const struct csn_hmac_item *items, uint32_t count)
{
    const struct csn_sha256_kernel *kernel = csn_sha256_active();
    struct waiting waiting[BLOCKS_MAX];
    for (uint32_t i = 0; i < BLOCKS_MAX; i++) {
        waiting[i].count = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct csn_hmac_item *item = &items[i];
        uint32_t block_count = item->size / 64 + (item->size % 64 < 56 ? 1 : 2);
        if (block_count > BLOCKS_MAX) {
            csn_hmac(item->key, item->bytes, item->size, item->tag);
            continue;
        }
        struct waiting *same = &waiting[block_count - 1];
        uint32_t lane = same->count++;
        pad(same->blocks[lane], block_count, item);
        same->macs[lane] = (struct csn_sha256_mac){
            .key = item->key, .blocks = same->blocks[lane], .tag = item->tag};
        if (same->count == LANES) {
            run(kernel, same, block_count);
        }
    }
    for (uint32_t i = 0; i < BLOCKS_MAX; i++) {
        run(kernel, &waiting[i], i + 1);
    }
    csn_wipe(waiting, sizeof waiting);
}
