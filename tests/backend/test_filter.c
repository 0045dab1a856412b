/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_filter.c: does exactly the list survive? The program is read by an interpreter over every
 * call number, convention and site, and tried on the kernel in children that die of it.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/process/filter.h"
#include "backend/process/gate_page.h"
#include <caisson/wire/map.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RINGS_SIZE   UINT64_C(0xc000)
#define NUMBER_COUNT 1024u
#define X32          0x40000000u
#define FUTEX        202u
#define EXIT_GROUP   231u

struct program {
    struct sock_filter code[CSN_FILTER_SIZE_MAX + 8];
    uint32_t count;
};

static void make(struct program *program)
{
    program->count = csn_process_filter(program->code, RINGS_SIZE);
    assert_true(program->count > 0);
}

/* Every instruction that the filter uses; anything else is an error of the test. */
static uint32_t run(const struct program *program, const struct seccomp_data *data)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < program->count; i++) {
        const struct sock_filter *op = &program->code[i];
        bool yes = false;
        switch (op->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            assert_true(op->k + 4 <= sizeof *data && op->k % 4 == 0);
            memcpy(&value, (const uint8_t *)data + op->k, 4);
            continue;
        case BPF_RET | BPF_K:
            return op->k;
        case BPF_JMP | BPF_JEQ | BPF_K:
            yes = value == op->k;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            yes = value > op->k;
            break;
        default:
            fail_msg("instruction %u is of no known kind", i);
        }
        i += yes ? op->jt : op->jf;
    }
    fail_msg("the program runs off its end");
    return 0;
}

/* What the list says, written down a second time. */
static bool listed(const struct seccomp_data *data)
{
    uint64_t site = data->instruction_pointer - CSN_MAP_GATE;
    if (data->arch != AUDIT_ARCH_X86_64) {
        return false;
    }
    if (data->nr == (int)EXIT_GROUP) {
        return site == CSN_GATE_SITE_STOP;
    }
    bool word = data->args[0] >= CSN_MAP_RINGS && data->args[0] <= CSN_MAP_RINGS + RINGS_SIZE - 4;
    if (data->nr != (int)FUTEX || !word) {
        return false;
    }
    return (data->args[1] == 0 && data->args[3] == 0 && site == CSN_GATE_SITE_PARK) ||
           (data->args[1] == 1 && site == CSN_GATE_SITE_WAKE);
}

/* The number of cases in which program and list differ. */
static uint32_t compare(const struct program *program, uint32_t *allowed)
{
    static const uint32_t arches[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, 0xc00000b7u, 0};
    static const uint64_t sites[] = {CSN_MAP_GATE + CSN_GATE_SITE_PARK,
                                     CSN_MAP_GATE + CSN_GATE_SITE_WAKE,
                                     CSN_MAP_GATE + CSN_GATE_SITE_STOP,
                                     CSN_MAP_GATE + CSN_GATE_SITE_STOP + 1,
                                     CSN_MAP_GATE + CSN_GATE_ENTER + 0x30,
                                     0x10000002,
                                     0xffffffffff600002,
                                     CSN_MAP_GATE + CSN_GATE_SITE_PARK + (UINT64_C(1) << 32)};
    static const uint64_t words[] = {
        CSN_MAP_RINGS,     CSN_MAP_RINGS + RINGS_SIZE - 4,      CSN_MAP_RINGS + RINGS_SIZE - 3,
        CSN_MAP_RINGS - 4, CSN_MAP_RINGS + (UINT64_C(1) << 32), 0,
        CSN_MAP_POOL};
    static const uint64_t operations[] = {0, 1, 128, 129, 2, 3, 9, UINT64_C(1) << 32};
    uint32_t differences = 0;
    *allowed = 0;
    for (uint32_t n = 0; n < 2 * NUMBER_COUNT; n++) {
        for (size_t a = 0; a < 4; a++) {
            for (size_t c = 0; c < 8 * 7 * 8 * 3; c++) {
                struct seccomp_data data = {
                    .nr = (int)(n < NUMBER_COUNT ? n : n - NUMBER_COUNT + X32),
                    .arch = arches[a],
                    .instruction_pointer = sites[c % 8]};
                data.args[0] = words[c / 8 % 7];
                data.args[1] = operations[c / 56 % 8];
                data.args[3] = c / 448 == 0 ? 0 : c / 448 == 1 ? 1 : UINT64_C(1) << 32;
                uint32_t action = run(program, &data);
                bool allow = action == SECCOMP_RET_ALLOW;
                assert_true(allow || action == SECCOMP_RET_KILL_PROCESS);
                *allowed += allow;
                differences += allow != listed(&data);
            }
        }
    }
    return differences;
}

static void test_list(void **state)
{
    (void)state;
    struct program program;
    uint32_t allowed = 0;
    make(&program);
    assert_int_equal(compare(&program, &allowed), 0);
    print_message("# %u instructions, %u of 11,010,048 calls allowed\n", program.count, allowed);
    assert_true(allowed > 0);
}

/* One more allowed call, or one lost check, is found. */
static void test_list_seeded(void **state)
{
    (void)state;
    struct program program;
    uint32_t allowed = 0;
    make(&program);
    for (uint32_t i = 0; i < program.count; i++) {
        struct sock_filter *op = &program.code[i];
        struct sock_filter saved = *op;
        if (op->code == (BPF_RET | BPF_K) && op->k == SECCOMP_RET_KILL_PROCESS) {
            op->k = SECCOMP_RET_ALLOW;
            assert_true(compare(&program, &allowed) > 0);
            *op = saved;
        }
    }
    struct program more = {.count = program.count + 2};
    more.code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
    memcpy(&more.code[2], program.code, program.count * sizeof program.code[0]);
    more.code[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 39, 6, 0);
    more.count = program.count + 2;
    /* getpid jumps to an ALLOW: the first one of the program, wherever it lies. */
    for (uint32_t i = 2; i < more.count; i++) {
        if (more.code[i].code == (BPF_RET | BPF_K) && more.code[i].k == SECCOMP_RET_ALLOW) {
            more.code[1].jt = (uint8_t)(i - 2);
            break;
        }
    }
    assert_true(compare(&more, &allowed) > 0);
}

static void test_sizes(void **state)
{
    (void)state;
    struct sock_filter code[CSN_FILTER_SIZE_MAX];
    assert_int_equal(csn_process_filter(code, 0), 0);
    assert_int_equal(csn_process_filter(code, 3), 0);
    assert_int_equal(csn_process_filter(code, CSN_FILTER_RINGS_SIZE_MAX + 1), 0);
    assert_true(csn_process_filter(code, CSN_FILTER_RINGS_SIZE_MAX) > 0);
}

enum convention {
    CONVENTION_X86_64,
    CONVENTION_X32,
    CONVENTION_I386,
};

/*
 * Linux does not show two calls to filters at all, because uprobes make them in a process' name:
 * uretprobe (since 6.11; anywhere else it is answered with SIGILL) and uprobe (since 6.18; anywhere
 * else ENXIO). Neither does anything for a caller outside of a kernel-made page.
 */
#define URETPROBE 335u
#define UPROBE    336u

static bool unfiltered(uint32_t number, int end)
{
    return (number == URETPROBE && end == SIGILL) || (number == UPROBE && end == SIGFPE);
}

/* In a child: install the program, make one call from ordinary code. A call that comes back ends
 * with a breakpoint, or with a division by zero where it said ENXIO. */
static int try_call(const struct program *program, enum convention convention, uint32_t number)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        struct sock_fprog prog = {.len = (uint16_t)program->count,
                                  .filter = (struct sock_filter *)(uintptr_t)program->code};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGILL, SIG_DFL); /* cmocka has handlers for these */
        signal(SIGFPE, SIG_DFL);
        signal(SIGTRAP, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) != 0) {
            _exit(3);
        }
        uint64_t result = number | (convention == CONVENTION_X32 ? X32 : 0);
        if (convention == CONVENTION_I386) {
            __asm__ volatile("int $0x80" : "+a"(result) : "b"(0), "c"(0), "d"(0) : "memory");
        } else {
            register uint64_t r10 __asm__("r10") = 0;
            __asm__ volatile("syscall"
                             : "+a"(result)
                             : "D"(0), "S"(0), "d"(0), "r"(r10)
                             : "rcx", "r11", "memory");
        }
        if ((int64_t)result == -ENXIO) {
            __asm__ volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" : : : "eax", "ecx", "edx");
        }
        __asm__ volatile("int3");
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status) - 1;
}

static void test_kernel_kills_all(void **state)
{
    (void)state;
    struct program program;
    uint32_t killed[3] = {0, 0, 0};
    make(&program);
    for (uint32_t number = 0; number < NUMBER_COUNT; number++) {
        for (int convention = 0; convention < 3; convention++) {
            int end = try_call(&program, (enum convention)convention, number);
            bool probe = convention == CONVENTION_X86_64 && unfiltered(number, end);
            killed[convention] += end == SIGSYS || probe;
            if (end != SIGSYS) {
                print_message("# convention %d call %u: signal %d%s\n", convention, number, end,
                              probe ? ", a call that Linux shows to no filter" : "");
            }
        }
    }
    print_message("# killed of 1024: x86-64 %u, x32 %u, i386 %u\n", killed[0], killed[1],
                  killed[2]);
    for (int convention = 0; convention < 2; convention++) {
        assert_int_equal(killed[convention], NUMBER_COUNT);
    }
    /* A kernel without 32-bit calls answers int 0x80 with SIGSEGV before any filter sees it. */
    if (killed[2] == 0 && try_call(&program, CONVENTION_I386, 20) == SIGSEGV) {
        print_message("# i386: this kernel has no 32-bit calls (SIGSEGV)\n");
        return;
    }
    assert_int_equal(killed[2], NUMBER_COUNT);
}

/* The same probe finds a filter that lets getpid through. */
static void test_kernel_seeded(void **state)
{
    (void)state;
    struct program program, more = {.count = 0};
    make(&program);
    more.code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
    more.code[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 39, 0, 1);
    more.code[2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    memcpy(&more.code[3], program.code, program.count * sizeof program.code[0]);
    more.count = program.count + 3;
    assert_int_equal(try_call(&more, CONVENTION_X86_64, 39), SIGTRAP);
    assert_int_equal(try_call(&more, CONVENTION_X86_64, 38), SIGSYS);
    assert_int_equal(try_call(&program, CONVENTION_X86_64, 39), SIGSYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),          cmocka_unit_test(test_list_seeded),
        cmocka_unit_test(test_sizes),         cmocka_unit_test(test_kernel_kills_all),
        cmocka_unit_test(test_kernel_seeded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
