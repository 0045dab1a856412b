/* SPDX-License-Identifier: Apache-2.0 */
/* fault_ud.c: runs an instruction that does not exist: vector 6. */
#include "raw.h"

RAW_MANIFEST("fault-ud", 1);

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    raw_serving(boot);
    __asm__ volatile("ud2");
    raw_idle(boot, index);
}
