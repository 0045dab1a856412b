/* SPDX-License-Identifier: Apache-2.0 */
/* request.c: a request under way: its deadlines, and what its service is told. */
#include "connection.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPARES_MAX 256u

static void on_deadline(void *state);

struct csn_request *csn_request_create(struct csn_conn *conn)
{
    struct csn_front *front = conn->front;
    struct csn_request *request = front->spare_requests;
    if (request != NULL) {
        front->spare_requests = request->next;
        front->spare_count--;
    } else {
        request = malloc(sizeof *request);
        if (request == NULL) {
            return NULL;
        }
    }
    memset(request, 0, offsetof(struct csn_request, head)); /* head is written before it is read */
    request->conn = conn;
    request->timer = (struct csn_timer){.fire = on_deadline, .state = request};
    struct csn_account *account = &conn->client->memory;
    request->text.account = request->body.account = request->output.account = account;
    request->next = conn->requests;
    request->link = &conn->requests;
    if (request->next != NULL) {
        request->next->link = &request->next;
    }
    conn->requests = request;
    return request;
}

void csn_request_release(struct csn_request *request)
{
    struct csn_front *front = request->conn->front;
    csn_wheel_cancel(&front->wheel, &request->timer);
    csn_buffer_drop(&request->text);
    csn_buffer_drop(&request->body);
    csn_buffer_drop(&request->output);
    *request->link = request->next;
    if (request->next != NULL) {
        request->next->link = request->link;
    }
    if (request->is_counted) {
        front->counters->streams_open = --front->request_count;
    }
    if (front->spare_count == SPARES_MAX) {
        free(request);
        return;
    }
    request->next = front->spare_requests;
    front->spare_requests = request;
    front->spare_count++;
}

void csn_request_free_spare(struct csn_front *front)
{
    while (front->spare_requests != NULL) {
        struct csn_request *request = front->spare_requests;
        front->spare_requests = request->next;
        free(request);
    }
}

bool csn_request_start(struct csn_request *request)
{
    struct csn_front *front = request->conn->front;
    if (front->request_count >= front->limits.requests_max) {
        return false;
    }
    request->is_counted = true;
    front->counters->streams_open = ++front->request_count;
    return true;
}

void csn_request_set_head(struct csn_request *request, uint32_t version)
{
    struct csn_exchange *exchange = &request->exchange;
    const struct csn_http1_head *head = &request->head;
    exchange->method = head->method;
    exchange->version = version;
    exchange->is_tls = request->conn->tls != NULL;
    exchange->path = exchange->query = head->target;
    const char *mark = memchr(head->target.bytes, '?', head->target.size);
    exchange->query.size = 0;
    if (mark != NULL) {
        exchange->path.size = (size_t)(mark - head->target.bytes);
        exchange->query.bytes = mark + 1;
        exchange->query.size = head->target.size - exchange->path.size - 1;
    }
    exchange->host = head->host;
    exchange->fields = head->fields;
    exchange->field_count = head->field_count;
    exchange->begin_ns = request->conn->front->now_ns;
    memcpy(exchange->client, request->conn->address, sizeof exchange->client);
}

void csn_request_set_deadline(struct csn_request *request, uint64_t delay_ns)
{
    struct csn_front *front = request->conn->front;
    csn_wheel_set(&front->wheel, &request->timer, front->now_ns + delay_ns);
}

size_t csn_request_begin(struct csn_request *request)
{
    struct csn_listener *listener = request->conn->listener;
    request->is_open = true;
    return listener->service->begin(listener->state, &request->exchange);
}

void csn_request_serve(struct csn_request *request)
{
    struct csn_listener *listener = request->conn->listener;
    request->is_request_whole = true;
    csn_wheel_cancel(&request->conn->front->wheel, &request->timer);
    listener->service->request(listener->state, &request->exchange);
    request->exchange.body = NULL; /* what it pointed to lives no longer */
    request->exchange.fields = NULL;
    request->exchange.field_count = 0;
    csn_buffer_drop(&request->text);
    csn_buffer_drop(&request->body);
    if (!request->is_begun) {
        csn_request_set_deadline(request, request->conn->front->limits.request_ns);
    }
}

void csn_request_tell_gone(struct csn_request *request, uint32_t status)
{
    if (request->is_open) {
        struct csn_listener *listener = request->conn->listener;
        request->is_open = false;
        request->exchange.status = status;
        listener->service->gone(listener->state, &request->exchange);
    }
}

void csn_request_tell_done(struct csn_request *request)
{
    if (request->is_open) {
        struct csn_listener *listener = request->conn->listener;
        request->is_open = false;
        listener->service->done(listener->state, &request->exchange);
    }
}

void csn_request_refuse(struct csn_request *request, uint32_t status, const char *detail)
{
    csn_request_tell_gone(request, status);
    csn_buffer_drop(&request->body);
    request->is_body_dropped = !request->is_request_whole;
    csn_exchange_problem(&request->exchange, status, NULL, NULL, detail);
}

static void on_deadline(void *state)
{
    struct csn_request *request = state;
    struct csn_view_front *counters = request->conn->front->counters;
    if (csn_buffer_size(&request->output) != 0 && csn_http2_is_moving(request)) {
        csn_http2_watch_output(request);
        return;
    }
    request->is_ours = true;
    if (!request->is_counted) { /* HTTP/2: its head did not come to an end */
        counters->slow_closed++;
        csn_conn_fail(request->conn);
    } else if (request->is_sent) {
        csn_exchange_break(&request->exchange);
    } else if (request->is_begun) {
        *(request->is_final || csn_buffer_size(&request->output) != 0 ? &counters->slow_closed
                                                                      : &counters->deadlines) += 1;
        csn_request_tell_gone(request, request->exchange.status);
        csn_exchange_break(&request->exchange);
    } else if (request->is_request_whole) {
        counters->deadlines++;
        csn_request_refuse(request, 504, "no answer in time");
    } else {
        counters->slow_closed++;
        csn_request_refuse(request, 408, "the body took too long");
    }
}
