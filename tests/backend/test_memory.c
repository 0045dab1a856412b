/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_memory.c: private memory is there, all of it, before anybody needs it, whether or not it may
 * be locked; and it is said to lie in huge pages when it does, and only then.
 */
#define _GNU_SOURCE
#include "../skip.h"
#include "backend/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGE_SIZE 4096u
#define HUGE_SIZE (UINT64_C(1) << 21)
/* For several threads where there are CPUs for them; no multiple of what one of them takes. */
#define LARGE_SIZE ((size_t)(33 * 3 + 1) << 21)
#define NOBODY     65534

/* Bytes in huge pages of the mapping at base, from the kernel's text. */
static size_t listed_huge(const void *base)
{
    char line[512];
    unsigned long long start, end, kilobytes;
    size_t result = 0;
    bool inside = false;
    FILE *file = fopen("/proc/self/smaps", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%llx-%llx ", &start, &end) == 2) {
            inside = start <= (uintptr_t)base && (uintptr_t)base < end;
        } else if (inside && sscanf(line, "AnonHugePages: %llu kB", &kilobytes) == 1) {
            result = (size_t)kilobytes * 1024;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return result;
}

static size_t resident_pages(const struct csn_memory *memory)
{
    size_t count = memory->size / PAGE_SIZE;
    unsigned char *there = malloc(count);
    size_t sum = 0;
    if (there != NULL && mincore(memory->base, memory->size, there) == 0) {
        for (size_t i = 0; i < count; i++) {
            sum += there[i] & 1u;
        }
    }
    free(there);
    return sum;
}

/* Whoever may lock memory has it touched by that; this one may not. 0: all pages are there. */
static int unlocked_child(void)
{
    const struct rlimit none = {0, 0};
    struct csn_memory memory;
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 ||
        (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)) {
        return 1;
    }
    if (csn_memory_map(LARGE_SIZE, &memory, NULL) != CSN_OK) {
        return 2;
    }
    return resident_pages(&memory) == memory.size / PAGE_SIZE ? 0 : 3;
}

/* 0: no huge page, and none is claimed. */
static int small_pages_child(void)
{
    struct csn_memory memory;
    if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0 ||
        csn_memory_map(LARGE_SIZE, &memory, NULL) != CSN_OK || listed_huge(memory.base) != 0) {
        return 1;
    }
    return (memory.protections & CSN_PROTECT_HUGE_PAGES) == 0 ? 0 : 2;
}

/* In a process of its own: what is given up there does not come back. */
static int status_of(int (*child)(void))
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(child());
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void everything_is_touched(void **state)
{
    (void)state;
    assert_int_equal(status_of(unlocked_child), 0);
}

static void small_pages_are_not_called_huge(void **state)
{
    (void)state;
    assert_int_equal(status_of(small_pages_child), 0);
}

static void huge_pages_are_told_as_the_kernel_tells_them(void **state)
{
    (void)state;
    struct csn_memory memory;
    assert_int_equal(csn_memory_map(LARGE_SIZE, &memory, NULL), CSN_OK);
    assert_true(memory.size >= LARGE_SIZE && memory.size % HUGE_SIZE == 0);
    bool listed = listed_huge(memory.base) >= memory.size;
    assert_int_equal((memory.protections & CSN_PROTECT_HUGE_PAGES) != 0, listed);
    csn_memory_unmap(&memory);
}

static void shared_memory_is_touched_and_not_changed(void **state)
{
    (void)state;
    const size_t count = 64;
    int fd = -1;
    assert_int_equal(csn_memory_file("test", count * PAGE_SIZE, &fd, NULL), CSN_OK);
    struct csn_memory memory = {.size = count * PAGE_SIZE};
    memory.base = mmap(NULL, memory.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(memory.base != MAP_FAILED);
    uint8_t *bytes = memory.base;
    bytes[5 * PAGE_SIZE] = 0xa5;
    assert_int_equal(resident_pages(&memory), 1);
    csn_memory_touch_shared(memory.base, memory.size);
    assert_int_equal(resident_pages(&memory), count);
    for (size_t i = 0; i < memory.size; i++) {
        assert_int_equal(bytes[i], i == 5 * PAGE_SIZE ? 0xa5 : 0);
    }
    munmap(memory.base, memory.size);
    close(fd);
}

/* PAGEMAP_SCAN: a kernel without it has never heard of the number. */
static bool has_scan(void)
{
    struct scan {
        uint64_t words[12];
    } scan = {{0}};
    int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    bool has =
        file >= 0 && (ioctl(file, _IOWR('f', 16, struct scan), &scan) == 0 || errno != ENOTTY);
    if (file >= 0) {
        close(file);
    }
    return has;
}

int main(void)
{
    cpu_set_t allowed;
    bool is_seeded = getenv("CAISSON_SKIP_STATUS") != NULL;
    if (is_seeded && (!has_scan() || sched_getaffinity(0, sizeof allowed, &allowed) != 0 ||
                      CPU_COUNT(&allowed) < 2)) {
        return test_skip("the seeded bugs need two CPUs and Linux 6.7");
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_touched),
        cmocka_unit_test(small_pages_are_not_called_huge),
        cmocka_unit_test(huge_pages_are_told_as_the_kernel_tells_them),
        cmocka_unit_test(shared_memory_is_touched_and_not_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
