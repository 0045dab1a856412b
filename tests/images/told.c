/* SPDX-License-Identifier: Apache-2.0 */
/* told.c: stops with one byte of its constants as the code: tells which bytes were run. */
#include "raw.h"

RAW_MANIFEST("told", 1);

/* The test finds the text in the file, and changes the byte behind it. */
static const volatile char told[] = "the byte that is told:d";

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    (void)index;
    raw_serving(boot);
    cse_gate_stop((uint32_t)told[sizeof told - 2]);
}
