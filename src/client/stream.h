/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h: which records of a stream have been answered: exact, one bit per sequence number.
 *
 * Memory:   grows with the highest sequence number seen, in steps; a jump beyond what memory allows
 *           is an error of that record, not a guess.
 */
#ifndef CSV_CLIENT_STREAM_H
#define CSV_CLIENT_STREAM_H

#include <caisson/client.h>

struct csv_stream_state {
    struct csv_stream known;
    uint64_t *bits;     /* complete: all parts of it were seen */
    uint64_t bit_count; /* multiple of 64 */
    uint64_t highest;   /* one more than the highest complete sequence number */
    /* records of which some parts are missing still */
    struct csv_partial {
        uint64_t sequence;
        uint64_t parts; /* bit per part */
    } partial[16];
    uint32_t partial_count;
};

/*
 * Takes part `part` of `part_count` (at most 64) of a data record. CSN_ERR_REPLAY: seen before.
 * CSN_ERR_MEMORY, CSN_ERR_LIMIT: cannot be tracked.
 */
CSN_MUST_USE csn_err csv_stream_take(struct csv_stream_state *stream, uint64_t sequence,
                                     uint32_t part, uint32_t part_count, bool *complete);
/* Fills missing and first_gap. */
void csv_stream_report(const struct csv_stream_state *stream, struct csv_stream *report);
void csv_stream_wipe(struct csv_stream_state *stream);

#endif
