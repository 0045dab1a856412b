/* SPDX-License-Identifier: Apache-2.0 */
/* front_rig.c: the front, its service and its clients, turned by one hand. */
#include "front_rig.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

static bool is(struct csn_http1_text text, const char *string)
{
    return text.size == strlen(string) && memcmp(text.bytes, string, text.size) == 0;
}

static void copy_text(char *target, size_t room, struct csn_http1_text text)
{
    snprintf(target, room, "%.*s", (int)text.size, text.size != 0 ? text.bytes : "");
}

static size_t on_begin(void *state, struct csn_exchange *exchange)
{
    struct rig *rig = state;
    rig->begun++;
    if (is(exchange->path, "/hidden")) {
        rig->hidden++;
    }
    if (is(exchange->path, "/refused")) {
        csn_exchange_problem(exchange, 403, NULL, NULL, NULL);
        return SIZE_MAX;
    }
    return rig->body_max;
}

static void note_head(struct rig *rig, const struct csn_exchange *exchange)
{
    copy_text(rig->path, sizeof rig->path, exchange->path);
    copy_text(rig->query, sizeof rig->query, exchange->query);
    copy_text(rig->host, sizeof rig->host, exchange->host);
    size_t at = 0;
    rig->fields[0] = '\0';
    for (uint32_t i = 0; i < exchange->field_count && at < sizeof rig->fields; i++) {
        const struct csn_http1_field *field = &exchange->fields[i];
        at += (size_t)snprintf(rig->fields + at, sizeof rig->fields - at, "%.*s=%.*s;",
                               (int)field->name.size, field->name.bytes, (int)field->value.size,
                               field->value.bytes);
    }
}

static void on_request(void *state, struct csn_exchange *exchange)
{
    struct rig *rig = state;
    static char many[1 << 22];
    const struct csn_answer_head head = {.status = 200, .content_type = "text/plain"};
    note_head(rig, exchange);
    if (is(exchange->path, "/echo")) {
        csn_exchange_answer(exchange, &head, exchange->body, exchange->body_size);
    } else if (is(exchange->path, "/bytes")) {
        size_t size = strtoul(rig->query, NULL, 10);
        assert_true(size <= sizeof many);
        csn_exchange_answer(exchange, &head, many, size);
    } else if (is(exchange->path, "/hold")) {
        assert_true(rig->held_count < RIG_HELD_MAX);
        rig->held[rig->held_count++] = exchange;
        exchange->state = rig;
    } else {
        csn_exchange_problem(exchange, 404, NULL, NULL, NULL);
    }
}

static void on_gone(void *state, struct csn_exchange *exchange)
{
    struct rig *rig = state;
    rig->gone++;
    rig->gone_status = exchange->status;
    for (uint32_t i = 0; i < rig->held_count; i++) {
        if (rig->held[i] == exchange) {
            rig->held[i] = NULL;
        }
    }
}

static void on_done(void *state, const struct csn_exchange *exchange)
{
    struct rig *rig = state;
    rig->done++;
    rig->done_status = exchange->status;
    rig->done_size = exchange->answer_size;
}

static const struct csn_service service = {on_begin, on_request, on_gone, on_done};

void rig_start(struct rig *rig, const struct csn_front_limits *limits)
{
    *rig = (struct rig){.body_max = 65536};
    const struct csn_front_listener listeners[] = {
        {.address = "127.0.0.1", .service = &service, .state = rig},
        {.address = "127.0.0.1", .service = &service, .state = rig, .outlives_drain = true}};
    struct csn_front_options options = {
        .listeners = listeners, .listener_count = 2, .counters = &rig->counters};
    if (limits != NULL) {
        options.limits = *limits;
    }
    struct csn_detail detail;
    if (csn_front_create(&options, &rig->front, &detail) != CSN_OK) {
        fail_msg("front: %s", detail.text);
    }
}

void rig_stop(struct rig *rig)
{
    csn_front_destroy(rig->front);
    assert_int_equal(rig->begun, rig->done + rig->gone);
    assert_int_equal(rig->counters.connections_open, 0);
    assert_int_equal(rig->counters.streams_open, 0);
}

void rig_turn(struct rig *rig, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        csn_front_run_once(rig->front, 0);
    }
}

uint64_t rig_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

uint64_t rig_patience_ns(void)
{
    return UINT64_C(1000000000) * (getenv("CAISSON_SKIP_STATUS") != NULL ? 2 : 10);
}

bool rig_until(struct rig *rig, bool (*is_true)(void *state), void *state)
{
    uint64_t end = rig_clock_ns() + rig_patience_ns();
    while (!is_true(state)) {
        if (rig_clock_ns() > end) {
            return false;
        }
        csn_front_run_once(rig->front, 1000000);
    }
    return true;
}

struct equal {
    const uint32_t *counter;
    uint32_t value;
};

static bool is_equal(void *state)
{
    const struct equal *equal = state;
    return *equal->counter == equal->value;
}

bool rig_until_equal(struct rig *rig, const uint32_t *counter, uint32_t value)
{
    struct equal equal = {counter, value};
    return rig_until(rig, is_equal, &equal);
}

static bool is_count(void *state)
{
    const uint64_t *const *pair = state;
    return *pair[0] == *pair[1];
}

bool rig_until_count(struct rig *rig, const uint64_t *counter, uint64_t value)
{
    const uint64_t *pair[2] = {counter, &value};
    return rig_until(rig, is_count, pair);
}

struct csn_exchange *rig_hold(struct rig *rig, int fd)
{
    uint32_t before = rig->held_count;
    rig_say(rig, fd, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(rig_until_equal(rig, &rig->held_count, before + 1));
    return rig->held[before];
}

int rig_connect(struct rig *rig)
{
    return rig_connect_from(rig, "127.0.0.1");
}

int rig_connect_from(struct rig *rig, const char *from)
{
    return rig_connect_to(rig, 0, from);
}

int rig_connect_to(struct rig *rig, uint32_t listener, const char *from)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(csn_front_port(rig->front, listener))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_in own = {.sin_family = AF_INET};
    assert_int_equal(inet_pton(AF_INET, from, &own.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void rig_send(struct rig *rig, int fd, const void *bytes, size_t size)
{
    size_t at = 0;
    uint64_t end = rig_clock_ns() + rig_patience_ns();
    while (at < size && rig_clock_ns() <= end) {
        ssize_t sent = send(fd, (const char *)bytes + at, size - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) {
            break; /* the front has closed: what it said is still to be heard */
        }
        at += sent > 0 ? (size_t)sent : 0;
        csn_front_run_once(rig->front, 0);
    }
    rig_turn(rig, 2);
}

void rig_say(struct rig *rig, int fd, const char *text)
{
    rig_send(rig, fd, text, strlen(text));
}

/* ---- what a client hears ---- */

void heard_start(struct heard *heard, int fd)
{
    *heard = (struct heard){.fd = fd, .room = 4096};
    heard->bytes = malloc(heard->room);
    assert_non_null(heard->bytes);
}

void heard_stop(struct heard *heard)
{
    close(heard->fd);
    free(heard->bytes);
}

void heard_take(struct heard *heard)
{
    while (!heard->is_closed) {
        if (heard->size == heard->room) {
            heard->room *= 2;
            heard->bytes = realloc(heard->bytes, heard->room);
            assert_non_null(heard->bytes);
        }
        ssize_t got =
            recv(heard->fd, heard->bytes + heard->size, heard->room - heard->size, MSG_DONTWAIT);
        if (got <= 0) {
            heard->is_closed = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
            heard->is_reset = got < 0 && heard->is_closed;
            return;
        }
        heard->size += (size_t)got;
    }
}

/* The value of a field that the front writes; NULL: there is none. */
static const char *field_of(const char *head, const char *end, const char *name)
{
    const char *at = memmem(head, (size_t)(end - head), name, strlen(name));
    return at != NULL ? at + strlen(name) : NULL;
}

/* Where the answer at this place ends; NULL: it is not whole. */
static const char *parse_one(struct heard *heard, const char *at, const char *limit)
{
    const char *end = memmem(at, (size_t)(limit - at), "\r\n\r\n", 4);
    if (end == NULL || sscanf(at, "HTTP/1.1 %u ", &heard->status[heard->count]) != 1) {
        return NULL;
    }
    end += 4;
    heard->body[heard->count] = end;
    const char *length = field_of(at, end, "\r\nContent-Length: ");
    if (length != NULL) {
        size_t size = strtoul(length, NULL, 10);
        heard->body_size[heard->count] = size;
        return (size_t)(limit - end) >= size ? end + size : NULL;
    }
    if (field_of(at, end, "\r\nTransfer-Encoding: chunked\r\n") != NULL) {
        const char *last = memmem(end - 2, (size_t)(limit - end) + 2, "\r\n0\r\n\r\n", 7);
        heard->body_size[heard->count] = last != NULL ? (size_t)(last + 7 - end) : 0;
        return last != NULL ? last + 7 : NULL;
    }
    heard->body_size[heard->count] = 0;
    return end;
}

void heard_parse(struct heard *heard)
{
    const char *at = heard->bytes, *limit = heard->bytes + heard->size;
    heard->count = 0;
    while (at < limit && heard->count < 32) {
        const char *end = parse_one(heard, at, limit);
        if (end == NULL) {
            return;
        }
        heard->count++;
        at = end;
    }
}

struct hearing {
    struct heard *heard;
    uint32_t count;
    bool closed;
};

static bool is_heard(void *state)
{
    struct hearing *hearing = state;
    heard_take(hearing->heard);
    heard_parse(hearing->heard);
    return hearing->heard->count >= hearing->count &&
           (hearing->heard->is_closed || !hearing->closed);
}

bool rig_hear(struct rig *rig, struct heard *heard, uint32_t count, bool closed)
{
    struct hearing hearing = {heard, count, closed};
    bool is_there = rig_until(rig, is_heard, &hearing);
    rig_turn(rig, 3);
    heard_take(heard);
    heard_parse(heard);
    return is_there && heard->count == count && heard->is_closed == closed;
}
