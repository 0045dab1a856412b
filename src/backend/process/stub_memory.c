/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub_memory.c: the address space of an enclave: every region at its address (map.h) or not at
 * all, private copies of everything but boot region and rings, all of it touched.
 */
#include "stub.h"

#include "crypto/sha2.h"
#include "stub_call.h"
#include <caisson/wire/boot.h>
#include <caisson/wire/channel.h>
#include <linux/mman.h>

#define MEMORY_MADV_DONTFORK    10u
#define MEMORY_MADV_UNMERGEABLE 13u
#define MEMORY_MADV_HUGEPAGE    14u
#define MEMORY_MADV_DONTDUMP    16u

#define MEMORY_F_GET_SEALS 1034u
#define MEMORY_SEALS_SIZE  7  /* F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW */
#define MEMORY_SEALS_ALL   15 /* and F_SEAL_WRITE */
#define MEMORY_SEEK_END    2
#define MEMORY_ADDRESS_END UINT64_C(0x7ffffffff000)

#define MEMORY_EPERM     1
#define MEMORY_EIO       5
#define MEMORY_EEXIST    17
#define MEMORY_EINVAL    22
#define MEMORY_EMFILE    24
#define MEMORY_EOVERFLOW 75

static uint64_t memory_pages(uint64_t size)
{
    return (size + CSN_MAP_PAGE_SIZE - 1) & ~(CSN_MAP_PAGE_SIZE - 1);
}

/* Remember a region, in order of address; the gaps between them are unmapped at the end. */
static void memory_note(struct stub *stub, uint64_t address, uint64_t size, uint32_t protection)
{
    if (stub->region_count >= STUB_REGION_COUNT_MAX) {
        stub_fail(stub, MEMORY_EMFILE);
    }
    uint32_t index = stub->region_count;
    while (index > 0 && stub->regions[index - 1].address > address) {
        stub->regions[index] = stub->regions[index - 1];
        index--;
    }
    stub->regions[index] =
        (struct stub_region){.address = address, .size = size, .protection = protection};
    stub->region_count++;
}

static void memory_touch(struct stub *stub, uint64_t address, uint64_t size)
{
    stub_call(STUB_MADVISE, address, size, MEMORY_MADV_DONTDUMP);
    stub_call(STUB_MADVISE, address, size, MEMORY_MADV_DONTFORK);
    stub_touch(address, size);
    if (stub_call(STUB_MLOCK, address, size, 0) != 0) {
        stub->unlocked++;
    }
}

/* mmap at exactly this address; a collision is EEXIST, whatever else lies there. */
static void memory_map_at(struct stub *stub, uint64_t address, uint64_t size, uint64_t flags,
                          int64_t fd)
{
    int64_t result = stub_call6(STUB_MMAP, address, size, PROT_READ | PROT_WRITE,
                                flags | MAP_FIXED_NOREPLACE, (uint64_t)fd, 0);
    stub_need(stub, result);
    if ((uint64_t)result != address) {
        stub_fail(stub, MEMORY_EEXIST); /* a kernel that takes the address as a hint only */
    }
}

/* Secret memory is asked for by name only: it excludes huge pages and may not be executed. */
static int64_t memory_secret(struct stub *stub, uint64_t size)
{
    if ((stub->plan->require & CSN_PROTECT_SECRET) == 0) {
        return -1;
    }
    int64_t fd = stub_call(STUB_MEMFD_SECRET, 02000000, 0, 0);
    if (fd >= 0 && stub_call(STUB_FTRUNCATE, (uint64_t)fd, size, 0) != 0) {
        stub_call(STUB_CLOSE, (uint64_t)fd, 0, 0);
        fd = -1;
    }
    return fd;
}

/* Private memory at its address, zero and touched; protection is what it gets in the end. */
static void memory_private(struct stub *stub, uint64_t address, uint64_t size, uint32_t protection)
{
    int64_t fd = (protection & PROT_EXEC) != 0 ? -1 : memory_secret(stub, size);
    if (fd >= 0) {
        memory_map_at(stub, address, size, MAP_SHARED, fd);
        stub_call(STUB_CLOSE, (uint64_t)fd, 0, 0);
        stub->plan->protections |= CSN_PROTECT_SECRET;
    } else {
        if ((stub->plan->require & CSN_PROTECT_SECRET) != 0 && (protection & PROT_EXEC) == 0) {
            stub_step(stub, CSN_PLAN_STEP_REQUIRE);
            stub_fail(stub, CSN_PROTECT_SECRET);
        }
        memory_map_at(stub, address, size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        stub_call(STUB_MADVISE, address, size, MEMORY_MADV_UNMERGEABLE);
    }
    if (size >= CSN_MAP_HUGE_SIZE) {
        stub_call(STUB_MADVISE, address, size, MEMORY_MADV_HUGEPAGE);
    }
    memory_touch(stub, address, size);
    memory_note(stub, address, size, protection);
}

static void memory_need_seals(struct stub *stub, uint64_t fd, int64_t seals)
{
    int64_t found = stub_call(STUB_FCNTL, fd, MEMORY_F_GET_SEALS, 0);
    stub_need(stub, found);
    if ((found & seals) != seals) {
        stub_fail(stub, MEMORY_EPERM);
    }
}

/* From here on the file is out of the picture: what is parsed, measured and run is the copy. */
void stub_copy_image(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_SEALS);
    memory_need_seals(stub, CSN_PLAN_FD_IMAGE, MEMORY_SEALS_ALL);
    memory_need_seals(stub, CSN_PLAN_FD_RINGS, MEMORY_SEALS_SIZE);
    memory_need_seals(stub, CSN_PLAN_FD_BOOT, MEMORY_SEALS_SIZE);

    stub_step(stub, CSN_PLAN_STEP_COPY);
    uint64_t size = stub->plan->image_size;
    if (size == 0 || size > CSN_MAP_IMAGE_END - CSN_MAP_IMAGE) {
        stub_fail(stub, MEMORY_EOVERFLOW);
    }
    int64_t copy = stub_call6(STUB_MMAP, 0, memory_pages(size), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
    stub_need(stub, copy);
    uint64_t done = 0;
    while (done < size) {
        int64_t count =
            stub_call5(STUB_PREAD, CSN_PLAN_FD_IMAGE, (uint64_t)copy + done, size - done, done, 0);
        stub_need(stub, count);
        if (count == 0) {
            stub_fail(stub, MEMORY_EIO);
        }
        done += (uint64_t)count;
    }
    stub->copy = (const uint8_t *)copy;
    stub->copy_size = size;

    stub_step(stub, CSN_PLAN_STEP_PARSE);
    struct csn_image_fault fault = {.what = "", .where = 0};
    if (csn_image_parse(stub->copy, size, &stub->image, &fault) != CSN_OK) {
        char *what = stub->plan->fault_what;
        for (uint32_t i = 0; i + 1 < sizeof stub->plan->fault_what && fault.what[i] != '\0'; i++) {
            what[i] = fault.what[i];
        }
        stub->plan->fault_where = (uint32_t)fault.where;
        stub_fail(stub, MEMORY_EINVAL);
    }
}

void stub_map_rings(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_RINGS);
    uint64_t size = csn_wire_rings_size(&stub->image.manifest);
    int64_t found = stub_call(STUB_LSEEK, CSN_PLAN_FD_RINGS, 0, MEMORY_SEEK_END);
    stub_need(stub, found);
    if ((uint64_t)found != size) {
        stub_fail(stub, MEMORY_EINVAL);
    }
    memory_map_at(stub, CSN_MAP_RINGS, size, MAP_SHARED, CSN_PLAN_FD_RINGS);
    uint32_t before = stub->unlocked;
    memory_touch(stub, CSN_MAP_RINGS, size);
    stub->unlocked = before; /* they hold nothing private: a limit is better spent on the pool */
    memory_note(stub, CSN_MAP_RINGS, size, PROT_READ | PROT_WRITE);
    stub->rings_size = size;
}

static const uint8_t *memory_segment(void *state, const struct csn_image_segment *segment)
{
    (void)state;
    return (const uint8_t *)segment->address;
}

static uint32_t memory_protection(uint32_t permissions)
{
    return ((permissions & CSN_IMAGE_READ) != 0 ? PROT_READ : 0u) |
           ((permissions & CSN_IMAGE_WRITE) != 0 ? PROT_WRITE : 0u) |
           ((permissions & CSN_IMAGE_EXECUTE) != 0 ? PROT_EXEC : 0u);
}

void stub_map_image(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_IMAGE);
    for (uint32_t i = 0; i < stub->image.segment_count; i++) {
        const struct csn_image_segment *segment = &stub->image.segments[i];
        memory_private(stub, segment->address, memory_pages(segment->memory_size),
                       memory_protection(segment->permissions));
        __builtin_memcpy((void *)segment->address, stub->copy + segment->file_offset,
                         segment->file_size);
    }
    csn_image_measure(&stub->image, memory_segment, stub, stub->plan->measurement);
}

void stub_map_boot(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_BOOT);
    memory_map_at(stub, CSN_MAP_BOOT, CSN_MAP_BOOT_SIZE, MAP_SHARED, CSN_PLAN_FD_BOOT);
    memory_touch(stub, CSN_MAP_BOOT, CSN_MAP_BOOT_SIZE);
    memory_note(stub, CSN_MAP_BOOT, CSN_MAP_BOOT_SIZE, PROT_READ | PROT_WRITE);
    memory_note(stub, STUB_PLAN_ADDRESS, CSN_MAP_PAGE_SIZE, PROT_READ | PROT_WRITE);
    struct csn_wire_boot *boot = (struct csn_wire_boot *)CSN_MAP_BOOT;
    __builtin_memcpy(boot->given.measurement, stub->plan->measurement,
                     sizeof boot->given.measurement);
}

void stub_map_gate(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_GATE);
    memory_private(stub, CSN_MAP_GATE, CSN_MAP_GATE_SIZE, PROT_READ | PROT_EXEC);
    __builtin_memcpy((void *)CSN_MAP_GATE, csn_gate_page, CSN_MAP_GATE_SIZE);
    csn_sha256((const void *)CSN_MAP_GATE, CSN_MAP_GATE_SIZE, stub->plan->gate_hash);
}

/* The stack, then the page with the FS block: one region; guard pages are the gaps around it. */
void stub_map_stacks(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_STACKS);
    uint64_t stack_size = stub->image.manifest.stack_size;
    for (uint32_t worker = 0; worker < stub->image.manifest.worker_count; worker++) {
        uint64_t fs = csn_map_fs_block(worker, stack_size);
        memory_private(stub, csn_map_stack_low(worker), stack_size + CSN_MAP_PAGE_SIZE,
                       PROT_READ | PROT_WRITE);
        uint64_t *block = (uint64_t *)fs;
        block[0] = fs; /* %fs:0 is the address of the block, as compilers expect */
        int64_t count = stub_call(STUB_GETRANDOM, (uint64_t)&block[5], sizeof block[5], 0);
        if (count != (int64_t)sizeof block[5]) {
            stub_fail(stub, MEMORY_EIO);
        }
    }
}

/* Bytes of our own anonymous memory that lie in huge pages, as the kernel reports them. */
static uint64_t memory_huge_size(void)
{
    static const char path[] = "/proc/self/smaps_rollup";
    static const char key[] = "AnonHugePages:";
    static char text[2048];
    int64_t fd = stub_call6(STUB_OPENAT, (uint64_t)-100, (uint64_t)path, 02000000, 0, 0, 0);
    if (fd < 0) {
        return 0;
    }
    int64_t size = stub_call(STUB_READ, (uint64_t)fd, (uint64_t)text, sizeof text);
    stub_call(STUB_CLOSE, (uint64_t)fd, 0, 0);
    for (int64_t i = 0; i + (int64_t)sizeof key < size; i++) {
        if (__builtin_memcmp(text + i, key, sizeof key - 1) != 0) {
            continue;
        }
        uint64_t kilobytes = 0;
        for (i += (int64_t)sizeof key - 1; i < size && text[i] != 'k'; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                kilobytes = kilobytes * 10 + (uint64_t)(text[i] - '0');
            }
        }
        return kilobytes * 1024;
    }
    return 0;
}

void stub_map_pool(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_POOL);
    uint64_t size = stub->image.manifest.pool_size;
    uint64_t whole = size & ~(CSN_MAP_HUGE_SIZE - 1);
    uint64_t before = whole > 0 ? memory_huge_size() : 0;
    if (size > 0) {
        memory_private(stub, CSN_MAP_POOL, size, PROT_READ | PROT_WRITE);
    }
    if (whole > 0 && memory_huge_size() >= before + whole) {
        stub->plan->protections |= CSN_PROTECT_HUGE_PAGES;
    }
    if (stub->unlocked == 0) {
        stub->plan->protections |= CSN_PROTECT_LOCKED;
    }
}

void stub_protect(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_PROTECT);
    for (uint32_t i = 0; i < stub->region_count; i++) {
        const struct stub_region *region = &stub->regions[i];
        if (region->protection != (PROT_READ | PROT_WRITE)) {
            stub_need(stub,
                      stub_call(STUB_MPROTECT, region->address, region->size, region->protection));
        }
    }
}

uint32_t stub_gaps(const struct stub *stub, struct csn_gate_gap gaps[CSN_GATE_GAP_COUNT_MAX])
{
    uint32_t count = 0;
    uint64_t end = 0;
    for (uint32_t i = 0; i < stub->region_count; i++) {
        const struct stub_region *region = &stub->regions[i];
        if (region->address > end) {
            gaps[count] = (struct csn_gate_gap){.address = end, .size = region->address - end};
            count++;
        }
        end = region->address + region->size;
    }
    gaps[count] = (struct csn_gate_gap){.address = end, .size = MEMORY_ADDRESS_END - end};
    return count + 1;
}
