/* SPDX-License-Identifier: Apache-2.0 */
/* peer_rte.c: DPDK's rte_ring for one producer and one consumer, on memory of our own. */
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <stdlib.h>

#define PEER_LIBRARY rte

struct peer_record {
    uint64_t words[PEER_SIZE / 8];
};

#include "peer.h"

static void *peer_new(void)
{
    ssize_t size = rte_ring_get_memsize_elem(PEER_SIZE, PEER_SLOTS(PEER_SIZE));
    void *ring = size > 0 ? aligned_alloc(4096, ((size_t)size + 4095) / 4096 * 4096) : NULL;
    if (ring != NULL &&
        rte_ring_init(ring, "bench", PEER_SLOTS(PEER_SIZE), RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
        free(ring);
        return NULL;
    }
    return ring;
}

static uint32_t peer_put(void *ring, const struct peer_record *source, uint32_t count)
{
    return rte_ring_sp_enqueue_burst_elem(ring, source, PEER_SIZE, count, NULL);
}

static uint32_t peer_take(void *ring, struct peer_record *target, uint32_t count)
{
    return rte_ring_sc_dequeue_burst_elem(ring, target, PEER_SIZE, count, NULL);
}

#include "peer_ways.h"
