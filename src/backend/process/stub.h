/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub.h: the parts of the launcher stub: a static program that turns itself into an enclave.
 *
 * Trust:    believes the launcher's wishes in the plan, nothing in the image or the rings.
 * Threads:  one until the very end, but for helpers while memory is touched (stub_touch.c).
 * Lifetime: it never returns; each step that fails says so in the plan and ends the process.
 */
#ifndef CSN_PROCESS_STUB_H
#define CSN_PROCESS_STUB_H

#include "image/image.h"
#include "plan.h"
#include <caisson/host.h>
#include <caisson/wire/map.h>
#include <stddef.h>
#include <stdint.h>

#define STUB_REGION_COUNT_MAX (CSN_GATE_GAP_COUNT_MAX - 1u)

/* Where the plan page lies: just behind the boot region. */
#define STUB_PLAN_ADDRESS (CSN_MAP_BOOT + CSN_MAP_BOOT_SIZE)

struct stub_region {
    uint64_t address;
    uint64_t size;
    uint32_t protection; /* PROT_* in the end */
};

struct stub {
    struct csn_process_plan *plan;
    struct csn_image image;
    const uint8_t *copy; /* private copy of the ELF file */
    uint64_t copy_size;
    uint64_t rings_size;
    uint32_t region_count; /* sorted by address */
    struct stub_region regions[STUB_REGION_COUNT_MAX];
    uint32_t unlocked; /* regions that could not be locked */
};

/* stub_start.S */
extern const uint8_t csn_gate_page[CSN_MAP_GATE_SIZE];
void stub_set_fs(uint64_t address);
int64_t stub_thread(const struct csn_gate_last *last, uint64_t entry, uint64_t stack,
                    uint32_t worker, uint64_t fs);
/*
 * Runs work(argument) on a thread with this stack; work ends it by itself. *runs, which is not 0,
 * becomes 0 when it is gone, with a wake for a futex there. Below 0: no thread.
 */
int64_t stub_helper(void (*work)(void *), void *argument, uint8_t *stack, uint32_t *runs);
CSN_NORETURN void stub_enter(const struct csn_gate_last *last, uint64_t entry, uint64_t stack,
                             uint64_t fs);

/* stub.c */
CSN_NORETURN void stub_main(const uint64_t *stack);
CSN_NORETURN void stub_fail(struct stub *stub, int64_t error);
/* Enter a step; stub_need() ends the process with its number if result is an error. */
void stub_step(struct stub *stub, enum csn_plan_step step);
void stub_need(struct stub *stub, int64_t result);

/* stub_strip.c: give up what an enclave must not have */
void stub_clean(struct stub *stub, const uint64_t *stack);
void stub_privileges(struct stub *stub);
void stub_limits(struct stub *stub);
void stub_strip_last(struct stub *stub);

/* stub_touch.c */
void stub_touch(uint64_t address, uint64_t size);

/* stub_memory.c: build the address space */
void stub_copy_image(struct stub *stub);
void stub_map_rings(struct stub *stub);
void stub_map_image(struct stub *stub);
void stub_map_boot(struct stub *stub);
void stub_map_gate(struct stub *stub);
void stub_map_stacks(struct stub *stub);
void stub_map_pool(struct stub *stub);
void stub_protect(struct stub *stub);
uint32_t stub_gaps(const struct stub *stub, struct csn_gate_gap gaps[CSN_GATE_GAP_COUNT_MAX]);

#endif
