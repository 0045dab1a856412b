/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h: what a session keeps: tenants, their grants, their cached contexts, and one batch.
 *
 * Trust:    private memory. What comes from messages is checked before it is stored here, but for
 *           `fresh` contexts of the batch, which count only once a record of theirs authenticated.
 * Threads:  one worker.
 * Lifetime: carved once; each tenant has an arena of its own, wiped when its grant is replaced.
 */
#ifndef CSE_ENCLAVE_STATE_H
#define CSE_ENCLAVE_STATE_H

#include "../core/bytes.h"
#include "../core/window.h"
#include "../crypto/schedule.h"
#include "mutant.h"
#include "session.h"
#include <caisson/wire/claim.h>
#include <caisson/wire/message.h>

#define CSE_BATCH_MAX       CSN_WIRE_BATCH_COUNT_MAX
#define CSE_PENDING_MAX     64u        /* sealed answers that wait for one batch seal */
#define CSE_CODE_LATER      UINT32_MAX /* internal: end the run before this record */
#define CSE_INDEX_NONE      UINT32_MAX
#define CSE_LEDGER_MAX      (2 * CSN_WIRE_CREDENTIAL_COUNT_MAX)
#define CSE_CHALLENGE_COUNT 32768u /* issued last, that may still be used */
#define CSE_SLOT_OVERHEAD                                                                          \
    (sizeof(struct csn_wire_answer) + sizeof(struct csn_wire_record) + CSN_WIRE_ROUTE_SIZE_MAX +   \
     CSN_WIRE_TAG_SIZE)

/*
 * The key of a context's short answers, made when a hello is answered. Sealed answers that wait
 * point to it: it changes, and its context goes, only behind a flush.
 */
struct cse_replier {
    bool used;
    uint64_t counter; /* next: only rises under one salt */
    uint64_t epoch;   /* of the key */
    struct csn_short_reply about;
    struct csn_record_key key;
};

/* One producer context: made by a key exchange, or taken from the cache. */
struct cse_context {
    bool used;
    uint32_t next;       /* index chain in its bucket */
    uint32_t credential; /* index in the grant's list */
    struct csn_binding binding;
    uint8_t encapsulation[32];
    uint8_t salt[16];
    uint8_t context_id[32];
    uint8_t stream[16];
    uint64_t served;
    uint64_t refused;
    struct csn_record_secrets secrets;
    struct csn_record_key key;
    struct csn_sha256 id_prefix;
    struct csn_window window;
    struct cse_replier replier;
};

/* Enclave to consumer, made when the grant is accepted. */
struct cse_sender {
    uint8_t encapsulation[32];
    uint8_t salt[16];
    struct csn_record_secrets secrets;
    struct csn_record_key key;
    uint64_t sequence;   /* next */
    uint64_t salt_count; /* records under this salt */
};

struct cse_consumer {
    uint8_t key_id[8];
    struct cse_sender output;
    struct cse_sender field;
    /* the field context opened last (detokenize), valid where field_in_used */
    bool field_in_used;
    uint8_t field_in_encapsulation[32];
    struct csn_record_secrets field_in;
};

/* What evidence says of a grant beside its keys. */
struct cse_claims {
    uint32_t count;
    uint32_t count_max; /* the service's */
    struct {
        uint32_t label;
        uint8_t bytes[32];
    } list[CSN_WIRE_CLAIM_COUNT_MAX];
};

/* All that one grant made. Swapped whole: a refused grant never touches the one in force. */
struct cse_grant {
    uint64_t version;
    uint64_t open_failures_max;
    uint32_t flags;
    uint32_t purpose;
    uint32_t recipient_count;
    uint32_t consumer_count;
    uint32_t credential_count;
    uint32_t policy_size;
    uint8_t digest[32];
    uint8_t domain_secret[32];
    uint8_t key_ids[CSN_WIRE_RECIPIENT_COUNT_MAX][8];
    struct csn_wire_recipient recipients[CSN_WIRE_RECIPIENT_COUNT_MAX];
    struct csn_wire_consumer *wire_consumers; /* manifest->consumer_count_max */
    struct cse_consumer *consumers;           /* same count */
    struct csn_wire_credential *credentials;  /* manifest->credential_count_max */
    uint8_t *policy;                          /* manifest->policy_size_max */
    void *state;                              /* manifest->tenant_state_size */
    struct cse_claims claims;
};

/* What a credential used of its budget; kept over re-grants, also for ids that are gone. */
struct cse_ledger_line {
    uint64_t credential;
    uint64_t used;
};

struct cse_tenant {
    bool used;
    uint32_t index;
    uint8_t id[32];
    struct cse_grant *grant;
    uint64_t challenge_floor; /* older challenges are of an earlier grant */
    uint64_t context_floor;   /* older ones begin no context: one that they began was forgotten */
    uint64_t open_budget;     /* key exchanges that may still fail */
    uint32_t ledger_count;
    uint32_t window_count;          /* cached contexts in window mode */
    uint32_t window_fresh;          /* of the running batch */
    struct cse_ledger_line *ledger; /* CSE_LEDGER_MAX */
    struct cse_context *contexts;   /* context_count_max */
    uint64_t *last_used;            /* session clock, per context */
    uint32_t *buckets;              /* bucket_count heads of index chains */
};

/* One record of the batch on its way from bytes to an authenticated plaintext. */
struct cse_opening {
    uint32_t code; /* CSN_WIRE_DONE while nothing is wrong */
    bool hello;
    bool short_form;
    uint32_t size_class;
    uint32_t plain_size;
    uint32_t route_size;
    uint64_t sequence;
    struct cse_tenant *tenant;
    struct cse_context *context; /* in the cache, or one of session->fresh */
    uint8_t *route;
    uint8_t *plain;
    struct csn_wire_short_aad short_aad;
    struct csn_gcm_item *item; /* NULL where there is nothing to open */
};

/* How long the parts of a sealed answer are; decided before its handler runs. */
struct cse_shape {
    uint32_t head_size;   /* header and route */
    uint32_t result_size; /* the plaintext's beginning */
    uint32_t plain_size;  /* result, payload, zeros */
};

/* One answer on its way out; sealed and handed over with the others of its batch. */
struct cse_pending {
    uint32_t channel;
    uint64_t tag;
    bool final;
    bool alone;                    /* a short reply, which needs no head */
    struct csn_wire_answer answer; /* its head: code, and how many bytes */
    uint8_t *bytes;                /* what follows the head */
    struct cse_shape shape;
    uint32_t payload_size;            /* of a further output, until its record is done */
    struct csn_wire_short_aad aad;    /* of a short answer */
    struct csn_ohttp_answer *request; /* that it answers; NULL: a record */
    const struct cse_tenant *owner;   /* whose handler made it; NULL: none did */
};

struct cse_session {
    struct cse_session_options options;
    const struct csn_wire_manifest *manifest;
    uint64_t clock;                                     /* rises with each batch segment */
    uint64_t challenge_next;                            /* counter of the next challenge */
    uint64_t challenges_used[CSE_CHALLENGE_COUNT / 64]; /* a bit each, by counter */
    uint64_t hash_secret;                               /* so that nobody can aim at a bucket */
    bool locked;                                        /* single-tenant: by whom */
    uint8_t locked_tenant[32];
    uint32_t bucket_count;                /* power of two */
    uint32_t class_count;                 /* size classes that fit the manifest's limits */
    uint32_t rooms[CSN_WIRE_CLASS_COUNT]; /* csn_wire_output_room() of each */
    uint32_t tenant_count;                /* slots in use: a prefix of tenants[] */
    uint64_t *tenant_prefix;              /* first 8 bytes of each tenant id */
    struct cse_tenant *tenants;
    uint32_t known_handle; /* the last one of a record in the short form, and whose it is */
    struct cse_tenant *known_tenant;
    struct cse_context *known_context; /* NULL: none yet */
    struct cse_grant *spare;
    void *batch; /* the service's, kept over records */
    /* Makes durable what handlers put outside, before answers leave; NULL: they put nothing. */
    void (*settle)(struct cse_session *session);
    struct csn_scratch scratch; /* reset after each record */
    void *worker_state;         /* the service's, from start to end */
    struct cse_held *held;      /* manifest->held_max places */
    uint32_t held_count;        /* of them not free */
    uint32_t ended_count;       /* of those, whose last message waits for room */
    uint32_t wanting_count;     /* looks for room that failed in the last step */
    uint64_t step_count;
    const struct cse_outlet *outlet; /* during a step; else NULL */
    uint8_t instance_key_id[8];

    /* one batch */
    cse_sink sink;
    void *sink_state;
    uint32_t fresh_count;
    struct cse_opening openings[CSE_BATCH_MAX];
    struct csn_gcm_item items[CSE_BATCH_MAX];
    struct cse_context fresh[CSE_BATCH_MAX];
    uint32_t pending_count;
    struct cse_pending pending[CSE_PENDING_MAX];
    uint32_t seal_count;
    struct csn_gcm_item seal_items[CSE_PENDING_MAX];
    uint32_t reply_key_count;
    struct csn_record_key reply_keys[CSE_PENDING_MAX]; /* of replies in the full form */
    uint32_t request_answer_count;
    struct csn_ohttp_answer request_answers[CSE_PENDING_MAX];
    uint8_t *area; /* answers are built here */
    uint32_t area_size;
    uint32_t area_used;
};

/* What became of a record: what an answer says beside its payload. */
struct cse_outcome {
    enum csn_wire_status status;
    uint32_t flags; /* CSN_WIRE_RESULT_* */
    uint32_t payload_size;
    uint32_t detail;
    uint32_t handle;
    uint32_t part;
    uint32_t part_count;
};

/* Who an answer goes to and about what; see answer.c. */
struct cse_answer {
    struct cse_session *session;
    const struct cse_input *input;
    struct cse_tenant *tenant;
    struct cse_context *context;
    const struct cse_opening *opening;
    bool short_form;               /* a reply to a record in the short form */
    struct cse_consumer *consumer; /* NULL: a reply to the producer */
    const struct csn_wire_consumer *wire_consumer;
};

struct cse_call {
    struct cse_session *session;
    struct cse_answer answer;
    const struct csn_wire_credential *credential;
    uint32_t purpose;
    uint32_t detail;
    bool has_detail;
    struct cse_shape shape; /* of each output */
    uint32_t first;         /* index of the main output in session->pending */
    uint32_t emitted_count; /* further outputs, behind it until the handler is done */
    bool spread;            /* a request over HTTP: its slots are laid out by spread.c */
    struct cse_http *http;  /* that request; NULL: a record's own operation */
    struct cse_held *held;  /* its answer comes later */
    uint32_t offset;        /* of the content in each of those */
};

/* Bytes of each output behind its result. */
static inline uint32_t cse_call_room(const struct cse_call *call)
{
    return call->shape.plain_size - call->shape.result_size;
}

/* session.c: size classes whose inputs and outputs both fit the manifest's limits. */
uint32_t cse_class_count(const struct csn_wire_manifest *manifest);

static inline bool cse_has_routes(const struct cse_session *session)
{
    return session->options.service->route_count != 0;
}

/* ---- tenant.c ---- */
struct cse_tenant *cse_tenant_find(struct cse_session *session, const uint8_t id[32]);
/* The credential of that id, or NULL. */
const struct csn_wire_credential *cse_credential_find(const struct cse_grant *grant, uint64_t id);
/* A slot for a new tenant, not yet in use; NULL when all are taken. */
struct cse_tenant *cse_tenant_slot(struct cse_session *session);
void cse_tenant_install(struct cse_session *session, struct cse_tenant *tenant,
                        const uint8_t id[32]);
/* False when the ledger has no room for the grant's new credentials. */
bool cse_ledger_fits(const struct cse_tenant *tenant, const struct cse_grant *grant);
void cse_ledger_merge(struct cse_tenant *tenant, const struct cse_grant *grant);
bool cse_ledger_take(struct cse_session *session, struct cse_tenant *tenant,
                     const struct csn_wire_credential *credential, uint64_t count);
bool cse_open_charge(struct cse_tenant *tenant);
void cse_open_return(struct cse_tenant *tenant);
/* Worker 0: the list of keys and the digest in the boot region, from the tenants in slot order. */
void cse_made_write(struct cse_session *session);
uint32_t cse_made_count(const struct cse_session *session, const struct cse_tenant *without);

/* ---- context.c ---- */
struct cse_context *cse_context_find(const struct cse_session *session, struct cse_tenant *tenant,
                                     const struct csn_binding *binding,
                                     const uint8_t encapsulation[32]);
bool cse_context_matches(const struct cse_context *context, const struct csn_binding *binding,
                         const uint8_t encapsulation[32]);
/* By key exchange. CSN_ERR_AUTH: a low-order point. */
CSN_MUST_USE csn_err cse_context_make(struct cse_context *context,
                                      const struct csn_binding *binding,
                                      const uint8_t encapsulation[32],
                                      const struct cse_grant *grant, uint32_t credential,
                                      uint32_t recipient);
void cse_context_salt(struct cse_context *context, const uint8_t salt[16]);
/* Room for one more window context, when all of this batch's are there. */
bool cse_context_has_room(const struct cse_session *session, const struct cse_tenant *tenant);
/*
 * Into the cache; evicts one that this batch does not use: an idempotent one or, for a window
 * context once there are as many of those as may be, one of them. NULL: no room.
 */
struct cse_context *cse_context_insert(struct cse_session *session, struct cse_tenant *tenant,
                                       const struct cse_context *context);
void cse_context_touch(struct cse_session *session, struct cse_tenant *tenant,
                       const struct cse_context *context);
uint32_t cse_context_index(const struct cse_tenant *tenant, const struct cse_context *context);
void cse_context_wipe_all(struct cse_session *session, struct cse_tenant *tenant);
uint32_t cse_context_window_max(const struct csn_wire_manifest *manifest);

/* ---- record.c ---- */
bool cse_is_record(const struct cse_input *input);
/*
 * Parse, look up, make contexts: fills opening and, where there is something to open, its item.
 * False: earlier records of the run must be settled first.
 */
bool cse_record_prepare(struct cse_session *session, const struct cse_input *input,
                        struct cse_opening *opening, struct csn_gcm_item *item);
/* After the batch open: commit contexts to the cache, or set the code. */
void cse_record_settle(struct cse_session *session, struct cse_opening *opening);

/* ---- answer.c ---- */
/*
 * The first of up to count sealed answers to one input, after a flush if there is no room for all;
 * the others are taken by cse_answer_slot(). Payloads go to cse_answer_payload().
 */
struct cse_pending *cse_answer_begin(struct cse_session *session, const struct cse_input *input,
                                     const struct cse_shape *shape, uint32_t count);
struct cse_pending *cse_answer_slot(struct cse_session *session, const struct cse_input *input,
                                    const struct cse_shape *shape);
uint8_t *cse_answer_payload(struct cse_pending *pending);
/* A hello's: a fresh salt, a key from it, counters from 0. No answer of the context may wait. */
void cse_replier_begin(struct cse_session *session, const struct cse_grant *grant,
                       struct cse_context *context);
/* Before slots are taken for up to count answers: they fit the key's epoch. */
void cse_replier_refresh(struct cse_session *session, struct cse_context *context, uint32_t count);
/* An answer without a seal: a code, or a challenge. */
void cse_answer_plain(struct cse_session *session, const struct cse_input *input, uint32_t code,
                      const void *body, uint32_t size);
/* Header, result and padding of one sealed answer; its payload is already in place. */
void cse_answer_finish(struct cse_session *session, struct cse_pending *pending,
                       const struct cse_answer *answer, const struct cse_outcome *outcome);
/* Gives back all slots from that one on. */
void cse_answer_drop(struct cse_session *session, uint32_t first);
/* Have the service do what its handlers put off. */
void cse_answer_complete(struct cse_session *session);
/* Those of that tenant from the first-th on say that the service cannot be had. */
void cse_answer_withdraw(struct cse_session *session, uint32_t first, const uint8_t tenant[32]);
/* Gives back the slots behind the first pending_count, which were taken last. */
void cse_answer_keep(struct cse_session *session, uint32_t pending_count);
/* Seal what waits, hand it over in order. */
void cse_answer_flush(struct cse_session *session);
/* A fresh salt, hence a fresh key and iv. */
void cse_sender_salt(struct cse_session *session, struct cse_sender *sender);
void cse_sender_refresh(struct cse_session *session, struct cse_sender *sender, uint32_t count);
void cse_sender_header(struct cse_sender *sender, struct csn_wire_record *header);
void cse_random_or_panic(struct cse_session *session, void *bytes, size_t size);
/* What a receipt is about; sealed under the grant's own context. */
struct cse_receipt {
    const struct csn_wire_grant *header;
    uint8_t tenant[32];
    uint8_t digest[32];
    uint8_t reply[32];
    enum csn_wire_status status;
    uint32_t detail;
};
void cse_answer_receipt(struct cse_session *session, const struct cse_input *input,
                        const struct cse_receipt *receipt);

/* ---- grant.c, call.c, request.c ---- */
/* The smallest room of any class that holds size bytes, and at most `otherwise`. */
uint32_t cse_smallest_room(const struct cse_session *session, uint32_t size, uint32_t otherwise);
void cse_grant_take(struct cse_session *session, const struct cse_input *input);
void cse_request_take(struct cse_session *session, const struct cse_input *input);
/*
 * Runs the operation that the prelude names, if the call's credential may; on OK *size bytes are in
 * output, at most room. CSE_LATER: the call is held, and cse_held_begin() is to be called.
 */
enum csn_wire_status cse_run(struct cse_call *call, const struct csn_wire_prelude *prelude,
                             const uint8_t *payload, uint8_t *output, uint32_t room,
                             uint32_t *size);
void cse_serve(struct cse_session *session, const struct cse_input *input,
               const struct cse_opening *opening);
bool cse_context_is_fresh(const struct cse_session *session, const struct cse_context *context);

#endif
