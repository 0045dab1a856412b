/* SPDX-License-Identifier: Apache-2.0 */
/* conn_io.c: a connection's bytes, through TLS or not: read, write, and what epoll should tell. */
#include "connection.h"
#include <errno.h>
#include <linux/sockios.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/ioctl.h>

/* ---- what TLS says ---- */

static enum csn_conn_got tls_result(struct csn_conn *conn, int result)
{
    switch (SSL_get_error(conn->tls, result)) {
    case SSL_ERROR_WANT_READ:
        return CSN_GOT_NOTHING;
    case SSL_ERROR_WANT_WRITE:
        conn->wants_write = true;
        return CSN_GOT_NOTHING;
    case SSL_ERROR_ZERO_RETURN:
        return CSN_GOT_END;
    default:
        return CSN_GOT_FAILURE;
    }
}

enum csn_conn_got csn_conn_handshake(struct csn_conn *conn)
{
    ERR_clear_error();
    conn->wants_write = false;
    int result = SSL_accept(conn->tls);
    return result == 1 ? CSN_GOT_BYTES : tls_result(conn, result);
}

/* ---- read ---- */

enum csn_conn_got csn_conn_read(struct csn_conn *conn, void *bytes, size_t room, size_t *size)
{
    if (conn->tls != NULL) {
        ERR_clear_error();
        int result = SSL_read_ex(conn->tls, bytes, room, size);
        return result == 1 ? CSN_GOT_BYTES : tls_result(conn, result);
    }
    ssize_t got;
    do {
        got = recv(conn->fd, bytes, room, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        *size = (size_t)got;
        return CSN_GOT_BYTES;
    }
    if (got == 0) {
        return CSN_GOT_END;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? CSN_GOT_NOTHING : CSN_GOT_FAILURE;
}

/* ---- write ---- */

/* As much as goes: false if no more does. The connection may have failed. */
static bool transmit_tls(struct csn_conn *conn, const uint8_t *bytes, size_t size, size_t *sent)
{
    *sent = 0;
    while (*sent < size) {
        size_t count = 0;
        ERR_clear_error();
        int result = SSL_write_ex(conn->tls, bytes + *sent, size - *sent, &count);
        if (result != 1) {
            if (tls_result(conn, result) != CSN_GOT_NOTHING) {
                csn_conn_fail(conn);
            }
            return false;
        }
        *sent += count;
    }
    return true;
}

static bool transmit_clear(struct csn_conn *conn, struct iovec *parts, uint32_t count, size_t size,
                           size_t *sent)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t result;
    do {
        result = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
    } while (result < 0 && errno == EINTR);
    if (result < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        csn_conn_fail(conn);
    }
    *sent = result > 0 ? (size_t)result : 0;
    return *sent == size;
}

/* Small parts become one record. */
static bool transmit_parts(struct csn_conn *conn, struct iovec *parts, uint32_t count, size_t size,
                           size_t *sent)
{
    if (conn->tls == NULL) {
        return transmit_clear(conn, parts, count, size, sent);
    }
    struct csn_front *front = conn->front;
    if (count > 1 && size <= sizeof front->sink) {
        size_t at = 0;
        for (uint32_t i = 0; i < count; i++) {
            memcpy(front->sink + at, parts[i].iov_base, parts[i].iov_len);
            at += parts[i].iov_len;
        }
        return transmit_tls(conn, (const uint8_t *)front->sink, size, sent);
    }
    bool is_all = true;
    *sent = 0;
    for (uint32_t i = 0; i < count && is_all; i++) {
        size_t part;
        is_all = transmit_tls(conn, parts[i].iov_base, parts[i].iov_len, &part);
        *sent += part;
    }
    return is_all;
}

/* All parts but their first `sent` bytes. */
static void keep_rest(struct csn_conn *conn, const struct iovec *parts, uint32_t count, size_t sent)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        sent -= skip;
        if (!csn_buffer_add(&conn->out, (const uint8_t *)parts[i].iov_base + skip,
                            parts[i].iov_len - skip)) {
            csn_conn_fail(conn);
            return;
        }
    }
}

void csn_conn_write(struct csn_conn *conn, struct iovec *parts, uint32_t count)
{
    if (conn->is_failed || csn_conn_is_closed(conn)) {
        return;
    }
    size_t size = 0, sent = 0;
    for (uint32_t i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    bool is_free = csn_buffer_size(&conn->out) == 0;
    if (!is_free || !transmit_parts(conn, parts, count, size, &sent)) {
        conn->moved += sent;
        keep_rest(conn, parts, count, sent);
    }
}

size_t csn_conn_queued(const struct csn_conn *conn)
{
    int size = 0;
    return ioctl(conn->fd, SIOCOUTQ, &size) == 0 && size > 0 ? (size_t)size : 0;
}

void csn_conn_flush(struct csn_conn *conn)
{
    size_t size = csn_buffer_size(&conn->out), sent = 0;
    conn->wants_write = false; /* what wanted to is tried again: this, or csn_conn_ready()'s read */
    if (size == 0 || conn->is_failed) {
        return;
    }
    struct iovec part = {conn->out.bytes + conn->out.start, size};
    (void)transmit_parts(conn, &part, 1, size, &sent);
    csn_buffer_take(&conn->out, sent);
    conn->moved += sent;
}

void csn_conn_update_interest(struct csn_conn *conn)
{
    bool reads = !conn->is_reading_paused;
    bool writes = csn_buffer_size(&conn->out) != 0 || conn->wants_write;
    uint32_t interest = (reads ? EPOLLIN : 0u) | (writes ? EPOLLOUT : 0u);
    if (interest == conn->interest || csn_conn_is_closed(conn)) {
        return;
    }
    struct epoll_event event = {.events = interest,
                                .data.u64 = (uint64_t)(uintptr_t)conn | CSN_FRONT_CONN};
    if (epoll_ctl(conn->front->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event) == 0) {
        conn->interest = interest;
    } else {
        csn_conn_fail(conn);
    }
}
