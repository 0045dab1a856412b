/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h: where everything lies in the address space of a micro-enclave, on every backend.
 *
 * Nothing here is negotiated: sizes come from the measured manifest, addresses from this file.
 *
 *   0x0000_1000_0000  image segments (code, constants, data), small code model
 *   0x0000_2000_0000  gate: one read-execute page of the backend's
 *   0x0000_3000_0000  boot region: launcher and enclave only, never shared with the host's rings
 *   0x1000_0000_0000  one guarded stack area per worker
 *   0x1000_4000_0000  pool
 *   0x2000_0000_0000  rings: the only memory that the untrusted host writes
 */
#ifndef CAISSON_WIRE_MAP_H
#define CAISSON_WIRE_MAP_H

#include <stdint.h>

#define CSN_MAP_PAGE_SIZE UINT64_C(0x1000)
#define CSN_MAP_HUGE_SIZE UINT64_C(0x200000)

#define CSN_MAP_IMAGE     UINT64_C(0x10000000)
#define CSN_MAP_IMAGE_END UINT64_C(0x20000000)

#define CSN_MAP_GATE      UINT64_C(0x20000000)
#define CSN_MAP_GATE_SIZE UINT64_C(0x1000)
/* Entry points inside the gate page, System V calling convention, rcx and r11 lost as well. */
#define CSN_GATE_PARK (CSN_MAP_GATE + 0x00)  /* void park(void *event_word, uint32_t seen) */
#define CSN_GATE_WAKE (CSN_MAP_GATE + 0x80)  /* void wake(void *event_word, uint32_t which) */
#define CSN_GATE_STOP (CSN_MAP_GATE + 0x100) /* noreturn void stop(uint32_t code) */

#define CSN_MAP_BOOT      UINT64_C(0x30000000)
#define CSN_MAP_BOOT_SIZE UINT64_C(0x10000)

/*
 * Worker w owns [STACKS + w * STRIDE, + STRIDE): an unmapped guard page, then stack_size bytes of
 * stack (manifest), then one page whose first bytes are the FS block, then unmapped to the end.
 */
#define CSN_MAP_STACKS           UINT64_C(0x100000000000)
#define CSN_MAP_STACK_STRIDE     UINT64_C(0x200000)
#define CSN_MAP_STACK_SIZE_MAX   UINT64_C(0x100000)
#define CSN_MAP_WORKER_COUNT_MAX 64u

#define CSN_MAP_POOL          UINT64_C(0x100040000000)
#define CSN_MAP_POOL_SIZE_MAX UINT64_C(0x4000000000)

#define CSN_MAP_RINGS UINT64_C(0x200000000000)

static inline uint64_t csn_map_stack_low(uint32_t worker)
{
    return CSN_MAP_STACKS + worker * CSN_MAP_STACK_STRIDE + CSN_MAP_PAGE_SIZE;
}

/* Where the stack ends and the FS block begins: stack_size is a multiple of the page size. */
static inline uint64_t csn_map_fs_block(uint32_t worker, uint64_t stack_size)
{
    return csn_map_stack_low(worker) + stack_size;
}

#endif
