/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fate.c: from an exit status to words: what is known of why an enclave process ended.
 *
 * There are no signal handlers inside, so the kernel's verdict (a signal) and the stop code in the
 * boot region are all there is; nothing is guessed beyond them.
 */
#define _GNU_SOURCE
#include "backend/detail.h"
#include "instance.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define FATE_VECTOR_INVALID_OPCODE 6u

struct fate_signal {
    int number;
    enum csn_fate_kind kind;
    uint32_t vector; /* 0: several are possible */
    const char *text;
};

static const struct fate_signal fate_signals[] = {
    {SIGSEGV, CSN_FATE_FAULT, 0, "SIGSEGV: page fault or general protection"},
    {SIGBUS, CSN_FATE_FAULT, 0, "SIGBUS: memory that cannot be had, or a stack fault"},
    {SIGILL, CSN_FATE_FAULT, FATE_VECTOR_INVALID_OPCODE, "SIGILL: invalid instruction"},
    {SIGFPE, CSN_FATE_FAULT, 0, "SIGFPE: division or floating-point exception"},
    {SIGTRAP, CSN_FATE_FAULT, 0, "SIGTRAP: breakpoint or single step"},
    {SIGSYS, CSN_FATE_SYSCALL, 0, "SIGSYS: a system call that is not allowed (number unknown)"},
    {SIGKILL, CSN_FATE_KILLED, 0, "SIGKILL from outside, or out of memory"},
};

static void fate_of_signal(int number, struct csn_fate *fate)
{
    fate->kind = CSN_FATE_KILLED;
    fate->code = (uint32_t)number;
    for (size_t i = 0; i < sizeof fate_signals / sizeof fate_signals[0]; i++) {
        if (fate_signals[i].number == number) {
            fate->kind = fate_signals[i].kind;
            fate->vector = fate_signals[i].vector;
            fate->code = fate->kind == CSN_FATE_SYSCALL ? UINT32_MAX : (uint32_t)number;
            csn_detail_set(&fate->detail, CSN_OK, "%s", fate_signals[i].text);
            return;
        }
    }
    csn_detail_set(&fate->detail, CSN_OK, "ended by signal %d", number);
}

static void fate_of_exit(struct csn_instance *instance, struct csn_fate *fate)
{
    const struct csn_wire_boot_made *made = &instance->boot->made;
    uint32_t stop_code = __atomic_load_n(&made->stop_code, __ATOMIC_ACQUIRE);
    uint32_t state = __atomic_load_n(&made->state, __ATOMIC_ACQUIRE);
    uint32_t code = (uint32_t)instance->end_code;
    /* An exit status keeps eight bits; the boot region has the rest where the two agree. */
    fate->code = (stop_code & 0xff) == code ? stop_code : code;
    fate->kind = state == CSN_WIRE_STATE_REFUSED ? CSN_FATE_REFUSED : CSN_FATE_PANIC;
    csn_detail_set(&fate->detail, CSN_OK, "%s with code %u",
                   fate->kind == CSN_FATE_REFUSED ? "refused to start" : "stopped itself",
                   fate->code);
}

void csn_process_fate(struct csn_instance *instance, struct csn_fate *fate)
{
    *fate = (struct csn_fate){.kind = CSN_FATE_RUNNING};
    if (!atomic_load_explicit(&instance->dead, memory_order_acquire)) {
        return;
    }
    bool stopping = atomic_load_explicit(&instance->stopping, memory_order_relaxed);
    if (instance->end_kind == CSN_PROCESS_END_EXIT) {
        fate_of_exit(instance, fate);
    } else if (instance->end_kind == CSN_PROCESS_END_SIGNAL) {
        fate_of_signal(instance->end_code, fate);
    } else {
        fate->kind = CSN_FATE_UNKNOWN;
        csn_detail_set(&fate->detail, CSN_OK, "ended; its status was taken by another wait");
    }
    if (stopping && instance->end_kind != CSN_PROCESS_END_EXIT &&
        instance->end_code == (instance->end_kind == CSN_PROCESS_END_SIGNAL ? SIGKILL : 0)) {
        *fate = (struct csn_fate){.kind = CSN_FATE_STOPPED};
        csn_detail_set(&fate->detail, CSN_OK, "stopped by the host");
    }
}

static const char *fate_step_name(uint32_t step)
{
    static const char *const names[] = {
        [CSN_PLAN_STEP_NONE] = "executing the stub",
        [CSN_PLAN_STEP_PLAN] = "mapping the plan",
        [CSN_PLAN_STEP_CLEAN] = "checking arguments, environment, personality and signals",
        [CSN_PLAN_STEP_PRIVILEGES] = "giving up privileges",
        [CSN_PLAN_STEP_LIMITS] = "setting limits, or finding seccomp",
        [CSN_PLAN_STEP_SEALS] = "checking the seals of the memory files",
        [CSN_PLAN_STEP_COPY] = "copying the image",
        [CSN_PLAN_STEP_PARSE] = "parsing the private copy",
        [CSN_PLAN_STEP_RINGS] = "mapping the rings",
        [CSN_PLAN_STEP_IMAGE] = "mapping the image",
        [CSN_PLAN_STEP_BOOT] = "mapping the boot region",
        [CSN_PLAN_STEP_GATE] = "mapping the gate page",
        [CSN_PLAN_STEP_STACKS] = "mapping the stacks",
        [CSN_PLAN_STEP_POOL] = "mapping the pool",
        [CSN_PLAN_STEP_REQUIRE] = "checking required protections",
        [CSN_PLAN_STEP_PROTECT] = "setting page permissions",
        [CSN_PLAN_STEP_FILTER] = "writing the system call filter",
        [CSN_PLAN_STEP_DESCRIPTORS] = "closing descriptors",
        [CSN_PLAN_STEP_THREADS] = "starting the workers' threads",
    };
    if (step < sizeof names / sizeof names[0]) {
        return names[step];
    }
    return step == CSN_PLAN_STEP_UNMAP ? "unmapping the stub" : "entering the image";
}

static csn_err fate_missing(uint32_t missing, struct csn_detail *detail)
{
    return csn_detail_set(detail, CSN_ERR_MISSING, "required but not to be had here:%s%s%s%s%s",
                          (missing & CSN_PROTECT_NAMESPACES) != 0 ? " namespaces" : "",
                          (missing & CSN_PROTECT_OWN_UID) != 0 ? " own-uid (start as root)" : "",
                          (missing & CSN_PROTECT_LOCKED) != 0 ? " locked (raise ulimit -l)" : "",
                          (missing & CSN_PROTECT_HUGE_PAGES) != 0 ? " huge-pages" : "",
                          (missing & CSN_PROTECT_SECRET) != 0 ? " secret (memfd_secret)" : "");
}

csn_err csn_process_start_error(struct csn_instance *instance, struct csn_detail *detail)
{
    const struct csn_process_plan *plan = instance->plan;
    if (plan->step == CSN_PLAN_STEP_REQUIRE) {
        return fate_missing((uint32_t)plan->error, detail);
    }
    if (plan->step == CSN_PLAN_STEP_PARSE && plan->error != 0) {
        return csn_detail_set(detail, CSN_ERR_FORMAT, "image: %.79s at offset %u", plan->fault_what,
                              plan->fault_where);
    }
    if ((plan->require & CSN_PROTECT_SECRET) != 0 && plan->error == EAGAIN) {
        return csn_detail_set(detail, CSN_ERR_MISSING,
                              "required but not to be had here: secret (it counts as locked "
                              "memory: raise ulimit -l, `caisson size` says by how much)");
    }
    if (plan->step != CSN_PLAN_STEP_GONE) {
        csn_err err = plan->step == CSN_PLAN_STEP_LIMITS ? CSN_ERR_MISSING : CSN_ERR_SYSTEM;
        return csn_detail_set(detail, err, "the stub stopped while %s: %s (%s %d)",
                              fate_step_name(plan->step), csn_errno_name(plan->error),
                              instance->end_kind == CSN_PROCESS_END_EXIT ? "exit" : "signal",
                              instance->end_code);
    }
    struct csn_fate fate;
    csn_process_fate(instance, &fate);
    return csn_detail_set(detail, CSN_ERR_CRASHED, "the image did not start: %.200s",
                          fate.detail.text);
}

/* Fields 10 (minor faults) and 12 (major faults) of /proc/PID/stat, counted behind the name. */
static bool fate_parse_stat(const char *text, uint64_t *faults)
{
    const char *behind = strrchr(text, ')');
    unsigned long long minor = 0, major = 0;
    if (behind == NULL ||
        sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %llu %*u %llu", &minor, &major) != 2) {
        return false;
    }
    *faults = minor + major;
    return true;
}

uint64_t csn_process_page_faults(struct csn_instance *instance)
{
    char path[64], text[1024];
    pthread_mutex_lock(&instance->reap);
    if (!instance->reaped && instance->pid > 0) {
        snprintf(path, sizeof path, "/proc/%d/stat", (int)instance->pid);
        FILE *file = fopen(path, "re");
        if (file != NULL) {
            size_t size = fread(text, 1, sizeof text - 1, file);
            text[size] = '\0';
            fate_parse_stat(text, &instance->page_faults);
            fclose(file);
        }
    }
    uint64_t faults = instance->page_faults;
    pthread_mutex_unlock(&instance->reap);
    return faults;
}
