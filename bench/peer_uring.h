/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_uring.h: an echo over AF_UNIX by io_uring, one system call a side and trip, where liburing
 * is installed; else there is none (peer_uring_none.c).
 */
#ifndef CSN_BENCH_PEER_URING_H
#define CSN_BENCH_PEER_URING_H

#include "cores.h"

/* A way whose step is a round trip of 64 bytes, or NULL. One of it. */
const struct bench_way *peer_uring(void);

#endif
