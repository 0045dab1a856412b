/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held.h: calls whose answers come later: what is kept of them, and how their parts are made.
 *
 * Trust:    a place holds the secrets of one exchange; it is wiped when its last message left, and
 *           but for that message's tag when the call is dropped.
 * Threads:  one worker.
 * Lifetime: places are carved once, held_max of them (manifest). A call's tenant and grant outlive
 *           its place, because a grant that is replaced drops its calls first.
 */
#ifndef CSE_ENCLAVE_HELD_H
#define CSE_ENCLAVE_HELD_H

#include "state.h"

/* Beside the content of a response over HTTP: its head with the longest type, lengths, ends. */
#define CSE_HELD_BESIDE   96u
#define CSE_HELD_PART_MAX (UINT16_MAX - 1u)

enum cse_held_state {
    CSE_HELD_FREE = 0,
    CSE_HELD_OPEN,    /* the service has it */
    CSE_HELD_ENDED,   /* its last part waits for room */
    CSE_HELD_DROPPED, /* what is left of it is a word to the host, which waits for room */
};

enum cse_held_form {
    CSE_HELD_RECORD,  /* each part an output */
    CSE_HELD_CHUNKED, /* each part a chunk of an oblivious response */
    CSE_HELD_WHOLE,   /* one oblivious response, whose parts are collected */
};

struct cse_held {
    enum cse_held_state state;
    enum cse_held_form form;
    bool http;
    uint32_t index;
    uint32_t part;            /* parts that left */
    uint32_t last_size;       /* of the last part, or what is collected so far */
    uint64_t wanting;         /* session->step_count when a look for room failed */
    enum csn_wire_status end; /* with ENDED */
    uint32_t detail;          /* from cse_fail_at(), for a tombstone or problem */
    bool has_detail;
    struct cse_session *session;
    struct cse_input input; /* tag and channel; its bytes are gone */
    struct cse_shape shape; /* of the largest part */
    const char *type;       /* media type of a response */
    const struct csn_wire_credential *credential;
    struct cse_answer answer;
    struct cse_context context;
    struct cse_opening opening;
    struct csn_ohttp_answer request;
    uint32_t nonce_size;
    uint8_t nonce[CSN_OHTTP_NONCE_SIZE_MAX];
    uint8_t route[CSN_WIRE_ROUTE_SIZE_MAX];
    uint8_t *bytes; /* cse_held_bytes() of them: the last part, or what is collected */
};

/* ---- held.c ---- */

/* Bytes beside each place for what it may collect. */
uint32_t cse_held_bytes(const struct csn_wire_manifest *manifest);
void cse_held_lay(struct cse_session *session, struct cse_held *places, uint8_t *bytes);
/* The handler that held the call answered after all. */
void cse_held_release(struct cse_call *call);
/* The handler has said CSE_LATER: its slots are given back, the host is told. */
void cse_held_begin(struct cse_call *call);
/* The same for an oblivious request, whose answer the exchange seals. */
void cse_held_begin_request(struct cse_call *call, const struct csn_ohttp_exchange *exchange);
void cse_held_cancel(struct cse_session *session, const struct cse_input *input);
/* Its grant is about to be replaced. */
void cse_held_drop_tenant(struct cse_session *session, const struct cse_tenant *tenant);
extern const struct cse_tending cse_held_tending;

/* ---- held_part.c ---- */

/* Bytes of the ring message of the largest part. */
uint32_t cse_held_message_max(const struct cse_held *held);
uint32_t cse_held_content_max(const struct cse_held *held);
/* Seals and hands over one part; on the last one, with another status than OK, what says so. */
void cse_held_send(struct cse_held *held, bool final, const uint8_t *bytes, uint32_t size);

#endif
