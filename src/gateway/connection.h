/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.h: what the front keeps of itself, of a connection and of a request under way. Private
 * to the front's files.
 *
 * Two rules hold it together. Nothing that a service calls (exchange.h) calls the service: it only
 * schedules the connection, which is settled at the end of the iteration. And a closed connection
 * is freed at the end of the iteration, so that whoever holds one may look whether it is closed.
 */
#ifndef CSN_GATEWAY_CONNECTION_H
#define CSN_GATEWAY_CONNECTION_H

#include "buffer.h"
#include "client_table.h"
#include "front.h"
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define CSN_FRONT_SCRATCH_SIZE 65536u /* read at once from a connection, and written at once */
#define CSN_FRONT_EVENTS_MAX   256u
#define CSN_FRONT_STALL_STEP   16384u /* bytes that count as progress */

/* What epoll gives back: a pointer, and in its lowest bits to what. */
enum csn_front_kind { CSN_FRONT_CONN, CSN_FRONT_LISTENER, CSN_FRONT_WATCH };
#define CSN_FRONT_KIND_MASK UINT64_C(3)

struct csn_listener {
    struct csn_front *front;
    int fd;
    uint16_t port;
    SSL_CTX *tls; /* NULL: cleartext */
    char *certificate;
    char *key;
    bool outlives_drain;
    const struct csn_service *service;
    void *state;
};

enum csn_conn_phase {
    CSN_CONN_HANDSHAKE, /* TLS */
    CSN_CONN_SNIFF,     /* cleartext, first bytes: HTTP/1.1 or the preface of HTTP/2 */
    CSN_CONN_HTTP1,
    CSN_CONN_HTTP2,
    CSN_CONN_LINGER, /* all was said; what still comes is dropped */
    CSN_CONN_CLOSED, /* freed at the end of the iteration */
};

/* What the connection's timer is for. */
enum csn_conn_wait {
    CSN_WAIT_NOTHING,
    CSN_WAIT_HEAD,
    CSN_WAIT_IDLE,
    CSN_WAIT_STALL,
    CSN_WAIT_LINGER
};

enum csn_http1_state {
    CSN_HTTP1_HEAD,    /* or nothing yet */
    CSN_HTTP1_LENGTH,  /* a body of known length is coming */
    CSN_HTTP1_CHUNKED, /* a body in chunks is coming */
    CSN_HTTP1_ANSWER,  /* it is the service's turn, or the socket's */
};

struct csn_http2;

struct csn_conn {
    struct csn_front *front;
    struct csn_listener *listener;
    struct csn_client *client;
    struct csn_conn *next;      /* of all */
    struct csn_conn **link;     /* what points to this one */
    struct csn_conn *idle_next; /* of those without a request, longest so first */
    struct csn_conn *idle_last;
    struct csn_conn *settle_next;
    SSL *tls;
    struct csn_http2 *http2;
    struct csn_request *requests; /* requests under way; HTTP/1.1: one at most */
    struct csn_buffer in;         /* HTTP/1.1: read, not yet understood */
    struct csn_buffer out;        /* to be written before anything else */
    struct csn_timer timer;
    size_t moved;  /* bytes written since the timer was set for CSN_WAIT_STALL */
    size_t queued; /* bytes that the kernel held then */
    int fd;
    uint32_t interest; /* EPOLL* as the kernel has them */
    enum csn_conn_phase phase;
    enum csn_conn_wait wait;
    enum csn_http1_state http1;
    uint32_t lingered;      /* bytes dropped */
    bool is_idle;           /* in that list */
    bool is_scheduled;      /* in the list of those to settle */
    bool is_failed;         /* close it: writing failed, or a limit was passed */
    bool closes;            /* after what is being written */
    bool is_reading_paused; /* HTTP/1.1: more came than is due */
    bool wants_write;       /* TLS: for a handshake */
    bool may_have_more;     /* TLS: it may hold bytes that epoll knows nothing of */
    char address[46];
};

struct csn_request {
    struct csn_exchange exchange;
    struct csn_conn *conn;
    struct csn_request *next;
    struct csn_request **link;
    struct csn_timer timer; /* deadline: body, then answer, then the client's taking it */
    struct csn_buffer text; /* the head, where it has to outlive the read buffer */
    struct csn_buffer body;
    struct csn_buffer output; /* HTTP/2: answer that waits for the client's window */
    size_t moved;             /* of it since the timer was set */
    uint64_t mark;            /* what the whole connection had sent then */
    size_t body_size_max;
    struct csn_http1_chunks chunks;
    int32_t id;
    uint32_t fields_size;  /* HTTP/2: as counted against the limit */
    bool is_open;          /* begin() was called, and neither gone() nor done() */
    bool is_counted;       /* among those under way */
    bool is_begun;         /* an answer has begun */
    bool is_final;         /* its last piece is there */
    bool is_broken;        /* cut off */
    bool is_request_whole; /* all of the body was there */
    bool is_body_dropped;  /* answered before the body: what comes of it does not count */
    bool is_ours;          /* it ends by our decision: not the client's reset */
    bool is_sent;          /* HTTP/2: the end of the answer has left */
    bool is_oversize;      /* HTTP/2: more fields than allowed */
    bool is_bodiless;      /* asked by HEAD: refused, and without a body */
    bool is_other_method;  /* HTTP/2: neither GET nor POST */
    bool is_bad_expect;    /* HTTP/2: an expectation that is not 100-continue */
    bool is_bad_host;      /* HTTP/2: none, several, or not the authority */
    bool is_deferred;      /* HTTP/2: the session waits for a piece */
    struct csn_http1_head head;
};

struct csn_front {
    struct csn_front_limits limits;
    struct csn_view_front *counters;
    struct csn_view_front own_counters; /* where nobody wants them */
    struct csn_listener listeners[CSN_FRONT_LISTENERS_MAX];
    uint32_t listener_count;
    int epoll_fd;
    uint64_t now_ns;
    struct csn_wheel wheel;
    bool (*poll)(void *state);
    void *poll_state;
    bool is_busy;
    bool is_stopped;
    bool is_draining;
    bool is_accepting;             /* the listeners are in epoll */
    struct csn_timer accept_timer; /* out of descriptors: again later */
    struct csn_timer goaway_timer;
    struct csn_timer drain_timer;
    uint64_t drain_due_ns;
    struct csn_conn *conns;
    struct csn_conn *idle_first;
    struct csn_conn *idle_end;
    struct csn_conn *to_settle;
    struct csn_conn **to_settle_end;
    struct csn_conn *dead;
    struct csn_request *spare_requests;
    uint32_t spare_count;
    uint32_t request_count; /* under way */
    uint32_t conn_count;
    struct csn_client_table clients;
    struct csn_account memory;
    nghttp2_session_callbacks *http2_callbacks;
    nghttp2_option *http2_option;
    struct epoll_event events[CSN_FRONT_EVENTS_MAX];
    uint32_t event_count; /* of this iteration */
    uint32_t event_at;
    uint64_t date_s;
    char date[32];                        /* of the answers, for date_s */
    char scratch[CSN_FRONT_SCRATCH_SIZE]; /* what was just read */
    char sink[CSN_FRONT_SCRATCH_SIZE];    /* what is about to be written */
    size_t sink_size;
};

/* ---- connection.c ---- */
csn_err csn_conn_open(struct csn_listener *listener, int fd, const struct sockaddr *address);
/* Now; whoever has requests on it is told. Not from what a service calls: csn_conn_fail(). */
void csn_conn_close(struct csn_conn *conn);
/* At the end of the iteration. */
void csn_conn_fail(struct csn_conn *conn);
/* Once all was written: says so to the client and drops what it still sends. */
void csn_conn_linger(struct csn_conn *conn);
/* An event of epoll. */
void csn_conn_ready(struct csn_conn *conn, uint32_t events);
/* Looks at it at the end of the iteration. */
void csn_conn_schedule(struct csn_conn *conn);
/* The end of the iteration has come. */
void csn_conn_settle(struct csn_conn *conn);
/* Sets the timer for that, anew if it was for something else. */
void csn_conn_wait_for(struct csn_conn *conn, enum csn_conn_wait wait);
void csn_conn_set_idle(struct csn_conn *conn, bool is_idle);
void csn_conn_free_dead(struct csn_front *front);
/*
 * Out of epoll, before it is closed: close() alone does not take it out while another process has
 * the file, too, as that of an enclave has from its clone to its exec.
 */
void csn_front_forget(struct csn_front *front, int fd);
static inline bool csn_conn_is_closed(const struct csn_conn *conn)
{
    return conn->phase == CSN_CONN_CLOSED;
}

/* ---- conn_io.c: bytes, through TLS or not ---- */
enum csn_conn_got { CSN_GOT_BYTES, CSN_GOT_NOTHING, CSN_GOT_END, CSN_GOT_FAILURE };
enum csn_conn_got csn_conn_read(struct csn_conn *conn, void *bytes, size_t room, size_t *size);
/* Writes what it can and keeps the rest in conn->out; if it cannot be kept, the connection fails.
 */
void csn_conn_write(struct csn_conn *conn, struct iovec *parts, uint32_t count);
/* Bytes that the kernel holds and the client has not taken. */
size_t csn_conn_queued(const struct csn_conn *conn);
/* What waits in conn->out. */
void csn_conn_flush(struct csn_conn *conn);
/* TLS: CSN_GOT_BYTES when it is done. */
enum csn_conn_got csn_conn_handshake(struct csn_conn *conn);
/* Tells epoll what is wanted now, if that has changed. */
void csn_conn_update_interest(struct csn_conn *conn);

/* ---- request.c ---- */
struct csn_request *csn_request_create(struct csn_conn *conn); /* NULL: out of memory */
/* Not under way any more. */
void csn_request_release(struct csn_request *request);
/* From here on it counts: begin() may be called. False: too many are under way. */
bool csn_request_start(struct csn_request *request);
void csn_request_free_spare(struct csn_front *front);
/* The head is there and fields point to it: fills in the exchange. */
void csn_request_set_head(struct csn_request *request, uint32_t version);
/* Asks the service for how much it would take: begin(). */
size_t csn_request_begin(struct csn_request *request);
/* The whole request is there: request(). */
void csn_request_serve(struct csn_request *request);
/* gone(), if it is due. */
void csn_request_tell_gone(struct csn_request *request, uint32_t status);
void csn_request_tell_done(struct csn_request *request);
/* The front answers in the service's place, and does without the rest of the request. */
void csn_request_refuse(struct csn_request *request, uint32_t status, const char *detail);
void csn_request_set_deadline(struct csn_request *request, uint64_t delay_ns);
static inline struct csn_request *csn_request_of(struct csn_exchange *exchange)
{
    return (struct csn_request *)((char *)exchange - offsetof(struct csn_request, exchange));
}

/* ---- answer_head.c ---- */
/* False: something that must not go out (line ends, no token, too long). */
bool csn_answer_is_legal(const struct csn_answer_head *head);
const char *csn_front_date(struct csn_front *front);
const char *csn_answer_reason(uint32_t status);

/* ---- http1_conn.c, http1_answer.c ---- */
void csn_http1_ready(struct csn_conn *conn);
void csn_http1_settle(struct csn_conn *conn);
/* Bytes that were read already: the first of a connection. */
void csn_http1_input(struct csn_conn *conn, const char *bytes, size_t size);
/* What lies in conn->in already. */
void csn_http1_resume(struct csn_conn *conn);
/* A head that takes too long. */
void csn_http1_timeout(struct csn_conn *conn);
void csn_http1_answer(struct csn_request *request, const struct csn_answer_head *head,
                      const void *body, size_t size);
void csn_http1_begin(struct csn_request *request, const struct csn_answer_head *head);
void csn_http1_piece(struct csn_request *request, const void *bytes, size_t size, bool final);

/* ---- http2_session.c, http2_events.c, http2_answer.c ---- */
csn_err csn_http2_prepare(struct csn_front *front);
void csn_http2_unprepare(struct csn_front *front);
bool csn_http2_start(struct csn_conn *conn); /* false: out of memory */
void csn_http2_stop(struct csn_conn *conn);
void csn_http2_ready(struct csn_conn *conn);
void csn_http2_input(struct csn_conn *conn, const char *bytes, size_t size);
void csn_http2_settle(struct csn_conn *conn);
/* GOAWAY: the first says only that the end is near. */
void csn_http2_goaway(struct csn_conn *conn, bool final);
void csn_http2_answer(struct csn_request *request, const struct csn_answer_head *head,
                      const void *body, size_t size, bool whole);
void csn_http2_piece(struct csn_request *request, const void *bytes, size_t size, bool final);
void csn_http2_break(struct csn_request *request);
/* The deadline for its output has passed: has the client taken enough, or is it not its turn? */
bool csn_http2_is_moving(const struct csn_request *request);
void csn_http2_watch_output(struct csn_request *request); /* sets that deadline */

#endif
