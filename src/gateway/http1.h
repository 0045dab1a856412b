/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1.h: a strict reader of HTTP/1.1 requests (RFC 9112), for the gateway's cleartext and TLS
 * listeners. It looks at bytes in the connection's buffer and copies nothing.
 *
 * Trust:    every byte is a stranger's, and other programs may stand in between that read the same
 *           bytes otherwise. What two programs could take for two things is refused, never
 * repaired: both Content-Length and Transfer-Encoding, either of them twice, folded lines, a bare
 *           CR or LF, blanks before a colon, chunk extensions.
 * Lifetime: texts point into the bytes that were given, and live as long as these.
 * Threads:  no state but the caller's.
 */
#ifndef CSN_GATEWAY_HTTP1_H
#define CSN_GATEWAY_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_HTTP1_HEAD_SIZE_MAX   16384u /* request line and fields together */
#define CSN_HTTP1_TARGET_SIZE_MAX 4096u
#define CSN_HTTP1_FIELDS_MAX      64u
#define CSN_HTTP1_TRAILER_MAX     4096u /* bytes of trailers, which are checked and dropped */

struct csn_http1_text {
    const char *bytes; /* not terminated */
    size_t size;
};

struct csn_http1_field {
    struct csn_http1_text name;
    struct csn_http1_text value; /* without blanks around it */
};

enum csn_http1_method { CSN_HTTP1_GET, CSN_HTTP1_POST };

struct csn_http1_head {
    enum csn_http1_method method;
    struct csn_http1_text target; /* from "/" on, query included */
    struct csn_http1_text host;
    struct csn_http1_field fields[CSN_HTTP1_FIELDS_MAX];
    uint32_t field_count;
    size_t size;             /* bytes of the head, the empty line included */
    uint64_t content_length; /* 0 without the field */
    bool is_chunked;
    bool wants_continue; /* Expect: 100-continue */
    bool closes;         /* Connection: close */
};

/*
 * What a call found. Zero or an HTTP status: the caller answers with it and closes, since where the
 * next request would begin is not known.
 */
enum csn_http1_result {
    CSN_HTTP1_OK = 0,
    CSN_HTTP1_MORE = 1, /* not all there yet: nothing was consumed */
    CSN_HTTP1_BAD = 400,
    CSN_HTTP1_METHOD = 405, /* neither GET nor POST */
    CSN_HTTP1_TARGET = 414, /* target too long */
    CSN_HTTP1_EXPECT = 417, /* an expectation that is not 100-continue */
    CSN_HTTP1_TOO_LARGE = 413,
    CSN_HTTP1_FIELDS = 431, /* head, trailers or number of fields too large */
    CSN_HTTP1_CODING = 501, /* a transfer coding other than chunked */
    CSN_HTTP1_VERSION = 505,
};

/*
 * Reads the head of the request that begins at bytes[0]. fault, if not NULL: what is wrong, a
 * static text for the log and the answer.
 */
enum csn_http1_result csn_http1_read_head(const char *bytes, size_t size,
                                          struct csn_http1_head *head, const char **fault);

/* The value of the only field of that name (any case); NULL if there is none, or several. */
const struct csn_http1_text *csn_http1_field(const struct csn_http1_head *head, const char *name);
/* True if text is string in any case. */
bool csn_http1_is(const struct csn_http1_text *text, const char *string);

/* A body in chunks, piece by piece. Zero it to begin. */
struct csn_http1_chunks {
    uint64_t left;  /* of the chunk under way */
    uint64_t total; /* bytes of content so far */
    uint32_t state; /* private */
};

struct csn_http1_piece {
    size_t consumed; /* bytes taken from the front of what was given */
    size_t offset;   /* content among them: where, and how much (may be 0) */
    size_t size;
    bool is_end; /* the body is complete */
};

/*
 * Takes what it can: one piece of content at most, in a call. Call again with the bytes behind
 * `consumed` until MORE or is_end. limit: of the content's bytes; beyond it TOO_LARGE.
 */
enum csn_http1_result csn_http1_read_chunk(struct csn_http1_chunks *chunks, const char *bytes,
                                           size_t size, uint64_t limit,
                                           struct csn_http1_piece *piece, const char **fault);

#endif
