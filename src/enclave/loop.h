/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h: the run loop of one worker, in steps, for the loop itself and for hosted tests.
 *
 * Waiting: a worker that finds nothing looks for about as long as a sleep and a wake cost; then it
 * arms its event, looks once more and parks. It reads no clock, which is the host's to set: it
 * counts what its looks cost. One that parked in vain looks half as long the next time, down to
 * what a busy host takes between two batches; work found by looking, and each 16th park, bring back
 * the whole. docs/PERFORMANCE.md, Waiting, has the measurement (bench/park.c) and the argument. A
 * parked worker costs nothing; a doorbell that lies costs one look at every channel.
 */
#ifndef CSN_ENCLAVE_LOOP_H
#define CSN_ENCLAVE_LOOP_H

#include "worker.h"
#include <stdbool.h>

/* In lines looked at, 5 ns each where it was measured; a round over all channels costs 7 beside. */
#define CSE_LOOP_SPIN_MAX   4000u
#define CSE_LOOP_SPIN_MIN   500u
#define CSE_LOOP_ROUND_COST 7u
#define CSE_LOOP_PROBE      16u /* parks */

struct cse_loop {
    uint64_t dropped;          /* bit per channel */
    uint64_t output_lines_max; /* of the outputs of one input, the largest there are */
    uint32_t next_channel;     /* where the next batch begins to look */
    uint32_t idle;             /* lines looked at since the last batch or park */
    uint32_t idle_max;         /* of them before the next park */
    uint32_t probe;            /* parks since it was CSE_LOOP_SPIN_MAX */
    bool more;                 /* the last step of the service left something to do */
    uint32_t input_room;       /* bytes that one read may touch */
    uint32_t buffer_size;      /* bytes */
    uint32_t count;            /* inputs of this batch */
    uint32_t used;             /* bytes of the buffer */
    uint32_t body_size;        /* bytes of bodies in this batch */
    uint8_t *buffer;
    struct cse_input inputs[CSN_WIRE_BATCH_COUNT_MAX];
};

static inline uint32_t cse_loop_round(uint32_t size)
{
    return (size + CSN_WIRE_LINE_SIZE - 1) / CSN_WIRE_LINE_SIZE * CSN_WIRE_LINE_SIZE;
}

/* A batch, the rounding of each input to a line, and one more read of any size. */
static inline uint32_t cse_loop_buffer_size(const struct csn_wire_manifest *manifest)
{
    return CSN_WIRE_BATCH_SIZE_MAX + CSN_WIRE_BATCH_COUNT_MAX * CSN_WIRE_LINE_SIZE +
           cse_loop_round(manifest->input_size_max) + CSN_WIRE_LINE_SIZE;
}

/* Take one batch, answer it, publish the answers. False: there was nothing that could be taken. */
bool cse_loop_step(struct cse_worker *worker);
/*
 * What else there is to do: the service's step, after a batch, while it says that there is more,
 * and while calls are held; what it sent is published. True: there is more.
 */
bool cse_loop_tend(struct cse_worker *worker, bool after_batch);
/* One idle round: spin, or, after enough of them, arm, look again and park. */
void cse_loop_idle(struct cse_worker *worker);

#endif
