/* SPDX-License-Identifier: Apache-2.0 */
/* plain_echo.c: see plain_echo.h. */
#define _GNU_SOURCE
#include "plain_echo.h"
#include "measure.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024u
#define EVENTS_MAX      64
#define ROOM            8192u

struct connection {
    size_t size; /* bytes of a request so far */
    char bytes[ROOM];
};

void plain_echo_listen(struct plain_echo *echo)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    echo->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bench_require(echo->fd >= 0 && bind(echo->fd, (struct sockaddr *)&address, size) == 0 &&
                      listen(echo->fd, SOMAXCONN) == 0 &&
                      getsockname(echo->fd, (struct sockaddr *)&address, &size) == 0,
                  "no port for the echo server");
    echo->port = ntohs(address.sin_port);
}

/* Answers the request if it is whole. False: this is none that it knows. */
static bool answer(int fd, struct connection *connection)
{
    static char out[ROOM + 256];
    connection->bytes[connection->size] = 0;
    const char *end = strstr(connection->bytes, "\r\n\r\n");
    const char *length = strcasestr(connection->bytes, "\r\nContent-Length:");
    if (end == NULL) {
        return connection->size < ROOM - 1;
    }
    size_t head_size = (size_t)(end + 4 - connection->bytes);
    size_t body_size = length == NULL || length > end ? 0 : strtoul(length + 17, NULL, 10);
    if (body_size > ROOM - 1 - head_size) {
        return false;
    }
    if (connection->size < head_size + body_size) {
        return true;
    }
    int size = snprintf(out, 256,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        body_size);
    memcpy(out + size, connection->bytes + head_size, body_size);
    connection->size = 0; /* nginx asks one thing at a time */
    size_t all = (size_t)size + body_size;
    return send(fd, out, all, MSG_NOSIGNAL) == (ssize_t)all;
}

static bool receive(int fd, struct connection *connection)
{
    ssize_t got = recv(fd, connection->bytes + connection->size, ROOM - 1 - connection->size, 0);
    if (got <= 0) {
        return false;
    }
    connection->size += (size_t)got;
    return answer(fd, connection);
}

static void take_new(const struct plain_echo *echo, int events, struct connection *connections)
{
    int fd;
    const int one = 1;
    while ((fd = accept4(echo->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (fd >= (int)CONNECTIONS_MAX ||
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
            epoll_ctl(events, EPOLL_CTL_ADD, fd, &event) != 0) {
            close(fd);
            continue;
        }
        connections[fd].size = 0;
    }
}

void plain_echo_serve(void *state)
{
    static struct connection connections[CONNECTIONS_MAX];
    const struct plain_echo *echo = state;
    struct epoll_event list[EVENTS_MAX];
    struct epoll_event event = {.events = EPOLLIN, .data.fd = echo->fd};
    int events = epoll_create1(EPOLL_CLOEXEC);
    bench_require(events >= 0 && epoll_ctl(events, EPOLL_CTL_ADD, echo->fd, &event) == 0, "epoll");
    for (;;) {
        int count = epoll_wait(events, list, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            int fd = list[i].data.fd;
            if (fd == echo->fd) {
                take_new(echo, events, connections);
            } else if (!receive(fd, &connections[fd])) {
                close(fd);
            }
        }
    }
}
