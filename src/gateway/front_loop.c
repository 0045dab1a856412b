/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front_loop.c: one iteration after another: what the network brought, what is due, what others
 * want to do (the poll), and then all that is to be written, together.
 */
#include "listener.h"
#include <time.h>

#define MS_NS       UINT64_C(1000000)
#define WAIT_MS_MAX 60000u

/* ---- descriptors of others ---- */

static csn_err control(struct csn_front *front, int how, struct csn_front_watch *watch,
                       uint32_t events)
{
    struct epoll_event event = {.events = events,
                                .data.u64 = (uint64_t)(uintptr_t)watch | CSN_FRONT_WATCH};
    return epoll_ctl(front->epoll_fd, how, watch->fd, &event) == 0 ? CSN_OK : CSN_ERR_SYSTEM;
}

csn_err csn_front_watch(struct csn_front *front, struct csn_front_watch *watch, uint32_t events)
{
    return control(front, EPOLL_CTL_ADD, watch, events);
}

csn_err csn_front_rewatch(struct csn_front *front, struct csn_front_watch *watch, uint32_t events)
{
    return control(front, EPOLL_CTL_MOD, watch, events);
}

void csn_front_unwatch(struct csn_front *front, struct csn_front_watch *watch)
{
    (void)control(front, EPOLL_CTL_DEL, watch, 0);
    uint64_t tag = (uint64_t)(uintptr_t)watch | CSN_FRONT_WATCH;
    for (uint32_t i = front->event_at; i < front->event_count; i++) {
        if (front->events[i].data.u64 == tag) {
            front->events[i].data.u64 = 0;
        }
    }
}

void csn_front_forget(struct csn_front *front, int fd)
{
    (void)epoll_ctl(front->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* ---- timers and the poll ---- */

void csn_front_after(struct csn_front *front, struct csn_timer *timer, uint64_t delay_ns)
{
    csn_wheel_set(&front->wheel, timer, front->now_ns + delay_ns);
}

void csn_front_cancel(struct csn_front *front, struct csn_timer *timer)
{
    csn_wheel_cancel(&front->wheel, timer);
}

void csn_front_set_poll(struct csn_front *front, bool (*poll)(void *state), void *state)
{
    front->poll = poll;
    front->poll_state = state;
    front->is_busy = poll != NULL; /* it is asked at least once before the loop sleeps */
}

/* ---- an iteration ---- */

static void set_now(struct csn_front *front)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    front->now_ns = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int wait_ms(const struct csn_front *front, uint64_t wait_ns)
{
    if (front->is_busy || front->to_settle != NULL || front->is_stopped) {
        return 0;
    }
    uint64_t due = csn_wheel_next_ns(&front->wheel);
    if (due != UINT64_MAX) {
        uint64_t left = due > front->now_ns ? due - front->now_ns : 0;
        wait_ns = left < wait_ns ? left : wait_ns;
    }
    if (wait_ns == UINT64_MAX) {
        return -1;
    }
    uint64_t ms = wait_ns / MS_NS + (wait_ns % MS_NS != 0);
    return (int)(ms < WAIT_MS_MAX ? ms : WAIT_MS_MAX);
}

static void dispatch(const struct epoll_event *event)
{
    void *target = (void *)(uintptr_t)(event->data.u64 & ~CSN_FRONT_KIND_MASK);
    if (target == NULL) {
        return;
    }
    switch (event->data.u64 & CSN_FRONT_KIND_MASK) {
    case CSN_FRONT_CONN:
        csn_conn_ready(target, event->events);
        break;
    case CSN_FRONT_LISTENER:
        csn_listener_ready(target);
        break;
    default: {
        struct csn_front_watch *watch = target;
        watch->ready(watch->state, event->events);
        break;
    }
    }
}

/* Each connection once; what settling schedules is for the next iteration, which does not sleep. */
static void settle_all(struct csn_front *front)
{
    struct csn_conn *conn = front->to_settle;
    front->to_settle = NULL;
    front->to_settle_end = &front->to_settle;
    while (conn != NULL) {
        struct csn_conn *next = conn->settle_next;
        conn->is_scheduled = false;
        if (!csn_conn_is_closed(conn)) {
            csn_conn_settle(conn);
        }
        conn = next;
    }
}

void csn_front_run_once(struct csn_front *front, uint64_t wait_ns)
{
    int count = epoll_wait(front->epoll_fd, front->events, (int)CSN_FRONT_EVENTS_MAX,
                           wait_ms(front, wait_ns));
    set_now(front);
    front->event_count = count > 0 ? (uint32_t)count : 0;
    for (front->event_at = 0; front->event_at < front->event_count;) {
        struct epoll_event event = front->events[front->event_at++];
        dispatch(&event);
    }
    csn_wheel_run(&front->wheel, front->now_ns);
    front->is_busy = front->poll != NULL && front->poll(front->poll_state);
    settle_all(front);
    csn_conn_free_dead(front);
}

void csn_front_run(struct csn_front *front)
{
    while (!front->is_stopped && !csn_front_is_drained(front)) {
        csn_front_run_once(front, UINT64_MAX);
    }
}

void csn_front_stop(struct csn_front *front)
{
    front->is_stopped = true;
}
