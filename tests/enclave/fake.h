/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake.h: a session in this process: no rings, no backend, the real session code.
 *
 * Threads: one. Memory: allocated by fake_start(), freed by fake_stop(); answers are kept until the
 * next fake_send().
 */
#ifndef TESTS_ENCLAVE_FAKE_H
#define TESTS_ENCLAVE_FAKE_H

#include "../../src/enclave/outside.h"
#include "../../src/enclave/session.h"
#include "../../src/verify/recipient.h"
#include <caisson/client.h>

#define FAKE_ANSWER_MAX 256
#define FAKE_RECORD_MAX 131072

struct fake_answer {
    uint64_t tag;
    bool final;
    bool alone; /* without a head, as short replies come */
    uint32_t code;
    uint32_t size; /* of body */
    uint8_t *body; /* 8-byte aligned */
};

struct fake {
    struct csn_wire_manifest manifest;
    struct cse_instance instance;
    uint8_t measurement[48];
    struct csn_wire_boot_made *made;
    struct csn_wire_boot_stats stats;
    struct csn_random random;
    struct csn_pool pool;
    struct cse_session *session;
    const struct cse_tending *tending;
    uint32_t room; /* messages that a step still may send; FAKE_ROOM: any number */
    struct cse_outside *outside;
    void *memory;
    uint8_t *inputs;   /* what the last batch was given: must be wiped */
    uint64_t tag_base; /* tag of a batch's first message */
    uint32_t answer_count;
    uint32_t answer_bytes;
    struct fake_answer answers[FAKE_ANSWER_MAX];
    uint8_t *answer_memory;
};

/* Operations of the service that fakes run: see fake.c. */
#define FAKE_ECHO    1u  /* payload back */
#define FAKE_SECRET  2u  /* needs the detokenize right; takes 1 of the budget */
#define FAKE_FAIL    3u  /* status malformed at offset 7 */
#define FAKE_TWICE   4u  /* emits the payload, then outputs it */
#define FAKE_FIELD   5u  /* the payload sealed as a field to consumer 0 */
#define FAKE_UNFIELD 6u  /* opens such a field */
#define FAKE_FULL    7u  /* fills the whole output with 0x5a, says size 0 */
#define FAKE_MOVED   8u  /* opens a field as if it were of another place */
#define FAKE_LATE    9u  /* the payload back, put off until the batch is complete */
#define FAKE_GREEDY  11u /* takes scratch until there is none, then says so */
#define FAKE_STATUS  12u /* a status of its own, 256 */
#define FAKE_SMALL   13u /* as ECHO, of at most 8 bytes */
#define FAKE_NAME    14u /* the name in the request's path, or "none" */
#define FAKE_TYPE    16u /* as ECHO; the payload is also the answer's media type */
#define FAKE_ROOM    UINT32_MAX
#define FAKE_WORKER  15u /* adds the payload's bytes to a sum of the worker's, and gives that */
extern const struct cse_service fake_service;

struct fake_options {
    uint32_t flags; /* manifest */
    uint32_t worker;
    uint32_t worker_count;
    uint32_t tenant_count_max;
    uint32_t context_count_max;
    const struct cse_instance *instance; /* NULL: a fresh one */
    const struct cse_service *service;   /* NULL: fake_service */
    uint32_t tenant_state_size;          /* of that service; 0: what fake_service needs */
    uint32_t scratch_size;
    uint32_t worker_state_size; /* 0: what fake_service needs */
    uint32_t held_max;
    uint32_t output_scale; /* with output_extra; both 0: 24 and 176, as tokenize */
    uint32_t output_extra;
    const struct cse_outside_port *store; /* NULL: the manifest has no store */
};
void fake_start(struct fake *fake, const struct fake_options *options);
void fake_stop(struct fake *fake);

struct fake_message {
    const void *bytes;
    uint32_t size;
};
/* One batch; answers are in fake->answers afterwards. */
void fake_send(struct fake *fake, const struct fake_message *messages, uint32_t count);
/* One message; its only (or last) answer. */
const struct fake_answer *fake_one(struct fake *fake, const void *bytes, uint32_t size);
/* One step of the service: what it sends is behind the answers there are. True: there is more. */
bool fake_step(struct fake *fake);
/* Whether the run loop would step again because there is room. */
bool fake_has_waited(struct fake *fake);
/* The recipient that a verifier would return for this instance. */
struct csv_recipient fake_recipient(const struct fake *fake);

/* A tenant with one consumer ("sink"), producer 0 to it, producer 1 that gets replies. */
struct fake_tenant {
    struct csv_tenant tenant;
    struct csv_consumer consumer;
    struct csv_credential producer;
    struct csv_credential replier;   /* with the right to detokenize, budget 5, purposes 0 and 1 */
    struct csv_credential asker;     /* as replier, and may send requests with a proof for each */
    struct csv_credential bearer;    /* sends requests with a token, and may not detokenize */
    struct csv_credential deliverer; /* may do both, but its outputs go to the sink */
    struct csv_recipient recipient;
    struct csv_grant grant;
    const void *policy; /* NULL: what fake_service takes */
    uint32_t policy_size;
    uint8_t message[65536];
    uint32_t message_size;
};
void fake_tenant_new(struct fake_tenant *tenant);
/* Builds a grant for the fake's instance. */
void fake_grant_build(const struct fake *fake, struct fake_tenant *tenant, uint64_t version);
/* Builds, sends, and checks that the receipt says yes. */
void fake_grant(struct fake *fake, struct fake_tenant *tenant, uint64_t version);

#endif
