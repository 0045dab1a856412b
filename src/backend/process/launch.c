/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.c: start the stub in a process of its own, with nothing of ours but five descriptors.
 *
 * The child shares our memory until the exec (as vfork does), so it runs on its own small stack
 * and makes system calls only; everything that changes a process for good is done by the stub,
 * after the exec, where it cannot touch us.
 */
#define _GNU_SOURCE
#include "backend/detail.h"
#include "backend/memory.h"
#include "instance.h"
#include <caisson/wire/channel.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAUNCH_STACK_SIZE 65536u
#define LAUNCH_FD_HIGH    10 /* above every number that the stub expects */

#define LAUNCH_NAMESPACES                                                                          \
    (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWCGROUP)
/* Sanitizers do not know that two processes share this memory for a moment. */
#define LAUNCH_PLAIN __attribute__((no_sanitize("address"), no_sanitize("thread")))

/*
 * clone() by the name under which ThreadSanitizer does not wrap it. Its wrapper takes every clone()
 * for a fork: the child resets the sanitizer's record of threads, and here it does so in memory
 * that is still ours, so that the sanitizer forgets our joins and reports races that are none.
 */
extern int __clone(int (*child)(void *), void *stack, int flags, void *argument, ...);

/* PIDFD_GET_INFO, Linux 6.15: tells the exit status even if another wait() took it. */
struct launch_pidfd_info {
    uint64_t mask;
    uint64_t cgroup;
    uint32_t ids[11];
    int32_t exit_code;
};
#define LAUNCH_PIDFD_GET_INFO  _IOWR(0xff, 11, struct launch_pidfd_info)
#define LAUNCH_PIDFD_INFO_EXIT UINT64_C(8)

LAUNCH_PLAIN static int launch_child(void *argument)
{
    struct csn_instance *instance = argument;
    char name[] = "caisson";
    char empty[] = "";
    char *arguments[] = {name, NULL};
    char *environment[] = {NULL};
    long result = 0;
    instance->plan->namespaces = instance->namespaces != 0;
    for (int i = 0; i < CSN_PLAN_FD_COUNT && result >= 0; i++) {
        int flags = i == CSN_PLAN_FD_STUB ? O_CLOEXEC : 0;
        result = syscall(SYS_dup3, instance->fds[i], i, flags);
    }
    if (result >= 0) {
        result = syscall(SYS_close_range, CSN_PLAN_FD_COUNT, UINT_MAX, 0);
    }
    if (result >= 0) {
        syscall(SYS_execveat, CSN_PLAN_FD_STUB, empty, arguments, environment, AT_EMPTY_PATH);
    }
    instance->plan->error = errno;
    syscall(SYS_exit_group, 127);
    return 127;
}

LAUNCH_PLAIN static int launch_probe_child(void *argument)
{
    (void)argument;
    syscall(SYS_exit_group, 0);
    return 0;
}

/*
 * New namespaces where they can be had without a new user namespace, else none. A user namespace
 * is taken only where namespaces are required by name: its owner has every capability in it, so
 * that any process of the same user could read the enclave although it is not dumpable.
 */
static int launch_clone(int (*child)(void *), void *argument, bool required, int *pidfd,
                        int *namespaces)
{
    static const int wishes[] = {LAUNCH_NAMESPACES, LAUNCH_NAMESPACES | CLONE_NEWUSER, 0};
    uint8_t *stack = mmap(NULL, LAUNCH_STACK_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        return -1;
    }
    int pid = -1;
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0] && pid < 0; i++) {
        if ((wishes[i] & CLONE_NEWUSER) != 0 && !required) {
            continue;
        }
        *namespaces = wishes[i];
        pid = __clone(child, stack + LAUNCH_STACK_SIZE,
                      CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | wishes[i], argument, pidfd);
    }
    int number = errno;
    munmap(stack, LAUNCH_STACK_SIZE);
    errno = number;
    return pid;
}

bool csn_process_namespaces_probe(const char **how)
{
    int pidfd = -1, namespaces = 0;
    int pid = launch_clone(launch_probe_child, NULL, true, &pidfd, &namespaces);
    if (pid < 0) {
        *how = "no process can be started";
        return false;
    }
    siginfo_t info;
    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL) != 0 && errno == EINTR) {
    }
    close(pidfd);
    *how = namespaces == 0 ? "none allowed here; start as root, or allow them in the container"
           : (namespaces & CLONE_NEWUSER) != 0
               ? "only where required by name, with a user namespace, which lets "
                 "processes of the same user look in; start as root"
               : "as root";
    return namespaces != 0 && (namespaces & CLONE_NEWUSER) == 0;
}

static void launch_record(struct csn_instance *instance, bool exited, int code)
{
    instance->end_kind = exited ? CSN_PROCESS_END_EXIT : CSN_PROCESS_END_SIGNAL;
    instance->end_code = code;
}

/* Somebody else reaped the process, or SIGCHLD is ignored: newer kernels still tell. */
static void launch_record_taken(struct csn_instance *instance)
{
    struct launch_pidfd_info info = {.mask = LAUNCH_PIDFD_INFO_EXIT};
    if (ioctl(instance->pidfd, LAUNCH_PIDFD_GET_INFO, &info) == 0 &&
        (info.mask & LAUNCH_PIDFD_INFO_EXIT) != 0) {
        bool exited = WIFEXITED(info.exit_code);
        launch_record(instance, exited,
                      exited ? WEXITSTATUS(info.exit_code) : WTERMSIG(info.exit_code));
    }
}

/* Nobody will signal again: bump every host event word, so that sleeping receivers look. */
static void launch_wake_host(struct csn_instance *instance)
{
    const struct csn_wire_manifest *manifest = &instance->manifest;
    for (uint32_t worker = 0; worker < manifest->worker_count; worker++) {
        for (uint32_t channel = 0; channel < csn_wire_channels(manifest); channel++) {
            uint64_t offset = csn_wire_channel_offset(manifest, worker, channel) +
                              (uint64_t)2 * CSN_WIRE_LINE_SIZE + CSN_WIRE_EVENT_WORD;
            uint32_t *word = (uint32_t *)(instance->rings + offset);
            __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
            syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
        }
    }
}

static void launch_wait(struct csn_instance *instance)
{
    siginfo_t info = {0};
    int result;
    do {
        result = waitid(P_PIDFD, (id_t)instance->pidfd, &info, WEXITED | WNOWAIT | __WALL);
    } while (result != 0 && errno == EINTR);
    if (result == 0) {
        launch_record(instance, info.si_code == CLD_EXITED, info.si_status);
        csn_process_page_faults(instance); /* the last look, while the number is still ours */
    } else {
        launch_record_taken(instance);
    }
    pthread_mutex_lock(&instance->reap);
    instance->reaped = true;
    if (result == 0) {
        waitid(P_PIDFD, (id_t)instance->pidfd, &info, WEXITED | __WALL);
    }
    pthread_mutex_unlock(&instance->reap);
    atomic_store_explicit(&instance->dead, true, memory_order_release);
    launch_wake_host(instance);
}

static void *launch_keeper(void *argument)
{
    struct csn_instance *instance = argument;
    bool required = (instance->plan->require & CSN_PROTECT_NAMESPACES) != 0;
    int pid =
        launch_clone(launch_child, instance, required, &instance->pidfd, &instance->namespaces);
    instance->start_error = pid < 0 ? errno : 0;
    instance->pid = pid;
    sem_post(&instance->started);
    if (pid > 0) {
        launch_wait(instance);
    }
    return NULL;
}

static csn_err launch_raise_fds(struct csn_instance *instance, struct csn_detail *detail)
{
    for (int i = 0; i < CSN_PLAN_FD_COUNT; i++) {
        int high = fcntl(instance->fds[i], F_DUPFD_CLOEXEC, LAUNCH_FD_HIGH);
        if (high < 0) {
            return csn_detail_set(detail, CSN_ERR_SYSTEM, "duplicating a descriptor: %s",
                                  csn_errno_name(errno));
        }
        close(instance->fds[i]);
        instance->fds[i] = high;
    }
    return CSN_OK;
}

static void launch_close_fds(struct csn_instance *instance)
{
    for (int i = 0; i < CSN_PLAN_FD_COUNT; i++) {
        if (instance->fds[i] >= 0) {
            close(instance->fds[i]);
        }
        instance->fds[i] = -1;
    }
}

static csn_err launch_start(struct csn_instance *instance, struct csn_detail *detail)
{
    CSN_TRY(launch_raise_fds(instance, detail));
    /* The keeper, and through it the child, starts with every signal blocked. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&instance->keeper, NULL, launch_keeper, instance);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (number != 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "starting a thread: %s",
                              csn_errno_name(number));
    }
    instance->keeper_runs = true;
    while (sem_wait(&instance->started) != 0) {
    }
    if (instance->start_error != 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "starting a process: %s",
                              csn_errno_name(instance->start_error));
    }
    return CSN_OK;
}

csn_err csn_process_launch(struct csn_instance *instance, struct csn_detail *detail)
{
    csn_err err = launch_start(instance, detail);
    launch_close_fds(instance);
    return err;
}

void csn_process_end(struct csn_instance *instance)
{
    if (!instance->keeper_runs) {
        return;
    }
    if (instance->pid > 0 && !atomic_load_explicit(&instance->dead, memory_order_acquire)) {
        atomic_store_explicit(&instance->stopping, true, memory_order_relaxed);
        syscall(SYS_pidfd_send_signal, instance->pidfd, SIGKILL, NULL, 0);
    }
    pthread_join(instance->keeper, NULL);
    instance->keeper_runs = false;
}
