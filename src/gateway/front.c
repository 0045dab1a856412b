/* SPDX-License-Identifier: Apache-2.0 */
/* front.c: the front as a whole: create, destroy, and its small questions. */
#include "front.h"
#include "listener.h"
#include "tls_context.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS_KEPT 128u /* for what is no connection */

static void accept_again(void *state)
{
    (void)csn_listener_accept_all(state, true);
}

/* As many connections as there can be descriptors: the soft limit rises to the hard one. */
static void fit_descriptors(struct csn_front_limits *limits)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    uint64_t wanted = (uint64_t)limits->connections_max + DESCRIPTORS_KEPT;
    if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            limit.rlim_cur = before;
        }
    }
    if (limit.rlim_cur < wanted) {
        limits->connections_max = limit.rlim_cur > 2 * DESCRIPTORS_KEPT
                                      ? (uint32_t)(limit.rlim_cur - DESCRIPTORS_KEPT)
                                      : DESCRIPTORS_KEPT;
    }
}

static uint64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* To those that keep a copy. */
static void spread_limits(struct csn_front *front)
{
    front->memory.max = front->limits.memory_max;
    front->clients.connections_max = front->limits.connections_client_max;
    front->clients.memory_max = front->limits.memory_client_max;
}

static csn_err set_up(struct csn_front *front, const struct csn_front_options *options,
                      struct csn_detail *detail)
{
    front->limits = options->limits;
    csn_front_limits_complete(&front->limits);
    fit_descriptors(&front->limits);
    front->counters = options->counters != NULL ? options->counters : &front->own_counters;
    front->now_ns = clock_now();
    csn_wheel_init(&front->wheel, front->now_ns);
    front->accept_timer = (struct csn_timer){.fire = accept_again, .state = front};
    front->to_settle_end = &front->to_settle;
    spread_limits(front);
    front->clients.memory = &front->memory;
    if (getrandom(&front->clients.seed, sizeof front->clients.seed, 0) !=
        (ssize_t)sizeof front->clients.seed) {
        return csn_front_system_error(detail, "getrandom", "seed");
    }
    front->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (front->epoll_fd < 0) {
        return csn_front_system_error(detail, "epoll_create1", "");
    }
    CSN_TRY(csn_http2_prepare(front));
    for (uint32_t i = 0; i < options->listener_count; i++) {
        struct csn_listener *listener = &front->listeners[i];
        listener->front = front;
        listener->fd = -1;
        front->listener_count++;
        CSN_TRY(csn_listener_open(listener, &options->listeners[i], detail));
    }
    if (csn_listener_accept_all(front, true) != CSN_OK) {
        return csn_front_system_error(detail, "epoll_ctl", "listener");
    }
    return CSN_OK;
}

csn_err csn_front_create(const struct csn_front_options *options, struct csn_front **front,
                         struct csn_detail *detail)
{
    if (detail != NULL) {
        detail->text[0] = '\0';
    }
    if (options->listener_count == 0 || options->listener_count > CSN_FRONT_LISTENERS_MAX) {
        return CSN_ERR_ARGUMENT;
    }
    struct csn_front *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return CSN_ERR_MEMORY;
    }
    made->epoll_fd = -1;
    (void)signal(SIGPIPE, SIG_IGN); /* a client that has gone is told by errno */
    csn_err result = set_up(made, options, detail);
    if (result != CSN_OK) {
        csn_front_destroy(made);
        return result;
    }
    *front = made;
    return CSN_OK;
}

void csn_front_destroy(struct csn_front *front)
{
    if (front == NULL) {
        return;
    }
    while (front->conns != NULL) {
        csn_conn_close(front->conns);
    }
    for (struct csn_conn *conn = front->to_settle; conn != NULL; conn = conn->settle_next) {
        conn->is_scheduled = false;
    }
    csn_conn_free_dead(front);
    csn_request_free_spare(front);
    csn_account_end(&front->memory);
    for (uint32_t i = 0; i < front->listener_count; i++) {
        struct csn_listener *listener = &front->listeners[i];
        csn_listener_close(front, listener);
        SSL_CTX_free(listener->tls);
        free(listener->certificate);
        free(listener->key);
    }
    csn_http2_unprepare(front);
    if (front->epoll_fd >= 0) {
        close(front->epoll_fd);
    }
    free(front);
}

uint16_t csn_front_port(const struct csn_front *front, uint32_t listener)
{
    return listener < front->listener_count ? front->listeners[listener].port : 0;
}

const struct csn_front_limits *csn_front_limits_of(const struct csn_front *front)
{
    return &front->limits;
}

void csn_front_set_limits(struct csn_front *front, const struct csn_front_limits *limits)
{
    uint32_t connections_max = front->limits.connections_max;
    front->limits = *limits;
    csn_front_limits_complete(&front->limits);
    front->limits.connections_max = connections_max;
    spread_limits(front);
}

uint64_t csn_front_now(const struct csn_front *front)
{
    return front->now_ns;
}

csn_err csn_front_adopt(struct csn_front *front, uint32_t listener, int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    int flags = fcntl(fd, F_GETFL);
    if (listener >= front->listener_count || flags < 0 ||
        fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        getpeername(fd, (struct sockaddr *)&address, &size) != 0) {
        close(fd);
        return CSN_ERR_ARGUMENT;
    }
    return csn_conn_open(&front->listeners[listener], fd, (struct sockaddr *)&address);
}

csn_err csn_front_reload(struct csn_front *front, struct csn_detail *detail)
{
    SSL_CTX *contexts[CSN_FRONT_LISTENERS_MAX] = {NULL};
    csn_err result = CSN_OK;
    for (uint32_t i = 0; i < front->listener_count && result == CSN_OK; i++) {
        const struct csn_listener *listener = &front->listeners[i];
        if (listener->tls != NULL) {
            result =
                csn_tls_context_create(listener->certificate, listener->key, &contexts[i], detail);
        }
    }
    for (uint32_t i = 0; i < front->listener_count; i++) {
        struct csn_listener *listener = &front->listeners[i];
        if (result == CSN_OK && contexts[i] != NULL) {
            SSL_CTX *before = listener->tls;
            listener->tls = contexts[i];
            contexts[i] = before; /* connections hold it as long as they need it */
        }
        SSL_CTX_free(contexts[i]);
    }
    return result;
}
