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

struct cse_call; /* one record in the making; valid during the handler only */
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
 */
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
    const uint8_t *tenant; /* 32 bytes */
    const uint8_t *secret; /* 32 bytes, domain secret */
    const uint8_t *policy;
    uint32_t policy_size;
    uint32_t consumer_count;
    const struct csn_wire_consumer *consumers;
    struct cse_claims *claims; /* what evidence will say of this grant: cse_claim_grant() */
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

/* Stop for good: wipes the pool's secrets, prints nothing. code: 1..65535, for the host's log. */
CSN_NORETURN void cse_panic(uint32_t code);

#endif
