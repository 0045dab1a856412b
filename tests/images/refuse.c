/* SPDX-License-Identifier: Apache-2.0 */
/* refuse.c: refuses to start, as an image with a failed self-test does. */
#include "raw.h"

RAW_MANIFEST("refuse", 1);

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    (void)index;
    boot->made.stop_code = CSN_WIRE_STOP_CPU;
    __atomic_store_n(&boot->made.state, CSN_WIRE_STATE_REFUSED, __ATOMIC_RELEASE);
    cse_gate_stop(CSN_WIRE_STOP_CPU);
}
