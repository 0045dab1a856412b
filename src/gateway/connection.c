/* SPDX-License-Identifier: Apache-2.0 */
/* connection.c: a connection from its first byte to its last, whatever is spoken on it. */
#include "connection.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFACE      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define PREFACE_SIZE 24u
#define LINGER_MAX   (256u * 1024u) /* bytes that are dropped before it is enough */

/* ---- lists ---- */

void csn_conn_set_idle(struct csn_conn *conn, bool is_idle)
{
    struct csn_front *front = conn->front;
    if (conn->is_idle) {
        *(conn->idle_last != NULL ? &conn->idle_last->idle_next : &front->idle_first) =
            conn->idle_next;
        *(conn->idle_next != NULL ? &conn->idle_next->idle_last : &front->idle_end) =
            conn->idle_last;
    }
    conn->is_idle = is_idle;
    if (is_idle) {
        conn->idle_next = NULL;
        conn->idle_last = front->idle_end;
        *(conn->idle_last != NULL ? &conn->idle_last->idle_next : &front->idle_first) = conn;
        front->idle_end = conn;
    }
}

void csn_conn_schedule(struct csn_conn *conn)
{
    if (!conn->is_scheduled) {
        conn->is_scheduled = true;
        conn->settle_next = NULL;
        *conn->front->to_settle_end = conn;
        conn->front->to_settle_end = &conn->settle_next;
    }
}

void csn_conn_fail(struct csn_conn *conn)
{
    conn->is_failed = true;
    csn_conn_schedule(conn);
}

/* ---- timer ---- */

static void on_timer(void *state)
{
    struct csn_conn *conn = state;
    struct csn_view_front *counters = conn->front->counters;
    enum csn_conn_wait wait = conn->wait;
    conn->wait = CSN_WAIT_NOTHING;
    if (wait == CSN_WAIT_STALL) {
        if (conn->moved + conn->queued >= csn_conn_queued(conn) + CSN_FRONT_STALL_STEP) {
            csn_conn_wait_for(conn, CSN_WAIT_STALL);
            return;
        }
        counters->slow_closed++;
    } else if (wait == CSN_WAIT_HEAD) {
        bool has_begun = csn_buffer_size(&conn->in) != 0 || conn->phase == CSN_CONN_HANDSHAKE;
        counters->slow_closed += has_begun ? 1 : 0;
        if (has_begun && conn->phase == CSN_CONN_HTTP1) {
            csn_http1_timeout(conn);
            return;
        }
    } else if (wait == CSN_WAIT_IDLE && conn->phase == CSN_CONN_HTTP2) {
        csn_http2_goaway(conn, true);
        return;
    }
    csn_conn_close(conn);
}

void csn_conn_wait_for(struct csn_conn *conn, enum csn_conn_wait wait)
{
    if (conn->wait == wait) {
        return;
    }
    const struct csn_front_limits *limits = &conn->front->limits;
    const uint64_t delays[] = {[CSN_WAIT_HEAD] = limits->head_ns,
                               [CSN_WAIT_IDLE] = limits->idle_ns,
                               [CSN_WAIT_STALL] = limits->stall_ns,
                               [CSN_WAIT_LINGER] = limits->linger_ns};
    conn->wait = wait;
    conn->moved = 0;
    conn->queued = wait == CSN_WAIT_STALL ? csn_conn_queued(conn) : 0;
    if (wait == CSN_WAIT_NOTHING) {
        csn_wheel_cancel(&conn->front->wheel, &conn->timer);
    } else {
        csn_wheel_set(&conn->front->wheel, &conn->timer, conn->front->now_ns + delays[wait]);
    }
}

/* ---- birth and death ---- */

static csn_err set_up(struct csn_conn *conn, int fd)
{
    struct csn_front *front = conn->front;
    struct csn_listener *listener = conn->listener;
    conn->phase = CSN_CONN_SNIFF;
    if (listener->tls != NULL) {
        conn->phase = CSN_CONN_HANDSHAKE;
        conn->tls = SSL_new(listener->tls);
        if (conn->tls == NULL || SSL_set_fd(conn->tls, fd) != 1) {
            return CSN_ERR_MEMORY;
        }
    }
    conn->interest = EPOLLIN;
    struct epoll_event event = {.events = EPOLLIN,
                                .data.u64 = (uint64_t)(uintptr_t)conn | CSN_FRONT_CONN};
    return epoll_ctl(front->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? CSN_OK : CSN_ERR_SYSTEM;
}

/* Makes room in the table: whoever has been without a request for longest goes. */
static bool make_room(struct csn_front *front)
{
    if (front->conn_count < front->limits.connections_max) {
        return true;
    }
    front->counters->connections_refused++;
    if (front->idle_first == NULL) {
        return false;
    }
    csn_conn_close(front->idle_first);
    return true;
}

static struct csn_conn *create(struct csn_listener *listener, const struct sockaddr *address)
{
    struct csn_front *front = listener->front;
    struct csn_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        return NULL;
    }
    conn->client = csn_client_enter(&front->clients, address);
    if (conn->client == NULL) {
        front->counters->connections_refused++;
        free(conn);
        return NULL;
    }
    conn->front = front;
    conn->listener = listener;
    conn->fd = -1;
    conn->timer = (struct csn_timer){.fire = on_timer, .state = conn};
    conn->in.account = conn->out.account = &conn->client->memory;
    csn_client_name(address, conn->address);
    conn->next = front->conns;
    conn->link = &front->conns;
    if (conn->next != NULL) {
        conn->next->link = &conn->next;
    }
    front->conns = conn;
    front->counters->connections_open = ++front->conn_count;
    return conn;
}

csn_err csn_conn_open(struct csn_listener *listener, int fd, const struct sockaddr *address)
{
    struct csn_front *front = listener->front;
    struct csn_conn *conn = make_room(front) ? create(listener, address) : NULL;
    if (conn == NULL) {
        close(fd);
        return CSN_BUSY;
    }
    csn_err result = set_up(conn, fd);
    conn->fd = fd;
    if (result != CSN_OK) {
        csn_conn_close(conn);
        return result;
    }
    front->counters->connections_accepted++;
    csn_conn_set_idle(conn, true);
    csn_conn_wait_for(conn, CSN_WAIT_HEAD);
    return CSN_OK;
}

void csn_conn_close(struct csn_conn *conn)
{
    struct csn_front *front = conn->front;
    if (csn_conn_is_closed(conn)) {
        return;
    }
    conn->phase = CSN_CONN_CLOSED;
    csn_wheel_cancel(&front->wheel, &conn->timer);
    csn_conn_set_idle(conn, false);
    while (conn->requests != NULL) {
        struct csn_request *request = conn->requests;
        csn_request_tell_gone(request, request->is_begun ? request->exchange.status : 0);
        csn_request_release(request);
    }
    csn_http2_stop(conn);
    csn_buffer_drop(&conn->in);
    csn_buffer_drop(&conn->out);
    SSL_free(conn->tls);
    csn_front_forget(front, conn->fd);
    close(conn->fd);
    csn_client_leave(&front->clients, conn->client);
    *conn->link = conn->next;
    if (conn->next != NULL) {
        conn->next->link = conn->link;
    }
    conn->next = front->dead;
    front->dead = conn;
    front->counters->connections_open = --front->conn_count;
}

void csn_conn_free_dead(struct csn_front *front)
{
    struct csn_conn **at = &front->dead;
    while (*at != NULL) {
        struct csn_conn *conn = *at;
        if (conn->is_scheduled) { /* settled, and forgotten, in the next iteration */
            at = &conn->next;
            continue;
        }
        *at = conn->next;
        free(conn);
    }
}

void csn_conn_linger(struct csn_conn *conn)
{
    if (conn->tls != NULL) {
        (void)SSL_shutdown(conn->tls); /* says that this was all; nobody waits for an answer */
    }
    csn_http2_stop(conn);
    (void)shutdown(conn->fd, SHUT_WR);
    conn->phase = CSN_CONN_LINGER;
    conn->is_reading_paused = false;
    conn->may_have_more = false;
    conn->wants_write = false;
    csn_buffer_drop(&conn->in);
    csn_conn_set_idle(conn, true);
    csn_conn_wait_for(conn, CSN_WAIT_LINGER);
    csn_conn_update_interest(conn);
}

/* ---- what comes ---- */

/* Below TLS: what it says does not matter any more. */
static void drop_input(struct csn_conn *conn)
{
    ssize_t got = recv(conn->fd, conn->front->scratch, sizeof conn->front->scratch, 0);
    conn->lingered += got > 0 ? (uint32_t)got : 0;
    if (got == 0 || conn->lingered > LINGER_MAX) {
        csn_conn_close(conn);
    }
}

static void start_http2(struct csn_conn *conn)
{
    conn->phase = CSN_CONN_HTTP2;
    if (!csn_http2_start(conn)) {
        csn_conn_fail(conn);
    }
}

static void shake_hands(struct csn_conn *conn)
{
    enum csn_conn_got got = csn_conn_handshake(conn);
    if (got == CSN_GOT_NOTHING) {
        csn_conn_update_interest(conn);
        return;
    }
    if (got != CSN_GOT_BYTES) {
        conn->front->counters->tls_failed++;
        csn_conn_close(conn);
        return;
    }
    const unsigned char *protocol = NULL;
    unsigned size = 0;
    SSL_get0_alpn_selected(conn->tls, &protocol, &size);
    conn->phase = CSN_CONN_HTTP1;
    if (size == 2 && memcmp(protocol, "h2", 2) == 0) {
        start_http2(conn);
    }
    conn->may_have_more = true;
    csn_conn_schedule(conn);
}

static void sniff(struct csn_conn *conn)
{
    struct csn_front *front = conn->front;
    size_t size = 0;
    enum csn_conn_got got = csn_conn_read(conn, front->scratch, sizeof front->scratch, &size);
    if (got == CSN_GOT_NOTHING) {
        return;
    }
    if (got != CSN_GOT_BYTES || !csn_buffer_add(&conn->in, front->scratch, size)) {
        csn_conn_close(conn);
        return;
    }
    size = csn_buffer_size(&conn->in);
    const char *bytes = (const char *)conn->in.bytes + conn->in.start;
    if (memcmp(bytes, PREFACE, size < PREFACE_SIZE ? size : PREFACE_SIZE) != 0) {
        conn->phase = CSN_CONN_HTTP1;
        csn_http1_resume(conn);
    } else if (size >= PREFACE_SIZE) {
        start_http2(conn);
        if (!conn->is_failed) {
            csn_http2_input(conn, bytes, size);
        }
        csn_buffer_drop(&conn->in);
    }
}

static void take_input(struct csn_conn *conn)
{
    conn->may_have_more = false;
    switch (conn->phase) {
    case CSN_CONN_HANDSHAKE:
        shake_hands(conn);
        break;
    case CSN_CONN_SNIFF:
        sniff(conn);
        break;
    case CSN_CONN_HTTP1:
        csn_http1_ready(conn);
        break;
    case CSN_CONN_HTTP2:
        csn_http2_ready(conn);
        break;
    case CSN_CONN_LINGER:
        drop_input(conn);
        break;
    case CSN_CONN_CLOSED:
        break;
    }
}

void csn_conn_ready(struct csn_conn *conn, uint32_t events)
{
    if (csn_conn_is_closed(conn)) {
        return;
    }
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        csn_conn_close(conn);
        return;
    }
    bool is_waiting = conn->phase == CSN_CONN_HANDSHAKE || conn->wants_write; /* TLS */
    if ((events & EPOLLOUT) != 0) {
        /* TLS may have wanted to write in order to read: that is then tried again. */
        conn->may_have_more = conn->may_have_more || (conn->wants_write && conn->tls != NULL);
        conn->wants_write = false;
        csn_conn_flush(conn);
        csn_conn_schedule(conn);
    }
    if ((events & EPOLLIN) != 0 || is_waiting) {
        take_input(conn);
    }
}

/* ---- the end of the iteration ---- */

/* A connection that has something to write must get on with it. */
static void watch_progress(struct csn_conn *conn)
{
    if (csn_buffer_size(&conn->out) == 0) {
        if (conn->wait == CSN_WAIT_STALL) {
            csn_conn_wait_for(conn, CSN_WAIT_NOTHING);
        }
        return;
    }
    csn_conn_wait_for(conn, CSN_WAIT_STALL);
}

static bool is_input_due(const struct csn_conn *conn)
{
    bool is_turn = conn->phase != CSN_CONN_HTTP1 || conn->http1 != CSN_HTTP1_ANSWER;
    return conn->may_have_more && is_turn;
}

void csn_conn_settle(struct csn_conn *conn)
{
    if (!conn->is_failed && conn->phase == CSN_CONN_HTTP1) {
        csn_http1_settle(conn);
    }
    if (!conn->is_failed && is_input_due(conn)) {
        take_input(conn);
    }
    if (!conn->is_failed && conn->phase == CSN_CONN_HTTP2) {
        csn_http2_settle(conn);
    }
    if (csn_conn_is_closed(conn)) {
        return;
    }
    if (conn->is_failed) {
        csn_conn_close(conn);
        return;
    }
    if (conn->phase != CSN_CONN_LINGER) {
        watch_progress(conn);
        if (is_input_due(conn)) {
            csn_conn_schedule(conn);
        }
    }
    csn_conn_update_interest(conn);
}
