/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h: HTTP requests to a service inside an enclave, verified first and sealed: the client's
 * side as a state machine. Bytes in, bytes out: no socket, no thread, no clock, no file. `caisson
 * proxy` and `caisson call` are this and libcurl; bring your own transport and you have the same
 * (examples/call/own_transport.c is a whole program).
 *
 *   csv_caller_create()   one service behind one gateway, one credential, one policy
 *   csv_call_start()      a request: method, path, fields, content
 *   csv_caller_next()     which HTTP exchange with the gateway is to be done now, if any
 *   csv_caller_take()     what came of it
 *   csv_caller_finished() a request that is over: csv_call_response() or csv_call_problem()
 *
 * The loop, with whatever does HTTP (several exchanges may be under way, answered in any order):
 *
 *   csv_call_start(caller, &request, mine, &call);
 *   do {
 *       while (csv_caller_next(caller, now, &fetch)) {
 *           begin the exchange: fetch.method, fetch.path, fetch.fields, fetch.body
 *       }
 *       wait for one to end; csv_caller_take(caller, now, &fetched);
 *   } while ((call = csv_caller_finished(caller)) == NULL);
 *
 * What is done before anything of a request leaves:
 *   1. GET evidence over a fresh random nonce; csv_appraise() with the policy. Development evidence
 *      counts only where the policy says so itself ("caisson.insecure_dev").
 *   2. The keys come from that evidence. The way `records` seals to the recipient key of the
 *      credential's tenant. The way `oblivious` also GETs application/ohttp-keys, whose SHA-256 has
 *      to be the one in the evidence; where it is not, evidence and keys are fetched again, three
 *      times in all, since keys may change in between.
 *   3. Both are kept (csv_caller_pin()). Whatever looks as if the far end changed (a key refused, a
 *      worker gone, a challenge of another boot, evidence older than its age) leads back to 1;
 *      nothing more is sealed to the old keys, and nothing at all where the new ones do not verify.
 * Nothing is ever sent in clear. What of a call the gateway sees: its size class, its time, the
 * credential's id and tenant (`records`; `oblivious`: neither), the service.
 *
 * The two ways:
 *   CSV_CALL_RECORDS    a context for many requests: one key exchange, then records in the short
 *                       form (include/caisson/wire/record.h), each of them a Binary HTTP message.
 *                       Proof of the credential is in the key. The credential has to be one that
 *                       gets replies (no consumer). Requests and answers up to 64 KiB.
 *   CSV_CALL_OBLIVIOUS  RFC 9458, a key exchange for each request, to the instance's own key; the
 *                       credential's proof is inside, in Authorization (CSN_WIRE_RIGHT_REQUEST).
 * The way `records` is as good as the tenant's recipient key: every instance that the tenant
 * granted can open them. With `once` they open in the very boot that was appraised and nowhere
 * else; so does the way `oblivious`, always.
 *
 * Once or again:
 *   Without `once` a request is sealed so that only images that are flagged deterministic take it,
 *   since a host may deliver it twice. Where no answer comes, or the far end has changed, it is
 *   sealed anew and sent again, once. An image that refuses that mode turns `once` on by itself.
 *   With `once` a challenge of the worker is in the key (`records`) or in the request
 *   (`oblivious`), and it is served once at most. What was sent and not answered is never sent
 *   again: csv_call_problem() says maybe_served. So it does where the enclave says that the
 *   request came before: a host can deliver it twice, and give the answer to the second.
 *
 * Trust:    runs on the client's own machine. The gateway is a stranger: evidence, keys, answers,
 *           status, fields, sizes and order of what it says are hostile until verified. It can
 *           refuse and delay; it cannot read, change, swap or repeat without being noticed.
 * Threads:  one owner for a caller and all its calls.
 * Memory:   allocated as calls come, at most call_count_max of them; plain bytes and keys are wiped
 *           before they are freed. Strings and pointers that are handed out live as documented.
 */
#ifndef CAISSON_CALL_H
#define CAISSON_CALL_H

#include <caisson/base.h>
#include <caisson/client.h>
#include <caisson/verify.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

CSN_EXTERN_C_BEGIN

#define CSV_CALL_CONTENT_MAX   UINT32_C(1048576) /* bytes of a request; the way may allow less */
#define CSV_CALL_FIELDS_MAX    56u               /* fields of a request */
#define CSV_CALL_NAME_SIZE_MAX 64u               /* bytes of a service's or tenant's name */
#define CSV_CALL_DETAIL_SIZE   4096u

enum csv_call_way {
    CSV_CALL_RECORDS = 0,
    CSV_CALL_OBLIVIOUS = 1,
};

struct csv_caller_options {
    const struct csv_policy *policy;         /* borrowed; outlives the caller */
    const struct csv_credential *credential; /* copied */
    /*
     * In the gateway's paths: letters, digits, '-', '_', '.'. service NULL: the gateway's first;
     * label NULL: none (it is what the gateway counts a tenant's requests under; needs service).
     */
    const char *service;
    const char *label;
    const char *authority; /* of requests that name none; NULL: "caisson.invalid" */
    uint32_t way;          /* enum csv_call_way */
    bool once;
    uint32_t purpose; /* 0 .. 63, of requests that do not name theirs; 0: general */
    /*
     * An answer is at most as large as the request's size class allows. Requests are padded to this
     * many bytes at least, up to 65536, and to the next class in any case. Without `once` a request
     * whose answer did not fit is sent again, padded to 65536.
     */
    uint32_t padded_size_min;
    uint64_t grant_version_min; /* of records: lowest grant that may serve */
    uint32_t evidence_age_max;  /* seconds after which to appraise again; 0: no limit */
    uint32_t retry_after;       /* seconds between attempts after a failed one; 0: one */
    uint32_t call_count_max;    /* calls at once, finished ones included; 0: 256 */
};

struct csv_caller;

/*
 * CSN_ERR_ARGUMENT: a name with other characters, an unknown way, a number out of range.
 * CSN_ERR_MEMORY.
 * csv_client_init() came before.
 */
CSN_API CSN_MUST_USE csn_err csv_caller_create(const struct csv_caller_options *options,
                                               struct csv_caller **caller);
/* With all its calls. NULL allowed. */
CSN_API void csv_caller_destroy(struct csv_caller *caller);

/* ---- what was verified ---- */

enum csv_caller_state {
    CSV_CALLER_IDLE = 0,      /* nothing was asked for yet */
    CSV_CALLER_VERIFYING = 1, /* calls wait */
    CSV_CALLER_READY = 2,
    CSV_CALLER_REFUSED = 3, /* invalid, or could not be verified: csv_caller_result() */
};
CSN_API uint32_t csv_caller_state(const struct csv_caller *caller);
/* Appraise now, without waiting for a call; calls that come meanwhile wait for it. */
CSN_API void csv_caller_verify(struct csv_caller *caller);
/*
 * Of the last verification that ended. CSN_OK; CSN_ERR_EVIDENCE: invalid, or keys that are not
 * those of the evidence; CSN_ERR_UNVERIFIED: could not verify: no answer, no evidence in it, no
 * grant of this tenant there, something that the policy wants is missing. CSN_ERR_STATE: none yet.
 */
CSN_API csn_err csv_caller_result(const struct csv_caller *caller);
/*
 * Why, for people: each check that did not pass, with what was expected, what came, why it matters
 * and what to do; or what else went wrong. "" after CSN_OK. Valid until the next take or destroy.
 */
CSN_API const char *csv_caller_explain(const struct csv_caller *caller);
/* The verdict of the last appraisal, or NULL; valid until the next take or destroy. */
CSN_API const struct csv_verdict *csv_caller_verdict(const struct csv_caller *caller);

/* What requests are sealed for at present. */
struct csv_call_pin {
    int64_t appraised_at; /* seconds since 1970, as given to csv_caller_take() */
    uint64_t appraisals;  /* that succeeded so far */
    uint64_t changes;     /* of them, those after which boot, image or keys were others */
    uint32_t security_version;
    uint32_t evidence_type; /* CSN_WIRE_EVIDENCE_* */
    uint8_t boot_id[16];
    uint8_t measurement[48];
    uint8_t recipient_key[32];
    uint8_t ohttp_digest[32]; /* SHA-256 of application/ohttp-keys; zero for `records` */
    char name[33];            /* of the image */
};
/* NULL unless ready. */
CSN_API const struct csv_call_pin *csv_caller_pin(const struct csv_caller *caller);

/* ---- HTTP exchanges with the gateway ---- */

struct csv_call_field {
    const char *name; /* neither is terminated */
    const char *value;
    uint32_t name_size;
    uint32_t value_size;
};

/* One to be done. Everything in it lives until it was taken. */
struct csv_fetch {
    uint64_t id;
    const char *method; /* "GET", "POST" */
    const char *path;   /* with its query; append it to the gateway's address */
    /* Content-Type, Accept, Caisson-Worker, as needed; terminated strings, too. */
    struct csv_call_field fields[3];
    uint32_t field_count;
    const uint8_t *body;
    size_t body_size;
    size_t answer_size_max; /* stop reading beyond it, and say size_max + 1 or more */
    bool in_parts;          /* csv_caller_more() may be called as its answer comes */
};

/*
 * True: *fetch is to be done, and csv_caller_take() called with its id, once. False: nothing now;
 * ask again after the next csv_call_start() or csv_caller_take(). now: seconds since 1970.
 */
CSN_API bool csv_caller_next(struct csv_caller *caller, int64_t now, struct csv_fetch *fetch);

/* What came of it. Borrowed for the call; nothing of it is trusted. */
struct csv_fetched {
    uint64_t id;
    uint32_t status;          /* 0: there was no answer */
    const char *content_type; /* or NULL, as for the others */
    const char *worker;       /* Caisson-Worker */
    const char *retry_after;
    const char *fault; /* status 0: why, for people */
    const void *body;
    size_t body_size;
};

/* Redirects are not followed: they are answers like others. An unknown id is passed over. */
CSN_API void csv_caller_take(struct csv_caller *caller, int64_t now,
                             const struct csv_fetched *fetched);

/*
 * Of an exchange in parts, answered with status 200: what came since the last call (body), with the
 * head's fields each time. csv_caller_take() follows with the rest, or with status 0 if the
 * exchange broke off. A transport that gives everything to csv_caller_take() alone is right, too.
 * False: nothing more is wanted of the exchange; close it, csv_caller_take() does not follow.
 */
CSN_API CSN_MUST_USE bool csv_caller_more(struct csv_caller *caller, int64_t now,
                                          const struct csv_fetched *fetched);
/*
 * True: nobody waits for the exchange with this id any more, since its call was destroyed: close
 * it, so that the enclave stops working at it; csv_caller_take() does not follow. Ask until false,
 * after csv_call_destroy() and csv_caller_more(). Exchanges in parts alone.
 */
CSN_API bool csv_caller_abandoned(struct csv_caller *caller, uint64_t *id);

/* ---- calls ---- */

struct csv_call_request {
    const char *method;    /* terminated: a token, "GET", "POST", … */
    const char *path;      /* terminated: from "/" on, with its query */
    const char *authority; /* terminated, or NULL: as in the options */
    /*
     * At most CSV_CALL_FIELDS_MAX. Those of one connection alone (Connection, Transfer-Encoding,
     * Content-Length, Host, …) and Authorization and Caisson-Challenge, which are the protocol's
     * own, are left out. Caisson-Purpose (0 to 63) is honoured in either way.
     */
    const struct csv_call_field *fields;
    uint32_t field_count;
    const void *content; /* NULL if 0 bytes */
    uint32_t content_size;
    /*
     * The response is handed out as it comes: csv_caller_moved(). Some are whole all the same, and
     * then come by csv_caller_finished() alone. `oblivious` asks for chunks, for this.
     */
    bool in_parts;
};

struct csv_call_response {
    uint32_t status; /* 200 .. 599, the service's word */
    const struct csv_call_field *fields;
    uint32_t field_count;
    const uint8_t *content;
    uint32_t content_size;
};

/* Why there is no response. */
struct csv_call_problem {
    csn_err err;                       /* see csv_call_result() */
    uint32_t status;                   /* for a client that speaks HTTP: 4xx, 502, 503 */
    bool maybe_served;                 /* it may have been served, and its answer lost */
    uint32_t retry_after;              /* seconds, or 0 */
    const char *type;                  /* a URI, static */
    const char *title;                 /* static */
    char detail[CSV_CALL_DETAIL_SIZE]; /* for people */
};

struct csv_call;

/*
 * Takes a request (copied). tag: the caller's own, for csv_call_tag(). CSN_OK: the call is the
 * caller's until csv_call_destroy(). CSN_ERR_ARGUMENT: not a request that HTTP allows;
 * CSN_ERR_LIMIT: too large for the way, or too many fields; CSN_BUSY: call_count_max of them are
 * there; CSN_ERR_MEMORY.
 */
CSN_API CSN_MUST_USE csn_err csv_call_start(struct csv_caller *caller,
                                            const struct csv_call_request *request, void *tag,
                                            struct csv_call **call);
/* A call that ended and was not handed out yet, or NULL. */
CSN_API struct csv_call *csv_caller_finished(struct csv_caller *caller);

/*
 * A call in parts that is under way and whose response has begun, or has more content, since it was
 * handed out here; or NULL. csv_call_response() has its head, and the content that came and was not
 * consumed. It ends in csv_caller_finished() as others do: with CSN_OK, and the last of the content
 * in its response; or with a problem: then csv_call_response() is there as well, if it had begun,
 * with what came last; that was the enclave's, but the rest is missing.
 */
CSN_API struct csv_call *csv_caller_moved(struct csv_caller *caller);
/* Forgets (wipes) the content that came so far of a response that began in parts. */
CSN_API void csv_call_consumed(struct csv_call *call);

/*
 * CSN_AGAIN: under way. CSN_OK: csv_call_response(). Else csv_call_problem():
 *   CSN_ERR_EVIDENCE, CSN_ERR_UNVERIFIED  the far end did not verify: nothing was sent
 *   CSN_ERR_AUTH    an answer came that is not the enclave's, or not to this request
 *   CSN_ERR_PEER    an answer came that is none of this protocol
 *   CSN_ERR_UNKNOWN the enclave does not know the credential, or its right
 *   CSN_BUSY        the gateway or the enclave has too much to do, or a quota is used up
 *   CSN_ERR_LIMIT   the gateway or the enclave takes no request of this size
 *   CSN_ERR_SYSTEM  no answer
 *   CSN_ERR_MEMORY, CSN_ERR_ENTROPY
 */
CSN_API csn_err csv_call_result(const struct csv_call *call);
CSN_API void *csv_call_tag(const struct csv_call *call);
/* NULL if there is none. Both live as long as the call. */
CSN_API const struct csv_call_response *csv_call_response(const struct csv_call *call);
CSN_API const struct csv_call_problem *csv_call_problem(const struct csv_call *call);
/* At any time: what is under way for it is forgotten when it comes. NULL allowed. */
CSN_API void csv_call_destroy(struct csv_call *call);

CSN_EXTERN_C_END

#endif
