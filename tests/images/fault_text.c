/* SPDX-License-Identifier: Apache-2.0 */
/* fault_text.c: writes to its own code: page fault, vector 14, write to a present page. */
#include "raw.h"

RAW_MANIFEST("fault-text", 1);

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    raw_serving(boot);
    __asm__ volatile("movb $0x90, (%0)" : : "r"(CSN_MAP_IMAGE) : "memory");
    raw_idle(boot, index);
}
