/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub_touch.c: touches memory, a large region by several threads: the kernel clears what is
 * touched, and where this machine is a virtual one its host finds memory for it.
 *
 * Threads: they make two system calls and are gone before this returns, long before the filter; a
 *          thread that cannot be had is done without.
 */
#include "stub.h"
#include "stub_call.h"

#define TOUCH_POPULATE_WRITE 23u

#define TOUCH_THREADS_MAX 7u                  /* beside this one */
#define TOUCH_PART_MIN    (UINT64_C(1) << 25) /* below, a thread costs what it saves */
#define TOUCH_STACK_SIZE  4096u
#define TOUCH_CPU_WORDS   16u
#define TOUCH_FUTEX_WAIT  0u

struct touch_part {
    _Alignas(16) uint8_t stack[TOUCH_STACK_SIZE];
    uint64_t address;
    uint64_t size;
    uint32_t runs; /* the kernel clears it when the thread is gone, and wakes who waits for that */
};

static struct touch_part touch_parts[TOUCH_THREADS_MAX];

static void touch(uint64_t address, uint64_t size)
{
    if (stub_call(STUB_MADVISE, address, size, TOUCH_POPULATE_WRITE) == 0) {
        return;
    }
    for (uint64_t offset = 0; offset < size; offset += CSN_MAP_PAGE_SIZE) {
        volatile uint8_t *byte = (volatile uint8_t *)(address + offset);
        *byte = *byte;
    }
}

static CSN_NORETURN void touch_thread(void *argument)
{
    const struct touch_part *part = argument;
    touch(part->address, part->size);
    for (;;) {
        stub_call(STUB_EXIT, 0, 0, 0);
    }
}

static uint64_t touch_cpu_count(void)
{
    uint64_t words[TOUCH_CPU_WORDS];
    uint64_t count = 0;
    int64_t size = stub_call(STUB_SCHED_GETAFFINITY, 0, sizeof words, (uint64_t)words);
    for (int64_t i = 0; i < size / (int64_t)sizeof words[0]; i++) {
        for (uint64_t word = words[i]; word != 0; word &= word - 1) {
            count++;
        }
    }
    return count;
}

void stub_touch(uint64_t address, uint64_t size)
{
    uint64_t count = size / TOUCH_PART_MIN;
    uint64_t cpus = count > 1 ? touch_cpu_count() : 1;
    count = count > cpus ? cpus : count;
    count = count > TOUCH_THREADS_MAX + 1 ? TOUCH_THREADS_MAX + 1 : count;
    uint64_t each = count > 1 ? size / count & ~(CSN_MAP_HUGE_SIZE - 1) : 0;
    uint32_t started = 0;
    while (started + 1 < count) {
        struct touch_part *part = &touch_parts[started];
        part->address = address + started * each;
        part->size = each;
        part->runs = 1;
        if (stub_helper(touch_thread, part, part->stack + TOUCH_STACK_SIZE, &part->runs) < 0) {
            break;
        }
        started++;
    }
    touch(address + started * each, size - started * each);
    while (started > 0) {
        const uint32_t *runs = &touch_parts[--started].runs;
        while (__atomic_load_n(runs, __ATOMIC_ACQUIRE) != 0) {
            stub_call(STUB_FUTEX, (uint64_t)runs, TOUCH_FUTEX_WAIT, 1);
        }
    }
}
