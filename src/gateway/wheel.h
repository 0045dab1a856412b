/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wheel.h: many timers, most of which are moved or cancelled before they fire: all steps take a
 * constant time. A timer fires up to CSN_WHEEL_TICK_NS late, never early.
 *
 * Lifetime: timers are the callers'; a pending one stays where it is until it fires or is
 *           cancelled.
 * Threads:  one.
 */
#ifndef CSN_GATEWAY_WHEEL_H
#define CSN_GATEWAY_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_WHEEL_TICK_NS    (UINT64_C(1) << 22) /* 4.2 ms */
#define CSN_WHEEL_SLOT_COUNT 1024u               /* a turn is 4.3 s */

/* Zeroed, with fire and state set. The rest is private. */
struct csn_timer {
    void (*fire)(void *state);
    void *state;
    struct csn_timer *next;
    struct csn_timer **link; /* what points to this one; NULL: not pending */
    uint64_t due_tick;
};

struct csn_wheel {
    struct csn_timer *slots[CSN_WHEEL_SLOT_COUNT];
    struct csn_timer *due; /* taken from their slots, about to fire */
    uint64_t tick;         /* all up to and with this one were fired */
    uint32_t count;        /* pending */
};

void csn_wheel_init(struct csn_wheel *wheel, uint64_t now_ns);
/* Moves it if it is pending. due_ns in the past: at the next tick. */
void csn_wheel_set(struct csn_wheel *wheel, struct csn_timer *timer, uint64_t due_ns);
void csn_wheel_cancel(struct csn_wheel *wheel, struct csn_timer *timer);
/* Fires what is due. fire() may set and cancel any timer. */
void csn_wheel_run(struct csn_wheel *wheel, uint64_t now_ns);
/* When run() should be called next: at most one turn away; UINT64_MAX if nothing is pending. */
uint64_t csn_wheel_next_ns(const struct csn_wheel *wheel);

static inline bool csn_timer_is_pending(const struct csn_timer *timer)
{
    return timer->link != NULL;
}

#endif
