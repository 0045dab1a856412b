/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visit.h: a request while the gateway has to do with it: the exchange on one side, messages in an
 * enclave or evidence under way on the other. Either may end first.
 *
 * Lifetime: held by its exchange until done() or gone(), and by each message until its final
 *           output; freed by the last of them. After the exchange was answered or has gone,
 *           `exchange` is NULL, and what comes from the enclave goes nowhere.
 */
#ifndef CSN_GATEWAY_VISIT_H
#define CSN_GATEWAY_VISIT_H

#include "gateway_state.h"
#include "traceparent.h"

struct csn_visit {
    struct csn_gateway *gateway;
    struct csn_exchange *exchange; /* NULL: answered, or gone */
    uint32_t holds;
    enum csn_view_route route;
    struct csn_fleet *fleet; /* NULL: no service was meant */
    char service[CSN_CONFIG_NAME_SIZE_MAX + 1];
    char tenant[CSN_CONFIG_NAME_SIZE_MAX + 1]; /* "": none */
    char traceparent[CSN_TRACEPARENT_SIZE + 1];
    char token[CSN_FLEET_TOKEN_SIZE]; /* of the worker; "": none is told */
    bool has_begun;                   /* the head of the answer is out */
    bool is_chunked;                  /* Oblivious HTTP in chunks */
    struct csn_pump *pump;            /* that has messages of it without a final output; or NULL */
    uint32_t slot;                    /* of the keys and evidence that are asked for */
    uint32_t parts;                   /* messages without a final output */
    uint8_t *answers;                 /* gathered outputs */
    size_t answers_size;
    size_t answers_room;
    struct csn_unit_nonce nonce;
};

/* Of an exchange that begins; NULL: out of memory. */
struct csn_visit *csn_visit_create(struct csn_gateway *gateway, struct csn_exchange *exchange);
static inline void csn_visit_hold(struct csn_visit *visit)
{
    visit->holds++;
}
void csn_visit_release(struct csn_visit *visit);

/* What is given: content type, body; traceparent and Caisson-Worker are the visit's. */
void csn_visit_answer(struct csn_visit *visit, const char *type, const char *cache,
                      const void *body, size_t size);
void csn_visit_begin(struct csn_visit *visit, const char *type);
void csn_visit_piece(struct csn_visit *visit, const void *bytes, size_t size, bool final);
/* The answer that has begun is cut off. */
void csn_visit_break(struct csn_visit *visit);
/* The client has gone, or its answer is over: what comes later for it is not wanted any more. */
void csn_visit_cancel(struct csn_visit *visit);

/* A refusal, as application/problem+json. */
struct csn_problem {
    uint32_t status;
    const char *type;   /* NULL: about:blank */
    const char *title;  /* static texts without anything that JSON escapes */
    const char *detail; /* NULL: none */
    uint32_t retry_s;   /* 0: no Retry-After */
    bool allows_get;    /* 405: GET, and */
    bool allows_post;   /* POST is what would be allowed */
};
void csn_visit_refuse(struct csn_visit *visit, const struct csn_problem *problem);

#define CSN_PROBLEM_OHTTP_KEY   "https://iana.org/assignments/http-problem-types#ohttp-key"
#define CSN_PROBLEM_WORKER_GONE "urn:caisson:problem:worker-gone"

/* The exchange is over, answered or not: counts it and logs it, and lets go of it. */
void csn_visit_over(struct csn_visit *visit, const struct csn_exchange *exchange, uint32_t status);

/* ---- gather.c: outputs of a list, each with its size in front ---- */
/* False: the gateway keeps as much as it may, or out of memory. */
CSN_MUST_USE bool csn_visit_gather(struct csn_visit *visit, const uint8_t *bytes, uint32_t size);
/* What is gathered leaves as the beginning of an answer in pieces. */
void csn_visit_send_gathered(struct csn_visit *visit, const char *type);
/* They were answered, or nobody wants them any more. */
void csn_visit_give_room(struct csn_visit *visit);

/* ---- what is asked for, once the body is there: one file each ---- */
void csn_ask_ohttp(struct csn_visit *visit);
void csn_ask_records(struct csn_visit *visit);
void csn_ask_keys(struct csn_visit *visit);
void csn_ask_evidence(struct csn_visit *visit);

/*
 * The worker that the request names by Caisson-Worker, of `unit` if that is not NULL. False: it
 * names one that is gone, and the visit was refused. *pump NULL: it names none.
 */
bool csn_visit_worker(struct csn_visit *visit, struct csn_unit **unit, struct csn_pump **pump);
/* Refuses, as reserving a place says: full, too large, or not running. */
void csn_visit_refuse_place(struct csn_visit *visit, csn_err err);

#endif
