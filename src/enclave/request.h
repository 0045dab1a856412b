/* SPDX-License-Identifier: Apache-2.0 */
/* request.h: how long the answers to oblivious requests are; for sessions and the run loop. */
#ifndef CSE_ENCLAVE_REQUEST_H
#define CSE_ENCLAVE_REQUEST_H

#include "../ohttp/ohttp.h"
#include <caisson/wire/message.h>
#include <caisson/wire/record.h>

/* Room for a response's head, beside what the request's class gives its content. */
#define CSE_REQUEST_BESIDE 256u
/* In front of the sealed bytes at most: a response nonce and the length of a chunk. */
#define CSE_REQUEST_FRONT (CSN_OHTTP_NONCE_SIZE_MAX + 8u)
#define CSE_REQUEST_FIXED                                                                          \
    ((uint32_t)sizeof(struct csn_wire_request) + CSN_OHTTP_HEAD_SIZE + CSN_OHTTP_TAG_SIZE)

/* The size class of a request's message, from its public size alone. */
static inline uint32_t cse_request_class(uint32_t message_size)
{
    return csn_wire_class_for(message_size > CSE_REQUEST_FIXED ? message_size - CSE_REQUEST_FIXED
                                                               : 0);
}

/* Bytes of each ring message of the answer, at most; a class that there is not: the last one's. */
static inline uint32_t cse_request_bound(const struct csn_wire_manifest *manifest,
                                         uint32_t message_size)
{
    uint32_t index = cse_request_class(message_size);
    index = index < CSN_WIRE_CLASS_COUNT ? index : CSN_WIRE_CLASS_COUNT - 1;
    return (uint32_t)sizeof(struct csn_wire_answer) + CSE_REQUEST_FRONT +
           csn_wire_output_room(manifest, index) + CSE_REQUEST_BESIDE + CSN_OHTTP_TAG_SIZE;
}

struct cse_pending;
/*
 * What stands before the sealed bytes of a slot, right in front of them: the nonce, of the first
 * alone, and a chunk's length. Then the slot is ready to be sealed: shape says what, final whether
 * it is the last.
 */
void cse_request_front(struct cse_pending *pending, const struct csn_ohttp_answer *answer,
                       const uint8_t *nonce, uint32_t nonce_size);

#endif
