/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h: rings of others as ways for cores.h, from Debian's packages where they are installed.
 *
 * A peer's file is compiled once for each PEER_SIZE, with its own headers' inline functions; the
 * exchange around them is peer_ways.h, which does what ring_ways.c does.
 */
#ifndef CSN_BENCH_PEER_H
#define CSN_BENCH_PEER_H

#include "cores.h"

#define PEER_BYTES     (256u * 1024) /* of a ring, at most; as ours */
#define PEER_SLOTS_MAX 4096u
#define PEER_SLOTS(size)                                                                           \
    (PEER_BYTES / (size) < PEER_SLOTS_MAX ? PEER_BYTES / (size) : PEER_SLOTS_MAX)

#define PEER_JOIN_(library, size, what) peer_##library##_##size##_##what
#define PEER_JOIN(library, size, what)  PEER_JOIN_(library, size, what)

#define PEER_DECLARE(library, size)                                                                \
    struct bench_way PEER_JOIN(library, size, trip)(void);                                         \
    struct bench_way PEER_JOIN(library, size, stream)(uint32_t burst);

PEER_DECLARE(rte, 8)
PEER_DECLARE(rte, 64)
PEER_DECLARE(rte, 1024)
PEER_DECLARE(ck, 8)
PEER_DECLARE(ck, 64)
PEER_DECLARE(ck, 1024)
PEER_DECLARE(boost, 8)
PEER_DECLARE(boost, 64)
PEER_DECLARE(boost, 1024)

#endif
