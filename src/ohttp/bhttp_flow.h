/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bhttp_flow.h: a response as it comes, part by part: its head as soon as that is whole, then its
 * content. For clients; csn_bhttp_read() is for messages that are there.
 *
 * Trust:    the bytes authenticated; they are checked as csn_bhttp_read() checks them, but that
 *           trailers are passed over unread.
 * Lifetime: the head points into the bytes that it was read from.
 * Threads:  no state but the caller's.
 */
#ifndef CSN_OHTTP_BHTTP_FLOW_H
#define CSN_OHTTP_BHTTP_FLOW_H

#include "bhttp.h"

enum csn_bhttp_phase {
    CSN_BHTTP_LENGTH, /* of the content, or of its next piece */
    CSN_BHTTP_CONTENT,
    CSN_BHTTP_TRAILER_LENGTH, /* of the trailers, or of one's name or value */
    CSN_BHTTP_TRAILER,
    CSN_BHTTP_PADDING,
};

struct csn_bhttp_flow {
    enum csn_bhttp_phase phase;
    bool known;        /* lengths in front */
    bool in_value;     /* of a trailer */
    uint64_t left;     /* bytes of what the phase is about */
    uint8_t number[8]; /* a length that has come in part */
    uint32_t number_size;
};

/*
 * The head of a response at the beginning of size bytes. CSN_AGAIN: it is not whole yet. CSN_OK:
 * head, without content; *used bytes are it, and flow is for those behind it. CSN_ERR_FORMAT,
 * CSN_ERR_LIMIT as csn_bhttp_read().
 */
CSN_MUST_USE csn_err csn_bhttp_flow_begin(struct csn_bhttp_flow *flow, uint8_t *bytes,
                                          uint32_t size, struct csn_bhttp_message *head,
                                          uint32_t *used);
/* The next bytes: the content among them is moved to their front. CSN_ERR_FORMAT. */
CSN_MUST_USE csn_err csn_bhttp_flow_take(struct csn_bhttp_flow *flow, uint8_t *bytes, uint32_t size,
                                         uint32_t *content_size);
/* May the response end here? */
bool csn_bhttp_flow_is_whole(const struct csn_bhttp_flow *flow);

#endif
