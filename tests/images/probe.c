/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.c: makes whatever system call the test asks for, through an instruction of the gate page:
 * the image itself has none. A call that comes back is counted in stats[0].outputs.
 *
 * Orders lie in the ring region, behind the worker's event line.
 */
#include "raw.h"

RAW_MANIFEST("probe", 1);

/* Behind the worker's event line, in channel 0's in ring credit line. */
struct order {
    uint64_t number;
    uint64_t site;
    uint64_t first;
    uint64_t second;
    uint64_t third;
    uint64_t fourth;
};

void cse_start(struct csn_wire_boot *boot, uint32_t index)
{
    volatile struct order *order = (volatile struct order *)(CSN_MAP_RINGS + CSN_WIRE_LINE_SIZE);
    volatile uint32_t *event = (volatile uint32_t *)CSN_MAP_RINGS;
    raw_serving(boot);
    for (;;) {
        uint32_t seen = *event;
        boot->stats[index].parks++;
        cse_gate_park((struct csn_shared *)CSN_MAP_RINGS, seen);
        uint64_t result = order->number;
        register uint64_t r10 __asm__("r10") = order->fourth;
        __asm__ volatile("callq *%5"
                         : "+a"(result)
                         : "D"(order->first), "S"(order->second), "d"(order->third), "r"(r10),
                           "r"(order->site)
                         : "rcx", "r11", "memory");
        boot->stats[index].outputs++;
    }
}
