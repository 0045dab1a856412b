/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caller.h: what the files of call.h share: a caller, its calls, and exchanges with the gateway
 * that are under way ("trips").
 *
 *   call_caller.c     life, what is to be done next, who gets an answer
 *   call_verify.c     evidence and keys
 *   call_records.c    contexts: hello, records, challenges
 *   call_oblivious.c  encapsulated requests
 *   call_parts.c      answers as they come, part by part
 *   call_message.c    a call: its request, its response
 *   call_fault.c      what went wrong, and whether it is tried again
 *
 * Trust:    what a trip brings back is a stranger's. What a call is sealed to comes from
 *           caller->recipient and caller->config alone, which call_verify.c sets.
 */
#ifndef CSV_CLIENT_CALLER_H
#define CSV_CLIENT_CALLER_H

#include "../ohttp/authorize.h"
#include "../ohttp/bhttp_flow.h"
#include "../ohttp/ohttp.h"
#include "../verify/recipient.h"
#include <caisson/call.h>
#include <caisson/wire/evidence.h>

#define CSV_CALLER_PATH_SIZE   384u
#define CSV_CALLER_WORKER_SIZE 129u /* a token of at most 128 characters */
#define CSV_CALLER_KEYS_TRIES  3u

enum csv_caller_phase {
    CSV_PHASE_IDLE,
    CSV_PHASE_EVIDENCE_DUE,
    CSV_PHASE_EVIDENCE, /* under way */
    CSV_PHASE_KEYS_DUE,
    CSV_PHASE_KEYS,
    CSV_PHASE_READY,
    CSV_PHASE_REFUSED,
};

enum csv_call_state {
    CSV_CALL_WAITING, /* in caller->waiting */
    CSV_CALL_SENT,    /* a trip has it */
    CSV_CALL_DONE,    /* in caller->done, or handed out */
};

/* Bytes that grow; secret ones are wiped when they move, and at the end. */
struct csv_bytes {
    uint8_t *at;
    size_t size, room;
};

struct csv_call {
    struct csv_caller *caller;
    struct csv_call *before, *after; /* all of the caller's */
    struct csv_call *behind;         /* the next one of its queue */
    enum csv_call_state state;
    void *tag;
    uint32_t retries;
    uint32_t purpose;
    uint32_t padded_min;
    bool in_parts;  /* its response is handed out as it comes, */
    bool has_begun; /* which has begun: `answer` is its head, */
    bool is_moved;  /* and since it was handed out more has come: in caller->moved */
    bool challenged;
    struct csn_wire_challenge challenge; /* oblivious: its own */
    char challenge_worker[CSV_CALLER_WORKER_SIZE];
    uint8_t *plain; /* the request as Binary HTTP */
    uint32_t plain_size;
    struct csn_bhttp_message message; /* points into plain */
    csn_err result;                   /* CSN_AGAIN until it is done */
    uint8_t *answer;                  /* the response as Binary HTTP */
    size_t answer_size;
    struct csv_bytes content; /* in parts: what was not consumed yet */
    struct csv_call_response response;
    struct csv_call_field fields[CSN_BHTTP_FIELDS_MAX];
    struct csv_call_problem problem;
};

struct csv_call_queue {
    struct csv_call *first, *last;
};

enum csv_context_phase {
    CSV_CONTEXT_CHALLENGE_DUE, /* once: it needs one before its key exchange */
    CSV_CONTEXT_CHALLENGE,
    CSV_CONTEXT_HELLO_DUE,
    CSV_CONTEXT_HELLO, /* with the first record behind it */
    CSV_CONTEXT_WARM,
};

/* One key exchange. The caller has a reference to the current one, each of its trips has one. */
struct csv_call_context {
    uint32_t references;
    enum csv_context_phase phase;
    struct csv_sealer *sealer;
    bool once;
    char worker[CSV_CALLER_WORKER_SIZE]; /* "" until an answer named it */
};

enum csv_trip_kind {
    CSV_TRIP_EVIDENCE,
    CSV_TRIP_KEYS,
    CSV_TRIP_CONTEXT_CHALLENGE,
    CSV_TRIP_CALL_CHALLENGE,
    CSV_TRIP_RECORD,
    CSV_TRIP_OBLIVIOUS,
};

/* An answer that comes part by part. */
struct csv_parts {
    struct csv_bytes raw;   /* the gateway's, not yet a whole frame or chunk */
    struct csv_bytes plain; /* opened; until the call takes it over */
    uint32_t count;         /* of parts that were opened */
    bool final;             /* the last one among them */
    bool hello_due;
    bool is_stream;  /* how many parts there are is not known before the last one */
    bool has_key;    /* answer is ready */
    uint16_t status; /* of a record's last part: enum csn_wire_status */
    uint32_t detail; /* of that, too */
    struct csn_ohttp_answer answer;
    struct csn_bhttp_flow flow;
};

struct csv_trip {
    struct csv_trip *next;
    uint64_t id;
    enum csv_trip_kind kind;
    uint64_t appraisal;    /* caller->appraisal when it left */
    struct csv_call *call; /* NULL: no call's, or of one that was destroyed */
    struct csv_call_context *context;
    bool hello;        /* a hello is before the record */
    bool sealed;       /* it carries a call's request */
    bool once;         /* what it carries can be served once at most */
    uint64_t sequence; /* of the record */
    bool in_parts;     /* its answer may be given as it comes */
    struct csv_parts *parts;
    struct csn_ohttp_exchange exchange;
    char path[CSV_CALLER_PATH_SIZE];
    char worker[CSV_CALLER_WORKER_SIZE];
    const char *content_type; /* of the body, or NULL */
    const char *accept;
    uint8_t *body;
    size_t body_size;
    size_t answer_size_max;
};

struct csv_caller {
    const struct csv_policy *policy;
    struct csv_credential credential;
    char service[CSV_CALL_NAME_SIZE_MAX + 1];
    char label[CSV_CALL_NAME_SIZE_MAX + 1];
    char authority[256];
    uint32_t way;
    bool once;
    uint32_t purpose;
    uint32_t padded_min;
    uint64_t grant_version_min;
    uint32_t evidence_age_max;
    uint32_t retry_after;
    uint32_t call_count_max;

    enum csv_caller_phase phase;
    int64_t now;
    int64_t refused_at;
    uint32_t keys_tries;
    uint8_t nonce[CSV_NONCE_SIZE]; /* of the evidence under way */
    struct csv_verdict *verdict;
    csn_err result; /* CSN_ERR_STATE: no verification has ended yet */
    char explain[CSV_CALL_DETAIL_SIZE];

    uint64_t appraisal; /* which one recipient and config are from */
    struct csv_recipient recipient;
    struct csn_ohttp_config config;
    struct csv_call_pin pin;
    struct csv_call_context *context;

    struct csv_call *calls;
    uint32_t call_count;
    struct csv_call_queue waiting, done, moved;
    struct csv_trip *trips;
    uint64_t trip_id;
};

/* ---- call_caller.c ---- */
/* For a call that waited: it goes with the trip. NULL: out of memory, and the call has failed. */
struct csv_trip *csv_trip_new(struct csv_caller *caller, enum csv_trip_kind kind,
                              struct csv_call *call);
/* Room for its body; false: out of memory. */
bool csv_trip_body(struct csv_trip *trip, size_t size);
void csv_trip_free(struct csv_trip *trip);
/* "/gateway" and the like, with the service and the label of the caller. */
void csv_trip_path(struct csv_trip *trip, const struct csv_caller *caller, const char *start);
void csv_queue_push(struct csv_call_queue *queue, struct csv_call *call);
void csv_queue_remove(struct csv_call_queue *queue, const struct csv_call *call);
/* What looked ready is not any more: evidence is due, unless a later appraisal has come since. */
void csv_caller_distrust(struct csv_caller *caller, uint64_t appraisal);
/* Is it that media type? Parameters behind it do not count. */
bool csv_fetched_is(const struct csv_fetched *fetched, const char *media_type);
/* A worker's token to keep, or "": none, or not one. */
void csv_fetched_worker(const struct csv_fetched *fetched, char worker[CSV_CALLER_WORKER_SIZE]);

/* ---- call_verify.c ---- */
struct csv_trip *csv_verify_evidence(struct csv_caller *caller);
struct csv_trip *csv_verify_keys(struct csv_caller *caller);
void csv_verify_take_evidence(struct csv_caller *caller, const struct csv_fetched *fetched);
void csv_verify_take_keys(struct csv_caller *caller, const struct csv_fetched *fetched);
/* The last verification has failed: so have the calls that wait. */
void csv_verify_fail_waiting(struct csv_caller *caller);

/* ---- call_parts.c ---- */
/*
 * More of a trip's answer: what came of the exchange so far, or, is_whole, its end. False: the trip
 * is over.
 */
bool csv_parts_take(struct csv_caller *caller, struct csv_trip *trip,
                    const struct csv_fetched *fetched, bool is_whole);
void csv_parts_free(struct csv_parts *parts); /* NULL allowed */
CSN_MUST_USE csn_err csv_bytes_add(struct csv_bytes *bytes, const void *more, size_t size);
void csv_bytes_free(struct csv_bytes *bytes);

/* ---- call_records.c ---- */
struct csv_frames {
    const uint8_t *bytes;
    size_t size;
};
/* The next output; false: there is none, or the framing is broken (frames->size stays above 0). */
bool csv_frames_next(struct csv_frames *frames, struct csn_wire_answer *answer,
                     const uint8_t **body);
/* An exchange that ended in an answer of this protocol; else the trip is seen to. */
bool csv_records_is_answered(struct csv_caller *caller, struct csv_trip *trip,
                             const struct csv_fetched *fetched);
/* The hello's answer: the handle. False: the trip is seen to. */
bool csv_records_take_hello(struct csv_caller *caller, struct csv_trip *trip,
                            struct csv_frames *frames);
/* The trip is over: a context that its hello did not warm up goes with it. */
void csv_records_end(struct csv_caller *caller, struct csv_trip *trip);
/* For the first call that waits, or for the context; NULL: nothing now. */
struct csv_trip *csv_records_next(struct csv_caller *caller);
void csv_records_take(struct csv_caller *caller, struct csv_trip *trip,
                      const struct csv_fetched *fetched);
void csv_records_take_challenge(struct csv_caller *caller, struct csv_trip *trip,
                                const struct csv_fetched *fetched);
struct csv_trip *csv_records_challenge(struct csv_caller *caller, enum csv_trip_kind kind,
                                       struct csv_call *call);
void csv_context_release(struct csv_call_context *context); /* NULL allowed */
void csv_caller_drop_context(struct csv_caller *caller);

/* ---- call_oblivious.c ---- */
struct csv_trip *csv_oblivious_next(struct csv_caller *caller);
void csv_oblivious_take(struct csv_caller *caller, struct csv_trip *trip,
                        const struct csv_fetched *fetched);

#define CSV_OBLIVIOUS_PARTS_TYPE "message/ohttp-chunked-res"

/* ---- call_message.c ---- */
/* The head of the response of the trip's call, in bytes that the call takes over. */
void csv_trip_begin(struct csv_trip *trip, struct csv_bytes *bytes,
                    const struct csn_bhttp_message *head);
/* More of its content; false: out of memory. */
bool csv_trip_content(struct csv_trip *trip, const uint8_t *bytes, size_t size);
/* All of it is there. */
void csv_trip_end(struct csv_trip *trip);
/* The response of the trip's call, if it has one: bytes that authenticated; taken in any case. */
void csv_trip_answer(struct csv_trip *trip, uint8_t *bytes, size_t size);
/* The same for an enclave's refusal of a record (enum csn_wire_status). */
void csv_trip_tombstone(struct csv_trip *trip, uint32_t status, uint32_t detail);
/* What is sealed: the request, and zeros to the size of a class. */
uint32_t csv_call_padded(const struct csv_call *call, uint32_t size);
void csv_call_done(struct csv_call *call, csn_err result);

/* ---- call_fault.c ---- */
#define CSV_PROBLEM_URN "urn:caisson:problem:"
/* Is the text a problem document of this type? A stranger's text: strict JSON, or no. */
bool csv_problem_is(const void *text, size_t text_size, const char *type);
struct csv_fault {
    csn_err err;
    uint32_t status;
    const char *type, *title;
};
extern const struct csv_fault csv_fault_invalid, csv_fault_unverified, csv_fault_answer,
    csv_fault_protocol, csv_fault_refused, csv_fault_busy, csv_fault_size, csv_fault_unanswered,
    csv_fault_memory;
/* The call is over. detail: a text of ours with what goes into it. */
__attribute__((format(printf, 3, 4))) void
csv_call_fail(struct csv_call *call, const struct csv_fault *fault, const char *detail, ...);
/* The same for the call of a trip, if it has one still. */
__attribute__((format(printf, 3, 4))) void
csv_trip_fail(struct csv_trip *trip, const struct csv_fault *fault, const char *detail, ...);
/* Again, if that cannot serve it twice and it was not tried again already; else it has failed. */
__attribute__((format(printf, 3, 4))) void
csv_trip_again(struct csv_trip *trip, const struct csv_fault *fault, const char *detail, ...);
/* Waits again: nothing of it was sent, or it may be served twice. */
void csv_trip_requeue(struct csv_trip *trip);
/* What the gateway said instead of an answer of the enclave: fails, or tries again. */
void csv_trip_refused(struct csv_caller *caller, struct csv_trip *trip,
                      const struct csv_fetched *fetched);
/* What the enclave (or whoever spoke for it) said before it opened a record or request. */
void csv_trip_rejected(struct csv_caller *caller, struct csv_trip *trip, uint32_t code);

#endif
