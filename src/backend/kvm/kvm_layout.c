/* SPDX-License-Identifier: Apache-2.0 */
/* kvm_layout.c: offsets in the private region, and four levels of page tables over them. */
#include "kvm_layout.h"

#include "core/bytes.h"
#include <caisson/wire/boot.h>
#include <caisson/wire/channel.h>

#define PTE_PRESENT  UINT64_C(0x01)
#define PTE_WRITE    UINT64_C(0x02)
#define PTE_USER     UINT64_C(0x04)
#define PTE_ACCESSED UINT64_C(0x20)
#define PTE_DIRTY    UINT64_C(0x40)
#define PTE_HUGE     UINT64_C(0x80)
#define PTE_NX       (UINT64_C(1) << 63)
#define PTE_FRAME    UINT64_C(0x000ffffffffff000)

#define TABLE_ENTRIES 512u

static uint64_t align_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

static struct csn_kvm_region *layout_add(struct csn_kvm_layout *layout, uint64_t address,
                                         uint64_t size, uint32_t flags)
{
    struct csn_kvm_region *region = &layout->regions[layout->region_count++];
    size = align_up(size, CSN_MAP_PAGE_SIZE);
    *region = (struct csn_kvm_region){
        .address = address,
        .physical = CSN_KVM_PHYSICAL + layout->size,
        .size = size,
        .flags = flags,
    };
    layout->size += size;
    /* Page tables that this may need: two at the ends of each level, and those between. */
    layout->table_count_max += (size >> 21) + (size >> 30) + 6;
    return region;
}

static uint32_t segment_flags(uint32_t permissions)
{
    return CSN_KVM_USER | ((permissions & CSN_IMAGE_WRITE) != 0 ? CSN_KVM_WRITE : 0) |
           ((permissions & CSN_IMAGE_EXECUTE) != 0 ? CSN_KVM_EXECUTE : 0);
}

static void layout_worker(struct csn_kvm_layout *layout, const struct csn_wire_manifest *manifest,
                          uint32_t worker)
{
    uint64_t own = CSN_KVM_WORKERS + (uint64_t)worker * CSN_KVM_WORKER_STRIDE;
    /* The stack and the page of the FS block behind it. */
    layout_add(layout, csn_map_stack_low(worker), manifest->stack_size + CSN_MAP_PAGE_SIZE,
               CSN_KVM_USER | CSN_KVM_WRITE);
    layout_add(layout, own, CSN_MAP_PAGE_SIZE, 0);
    layout_add(layout, own + CSN_KVM_WORKER_STACK, CSN_MAP_PAGE_SIZE, CSN_KVM_WRITE);
}

bool csn_kvm_layout_make(const struct csn_image *image, struct csn_kvm_layout *layout)
{
    const struct csn_wire_manifest *manifest = &image->manifest;
    *layout = (struct csn_kvm_layout){0};
    if (manifest->pool_size > CSN_MAP_POOL_SIZE_MAX ||
        manifest->stack_size > CSN_MAP_STACK_SIZE_MAX ||
        manifest->worker_count > CSN_MAP_WORKER_COUNT_MAX ||
        image->segment_count > CSN_IMAGE_SEGMENT_COUNT_MAX) {
        return false;
    }
    /* The pool first: it alone needs the alignment of a huge page. */
    layout_add(layout, CSN_MAP_POOL, manifest->pool_size, CSN_KVM_USER | CSN_KVM_WRITE);
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct csn_image_segment *segment = &image->segments[i];
        if (segment->memory_size > CSN_MAP_IMAGE_END - CSN_MAP_IMAGE) {
            return false;
        }
        layout_add(layout, segment->address, segment->memory_size,
                   segment_flags(segment->permissions));
    }
    layout_add(layout, CSN_MAP_GATE, CSN_MAP_GATE_SIZE, CSN_KVM_USER | CSN_KVM_EXECUTE);
    layout_add(layout, CSN_MAP_BOOT, CSN_MAP_BOOT_SIZE, CSN_KVM_USER | CSN_KVM_WRITE);
    layout_add(layout, CSN_KVM_GDT, CSN_MAP_PAGE_SIZE, 0);
    layout_add(layout, CSN_KVM_IDT, CSN_MAP_PAGE_SIZE, 0);
    layout_add(layout, CSN_KVM_STUB, CSN_MAP_PAGE_SIZE, CSN_KVM_EXECUTE);
    for (uint32_t worker = 0; worker < manifest->worker_count; worker++) {
        layout_worker(layout, manifest, worker);
    }
    layout->tables = layout->size;
    layout->rings_size = csn_wire_rings_size(manifest);
    layout_add(layout, CSN_MAP_RINGS, layout->rings_size, CSN_KVM_USER | CSN_KVM_WRITE);
    /* The rings are another memory: they take no room here. The root table is one more. */
    layout->size = layout->tables + (layout->table_count_max + 1) * CSN_MAP_PAGE_SIZE;
    layout->table_count_max += 1;
    layout->rings_physical = align_up(CSN_KVM_PHYSICAL + layout->size, CSN_MAP_HUGE_SIZE);
    layout->regions[layout->region_count - 1].physical = layout->rings_physical;
    return true;
}

uint8_t *csn_kvm_layout_find(const struct csn_kvm_layout *layout, uint8_t *memory, uint64_t address)
{
    for (uint32_t i = 0; i < layout->region_count; i++) {
        const struct csn_kvm_region *region = &layout->regions[i];
        if (address - region->address < region->size &&
            region->physical < CSN_KVM_PHYSICAL + layout->size) {
            return memory + (region->physical - CSN_KVM_PHYSICAL) + (address - region->address);
        }
    }
    return NULL;
}

struct tables {
    uint8_t *memory;
    const struct csn_kvm_layout *layout;
    uint64_t count;
};

static uint64_t *tables_at(const struct tables *tables, uint64_t physical)
{
    return (uint64_t *)(void *)(tables->memory + (physical - CSN_KVM_PHYSICAL));
}

/* Physical address of a new, empty table; 0 if there is no room. */
static uint64_t tables_new(struct tables *tables)
{
    if (tables->count == tables->layout->table_count_max) {
        return 0;
    }
    return CSN_KVM_PHYSICAL + tables->layout->tables + tables->count++ * CSN_MAP_PAGE_SIZE;
}

/* level 3 is the root; leaf 0 maps a page, leaf 1 a huge page. */
static bool tables_set(struct tables *tables, uint64_t address, uint64_t value, unsigned leaf)
{
    uint64_t *table = tables_at(tables, CSN_KVM_PHYSICAL + tables->layout->tables);
    for (unsigned level = 3; level > leaf; level--) {
        uint64_t *entry = &table[address >> (12 + 9 * level) & (TABLE_ENTRIES - 1)];
        if (*entry == 0) {
            uint64_t next = tables_new(tables);
            if (next == 0) {
                return false;
            }
            *entry = next | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
        }
        *entry |= value & PTE_USER;
        table = tables_at(tables, *entry & PTE_FRAME);
    }
    table[address >> (12 + 9 * leaf) & (TABLE_ENTRIES - 1)] = value;
    return true;
}

bool csn_kvm_layout_tables(const struct csn_kvm_layout *layout, uint8_t *memory)
{
    struct tables tables = {.memory = memory, .layout = layout, .count = 1};
    for (uint32_t i = 0; i < layout->region_count; i++) {
        const struct csn_kvm_region *region = &layout->regions[i];
        /* Accessed and dirty from the start: the CPU never has to write a table. */
        uint64_t flags = PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY |
                         ((region->flags & CSN_KVM_WRITE) != 0 ? PTE_WRITE : 0) |
                         ((region->flags & CSN_KVM_USER) != 0 ? PTE_USER : 0) |
                         ((region->flags & CSN_KVM_EXECUTE) != 0 ? 0 : PTE_NX);
        uint64_t done = 0;
        while (done < region->size) {
            uint64_t address = region->address + done;
            uint64_t physical = region->physical + done;
            bool huge = ((address | physical) & (CSN_MAP_HUGE_SIZE - 1)) == 0 &&
                        region->size - done >= CSN_MAP_HUGE_SIZE;
            uint64_t value = physical | flags | (huge ? PTE_HUGE : 0);
            if (!tables_set(&tables, address, value, huge ? 1 : 0)) {
                return false;
            }
            done += huge ? CSN_MAP_HUGE_SIZE : CSN_MAP_PAGE_SIZE;
        }
    }
    return true;
}
