/* SPDX-License-Identifier: Apache-2.0 */
/* wheel.c: a timer lies in the slot of its tick modulo the turn, and waits there for its turn. */
#include "wheel.h"

static void unlink_timer(struct csn_timer *timer)
{
    *timer->link = timer->next;
    if (timer->next != NULL) {
        timer->next->link = timer->link;
    }
    timer->link = NULL;
    timer->next = NULL;
}

static void link_timer(struct csn_timer **list, struct csn_timer *timer)
{
    timer->next = *list;
    timer->link = list;
    if (*list != NULL) {
        (*list)->link = &timer->next;
    }
    *list = timer;
}

void csn_wheel_init(struct csn_wheel *wheel, uint64_t now_ns)
{
    *wheel = (struct csn_wheel){.tick = now_ns / CSN_WHEEL_TICK_NS};
}

void csn_wheel_set(struct csn_wheel *wheel, struct csn_timer *timer, uint64_t due_ns)
{
    csn_wheel_cancel(wheel, timer);
    uint64_t tick = due_ns / CSN_WHEEL_TICK_NS + 1; /* rounded up: never early */
    timer->due_tick = tick > wheel->tick ? tick : wheel->tick + 1;
    link_timer(&wheel->slots[timer->due_tick % CSN_WHEEL_SLOT_COUNT], timer);
    wheel->count++;
}

void csn_wheel_cancel(struct csn_wheel *wheel, struct csn_timer *timer)
{
    if (timer->link != NULL) {
        unlink_timer(timer);
        wheel->count--;
    }
}

/* Those of the slot whose turn it is; the others wait for a later turn. */
static void take_due(struct csn_wheel *wheel, struct csn_timer **slot)
{
    struct csn_timer *timer = *slot;
    while (timer != NULL) {
        struct csn_timer *next = timer->next;
        if (timer->due_tick <= wheel->tick) {
            unlink_timer(timer);
            link_timer(&wheel->due, timer);
        }
        timer = next;
    }
}

void csn_wheel_run(struct csn_wheel *wheel, uint64_t now_ns)
{
    uint64_t until = now_ns / CSN_WHEEL_TICK_NS;
    uint64_t count = until > wheel->tick ? until - wheel->tick : 0;
    uint64_t first = wheel->tick + 1;
    wheel->tick += count;
    for (uint64_t i = 0; i < count && i < CSN_WHEEL_SLOT_COUNT; i++) {
        take_due(wheel, &wheel->slots[(first + i) % CSN_WHEEL_SLOT_COUNT]);
    }
    while (wheel->due != NULL) {
        struct csn_timer *timer = wheel->due;
        csn_wheel_cancel(wheel, timer);
        timer->fire(timer->state);
    }
}

uint64_t csn_wheel_next_ns(const struct csn_wheel *wheel)
{
    if (wheel->count == 0) {
        return UINT64_MAX;
    }
    uint64_t ahead = 1;
    while (ahead < CSN_WHEEL_SLOT_COUNT &&
           wheel->slots[(wheel->tick + ahead) % CSN_WHEEL_SLOT_COUNT] == NULL) {
        ahead++;
    }
    return (wheel->tick + ahead) * CSN_WHEEL_TICK_NS;
}
