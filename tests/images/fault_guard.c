/* SPDX-License-Identifier: Apache-2.0 */
/* fault_guard.c: runs off the low end of its stack into the guard page: vector 14. */
#include "raw.h"

RAW_MANIFEST("fault-guard", 1);

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    raw_serving(boot);
    __asm__ volatile("movb $1, -1(%0)" : : "r"(csn_map_stack_low(index)) : "memory");
    raw_idle(boot, index);
}
