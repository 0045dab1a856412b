/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front.c: strangers' bytes on a connection of the gateway's front, in HTTP/1.1 or HTTP/2 as they
 * say themselves, with services that answer at once, later, in pieces, or break off.
 *
 * First byte: into how many pieces the bytes are cut. Oracle: each request that began has one end,
 * done or gone, and when the connection has ended nothing of it is left: no request, no memory.
 */
#include "check.h"
#include <errno.h>
#include <gateway/connection.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELD_MAX  64u
#define INPUT_MAX 65536u

static struct csn_front *front;
static struct csn_view_front counters;
static uint32_t begun, ended;
static struct csn_exchange *held[HELD_MAX];
static uint32_t held_count;

static const struct csn_answer_head plain = {.status = 200, .content_type = "text/plain"};

static size_t on_begin(void *state, struct csn_exchange *exchange)
{
    (void)state;
    begun++;
    CHECK(exchange->path.size != 0 && exchange->path.bytes[0] == '/');
    if (exchange->path.size > 1 && exchange->path.bytes[1] == 'r') {
        csn_exchange_problem(exchange, 403, NULL, NULL, NULL);
        return SIZE_MAX;
    }
    return 4096;
}

static void on_request(void *state, struct csn_exchange *exchange)
{
    (void)state;
    CHECK(exchange->body_size <= 4096);
    uint32_t sum = 0; /* every text is there */
    for (uint32_t i = 0; i < exchange->field_count; i++) {
        const struct csn_http1_field *field = &exchange->fields[i];
        for (size_t k = 0; k < field->name.size; k++) {
            sum += (uint8_t)field->name.bytes[k];
        }
        for (size_t k = 0; k < field->value.size; k++) {
            sum += (uint8_t)field->value.bytes[k];
        }
    }
    for (size_t i = 0; i < exchange->body_size; i++) {
        sum += exchange->body[i];
    }
    switch (exchange->path.size > 1 ? exchange->path.bytes[1] : (char)(sum & 1)) {
    case 'h':
        if (held_count < HELD_MAX) {
            held[held_count++] = exchange;
            return;
        }
        break;
    case 'p':
        csn_exchange_begin(exchange, &plain);
        csn_exchange_piece(exchange, exchange->body, exchange->body_size, false);
        csn_exchange_piece(exchange, "end", 3, true);
        return;
    case 'b':
        csn_exchange_begin(exchange, &plain);
        csn_exchange_piece(exchange, "part", 4, false);
        csn_exchange_break(exchange);
        return;
    default:
        break;
    }
    csn_exchange_answer(exchange, &plain, exchange->body, exchange->body_size);
}

static void on_gone(void *state, struct csn_exchange *exchange)
{
    (void)state;
    ended++;
    for (uint32_t i = 0; i < held_count; i++) {
        held[i] = held[i] == exchange ? NULL : held[i];
    }
}

static void on_done(void *state, const struct csn_exchange *exchange)
{
    (void)state;
    ended++;
    CHECK(exchange->status >= 200 && exchange->status <= 599);
}

static const struct csn_service service = {on_begin, on_request, on_gone, on_done};

static void start(void)
{
    const struct csn_front_listener listener = {.address = "127.0.0.1", .service = &service};
    const struct csn_front_options options = {
        .listeners = &listener, .listener_count = 1, .counters = &counters};
    CHECK(csn_front_create(&options, &front, NULL) == CSN_OK);
}

/* What the front says must be HTTP, if it is HTTP/1.1 at all. */
static void listen_to(int fd, bool is_http2)
{
    static char bytes[1 << 18];
    ssize_t got;
    while ((got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        CHECK(is_http2 || got < 9 || memcmp(bytes, "HTTP/1.1 ", 9) == 0 || bytes[0] != 'H');
    }
}

static void answer_held(void)
{
    for (uint32_t i = 0; i < held_count; i++) {
        if (held[i] != NULL) {
            struct csn_exchange *exchange = held[i];
            held[i] = NULL;
            csn_exchange_answer(exchange, &plain, "late", 4);
        }
    }
    held_count = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX) {
        return 0;
    }
    if (front == NULL) {
        start();
    }
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    begun = ended = held_count = 0;
    CHECK(csn_front_adopt(front, 0, pair[0]) == CSN_OK);
    bool is_http2 = size > 4 && memcmp(data + 1, "PRI", 3) == 0;
    size_t piece = data[0] < 128 ? size : (size - 1) / (1u + data[0] % 16) + 1;
    for (size_t at = 1; at < size; at += piece) {
        size_t count = size - at < piece ? size - at : piece;
        (void)send(pair[1], data + at, count, MSG_NOSIGNAL | MSG_DONTWAIT);
        csn_front_run_once(front, 0);
        listen_to(pair[1], is_http2);
    }
    csn_front_run_once(front, 0);
    if (data[0] % 2 == 0) {
        answer_held();
        csn_front_run_once(front, 0);
        csn_front_run_once(front, 0);
        listen_to(pair[1], is_http2);
    }
    close(pair[1]);
    for (uint32_t i = 0; i < 8 && counters.connections_open != 0; i++) {
        csn_front_run_once(front, 0);
        answer_held();
    }
    CHECK(counters.connections_open == 0 && counters.streams_open == 0);
    CHECK(begun == ended);
    CHECK(front->memory.used == 0);
    return 0;
}
