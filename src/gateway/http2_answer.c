/* SPDX-License-Identifier: Apache-2.0 */
/* http2_answer.c: answers as frames. What the client's window does not take waits in the request.
 */
#include "http2_session.h"
#include <string.h>

/* ---- bytes that leave ---- */

static ssize_t on_send(nghttp2_session *session, const uint8_t *bytes, size_t size, int flags,
                       void *user)
{
    (void)session;
    (void)flags;
    struct csn_front *front = ((struct csn_conn *)user)->front;
    size_t room = sizeof front->sink - front->sink_size;
    if (room == 0) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    size = size < room ? size : room;
    memcpy(front->sink + front->sink_size, bytes, size);
    front->sink_size += size;
    return (ssize_t)size;
}

void csn_http2_watch_output(struct csn_request *request)
{
    request->moved = 0;
    request->mark = request->conn->http2->sent;
    csn_request_set_deadline(request, request->conn->front->limits.stall_ns);
}

bool csn_http2_is_moving(const struct csn_request *request)
{
    const struct csn_http2 *http2 = request->conn->http2;
    if (request->moved >= CSN_FRONT_STALL_STEP) {
        return true;
    }
    return http2->sent - request->mark >= CSN_FRONT_STALL_STEP &&
           nghttp2_session_get_stream_remote_window_size(http2->session, request->id) > 0;
}

static void note_progress(struct csn_request *request, size_t size)
{
    struct csn_front *front = request->conn->front;
    request->moved += size;
    request->conn->http2->sent += size;
    if (csn_buffer_size(&request->output) == 0) {
        if (request->is_final) {
            csn_wheel_cancel(&front->wheel, &request->timer);
        } else {
            csn_request_set_deadline(request, front->limits.request_ns);
        }
    }
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                        size_t size, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)frame; /* no padding: read_output() is asked for none */
    struct csn_front *front = ((struct csn_conn *)user)->front;
    struct csn_request *request = source->ptr;
    if (sizeof front->sink - front->sink_size < size + 9) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    memcpy(front->sink + front->sink_size, head, 9);
    if (size != 0) {
        memcpy(front->sink + front->sink_size + 9, request->output.bytes + request->output.start,
               size);
    }
    front->sink_size += size + 9;
    csn_buffer_take(&request->output, size);
    note_progress(request, size);
    return 0;
}

static ssize_t read_output(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t room,
                           uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)id;
    (void)bytes;
    (void)user;
    struct csn_request *request = source->ptr;
    size_t size = csn_buffer_size(&request->output);
    if (size == 0 && !request->is_final) {
        request->is_deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (size <= room && request->is_final) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)(size < room ? size : room);
}

/*
 * The whole answer has left. A client that still sends its request gets some time to notice: a
 * reset right behind the answer (RFC 9113 section 8.1) makes some of them lose it.
 */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)user;
    if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
        return 0;
    }
    struct csn_request *request =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (request != NULL) {
        request->is_sent = true;
        csn_request_tell_done(request);
        if (!request->is_request_whole) {
            csn_request_set_deadline(request, request->conn->front->limits.linger_ns);
        }
    }
    return 0;
}

void csn_http2_set_senders(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
}

/* ---- what services say ---- */

#define FIELDS_MAX 9u /* :status, date, content-type, content-length, cache-control, four more */

struct fields {
    nghttp2_nv pairs[FIELDS_MAX];
    size_t count;
    char names[2048]; /* of the service's fields, in lower case */
    size_t names_size;
    char status[8];
    char length[24];
};

static void put(struct fields *fields, const char *name, size_t name_size, const char *value,
                size_t size)
{
    fields->pairs[fields->count++] =
        (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, name_size, size,
                     NGHTTP2_NV_FLAG_NONE};
}

static void put_string(struct fields *fields, const char *name, const char *value)
{
    put(fields, name, strlen(name), value, strlen(value));
}

/* In decimal, at the end of its room. */
static void put_number(struct fields *fields, const char *name, char *room, size_t size,
                       uint64_t number)
{
    size_t at = size;
    do {
        room[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put(fields, name, strlen(name), room + at, size - at);
}

static void put_more(struct fields *fields, const struct csn_http1_field *field)
{
    char *name = fields->names + fields->names_size; /* csn_answer_is_legal(): they fit */
    for (size_t i = 0; i < field->name.size; i++) {
        char byte = field->name.bytes[i];
        name[i] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 'a' - 'A' : byte);
    }
    fields->names_size += field->name.size;
    put(fields, name, field->name.size, field->value.bytes, field->value.size);
}

static void put_head(struct fields *fields, struct csn_front *front,
                     const struct csn_answer_head *head)
{
    put_number(fields, ":status", fields->status, sizeof fields->status, head->status);
    put_string(fields, "date", csn_front_date(front));
    if (head->content_type != NULL) {
        put_string(fields, "content-type", head->content_type);
    }
    put_string(fields, "cache-control",
               head->cache_control != NULL ? head->cache_control : "no-store");
    for (uint32_t i = 0; i < head->more_count; i++) {
        put_more(fields, &head->more[i]);
    }
}

void csn_http2_answer(struct csn_request *request, const struct csn_answer_head *head,
                      const void *body, size_t size, bool whole)
{
    struct csn_conn *conn = request->conn;
    struct fields fields;
    fields.count = fields.names_size = 0;
    put_head(&fields, conn->front, head);
    bool has_body = head->status != 204 && head->status != 304;
    size = has_body ? size : 0;
    if (whole && has_body) {
        put_number(&fields, "content-length", fields.length, sizeof fields.length, size);
    }
    size = request->is_bodiless ? 0 : size;
    if (!csn_buffer_add(&request->output, body, size)) {
        csn_exchange_break(&request->exchange);
        return;
    }
    if (size != 0) {
        csn_http2_watch_output(request);
    }
    nghttp2_data_provider provider = {.source.ptr = request, .read_callback = read_output};
    if (nghttp2_submit_response(conn->http2->session, request->id, fields.pairs, fields.count,
                                size != 0 || !whole ? &provider : NULL) != 0) {
        csn_conn_fail(conn);
    }
}

void csn_http2_piece(struct csn_request *request, const void *bytes, size_t size, bool final)
{
    bool was_empty = csn_buffer_size(&request->output) == 0;
    if (!csn_buffer_add(&request->output, bytes, size)) {
        csn_exchange_break(&request->exchange);
        return;
    }
    if (was_empty && (size != 0 || final)) {
        csn_http2_watch_output(request);
    }
    if (request->is_deferred && (size != 0 || final)) {
        request->is_deferred = false;
        (void)nghttp2_session_resume_data(request->conn->http2->session, request->id);
    }
}

void csn_http2_break(struct csn_request *request)
{
    (void)nghttp2_submit_rst_stream(request->conn->http2->session, NGHTTP2_FLAG_NONE, request->id,
                                    request->is_sent ? NGHTTP2_NO_ERROR : NGHTTP2_INTERNAL_ERROR);
}
