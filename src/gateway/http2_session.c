/* SPDX-License-Identifier: Apache-2.0 */
/* http2_session.c: an HTTP/2 connection: its settings, its bytes, its limits and its end. */
#include "http2_session.h"
#include <stdlib.h>

#define WINDOW_STREAM 262144
#define WINDOW_ALL    1048576
#define READS_MAX     4u /* of one connection in an iteration */

int csn_http2_count(struct csn_conn *conn, uint32_t *count, uint32_t count_max)
{
    struct csn_http2 *http2 = conn->http2;
    if (conn->front->now_ns >= http2->interval_end_ns) {
        http2->resets = http2->controls = 0;
        http2->interval_end_ns = conn->front->now_ns + conn->front->limits.interval_ns;
    }
    if (++*count <= count_max || http2->is_ending) {
        return 0;
    }
    http2->is_abused = true;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

csn_err csn_http2_prepare(struct csn_front *front)
{
    if (nghttp2_session_callbacks_new(&front->http2_callbacks) != 0 ||
        nghttp2_option_new(&front->http2_option) != 0) {
        return CSN_ERR_MEMORY;
    }
    csn_http2_set_receivers(front->http2_callbacks);
    csn_http2_set_senders(front->http2_callbacks);
    nghttp2_option_set_no_closed_streams(front->http2_option, 1);
    return CSN_OK;
}

void csn_http2_unprepare(struct csn_front *front)
{
    nghttp2_session_callbacks_del(front->http2_callbacks);
    nghttp2_option_del(front->http2_option);
}

bool csn_http2_start(struct csn_conn *conn)
{
    struct csn_front *front = conn->front;
    conn->http2 = calloc(1, sizeof *conn->http2);
    if (conn->http2 == NULL ||
        nghttp2_session_server_new2(&conn->http2->session, front->http2_callbacks, conn,
                                    front->http2_option) != 0) {
        return false;
    }
    nghttp2_session *session = conn->http2->session;
    conn->http2->skip = NGHTTP2_CLIENT_MAGIC_LEN;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, front->limits.streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_STREAM},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, front->limits.fields_size_max},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof settings[0]) == 0 &&
           nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW_ALL) == 0;
}

void csn_http2_stop(struct csn_conn *conn)
{
    if (conn->http2 != NULL) {
        nghttp2_session_del(conn->http2->session);
        free(conn->http2);
        conn->http2 = NULL;
    }
}

void csn_http2_goaway(struct csn_conn *conn, bool final)
{
    nghttp2_session *session = conn->http2->session;
    if (!final) {
        (void)nghttp2_submit_shutdown_notice(session);
    } else if (!conn->http2->is_ending) {
        conn->http2->is_ending = true;
        int32_t last = nghttp2_session_get_last_proc_stream_id(session);
        (void)nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0);
    }
    csn_conn_schedule(conn);
}

/* ---- what comes ---- */

/* The session cannot go on. It says why, if it can, and ends. */
static void end_session(struct csn_conn *conn, int result)
{
    struct csn_http2 *http2 = conn->http2;
    bool is_abuse = http2->is_abused || result == NGHTTP2_ERR_FLOODED ||
                    result == NGHTTP2_ERR_TOO_MANY_SETTINGS;
    *(is_abuse ? &conn->front->counters->abuse_closed : &conn->front->counters->bad_requests) += 1;
    http2->is_counted = true;
    http2->is_ending = true;
    conn->closes = true;
    csn_conn_schedule(conn);
    (void)nghttp2_session_terminate_session(http2->session, is_abuse ? NGHTTP2_ENHANCE_YOUR_CALM
                                                                     : NGHTTP2_PROTOCOL_ERROR);
}

void csn_http2_input(struct csn_conn *conn, const char *bytes, size_t size)
{
    if (conn->closes) {
        return;
    }
    if (!csn_http2_count_frames(conn, bytes, size)) {
        end_session(conn, 0);
        return;
    }
    ssize_t used = nghttp2_session_mem_recv(conn->http2->session, (const uint8_t *)bytes, size);
    if (used < 0 || conn->http2->is_abused) {
        end_session(conn, (int)used);
    }
    csn_conn_schedule(conn);
}

void csn_http2_ready(struct csn_conn *conn)
{
    struct csn_front *front = conn->front;
    enum csn_conn_got got = CSN_GOT_BYTES;
    bool is_more = true;
    for (uint32_t i = 0; i < READS_MAX && got == CSN_GOT_BYTES && is_more && !conn->closes; i++) {
        size_t size = 0;
        got = csn_conn_read(conn, front->scratch, sizeof front->scratch, &size);
        if (got == CSN_GOT_BYTES) {
            csn_http2_input(conn, front->scratch, size);
        }
        is_more = conn->tls != NULL ? SSL_has_pending(conn->tls) : size == sizeof front->scratch;
    }
    if (got == CSN_GOT_END || got == CSN_GOT_FAILURE) {
        csn_conn_close(conn);
    } else if (conn->tls != NULL && got == CSN_GOT_BYTES && is_more) {
        conn->may_have_more = true;
        csn_conn_schedule(conn);
    }
}

/* ---- what goes ---- */

/* Frames gather in the sink; it leaves when it is full or nothing more is to say. */
static void pump(struct csn_conn *conn)
{
    struct csn_front *front = conn->front;
    nghttp2_session *session = conn->http2->session;
    while (!conn->is_failed && csn_buffer_size(&conn->out) == 0 &&
           nghttp2_session_want_write(session)) {
        front->sink_size = 0;
        if (nghttp2_session_send(session) != 0) {
            csn_conn_fail(conn);
            return;
        }
        if (conn->http2->is_abused && !conn->http2->is_ending) {
            end_session(conn, 0);
        }
        if (front->sink_size == 0) {
            return;
        }
        struct iovec part = {front->sink, front->sink_size};
        csn_conn_write(conn, &part, 1);
    }
}

void csn_http2_settle(struct csn_conn *conn)
{
    struct csn_http2 *http2 = conn->http2;
    if (http2 == NULL) {
        return;
    }
    pump(conn);
    if (conn->is_failed || csn_buffer_size(&conn->out) != 0) {
        return;
    }
    bool is_over =
        !nghttp2_session_want_read(http2->session) && !nghttp2_session_want_write(http2->session);
    bool is_done = http2->is_ending && conn->requests == NULL;
    if (is_over && !http2->is_ending && !http2->is_counted) {
        conn->front->counters->bad_requests++; /* libnghttp2 has said why */
    }
    if (is_over || is_done || conn->closes) {
        while (conn->requests != NULL) {
            struct csn_request *request = conn->requests;
            csn_request_tell_gone(request, request->is_begun ? request->exchange.status : 0);
            csn_request_release(request);
        }
        csn_conn_linger(conn);
    } else if (conn->requests == NULL && conn->wait != CSN_WAIT_IDLE) {
        csn_conn_wait_for(conn, CSN_WAIT_IDLE);
        csn_conn_set_idle(conn, true);
    }
}
