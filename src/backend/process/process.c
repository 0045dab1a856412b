/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.c: the process backend: an enclave is a process with nothing but its listed memory and
 * three system calls.
 *
 * Trust:    the launcher (this file) and the stub are believed; see docs for what that is worth.
 * Threads:  create, stop and destroy: one thread; the rest: any.
 */
#define _GNU_SOURCE
#include "backend/capability.h"
#include "backend/detail.h"
#include "backend/memory.h"
#include "backend/pause.h"
#include "crypto/cpu.h"
#include "instance.h"
#include <caisson/wire/channel.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROCESS_START_NS_MAX UINT64_C(60000000000) /* touching a large pool takes its time */
#define PROCESS_UID_BASE     UINT32_C(0x70000000)

extern const uint8_t csn_process_stub[];
extern const size_t csn_process_stub_size;

static csn_err process_map(const char *name, size_t size, int *fd, void **target,
                           struct csn_detail *detail)
{
    CSN_TRY(csn_memory_file(name, size, fd, detail));
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (base == MAP_FAILED) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "mapping %s: %s", name,
                              csn_errno_name(errno));
    }
    madvise(base, size, MADV_DONTFORK);
    madvise(base, size, MADV_DONTDUMP);
    *target = base;
    return CSN_OK;
}

/*
 * As root each enclave gets a user id that nobody else has: from a range that no distribution
 * hands out, numbered by a counter that starts at this process' own number.
 */
static uint32_t process_own_uid(void)
{
    static _Atomic uint32_t next;
    if (geteuid() != 0) {
        return 0;
    }
    uint32_t serial = atomic_fetch_add(&next, 1);
    return PROCESS_UID_BASE + (((uint32_t)getpid() & 0x3fffff) << 6) + (serial & 0x3f);
}

static csn_err process_prepare(struct csn_instance *instance,
                               const struct csn_backend_config *config, struct csn_detail *detail)
{
    void *boot = NULL, *plan = NULL;
    csn_err err = process_map("caisson-boot", CSN_MAP_BOOT_SIZE, &instance->fds[CSN_PLAN_FD_BOOT],
                              &boot, detail);
    instance->boot = boot;
    CSN_TRY(err);
    err = process_map("caisson-plan", CSN_MAP_PAGE_SIZE, &instance->fds[CSN_PLAN_FD_PLAN], &plan,
                      detail);
    instance->plan = plan;
    CSN_TRY(err);
    CSN_TRY(csn_memory_file_from("caisson-image", config->image, config->image_size, 0,
                                 &instance->fds[CSN_PLAN_FD_IMAGE], detail));
    CSN_TRY(csn_memory_file_from("caisson-stub", csn_process_stub, csn_process_stub_size, 1,
                                 &instance->fds[CSN_PLAN_FD_STUB], detail));
    instance->fds[CSN_PLAN_FD_RINGS] = dup(config->rings_fd);
    if (instance->fds[CSN_PLAN_FD_RINGS] < 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "the rings' descriptor: %s",
                              csn_errno_name(errno));
    }
    if (csn_cpu_features(&instance->boot->given.features) != CSN_OK) {
        return csn_detail_set(detail, CSN_ERR_MISSING, "this CPU lacks AES-NI or PCLMULQDQ");
    }
    instance->boot->given.abi_version = CSN_WIRE_ABI_VERSION;
    instance->boot->given.backend = CSN_WIRE_BACKEND_PROCESS;
    instance->plan->image_size = config->image_size;
    instance->plan->require = config->require;
    instance->plan->own_uid = process_own_uid();
    return CSN_OK;
}

static csn_err process_wait_serving(struct csn_instance *instance, struct csn_detail *detail)
{
    struct csn_pause pause;
    csn_pause_begin(&pause, PROCESS_START_NS_MAX);
    do {
        /* Both are asked in this order: what was written before the end still counts. */
        bool dead = atomic_load_explicit(&instance->dead, memory_order_acquire);
        if (__atomic_load_n(&instance->boot->made.state, __ATOMIC_ACQUIRE) ==
            CSN_WIRE_STATE_SERVING) {
            return CSN_OK;
        }
        if (dead) {
            return csn_process_start_error(instance, detail);
        }
    } while (csn_pause(&pause));
    return csn_detail_set(detail, CSN_ERR_CRASHED, "not serving after %u seconds, step %u",
                          (unsigned)(PROCESS_START_NS_MAX / 1000000000u), instance->plan->step);
}

static void process_destroy(struct csn_instance *instance)
{
    if (instance == NULL) {
        return;
    }
    csn_process_end(instance);
    for (int i = 0; i < CSN_PLAN_FD_COUNT; i++) {
        if (instance->fds[i] >= 0) {
            close(instance->fds[i]);
        }
    }
    if (instance->pidfd >= 0) {
        close(instance->pidfd);
    }
    if (instance->boot != NULL) {
        munmap(instance->boot, CSN_MAP_BOOT_SIZE);
    }
    if (instance->plan != NULL) {
        munmap(instance->plan, CSN_MAP_PAGE_SIZE);
    }
    sem_destroy(&instance->started);
    pthread_mutex_destroy(&instance->reap);
    free(instance);
}

static csn_err process_new(const struct csn_backend_config *config, struct csn_instance **target,
                           struct csn_detail *detail)
{
    struct csn_instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "an instance");
    }
    for (int i = 0; i < CSN_PLAN_FD_COUNT; i++) {
        instance->fds[i] = -1;
    }
    instance->pidfd = -1;
    instance->manifest = *config->manifest;
    instance->rings = config->rings;
    sem_init(&instance->started, 0, 0);
    pthread_mutex_init(&instance->reap, NULL);
    *target = instance;
    return CSN_OK;
}

static csn_err process_create(const struct csn_backend_config *config, struct csn_instance **target,
                              struct csn_enclave_report *report, struct csn_detail *detail)
{
    uint64_t start_ns = csn_now_ns();
    struct csn_instance *instance = NULL;
    CSN_TRY(process_new(config, &instance, detail));
    csn_err err = process_prepare(instance, config, detail);
    if (err == CSN_OK) {
        err = csn_process_launch(instance, detail);
    }
    if (err == CSN_OK) {
        csn_memory_touch_shared(config->rings, csn_wire_rings_size(config->manifest));
        err = process_wait_serving(instance, detail);
    }
    if (err != CSN_OK) {
        process_destroy(instance);
        return err;
    }
    const struct csn_process_plan *plan = instance->plan;
    *report = (struct csn_enclave_report){.backend = csn_backend_process.name,
                                          .backend_id = CSN_WIRE_BACKEND_PROCESS,
                                          .protections = plan->protections,
                                          .start_ns = csn_now_ns() - start_ns};
    memcpy(report->measurement, plan->measurement, sizeof report->measurement);
    memcpy(report->gate_hash, plan->gate_hash, sizeof report->gate_hash);
    *target = instance;
    return CSN_OK;
}

static struct csn_wire_boot *process_boot(struct csn_instance *instance)
{
    return instance->boot;
}

static void process_wake(struct csn_instance *instance, uint32_t worker)
{
    if (worker < instance->manifest.worker_count) {
        void *word = instance->rings + csn_wire_worker_offset(&instance->manifest, worker) +
                     CSN_WIRE_EVENT_WORD;
        syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    }
}

static void process_counters(struct csn_instance *instance, struct csn_enclave_counters *counters)
{
    *counters = (struct csn_enclave_counters){.page_faults = csn_process_page_faults(instance)};
    for (uint32_t worker = 0; worker < instance->manifest.worker_count; worker++) {
        const struct csn_wire_boot_stats *stats = &instance->boot->stats[worker];
        counters->gate_calls += __atomic_load_n(&stats->parks, __ATOMIC_RELAXED) +
                                __atomic_load_n(&stats->wakes, __ATOMIC_RELAXED);
    }
}

const struct csn_backend csn_backend_process = {
    .name = "process",
    .id = CSN_WIRE_BACKEND_PROCESS,
    .probe = csn_process_probe,
    .create = process_create,
    .boot = process_boot,
    .wake = process_wake,
    .fate = csn_process_fate,
    .counters = process_counters,
    .stop = csn_process_end,
    .destroy = process_destroy,
};
