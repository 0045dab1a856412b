/* SPDX-License-Identifier: Apache-2.0 */
/* http2_session.h: HTTP/2 on a connection, beside what libnghttp2 keeps. Private. */
#ifndef CSN_GATEWAY_HTTP2_SESSION_H
#define CSN_GATEWAY_HTTP2_SESSION_H

#include "connection.h"

struct csn_http2 {
    nghttp2_session *session;
    uint64_t sent;            /* bytes of answers */
    uint64_t interval_end_ns; /* of the counts below */
    uint32_t resets;
    uint32_t controls;
    uint32_t continuations; /* of the head that is coming in */
    uint32_t skip;          /* bytes until the next frame begins */
    uint32_t head_size;     /* of its head, seen so far */
    uint8_t head[9];
    bool is_counted; /* among bad requests */
    bool is_abused;  /* over a limit: the session ends */
    bool is_ending;  /* the last GOAWAY was said */
};

/*
 * Looks at the frames in bytes that are about to be given to libnghttp2, which tells nothing of
 * some: false if there are more than the limits allow of those that cost only their receiver.
 */
bool csn_http2_count_frames(struct csn_conn *conn, const char *bytes, size_t size);
/* Counts against a limit of the interval. Zero, or what a callback returns to end the session. */
int csn_http2_count(struct csn_conn *conn, uint32_t *count, uint32_t count_max);
void csn_http2_set_receivers(nghttp2_session_callbacks *callbacks); /* http2_events.c */
void csn_http2_set_senders(nghttp2_session_callbacks *callbacks);   /* http2_answer.c */

#endif
