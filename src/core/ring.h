/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h: one-way message ring of 64-byte lines (include/caisson/wire/channel.h has the bytes).
 *
 * Trust:    the region is hostile; every decision uses the private copies in the structs below.
 * Threads:  one thread per end. No locks, no allocation, no system call.
 * Lifetime: the caller owns struct and region; the region must outlive the struct.
 * Builds:   hosted and freestanding, same source. One file writes the protocol: ring.c.
 */
#ifndef CSN_CORE_RING_H
#define CSN_CORE_RING_H

#include "xcopy.h"
#include <caisson/base.h>
#include <stdbool.h>
#include <stdint.h>

struct csn_ring_counters {
    uint64_t messages;
    uint64_t batches;
    uint64_t poisoned;
};

/* Producing end. */
struct csn_ring_writer {
    struct csn_shared *lines;  /* first line of the ring */
    struct csn_shared *credit; /* the consumer's credit word */
    uint32_t line_count;       /* power of two */
    uint32_t size_max;         /* largest body, bytes */
    uint64_t cursor;           /* free-running line number, private */
    uint64_t published;        /* runs before this line are visible */
    uint64_t credit_seen;      /* last valid credit */
    uint64_t zeroed;           /* line whose first word is zero already; 0 if none */
    uint64_t first_head;       /* head word of the batch's first run, stored last */
    uint32_t batch_count;      /* messages not yet published */
    uint64_t batch_size;       /* body bytes not yet published */
    bool streamed;             /* some of the batch went past the caches */
    csn_err fate;              /* CSN_OK, or CSN_ERR_PEER for ever */
    struct csn_ring_counters counters;
};

/* Consuming end. */
struct csn_ring_reader {
    struct csn_shared *lines;
    struct csn_shared *credit;
    uint32_t line_count;
    uint32_t size_max;
    uint64_t cursor;
    uint64_t credit_given; /* last cursor stored to the credit word; lazily behind cursor */
    uint64_t known;        /* lines before this one are said to be there */
    uint64_t asked;        /* lines before this one were asked for */
    uint64_t expected;     /* messages before this line are in csn_ring_expect()'s caller's hands */
    csn_err fate;
    struct csn_ring_counters counters;
};

struct csn_ring_message {
    uint64_t tag;
    uint32_t size; /* body bytes */
    bool final;
};

/* line_count: power of two, at least twice the lines of size_max; else CSN_ERR_ARGUMENT. */
CSN_MUST_USE csn_err csn_ring_writer_init(struct csn_ring_writer *writer, struct csn_shared *lines,
                                          struct csn_shared *credit, uint32_t line_count,
                                          uint32_t size_max);
CSN_MUST_USE csn_err csn_ring_reader_init(struct csn_ring_reader *reader, struct csn_shared *lines,
                                          struct csn_shared *credit, uint32_t line_count,
                                          uint32_t size_max);

/*
 * Append one message to the current batch; not visible before csn_ring_publish(). A message may be
 * given in two pieces (head and body), so that an answer's prefix needs no copy.
 * CSN_AGAIN: no credit, nothing written. CSN_ERR_SPACE: larger than size_max. CSN_ERR_PEER: sticky.
 */
struct csn_ring_piece {
    const void *bytes;
    uint32_t size;
};
CSN_MUST_USE csn_err csn_ring_write(struct csn_ring_writer *writer, uint64_t tag, bool final,
                                    const struct csn_ring_piece pieces[2]);
/* True if the batch has reached 32 messages or 64 KiB: time to publish. */
bool csn_ring_batch_is_full(const struct csn_ring_writer *writer);
/*
 * Make the batch visible (release). Pairs with the acquire in csn_ring_read(). False when there was
 * nothing to publish; true: a signal to the consumer is due (csn_event_signal()).
 */
bool csn_ring_publish(struct csn_ring_writer *writer);

/*
 * True if count messages of at most size bytes each can be appended whatever the wrap costs: the
 * reservation that a worker makes before it takes an input.
 */
bool csn_ring_has_credit(struct csn_ring_writer *writer, uint32_t count, uint32_t size);
/* The same for messages of mixed sizes: their lines in all, and the size of the largest. */
bool csn_ring_has_lines(struct csn_ring_writer *writer, uint64_t lines, uint32_t size);

/*
 * Copy the next message, exactly once, into target (caller's, at least size_max rounded up to 8
 * bytes; the rest of the last word is zeroed). CSN_AGAIN: nothing there. CSN_ERR_PEER: sticky.
 */
CSN_MUST_USE csn_err csn_ring_read(struct csn_ring_reader *reader, void *target,
                                   struct csn_ring_message *message);
/*
 * Where the next message that was not asked for yet should lie, if it has that size and the
 * producer says that it is there; else NULL. For a caller that is busy before it reads on and asks
 * for the lines meanwhile, spread out (csn_shared_expect_read()): of many at once the processor
 * drops most. Only head words are read; whatever they say, the lines are of this ring.
 */
const struct csn_shared *csn_ring_expect(struct csn_ring_reader *reader, uint32_t size);
/* True if a read would find something (one acquire load). */
bool csn_ring_has_message(const struct csn_ring_reader *reader);
/*
 * Give consumed lines back now (lazily done by csn_ring_read every quarter of the ring). A consumer
 * must call it before it sleeps. True if the word moved: a signal to the producer is due, here and
 * wherever credit_given has moved over a csn_ring_read().
 */
bool csn_ring_give_credit(struct csn_ring_reader *reader);

/* Invariants; true unless memory of ours was damaged. For tests, fuzzers and debug builds. */
bool csn_ring_writer_check(const struct csn_ring_writer *writer);
bool csn_ring_reader_check(const struct csn_ring_reader *reader);

#endif
