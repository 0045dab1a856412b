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
 *              key, lays the pool and scratch, then calls the two init functions and seals the pool
 *   loop.c     cse_loop_init() carves channels and batch buffers; cse_loop_run() serves for ever
 *   session*.c cse_session_init() carves tenants and contexts; cse_session_batch() answers inputs
 */
#ifndef CSN_ENCLAVE_WORKER_H
#define CSN_ENCLAVE_WORKER_H

#include "../core/pool.h"
#include "../core/ring.h"
#include "../crypto/random.h"
#include <caisson/base.h>
#include <caisson/enclave.h>
#include <caisson/wire/boot.h>
#include <caisson/wire/channel.h>
#include <caisson/wire/manifest.h>
#include <caisson/wire/stop.h>
#include <stdbool.h>
#include <stdint.h>

/* One per enclave, made by worker 0 before any other worker goes on; then read-only. */
struct cse_instance {
    uint8_t secret_key[32]; /* HPKE instance key: opens grants, nothing else */
    uint8_t public_key[32];
    uint8_t boot_id[16];
    struct csn_wire_boot_given given; /* the one copy of what the launcher gave */
};

struct cse_channel {
    struct csn_ring_reader reader;
    struct csn_ring_writer writer;
    struct csn_shared *host_event; /* event line of the host's side of this channel */
};

struct cse_loop;    /* loop.c's own */
struct cse_session; /* session.c's own */

struct cse_worker {
    uint32_t index;
    const struct csn_wire_manifest *manifest; /* in the image's read-only segment */
    const struct cse_service *service;
    const struct cse_instance *instance;
    struct csn_wire_boot *boot;        /* launcher's; write only made and stats */
    struct csn_wire_boot_stats *stats; /* this worker's line in it */
    struct csn_pool pool;              /* sealed before the first input is taken */
    struct csn_scratch scratch;        /* manifest->scratch_size; reset after each record */
    struct csn_random random;          /* this worker's own generator */
    struct csn_shared *event;          /* this worker's event line */
    struct cse_channel *channels;      /* manifest->channel_count of them */
    struct cse_loop *loop;
    struct cse_session *session;
};

/* One input, already copied into private memory. The batch may be changed in place. */
struct cse_item {
    uint8_t *bytes;   /* the body; 8-byte aligned; sessions may decrypt in place */
    uint32_t size;    /* bytes, at most manifest->input_size_max */
    uint32_t channel; /* index within the worker */
    uint64_t tag;
};

/* ---- provided by the loop (loop.c) ---- */

/* Carves what the loop needs and opens the rings. CSN_ERR_MEMORY: the pool is too small. */
CSN_MUST_USE csn_err cse_loop_init(struct cse_worker *worker);
/* Serves until the enclave ends. */
CSN_NORETURN void cse_loop_run(struct cse_worker *worker);
/*
 * Appends one output: struct csn_wire_answer{code, size}, then size body bytes. Credit for
 * outputs_per_input_max outputs of output_size_max bytes was reserved before the input was taken,
 * so this fails only on a poisoned channel (CSN_ERR_PEER), which callers may ignore, or on a body
 * that is larger than output_size_max - 8 (CSN_ERR_SPACE). Exactly one output per input is final,
 * and it is the last one. body may be NULL if size is 0.
 */
csn_err cse_answer(struct cse_worker *worker, uint32_t channel, uint64_t tag, bool final,
                   uint32_t code, const void *body, uint32_t size);

/* ---- provided by the sessions (session.c) ---- */

/* Carves tenants, contexts and record buffers. CSN_ERR_MEMORY: the pool is too small. */
CSN_MUST_USE csn_err cse_session_init(struct cse_worker *worker);
/*
 * Answers every item, in the order of the items of one channel. count is 1..32. The loop publishes
 * what was answered once this returns; a ping never reaches the sessions.
 */
void cse_session_batch(struct cse_worker *worker, struct cse_item *items, uint32_t count);

/* ---- provided by start-up (start.c, made.c, stack.c) ---- */

/* Most stack bytes that this worker has used so far, from the painted stack. Walks the paint. */
uint64_t cse_stack_high_water(const struct cse_worker *worker);
/*
 * The list of keys and the digest in the boot region are one per enclave, and grants may arrive at
 * any worker: begin waits (bounded) for the other workers' updates and makes key_version odd, end
 * makes it even again, with release. Between the two the caller may write made.keys, key_count and
 * config_digest. Grants are rare; no record takes this path.
 */
struct csn_wire_boot_made *cse_made_begin(struct cse_worker *worker);
void cse_made_end(struct cse_worker *worker);

#endif
