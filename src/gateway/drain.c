/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drain.c: the end of a front. A client of HTTP/2 first hears that the end is near, and some time
 * later, when what it sent meanwhile has arrived, which request was the last one.
 */
#include "listener.h"

#define NOTICE_NS UINT64_C(200000000)

static void cut_off(void *state)
{
    struct csn_front *front = state;
    while (front->conns != NULL) {
        csn_conn_close(front->conns);
    }
}

static void say_last(void *state)
{
    struct csn_front *front = state;
    for (struct csn_conn *conn = front->conns; conn != NULL; conn = conn->next) {
        if (conn->phase == CSN_CONN_HTTP2 && !conn->listener->outlives_drain) {
            csn_http2_goaway(conn, true);
        }
    }
}

static void begin(struct csn_front *front)
{
    front->is_draining = true;
    front->drain_timer = (struct csn_timer){.fire = cut_off, .state = front};
    front->goaway_timer = (struct csn_timer){.fire = say_last, .state = front};
    for (uint32_t i = 0; i < front->listener_count; i++) {
        if (!front->listeners[i].outlives_drain) {
            csn_listener_close(front, &front->listeners[i]);
        }
    }
    struct csn_conn *next;
    for (struct csn_conn *conn = front->conns; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->listener->outlives_drain) {
            continue;
        }
        if (conn->phase == CSN_CONN_HTTP2) {
            csn_http2_goaway(conn, false);
        } else if (conn->is_idle && csn_buffer_size(&conn->in) == 0) {
            csn_conn_close(conn); /* it has no request: nobody is told anything */
        }
    }
    csn_wheel_set(&front->wheel, &front->goaway_timer, front->now_ns + NOTICE_NS);
}

void csn_front_drain(struct csn_front *front, uint64_t deadline_ns)
{
    uint64_t due = front->now_ns + deadline_ns;
    if (!front->is_draining) {
        begin(front);
    } else if (due >= front->drain_due_ns) {
        return;
    }
    front->drain_due_ns = due;
    csn_wheel_set(&front->wheel, &front->drain_timer, due);
}

bool csn_front_is_drained(const struct csn_front *front)
{
    const struct csn_conn *conn = front->conns;
    while (conn != NULL && conn->listener->outlives_drain) {
        conn = conn->next;
    }
    return front->is_draining && conn == NULL;
}
