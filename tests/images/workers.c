/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers.c: four workers that start together; the last one to arrive says that the image serves.
 * Each counts its parks in its own line of the boot region.
 */
#include "raw.h"

RAW_MANIFEST("workers", 4);

static uint32_t arrived;

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    boot->stats[index].inputs = index + 1;
    if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == 4) {
        raw_serving(boot);
    }
    raw_idle(boot, index);
}
