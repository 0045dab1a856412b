/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h: the bodies of ring messages. A body begins with a 32-bit kind.
 *
 * In ring: ping, challenge request, grant, record (full or short form), oblivious HTTP request,
 * cancel.
 * Out ring: each body begins with struct csn_wire_answer, and what follows depends on the code; but
 * a reply in the short form stands alone: no code has the top bit, which its first word has.
 */
#ifndef CAISSON_WIRE_MESSAGE_H
#define CAISSON_WIRE_MESSAGE_H

#include <stdint.h>

#define CSN_WIRE_PING      UINT32_C(0x504e5343) /* "CSNP": the body comes back as it is */
#define CSN_WIRE_CHALLENGE UINT32_C(0x514e5343) /* "CSNQ": asks for a window challenge */
#define CSN_WIRE_GRANT     UINT32_C(0x474e5343) /* "CSNG": see grant.h */
#define CSN_WIRE_RECORD    UINT32_C(0x524e5343) /* "CSNR": full form, see record.h */
#define CSN_WIRE_SHORT     UINT32_C(0x80000000) /* short form: this bit, and the context handle */
#define CSN_WIRE_REQUEST   UINT32_C(0x4f4e5343) /* "CSNO": struct csn_wire_request */
#define CSN_WIRE_CANCEL    UINT32_C(0x584e5343) /* "CSNX": struct csn_wire_cancel */

/*
 * What the untrusted host learns of an input. Every code but DONE is found before the record
 * authenticated; after that it is DONE, served or refused alike.
 */
enum csn_wire_code {
    CSN_WIRE_DONE = 0,           /* a sealed output follows (or nothing for a swallowed repeat) */
    CSN_WIRE_REJECT_FRAMING = 1, /* truncated, oversized, unknown kind, lengths that disagree */
    CSN_WIRE_REJECT_VERSION = 2,
    CSN_WIRE_REJECT_SUITE = 3,
    CSN_WIRE_REJECT_TENANT = 4, /* no such tenant here */
    CSN_WIRE_REJECT_KEY = 5,    /* no such recipient key, credential or context */
    CSN_WIRE_REJECT_SIZE = 6,   /* not a size class, or above the limit */
    CSN_WIRE_REJECT_QUOTA = 7,  /* that tenant's budget is used up */
    CSN_WIRE_REJECT_BUSY = 8,   /* a table is full */
    CSN_WIRE_REJECT_AUTH = 9,   /* commitment, tag or signature */
    CSN_WIRE_REJECT_STALE = 10, /* grant version or boot id is not current */
    CSN_WIRE_REJECT_MODE = 11,  /* a replay mode that this enclave or context does not allow */
    CSN_WIRE_PONG = 32,
    CSN_WIRE_CHALLENGED = 33, /* struct csn_wire_challenge follows */
    CSN_WIRE_GRANTED = 34,    /* a sealed receipt follows */
    CSN_WIRE_ANSWERED = 35,   /* bytes of an encapsulated response: append them to those before */
    CSN_WIRE_HELD = 36,       /* the answer comes later, in parts, between those of others */
    CSN_WIRE_DROPPED = 37,    /* a held call is over without a last part */
    CSN_WIRE_CANCELLED = 38,  /* what a cancel named is over, or was not held */
};

/*
 * Before an encapsulated request (RFC 9458, or its chunked draft): all of it in one message. Of the
 * refusals above these may answer it: FRAMING, KEY (not a key of this instance: the sender should
 * fetch the configuration anew), SUITE, SIZE, BUSY, AUTH. Whatever is found after it opened is
 * inside the sealed response.
 */
struct csn_wire_request {
    uint32_t kind;     /* CSN_WIRE_REQUEST */
    uint16_t form;     /* enum csn_ohttp_form: 0 message/ohttp-req, 1 message/ohttp-chunked-req */
    uint16_t reserved; /* zero */
};
_Static_assert(sizeof(struct csn_wire_request) == 8, "size");

/*
 * A call whose answer comes later (HELD), and is not wanted any more: by the tag of its input, on
 * the same channel. Anything else than a held call is not touched by it.
 */
struct csn_wire_cancel {
    uint32_t kind;     /* CSN_WIRE_CANCEL */
    uint32_t reserved; /* zero */
    uint64_t tag;
};
_Static_assert(sizeof(struct csn_wire_cancel) == 16, "size");

struct csn_wire_answer {
    uint32_t code;
    uint32_t size; /* bytes that follow */
};
_Static_assert(sizeof(struct csn_wire_answer) == 8, "size");

/*
 * A body of the out ring: its code, how many bytes follow, and where they begin. A short reply is
 * DONE and begins at 0. False: cut off, or lengths that disagree.
 */
static inline _Bool csn_wire_answer_read(const void *body, uint32_t size,
                                         struct csn_wire_answer *answer, uint32_t *begin)
{
    *answer = (struct csn_wire_answer){.code = CSN_WIRE_REJECT_FRAMING, .size = 0};
    *begin = 0;
    if (size < sizeof *answer) {
        return 0;
    }
    struct csn_wire_answer head;
    __builtin_memcpy(&head, body, sizeof head);
    if ((head.code & CSN_WIRE_SHORT) != 0) {
        *answer = (struct csn_wire_answer){.code = CSN_WIRE_DONE, .size = size};
        return 1;
    }
    if (head.size != size - sizeof head) {
        return 0;
    }
    *answer = head;
    *begin = sizeof head;
    return 1;
}

struct csn_wire_challenge {
    uint8_t boot_id[16];
    uint32_t worker;
    uint32_t reserved;
    uint64_t counter; /* never issued twice within a boot */
};
_Static_assert(sizeof(struct csn_wire_challenge) == 32, "size");

#endif
