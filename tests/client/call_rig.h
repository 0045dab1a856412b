/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_rig.h: a gateway in this process for clients of call.h: real sessions behind it, evidence of
 * a made-up platform about them, and a place where a test may spoil each of its answers.
 *
 * Everything that a client lets out is kept, so that a test can look for what must not be there.
 */
#ifndef TESTS_CLIENT_CALL_RIG_H
#define TESTS_CLIENT_CALL_RIG_H

#include "../enclave/fake.h"
#include "../verify/rig.h"
#include <caisson/call.h>

#define CALL_BOOTS        2u
#define CALL_SENT_MAX     (8u << 20)
#define CALL_ANSWER_MAX   (1u << 20)
#define CALL_NOW          INT64_C(1800000000)
#define CALL_HELD_MAX     64u
#define CALL_CANARY       "canary-4711-in-clear"
#define CALL_RECORDS_TYPE "application/vnd.caisson.records"
#define CALL_ANSWERS_TYPE "application/vnd.caisson.answers"
#define CALL_PROBLEM_TYPE "application/problem+json"

enum call_what { CALL_EVIDENCE, CALL_KEYS, CALL_RECORDS, CALL_OBLIVIOUS, CALL_WHAT_COUNT };

struct call_answer {
    enum call_what what;
    uint64_t id;
    uint32_t status; /* 0: none */
    const char *content_type;
    const char *retry_after;
    char worker[200];
    uint8_t *body; /* CALL_ANSWER_MAX bytes of room */
    size_t size;
};

struct call_gateway {
    struct fake boots[CALL_BOOTS];
    struct rig rig; /* whoever makes evidence */
    struct fake_tenant tenant;
    uint32_t current; /* which boot new requests go to */
    bool twice;       /* all of them are delivered twice, and the second answer given */
    struct csv_policy *policy;
    uint32_t counts[CALL_WHAT_COUNT];
    uint32_t record_sizes[16]; /* of the last POST /records */
    uint32_t record_count;
    /* Called on each answer before it goes back. May do anything to it. */
    void (*spoil)(struct call_gateway *gateway, const struct csv_fetch *fetch,
                  struct call_answer *answer);
    uint32_t spoilt; /* the hook's own */
    uint8_t *kept;   /* the hook's own: an answer from before */
    size_t kept_size;
    uint8_t *guarded; /* an answer's last byte is the last one that may be read */
    uint8_t *sent;    /* all that came, heads and bodies */
    size_t sent_size;
    struct call_answer held[CALL_HELD_MAX];
    uint32_t held_count;
    int64_t now;
};

/* Boots with these options. */
void call_gateway_start(struct call_gateway *gateway, const struct fake_options *options);
void call_gateway_stop(struct call_gateway *gateway);
/* Evidence about a boot, over a nonce, into body; returns its size. */
size_t call_evidence(struct call_gateway *gateway, uint32_t boot, const uint8_t nonce[32],
                     uint8_t *body);
void call_keys(const struct call_gateway *gateway, uint32_t boot, struct call_answer *answer);
/* A problem instead of what was there. */
void call_problem(struct call_answer *answer, uint32_t status, const char *type);

/* A caller of this gateway; options may be NULL, its policy and credential are the gateway's. */
struct csv_caller *call_caller(struct call_gateway *gateway,
                               const struct csv_caller_options *options);
/* POST, with content that has the canary in it. */
struct csv_call *call_start(struct csv_caller *caller, const char *path, const char *content);
/* Does what the caller asks for, and holds the answers; returns how many. */
uint32_t call_ask(struct call_gateway *gateway, struct csv_caller *caller);
/* Gives the answer at index of those held. */
void call_give(struct call_gateway *gateway, struct csv_caller *caller, uint32_t index);
/* Both, until nothing is left to do. */
void call_run(struct call_gateway *gateway, struct csv_caller *caller);
/* Run, and the call's result; what went out had no canary in it. */
csn_err call_result(struct call_gateway *gateway, struct csv_caller *caller, struct csv_call *call);
/* The bytes are nowhere in what went out. */
bool call_sent(const struct call_gateway *gateway, const void *bytes, size_t size);

#endif
