/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.h: the bytes of the ring region, which the host may rewrite at any time.
 *
 * Geometry follows from the manifest alone. All of it is in lines of 64 bytes:
 *
 *   worker area w:   line 0   the enclave worker's event word and its arm flag
 *   channel c of w (the last one is the store's, where the manifest has the flag):
 *                    line 0   in ring credit   (written by the enclave)
 *                    line 1   out ring credit  (written by the host)
 *                    line 2   host event word and its arm flag
 *                    line 3   reserved
 *                    lines of the in ring, then lines of the out ring
 *
 * A run is a number of whole lines that never wraps: one message, or a pack of several. Its first
 * 8 bytes are the head word, stored last with release; then an 8-byte tag; then the body; the rest
 * of the last line is zero.
 *
 *   head word   bits 63..32  sequence: low 32 bits of the free-running number of its first line
 *               bit  31      1: a run is here (a zero word means not yet)
 *               bit  30      0: one message; 1: a pack, or with bits 23..0 zero a pad: no message,
 *                            continue at the start of the ring
 *               bit  29      final: the last output for its tag (out ring), 0 (in ring)
 *               bits 28..24  in the first word of a batch: how many lines appear with it, by
 *                            csn_wire_ahead_code(), rounded down; a hint for fetching ahead, any
 *                            value is valid
 *               bits 23..0   one message: its body size in bytes (without head word and tag)
 *                            a pack: bits 23..12 how many messages, less one (at least one), bits
 *                            11..0 the body size of each (at least one)
 *
 * The messages of a pack are alike in size and final mark, and each one's tag is one more than that
 * before; the tag after the head word is the first one's. Their bodies follow each other, each
 * filled up with zeros to a multiple of 8 bytes.
 *
 * A pad is as long as the lines left and shorter than the next message alone would be; both appear
 * at once. Before a producer publishes a run it writes zero to the first word of the line after the
 * run, so that a consumer at its next position sees zero or a published head word, and anything
 * else is a broken peer. That line must be free, so at most line_count - 1 lines are ever in use.
 * Credit words are free-running line numbers: how far the consumer has consumed. It may give back
 * the lines of a pack one by one.
 */
#ifndef CAISSON_WIRE_CHANNEL_H
#define CAISSON_WIRE_CHANNEL_H

#include <caisson/wire/manifest.h>
#include <caisson/wire/map.h>
#include <stdint.h>

#define CSN_WIRE_LINE_SIZE        64u
#define CSN_WIRE_HEAD_SIZE        16u /* head word and tag */
#define CSN_WIRE_HEAD_VALID       (UINT64_C(1) << 31)
#define CSN_WIRE_HEAD_PAD         (UINT64_C(1) << 30)
#define CSN_WIRE_HEAD_PACK        CSN_WIRE_HEAD_PAD
#define CSN_WIRE_HEAD_FINAL       (UINT64_C(1) << 29)
#define CSN_WIRE_HEAD_AHEAD       (UINT64_C(0x1f) << CSN_WIRE_HEAD_AHEAD_SHIFT)
#define CSN_WIRE_HEAD_SIZE_MASK   UINT64_C(0xffffff)
#define CSN_WIRE_HEAD_AHEAD_SHIFT 24
#define CSN_WIRE_HEAD_AHEAD_MAX   31u

#define CSN_WIRE_PACK_COUNT_SHIFT 12
#define CSN_WIRE_PACK_COUNT_MAX   4096u
#define CSN_WIRE_PACK_SIZE_MAX    4095u

#define CSN_WIRE_WORKER_LINES  1u
#define CSN_WIRE_CHANNEL_LINES 4u
/* Inside a channel's lines: bytes from its start. */
#define CSN_WIRE_CHANNEL_INPUT_CREDIT  0u
#define CSN_WIRE_CHANNEL_OUTPUT_CREDIT 64u
#define CSN_WIRE_CHANNEL_HOST_EVENT    128u
#define CSN_WIRE_BATCH_COUNT_MAX       32u
#define CSN_WIRE_BATCH_SIZE_MAX        UINT32_C(65536)

/* Inside an event line: two aligned 8-byte words. */
#define CSN_WIRE_EVENT_WORD  0u /* low 32 bits: the futex word, only ever incremented */
#define CSN_WIRE_EVENT_ARMED 8u /* bit 32: waiter (nearly) asleep; low 32: word seen */

static inline uint32_t csn_wire_lines(uint32_t body_size)
{
    return (body_size + CSN_WIRE_HEAD_SIZE + CSN_WIRE_LINE_SIZE - 1) / CSN_WIRE_LINE_SIZE;
}

/* 0, 4 .. 28 and from code 8 on 32, 80 .. 1,136 lines: a batch of four records of 16 KiB. */
static inline uint32_t csn_wire_ahead_lines(uint32_t code)
{
    return code < 8 ? 4 * code : 32 + 48 * (code - 8);
}

static inline uint32_t csn_wire_ahead_code(uint64_t lines)
{
    if (lines < 32) {
        return (uint32_t)lines / 4;
    }
    uint64_t code = 8 + (lines - 32) / 48;
    return code < CSN_WIRE_HEAD_AHEAD_MAX ? (uint32_t)code : CSN_WIRE_HEAD_AHEAD_MAX;
}

static inline uint64_t csn_wire_channel_size(const struct csn_wire_manifest *m)
{
    return (uint64_t)CSN_WIRE_LINE_SIZE *
           ((uint64_t)CSN_WIRE_CHANNEL_LINES + m->input_line_count + m->output_line_count);
}

/* Channels of a worker in the ring region: with the one for the store, which is the last. */
static inline uint32_t csn_wire_channels(const struct csn_wire_manifest *m)
{
    return m->channel_count + ((m->flags & CSN_WIRE_FLAG_STORE) != 0 ? 1 : 0);
}

/* Bytes of one worker's area, rounded to pages. */
static inline uint64_t csn_wire_worker_size(const struct csn_wire_manifest *m)
{
    uint64_t size = (uint64_t)CSN_WIRE_LINE_SIZE * CSN_WIRE_WORKER_LINES +
                    csn_wire_channel_size(m) * csn_wire_channels(m);
    return (size + CSN_MAP_PAGE_SIZE - 1) & ~(CSN_MAP_PAGE_SIZE - 1);
}

static inline uint64_t csn_wire_rings_size(const struct csn_wire_manifest *m)
{
    return csn_wire_worker_size(m) * m->worker_count;
}

/* Offsets from the start of the ring region. */
static inline uint64_t csn_wire_worker_offset(const struct csn_wire_manifest *m, uint32_t worker)
{
    return csn_wire_worker_size(m) * worker;
}

static inline uint64_t csn_wire_channel_offset(const struct csn_wire_manifest *m, uint32_t worker,
                                               uint32_t channel)
{
    return csn_wire_worker_offset(m, worker) + CSN_WIRE_LINE_SIZE * CSN_WIRE_WORKER_LINES +
           csn_wire_channel_size(m) * channel;
}

#endif
