/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bhttp.h: HTTP messages as one run of bytes: Binary HTTP (RFC 9292), both framings.
 *
 * Trust:    messages come from strangers, sealed or not; they are private memory by then. What is
 *           read is checked whole before anything of it is used.
 * Lifetime: what a reader gives points into the bytes that it was given.
 * Threads:  no state.
 */
#ifndef CSN_OHTTP_BHTTP_H
#define CSN_OHTTP_BHTTP_H

#include <caisson/base.h>
#include <stdbool.h>
#include <stdint.h>

#define CSN_BHTTP_FIELDS_MAX 64u /* headers and trailers together */

struct csn_bhttp_text {
    const uint8_t *bytes; /* not terminated; may be NULL if size is 0 */
    uint32_t size;
};

struct csn_bhttp_field {
    struct csn_bhttp_text name;
    struct csn_bhttp_text value;
};

struct csn_bhttp_message {
    bool is_response;
    /* Requests: a token, a scheme, an authority or nothing, a path from "/" on. */
    struct csn_bhttp_text method, scheme, authority, path;
    /* Responses: 200 to 599. Informational ones before it were checked and left out. */
    uint32_t status;
    /* Headers, then trailers. Names are tokens in any case: Firefox sends them as they were set. */
    struct csn_bhttp_field fields[CSN_BHTTP_FIELDS_MAX];
    uint32_t header_count, trailer_count;
    struct csn_bhttp_text content;
};

/*
 * Reads one whole message, padding included. Pieces of content of the indeterminate framing are
 * moved together within bytes. Empty parts at the end may be left out (section 3.8), from the
 * header section on: RFC 9458's own example does so.
 *
 * CSN_ERR_FORMAT: not such a message, or what RFC 9110 does not allow in it; CSN_ERR_LIMIT: more
 * fields than CSN_BHTTP_FIELDS_MAX. *fault is then the offset where reading stopped.
 */
CSN_MUST_USE csn_err csn_bhttp_read(uint8_t *bytes, uint32_t size,
                                    struct csn_bhttp_message *message, uint32_t *fault);

/* The first header of that name (ASCII, any case), or NULL. */
const struct csn_bhttp_text *csn_bhttp_header(const struct csn_bhttp_message *message,
                                              const char *name);
/* True if text is that name in any case (ASCII); one letter in lower case. */
bool csn_bhttp_is_name(const struct csn_bhttp_text *text, const char *name);
uint8_t csn_bhttp_lower(uint8_t byte);
/* A terminated string as a text. */
struct csn_bhttp_text csn_bhttp_text(const char *string);
/* True if text is that string, byte by byte. */
bool csn_bhttp_is(const struct csn_bhttp_text *text, const char *string);

/*
 * Writes a message in the known-length framing, without padding. CSN_ERR_ARGUMENT: what
 * csn_bhttp_read() would refuse. CSN_ERR_SPACE: room is too small. *size: bytes needed, in both
 * cases if the message is legal.
 */
CSN_MUST_USE csn_err csn_bhttp_write(const struct csn_bhttp_message *message, uint8_t *bytes,
                                     uint32_t room, uint32_t *size);

#endif
