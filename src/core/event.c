/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.c: the arm word names the event word that its waiter saw, so that of several publishers
 * exactly one bumps and wakes for each sleep.
 *
 * Why nothing is lost: only the waiter writes the arm word. A publisher that reads an arm word of
 * the past did so before the waiter's new store; by the two fences the waiter's second look then
 * sees what that publisher published. A publisher that reads the current one swaps the event word
 * from the value seen; if the swap fails, another publisher's has moved it, and park(seen) does not
 * sleep (or is being woken).
 */
#include "event.h"
#include <caisson/wire/channel.h>

#define EVENT_ARMED (UINT64_C(1) << 32)

uint32_t csn_event_arm(struct csn_shared *event)
{
    uint32_t seen = (uint32_t)csn_shared_load(event, CSN_WIRE_EVENT_WORD);
    csn_shared_store(event, CSN_WIRE_EVENT_ARMED, EVENT_ARMED | seen);
    csn_shared_fence(); /* pairs with the fence in csn_event_signal(): E */
    return seen;
}

void csn_event_disarm(struct csn_shared *event)
{
    csn_shared_store(event, CSN_WIRE_EVENT_ARMED, 0);
}

bool csn_event_signal(struct csn_shared *event)
{
    csn_shared_fence(); /* pairs with the fence in csn_event_arm(): E */
    uint64_t armed = csn_shared_load(event, CSN_WIRE_EVENT_ARMED);
    if ((armed & EVENT_ARMED) == 0) {
        return false;
    }
    uint32_t seen = (uint32_t)armed;
    return csn_shared_swap(event, CSN_WIRE_EVENT_WORD, seen, (uint32_t)(seen + 1));
}
