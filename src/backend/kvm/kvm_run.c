/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm_run.c: the threads that run the virtual CPUs, what they do at each exit, and how they end.
 *
 * No signal handler is installed. The threads block every signal; KVM_SET_SIGNAL_MASK lets one
 * through while the guest runs, so that it interrupts KVM_RUN and stays pending until the thread
 * takes it. It is SIGURG, which does nothing by default should it ever hit another thread.
 */
#define _GNU_SOURCE
#include "backend/detail.h"
#include "kvm_instance.h"
#include <caisson/wire/channel.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RUN_KICK        SIGURG
#define RUN_KICK_NS     200000L
#define RUN_SIGSET_SIZE 8u /* the kernel's, not libc's */
#define RUN_TRIES_MAX   1000u

static void run_count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* True if this exit is one whole OUT of four bytes to one port; nothing else is a gate call. */
static bool run_is_out(const struct kvm_run *run, uint16_t *port, uint32_t *value)
{
    if (run->exit_reason != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_OUT ||
        run->io.size != sizeof *value || run->io.count != 1) {
        return false;
    }
    *port = run->io.port;
    memcpy(value, (const uint8_t *)run + run->io.data_offset, sizeof *value);
    return true;
}

static void run_park(struct csn_kvm_worker *worker, uint32_t seen)
{
    run_count(&worker->gate_calls);
    /* Checked after the guest looked at its word: whoever ends us bumps it after saying so. */
    if (!atomic_load(&worker->instance->stopping)) {
        syscall(SYS_futex, worker->event, FUTEX_WAIT, seen, NULL, NULL, 0);
    }
}

static bool run_wake(struct csn_kvm_worker *worker, uint32_t channel)
{
    const struct csn_instance *instance = worker->instance;
    if (channel >= csn_wire_channels(&instance->manifest)) {
        return false;
    }
    run_count(&worker->gate_calls);
    uint64_t offset = csn_wire_channel_offset(&instance->manifest, worker->index, channel) +
                      CSN_WIRE_CHANNEL_HOST_EVENT + CSN_WIRE_EVENT_WORD;
    syscall(SYS_futex, instance->rings + offset, FUTEX_WAKE, 1, NULL, NULL, 0);
    return true;
}

/* True: run it again. */
static bool run_exit(struct csn_kvm_worker *worker)
{
    uint16_t port = 0;
    uint32_t value = 0;
    if (!run_is_out(worker->run, &port, &value)) {
        run_count(&worker->exits_other);
        return false;
    }
    switch (port) {
    case CSN_KVM_PORT_PARK:
        run_park(worker, value);
        return true;
    case CSN_KVM_PORT_WAKE:
        return run_wake(worker, value);
    case CSN_KVM_PORT_STOP:
        return false;
    default:
        run_count(&worker->exits_other);
        return false;
    }
}

static void run_take_signal(struct csn_kvm_worker *worker)
{
    const struct timespec now = {0};
    sigset_t kick;
    sigemptyset(&kick);
    sigaddset(&kick, RUN_KICK);
    run_count(&worker->exits_signal);
    sigtimedwait(&kick, NULL, &now);
}

/* ---- the end of a worker ---- */

static void run_kick(struct csn_kvm_worker *worker)
{
    if (worker->run != NULL) {
        __atomic_store_n(&worker->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    }
    pid_t tid = atomic_load(&worker->tid);
    if (tid != 0) {
        syscall(SYS_tgkill, getpid(), tid, RUN_KICK);
        __atomic_fetch_add(worker->event, 1, __ATOMIC_SEQ_CST);
        syscall(SYS_futex, worker->event, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    }
}

/* Nobody will signal again: bump every host event word, so that sleeping receivers look. */
static void run_wake_host(struct csn_instance *instance)
{
    const struct csn_wire_manifest *manifest = &instance->manifest;
    for (uint32_t worker = 0; worker < manifest->worker_count; worker++) {
        for (uint32_t channel = 0; channel < csn_wire_channels(manifest); channel++) {
            uint64_t offset = csn_wire_channel_offset(manifest, worker, channel) +
                              CSN_WIRE_CHANNEL_HOST_EVENT + CSN_WIRE_EVENT_WORD;
            uint32_t *word = (void *)(instance->rings + offset);
            __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
            syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
        }
    }
}

static void run_ended(struct csn_kvm_worker *worker, bool stopped, int error)
{
    struct csn_instance *instance = worker->instance;
    if (!atomic_flag_test_and_set(&instance->ending)) {
        if (stopped) {
            instance->fate = (struct csn_fate){.kind = CSN_FATE_STOPPED};
            csn_detail_set(&instance->fate.detail, CSN_OK, "stopped by the host");
        } else {
            csn_kvm_fate_of_exit(worker, error, &instance->fate);
        }
        atomic_store_explicit(&instance->dead, true, memory_order_release);
        atomic_store(&instance->stopping, true);
        for (uint32_t i = 0; i < instance->manifest.worker_count; i++) {
            if (i != worker->index) {
                run_kick(&instance->workers[i]);
            }
        }
        run_wake_host(instance);
    }
    atomic_store(&worker->page_faults, csn_kvm_page_faults(worker));
    atomic_store(&worker->tid, 0);
}

static void *run_thread(void *argument)
{
    struct csn_kvm_worker *worker = argument;
    int error = 0;
    atomic_store(&worker->tid, (pid_t)syscall(SYS_gettid));
    for (;;) {
        if (atomic_load(&worker->instance->stopping)) {
            run_ended(worker, true, 0);
            break;
        }
        if (ioctl(worker->fd, KVM_RUN, 0) == 0) {
            if (run_exit(worker)) {
                continue;
            }
            run_ended(worker, false, 0);
            break;
        }
        error = errno;
        if (error == EINTR || error == EAGAIN) {
            run_take_signal(worker);
            continue;
        }
        run_ended(worker, false, error);
        break;
    }
    return NULL;
}

/* ---- start and stop ---- */

static csn_err run_mask(const struct csn_kvm_worker *worker, struct csn_detail *detail)
{
    /* The kernel's set of signals follows the structure. */
    _Alignas(8) uint8_t mask[sizeof(struct kvm_signal_mask) + RUN_SIGSET_SIZE];
    const uint32_t size = RUN_SIGSET_SIZE;
    const uint64_t bits = ~(UINT64_C(1) << (RUN_KICK - 1));
    memcpy(mask + offsetof(struct kvm_signal_mask, len), &size, sizeof size);
    memcpy(mask + offsetof(struct kvm_signal_mask, sigset), &bits, sizeof bits);
    if (ioctl(worker->fd, KVM_SET_SIGNAL_MASK, mask) != 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "KVM_SET_SIGNAL_MASK: %s",
                              csn_errno_name(errno));
    }
    return CSN_OK;
}

csn_err csn_kvm_start(struct csn_instance *instance, struct csn_detail *detail)
{
    csn_err err = CSN_OK;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t i = 0; i < instance->manifest.worker_count && err == CSN_OK; i++) {
        struct csn_kvm_worker *worker = &instance->workers[i];
        err = run_mask(worker, detail);
        if (err != CSN_OK) {
            break;
        }
        int number = pthread_create(&worker->thread, NULL, run_thread, worker);
        if (number != 0) {
            err = csn_detail_set(detail, CSN_ERR_SYSTEM, "starting a thread: %s",
                                 csn_errno_name(number));
            break;
        }
        worker->thread_runs = true;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

void csn_kvm_end(struct csn_instance *instance)
{
    const struct timespec pause = {.tv_nsec = RUN_KICK_NS};
    atomic_store(&instance->stopping, true);
    for (uint32_t i = 0; i < CSN_MAP_WORKER_COUNT_MAX; i++) {
        struct csn_kvm_worker *worker = &instance->workers[i];
        if (!worker->thread_runs) {
            continue;
        }
        /* Again and again: a guest that guesses the next event word could sleep through one. */
        run_kick(worker);
        while (pthread_tryjoin_np(worker->thread, NULL) != 0) {
            nanosleep(&pause, NULL);
            run_kick(worker);
        }
        worker->thread_runs = false;
    }
}

bool csn_kvm_run_to_port(struct csn_kvm_worker *worker, uint16_t port, uint32_t *value)
{
    for (uint32_t i = 0; i < RUN_TRIES_MAX; i++) {
        if (ioctl(worker->fd, KVM_RUN, 0) == 0) {
            uint16_t written = 0;
            return run_is_out(worker->run, &written, value) && written == port;
        }
        if (errno != EINTR && errno != EAGAIN) {
            return false;
        }
    }
    return false;
}
