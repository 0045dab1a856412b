/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_peer.h: what a team would use today: an echo service of gRPC C++ with TLS over a unix
 * socket, client and server in this process.
 *
 * Requests are byte buffers without protobuf, and one thread serves each side's completion queue:
 * both favour gRPC. The certificate is made at the start and pinned by the client.
 */
#ifndef CSN_BENCH_GRPC_PEER_H
#define CSN_BENCH_GRPC_PEER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct grpc_peer;

/* NULL with a message on stderr when the server or the channel does not come up. */
struct grpc_peer *grpc_peer_start(void);
/*
 * Sends `count` requests of `size` bytes with `in_flight` of them under way, and checks each
 * answer. Returns how many came back as they went: anything under count is a failure.
 */
uint64_t grpc_peer_run(struct grpc_peer *peer, uint32_t size, uint32_t in_flight, uint64_t count);
void grpc_peer_stop(struct grpc_peer *peer);

#ifdef __cplusplus
}
#endif

#endif
