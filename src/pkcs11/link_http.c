/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_http.c: HTTP/1.1 with a gateway over TCP or a socket of this machine, one exchange at a time
 * on a connection that is kept.
 *
 * What goes over it is sealed and what comes is checked by call.h, so that this needs no TLS; a
 * gateway on another machine is reached through one that is near (docs/PKCS11.md).
 */
#include "lane.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX  16384u
#define FIELD_MAX 256u

struct p11_http {
    char place[P11_PATH_MAX]; /* HOST:PORT, or a path */
    char host[P11_PATH_MAX];
    const char *port; /* in host; NULL: place is a path */
    uint32_t timeout_ms;
    int fd;           /* -1: not connected */
    bool was_used;    /* the connection has served before */
    int64_t until_ms; /* of the exchange under way */
    const char *fault;
    uint8_t *bytes; /* what came */
    size_t size, room;
    char content_type[FIELD_MAX], worker[FIELD_MAX], retry_after[FIELD_MAX];
};

struct p11_http *p11_http_create(const struct p11_settings *settings)
{
    bool is_path = strncmp(settings->gateway, "unix:", 5) == 0;
    const char *place = settings->gateway + (is_path ? 5 : 7);
    struct p11_http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        return NULL;
    }
    http->fd = -1;
    http->timeout_ms = settings->timeout_ms;
    snprintf(http->place, sizeof http->place, "%s", place);
    if (!is_path) {
        http->place[strcspn(http->place, "/")] = 0;
        memcpy(http->host, http->place, sizeof http->host);
        char *colon = strrchr(http->host, ':');
        http->port = "80";
        if (colon != NULL && strchr(colon, ']') == NULL) {
            *colon = 0;
            http->port = colon + 1;
        }
        if (http->host[0] == '[') { /* an IPv6 address */
            memmove(http->host, http->host + 1, strlen(http->host));
            http->host[strcspn(http->host, "]")] = 0;
        }
    }
    return http;
}

static void hang_up(struct p11_http *http)
{
    if (http->fd >= 0) {
        close(http->fd);
    }
    http->fd = -1;
    http->was_used = false;
}

void p11_http_destroy(struct p11_http *http)
{
    if (http != NULL) {
        hang_up(http);
        free(http->bytes);
        free(http);
    }
}

/* ---- connecting ---- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* True once the socket is ready; false: time is up. */
static bool wait_for(const struct p11_http *http, short events)
{
    struct pollfd polled = {.fd = http->fd, .events = events};
    int left;
    do {
        int64_t until = http->until_ms - now_ms();
        left = until > 0 ? poll(&polled, 1, (int)until) : 0;
    } while (left < 0 && errno == EINTR);
    return left > 0;
}

static bool dial(struct p11_http *http, int family, const void *address, socklen_t size)
{
    int error = 0;
    socklen_t error_size = sizeof error;
    http->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (http->fd < 0) {
        return false;
    }
    if (connect(http->fd, address, size) == 0 ||
        (errno == EINPROGRESS && wait_for(http, POLLOUT) &&
         getsockopt(http->fd, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0 && error == 0)) {
        return true;
    }
    hang_up(http);
    return false;
}

static bool connect_path(struct p11_http *http)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(http->place);
    if (length >= sizeof address.sun_path) {
        return false;
    }
    memcpy(address.sun_path, http->place, length);
    return dial(http, AF_UNIX, &address, sizeof address);
}

static bool connect_host(struct p11_http *http)
{
    static const int on = 1;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct addrinfo *found = NULL;
    bool good = false;
    if (getaddrinfo(http->host, http->port, &hints, &found) != 0) {
        http->fault = "the gateway's name is not known";
        return false;
    }
    for (const struct addrinfo *at = found; at != NULL && !good; at = at->ai_next) {
        good = dial(http, at->ai_family, at->ai_addr, at->ai_addrlen);
    }
    freeaddrinfo(found);
    if (good) {
        setsockopt(http->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return good;
}

/* ---- there ---- */

static bool send_all(struct p11_http *http, const void *bytes, size_t size, int more)
{
    const uint8_t *at = bytes;
    while (size != 0) {
        ssize_t put = send(http->fd, at, size, MSG_NOSIGNAL | more);
        if (put < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (!wait_for(http, POLLOUT)) {
                return false;
            }
            continue;
        }
        if (put <= 0) {
            return false;
        }
        at += put;
        size -= (size_t)put;
    }
    return true;
}

static bool send_request(struct p11_http *http, const struct csv_fetch *fetch)
{
    char head[2048];
    int size = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s\r\n", fetch->method,
                        fetch->path, http->port != NULL ? http->place : "localhost");
    for (uint32_t i = 0; i < fetch->field_count && size < (int)sizeof head; i++) {
        size += snprintf(head + size, sizeof head - (size_t)size, "%s: %s\r\n",
                         fetch->fields[i].name, fetch->fields[i].value);
    }
    if (fetch->body != NULL && size < (int)sizeof head) {
        size += snprintf(head + size, sizeof head - (size_t)size, "Content-Length: %zu\r\n",
                         fetch->body_size);
    }
    if (size + 2 >= (int)sizeof head) {
        return false;
    }
    memcpy(head + size, "\r\n", 3);
    bool has_body = fetch->body != NULL && fetch->body_size != 0;
    return send_all(http, head, (size_t)size + 2, has_body ? MSG_MORE : 0) &&
           (!has_body || send_all(http, fetch->body, fetch->body_size, 0));
}

/* ---- back ---- */

/* More bytes behind those that are there; false: the end, or time is up. */
static bool read_more(struct p11_http *http, size_t size_max)
{
    if (http->size >= size_max) {
        return false;
    }
    if (http->room - http->size < 4096) {
        size_t room = 2 * http->room + 16384;
        uint8_t *more = realloc(http->bytes, room);
        if (more == NULL) {
            return false;
        }
        http->bytes = more;
        http->room = room;
    }
    for (;;) {
        ssize_t got = recv(http->fd, http->bytes + http->size, http->room - http->size - 1, 0);
        if (got > 0) {
            http->size += (size_t)got;
            http->bytes[http->size] = 0;
            return true;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR) || !wait_for(http, POLLIN)) {
            return false;
        }
    }
}

/* The value of a field of a terminated head, or NULL; copied to value. */
static const char *field(const char *head, const char *name, char value[FIELD_MAX])
{
    size_t size = strlen(name);
    for (const char *line = strchr(head, '\n'); line != NULL; line = strchr(line + 1, '\n')) {
        if (strncasecmp(line + 1, name, size) == 0 && line[1 + size] == ':') {
            const char *begin = line + 2 + size + strspn(line + 2 + size, " \t");
            size_t length = strcspn(begin, "\r\n");
            if (length >= FIELD_MAX) {
                return NULL;
            }
            memcpy(value, begin, length);
            value[length] = 0;
            return value;
        }
    }
    return NULL;
}

/* Chunks to one body, in place, as they come. *end: behind the last one. */
static bool read_chunks(struct p11_http *http, size_t begin, size_t size_max, size_t *end)
{
    size_t at = begin;
    for (;;) {
        char *line_end;
        while ((line_end = memchr(http->bytes + at, '\n', http->size - at)) == NULL) {
            if (!read_more(http, size_max)) {
                return false;
            }
        }
        size_t data = (size_t)((uint8_t *)line_end - http->bytes) + 1;
        char *digits_end = NULL;
        unsigned long long size = strtoull((const char *)http->bytes + at, &digits_end, 16);
        if (digits_end == (const char *)http->bytes + at || size > size_max) {
            return false;
        }
        while (http->size - data < size + 2) {
            if (!read_more(http, size_max + HEAD_MAX)) {
                return false;
            }
        }
        memmove(http->bytes + *end, http->bytes + data, size);
        *end += size;
        at = data + size + 2;
        if (size == 0) {
            return at == http->size; /* no trailers; nothing behind */
        }
    }
}

/* The body, and whether the connection can be used again. */
static bool read_body(struct p11_http *http, const char *head, size_t begin, size_t size_max,
                      struct csv_fetched *fetched)
{
    char value[FIELD_MAX];
    size_t end = begin;
    size_t limit = begin + size_max + 1;
    if (field(head, "transfer-encoding", value) != NULL) {
        if (strcasecmp(value, "chunked") != 0 || !read_chunks(http, begin, limit, &end) ||
            end - begin > size_max) {
            return false;
        }
    } else if (field(head, "content-length", value) != NULL) {
        unsigned long long size = strtoull(value, NULL, 10);
        if (size > size_max) {
            return false;
        }
        end = begin + (size_t)size;
        while (http->size < end) {
            if (!read_more(http, limit)) {
                return false;
            }
        }
        if (http->size != end) {
            return false; /* more than was announced */
        }
    } else {
        return false;
    }
    fetched->body = http->bytes + begin;
    fetched->body_size = end - begin;
    return true;
}

static bool read_answer(struct p11_http *http, const struct csv_fetch *fetch,
                        struct csv_fetched *fetched)
{
    char value[FIELD_MAX];
    char head[HEAD_MAX + 1];
    const char *end = NULL;
    while (end == NULL) {
        if (!read_more(http, HEAD_MAX + 65536)) {
            http->fault = http->size == 0 ? "the gateway does not answer" : "the answer is cut off";
            return false;
        }
        end = memmem(http->bytes, http->size, "\r\n\r\n", 4);
        if (end == NULL && http->size > HEAD_MAX) {
            return false;
        }
    }
    size_t size = (size_t)((const uint8_t *)end - http->bytes);
    if (size > HEAD_MAX || size < 12 || memcmp(http->bytes, "HTTP/1.1 ", 9) != 0) {
        return false;
    }
    memcpy(head, http->bytes, size);
    head[size] = 0;
    fetched->status = (uint32_t)strtoul(head + 9, NULL, 10);
    fetched->content_type = field(head, "content-type", http->content_type);
    fetched->worker = field(head, "caisson-worker", http->worker);
    fetched->retry_after = field(head, "retry-after", http->retry_after);
    if (!read_body(http, head, size + 4, fetch->answer_size_max, fetched)) {
        return false;
    }
    if (field(head, "connection", value) != NULL && strcasecmp(value, "close") == 0) {
        hang_up(http);
    }
    return true;
}

/* ---- both ---- */

static bool once(struct p11_http *http, const struct csv_fetch *fetch, struct csv_fetched *fetched)
{
    http->size = 0;
    http->fault = "the gateway cannot be reached";
    if (http->fd < 0 && !(http->port == NULL ? connect_path(http) : connect_host(http))) {
        return false;
    }
    http->fault = "the gateway's answer is not understood";
    return send_request(http, fetch) && read_answer(http, fetch, fetched);
}

void p11_http_fetch(struct p11_http *http, const struct csv_fetch *fetch,
                    struct csv_fetched *fetched)
{
    bool was_used = http->was_used;
    http->until_ms = now_ms() + http->timeout_ms;
    *fetched = (struct csv_fetched){.id = fetch->id};
    bool good = once(http, fetch, fetched);
    if (!good) {
        hang_up(http);
        /* A kept connection that the gateway had closed already: the same bytes once more. */
        if (was_used && http->size == 0 && now_ms() < http->until_ms) {
            *fetched = (struct csv_fetched){.id = fetch->id};
            good = once(http, fetch, fetched);
        }
    }
    if (!good) {
        hang_up(http);
        *fetched = (struct csv_fetched){.id = fetch->id, .fault = http->fault};
    }
    http->was_used = http->fd >= 0;
}
