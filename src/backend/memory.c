/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c: private memory and sealed memory files for launchers. */
#define _GNU_SOURCE
#include "memory.h"

#include "core/bytes.h"
#include "detail.h"
#include "thread.h"
#include <caisson/wire/map.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 6.3 and 5.14; Debian 12's headers have the second only. */
#define MEMORY_MFD_NOEXEC_SEAL 0x0008U
#define MEMORY_MFD_EXEC        0x0010U
#define MEMORY_POPULATE_WRITE  23

#define MEMORY_SMAPS_LINES_MAX 1000000u

#define MEMORY_THREADS_MAX 8u
#define MEMORY_PART_MIN    ((size_t)1 << 25) /* below, a thread costs what it saves */

/* PAGEMAP_SCAN, Linux 6.7: what pages are like, without the text of all mappings. */
struct memory_scan {
    uint64_t size, flags, start, end, walk_end, regions, region_count, page_count_max;
    uint64_t inverted, all_of, any_of, told;
};
struct memory_scan_region {
    uint64_t start, end, categories;
};
#define MEMORY_SCAN              _IOWR('f', 16, struct memory_scan)
#define MEMORY_SCAN_HUGE         (UINT64_C(1) << 6)
#define MEMORY_SCAN_REGION_COUNT 16u

/* Bytes of [base, base + size) that lie in huge pages; false: this kernel cannot say so. */
static bool memory_scan_huge(const void *base, size_t size, size_t *huge_size)
{
    struct memory_scan_region regions[MEMORY_SCAN_REGION_COUNT];
    uint64_t at = (uintptr_t)base;
    const uint64_t end = at + size;
    int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    bool told = file >= 0;
    *huge_size = 0;
    while (told && at < end) {
        struct memory_scan scan = {.size = sizeof scan,
                                   .start = at,
                                   .end = end,
                                   .regions = (uintptr_t)regions,
                                   .region_count = MEMORY_SCAN_REGION_COUNT,
                                   .all_of = MEMORY_SCAN_HUGE,
                                   .told = MEMORY_SCAN_HUGE};
        int count = ioctl(file, MEMORY_SCAN, &scan);
        told = count >= 0 && count <= (int)MEMORY_SCAN_REGION_COUNT && scan.walk_end > at;
        for (int i = 0; told && i < count; i++) {
            *huge_size += regions[i].end - regions[i].start;
        }
        at = scan.walk_end;
    }
    if (file >= 0) {
        close(file);
    }
    return told;
}

/* The same from the text, for the mapping that begins at base. */
static size_t memory_huge_listed(const void *base)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    if (file == NULL) {
        return 0;
    }
    char line[512];
    size_t result = 0;
    int inside = 0;
    for (unsigned count = 0; count < MEMORY_SMAPS_LINES_MAX; count++) {
        unsigned long long start = 0, end = 0, kilobytes = 0;
        if (fgets(line, sizeof line, file) == NULL) {
            break;
        }
        if (sscanf(line, "%llx-%llx ", &start, &end) == 2) {
            inside = start <= (uintptr_t)base && (uintptr_t)base < end;
        } else if (inside && sscanf(line, "AnonHugePages: %llu kB", &kilobytes) == 1) {
            result = (size_t)kilobytes * 1024;
            break;
        }
    }
    fclose(file);
    return result;
}

/*
 * One store for each huge page first: such a fault takes the lock of this mapping alone, while
 * populating in one call would keep the process's, which who makes a machine meanwhile waits for.
 */
static void memory_touch_part(uint8_t *base, size_t size)
{
    for (size_t offset = 0; offset < size; offset += CSN_MAP_HUGE_SIZE) {
        *(volatile uint8_t *)(base + offset) = 0;
    }
    if (madvise(base, size, MEMORY_POPULATE_WRITE) == 0) {
        return;
    }
    for (size_t offset = 0; offset < size; offset += CSN_MAP_PAGE_SIZE) {
        *(volatile uint8_t *)(base + offset) = 0;
    }
}

struct memory_part {
    pthread_t thread;
    uint8_t *base;
    size_t size;
};

static void *memory_touch_thread(void *argument)
{
    const struct memory_part *part = argument;
    memory_touch_part(part->base, part->size);
    return NULL;
}

/*
 * The kernel clears what is touched, and where this machine is a virtual one its host finds memory
 * for it: both are done for several parts at once. A thread that cannot be had is done without.
 */
static void memory_touch(uint8_t *base, size_t size)
{
    struct memory_part parts[MEMORY_THREADS_MAX];
    cpu_set_t allowed;
    size_t processors =
        sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? (size_t)CPU_COUNT(&allowed) : 1;
    size_t count = size / MEMORY_PART_MIN;
    count = count > processors ? processors : count;
    count = count > MEMORY_THREADS_MAX ? MEMORY_THREADS_MAX : count;
    size_t started = 0;
    size_t each = count > 1 ? size / count & ~(size_t)(CSN_MAP_HUGE_SIZE - 1) : 0;
    while (started + 1 < count) {
        struct memory_part *part = &parts[started];
        *part = (struct memory_part){.base = base + started * each, .size = each};
        if (!csn_thread_start(&part->thread, memory_touch_thread, part)) {
            break;
        }
        started++;
    }
    memory_touch_part(base + started * each, size - started * each);
    while (started > 0) {
        pthread_join(parts[--started].thread, NULL);
    }
}

csn_err csn_memory_map(size_t size, struct csn_memory *memory, struct csn_detail *detail)
{
    uint64_t span = 0;
    if (size == 0 || !csn_add_u64(size, 2 * CSN_MAP_HUGE_SIZE, &span)) {
        return csn_detail_set(detail, CSN_ERR_ARGUMENT, "a region of %zu bytes", size);
    }
    /* A tail of small pages would cost the guest a nested fault each, at its first touch. */
    size_t unit = size > CSN_MAP_HUGE_SIZE / 2 ? CSN_MAP_HUGE_SIZE : CSN_MAP_PAGE_SIZE;
    size = (size + unit - 1) & ~(unit - 1);
    span = size + CSN_MAP_HUGE_SIZE;
    uint8_t *raw = mmap(NULL, span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "mapping %zu bytes: %s", size,
                              csn_errno_name(errno));
    }
    uintptr_t aligned = ((uintptr_t)raw + CSN_MAP_HUGE_SIZE - 1) & ~(CSN_MAP_HUGE_SIZE - 1);
    uint8_t *base = raw + (aligned - (uintptr_t)raw);
    size_t before = (size_t)(base - raw);
    size_t after = span - before - size;
    if ((before > 0 && munmap(raw, before) != 0) ||
        (after > 0 && munmap(base + size, after) != 0)) {
        int number = errno;
        munmap(raw, span);
        return csn_detail_set(detail, CSN_ERR_MEMORY, "trimming a region: %s",
                              csn_errno_name(number));
    }
    /* Advice is best effort by nature: what it achieved is asked for below. */
    madvise(base, size, MADV_HUGEPAGE);
    madvise(base, size, MADV_DONTDUMP);
    madvise(base, size, MADV_DONTFORK);
    madvise(base, size, MADV_UNMERGEABLE);
    memory_touch(base, size);
    uint32_t protections = mlock(base, size) == 0 ? CSN_PROTECT_LOCKED : 0;
    size_t whole = size & ~(size_t)(CSN_MAP_HUGE_SIZE - 1);
    size_t huge = 0;
    if (whole > 0 && !memory_scan_huge(base, size, &huge)) {
        huge = memory_huge_listed(base);
    }
    if (whole > 0 && huge >= whole) {
        protections |= CSN_PROTECT_HUGE_PAGES;
    }
    *memory = (struct csn_memory){.base = base, .size = size, .protections = protections};
    return CSN_OK;
}

void csn_memory_touch_shared(void *base, size_t size)
{
    if (madvise(base, size, MEMORY_POPULATE_WRITE) == 0) {
        return;
    }
    for (size_t offset = 0; offset < size; offset += CSN_MAP_PAGE_SIZE) {
        __atomic_fetch_or((uint64_t *)(void *)((uint8_t *)base + offset), 0, __ATOMIC_RELAXED);
    }
}

void csn_memory_unmap(struct csn_memory *memory)
{
    if (memory->base != NULL) {
        csn_wipe(memory->base, memory->size);
        munmap(memory->base, memory->size);
    }
    *memory = (struct csn_memory){0};
}

static int memory_file_open(const char *name, int executable)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create(name, flags | (executable ? MEMORY_MFD_EXEC : MEMORY_MFD_NOEXEC_SEAL));
    if (fd < 0 && errno == EINVAL) {
        fd = memfd_create(name, flags); /* a kernel before 6.3 does not know these flags */
    }
    return fd;
}

csn_err csn_memory_file(const char *name, size_t size, int *fd, struct csn_detail *detail)
{
    int file = memory_file_open(name, 0);
    if (file < 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "memory file %s: %s", name,
                              csn_errno_name(errno));
    }
    if (ftruncate(file, (off_t)size) != 0 ||
        fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        int number = errno;
        close(file);
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "sizing and sealing %s: %s", name,
                              csn_errno_name(number));
    }
    *fd = file;
    return CSN_OK;
}

csn_err csn_memory_file_from(const char *name, const void *bytes, size_t size, int executable,
                             int *fd, struct csn_detail *detail)
{
    int file = memory_file_open(name, executable);
    if (file < 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "memory file %s: %s%s", name,
                              csn_errno_name(errno),
                              errno == EACCES ? "; set sysctl vm.memfd_noexec to 0 or 1" : "");
    }
    size_t done = 0;
    while (done < size) {
        ssize_t count = write(file, (const uint8_t *)bytes + done, size - done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        done += (size_t)count;
    }
    if (done != size ||
        fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
        int number = errno;
        close(file);
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "filling and sealing %s: %s", name,
                              csn_errno_name(number));
    }
    *fd = file;
    return CSN_OK;
}
