/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h: one fixed region, carved once, never given back.
 *
 * Threads:  one owner. No allocation after csn_pool_seal(): a carve then fails and is counted.
 */
#ifndef CSN_CORE_POOL_H
#define CSN_CORE_POOL_H

#include <caisson/base.h>
#include <stdbool.h>
#include <stdint.h>

struct csn_pool {
    uint8_t *base;
    uint64_t size;       /* bytes */
    uint64_t used;       /* bytes */
    uint64_t high_water; /* bytes */
    uint64_t carves;     /* count */
    bool sealed;
};

void csn_pool_init(struct csn_pool *pool, void *base, uint64_t size);
/* size bytes, zeroed, aligned to alignment (power of two); NULL when exhausted or sealed. */
void *csn_pool_carve(struct csn_pool *pool, uint64_t size, uint64_t alignment);
void csn_pool_seal(struct csn_pool *pool);

/* Scratch: a carved area that is reset after each record; high water is kept over resets. */
struct csn_scratch {
    uint8_t *base;
    uint64_t size;
    uint64_t used;
    uint64_t high_water;
};
void csn_scratch_init(struct csn_scratch *scratch, void *base, uint64_t size);
/* size bytes, not zeroed, 16-byte aligned; NULL when exhausted: a typed refusal of that record. */
void *csn_scratch_take(struct csn_scratch *scratch, uint64_t size);
/* Wipes what was used and starts over. */
void csn_scratch_reset(struct csn_scratch *scratch);

#endif
