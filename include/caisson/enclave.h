/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclave.h: what the author of an enclave writes against.
 *
 * An enclave is a manifest, a table of operations and, if it wants, state per tenant that is built
 * from the policy in that tenant's grant. Everything else (start-up, rings, keys, grants, records,
 * replay, sealing, waiting) is libcaisson-enclave's.
 *
 * Trust:    inputs are authenticated records of one tenant, in private memory; the tenant may still
 *           send nonsense. Handlers never see the host, rings, headers of other tenants or clocks.
 * Threads:  one worker at a time per call; nothing is shared between workers.
 * Memory:   no allocation. Scratch is reset after each record.
 * Builds:   freestanding; hosted too, for tests and fuzzers.
 */
#ifndef CAISSON_ENCLAVE_H
#define CAISSON_ENCLAVE_H

#include <caisson/base.h>
#include <caisson/wire/grant.h>
#include <caisson/wire/manifest.h>
#include <caisson/wire/record.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cse_outside; /* what the host keeps for the enclave: enclave_store.h */
struct cse_call;    /* one record in the making; valid during the handler only */
struct cse_held;    /* a call whose answer comes later; valid until it is finished or dropped */
struct cse_step;    /* one run of the step hook; valid during it only */
struct cse_statements;
struct cse_claims;

/* Status of a handler goes, sealed, to the tenant; the host sees the same "done" for all. */
typedef enum csn_wire_status cse_status;

/*
 * Serve one record. input: input_size private bytes (the payload, prelude stripped). output: room
 * for output_size_max bytes; set *output_size. On a status other than OK what was written to
 * output is not sent (a tombstone of the same size class is); cse_fail_at() may add an offset. A
 * status above CSN_WIRE_STATUS_LAST becomes INTERNAL.
 */
typedef cse_status (*cse_handler)(struct cse_call *call, const uint8_t *input, uint32_t input_size,
                                  uint8_t *output, uint32_t output_size_max, uint32_t *output_size);

/* A handler's answer comes later: it called cse_hold(). See "Answers that come later" below. */
#define CSE_LATER ((cse_status)UINT32_C(0x10000))

struct cse_operation {
    uint16_t id;             /* unique in the table */
    uint32_t input_size_max; /* larger payloads are refused before the handler runs */
    uint32_t rights;         /* CSN_WIRE_RIGHT_* that the credential must have, all of them */
    cse_handler handler;
};

/*
 * An operation for clients that speak HTTP: which requests it serves. Such a request comes sealed
 * (oblivious HTTP), or as the payload of a record; its content is the handler's input, and what the
 * handler puts out is the content of the answer, or, on another status than OK, a problem
 * (RFC 9457) under the HTTP status that goes with it. A service that is not deterministic
 * (manifest) gets each request once only: the runtime asks for a challenge.
 *
 * One segment of a path may be "{}", as in "/v1/keys/{}/rotate": it stands for one segment of 1 to
 * 64 letters, digits, '.', '_' and '-', which cse_route_name() gives to the handler. The first
 * route of the table whose path and method fit serves the request, so put "/v1/keys/all" before
 * "/v1/keys/{}".
 */
#define CSE_ROUTE_NAME_MAX 64u
struct cse_route {
    const char *method;      /* "POST" */
    const char *path;        /* "/v1/echo": compared as it stands, queries are not cut off */
    uint16_t operation;      /* id in the table of operations */
    const char *input_type;  /* media type that the content must have; NULL: any, or none */
    const char *output_type; /* media type of the answer's content, at most 63 characters */
};

/*
 * Build the tenant's service state from the policy of a grant that has just been verified.
 * state: tenant_state_size bytes (manifest), zeroed, the tenant's own. secret: the grant's domain
 * secret. Not CSN_OK: the grant is refused whole and the previous one stays in force.
 */
struct cse_grant_view {
    const uint8_t *tenant;       /* 32 bytes */
    const uint8_t *secret;       /* 32 bytes, domain secret */
    struct cse_outside *outside; /* enclave_store.h; NULL without CSN_WIRE_FLAG_STORE */
    const uint8_t *policy;
    uint32_t policy_size;
    uint32_t consumer_count;
    const struct csn_wire_consumer *consumers;
    void *worker_state;        /* see cse_worker_state() */
    struct cse_claims *claims; /* what evidence will say of this grant: cse_claim_grant() */
    uint64_t features;         /* CSN_WIRE_FEATURE_* of the machine, as its launcher says */
};
typedef csn_err (*cse_grant_hook)(void *state, const struct cse_grant_view *grant);

struct cse_service {
    const struct cse_operation *operations;
    uint32_t operation_count;
    const struct cse_route *routes; /* optional: with none the image takes no requests over HTTP */
    uint32_t route_count;
    cse_grant_hook grant;  /* optional: NULL accepts an empty policy only */
    uint64_t purpose_mask; /* purposes of grants that this enclave serves; bit 0 = general */
    /*
     * Optional: work on outputs that handlers put off, so that values of many records are
     * encrypted or hashed side by side. batch_size bytes of the scratch (part of the manifest's
     * scratch_size), zero at first, are kept from record to record: cse_batch(). complete() does
     * all that was put off; it runs before any output is sealed and before any grant is replaced.
     * Put off only what writes inside the output of a record whose handler returns OK, and copy
     * what comes from input or scratch: they are gone by then. cse_emit() copies at once.
     */
    uint32_t batch_size;
    void (*complete)(void *batch);
    /*
     * Optional: work that no message asks for: answers that come later, and what the worker does
     * between batches. Called after each batch, again while it returns true (more can be done now),
     * and while calls are held and nothing else is to do. It does a bounded piece of work, because
     * messages wait meanwhile. What it sends leaves when it returns, at the latest. When it
     * returned false the worker may sleep until a message comes, or room for an answer that
     * cse_held_room() or cse_held_emit() found wanting.
     */
    bool (*step)(void *worker_state, struct cse_step *step);
    /*
     * With held calls: the one at that index is over, and its answer is not wanted any more: its
     * tenant's grant was replaced, the host cancelled it, or its channel is broken. Wipe what was
     * kept for it; its struct cse_held is gone when this returns. Nothing may be sent from here.
     */
    void (*dropped)(void *worker_state, uint32_t index);
    /* Optional (vouch.h): &cse_statements, and how many claims a grant may have in the evidence. */
    const struct cse_statements *statements;
    uint32_t claim_count; /* at most CSN_WIRE_CLAIM_COUNT_MAX */
};

/* Exactly one of each per image. CSE_MANIFEST puts the note into the image. */
#define CSE_MANIFEST(...)                                                                          \
    __attribute__((section(".note.caisson"), used, aligned(4)))                                    \
    const struct cse_manifest_note cse_manifest_note = {                                           \
        .name_size = 8,                                                                            \
        .desc_size = sizeof(struct csn_wire_manifest),                                             \
        .type = CSN_WIRE_NOTE_TYPE,                                                                \
        .note_name = CSN_WIRE_NOTE_NAME,                                                           \
        .manifest = {                                                                              \
            .magic = CSN_WIRE_MANIFEST_MAGIC, .abi_version = CSN_WIRE_ABI_VERSION, __VA_ARGS__}}

/* As ELF wants it: 12 bytes of note header, 8 of name, then the manifest, 4-byte aligned. */
struct cse_manifest_note {
    uint32_t name_size;
    uint32_t desc_size;
    uint32_t type;
    char note_name[8];
    struct csn_wire_manifest manifest;
} __attribute__((packed, aligned(4)));

extern const struct cse_manifest_note cse_manifest_note;
extern const struct cse_service cse_service;

/* ---- what a handler may ask ---- */

/* The tenant's service state (as built by the grant hook). */
void *cse_state(struct cse_call *call);
const uint8_t *cse_tenant(const struct cse_call *call); /* 32 bytes */
uint32_t cse_rights(const struct cse_call *call);
uint64_t cse_field_mask(const struct cse_call *call);
uint32_t cse_purpose(const struct cse_call *call);
/* Take count from the credential's budget: all or nothing; false when not enough is left. */
bool cse_budget_take(struct cse_call *call, uint64_t count);
/* Scratch, reset after the record; NULL when exhausted: answer with CSN_WIRE_STATUS_LIMIT. */
void *cse_scratch(struct cse_call *call, uint32_t size);
/*
 * The worker's own: worker_state_size bytes (manifest), zeroed at start, 64-byte aligned, never
 * touched by the runtime after that. It is of all tenants: keep apart what belongs to each.
 */
void *cse_worker_state(struct cse_call *call);
/* What stood in the request's path for the "{}" of its route; NULL without, and for records. */
const char *cse_route_name(const struct cse_call *call, uint32_t *size);
/* The worker's batch memory, 64-byte aligned; only with a batch_size. */
void *cse_batch(struct cse_call *call);
/* Fresh random bytes; false only if the generator failed, then the enclave stops. */
bool cse_random(struct cse_call *call, void *bytes, uint32_t size);
/* Where the input was wrong: goes into result.detail of the tombstone. */
void cse_fail_at(struct cse_call *call, uint32_t offset);

/*
 * Seal one value to a consumer of the grant, as a full-form record of direction FIELD (prelude and
 * size classes do not apply: cipher_size = size). output_size_max must be at least
 * CSE_FIELD_OVERHEAD + size. cse_field_open: only where the grant holds that consumer's secret key,
 * and only what was sealed for the same place.
 * place: what the value is to the service, a number of its own that decides who may have it back
 * (tokenize: a hash of the path). It is authenticated: a value cannot be moved to another place.
 */
#define CSE_FIELD_OVERHEAD (sizeof(struct csn_wire_record) + CSN_WIRE_TAG_SIZE)
CSN_MUST_USE csn_err cse_field_seal(struct cse_call *call, uint32_t consumer, uint64_t place,
                                    const uint8_t *value, uint32_t size, uint8_t *output,
                                    uint32_t output_size_max, uint32_t *output_size);
CSN_MUST_USE csn_err cse_field_open(struct cse_call *call, uint64_t place, const uint8_t *sealed,
                                    uint32_t size, uint8_t *output, uint32_t output_size_max,
                                    uint32_t *output_size);

/* Another output for the same input, to the same receiver; at most outputs_per_input_max - 1. */
CSN_MUST_USE csn_err cse_emit(struct cse_call *call, const uint8_t *output, uint32_t size);

/*
 * ---- Answers that come later ----
 *
 * A handler that has only begun when it returns calls cse_hold() and returns CSE_LATER. Its input,
 * scratch and output are gone then: copy what is needed. From the step hook the answer is sent in
 * parts, each sealed and on its way at once, and ended by cse_held_finish(). Up to held_max
 * (manifest) calls of each worker are held at a time.
 *
 * The parts of a record arrive as its outputs, those of a request in the chunked form as its
 * chunks: in order, none missing, the last one marked. A request in the other form, whose answer
 * is one piece, has its parts collected: no more than cse_held_part_max() bytes in all.
 *
 * The host sees when a part leaves and its size class: the smallest one that holds it. Parts of
 * "text/event-stream" in chunks are filled up to it with a comment line, so each ends with a line
 * of its own; other types in chunks are as long as they are. A service that must not show how long
 * its parts are makes all of them fit the smallest class, and sends them at a pace that says
 * nothing.
 *
 * A deterministic service (manifest) cuts its answers into the same parts each time.
 *
 *     static cse_status count(struct cse_call *call, ...)          // the handler
 *     {
 *         struct session *sessions = cse_worker_state(call);
 *         struct cse_held *held = cse_hold(call);
 *         if (held == NULL) {
 *             return CSN_WIRE_STATUS_BUSY;
 *         }
 *         sessions[cse_held_index(held)] = (struct session){.held = held, .left = input[0]};
 *         return CSE_LATER;
 *     }
 *     static bool step(void *worker_state, struct cse_step *step)  // the step hook
 *     {
 *         for each session in use:
 *             if (cse_held_room(session->held)) {
 *                 if (session->left != 0) {
 *                     cse_held_emit(session->held, "tick", 4); session->left--; more = true;
 *                 } else {
 *                     cse_held_finish(session->held, CSN_WIRE_STATUS_OK, NULL, 0);
 *                     wipe session
 *                 }
 *             }
 *         return more;
 *     }
 *     static void dropped(void *worker_state, uint32_t index) { wipe sessions[index] }
 *
 * tests/images/ticker.c is this in full.
 */

/*
 * Keeps the call. NULL: all places are taken, outputs were emitted already or go to a consumer (who
 * gets whole ones), or the answer's class has no room for a response's head; answer with BUSY. If
 * the handler then returns another status than CSE_LATER, that is the answer, and the place is free
 * again without a word to dropped().
 */
struct cse_held *cse_hold(struct cse_call *call);
/* 0 .. held_max - 1, the same until it is finished or dropped. */
uint32_t cse_held_index(const struct cse_held *held);
/* In the step hook: the call held at index, or NULL. */
struct cse_held *cse_held_at(struct cse_step *step, uint32_t index);
/* As for a call; only in the step hook. */
void *cse_held_state(const struct cse_held *held);
const uint8_t *cse_held_tenant(const struct cse_held *held); /* 32 bytes */
bool cse_held_budget_take(struct cse_held *held, uint64_t count);
/* Bytes of the largest part, of the whole answer where parts are collected. */
uint32_t cse_held_part_max(const struct cse_held *held);
/* True: a part of any size can be sent now. If not, the step hook is called when it can. */
bool cse_held_room(struct cse_held *held);
/*
 * One part. CSN_AGAIN: no room now. CSN_ERR_SPACE: larger than cse_held_part_max(), or, collected,
 * more than that in all. CSN_ERR_LIMIT: 65,534 parts were sent. CSN_ERR_STATE: not in the step
 * hook. In each of these cases nothing was sent.
 */
CSN_MUST_USE csn_err cse_held_emit(struct cse_held *held, const uint8_t *bytes, uint32_t size);
/*
 * The last part, at most cse_held_part_max() bytes, may be empty; only in the step hook. It needs
 * no room: it waits where there is none. held is gone when this returns. A status other than OK:
 * bytes are not sent, a tombstone or problem is; where parts of a response over HTTP have left
 * already it ends without the final mark instead, which its client sees as cut off.
 */
void cse_held_finish(struct cse_held *held, cse_status status, const uint8_t *bytes, uint32_t size);
/* As cse_random() and cse_scratch(), in the step hook; scratch is reset when it returns. */
bool cse_step_random(struct cse_step *step, void *bytes, uint32_t size);
void *cse_step_scratch(struct cse_step *step, uint32_t size);
/*
 * In a handler: the answer's media type is not the route's. A constant of at most 63 characters,
 * and, of an answer that does not come later, no longer than the route's own (else INTERNAL).
 * Without effect on records, and on problems.
 */
void cse_answer_type(struct cse_call *call, const char *type);

/* Stop for good: wipes the pool's secrets, prints nothing. code: 1..65535, for the host's log. */
CSN_NORETURN void cse_panic(uint32_t code);

#endif
