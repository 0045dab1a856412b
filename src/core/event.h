/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h: sleeping and waking across the boundary without a lost wake-up.
 *
 * Each side owns one event line (channel.h). Waiter: arm, fence, look again, then park(seen), which
 * returns at once if the word has moved; disarm. Publisher: publish, fence, and only if armed bump
 * the word and wake. The word and the flag are hints: a lie costs a sleep or a spurious wake, never
 * a wrong result. Who really sleeps is the caller's business (gate or futex).
 */
#ifndef CSN_CORE_EVENT_H
#define CSN_CORE_EVENT_H

#include "xcopy.h"
#include <stdbool.h>
#include <stdint.h>

/* Waiter: set the arm flag, full fence, and return the word to park on. Then look again. */
uint32_t csn_event_arm(struct csn_shared *event);
/* Waiter: clear the flag after waking, or when the second look found work. */
void csn_event_disarm(struct csn_shared *event);
/* Publisher, after its release store: full fence; true if the word was bumped and a wake is due. */
bool csn_event_signal(struct csn_shared *event);

#endif
