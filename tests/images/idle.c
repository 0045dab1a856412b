/* SPDX-License-Identifier: Apache-2.0 */
/* idle.c: starts, says so, and sleeps on its event word for ever. */
#include "raw.h"

RAW_MANIFEST("idle", 1);

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    raw_serving(boot);
    /* Nothing else: whatever wakes it finds it asleep again. */
    raw_idle(boot, index);
}
