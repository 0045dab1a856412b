/* SPDX-License-Identifier: Apache-2.0 */
/* fault_null.c: reads address zero: page fault, vector 14, address 8. */
#include "raw.h"

RAW_MANIFEST("fault-null", 1);

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    raw_serving(boot);
    __asm__ volatile("movq 8(%%rax), %%rax" : : "a"(0) : "memory");
    raw_idle(boot, index);
}
