/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c: completeness of one stream (docs/WIRE.md section 8). */
#include "stream.h"
#include <stdlib.h>

#define BITS_FIRST UINT64_C(4096)
#define BITS_LAST  (UINT64_C(1) << 36) /* 8 GiB of bits: no honest stream is longer unbroken */

static bool has(const struct csv_stream_state *stream, uint64_t sequence)
{
    return sequence < stream->bit_count && (stream->bits[sequence / 64] >> sequence % 64 & 1) != 0;
}

static csn_err grow(struct csv_stream_state *stream, uint64_t sequence)
{
    uint64_t count = stream->bit_count != 0 ? stream->bit_count : BITS_FIRST;
    if (sequence >= BITS_LAST) {
        return CSN_ERR_LIMIT;
    }
    while (count <= sequence) {
        count *= 2;
    }
    if (count == stream->bit_count) {
        return CSN_OK;
    }
    uint64_t *bits = realloc(stream->bits, count / 8);
    if (bits == NULL) {
        return CSN_ERR_MEMORY;
    }
    __builtin_memset(bits + stream->bit_count / 64, 0, (count - stream->bit_count) / 8);
    stream->bits = bits;
    stream->bit_count = count;
    return CSN_OK;
}

static struct csv_partial *find_partial(struct csv_stream_state *stream, uint64_t sequence)
{
    for (uint32_t i = 0; i < stream->partial_count; i++) {
        if (stream->partial[i].sequence == sequence) {
            return &stream->partial[i];
        }
    }
    if (stream->partial_count == sizeof stream->partial / sizeof stream->partial[0]) {
        return NULL;
    }
    struct csv_partial *partial = &stream->partial[stream->partial_count++];
    *partial = (struct csv_partial){.sequence = sequence};
    return partial;
}

csn_err csv_stream_take(struct csv_stream_state *stream, uint64_t sequence, uint32_t part,
                        uint32_t part_count, bool *complete)
{
    *complete = false;
    if (part_count > 64) {
        return CSN_ERR_LIMIT;
    }
    if (has(stream, sequence)) {
        return CSN_ERR_REPLAY;
    }
    CSN_TRY(grow(stream, sequence));
    if (part_count > 1) {
        struct csv_partial *partial = find_partial(stream, sequence);
        if (partial == NULL) {
            return CSN_ERR_LIMIT;
        }
        if ((partial->parts >> part & 1) != 0) {
            return CSN_ERR_REPLAY;
        }
        partial->parts |= UINT64_C(1) << part;
        if (partial->parts != UINT64_MAX >> (64 - part_count)) {
            return CSN_OK;
        }
        *partial = stream->partial[--stream->partial_count];
    }
    stream->bits[sequence / 64] |= UINT64_C(1) << sequence % 64;
    stream->highest = sequence >= stream->highest ? sequence + 1 : stream->highest;
    *complete = true;
    return CSN_OK;
}

void csv_stream_report(const struct csv_stream_state *stream, struct csv_stream *report)
{
    *report = stream->known;
    uint64_t end = report->fin_seen ? report->sent : stream->highest;
    uint64_t there = 0;
    bool gap = false;
    for (uint64_t sequence = 0; sequence < end; sequence++) {
        bool seen = has(stream, sequence);
        there += seen;
        if (!seen && !gap) {
            gap = true;
            report->first_gap = sequence;
        }
        if (sequence >= stream->bit_count) {
            break; /* nothing behind it was seen */
        }
    }
    report->missing = end - there;
}

void csv_stream_wipe(struct csv_stream_state *stream)
{
    free(stream->bits);
    *stream = (struct csv_stream_state){.bits = NULL};
}
