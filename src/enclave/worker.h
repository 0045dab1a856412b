/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h: what start-up, run loop and sessions share inside one worker.
 *
 * Trust:    all of it is private memory. Only `event` and the rings inside `channels` point to
 *           memory that the host writes, and both are opaque types.
 * Threads:  one worker, one thread; workers share the image's constants and struct cse_instance,
 *           which is read-only once the workers run.
 * Lifetime: from start to the end of the enclave; everything is carved from the worker's pool.
 *
 * Who does what, in this order:
 *   start.c    checks the boot region, selects kernels, seeds the generator, makes the instance
 *              key, lays the pool, then calls the two init functions and seals the pool
 *   loop.c     cse_loop_init() carves channels and batch buffers; cse_loop_run() serves for ever
 *   session*.c cse_session_init() carves tenants, contexts and scratch; cse_session_batch() answers
 * inputs (session.h)
 */
#ifndef CSN_ENCLAVE_WORKER_H
#define CSN_ENCLAVE_WORKER_H

#include "../core/pool.h"
#include "../core/ring.h"
#include "../crypto/random.h"
#include "outside.h"
#include "session.h"
#include <caisson/base.h>
#include <caisson/enclave.h>
#include <caisson/wire/boot.h>
#include <caisson/wire/channel.h>
#include <caisson/wire/manifest.h>
#include <caisson/wire/stop.h>
#include <stdbool.h>
#include <stdint.h>

struct cse_channel {
    struct csn_ring_reader reader;
    struct csn_ring_writer writer;
    struct csn_shared *host_event; /* event line of the host's side of this channel */
};

struct cse_loop; /* loop.c's own */

struct cse_worker {
    uint32_t index;
    const struct csn_wire_manifest *manifest; /* an aligned copy of the measured note */
    const struct cse_service *service;
    const struct cse_instance *instance;
    struct csn_wire_boot *boot;        /* launcher's; write only made and stats */
    struct csn_wire_boot_stats *stats; /* this worker's line in it */
    struct csn_pool pool;              /* sealed before the first input is taken */
    struct csn_random random;          /* this worker's own generator */
    struct csn_shared *event;          /* this worker's event line */
    struct cse_channel *channels;      /* csn_wire_channels() of them: the store's is the last */
    struct cse_outside *outside;       /* NULL without a store */
    struct cse_loop *loop;
    struct cse_session *session;
    const struct cse_tending *tending; /* the session's; NULL: batches are all there is to do */
};

/* ---- provided by the loop (loop.c) ---- */

/* Carves what the loop needs and opens the rings. CSN_ERR_MEMORY: the pool is too small. */
CSN_MUST_USE csn_err cse_loop_init(struct cse_worker *worker);
/* Carves and opens worker->outside, after that. */
CSN_MUST_USE csn_err cse_loop_outside(struct cse_worker *worker);
/* Serves until the enclave ends. */
CSN_NORETURN void cse_loop_run(struct cse_worker *worker);
/*
 * Everything but pings goes to cse_session_batch(worker->session, …) with a sink of the loop's that
 * appends to the ring. Credit for outputs_per_input_max outputs of output_size_max bytes was
 * reserved before an input was taken: asking for more is a bug of ours and stops the enclave.
 */

/* ---- provided by start-up (start.c, stack.c) ---- */

/* Most stack bytes that this worker has used so far, from the painted stack. Walks the paint. */
uint64_t cse_stack_high_water(const struct cse_worker *worker);

#endif
