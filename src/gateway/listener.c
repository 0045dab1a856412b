/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c: listening sockets, and what they accept. */
#include "listener.h"
#include "tls_context.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCEPTS_MAX 64u /* in an iteration */
#define BACKLOG     4096
#define UNSENT_MAX  262144
#define PAUSE_NS    UINT64_C(100000000) /* when the process is out of descriptors */

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_storage storage;
};

csn_err csn_front_system_error(struct csn_detail *detail, const char *call, const char *about)
{
    if (detail != NULL) {
        snprintf(detail->text, sizeof detail->text, "%s(%s): %s", call, about, strerror(errno));
    }
    return CSN_ERR_SYSTEM;
}

static bool parse(const struct csn_front_listener *options, union address *address, socklen_t *size,
                  bool *is_loopback)
{
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, options->address, &address->four.sin_addr) == 1) {
        address->four.sin_family = AF_INET;
        address->four.sin_port = htons(options->port);
        *size = sizeof address->four;
        *is_loopback = (ntohl(address->four.sin_addr.s_addr) >> 24) == 127;
        return true;
    }
    if (inet_pton(AF_INET6, options->address, &address->six.sin6_addr) == 1) {
        address->six.sin6_family = AF_INET6;
        address->six.sin6_port = htons(options->port);
        *size = sizeof address->six;
        *is_loopback = IN6_IS_ADDR_LOOPBACK(&address->six.sin6_addr);
        return true;
    }
    return false;
}

static csn_err refuse(struct csn_detail *detail, const char *address, const char *why)
{
    if (detail != NULL) {
        snprintf(detail->text, sizeof detail->text, "%s: %s", address, why);
    }
    return CSN_ERR_ARGUMENT;
}

static csn_err open_socket(struct csn_listener *listener, const union address *address,
                           socklen_t size, struct csn_detail *detail, const char *name)
{
    int on = 1;
    listener->fd =
        socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (listener->fd < 0) {
        return csn_front_system_error(detail, "socket", name);
    }
    (void)setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* What a slow client does not take waits here, where it is counted, and not in the kernel. */
    int unsent = UNSENT_MAX;
    (void)setsockopt(listener->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    if (address->any.sa_family == AF_INET6) { /* one listener, one address */
        (void)setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    char place[64];
    in_port_t port =
        address->any.sa_family == AF_INET ? address->four.sin_port : address->six.sin6_port;
    snprintf(place, sizeof place, "%.45s port %u", name, ntohs(port));
    if (bind(listener->fd, &address->any, size) != 0) {
        return csn_front_system_error(detail, "bind", place);
    }
    if (listen(listener->fd, BACKLOG) != 0) {
        return csn_front_system_error(detail, "listen", place);
    }
    union address bound = {.storage = {0}};
    socklen_t bound_size = sizeof bound;
    if (getsockname(listener->fd, &bound.any, &bound_size) != 0) {
        return csn_front_system_error(detail, "getsockname", name);
    }
    listener->port =
        ntohs(bound.any.sa_family == AF_INET ? bound.four.sin_port : bound.six.sin6_port);
    return CSN_OK;
}

static csn_err open_tls(struct csn_listener *listener, const struct csn_front_listener *options,
                        struct csn_detail *detail)
{
    if (options->key == NULL) {
        return refuse(detail, options->address, "a certificate needs a key");
    }
    listener->certificate = strdup(options->certificate);
    listener->key = strdup(options->key);
    if (listener->certificate == NULL || listener->key == NULL) {
        return CSN_ERR_MEMORY;
    }
    return csn_tls_context_create(listener->certificate, listener->key, &listener->tls, detail);
}

csn_err csn_listener_open(struct csn_listener *listener, const struct csn_front_listener *options,
                          struct csn_detail *detail)
{
    union address address;
    socklen_t size = 0;
    bool is_loopback = false;
    listener->fd = -1;
    listener->service = options->service;
    listener->outlives_drain = options->outlives_drain;
    listener->state = options->state;
    if (options->address == NULL || !parse(options, &address, &size, &is_loopback)) {
        return refuse(detail, options->address != NULL ? options->address : "listener",
                      "no numeric address");
    }
    if (options->certificate != NULL) {
        CSN_TRY(open_tls(listener, options, detail));
    } else if (!is_loopback && !options->allow_cleartext) {
        return refuse(detail, options->address, "cleartext beyond loopback has to be allowed");
    }
    return open_socket(listener, &address, size, detail, options->address);
}

void csn_listener_close(struct csn_front *front, struct csn_listener *listener)
{
    if (listener->fd >= 0) {
        csn_front_forget(front, listener->fd);
        close(listener->fd);
        listener->fd = -1;
    }
}

csn_err csn_listener_accept_all(struct csn_front *front, bool accepts)
{
    for (uint32_t i = 0; i < front->listener_count; i++) {
        struct csn_listener *listener = &front->listeners[i];
        struct epoll_event event = {.events = EPOLLIN,
                                    .data.u64 = (uint64_t)(uintptr_t)listener | CSN_FRONT_LISTENER};
        if (listener->fd >= 0 && accepts != front->is_accepting &&
            epoll_ctl(front->epoll_fd, accepts ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener->fd,
                      &event) != 0) {
            return CSN_ERR_SYSTEM;
        }
    }
    front->is_accepting = accepts;
    return CSN_OK;
}

void csn_listener_ready(struct csn_listener *listener)
{
    struct csn_front *front = listener->front;
    for (uint32_t i = 0; i < ACCEPTS_MAX && listener->fd >= 0; i++) {
        union address address = {.storage = {0}};
        socklen_t size = sizeof address;
        int fd = accept4(listener->fd, &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            int on = 1;
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            (void)csn_conn_open(listener, fd, &address.any);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            (void)csn_listener_accept_all(front, false);
            csn_wheel_set(&front->wheel, &front->accept_timer, front->now_ns + PAUSE_NS);
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } /* else: that one connection failed */
    }
}
