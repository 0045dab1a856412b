/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub_strip.c: what the stub gives up before it looks at a single byte of the image.
 *
 * Required ones end the process when they fail; best-effort ones are reported in the plan.
 */
#include "stub.h"
#include "stub_call.h"

#define STRIP_SIGNAL_COUNT 64u

#define STRIP_PR_SET_PDEATHSIG    1u
#define STRIP_PR_GET_DUMPABLE     3u
#define STRIP_PR_SET_DUMPABLE     4u
#define STRIP_PR_SET_KEEPCAPS     8u
#define STRIP_PR_SET_NAME         15u
#define STRIP_PR_SET_NO_NEW_PRIVS 38u
#define STRIP_PR_GET_NO_NEW_PRIVS 39u

#define STRIP_CAP_VERSION  0x20080522u
#define STRIP_CAP_IPC_LOCK (1u << 14)

#define STRIP_RLIMIT_FSIZE  1u
#define STRIP_RLIMIT_CORE   4u
#define STRIP_RLIMIT_NOFILE 7u

#define STRIP_EPERM  1
#define STRIP_EINVAL 22

struct strip_sigaction {
    uint64_t handler; /* 0: default */
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

struct strip_limit {
    uint64_t soft;
    uint64_t hard;
};

static int64_t strip_prctl(uint64_t option, uint64_t value)
{
    return stub_call5(STUB_PRCTL, option, value, 0, 0, 0);
}

/* Set one limit to zero for good, and read it back. */
static void strip_limit_zero(struct stub *stub, uint64_t resource)
{
    struct strip_limit zero = {0, 0};
    struct strip_limit found = {1, 1};
    stub_need(stub, stub_call5(STUB_PRLIMIT, 0, resource, (uint64_t)&zero, 0, 0));
    stub_need(stub, stub_call5(STUB_PRLIMIT, 0, resource, 0, (uint64_t)&found, 0));
    if (found.soft != 0 || found.hard != 0) {
        stub_fail(stub, STRIP_EPERM);
    }
}

static int64_t strip_capabilities(uint32_t keep)
{
    uint32_t header[2] = {STRIP_CAP_VERSION, 0};
    uint32_t sets[6] = {keep, keep, 0, 0, 0, 0}; /* effective, permitted, inheritable; twice */
    return stub_call(STUB_CAPSET, (uint64_t)header, (uint64_t)sets, 0);
}

/*
 * The process must be as the launcher meant it: one argument at most, no environment, the standard
 * personality, no ignored signal, all signals blocked.
 */
void stub_clean(struct stub *stub, const uint64_t *stack)
{
    stub_step(stub, CSN_PLAN_STEP_CLEAN);
    uint64_t argument_count = stack[0];
    if (argument_count > 1 || stack[argument_count + 2] != 0) {
        stub_fail(stub, STRIP_EINVAL);
    }
    stub_need(stub, stub_call(STUB_PERSONALITY, 0, 0, 0));
    if (stub_call(STUB_PERSONALITY, UINT32_MAX, 0, 0) != 0) {
        stub_fail(stub, STRIP_EINVAL);
    }
    uint64_t all = UINT64_MAX;
    stub_need(stub, stub_call5(STUB_SIGPROCMASK, 2, (uint64_t)&all, 0, sizeof all, 0));
    struct strip_sigaction standard = {0, 0, 0, 0};
    for (uint64_t signal = 1; signal <= STRIP_SIGNAL_COUNT; signal++) {
        if (signal != 9 && signal != 19) { /* SIGKILL and SIGSTOP cannot be anything else */
            stub_need(stub, stub_call5(STUB_SIGACTION, signal, (uint64_t)&standard, 0,
                                       sizeof(uint64_t), 0));
        }
    }
    static const char name[] = "caisson-enclave";
    static const char root[] = "/";
    strip_prctl(STRIP_PR_SET_NAME, (uint64_t)name);
    stub_call(STUB_SETSID, 0, 0, 0); /* fails only where it leads a session already */
    stub_need(stub, stub_call(STUB_CHDIR, (uint64_t)root, 0, 0));
    stub_call(STUB_UMASK, 077, 0, 0);
}

/* Best effort: an own user id. The right to lock memory stays until the memory is built. */
static uint32_t strip_own_uid(const struct csn_process_plan *plan)
{
    uint64_t id = plan->own_uid;
    if (id == 0 || strip_prctl(STRIP_PR_SET_KEEPCAPS, 1) != 0 ||
        stub_call(STUB_SETGROUPS, 0, 0, 0) != 0 || stub_call(STUB_SETRESGID, id, id, id) != 0 ||
        stub_call(STUB_SETRESUID, id, id, id) != 0) {
        return 0;
    }
    strip_prctl(STRIP_PR_SET_KEEPCAPS, 0);
    return CSN_PROTECT_OWN_UID;
}

void stub_privileges(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_PRIVILEGES);
    struct csn_process_plan *plan = stub->plan;
    stub_need(stub, strip_prctl(STRIP_PR_SET_NO_NEW_PRIVS, 1));
    if (strip_prctl(STRIP_PR_GET_NO_NEW_PRIVS, 0) != 1) {
        stub_fail(stub, STRIP_EPERM);
    }
    plan->protections |= plan->namespaces != 0 ? CSN_PROTECT_NAMESPACES : 0;
    plan->protections |= strip_own_uid(plan);
    if (strip_capabilities(STRIP_CAP_IPC_LOCK) != 0) {
        stub_need(stub, strip_capabilities(0));
    }
    /* After the change of user, which resets both. */
    stub_need(stub, strip_prctl(STRIP_PR_SET_DUMPABLE, 0));
    if (strip_prctl(STRIP_PR_GET_DUMPABLE, 0) != 0) {
        stub_fail(stub, STRIP_EPERM);
    }
    stub_need(stub, strip_prctl(STRIP_PR_SET_PDEATHSIG, 9));
}

void stub_limits(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_LIMITS);
    strip_limit_zero(stub, STRIP_RLIMIT_CORE);
    /* Is there a filter that kills the whole process? (SECCOMP_GET_ACTION_AVAIL) */
    uint32_t kill_process = 0x80000000u;
    stub_need(stub, stub_call(STUB_SECCOMP, 2, 0, (uint64_t)&kill_process));
}

/* After the memory is built: the last capability, all descriptors, the right to open more. */
void stub_strip_last(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_DESCRIPTORS);
    stub_need(stub, strip_capabilities(0));
    stub_need(stub, stub_call(STUB_CLOSE_RANGE, 0, UINT32_MAX, 0));
    strip_limit_zero(stub, STRIP_RLIMIT_NOFILE);
    strip_limit_zero(stub, STRIP_RLIMIT_FSIZE);
}
