/* SPDX-License-Identifier: Apache-2.0 */
/* peer_boost.h: between peer_boost.cc (C++) and peer_boost.c, for one PEER_SIZE. */
#ifndef CSN_BENCH_PEER_BOOST_H
#define CSN_BENCH_PEER_BOOST_H

#include <stdint.h>

#define PEER_BOOST__(size, what) boost_##size##_##what
#define PEER_BOOST_(size, what)  PEER_BOOST__(size, what)
#define PEER_BOOST(what)         PEER_BOOST_(PEER_SIZE, what)

#ifdef __cplusplus
extern "C" {
#endif

void *PEER_BOOST(new)(uint32_t slots);
uint32_t PEER_BOOST(put)(void *queue, const void *source, uint32_t count);
uint32_t PEER_BOOST(take)(void *queue, void *target, uint32_t count);

#ifdef __cplusplus
}
#endif
#endif
