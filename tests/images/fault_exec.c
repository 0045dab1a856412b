/* SPDX-License-Identifier: Apache-2.0 */
/* fault_exec.c: jumps into its own stack: page fault, vector 14, instruction fetch. */
#include "raw.h"

RAW_MANIFEST("fault-exec", 1);

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    raw_serving(boot);
    uint8_t code[16] __attribute__((aligned(16))) = {0xc3}; /* ret: harmless if it ran */
    __asm__ volatile("call *%0" : : "r"(code) : "memory");
    raw_idle(boot, index);
}
