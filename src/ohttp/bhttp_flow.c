/* SPDX-License-Identifier: Apache-2.0 */
/* bhttp_flow.c: see bhttp_flow.h. */
#include "bhttp_flow.h"
#include "varint.h"

#define KNOWN_RESPONSE 1u
#define OPEN_RESPONSE  3u

/* ---- the head ---- */

struct cursor {
    const uint8_t *bytes;
    uint32_t size;
    uint32_t at;
};

/* A length and so many bytes. */
static csn_err skip_text(struct cursor *cursor, uint64_t *size)
{
    if (!csn_varint_read(cursor->bytes, cursor->size, &cursor->at, size) ||
        *size > cursor->size - cursor->at) {
        return CSN_AGAIN;
    }
    cursor->at += (uint32_t)*size;
    return CSN_OK;
}

static csn_err skip_fields(struct cursor *cursor, bool known)
{
    uint64_t size = 1;
    if (known) {
        return skip_text(cursor, &size);
    }
    while (size != 0) {
        CSN_TRY(skip_text(cursor, &size));
        if (size != 0) {
            uint64_t value_size;
            CSN_TRY(skip_text(cursor, &value_size));
        }
    }
    return CSN_OK;
}

/* Where the head ends, informational responses before it included. */
static csn_err find_end(struct cursor *cursor, bool *known)
{
    uint64_t number;
    if (!csn_varint_read(cursor->bytes, cursor->size, &cursor->at, &number)) {
        return CSN_AGAIN;
    }
    if (number != KNOWN_RESPONSE && number != OPEN_RESPONSE) {
        return CSN_ERR_FORMAT;
    }
    *known = number == KNOWN_RESPONSE;
    do {
        if (!csn_varint_read(cursor->bytes, cursor->size, &cursor->at, &number)) {
            return CSN_AGAIN;
        }
        CSN_TRY(skip_fields(cursor, *known));
    } while (number < 200);
    return CSN_OK;
}

csn_err csn_bhttp_flow_begin(struct csn_bhttp_flow *flow, uint8_t *bytes, uint32_t size,
                             struct csn_bhttp_message *head, uint32_t *used)
{
    struct cursor cursor = {.bytes = bytes, .size = size};
    uint32_t fault;
    *flow = (struct csn_bhttp_flow){.phase = CSN_BHTTP_LENGTH};
    CSN_TRY(find_end(&cursor, &flow->known));
    CSN_TRY(csn_bhttp_read(bytes, cursor.at, head, &fault)); /* all behind it may be left out */
    *used = cursor.at;
    return CSN_OK;
}

/* ---- what follows ---- */

/* CSN_AGAIN: it is not whole yet; what there is of it is kept. */
static csn_err take_number(struct csn_bhttp_flow *flow, const uint8_t *bytes, uint32_t size,
                           uint32_t *at)
{
    while (*at < size) {
        uint32_t offset = 0;
        flow->number[flow->number_size++] = bytes[(*at)++];
        if (csn_varint_read(flow->number, flow->number_size, &offset, &flow->left)) {
            flow->number_size = 0;
            return CSN_OK;
        }
    }
    return CSN_AGAIN;
}

/* A length is there: of what, and what comes if it is none. */
static void begin_length(struct csn_bhttp_flow *flow)
{
    const bool none = flow->left == 0;
    if (flow->phase == CSN_BHTTP_LENGTH) {
        flow->phase = none ? CSN_BHTTP_TRAILER_LENGTH : CSN_BHTTP_CONTENT;
    } else if (none && !flow->in_value) {
        flow->phase = CSN_BHTTP_PADDING; /* no trailers, or no more of them */
    } else {
        flow->phase = none ? CSN_BHTTP_TRAILER_LENGTH : CSN_BHTTP_TRAILER;
        flow->in_value = none ? false : flow->in_value;
    }
}

/* All of what a length was about has come. */
static void end_length(struct csn_bhttp_flow *flow)
{
    if (flow->phase == CSN_BHTTP_CONTENT) {
        flow->phase = flow->known ? CSN_BHTTP_TRAILER_LENGTH : CSN_BHTTP_LENGTH;
    } else if (flow->known) {
        flow->phase = CSN_BHTTP_PADDING;
    } else {
        flow->phase = CSN_BHTTP_TRAILER_LENGTH;
        flow->in_value = !flow->in_value;
    }
}

/* Bytes that a length is about: content goes to target. Returns how many. */
static uint32_t take_bytes(struct csn_bhttp_flow *flow, const uint8_t *bytes, uint32_t size,
                           uint8_t *target)
{
    const uint32_t part = flow->left < size ? (uint32_t)flow->left : size;
    if (flow->phase == CSN_BHTTP_CONTENT) {
        __builtin_memmove(target, bytes, part);
    }
    flow->left -= part;
    if (flow->left == 0) {
        end_length(flow);
    }
    return part;
}

csn_err csn_bhttp_flow_take(struct csn_bhttp_flow *flow, uint8_t *bytes, uint32_t size,
                            uint32_t *content_size)
{
    uint32_t at = 0;
    *content_size = 0;
    while (at < size) {
        if (flow->phase == CSN_BHTTP_PADDING) {
            if (bytes[at++] != 0) {
                return CSN_ERR_FORMAT;
            }
        } else if (flow->phase == CSN_BHTTP_CONTENT || flow->phase == CSN_BHTTP_TRAILER) {
            const bool content = flow->phase == CSN_BHTTP_CONTENT;
            uint32_t part = take_bytes(flow, bytes + at, size - at, bytes + *content_size);
            *content_size += content ? part : 0;
            at += part;
        } else if (take_number(flow, bytes, size, &at) == CSN_OK) {
            begin_length(flow);
        }
    }
    return CSN_OK;
}

bool csn_bhttp_flow_is_whole(const struct csn_bhttp_flow *flow)
{
    const bool between = flow->phase == CSN_BHTTP_LENGTH || flow->phase == CSN_BHTTP_TRAILER_LENGTH;
    return flow->phase == CSN_BHTTP_PADDING ||
           (between && flow->number_size == 0 && !flow->in_value);
}
