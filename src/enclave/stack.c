/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack.c: how deep a worker's stack has ever been, by painting it once and looking for the paint.
 *
 * The guard page below the stack stops an overflow; the mark says how near one came.
 */
#include "start.h"
#include <caisson/wire/map.h>

#define CSE_PAINT        UINT64_C(0xc5c5c5c5c5c5c5c5)
#define CSE_PAINT_MARGIN 1024u /* bytes below this frame that the painter itself may use */

void cse_stack_paint(uint32_t worker)
{
    uint64_t *word = (uint64_t *)csn_map_stack_low(worker);
    const uint64_t *end =
        (const uint64_t *)((uint64_t)__builtin_frame_address(0) - CSE_PAINT_MARGIN);
    while (word < end) {
        *word++ = CSE_PAINT;
        __asm__ volatile("" : : : "memory"); /* stay a loop: a call would use the painted stack */
    }
}

uint64_t cse_stack_high_water(const struct cse_worker *worker)
{
    const uint64_t *word = (const uint64_t *)csn_map_stack_low(worker->index);
    uint64_t end = csn_map_fs_block(worker->index, worker->manifest->stack_size);
    while ((uint64_t)word < end && *word == CSE_PAINT) {
        word++;
    }
    return end - (uint64_t)word;
}
