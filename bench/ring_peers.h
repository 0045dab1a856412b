/* SPDX-License-Identifier: Apache-2.0 */
/* ring_peers.h: the peers that this build has; one of ring_peer_NAME.c or ring_peer_none.c each. */
#ifndef CSN_BENCH_RING_PEERS_H
#define CSN_BENCH_RING_PEERS_H

#include "cores.h"

struct bench_ring_peer {
    const char *name;
    /* sizes 8, 64, 1024 */
    struct bench_way (*trip[3])(void);
    struct bench_way (*stream[3])(uint32_t burst);
};

/* NULL-terminated. */
extern const struct bench_ring_peer *const bench_ring_peers[];
/* Names of the libraries that were not found. */
extern const char *const bench_ring_peers_missing[];

#endif
