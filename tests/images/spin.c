/* SPDX-License-Identifier: Apache-2.0 */
/* spin.c: never sleeps and never answers: only its launcher can end it. */
#include "raw.h"

RAW_MANIFEST("spin", 1);

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    (void)index;
    raw_serving(boot);
    for (;;) {
        __builtin_ia32_pause();
    }
}
