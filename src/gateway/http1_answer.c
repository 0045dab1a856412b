/* SPDX-License-Identifier: Apache-2.0 */
/* http1_answer.c: answers in HTTP/1.1: head and body leave in one write, where that is possible. */
#include "connection.h"
#include <stdio.h>
#include <string.h>

#define HEAD_ROOM 3072u /* csn_answer_is_legal() lets through less, with what is added here */

struct head_text {
    char bytes[HEAD_ROOM];
    size_t size;
};

static void put(struct head_text *text, const char *bytes, size_t size)
{
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

static void put_string(struct head_text *text, const char *string)
{
    put(text, string, strlen(string));
}

static void put_field(struct head_text *text, const char *name, const char *value)
{
    put_string(text, name);
    put_string(text, value);
    put(text, "\r\n", 2);
}

static void put_head(struct csn_request *request, const struct csn_answer_head *head,
                     struct head_text *text)
{
    struct csn_conn *conn = request->conn;
    conn->http1 = CSN_HTTP1_ANSWER; /* whatever of the request was still to come */
    text->size = 0;
    char line[64];
    snprintf(line, sizeof line, "HTTP/1.1 %u %s\r\n", (unsigned)head->status,
             csn_answer_reason(head->status));
    put_string(text, line);
    put_field(text, "Date: ", csn_front_date(conn->front));
    if (head->content_type != NULL) {
        put_field(text, "Content-Type: ", head->content_type);
    }
    put_field(text,
              "Cache-Control: ", head->cache_control != NULL ? head->cache_control : "no-store");
    for (uint32_t i = 0; i < head->more_count; i++) {
        put(text, head->more[i].name.bytes, head->more[i].name.size);
        put(text, ": ", 2);
        put(text, head->more[i].value.bytes, head->more[i].value.size);
        put(text, "\r\n", 2);
    }
    conn->closes = conn->closes || !request->is_request_whole || conn->front->is_draining;
    if (conn->closes) {
        put_field(text, "Connection: ", "close");
    }
}

void csn_http1_answer(struct csn_request *request, const struct csn_answer_head *head,
                      const void *body, size_t size)
{
    struct head_text text;
    put_head(request, head, &text);
    bool has_body = head->status != 204 && head->status != 304;
    if (has_body) {
        char length[48];
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", size);
        put_string(&text, length);
    }
    put(&text, "\r\n", 2);
    struct iovec parts[2] = {{text.bytes, text.size}, {(void *)(uintptr_t)body, size}};
    bool is_sent = has_body && size != 0 && !request->is_bodiless;
    csn_conn_write(request->conn, parts, is_sent ? 2 : 1);
}

void csn_http1_begin(struct csn_request *request, const struct csn_answer_head *head)
{
    struct head_text text;
    put_head(request, head, &text);
    put_field(&text, "Transfer-Encoding: ", "chunked");
    put(&text, "\r\n", 2);
    struct iovec part = {text.bytes, text.size};
    csn_conn_write(request->conn, &part, 1);
}

void csn_http1_piece(struct csn_request *request, const void *bytes, size_t size, bool final)
{
    struct csn_front *front = request->conn->front;
    if (final) { /* from here on it is up to the client, and the connection's timer */
        csn_wheel_cancel(&front->wheel, &request->timer);
    } else {
        csn_request_set_deadline(request, front->limits.request_ns);
    }
    char before[24], after[] = "\r\n0\r\n\r\n";
    int length = snprintf(before, sizeof before, "%zx\r\n", size);
    struct iovec parts[3] = {{before, (size_t)length},
                             {(void *)(uintptr_t)bytes, size},
                             {after, final ? sizeof after - 1 : 2}};
    if (size != 0) {
        csn_conn_write(request->conn, parts, 3);
    } else if (final) { /* a chunk without content is the end, so there is no other */
        parts[0] = (struct iovec){after + 2, sizeof after - 3};
        csn_conn_write(request->conn, parts, 1);
    }
}
