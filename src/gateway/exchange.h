/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h: one HTTP request and its answer, whatever version of HTTP carries it: what the front
 * (sockets, TLS, HTTP/1.1, HTTP/2) and the services behind it know of each other.
 *
 * Trust:    the request is a stranger's; its head and framing were checked, nothing else.
 * Threads:  the loop's thread alone, all of it.
 * Lifetime: an exchange is the front's. It lives from begin() until it was answered to its last
 *           piece, or until gone(), whichever is first; texts of its head and the body live as long
 *           as begin() and request() run, nothing else of it does.
 */
#ifndef CSN_GATEWAY_EXCHANGE_H
#define CSN_GATEWAY_EXCHANGE_H

#include "http1.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csn_exchange {
    enum csn_http1_method method;
    uint32_t version; /* 1: HTTP/1.1, 2: HTTP/2 */
    bool is_tls;
    struct csn_http1_text path;           /* from "/" on, without the query */
    struct csn_http1_text query;          /* without "?"; size 0 if there is none */
    struct csn_http1_text host;           /* Host, or :authority */
    const struct csn_http1_field *fields; /* HTTP/2: names in lower case, no pseudo-fields */
    uint32_t field_count;
    const uint8_t *body; /* whole, in one piece, before request() */
    size_t body_size;
    uint64_t begin_ns;    /* CLOCK_MONOTONIC: its head was there */
    uint32_t status;      /* of the answer, once there is one */
    uint64_t answer_size; /* bytes of its body so far */
    char client[46];      /* address of the peer, as text */
    void *state;          /* the service's own, NULL at first */
};

/* The value of the only field of that name (any case); NULL if there is none, or several. */
const struct csn_http1_text *csn_exchange_field(const struct csn_exchange *exchange,
                                                const char *name);

/* Head of an answer. Date, Content-Length and framing are the front's. */
struct csn_answer_head {
    uint32_t status;           /* 200 .. 599 */
    const char *content_type;  /* NULL: no body */
    const char *cache_control; /* NULL: no-store */
    struct csn_http1_field more[4];
    uint32_t more_count;
};

/* The whole answer (copied). Exactly one answer for each request() that was not followed by gone().
 */
void csn_exchange_answer(struct csn_exchange *exchange, const struct csn_answer_head *head,
                         const void *body, size_t size);
/* The same in pieces (copied): the head, then each piece, the last one with final. */
void csn_exchange_begin(struct csn_exchange *exchange, const struct csn_answer_head *head);
void csn_exchange_piece(struct csn_exchange *exchange, const void *bytes, size_t size, bool final);
/*
 * An answer that began cannot be completed: HTTP/2 resets the stream, HTTP/1.1 closes without the
 * last chunk, so that the client knows that it is cut off.
 */
void csn_exchange_break(struct csn_exchange *exchange);
/* application/problem+json (RFC 9457). type: a URI or NULL for about:blank; detail may be NULL. */
void csn_exchange_problem(struct csn_exchange *exchange, uint32_t status, const char *type,
                          const char *title, const char *detail);

/*
 * What answers. One const struct for each listener.
 *
 * After begin() exactly one of gone() and done() follows, and then the exchange is no more. An
 * answer that was given whole ends in gone(), too, if the client did not stay to take it.
 */
struct csn_service {
    /*
     * The head is there. Returns how many bytes of body it would take, SIZE_MAX: none, it has
     * answered already (no request() follows).
     */
    size_t (*begin)(void *state, struct csn_exchange *exchange);
    /* The body is there, too. Answer now, or later from the loop's thread. */
    void (*request)(void *state, struct csn_exchange *exchange);
    /*
     * Forget it. status says what the front answered in the service's place: 504, a deadline
     * passed; 413, 408, 400 or 503, the body did not come; 0, nothing, the client has gone. If the
     * answer had begun, its own status stands there, and it was cut off.
     */
    void (*gone)(void *state, struct csn_exchange *exchange);
    /* Answered and handed to the socket: status, sizes and times are final. For the log. */
    void (*done)(void *state, const struct csn_exchange *exchange);
};

#endif
