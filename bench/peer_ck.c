/* SPDX-License-Identifier: Apache-2.0 */
/* peer_ck.c: Concurrency Kit's ck_ring, SPSC, records by value. It has no bursts. */
#include <ck_ring.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PEER_LIBRARY ck

struct peer_record {
    uint64_t words[PEER_SIZE / 8];
};

CK_RING_PROTOTYPE(peer, peer_record)

#include "peer.h"

struct queue {
    ck_ring_t ring;
    _Alignas(64) struct peer_record records[PEER_SLOTS(PEER_SIZE)];
};

static void *peer_new(void)
{
    struct queue *queue = aligned_alloc(4096, (sizeof *queue + 4095) / 4096 * 4096);
    if (queue != NULL) {
        memset(queue, 0, sizeof *queue);
        ck_ring_init(&queue->ring, PEER_SLOTS(PEER_SIZE));
    }
    return queue;
}

static uint32_t peer_put(void *state, const struct peer_record *source, uint32_t count)
{
    struct queue *queue = state;
    uint32_t done = 0;
    while (done < count && CK_RING_ENQUEUE_SPSC(peer, &queue->ring, queue->records,
                                                (struct peer_record *)(uintptr_t)&source[done])) {
        done++;
    }
    return done;
}

static uint32_t peer_take(void *state, struct peer_record *target, uint32_t count)
{
    struct queue *queue = state;
    uint32_t done = 0;
    while (done < count &&
           CK_RING_DEQUEUE_SPSC(peer, &queue->ring, queue->records, &target[done])) {
        done++;
    }
    return done;
}

#include "peer_ways.h"
