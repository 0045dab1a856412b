/* SPDX-License-Identifier: Apache-2.0 */
/* size.c: the sum behind `caisson size`. Hosted; see size.h. */
#include "size.h"
#include "loop.h"
#include <caisson/wire/map.h>

/* Every carve is rounded up to a line. */
static uint64_t lines(uint64_t size)
{
    return (size + CSN_WIRE_LINE_SIZE - 1) / CSN_WIRE_LINE_SIZE * CSN_WIRE_LINE_SIZE;
}

uint64_t cse_size_share(const struct csn_wire_manifest *manifest)
{
    return manifest->pool_size / manifest->worker_count & ~(CSN_MAP_PAGE_SIZE - 1);
}

uint64_t cse_size_need(const struct csn_wire_manifest *manifest)
{
    struct cse_size_row rows[CSE_SIZE_ROW_COUNT];
    uint64_t sum = 0;
    cse_size_table(manifest, rows);
    for (uint32_t i = 0; i < CSE_SIZE_ROW_COUNT; i++) {
        if (rows[i].in_pool) {
            sum += rows[i].size * (rows[i].count / manifest->worker_count);
        }
    }
    return sum;
}

void cse_size_table(const struct csn_wire_manifest *m, struct cse_size_row rows[CSE_SIZE_ROW_COUNT])
{
    const uint64_t workers = m->worker_count;
    const struct cse_size_row table[CSE_SIZE_ROW_COUNT] = {
        /* one per worker: its own state, generator included */
        {"worker state", lines(sizeof(struct cse_worker)), workers, true},
        /* one per worker: the loop's cursors and the list of a batch */
        {"run loop", lines(sizeof(struct cse_loop)), workers, true},
        /* one per channel: both private ring ends */
        {"channels", lines(sizeof(struct cse_channel) * (uint64_t)csn_wire_channels(m)), workers,
         true},
        /* one per worker: private copies of a batch of inputs, and one more of the largest */
        {"input buffer", lines(cse_loop_buffer_size(m)), workers, true},
        /*
         * one per worker: tenants, contexts, grants and the spare one, record buffers, scratch,
         * the service's own state */
        {"sessions", cse_session_pool_size(m), workers, true},
        /* one per worker with a store: an answer, and a record of a journal */
        {"store", cse_outside_pool_size(m), workers, true},
        {"stack", m->stack_size, workers, false},
        {"boot region", CSN_MAP_BOOT_SIZE, 1, false},
        {"rings (shared with the host)", csn_wire_rings_size(m), 1, false},
    };
    for (uint32_t i = 0; i < CSE_SIZE_ROW_COUNT; i++) {
        rows[i] = table[i];
    }
}
