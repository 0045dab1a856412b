/* SPDX-License-Identifier: Apache-2.0 */
/* http2_events.c: what a client's frames do: requests, their bodies, and their going away. */
#include "http1_rules.h"
#include "http2_session.h"
#include <stdint.h>
#include <string.h>

#define BOMB_FACTOR 4u /* fields so many times over the limit are not decoded to their end */

static struct csn_request *find(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *user)
{
    (void)session;
    (void)frame;
    (void)error;
    struct csn_conn *conn = user;
    conn->front->counters->bad_requests++;
    conn->http2->is_counted = true;
    return csn_http2_count(conn, &conn->http2->controls, conn->front->limits.controls_max);
}

/* ---- a head ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct csn_conn *conn = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    if (conn->http2->is_abused) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    struct csn_request *request = csn_request_create(conn);
    if (request == NULL || !csn_buffer_reserve(&request->text, 1024)) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    memset(&request->head, 0, offsetof(struct csn_http1_head, fields));
    request->head.field_count = 0;
    request->head.content_length = 0;
    request->head.wants_continue = false;
    request->id = frame->hd.stream_id;
    request->exchange.version = 2;
    csn_request_set_deadline(request, conn->front->limits.head_ns);
    csn_conn_set_idle(conn, false);
    csn_conn_wait_for(conn, CSN_WAIT_NOTHING);
    return nghttp2_session_set_stream_user_data(session, request->id, request);
}

/* Text moves while it grows: until the head is whole, bytes is an offset. */
static struct csn_http1_text keep(struct csn_request *request, const uint8_t *bytes, size_t size)
{
    size_t offset = csn_buffer_size(&request->text);
    if (!csn_buffer_add(&request->text, bytes, size)) {
        request->is_oversize = true;
        return (struct csn_http1_text){NULL, 0};
    }
    return (struct csn_http1_text){(const char *)(uintptr_t)offset, size};
}

static bool is(const uint8_t *bytes, size_t size, const char *string)
{
    return size == strlen(string) && memcmp(bytes, string, size) == 0;
}

static void take_pseudo(struct csn_request *request, const uint8_t *name, size_t name_size,
                        const uint8_t *value, size_t size)
{
    struct csn_http1_head *head = &request->head;
    if (is(name, name_size, ":method")) {
        head->method = is(value, size, "POST") ? CSN_HTTP1_POST : CSN_HTTP1_GET;
        request->is_other_method = !is(value, size, "POST") && !is(value, size, "GET");
        request->is_bodiless = is(value, size, "HEAD");
    } else if (is(name, name_size, ":path")) {
        head->target = keep(request, value, size);
    } else if (is(name, name_size, ":authority")) {
        head->host = keep(request, value, size);
    }
}

/* libnghttp2 has made sure that it is a number, and will hold the body to it. */
static void take_length(struct csn_request *request, const uint8_t *value, size_t size)
{
    uint64_t length = 0;
    for (size_t i = 0; i < size && length < UINT64_MAX / 16; i++) {
        length = length * 10 + (uint64_t)(value[i] - '0');
    }
    request->head.content_length = length;
}

static void take_field(struct csn_request *request, const uint8_t *name, size_t name_size,
                       const uint8_t *value, size_t size)
{
    struct csn_http1_head *head = &request->head;
    if (head->field_count == CSN_HTTP1_FIELDS_MAX) {
        request->is_oversize = true;
        return;
    }
    struct csn_http1_field *field = &head->fields[head->field_count];
    field->name = keep(request, name, name_size);
    field->value = keep(request, value, size);
    head->field_count += request->is_oversize ? 0 : 1;
    if (is(name, name_size, "content-length")) {
        take_length(request, value, size);
    } else if (is(name, name_size, "expect")) {
        struct csn_http1_text text = {(const char *)value, size};
        head->wants_continue = csn_http1_is(&text, "100-continue");
        request->is_bad_expect = !head->wants_continue;
    }
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t size, uint8_t flags, void *user)
{
    (void)flags;
    struct csn_conn *conn = user;
    struct csn_request *request = find(session, frame->hd.stream_id);
    if (request == NULL) {
        return 0;
    }
    uint32_t limit = conn->front->limits.fields_size_max;
    request->fields_size += (uint32_t)(name_size + size + 32);
    if (request->fields_size / BOMB_FACTOR > limit) {
        conn->http2->is_abused = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (request->fields_size > limit) {
        request->is_oversize = true;
    } else if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0; /* trailers: nobody asked for them */
    } else if (name_size != 0 && name[0] == ':') {
        take_pseudo(request, name, name_size, value, size);
    } else {
        take_field(request, name, name_size, value, size);
    }
    return 0;
}

static void set_text(struct csn_http1_text *text, const struct csn_request *request)
{
    text->bytes = (const char *)request->text.bytes + (uintptr_t)text->bytes;
}

/* Host is as good as :authority; both must agree, and one must be there. */
static bool check_host(struct csn_request *request)
{
    struct csn_http1_head *head = &request->head;
    uint32_t count = 0;
    for (uint32_t i = 0; i < head->field_count; i++) {
        if (csn_http1_is(&head->fields[i].name, "host")) {
            const struct csn_http1_text *host = &head->fields[i].value;
            if (head->host.size != 0 && (host->size != head->host.size ||
                                         memcmp(host->bytes, head->host.bytes, host->size) != 0)) {
                return false;
            }
            head->host = *host;
            count++;
        }
    }
    return count <= 1 && head->host.size != 0;
}

/* Zero, or the status of what is wrong with the head. */
static uint32_t check_head(struct csn_request *request, const char **why)
{
    struct csn_http1_head *head = &request->head;
    if (request->is_oversize) {
        *why = "too many fields";
        return 431;
    }
    if (request->is_other_method) {
        *why = "method is neither GET nor POST";
        return 405;
    }
    if (head->target.size > CSN_HTTP1_TARGET_SIZE_MAX) {
        *why = "target too long";
        return 414;
    }
    if (!csn_http1_is_target(head->target) || !check_host(request)) {
        *why = "target or host";
        return 400;
    }
    if (request->is_bad_expect) {
        *why = "expectation";
        return 417;
    }
    if (head->method == CSN_HTTP1_GET && head->content_length != 0) {
        *why = "GET with a body";
        return 400;
    }
    return 0;
}

static void expect_body(nghttp2_session *session, struct csn_request *request)
{
    csn_request_set_deadline(request, request->conn->front->limits.body_ns);
    request->body.room_max = request->head.content_length;
    if (request->head.wants_continue) {
        const nghttp2_nv status = {(uint8_t *)(uintptr_t) ":status", (uint8_t *)(uintptr_t) "100",
                                   7, 3, NGHTTP2_NV_FLAG_NONE};
        (void)nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, request->id, NULL, &status, 1,
                                     NULL);
    }
}

static void start(nghttp2_session *session, struct csn_request *request, bool is_whole)
{
    struct csn_http1_head *head = &request->head;
    for (uint32_t i = 0; i < head->field_count; i++) {
        set_text(&head->fields[i].name, request);
        set_text(&head->fields[i].value, request);
    }
    set_text(&head->target, request);
    set_text(&head->host, request);
    request->is_request_whole = is_whole;
    if (!csn_request_start(request)) {
        request->is_ours = true;
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, request->id,
                                        NGHTTP2_REFUSED_STREAM);
        return;
    }
    const char *why = NULL;
    uint32_t status = check_head(request, &why);
    if (status != 0) {
        request->conn->front->counters->bad_requests++;
        csn_request_refuse(request, status, why);
        return;
    }
    csn_request_set_head(request, 2);
    request->body_size_max = csn_request_begin(request);
    if (request->is_begun) {
        request->is_body_dropped = true;
    } else if (is_whole) {
        csn_request_serve(request);
    } else if (head->content_length > request->body_size_max) {
        csn_request_refuse(request, 413, NULL);
    } else {
        expect_body(session, request);
    }
}

/* ---- a body, and the end ---- */

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t size, void *user)
{
    (void)flags;
    (void)user;
    struct csn_request *request = find(session, id);
    if (request == NULL || request->is_begun || !request->is_open) {
        return 0;
    }
    size_t held = csn_buffer_size(&request->body);
    if (request->exchange.method == CSN_HTTP1_GET) {
        request->conn->front->counters->bad_requests++;
        csn_request_refuse(request, 400, "GET with a body");
    } else if (size > request->body_size_max - held) {
        csn_request_refuse(request, 413, NULL);
    } else if (!csn_buffer_add(&request->body, bytes, size)) {
        csn_request_refuse(request, 503, "too much is under way");
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)user;
    bool is_head = frame->hd.type == NGHTTP2_HEADERS;
    if (!is_head && frame->hd.type != NGHTTP2_DATA) {
        return 0;
    }
    struct csn_request *request = find(session, frame->hd.stream_id);
    if (request == NULL) {
        return 0;
    }
    bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (is_head && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        start(session, request, is_end);
    } else if (is_end && !request->is_request_whole) {
        request->is_request_whole = true;
        if (request->is_open && !request->is_begun) {
            request->exchange.body = request->body.bytes;
            request->exchange.body_size = csn_buffer_size(&request->body);
            csn_request_serve(request);
        }
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    (void)error;
    struct csn_conn *conn = user;
    struct csn_request *request = find(session, id);
    if (request == NULL) {
        return 0;
    }
    bool is_reset = !request->is_sent && !request->is_ours;
    csn_request_tell_gone(request, request->is_begun ? request->exchange.status : 0);
    csn_request_release(request);
    csn_conn_schedule(conn);
    if (is_reset) { /* the session has to finish with this stream first; the next one is refused */
        (void)csn_http2_count(conn, &conn->http2->resets, conn->front->limits.resets_max);
    }
    return 0;
}

void csn_http2_set_receivers(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
}
