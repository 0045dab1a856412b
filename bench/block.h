/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.h: sealed records that a worker finds all at once. They are written into its in ring while
 * it sleeps, published together, and their answers stay in the out ring until the last one is
 * there: from the publication to that moment no client runs, so that what is measured is the
 * worker, with input and credit for its output all the time.
 *
 * It reaches into libcaisson's own view of a channel, because its interface publishes every batch.
 * Ends the program when something does not work, as sealed.h does. One thread.
 */
#ifndef CSN_BENCH_BLOCK_H
#define CSN_BENCH_BLOCK_H

#include "sealed.h"

#define BLOCK_PAYLOAD_MAX 65536u
#define BLOCK_RECORD_MAX  (2u * BLOCK_PAYLOAD_MAX) /* room for a message */

struct block;

/* Other messages than records with operation 1: each is checked by what made it. */
struct block_form {
    /* Message `index` of a block into BLOCK_RECORD_MAX bytes; returns its size. */
    uint32_t (*make)(const struct block *block, uint32_t index, uint8_t *message);
    uint32_t code; /* of its answer */
    void (*check)(const struct block *block, uint32_t index, uint8_t *answer, uint32_t size);
};

struct block {
    struct sealed *sealed; /* serves a tenant whose answers are replies */
    uint32_t payload_size;
    const struct block_form *form; /* NULL: records */
    void *form_state;
    struct csv_sealer *const *sealers; /* record i is of sealer i modulo their number; NULL: */
    uint32_t sealer_count;             /* sealed's own */
    uint32_t count_max;                /* records that both rings take at once */
    uint32_t count;                    /* in the rings now */
    uint64_t outputs;                  /* of the worker when all of them are answered */
};

void block_init(struct block *block, struct sealed *sealed, uint32_t payload_size);
/* The same with messages of a form of their own; payload_size: about what is in one. */
void block_init_form(struct block *block, struct sealed *sealed, uint32_t payload_size,
                     const struct block_form *form, void *form_state);
/* Seals count records into the in ring; the worker sees none of them before block_publish(). */
void block_fill(struct block *block, uint32_t count);
void block_publish(struct block *block);
/* Sleeps until all are answered. */
void block_wait(const struct block *block);
/* Takes and opens the answers: each must be what went in. */
void block_drain(struct block *block);
/* The counters of the block's worker. */
void block_stats(const struct block *block, struct csn_wire_boot_stats *stats);
/* Core time of the enclave so far, all workers, in ns: its process', or its virtual CPUs' threads'.
 */
uint64_t block_core_ns(void);

#endif
