/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front.h: the gateway's side of the network: listeners, TLS, HTTP/1.1 and HTTP/2, and the loop
 * that everything else of the gateway runs in. What answers is a csn_service (exchange.h).
 *
 * Trust:    peers are strangers. What one of them can make the front keep, do or wait for is
 *           bounded by struct csn_front_limits.
 * Threads:  one thread, which calls csn_front_run() or csn_front_run_once(); it is also the only
 *           one that may call anything else here. From other threads and from signals: write to a
 *           descriptor that is watched (an eventfd, a signalfd).
 * Lifetime: create to destroy. Callbacks may call everything but run, run_once and destroy.
 */
#ifndef CSN_GATEWAY_FRONT_H
#define CSN_GATEWAY_FRONT_H

#include "exchange.h"
#include "view.h"
#include "wheel.h"
#include <caisson/base.h>
#include <caisson/host.h>

struct csn_front;

/*
 * What strangers may take. 0 in a field: the default that stands beside it.
 *
 * A client is an IPv4 address, or the /64 of an IPv6 address. Behind a balancer all clients are
 * one: raise connections_client_max and memory_client_max there.
 */
struct csn_front_limits {
    /* 16384, or less if the process may not have as many descriptors. When the table is full, the
     * connection that has been idle for longest makes room; if none is idle, the new one is closed.
     */
    uint32_t connections_max;
    uint32_t connections_client_max; /* 1024 */
    uint32_t requests_max;           /* 4096: under way on all connections; beyond it 503 */
    uint32_t streams_max;            /* 128: concurrent requests of an HTTP/2 connection */
    uint32_t fields_size_max;        /* 16384: HTTP/2 fields, as RFC 9113 counts them (32 each) */
    uint32_t continuations_max;      /* 8: CONTINUATION frames of one head */
    /* Of an HTTP/2 connection in any interval_ns (10 s): */
    uint32_t resets_max;   /* 200: requests that end before their answer, whoever resets them */
    uint32_t controls_max; /* 400: PING, SETTINGS, PRIORITY, unknown and empty frames */
    uint64_t interval_ns;
    /* Bytes of bodies that are coming in and of answers that are going out. */
    uint64_t memory_max;        /* 256 MiB in all; beyond it 503, or the answer breaks off */
    uint64_t memory_client_max; /* 64 MiB for one client */
    uint64_t output_size_max;   /* 8 MiB unsent of one answer in pieces; beyond it, it breaks off */
    /* Deadlines */
    uint64_t head_ns;    /* 10 s: from accept, or from a later head's first byte, to its end; 408 */
    uint64_t body_ns;    /* 30 s: from the head to the last byte of the body; 408 */
    uint64_t request_ns; /* 30 s: until the answer begins (504), and between its pieces */
    uint64_t idle_ns;    /* 60 s: a connection without a request */
    uint64_t stall_ns;   /* 20 s: for each 16 KiB that the client takes of an answer */
    uint64_t linger_ns;  /* 1 s: after the last answer, until the client has closed */
};

/* Each field that is 0 gets its default. */
void csn_front_limits_complete(struct csn_front_limits *limits);

/*
 * TLS is 1.2 or 1.3 with ephemeral keys and AEADs alone (X25519, P-256, P-384). Sessions are not
 * resumed: no tickets, no cache, no early data, so that no key outlives its connection. ALPN offers
 * h2 and http/1.1; without ALPN it is HTTP/1.1. A cleartext listener takes HTTP/1.1, and HTTP/2
 * from clients that begin with its preface.
 */
struct csn_front_listener {
    const char *address;     /* numeric, IPv4 or IPv6 */
    uint16_t port;           /* 0: any; csn_front_port() tells */
    const char *certificate; /* PEM file, the chain with the leaf first; NULL: cleartext */
    const char *key;         /* PEM file */
    bool allow_cleartext;    /* cleartext beyond loopback, too */
    /*
     * A drain leaves it open until it is complete, and is complete whatever is still asked here:
     * for those who watch.
     */
    bool outlives_drain;
    const struct csn_service *service;
    void *state; /* first argument of its functions */
};

#define CSN_FRONT_LISTENERS_MAX 8u

struct csn_front_options {
    const struct csn_front_listener *listeners;
    uint32_t listener_count;
    struct csn_front_limits limits;
    struct csn_view_front *counters; /* kept up to date; NULL: none */
};

/*
 * Listens. CSN_ERR_ARGUMENT (cleartext beyond loopback, an address that is none), CSN_ERR_FORMAT (a
 * certificate or key that is none, or that do not match), CSN_ERR_SYSTEM, CSN_ERR_MEMORY; detail
 * (may be NULL) says which and why. Options are copied, but for what service, state and counters
 * point to.
 */
CSN_MUST_USE csn_err csn_front_create(const struct csn_front_options *options,
                                      struct csn_front **front, struct csn_detail *detail);
/* Closes everything: requests under way are told gone(). NULL is allowed. */
void csn_front_destroy(struct csn_front *front);

uint16_t csn_front_port(const struct csn_front *front, uint32_t listener);
/* In force: defaults filled in, connections_max as the process's descriptors allow. */
const struct csn_front_limits *csn_front_limits_of(const struct csn_front *front);
/*
 * Other limits from now on: deadlines that run already stay as they were, and so does
 * connections_max, by which the table was made. Connections of HTTP/2 go on telling
 * their clients the streams_max and fields_size_max that they began with.
 */
void csn_front_set_limits(struct csn_front *front, const struct csn_front_limits *limits);
/* CLOCK_MONOTONIC as of the beginning of this iteration. */
uint64_t csn_front_now(const struct csn_front *front);

/* ---- the loop ---- */

/* One iteration; it waits for at most wait_ns (UINT64_MAX: as long as it takes) if nothing is to
 * do. */
void csn_front_run_once(struct csn_front *front, uint64_t wait_ns);
/* Iterates until a drain is complete, or csn_front_stop(). */
void csn_front_run(struct csn_front *front);
/* csn_front_run() returns after this iteration, whatever is under way. */
void csn_front_stop(struct csn_front *front);

/*
 * In each iteration, after what came from the network and before what goes to it: true if it is
 * busy, so that the loop comes back without sleeping. While it returns false, the loop sleeps until
 * a descriptor or a timer wakes it. One of them; NULL: none.
 */
void csn_front_set_poll(struct csn_front *front, bool (*poll)(void *state), void *state);

/*
 * A descriptor of somebody else: ready(state, events) when it is, with EPOLL* bits as in epoll_ctl;
 * level-triggered. The struct is the caller's and stays where it is until unwatch.
 */
struct csn_front_watch {
    void (*ready)(void *state, uint32_t events);
    void *state;
    int fd;
};
CSN_MUST_USE csn_err csn_front_watch(struct csn_front *front, struct csn_front_watch *watch,
                                     uint32_t events);
/* Other events than before; 0: none (errors and hang-ups are still told). */
CSN_MUST_USE csn_err csn_front_rewatch(struct csn_front *front, struct csn_front_watch *watch,
                                       uint32_t events);
/* Before the descriptor is closed. Nothing is called any more, not even for what is already due. */
void csn_front_unwatch(struct csn_front *front, struct csn_front_watch *watch);

/*
 * fire(state) once, when delay_ns have passed (some milliseconds late at most). The timer is the
 * caller's, zeroed at first, with fire and state set; setting it again moves it. For something
 * periodic, set it again in fire().
 */
void csn_front_after(struct csn_front *front, struct csn_timer *timer, uint64_t delay_ns);
void csn_front_cancel(struct csn_front *front, struct csn_timer *timer);

/* ---- the end, and what changes before it ---- */

/*
 * Stops listening (but where outlives_drain is set), tells clients (GOAWAY; Connection: close),
 * closes idle connections, and lets what is under way come to its end for deadline_ns from now;
 * what is left then is cut off. Calling it again can only shorten that.
 */
void csn_front_drain(struct csn_front *front, uint64_t deadline_ns);
/* True once a drain is complete: no connection is left of a listener that it closed. */
bool csn_front_is_drained(const struct csn_front *front);

/*
 * Reads all certificates and keys again: connections from now on get the new ones. If any is bad,
 * all stay as they were.
 */
CSN_MUST_USE csn_err csn_front_reload(struct csn_front *front, struct csn_detail *detail);

/*
 * A connected stream socket (of any kind) as if listener had accepted it; the front owns fd from
 * now on, also when it fails (CSN_BUSY: a limit). For tests, and for sockets that come from
 * elsewhere.
 */
CSN_MUST_USE csn_err csn_front_adopt(struct csn_front *front, uint32_t listener, int fd);

#endif
