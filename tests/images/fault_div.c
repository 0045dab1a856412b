/* SPDX-License-Identifier: Apache-2.0 */
/* fault_div.c: divides by zero: vector 0. */
#include "raw.h"

RAW_MANIFEST("fault-div", 1);

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    raw_serving(boot);
    __asm__ volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" : : "a"(1), "d"(0) : "ecx", "cc");
    raw_idle(boot, index);
}
