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

struct block {
    struct sealed *sealed; /* serves a tenant whose answers are replies */
    uint32_t payload_size;
    struct csv_sealer *const *sealers; /* record i is of sealer i modulo their number; NULL: */
    uint32_t sealer_count;             /* sealed's own */
    uint32_t count_max;                /* records that both rings take at once */
    uint32_t count;                    /* in the rings now */
    uint64_t outputs;                  /* of the worker when all of them are answered */
};

void block_init(struct block *block, struct sealed *sealed, uint32_t payload_size);
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
