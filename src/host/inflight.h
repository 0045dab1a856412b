/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflight.h: the inputs that have no final output yet, in order, with their bytes.
 *
 * Outputs come in the order of inputs, so this is a FIFO: the receiver takes from the front what
 * the submitter put at the back. Between the two calls that put one there it is reserved: the
 * submitter fills its bytes, and neither the receiver nor a recovery sees it.
 *
 * Threads:  one submitting, one receiving; each index is written by one of them alone.
 * Memory:   fixed at init; a full table is CSN_AGAIN for the submitter, nothing is ever dropped.
 */
#ifndef CSN_HOST_INFLIGHT_H
#define CSN_HOST_INFLIGHT_H

#include <caisson/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csn_inflight_entry {
    uint64_t tag;
    uint64_t start;   /* free-running byte position of the copy */
    uint32_t size;    /* bytes */
    uint32_t crashes; /* that happened while it was alone in flight */
};

struct csn_inflight {
    struct csn_inflight_entry *entries;
    uint8_t *bytes;
    uint32_t count_max; /* entries */
    uint64_t size_max;  /* bytes of the copies */
    uint64_t back;      /* entries ever added; written by the submitter */
    uint64_t front;     /* entries ever removed; written by the receiver */
    uint64_t reserved;  /* entries ever reserved, less those abandoned; the submitter's own */
    uint64_t end;       /* byte position after the newest copy; the submitter's own */
};

/* size_max: bytes of copies; at least twice the largest message. */
CSN_MUST_USE csn_err csn_inflight_init(struct csn_inflight *table, uint32_t count_max,
                                       uint64_t size_max);
void csn_inflight_free(struct csn_inflight *table);
uint32_t csn_inflight_count(const struct csn_inflight *table);

/* Submitter: entries that take room, those reserved as well. */
uint32_t csn_inflight_held(const struct csn_inflight *table);
/* Submitter: bytes from the oldest copy to the newest, gaps and what is reserved included. */
uint64_t csn_inflight_span(const struct csn_inflight *table);
/* Submitter: room for one more of that size? */
bool csn_inflight_has_room(const struct csn_inflight *table, uint32_t size);
/* Submitter, after csn_inflight_has_room(): the place of one more, behind those reserved. */
void *csn_inflight_reserve(struct csn_inflight *table, uint32_t size);
/* Submitter: the oldest that is reserved, or NULL. */
const struct csn_inflight_entry *csn_inflight_next(const struct csn_inflight *table);
/* Submitter: adds that one, with as many of its bytes as size says. */
void csn_inflight_commit(struct csn_inflight *table, uint64_t tag, uint32_t size, uint32_t crashes);
/* Submitter: forgets all that is reserved. */
void csn_inflight_abandon(struct csn_inflight *table);
/* Submitter, after csn_inflight_has_room(), nothing being reserved: copies it in. */
void csn_inflight_add(struct csn_inflight *table, uint64_t tag, const void *message, uint32_t size,
                      uint32_t crashes);
/* Receiver: the oldest, or NULL. Valid until csn_inflight_remove(). */
struct csn_inflight_entry *csn_inflight_oldest(const struct csn_inflight *table);
void csn_inflight_remove(struct csn_inflight *table);

/* While nobody submits or receives: the index-th from the oldest, and its bytes. */
struct csn_inflight_entry *csn_inflight_at(const struct csn_inflight *table, uint32_t index);
const void *csn_inflight_bytes(const struct csn_inflight *table,
                               const struct csn_inflight_entry *entry);
void csn_inflight_clear(struct csn_inflight *table);

#endif
