/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rings.h: how a gateway hands a channel of an enclave to a process of the same machine, which then
 * is the host's end of it: sealed records go without a copy, a system call or a thread between.
 *
 * The process connects to the socket of the service's `rings`; the gateway sends one struct
 * csn_wire_rings with a descriptor of all the rings (SCM_RIGHTS), and nothing else, ever. The
 * channel is the process's for as long as the connection lasts. It goes on where the last one
 * stopped: its first position in the in ring is behind the last run that is there, and in the out
 * ring where the credit word says; answers to others' tags are passed over.
 *
 * Whoever holds the descriptor can write every ring of that enclave: it can stop the service, and
 * can read and make nothing, just as any host.
 */
#ifndef CAISSON_WIRE_RINGS_H
#define CAISSON_WIRE_RINGS_H

#include <stddef.h>
#include <stdint.h>

#define CSN_WIRE_RINGS_MAGIC   UINT32_C(0x524e5343) /* "CSNR" */
#define CSN_WIRE_RINGS_VERSION 1u

struct csn_wire_rings {
    uint32_t magic;
    uint32_t version;
    uint64_t size;           /* bytes of all the rings */
    uint64_t worker_offset;  /* of the worker's event line: channel.h */
    uint64_t channel_offset; /* of the channel's lines */
    uint32_t input_line_count;
    uint32_t output_line_count;
    uint32_t input_size_max;
    uint32_t output_size_max;
    char worker[32]; /* what the gateway calls it in Caisson-Worker; terminated */
};
_Static_assert(sizeof(struct csn_wire_rings) == 80, "size");
_Static_assert(offsetof(struct csn_wire_rings, channel_offset) == 24, "offset");
_Static_assert(offsetof(struct csn_wire_rings, worker) == 48, "offset");

#endif
