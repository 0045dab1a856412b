/* SPDX-License-Identifier: Apache-2.0 */
/* panic.c: stops by itself with the code 7, as cse_panic(7) does. */
#include "raw.h"

RAW_MANIFEST("panic", 1);

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    (void)index;
    raw_serving(boot);
    cse_gate_stop(7);
}
