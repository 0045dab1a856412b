/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream.h: HTTP with the gateway, by libcurl: does what a csv_caller wants done.
 *
 * Over https several exchanges share one HTTP/2 connection, where the gateway speaks it. Over http
 * it is HTTP/1.1, with connections that are kept: libcurl before 8.0 fails on the second exchange
 * of an HTTP/2 connection that began without TLS. Redirects are not followed. Proxies of the
 * environment (https_proxy, no_proxy) are honoured: what goes through is sealed.
 *
 * libcurl may send a request again by itself if a kept connection turns out to be closed: the same
 * bytes, which an enclave serves once at most where that matters.
 *
 * Trust:    the gateway and whoever is between are strangers; TLS hides from the latter what the
 *           gateway sees anyway. Whom to believe is the caller's business, not decided here.
 * Threads:  one, and what libcurl starts for the resolution of names.
 * Lifetime: borrowed callers outlive it.
 */
#ifndef CSV_PROXY_UPSTREAM_H
#define CSV_PROXY_UPSTREAM_H

#include <caisson/call.h>

#define CSV_UPSTREAM_CA_MAX 8u

/*
 * Who waits for sockets and time. Both NULL: csv_upstream_wait() does. socket: events are EPOLL*
 * bits, 0: not any more; *mine is the hook's own for that socket, NULL at first. timer: call
 * csv_upstream_ready() with fd -1 after so many milliseconds; -1: not any more.
 */
struct csv_upstream_hooks {
    void (*socket)(void *state, int fd, uint32_t events, void **mine);
    void (*timer)(void *state, long timeout_ms);
    void *state;
};

struct csv_upstream_options {
    const char *url;                     /* http:// or https://, perhaps with a path; no query */
    const char *ca[CSV_UPSTREAM_CA_MAX]; /* PEM texts in place of the system's; up to a NULL */
    uint32_t timeout_ms;                 /* of an exchange, or a silence in one in parts; 0: 30 s */
    bool http1;                          /* HTTP/1.1 and no other */
    struct csv_upstream_hooks hooks;
};

struct csv_upstream;

/*
 * CSN_ERR_ARGUMENT: not such a URL; *detail (static) says what is wrong. CSN_ERR_MEMORY,
 * CSN_ERR_SYSTEM.
 */
CSN_MUST_USE csn_err csv_upstream_create(const struct csv_upstream_options *options,
                                         struct csv_upstream **upstream, const char **detail);
/* What is under way comes to nothing. NULL allowed. */
void csv_upstream_destroy(struct csv_upstream *upstream);

/* "host" or "host:port" of the URL: what requests name as their authority. */
const char *csv_upstream_authority(const struct csv_upstream *upstream);

/* Whom it serves: once, before anything else. */
void csv_upstream_serve(struct csv_upstream *upstream, struct csv_caller *caller);
/*
 * Begins what the caller wants, and closes what nobody waits for any more. After each
 * csv_call_start(), csv_caller_verify() and csv_call_destroy().
 */
void csv_upstream_begin(struct csv_upstream *upstream);
/* With hooks: fd is ready (EPOLL* bits), or time is up (-1). What ended went to the caller. */
void csv_upstream_ready(struct csv_upstream *upstream, int fd, uint32_t events);
/* Without: waits for something to end, timeout_ms at most. */
void csv_upstream_wait(struct csv_upstream *upstream, int timeout_ms);

#endif
