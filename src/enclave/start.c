/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.c: from the first C function to a serving worker.
 *
 * Trust:   the boot region is the launcher's; it is read once, by worker 0, and decides nothing but
 *          speed and names. Every size comes from the measured manifest.
 * Threads: worker 0 makes what all share (kernels, manifest copy, instance key) while the others
 *          wait for `common` with a bound; after that each works on its own.
 * Order:   nothing is served before every worker has got ready and every self-test is passed. That
 *          of signatures, which nothing before the first grant needs, runs when the host has been
 *          told already: while it makes evidence of this start.
 */
#include "start.h"
#include "../core/bytes.h"
#include "../core/event.h"
#include "../crypto/cpu.h"
#include "../crypto/curve.h"
#include "../crypto/self_test.h"
#include "entry.h"
#include "gate.h"
#include <caisson/vouch.h>
#include <caisson/wire/map.h>
#include <stdatomic.h>

_Static_assert(CSE_ENTRY_STOP_ENTROPY == CSN_WIRE_STOP_ENTROPY, "entry.S has the same number");
_Static_assert(sizeof(struct cse_manifest_note) == 20 + sizeof(struct csn_wire_manifest), "note");

#define START_SPINS                                                                                \
    UINT64_C(20000000000) /* minutes: worker 0 runs self-tests, on a busy machine                  \
                           */

#define COMMON_BLANK   0u
#define COMMON_READY   1u
#define COMMON_PROVED  2u
#define COMMON_REFUSED 3u

static _Atomic uint32_t common;           /* COMMON_*; release by worker 0 */
static _Atomic uint32_t ready_count;      /* workers that could serve */
static _Atomic uint64_t started;          /* bit per worker: each starts once */
static struct csn_wire_manifest manifest; /* the note is not aligned; worker 0 copies it */
static struct cse_instance instance;
static struct cse_worker *workers[CSN_MAP_WORKER_COUNT_MAX];

/* Each worker's stack lies in its own stride, so the stack pointer says who runs. */
static uint64_t worker_here(void)
{
    return ((uint64_t)__builtin_frame_address(0) - CSN_MAP_STACKS) / CSN_MAP_STACK_STRIDE;
}

void cse_worker_wipe(void)
{
    uint64_t index = worker_here();
    struct cse_worker *worker = index < CSN_MAP_WORKER_COUNT_MAX ? workers[index] : NULL;
    if (worker != NULL) {
        struct csn_pool *pool = &worker->pool;
        workers[index] = NULL;
        /* The worker itself lies in its pool: take what is needed before it goes. */
        uint8_t *base = pool->base;
        uint64_t used = pool->used;
        csn_wipe(base, used);
    }
    csn_wipe(instance.secret_key, sizeof instance.secret_key);
    csn_wipe(&instance.request_key, sizeof instance.request_key);
    csn_wipe(instance.statement_secret, sizeof instance.statement_secret);
}

void cse_refuse(uint32_t code)
{
    struct csn_wire_boot *boot = (struct csn_wire_boot *)CSN_MAP_BOOT;
    cse_worker_wipe();
    atomic_store_explicit(&common, COMMON_REFUSED, memory_order_release);
    boot->made.stop_code = code;
    __atomic_store_n(&boot->made.state, CSN_WIRE_STATE_REFUSED, __ATOMIC_RELEASE);
    cse_gate_stop(code);
}

/* ---- what all workers share ---- */

/* From worker 0's generator: what it hands out cannot be found from what it keeps. */
static void make_instance(struct csn_wire_boot *boot, struct csn_random *random)
{
    if (csn_random_fill(random, instance.secret_key, sizeof instance.secret_key) != CSN_OK ||
        csn_random_fill(random, instance.boot_id, sizeof instance.boot_id) != CSN_OK) {
        cse_refuse(CSN_WIRE_STOP_ENTROPY);
    }
    csn_x25519_public(instance.public_key, instance.secret_key);
    if (csn_is_zero_ct(instance.public_key, sizeof instance.public_key)) {
        cse_refuse(CSN_WIRE_STOP_ENTROPY);
    }
    __builtin_memcpy(boot->made.boot_id, instance.boot_id, sizeof instance.boot_id);
    struct csn_ohttp_key *key = &instance.request_key;
    if (cse_service.route_count != 0 &&
        (csn_random_fill(random, key->secret_key, sizeof key->secret_key) != CSN_OK ||
         csn_ohttp_key_make(key) != CSN_OK)) {
        cse_refuse(CSN_WIRE_STOP_ENTROPY);
    }
}

static void make_statement_key(struct csn_random *random)
{
    uint8_t seed[32];
    if (csn_random_fill(random, seed, sizeof seed) != CSN_OK) {
        cse_refuse(CSN_WIRE_STOP_ENTROPY);
    }
    cse_service.statements->make(seed, instance.statement_public, instance.statement_secret);
    csn_wipe(seed, sizeof seed);
}

/* Worker 0 only, before any other goes on. */
static void make_common(struct csn_wire_boot *boot)
{
    __builtin_memcpy(&instance.given, &boot->given, sizeof instance.given);
    if (instance.given.abi_version != CSN_WIRE_ABI_VERSION) {
        cse_refuse(CSN_WIRE_STOP_ABI);
    }
    __builtin_memcpy(&manifest, &cse_manifest_note.manifest, sizeof manifest);
    if (csn_cpu_begin(instance.given.features) != CSN_OK) {
        cse_refuse(CSN_WIRE_STOP_CPU);
    }
}

/* Worker 0 only, as the last of its start. */
static void prove_signatures(void)
{
    if (csn_signature_self_test() != CSN_OK ||
        (cse_service.statements != NULL && cse_service.statements->self_test() != CSN_OK)) {
        cse_refuse(CSN_WIRE_STOP_CPU);
    }
    atomic_store_explicit(&common, COMMON_PROVED, memory_order_release);
}

static void wait_for_common(uint32_t wanted)
{
    uint64_t spins = 0;
    uint32_t state;
    /* Pairs with the releases of worker 0. */
    while ((state = atomic_load_explicit(&common, memory_order_acquire)) < wanted) {
        if (++spins == START_SPINS) {
            cse_refuse(CSN_WIRE_STOP_TIMEOUT);
        }
        __builtin_ia32_pause();
    }
    if (state == COMMON_REFUSED) {
        /* Another worker has given the reason already; this one has nothing to add or to wipe. */
        cse_gate_stop(CSN_WIRE_STOP_START);
    }
}

/* ---- one worker ---- */

static struct cse_worker *lay_worker(struct csn_wire_boot *boot, uint32_t index)
{
    /* An equal share of whole pages; the manifest's rules make it large enough for the structs. */
    uint64_t share = manifest.pool_size / manifest.worker_count & ~(CSN_MAP_PAGE_SIZE - 1);
    struct csn_pool pool;
    csn_pool_init(&pool, (void *)(CSN_MAP_POOL + share * index), share);
    struct cse_worker *worker = csn_pool_carve(&pool, sizeof *worker, 64);
    if (worker == NULL) {
        cse_refuse(CSN_WIRE_STOP_POOL);
    }
    worker->index = index;
    worker->manifest = &manifest;
    worker->service = &cse_service;
    worker->instance = &instance;
    worker->boot = boot;
    worker->stats = &boot->stats[index];
    worker->pool = pool;
    worker->event = (struct csn_shared *)(CSN_MAP_RINGS + csn_wire_worker_offset(&manifest, index));
    workers[index] = worker;
    if (csn_random_init(&worker->random, csn_random_rdrand, NULL) != CSN_OK) {
        cse_refuse(CSN_WIRE_STOP_ENTROPY);
    }
    return worker;
}

static csn_err open_session(struct cse_worker *worker)
{
    const struct cse_session_options options = {
        .manifest = worker->manifest,
        .service = worker->service,
        .instance = worker->instance,
        .measurement = instance.given.measurement,
        .made = worker->index == 0 ? &worker->boot->made : NULL,
        .stats = worker->stats,
        .random = &worker->random,
        .worker = worker->index,
        .tending = &worker->tending,
        .outside = worker->outside,
    };
    return cse_session_init(&worker->session, &worker->pool, &options);
}

static uint32_t stop_code_for(csn_err err)
{
    switch (err) {
    case CSN_ERR_MEMORY:
        return CSN_WIRE_STOP_POOL;
    case CSN_ERR_ENTROPY:
        return CSN_WIRE_STOP_ENTROPY;
    default:
        return CSN_WIRE_STOP_START;
    }
}

static void start_worker(struct cse_worker *worker)
{
    csn_err err = cse_loop_init(worker);
    if (err == CSN_OK) {
        err = cse_loop_outside(worker);
    }
    if (err == CSN_OK) {
        err = open_session(worker);
    }
    if (err != CSN_OK) {
        cse_refuse(stop_code_for(err));
    }
    csn_pool_seal(&worker->pool);
    worker->stats->carves = worker->pool.carves;
    worker->stats->pool_used = worker->pool.used;
}

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    if ((uint64_t)boot != CSN_MAP_BOOT || index != worker_here() ||
        index >= cse_manifest_note.manifest.worker_count) {
        cse_refuse(CSN_WIRE_STOP_WORKER);
    }
    if ((atomic_fetch_or(&started, UINT64_C(1) << index) >> index & 1) != 0) {
        cse_refuse(CSN_WIRE_STOP_WORKER);
    }
    cse_stack_paint(index);
    if (index == 0) {
        make_common(boot);
    } else {
        wait_for_common(COMMON_READY);
    }
    struct cse_worker *worker = lay_worker(boot, index);
    if (index == 0) {
        make_instance(boot, &worker->random);
        if (cse_service.statements != NULL) {
            make_statement_key(&worker->random);
        }
        atomic_store_explicit(&common, COMMON_READY, memory_order_release);
    }
    start_worker(worker);
    /* The last one to get ready opens the enclave; acq_rel orders all that the others made. */
    if (atomic_fetch_add_explicit(&ready_count, 1, memory_order_acq_rel) + 1 ==
        manifest.worker_count) {
        __atomic_store_n(&boot->made.state, CSN_WIRE_STATE_SERVING, __ATOMIC_RELEASE);
    }
    if (index == 0) {
        prove_signatures();
    }
    wait_for_common(COMMON_PROVED);
    cse_loop_run(worker);
}
