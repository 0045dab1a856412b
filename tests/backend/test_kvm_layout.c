/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_kvm_layout.c: walks the page tables as a CPU does and compares every page with map.h, both
 * ways: all that should be there is, with exactly its rights, and nothing else is. Needs no KVM.
 */
#include "backend/kvm/kvm_layout.h"
#include <caisson/wire/channel.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PRESENT UINT64_C(1)
#define WRITE   UINT64_C(2)
#define USER    UINT64_C(4)
#define HUGE    UINT64_C(0x80)
#define NX      (UINT64_C(1) << 63)
#define FRAME   UINT64_C(0x000ffffffffff000)

struct fixture {
    struct csn_image image;
    struct csn_kvm_layout layout;
    uint8_t *memory;
};

struct walk {
    const struct fixture *fixture;
    uint64_t bytes;  /* mapped */
    uint64_t wrong;  /* pages that no region explains */
    uint64_t frames; /* sum of all frames mapped: no page twice */
};

static void build(struct fixture *fixture)
{
    *fixture = (struct fixture){
        .image = {.manifest = {.stack_size = 0x4000,
                               .pool_size = 0x603000,
                               .worker_count = 3,
                               .channel_count = 2,
                               .input_line_count = 1024,
                               .output_line_count = 32768},
                  .segment_count = 3,
                  .segments = {
                      {CSN_MAP_IMAGE, 0x5001, 0, 0, CSN_IMAGE_READ | CSN_IMAGE_EXECUTE},
                      {CSN_MAP_IMAGE + 0x6000, 0x1000, 0, 0, CSN_IMAGE_READ},
                      {CSN_MAP_IMAGE + 0x7000, 0x300000, 0, 0, CSN_IMAGE_READ | CSN_IMAGE_WRITE}}}};
    assert_true(csn_kvm_layout_make(&fixture->image, &fixture->layout));
    fixture->memory = calloc(1, fixture->layout.size);
    assert_non_null(fixture->memory);
    assert_true(csn_kvm_layout_tables(&fixture->layout, fixture->memory));
}

/* What map.h and kvm_map.h say of an address: rights as table bits, or 0 for nothing. */
static uint64_t expected(const struct fixture *fixture, uint64_t address)
{
    const struct csn_wire_manifest *manifest = &fixture->image.manifest;
    const uint64_t stack = manifest->stack_size + CSN_MAP_PAGE_SIZE;
    uint64_t offset = (address - CSN_MAP_STACKS) % CSN_MAP_STACK_STRIDE;
    if (address >= CSN_MAP_IMAGE && address < CSN_MAP_IMAGE + 0x307000) {
        return address < CSN_MAP_IMAGE + 0x6000   ? PRESENT | USER
               : address < CSN_MAP_IMAGE + 0x7000 ? PRESENT | USER | NX
                                                  : PRESENT | USER | WRITE | NX;
    }
    if (address - CSN_MAP_GATE < CSN_MAP_GATE_SIZE) {
        return PRESENT | USER;
    }
    if (address - CSN_MAP_BOOT < CSN_MAP_BOOT_SIZE ||
        address - CSN_MAP_POOL < manifest->pool_size ||
        address - CSN_MAP_RINGS < csn_wire_rings_size(manifest)) {
        return PRESENT | USER | WRITE | NX;
    }
    if (address - CSN_MAP_STACKS < CSN_MAP_STACK_STRIDE * manifest->worker_count) {
        bool inside = offset >= CSN_MAP_PAGE_SIZE && offset < CSN_MAP_PAGE_SIZE + stack;
        return inside ? PRESENT | USER | WRITE | NX : 0;
    }
    if (address == CSN_KVM_GDT || address == CSN_KVM_IDT) {
        return PRESENT | NX;
    }
    if (address == CSN_KVM_STUB) {
        return PRESENT;
    }
    uint64_t own = address - CSN_KVM_WORKERS;
    if (own < (uint64_t)CSN_KVM_WORKER_STRIDE * manifest->worker_count) {
        own %= CSN_KVM_WORKER_STRIDE;
        return own == 0 ? PRESENT | NX : own == CSN_KVM_WORKER_STACK ? PRESENT | WRITE | NX : 0;
    }
    return 0;
}

static const uint64_t *table_at(const struct fixture *fixture, uint64_t entry)
{
    uint64_t offset = (entry & FRAME) - CSN_KVM_PHYSICAL;
    assert_in_range(offset, fixture->layout.tables, fixture->layout.size - CSN_MAP_PAGE_SIZE);
    return (const void *)(fixture->memory + offset);
}

static void walk_leaf(struct walk *walk, uint64_t address, uint64_t entry, uint64_t rights,
                      uint64_t size)
{
    for (uint64_t done = 0; done < size; done += CSN_MAP_PAGE_SIZE) {
        walk->wrong += expected(walk->fixture, address + done) != rights;
        walk->frames += (entry & FRAME) + done;
    }
    walk->bytes += size;
}

/* rights: what all levels so far allow; NX adds up, the others wear off. */
static void walk_page(struct walk *walk, uint64_t entry, uint64_t address, uint64_t rights)
{
    const uint64_t *table = table_at(walk->fixture, entry);
    for (uint64_t i = 0; i < 512; i++) {
        if ((table[i] & PRESENT) != 0) {
            walk_leaf(walk, address + (i << 12), table[i],
                      (rights & table[i] & (PRESENT | WRITE | USER)) | (table[i] & NX),
                      CSN_MAP_PAGE_SIZE);
        }
    }
}

static void walk_directory(struct walk *walk, uint64_t entry, uint64_t address, uint64_t rights)
{
    const uint64_t *table = table_at(walk->fixture, entry);
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t here = rights & table[i] & (PRESENT | WRITE | USER);
        if ((table[i] & PRESENT) != 0 && (table[i] & HUGE) != 0) {
            walk_leaf(walk, address + (i << 21), table[i] & ~HUGE, here | (table[i] & NX),
                      CSN_MAP_HUGE_SIZE);
        } else if ((table[i] & PRESENT) != 0) {
            walk_page(walk, table[i], address + (i << 21), here);
        }
    }
}

static struct walk walk_all(const struct fixture *fixture)
{
    struct walk walk = {.fixture = fixture};
    const uint64_t *root = table_at(fixture, CSN_KVM_PHYSICAL + fixture->layout.tables);
    for (uint64_t i = 0; i < 512; i++) {
        if ((root[i] & PRESENT) == 0) {
            continue;
        }
        const uint64_t *upper = table_at(fixture, root[i]);
        for (uint64_t j = 0; j < 512; j++) {
            if ((upper[j] & PRESENT) != 0) {
                walk_directory(&walk, upper[j], (i << 39) + (j << 30),
                               root[i] & upper[j] & (PRESENT | WRITE | USER));
            }
        }
    }
    return walk;
}

static uint64_t expected_bytes(const struct fixture *fixture)
{
    const struct csn_wire_manifest *manifest = &fixture->image.manifest;
    return 0x307000 + CSN_MAP_GATE_SIZE + CSN_MAP_BOOT_SIZE + manifest->pool_size +
           csn_wire_rings_size(manifest) + 3 * CSN_MAP_PAGE_SIZE +
           manifest->worker_count * (manifest->stack_size + 3 * CSN_MAP_PAGE_SIZE);
}

static bool is_right(const struct fixture *fixture)
{
    struct walk walk = walk_all(fixture);
    return walk.wrong == 0 && walk.bytes == expected_bytes(fixture);
}

static void test_map(void **state)
{
    (void)state;
    struct fixture fixture;
    build(&fixture);
    assert_true(is_right(&fixture));
    /* Each region has memory of its own: the frames add up to those of the regions. */
    struct walk walk = walk_all(&fixture);
    uint64_t frames = 0;
    for (uint32_t i = 0; i < fixture.layout.region_count; i++) {
        const struct csn_kvm_region *region = &fixture.layout.regions[i];
        for (uint64_t done = 0; done < region->size; done += CSN_MAP_PAGE_SIZE) {
            frames += region->physical + done;
        }
        for (uint32_t j = 0; j < i; j++) {
            const struct csn_kvm_region *other = &fixture.layout.regions[j];
            assert_true(region->physical >= other->physical + other->size ||
                        other->physical >= region->physical + region->size);
        }
        assert_true(region->physical >= fixture.layout.rings_physical ||
                    region->physical + region->size <= CSN_KVM_PHYSICAL + fixture.layout.tables);
    }
    assert_int_equal(walk.frames, frames);
    free(fixture.memory);
}

/* Negative control: every single wrong bit in a leaf is found. */
static void test_mutations_are_found(void **state)
{
    (void)state;
    static const uint64_t bits[] = {PRESENT, WRITE, USER, NX};
    struct fixture fixture;
    build(&fixture);
    uint64_t *tables = (void *)(fixture.memory + fixture.layout.tables);
    uint64_t count = (fixture.layout.size - fixture.layout.tables) / 8;
    uint32_t tried = 0;
    for (uint64_t i = 0; i < count; i += tried % 2 == 0 ? 1 : 37) {
        bool leaf = tables[i] != 0 && (tables[i] & UINT64_C(0x40)) != 0;
        for (size_t b = 0; leaf && b < sizeof bits / sizeof bits[0] && tried < 400; b++) {
            tables[i] ^= bits[b];
            assert_false(is_right(&fixture));
            tables[i] ^= bits[b];
            tried++;
        }
        tried += leaf && tried % 2 == 0; /* step on unevenly through all tables */
    }
    assert_true(tried > 100);
    assert_true(is_right(&fixture));
    free(fixture.memory);
}

static void test_limits(void **state)
{
    (void)state;
    struct fixture fixture;
    build(&fixture);
    struct csn_kvm_layout layout;
    struct csn_image image = fixture.image;
    image.manifest.pool_size = CSN_MAP_POOL_SIZE_MAX + 1;
    assert_false(csn_kvm_layout_make(&image, &layout));
    image = fixture.image;
    image.manifest.worker_count = CSN_MAP_WORKER_COUNT_MAX + 1;
    assert_false(csn_kvm_layout_make(&image, &layout));
    image = fixture.image;
    image.segments[0].memory_size = UINT64_MAX;
    assert_false(csn_kvm_layout_make(&image, &layout));
    /* Too few tables is said, not overrun. */
    memset(fixture.memory, 0, fixture.layout.size);
    fixture.layout.table_count_max = 5;
    assert_false(csn_kvm_layout_tables(&fixture.layout, fixture.memory));
    free(fixture.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_mutations_are_found),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("kvm_layout", tests, NULL, NULL);
}
