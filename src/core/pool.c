/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c: carve forward only; overflow is checked, exhaustion is a NULL. */
#include "pool.h"
#include "bytes.h"

#define SCRATCH_ALIGNMENT UINT64_C(16)

void csn_pool_init(struct csn_pool *pool, void *base, uint64_t size)
{
    *pool = (struct csn_pool){.base = base, .size = size};
}

void *csn_pool_carve(struct csn_pool *pool, uint64_t size, uint64_t alignment)
{
    pool->carves++; /* refused ones too: in steady state nobody may even ask */
    if (pool->sealed || alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return NULL;
    }
    uint64_t address = (uint64_t)(uintptr_t)pool->base + pool->used;
    uint64_t gap = (0 - address) & (alignment - 1);
    uint64_t start;
    uint64_t end;
    if (!csn_add_u64(pool->used, gap, &start) || !csn_add_u64(start, size, &end) ||
        end > pool->size) {
        return NULL;
    }
    pool->used = end;
    pool->high_water = end;
    __builtin_memset(pool->base + start, 0, size);
    return pool->base + start;
}

void csn_pool_seal(struct csn_pool *pool)
{
    pool->sealed = true;
}

void csn_scratch_init(struct csn_scratch *scratch, void *base, uint64_t size)
{
    *scratch = (struct csn_scratch){.base = base, .size = size};
}

void *csn_scratch_take(struct csn_scratch *scratch, uint64_t size)
{
    uint64_t address = (uint64_t)(uintptr_t)scratch->base + scratch->used;
    uint64_t gap = (0 - address) & (SCRATCH_ALIGNMENT - 1);
    uint64_t start;
    uint64_t end;
    if (!csn_add_u64(scratch->used, gap, &start) || !csn_add_u64(start, size, &end) ||
        end > scratch->size) {
        return NULL;
    }
    scratch->used = end;
    if (end > scratch->high_water) {
        scratch->high_water = end;
    }
    return scratch->base + start;
}

void csn_scratch_reset(struct csn_scratch *scratch)
{
    csn_wipe(scratch->base, scratch->used);
    scratch->used = 0;
}
