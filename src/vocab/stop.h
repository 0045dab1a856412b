/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop.h: what of a text that grows may go out: up to a stop string, and whole characters only.
 *
 * Trust:    stop strings and text are anybody's. Threads: none of its own. No allocation.
 * Time:     depends on the text, in steps of what is added.
 * Builds:   freestanding and hosted, same source.
 */
#ifndef CSN_STOP_H
#define CSN_STOP_H

#include <stdbool.h>
#include <stdint.h>

#define CSN_STOP_COUNT_MAX 4u
#define CSN_STOP_SIZE_MAX  64u   /* bytes of a stop string, at least one */
#define CSN_STOP_ADD_MAX   1024u /* bytes that come at once */

struct csn_stop {
    uint32_t count;
    uint32_t sizes[CSN_STOP_COUNT_MAX];
    uint8_t strings[CSN_STOP_COUNT_MAX][CSN_STOP_SIZE_MAX];
    uint32_t held_size;
    uint8_t held[CSN_STOP_SIZE_MAX + CSN_STOP_ADD_MAX]; /* not yet out */
};

/*
 * Adds bytes. *size bytes from the start of stop->held may go out now; csn_stop_take() then removes
 * them. True: a stop string stands behind them, and nothing comes after.
 */
bool csn_stop_add(struct csn_stop *stop, const uint8_t *bytes, uint32_t add_size, uint32_t *size);
void csn_stop_take(struct csn_stop *stop, uint32_t size);

#endif
