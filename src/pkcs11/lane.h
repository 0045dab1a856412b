/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane.h: requests to the enclave, verified and sealed (call.h), over connections that stay.
 *
 * A lane is a caller (evidence, keys, a context), an HTTP connection and perhaps rings; one call is
 * under way on each at a time. Who finds all of them busy waits.
 *
 * Trust:    the gateway, the socket and the rings are a stranger's; what they say is call.h's to
 *           check.
 * Threads:  any.
 */
#ifndef CSV_PKCS11_LANE_H
#define CSV_PKCS11_LANE_H

#include "settings.h"
#include <caisson/call.h>

struct p11_lanes;

/* Reaches nobody. NULL: *why. */
struct p11_lanes *p11_lanes_create(const struct p11_settings *settings, const char **why);
void p11_lanes_destroy(struct p11_lanes *lanes); /* NULL allowed */
/* In a child of whoever made them: closes what the child has of them, and sends nothing. */
void p11_lanes_forget(struct p11_lanes *lanes);

struct p11_exchange {
    const void *request;
    uint32_t request_size;
    bool is_repeatable; /* may be served twice: sent anew, once, where the first is unanswered */
    uint8_t *answer;    /* room */
    uint32_t answer_size_max;
    uint32_t answer_size; /* out */
    uint32_t status;      /* out: HTTP's, the enclave's word */
    char why[256];        /* out, where there is no answer */
};
/* CSN_OK: there is an answer. CSN_ERR_SPACE: it is larger than the room. Else as csv_call_result().
 */
csn_err p11_lanes_exchange(struct p11_lanes *lanes, struct p11_exchange *exchange);

/* ---- link_http.c: one connection ---- */

struct p11_http;

struct p11_http *p11_http_create(const struct p11_settings *settings);
void p11_http_destroy(struct p11_http *http);
/* Does what call.h wants done. fetched: what came of it; its texts live until the next one. */
void p11_http_fetch(struct p11_http *http, const struct csv_fetch *fetch,
                    struct csv_fetched *fetched);

/* ---- link_ring.c: the rings of a gateway on this machine ---- */

struct p11_ring;

/* Asks the gateway's socket for rings. NULL: none to be had now. */
struct p11_ring *p11_ring_create(const struct p11_settings *settings);
void p11_ring_destroy(struct p11_ring *ring);
/* In a child of whoever got them. */
void p11_ring_forget(struct p11_ring *ring);
/* False: they have ended, or the gateway took the channel back. */
bool p11_ring_is_good(struct p11_ring *ring);
/* False: nothing was sent, so that HTTP can do it. True: fetched says what came of it. */
bool p11_ring_fetch(struct p11_ring *ring, const struct csv_fetch *fetch,
                    struct csv_fetched *fetched);

#endif
