/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flags.c: checks the state in which a backend starts an image, and stops with 100 + the number of
 * the first check that fails, or with 100 if all is as map.h says.
 */
#include "raw.h"

RAW_MANIFEST("flags", 1);

static uint32_t check(struct csn_wire_boot *boot, uint32_t index)
{
    uint64_t flags;
    uint64_t canary;
    uint32_t mxcsr;
    uint16_t control;
    uint64_t stack = (uint64_t)__builtin_frame_address(0);
    uint64_t top = csn_map_fs_block(index, cse_manifest_note.manifest.stack_size);
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    __asm__ volatile("movq %%fs:0x28, %0" : "=r"(canary));
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(control));

    if ((uint64_t)boot != CSN_MAP_BOOT || index != 0) {
        return 1;
    }
    /* Direction, trap, nested task, alignment check: entry.S has cleared them. */
    if ((flags & (0x400 | 0x100 | 0x4000 | 0x40000)) != 0) {
        return 2;
    }
    if (canary == 0 || (canary & 0xff) != 0) {
        return 3;
    }
    if (mxcsr != 0x1f80 || control != 0x37f) {
        return 4;
    }
    /* rsp began at the FS block, and that is where the FS base points. */
    if (stack >= top || stack < top - 256) {
        return 5;
    }
    if (canary != *(const volatile uint64_t *)(top + 0x28)) {
        return 6;
    }
    if (boot->given.abi_version != CSN_WIRE_ABI_VERSION ||
        (boot->given.backend != CSN_WIRE_BACKEND_PROCESS &&
         boot->given.backend != CSN_WIRE_BACKEND_KVM)) {
        return 7;
    }
    if (boot->made.state != CSN_WIRE_STATE_BLANK || boot->made.key_count != 0) {
        return 8;
    }
    /* The pool and the stack come zeroed, to the last byte. */
    if (*(const volatile uint64_t *)CSN_MAP_POOL != 0 ||
        *(const volatile uint64_t *)(CSN_MAP_POOL + 0x200000 - 8) != 0 ||
        *(const volatile uint64_t *)csn_map_stack_low(index) != 0) {
        return 9;
    }
    return 0;
}

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    uint32_t failed = check(boot, index);
    raw_serving(boot);
    cse_gate_stop(100 + failed);
}
