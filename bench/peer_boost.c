/* SPDX-License-Identifier: Apache-2.0 */
/* peer_boost.c: boost's queue as a way; a call for each burst leads to its inline functions. */
#include "peer_boost.h"
#include "peer.h"

#define PEER_LIBRARY boost

struct peer_record {
    uint64_t words[PEER_SIZE / 8];
};

static void *peer_new(void)
{
    return PEER_BOOST(new)(PEER_SLOTS(PEER_SIZE));
}

static uint32_t peer_put(void *queue, const struct peer_record *source, uint32_t count)
{
    return PEER_BOOST(put)(queue, source, count);
}

static uint32_t peer_take(void *queue, struct peer_record *target, uint32_t count)
{
    return PEER_BOOST(take)(queue, target, count);
}

#include "peer_ways.h"
