/* SPDX-License-Identifier: Apache-2.0 */
/* ring_peers.c: the tables, from what meson found (PEER_HAS_NAME is 0 or 1). */
#include "ring_peers.h"
#include "peer.h"
#include <stddef.h>

#define PEER(library, text)                                                                        \
    static const struct bench_ring_peer peer_##library = {                                         \
        text,                                                                                      \
        {peer_##library##_8_trip, peer_##library##_64_trip, peer_##library##_1024_trip},           \
        {peer_##library##_8_stream, peer_##library##_64_stream, peer_##library##_1024_stream}};

#if PEER_HAS_RTE
PEER(rte, "rte_ring")
#endif
#if PEER_HAS_BOOST
PEER(boost, "boost spsc_queue")
#endif
#if PEER_HAS_CK
PEER(ck, "ck_ring")
#endif

const struct bench_ring_peer *const bench_ring_peers[] = {
#if PEER_HAS_RTE
    &peer_rte,
#endif
#if PEER_HAS_BOOST
    &peer_boost,
#endif
#if PEER_HAS_CK
    &peer_ck,
#endif
    NULL,
};

const char *const bench_ring_peers_missing[] = {
#if !PEER_HAS_RTE
    "DPDK",
#endif
#if !PEER_HAS_BOOST
    "Boost",
#endif
#if !PEER_HAS_CK
    "Concurrency Kit",
#endif
    NULL,
};
