/* SPDX-License-Identifier: Apache-2.0 */
/* peer_boost.cc: boost::lockfree::spsc_queue, for peer_boost.c: three calls that C can make. */
#include "peer_boost.h"
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>

namespace {

struct record {
    uint64_t words[PEER_SIZE / 8];
};

using queue = boost::lockfree::spsc_queue<record>;

} // namespace

void *PEER_BOOST(new)(uint32_t slots)
{
    return new queue(slots);
}

uint32_t PEER_BOOST(put)(void *state, const void *source, uint32_t count)
{
    const record *records = static_cast<const record *>(source);
    queue *target = static_cast<queue *>(state);
    return count == 1 ? target->push(*records) : uint32_t(target->push(records, count));
}

uint32_t PEER_BOOST(take)(void *state, void *target, uint32_t count)
{
    record *records = static_cast<record *>(target);
    queue *source = static_cast<queue *>(state);
    return count == 1 ? source->pop(*records) : uint32_t(source->pop(records, count));
}
