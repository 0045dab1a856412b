/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.c: the proxy's life, and the one loop in which listener, gateway and signals meet. */
#include "proxy_state.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define DRAIN_S    30u
#define NS_PER_S   UINT64_C(1000000000)
#define NS_PER_MS  UINT64_C(1000000)
#define REQUEST_NS (120 * NS_PER_S) /* a verification may be before it */

/* ---- libcurl's sockets and time, in the front's loop ---- */

struct socket_watch {
    struct csn_front_watch watch; /* first: its state is this */
    struct csv_proxy *proxy;
};

static void socket_ready(void *state, uint32_t events)
{
    const struct socket_watch *mine = state;
    struct csv_proxy *proxy = mine->proxy;
    csv_upstream_ready(proxy->upstream, mine->watch.fd, events); /* may free mine */
    csv_proxy_finish(proxy);
}

static void want_socket(void *state, int fd, uint32_t events, void **kept)
{
    struct csv_proxy *proxy = state;
    struct socket_watch *mine = *kept;
    if (events == 0) {
        if (mine != NULL) {
            csn_front_unwatch(proxy->front, &mine->watch);
            free(mine);
            *kept = NULL;
        }
        return;
    }
    if (mine != NULL) {
        (void)!csn_front_rewatch(proxy->front, &mine->watch, events);
        return;
    }
    mine = calloc(1, sizeof *mine);
    if (mine == NULL) {
        return; /* the exchange then ends by its timeout */
    }
    mine->proxy = proxy;
    mine->watch = (struct csn_front_watch){.ready = socket_ready, .state = mine, .fd = fd};
    if (csn_front_watch(proxy->front, &mine->watch, events) != CSN_OK) {
        free(mine);
        return;
    }
    *kept = mine;
}

static void time_is_up(void *state)
{
    struct csv_proxy *proxy = state;
    csv_upstream_ready(proxy->upstream, -1, 0);
    csv_proxy_finish(proxy);
}

/* Now is now, which the front's timers are not: they come some milliseconds late. */
static bool is_busy(void *state)
{
    struct csv_proxy *proxy = state;
    if (proxy->is_due) {
        proxy->is_due = false;
        time_is_up(proxy);
    }
    return proxy->is_due;
}

static void want_time(void *state, long timeout_ms)
{
    struct csv_proxy *proxy = state;
    proxy->is_due = timeout_ms == 0;
    if (timeout_ms <= 0) {
        csn_front_cancel(proxy->front, &proxy->timer);
    } else {
        csn_front_after(proxy->front, &proxy->timer, (uint64_t)timeout_ms * NS_PER_MS);
    }
}

/* ---- life ---- */

static bool is_loopback(const char *address)
{
    struct in_addr four;
    struct in6_addr six;
    return (inet_pton(AF_INET, address, &four) == 1 && ntohl(four.s_addr) >> 24 == 127) ||
           (inet_pton(AF_INET6, address, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

static csn_err make_upstream(struct csv_proxy *proxy, struct csn_detail *detail)
{
    struct csv_upstream_options options = proxy->options.upstream;
    const char *what = "";
    options.hooks =
        (struct csv_upstream_hooks){.socket = want_socket, .timer = want_time, .state = proxy};
    csn_err err = csv_upstream_create(&options, &proxy->upstream, &what);
    if (err != CSN_OK) {
        (void)snprintf(detail->text, sizeof detail->text, "%s: %s", options.url,
                       what[0] != 0 ? what : csn_err_name(err));
    }
    return err;
}

static csn_err make_caller(struct csv_proxy *proxy, struct csn_detail *detail)
{
    struct csv_caller_options options = proxy->options.caller;
    if (options.authority == NULL) {
        options.authority = csv_upstream_authority(proxy->upstream);
    }
    csn_err err = csv_caller_create(&options, &proxy->caller);
    if (err != CSN_OK) {
        (void)snprintf(detail->text, sizeof detail->text, "%s",
                       err == CSN_ERR_ARGUMENT ? "a service's or label's name has letters, digits, "
                                                 "'-', '_' and '.'"
                                               : csn_err_name(err));
        return err;
    }
    csv_upstream_serve(proxy->upstream, proxy->caller);
    return CSN_OK;
}

static csn_err make_front(struct csv_proxy *proxy, struct csn_detail *detail)
{
    const struct csn_front_listener listener = {.address = proxy->options.address,
                                                .port = proxy->options.port,
                                                .service = &csv_proxy_service,
                                                .state = proxy};
    const struct csn_front_options options = {
        .listeners = &listener, .listener_count = 1, .limits = {.request_ns = REQUEST_NS}};
    return csn_front_create(&options, &proxy->front, detail);
}

csn_err csv_proxy_create(const struct csv_proxy_options *options, struct csv_proxy **proxy_out,
                         struct csn_detail *detail)
{
    detail->text[0] = 0;
    if (!is_loopback(options->address)) {
        (void)snprintf(detail->text, sizeof detail->text,
                       "%s: not an address of loopback: whoever can reach the proxy acts with its "
                       "credential",
                       options->address);
        return CSN_ERR_ARGUMENT;
    }
    struct csv_proxy *proxy = calloc(1, sizeof *proxy);
    if (proxy == NULL) {
        return CSN_ERR_MEMORY;
    }
    proxy->options = *options;
    proxy->told = CSN_ERR_STATE;
    proxy->signals.fd = -1;
    proxy->timer.fire = time_is_up;
    proxy->timer.state = proxy;
    csn_err err = make_front(proxy, detail);
    if (err == CSN_OK) {
        csn_front_set_poll(proxy->front, is_busy, proxy);
    }
    err = err == CSN_OK ? make_upstream(proxy, detail) : err;
    err = err == CSN_OK ? make_caller(proxy, detail) : err;
    if (err != CSN_OK) {
        csv_proxy_destroy(proxy);
        return err;
    }
    *proxy_out = proxy;
    return CSN_OK;
}

void csv_proxy_destroy(struct csv_proxy *proxy)
{
    if (proxy == NULL) {
        return;
    }
    /* Calls first, whose exchanges the front is about to forget; the front last of what waits. */
    csv_upstream_destroy(proxy->upstream);
    proxy->upstream = NULL;
    if (proxy->front != NULL) {
        csn_front_cancel(proxy->front, &proxy->timer);
        if (proxy->signals.fd >= 0) {
            csn_front_unwatch(proxy->front, &proxy->signals);
            close(proxy->signals.fd);
        }
    }
    csn_front_destroy(proxy->front);
    csv_caller_destroy(proxy->caller);
    free(proxy);
}

uint16_t csv_proxy_port(const struct csv_proxy *proxy)
{
    return csn_front_port(proxy->front, 0);
}

/* ---- running ---- */

static void signal_came(void *state, uint32_t events)
{
    struct csv_proxy *proxy = state;
    struct signalfd_siginfo info;
    uint32_t drain_s = proxy->options.drain_s != 0 ? proxy->options.drain_s : DRAIN_S;
    (void)events;
    if (read(proxy->signals.fd, &info, sizeof info) != (ssize_t)sizeof info) {
        return;
    }
    if (info.ssi_signo == SIGHUP) {
        csv_caller_verify(proxy->caller);
        csv_upstream_begin(proxy->upstream);
    } else {
        csn_front_drain(proxy->front, drain_s * NS_PER_S);
    }
}

csn_err csv_proxy_run(struct csv_proxy *proxy)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return CSN_ERR_SYSTEM;
    }
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return CSN_ERR_SYSTEM;
    }
    proxy->signals = (struct csn_front_watch){.ready = signal_came, .state = proxy, .fd = fd};
    CSN_TRY(csn_front_watch(proxy->front, &proxy->signals, EPOLLIN));
    csv_caller_verify(proxy->caller);
    csv_upstream_begin(proxy->upstream);
    csn_front_run(proxy->front);
    return CSN_OK;
}
