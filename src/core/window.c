/* SPDX-License-Identifier: Apache-2.0 */
/* window.c: see window.h. */
#include "window.h"

/* Clears the bits of sequence numbers [from, from + count), count at most the window. */
static void clear(struct csn_window *window, uint64_t from, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t bit = (from + i) % CSN_WIRE_WINDOW_SIZE;
        window->bits[bit / 64] &= ~(UINT64_C(1) << bit % 64);
    }
}

bool csn_window_accept(struct csn_window *window, uint64_t sequence)
{
    if (sequence >= window->next) {
        uint64_t step = sequence + 1 - window->next;
        uint64_t count = step < CSN_WIRE_WINDOW_SIZE ? step : CSN_WIRE_WINDOW_SIZE;
        clear(window, sequence + 1 - count, count);
        window->next = sequence + 1;
    } else if (window->next - sequence > CSN_WIRE_WINDOW_SIZE) {
        return false;
    }
    uint64_t bit = sequence % CSN_WIRE_WINDOW_SIZE;
    uint64_t mask = UINT64_C(1) << bit % 64;
    bool seen = (window->bits[bit / 64] & mask) != 0;
    window->bits[bit / 64] |= mask;
    return !seen;
}
