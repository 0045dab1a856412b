/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm_layout.h: what lies where in the private region, and the page tables that show it.
 *
 * Trust:    sizes come from a checked image; everything here is the launcher's own arithmetic.
 * Threads:  pure functions over the caller's memory.
 */
#ifndef CSN_KVM_LAYOUT_H
#define CSN_KVM_LAYOUT_H

#include "image/image.h"
#include "kvm_map.h"
#include <caisson/wire/map.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_KVM_WRITE   UINT32_C(1)
#define CSN_KVM_EXECUTE UINT32_C(2)
#define CSN_KVM_USER    UINT32_C(4)

/* Pool, boot, gate, GDT, IDT, stub, rings; per worker a stack, a TSS and a CPL 0 stack. */
#define CSN_KVM_REGION_COUNT_MAX (CSN_IMAGE_SEGMENT_COUNT_MAX + 7 + 3 * CSN_MAP_WORKER_COUNT_MAX)

struct csn_kvm_region {
    uint64_t address;  /* linear */
    uint64_t physical; /* guest-physical */
    uint64_t size;     /* bytes, whole pages */
    uint32_t flags;    /* CSN_KVM_* */
};

struct csn_kvm_layout {
    uint64_t size; /* bytes of the private region, page tables included */
    uint64_t rings_physical;
    uint64_t rings_size;
    uint64_t tables; /* offset of the first page table, which is the root */
    uint64_t table_count_max;
    uint32_t region_count;
    struct csn_kvm_region regions[CSN_KVM_REGION_COUNT_MAX];
};

/* False if a size does not fit (never for an image that was checked). */
CSN_MUST_USE bool csn_kvm_layout_make(const struct csn_image *image, struct csn_kvm_layout *layout);
/* Where the bytes at a linear address lie in the private region; NULL if they do not. */
uint8_t *csn_kvm_layout_find(const struct csn_kvm_layout *layout, uint8_t *memory,
                             uint64_t address);
/* Writes the tables into zeroed memory; false if they do not fit: a mistake in this file. */
CSN_MUST_USE bool csn_kvm_layout_tables(const struct csn_kvm_layout *layout, uint8_t *memory);

#endif
