/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.c: what services call. Nothing in here calls a service back: the connection is settled
 * at the end of the iteration.
 */
#include "connection.h"
#include <stdio.h>
#include <string.h>

const struct csn_http1_text *csn_exchange_field(const struct csn_exchange *exchange,
                                                const char *name)
{
    const struct csn_http1_text *found = NULL;
    for (uint32_t i = 0; i < exchange->field_count; i++) {
        if (csn_http1_is(&exchange->fields[i].name, name)) {
            if (found != NULL) {
                return NULL;
            }
            found = &exchange->fields[i].value;
        }
    }
    return found;
}

/* What must not leave becomes a 500: a service's bug, and its client's only in that it asked. */
static const struct csn_answer_head *checked(const struct csn_answer_head *head)
{
    static const struct csn_answer_head broken = {.status = 500};
    return csn_answer_is_legal(head) ? head : &broken;
}

/* False: there is an answer already. */
static bool start_answer(struct csn_request *request, const struct csn_answer_head *head)
{
    if (request->is_begun || request->is_broken) {
        return false;
    }
    request->is_begun = true;
    request->exchange.status = head->status;
    csn_conn_schedule(request->conn);
    return true;
}

void csn_exchange_answer(struct csn_exchange *exchange, const struct csn_answer_head *head,
                         const void *body, size_t size)
{
    struct csn_request *request = csn_request_of(exchange);
    head = checked(head);
    size = head->content_type != NULL ? size : 0;
    if (!start_answer(request, head)) {
        return;
    }
    exchange->answer_size = size;
    request->is_final = true;
    csn_wheel_cancel(&request->conn->front->wheel, &request->timer);
    if (exchange->version == 2) {
        csn_http2_answer(request, head, body, size, true);
    } else {
        csn_http1_answer(request, head, body, size);
    }
}

void csn_exchange_begin(struct csn_exchange *exchange, const struct csn_answer_head *head)
{
    struct csn_request *request = csn_request_of(exchange);
    head = checked(head);
    if (!start_answer(request, head)) {
        return;
    }
    csn_request_set_deadline(request, request->conn->front->limits.request_ns);
    if (exchange->version == 2) {
        csn_http2_answer(request, head, NULL, 0, false);
    } else {
        csn_http1_begin(request, head);
    }
}

void csn_exchange_piece(struct csn_exchange *exchange, const void *bytes, size_t size, bool final)
{
    struct csn_request *request = csn_request_of(exchange);
    struct csn_front *front = request->conn->front;
    if (!request->is_begun || request->is_final || request->is_broken) {
        return;
    }
    size_t unsent =
        csn_buffer_size(exchange->version == 2 ? &request->output : &request->conn->out);
    if (unsent > front->limits.output_size_max || size > front->limits.output_size_max - unsent) {
        front->counters->slow_closed++;
        csn_exchange_break(exchange);
        return;
    }
    exchange->answer_size += size;
    request->is_final = final;
    csn_conn_schedule(request->conn);
    if (exchange->version == 2) {
        csn_http2_piece(request, bytes, size, final);
    } else {
        csn_http1_piece(request, bytes, size, final);
    }
}

void csn_exchange_break(struct csn_exchange *exchange)
{
    struct csn_request *request = csn_request_of(exchange);
    if (request->is_broken) {
        return;
    }
    request->is_broken = true;
    request->is_ours = true;
    csn_wheel_cancel(&request->conn->front->wheel, &request->timer);
    csn_conn_schedule(request->conn);
    if (exchange->version == 2) {
        csn_http2_break(request);
    }
}

/* ---- problems (RFC 9457) ---- */

struct text {
    char bytes[1024];
    size_t size;
};

static void put(struct text *text, const char *string)
{
    size_t size = strlen(string);
    size_t left = sizeof text->bytes - text->size;
    size = size < left ? size : left;
    memcpy(text->bytes + text->size, string, size);
    text->size += size;
}

/* A member, unless its value is NULL. Values are cut so that the end of the text has room. */
static void put_string(struct text *text, const char *name, const char *value)
{
    put(text, text->size == 0 ? "{\"" : ",\"");
    put(text, name);
    put(text, "\":\"");
    for (size_t i = 0; value[i] != '\0' && i < 256; i++) {
        unsigned char byte = (unsigned char)value[i];
        char escaped[8] = {(char)byte};
        if (byte == '"' || byte == '\\') {
            snprintf(escaped, sizeof escaped, "\\%c", byte);
        } else if (byte < ' ') {
            snprintf(escaped, sizeof escaped, "\\u%04x", byte);
        }
        if (text->size < sizeof text->bytes - 128) {
            put(text, escaped);
        }
    }
    put(text, "\"");
}

void csn_exchange_problem(struct csn_exchange *exchange, uint32_t status, const char *type,
                          const char *title, const char *detail)
{
    struct text text = {.size = 0};
    put_string(&text, "type", type != NULL ? type : "about:blank");
    put_string(&text, "title", title != NULL ? title : csn_answer_reason(status));
    char number[24];
    snprintf(number, sizeof number, ",\"status\":%u", (unsigned)status);
    put(&text, number);
    if (detail != NULL) {
        put_string(&text, "detail", detail);
    }
    put(&text, "}");
    struct csn_answer_head head = {.status = status, .content_type = "application/problem+json"};
    if (status == 503) { /* a limit, most often: it may be better soon */
        head.more[head.more_count++] = (struct csn_http1_field){{"Retry-After", 11}, {"1", 1}};
    }
    if (status == 405) {
        head.more[head.more_count++] = (struct csn_http1_field){{"Allow", 5}, {"GET, POST", 9}};
    }
    csn_exchange_answer(exchange, &head, text.bytes, text.size);
}
