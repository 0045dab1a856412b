/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub_call.h: system calls of the launcher stub, without libc: a result below zero is -errno.
 */
#ifndef CSN_PROCESS_STUB_CALL_H
#define CSN_PROCESS_STUB_CALL_H

#include <stdint.h>

enum stub_call_number {
    STUB_READ = 0,
    STUB_CLOSE = 3,
    STUB_FSTAT = 5,
    STUB_LSEEK = 8,
    STUB_MMAP = 9,
    STUB_MPROTECT = 10,
    STUB_MUNMAP = 11,
    STUB_SIGACTION = 13,
    STUB_SIGPROCMASK = 14,
    STUB_PREAD = 17,
    STUB_MADVISE = 28,
    STUB_GETPID = 39,
    STUB_EXIT = 60,
    STUB_FCNTL = 72,
    STUB_FTRUNCATE = 77,
    STUB_CHDIR = 80,
    STUB_UMASK = 95,
    STUB_SETSID = 112,
    STUB_SETGROUPS = 116,
    STUB_SETRESUID = 117,
    STUB_SETRESGID = 119,
    STUB_CAPSET = 126,
    STUB_PERSONALITY = 135,
    STUB_MLOCK = 149,
    STUB_PRCTL = 157,
    STUB_FUTEX = 202,
    STUB_SCHED_GETAFFINITY = 204,
    STUB_EXIT_GROUP = 231,
    STUB_OPENAT = 257,
    STUB_PRLIMIT = 302,
    STUB_SECCOMP = 317,
    STUB_GETRANDOM = 318,
    STUB_CLOSE_RANGE = 436,
    STUB_MEMFD_SECRET = 447,
};

static inline int64_t stub_call6(enum stub_call_number number, uint64_t a, uint64_t b, uint64_t c,
                                 uint64_t d, uint64_t e, uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    int64_t result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((uint64_t)number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline int64_t stub_call(enum stub_call_number number, uint64_t a, uint64_t b, uint64_t c)
{
    return stub_call6(number, a, b, c, 0, 0, 0);
}

static inline int64_t stub_call5(enum stub_call_number number, uint64_t a, uint64_t b, uint64_t c,
                                 uint64_t d, uint64_t e)
{
    return stub_call6(number, a, b, c, d, e, 0);
}

#endif
