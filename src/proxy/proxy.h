/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy.h: an HTTP listener on loopback, whose requests go verified and sealed to an enclave behind
 * a gateway: for programs that speak HTTP and nothing else.
 *
 * Trust:    who reaches the listener acts with the credential, so it listens on loopback alone, and
 *           refuses what a web page in a browser could make it do: a Host that is not loopback's
 *           name, an Origin, a Sec-Fetch-Site. Other users of the machine it does not keep out.
 * Threads:  one, in csv_proxy_run().
 */
#ifndef CSV_PROXY_PROXY_H
#define CSV_PROXY_PROXY_H

#include "upstream.h"
#include <caisson/host.h>

/* What the proxy says of itself, as JSON; no request goes to such a path of the service. */
#define CSV_PROXY_STATUS_PATH "/.well-known/caisson/proxy"

struct csv_proxy_options {
    const char *address;                  /* "127.0.0.1", another of 127.0.0.0/8, or "::1" */
    uint16_t port;                        /* 0: any; csv_proxy_port() tells */
    struct csv_caller_options caller;     /* authority NULL: the gateway's */
    struct csv_upstream_options upstream; /* without hooks */
    uint32_t drain_s;                     /* on SIGTERM; 0: 30 */
    /* Each time that a verification has ended, as csv_caller_result() says. */
    void (*told)(void *state, const struct csv_caller *caller);
    void *told_state;
};

struct csv_proxy;

/*
 * Listens. CSN_ERR_ARGUMENT: not a loopback address, not a URL, and the like; CSN_ERR_SYSTEM,
 * CSN_ERR_MEMORY; detail says which and why. Texts are borrowed until destroy.
 */
CSN_MUST_USE csn_err csv_proxy_create(const struct csv_proxy_options *options,
                                      struct csv_proxy **proxy, struct csn_detail *detail);
void csv_proxy_destroy(struct csv_proxy *proxy); /* NULL allowed */
uint16_t csv_proxy_port(const struct csv_proxy *proxy);
/*
 * Verifies, and serves until SIGTERM or SIGINT, then lets what is under way come to its end.
 * SIGHUP: verifies anew. CSN_ERR_SYSTEM: signals cannot be had.
 */
CSN_MUST_USE csn_err csv_proxy_run(struct csv_proxy *proxy);

#endif
