/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mock.c: workers are threads; the gate is a futex; a crash is the end of a thread.
 *
 * Threads:  script and flags are atomics; everything else belongs to one worker.
 */
#include "mock.h"
#include "core/bytes.h"
#include "enclave/gate.h"
#include "enclave/loop.h"
#include <caisson/wire/message.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOCK_POOL_SIZE (4u << 20)
#define MOCK_SLICE_NS  5000000L

struct mock_worker {
    struct cse_worker worker;
    pthread_t thread;
    bool started;
};

struct csn_instance {
    uint32_t dying;
    uint32_t dead;
    uint32_t stopped;
    uint32_t panic;
    uint32_t worker_count;
    struct csn_shared *rings;
    const struct csn_wire_manifest *manifest;
    struct csn_wire_boot *boot;
    struct mock_worker *workers;
};

struct cse_session {
    struct csn_instance *instance;
};

struct mock_script mock_script;
static _Thread_local struct csn_instance *mock_here;

static uint32_t get(const uint32_t *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void die_if_told(void)
{
    if (get(&mock_here->dying) != 0 || get(&mock_here->stopped) != 0) {
        pthread_exit(NULL);
    }
}

static CSN_NORETURN void crash(void)
{
    __atomic_add_fetch(&mock_script.crash_count, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&mock_here->dying, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&mock_here->dead, 1, __ATOMIC_RELEASE);
    pthread_exit(NULL);
}

/* ---- what an image would have ---- */

void cse_gate_park(struct csn_shared *event, uint32_t seen)
{
    const struct timespec slice = {.tv_nsec = MOCK_SLICE_NS};
    die_if_told();
    syscall(SYS_futex, event, FUTEX_WAIT, seen, &slice, NULL, 0);
    die_if_told();
}

void cse_gate_wake(struct csn_shared *event, uint32_t channel)
{
    (void)channel;
    syscall(SYS_futex, event, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void cse_panic(uint32_t code)
{
    __atomic_store_n(&mock_here->panic, code, __ATOMIC_RELEASE);
    crash();
}

uint64_t cse_stack_high_water(const struct cse_worker *worker)
{
    (void)worker;
    return 0;
}

/* What the last MOCK_LATER was promised. */
static void tell(const struct cse_input *input, cse_sink sink, void *state)
{
    static _Thread_local uint64_t promised;
    const struct csn_wire_answer held = {.code = CSN_WIRE_HELD};
    const struct csn_ring_piece pieces[2] = {{&held, sizeof held}, {NULL, 0}};
    if (csn_load_u32(input->bytes) == MOCK_LATER) {
        promised = input->tag;
        sink(state, input->channel, input->tag, false, pieces);
        return;
    }
    sink(state, input->channel, promised, false, pieces);
    sink(state, input->channel, promised, true, pieces);
    sink(state, input->channel, input->tag, true, pieces);
}

static void answer(const struct cse_input *input, cse_sink sink, void *state)
{
    uint32_t outputs = get(&mock_script.outputs);
    uint64_t tag = input->tag ^ (get(&mock_script.lie_tag) != 0 ? 1 : 0);
    const struct csn_ring_piece pieces[2] = {
        {input->bytes, input->size / 3},
        {input->bytes + input->size / 3, input->size - input->size / 3}};
    for (uint32_t i = 1; i <= outputs; i++) {
        sink(state, input->channel, tag, i == outputs, pieces);
    }
}

void cse_session_batch(struct cse_session *session, const struct cse_input *inputs, uint32_t count,
                       cse_sink sink, void *state)
{
    (void)session;
    while (get(&mock_script.hold) != 0) {
        die_if_told();
        usleep(100);
    }
    for (uint32_t i = 0; i < count; i++) {
        die_if_told();
        uint32_t left = get(&mock_script.kill_after);
        if (left != 0) {
            __atomic_store_n(&mock_script.kill_after, left - 1, __ATOMIC_RELEASE);
        }
        if (left == 1 || (inputs[i].size >= 4 && csn_load_u32(inputs[i].bytes) == MOCK_PILL)) {
            crash();
        }
        uint32_t word = inputs[i].size == 4 ? csn_load_u32(inputs[i].bytes) : 0;
        if (word == MOCK_LATER || word == MOCK_TELL) {
            tell(&inputs[i], sink, state);
            continue;
        }
        answer(&inputs[i], sink, state);
    }
}

/* ---- the backend ---- */

static void *run(void *argument)
{
    struct mock_worker *mock = argument;
    mock_here = mock->worker.session->instance;
    cse_loop_run(&mock->worker);
}

static csn_err start_worker(struct csn_instance *instance, uint32_t index)
{
    struct mock_worker *mock = &instance->workers[index];
    mock->worker = (struct cse_worker){
        .index = index,
        .manifest = instance->manifest,
        .stats = &instance->boot->stats[index],
        .event = csn_shared_at(instance->rings, csn_wire_worker_offset(instance->manifest, index)),
    };
    csn_pool_init(&mock->worker.pool, malloc(MOCK_POOL_SIZE), MOCK_POOL_SIZE);
    mock->worker.session = csn_pool_carve(&mock->worker.pool, sizeof(struct cse_session), 8);
    mock->worker.session->instance = instance;
    CSN_TRY(cse_loop_init(&mock->worker));
    csn_pool_seal(&mock->worker.pool);
    if (pthread_create(&mock->thread, NULL, run, mock) != 0) {
        return CSN_ERR_SYSTEM;
    }
    mock->started = true;
    return CSN_OK;
}

static csn_err mock_probe(struct csn_detail *detail)
{
    (void)detail;
    return CSN_OK;
}

static csn_err mock_create(const struct csn_backend_config *config, struct csn_instance **instance,
                           struct csn_enclave_report *report, struct csn_detail *detail)
{
    (void)detail;
    (void)report;
    struct csn_instance *made = calloc(1, sizeof *made);
    made->worker_count = config->manifest->worker_count;
    made->rings = config->rings;
    made->manifest = config->manifest;
    made->boot = calloc(1, sizeof *made->boot);
    made->workers = calloc(made->worker_count, sizeof *made->workers);
    *instance = made;
    for (uint32_t i = 0; i < made->worker_count; i++) {
        CSN_TRY(start_worker(made, i));
    }
    __atomic_store_n(&made->boot->made.state, CSN_WIRE_STATE_SERVING, __ATOMIC_RELEASE);
    return CSN_OK;
}

static struct csn_wire_boot *mock_boot(struct csn_instance *instance)
{
    return instance->boot;
}

static void mock_wake(struct csn_instance *instance, uint32_t worker)
{
    cse_gate_wake(instance->workers[worker].worker.event, 0);
}

static void mock_fate(struct csn_instance *instance, struct csn_fate *fate)
{
    *fate = (struct csn_fate){.kind = CSN_FATE_RUNNING};
    if (get(&instance->dead) != 0) {
        fate->kind = CSN_FATE_KILLED;
        fate->code = get(&instance->panic);
    } else if (get(&instance->stopped) != 0) {
        fate->kind = CSN_FATE_STOPPED;
    }
}

static void mock_counters(struct csn_instance *instance, struct csn_enclave_counters *counters)
{
    (void)instance;
    *counters = (struct csn_enclave_counters){0};
}

static void mock_stop(struct csn_instance *instance)
{
    __atomic_store_n(&instance->stopped, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < instance->worker_count; i++) {
        if (instance->workers[i].started) {
            mock_wake(instance, i);
            pthread_join(instance->workers[i].thread, NULL);
            instance->workers[i].started = false;
        }
    }
}

static void mock_destroy(struct csn_instance *instance)
{
    mock_stop(instance);
    for (uint32_t i = 0; i < instance->worker_count; i++) {
        free(instance->workers[i].worker.pool.base);
    }
    free(instance->workers);
    free(instance->boot);
    free(instance);
}

const struct csn_backend mock_backend = {.name = "mock",
                                         .id = 99,
                                         .probe = mock_probe,
                                         .create = mock_create,
                                         .boot = mock_boot,
                                         .wake = mock_wake,
                                         .fate = mock_fate,
                                         .counters = mock_counters,
                                         .stop = mock_stop,
                                         .destroy = mock_destroy};
