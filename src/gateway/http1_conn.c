/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_conn.c: HTTP/1.1 on a connection: one request after another. The next one is looked at when
 * the answer to the last one has left, so that pipelining costs nobody but who does it.
 *
 * A request that is there whole after one read is served from the read buffer; otherwise its head
 * and body are kept until it is.
 */
#include "connection.h"
#include <string.h>

#define READS_MAX 4u /* of one connection in an iteration */
#define BODY_STEP 65536u

/* Answers 4xx and closes: where a next request would begin is not known. */
static void refuse_framing(struct csn_request *request, enum csn_http1_result result,
                           const char *why)
{
    request->conn->front->counters->bad_requests++;
    csn_request_refuse(request, (uint32_t)result, why);
}

static void out_of_memory(struct csn_request *request)
{
    csn_request_refuse(request, 503, "too much is under way");
}

/* The texts of the head point elsewhere now. */
static void move_text(struct csn_http1_text *text, const char *from, const char *to)
{
    if (text->bytes != NULL) {
        text->bytes = to + (text->bytes - from);
    }
}

/* The head outlives the bytes that it was read from. */
static bool keep_head(struct csn_request *request, const char *bytes)
{
    struct csn_http1_head *head = &request->head;
    if (!csn_buffer_add(&request->text, bytes, head->size)) {
        return false;
    }
    const char *to = (const char *)request->text.bytes;
    for (uint32_t i = 0; i < head->field_count; i++) {
        move_text(&head->fields[i].name, bytes, to);
        move_text(&head->fields[i].value, bytes, to);
    }
    move_text(&request->exchange.path, bytes, to);
    move_text(&request->exchange.query, bytes, to);
    move_text(&request->exchange.host, bytes, to);
    return true;
}

static void serve(struct csn_request *request, const void *body, size_t size)
{
    request->conn->http1 = CSN_HTTP1_ANSWER;
    request->exchange.body = body;
    request->exchange.body_size = size;
    csn_request_serve(request);
}

/* What is there of a body of known length; returns how much of it that was. */
static size_t take_length(struct csn_request *request, const char *bytes, size_t size)
{
    struct csn_buffer *body = &request->body;
    size_t left = request->head.content_length - csn_buffer_size(body);
    size = size < left ? size : left;
    if (!csn_buffer_add(body, bytes, size)) {
        out_of_memory(request);
    } else if (size == left) {
        serve(request, body->bytes, csn_buffer_size(body));
    }
    return size;
}

/* A body is coming. Returns how many bytes of it were among these. */
static size_t expect_body(struct csn_request *request, const char *head, const char *bytes,
                          size_t size)
{
    struct csn_conn *conn = request->conn;
    if (!keep_head(request, head)) {
        out_of_memory(request);
        return size;
    }
    if (request->head.wants_continue && size == 0) {
        char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
        struct iovec part = {text, sizeof text - 1};
        csn_conn_write(conn, &part, 1);
    }
    csn_request_set_deadline(request, conn->front->limits.body_ns);
    if (request->head.is_chunked) {
        conn->http1 = CSN_HTTP1_CHUNKED;
        return 0;
    }
    conn->http1 = CSN_HTTP1_LENGTH;
    request->body.room_max = request->head.content_length;
    return take_length(request, bytes, size);
}

static size_t begin(struct csn_request *request, const char *head, const char *bytes, size_t size)
{
    struct csn_conn *conn = request->conn;
    uint64_t length = request->head.content_length;
    bool has_body = request->head.is_chunked || length != 0;
    request->is_request_whole = !has_body;
    conn->http1 = CSN_HTTP1_ANSWER;
    if (!csn_request_start(request)) {
        out_of_memory(request);
        return has_body ? size : 0;
    }
    size_t limit = csn_request_begin(request);
    if (request->is_begun) {
        return has_body ? size : 0; /* whether the client will send it is not known */
    }
    if (!has_body) {
        serve(request, NULL, 0);
        return 0;
    }
    if (length > limit) {
        csn_request_refuse(request, 413, NULL);
        return size;
    }
    if (!request->head.is_chunked && length <= size) {
        serve(request, bytes, (size_t)length);
        return (size_t)length;
    }
    request->body_size_max = limit;
    return expect_body(request, head, bytes, size);
}

/* Returns how many bytes were used: 0 if it is not all there. */
static size_t take_head(struct csn_conn *conn, const char *bytes, size_t size)
{
    struct csn_request *request = csn_request_create(conn);
    if (request == NULL) {
        csn_conn_fail(conn);
        return size;
    }
    const char *why = NULL;
    enum csn_http1_result result = csn_http1_read_head(bytes, size, &request->head, &why);
    if (result == CSN_HTTP1_MORE) {
        csn_request_release(request);
        csn_conn_wait_for(conn, CSN_WAIT_HEAD);
        return 0;
    }
    csn_conn_set_idle(conn, false);
    csn_conn_wait_for(conn, CSN_WAIT_NOTHING);
    request->exchange.version = 1;
    if (result != CSN_HTTP1_OK) {
        request->is_bodiless = result == CSN_HTTP1_METHOD && memcmp(bytes, "HEAD ", 5) == 0;
        refuse_framing(request, result, why);
        return size;
    }
    conn->closes = request->head.closes;
    csn_request_set_head(request, 1);
    size_t used = request->head.size;
    return used + begin(request, bytes, bytes + used, size - used);
}

/* Returns how many bytes were used. */
static size_t take_chunks(struct csn_request *request, const char *bytes, size_t size)
{
    size_t at = 0;
    for (;;) {
        struct csn_http1_piece piece = {0};
        const char *why = NULL;
        enum csn_http1_result result = csn_http1_read_chunk(&request->chunks, bytes + at, size - at,
                                                            request->body_size_max, &piece, &why);
        if (result == CSN_HTTP1_MORE) {
            return at;
        }
        if (result != CSN_HTTP1_OK) {
            refuse_framing(request, result, why);
            return size;
        }
        if (!csn_buffer_add(&request->body, bytes + at + piece.offset, piece.size)) {
            out_of_memory(request);
            return size;
        }
        at += piece.consumed;
        if (piece.is_end) {
            serve(request, request->body.bytes, csn_buffer_size(&request->body));
            return at;
        }
    }
}

static size_t take(struct csn_conn *conn, const char *bytes, size_t size)
{
    size_t at = 0, used = 1;
    while (at < size && used != 0 && conn->http1 != CSN_HTTP1_ANSWER && !conn->is_failed) {
        const char *rest = bytes + at;
        if (conn->http1 == CSN_HTTP1_HEAD) {
            used = take_head(conn, rest, size - at);
        } else if (conn->http1 == CSN_HTTP1_LENGTH) {
            used = take_length(conn->requests, rest, size - at);
        } else {
            used = take_chunks(conn->requests, rest, size - at);
        }
        at += used;
    }
    return at;
}

void csn_http1_resume(struct csn_conn *conn)
{
    size_t used =
        take(conn, (const char *)conn->in.bytes + conn->in.start, csn_buffer_size(&conn->in));
    csn_buffer_take(&conn->in, used);
}

void csn_http1_input(struct csn_conn *conn, const char *bytes, size_t size)
{
    size_t held = csn_buffer_size(&conn->in);
    size_t used = held == 0 ? take(conn, bytes, size) : 0;
    if (used < size && !csn_buffer_add(&conn->in, bytes + used, size - used)) {
        csn_conn_fail(conn);
        return;
    }
    /* A head is read from its start each time, but only when a line of it may have ended. */
    bool may_end = conn->http1 != CSN_HTTP1_HEAD || memchr(bytes, '\n', size) != NULL ||
                   held + size >= CSN_HTTP1_HEAD_SIZE_MAX;
    if (held != 0 && may_end) {
        csn_http1_resume(conn);
    }
}

/* The rest of a large body goes where it belongs, without a stop in the read buffer. */
static enum csn_conn_got read_body(struct csn_conn *conn, size_t *size, size_t *room)
{
    struct csn_request *request = conn->requests;
    struct csn_buffer *body = &request->body;
    size_t left = request->head.content_length - csn_buffer_size(body);
    *room = left < BODY_STEP ? left : BODY_STEP;
    if (!csn_buffer_reserve(body, *room)) {
        out_of_memory(request);
        return CSN_GOT_NOTHING;
    }
    enum csn_conn_got got = csn_conn_read(conn, body->bytes + body->end, *room, size);
    if (got == CSN_GOT_BYTES) {
        body->end += *size;
        if (*size == left) {
            serve(request, body->bytes, csn_buffer_size(body));
        }
    }
    return got;
}

static enum csn_conn_got read_some(struct csn_conn *conn, bool *is_short)
{
    char *scratch = conn->front->scratch;
    size_t size = 0, room = CSN_FRONT_SCRATCH_SIZE;
    enum csn_conn_got got;
    if (conn->http1 == CSN_HTTP1_LENGTH) {
        got = read_body(conn, &size, &room);
    } else {
        got = csn_conn_read(conn, scratch, room, &size);
        if (got == CSN_GOT_BYTES) {
            csn_http1_input(conn, scratch, size);
        }
    }
    *is_short = conn->tls == NULL && size < room;
    return got;
}

void csn_http1_ready(struct csn_conn *conn)
{
    if (conn->http1 == CSN_HTTP1_ANSWER) { /* also who will say nothing more gets his answer */
        conn->is_reading_paused = true;
        csn_conn_update_interest(conn);
        return;
    }
    enum csn_conn_got got = CSN_GOT_BYTES;
    bool is_short = false;
    for (uint32_t i = 0; i < READS_MAX && got == CSN_GOT_BYTES && !is_short &&
                         conn->http1 != CSN_HTTP1_ANSWER && !conn->is_failed;
         i++) {
        got = read_some(conn, &is_short);
    }
    if (got == CSN_GOT_FAILURE || got == CSN_GOT_END) {
        csn_conn_close(conn);
    } else if (conn->tls != NULL) {
        conn->may_have_more = got == CSN_GOT_BYTES && SSL_has_pending(conn->tls);
        if (conn->may_have_more) {
            csn_conn_schedule(conn);
        }
    }
}

void csn_http1_timeout(struct csn_conn *conn)
{
    struct csn_request *request = csn_request_create(conn);
    if (request == NULL) {
        csn_conn_close(conn);
        return;
    }
    csn_conn_set_idle(conn, false);
    request->exchange.version = 1;
    csn_request_refuse(request, 408, "the head took too long");
}

/* The answer has left: on to the next request. */
static void finish(struct csn_conn *conn, struct csn_request *request)
{
    csn_request_tell_done(request);
    csn_request_release(request);
    if (conn->closes) {
        csn_conn_linger(conn);
        return;
    }
    conn->http1 = CSN_HTTP1_HEAD;
    conn->is_reading_paused = false;
    csn_conn_wait_for(conn, CSN_WAIT_IDLE);
    csn_conn_set_idle(conn, true);
    if (csn_buffer_size(&conn->in) != 0) {
        csn_http1_resume(conn);
    }
}

void csn_http1_settle(struct csn_conn *conn)
{
    struct csn_request *request = conn->requests;
    if (request == NULL || conn->http1 != CSN_HTTP1_ANSWER) {
        return;
    }
    if (request->is_broken) { /* without a last chunk, and without TLS's goodbye */
        csn_conn_close(conn);
    } else if (request->is_final && csn_buffer_size(&conn->out) == 0) {
        finish(conn, request);
    }
}
