/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h: from ring messages to sealed answers: grants, contexts, records, replay.
 *
 * Trust:    messages are private copies of hostile bytes; after a record authenticated its payload
 *           is a tenant's, who may still send nonsense.
 * Threads:  one worker owns a session; workers share nothing but the read-only instance.
 * Memory:   carved from the pool by cse_session_init(), nothing after that.
 * Builds:   freestanding; hosted too, for tests and fuzzers.
 */
#ifndef CSE_ENCLAVE_SESSION_H
#define CSE_ENCLAVE_SESSION_H

#include "core/pool.h"
#include "core/ring.h"
#include "crypto/random.h"
#include "ohttp/ohttp.h"
#include <caisson/base.h>
#include <caisson/enclave.h>
#include <caisson/wire/boot.h>
#include <caisson/wire/channel.h>
#include <caisson/wire/manifest.h>
#include <stdbool.h>
#include <stdint.h>

/* One per enclave, made by worker 0 before any other worker goes on; then read-only. */
struct cse_instance {
    uint8_t secret_key[32]; /* HPKE instance key: opens grants, nothing else */
    uint8_t public_key[32];
    uint8_t boot_id[16];
    struct csn_ohttp_key request_key; /* opens requests; zero if the service has no routes */
    uint8_t statement_secret[64];     /* signs statements; zero if the service makes none */
    uint8_t statement_public[32];
    struct csn_wire_boot_given given; /* the one copy of what the launcher gave */
};

struct cse_session;

struct cse_session_options {
    const struct csn_wire_manifest *manifest;
    const struct cse_service *service;
    const struct cse_instance *instance;
    const uint8_t *measurement;      /* 48 bytes, boot given.measurement */
    struct csn_wire_boot_made *made; /* worker 0 lists recipient keys here; NULL for the others */
    struct csn_wire_boot_stats
        *stats;                /* this worker's; records_* and scratch_high_water are ours */
    struct csn_random *random; /* this worker's */
    uint32_t worker;
    struct cse_outside *outside;        /* NULL: the image has no store */
    const struct cse_tending **tending; /* set to what the loop is to tend, if anything; or NULL */
};

/* Where messages go that a step sends; in what follows, how the run loop has steps done. */
struct cse_outlet {
    void (*sink)(void *state, uint32_t channel, uint64_t tag, bool final,
                 const struct csn_ring_piece pieces[2]); /* as a cse_sink */
    /* True: a message of so many bytes finds room now. */
    bool (*room)(void *state, uint32_t channel, uint32_t size);
    void *state;
};

struct cse_tending {
    bool (*is_holding)(const struct cse_session *session);
    /* The service's step, between batches: true if more can be done now. */
    bool (*step)(struct cse_session *session, const struct cse_outlet *outlet);
    /* The second look before a worker sleeps: room is there that the last step lacked. */
    bool (*has_waited)(struct cse_session *session, const struct cse_outlet *outlet);
    /* A channel is broken for good. */
    void (*lost)(struct cse_session *session, uint32_t channel);
};

/* Bytes that cse_session_init() carves from a pool, alignment included. */
uint64_t cse_session_pool_size(const struct csn_wire_manifest *manifest);
/*
 * CSN_ERR_MEMORY: the pool is too small. CSN_ERR_ARGUMENT: limits of the manifest that contradict
 * each other. CSN_ERR_ENTROPY: the generator failed.
 * If made is given, key 0 (the instance key) and config_digest are written here as well.
 */
CSN_MUST_USE csn_err cse_session_init(struct cse_session **session, struct csn_pool *pool,
                                      const struct cse_session_options *options);

/*
 * One ring message: bytes is a private, writable copy (8-byte aligned), opened in place and wiped.
 */
struct cse_input {
    uint64_t tag;
    uint8_t *bytes;
    uint32_t size;    /* bytes, at most manifest->input_size_max */
    uint32_t channel; /* index within the worker; for the sink alone, decides nothing */
    const struct csn_shared *ahead; /* as many bytes to ask for meanwhile, or NULL; never read */
};

/*
 * Called once or more per input, in the order of the inputs; the last answer to an input has final
 * set. The caller reserved credit for outputs_per_input_max messages of output_size_max bytes per
 * input beforehand, so a sink cannot fail.
 */
typedef void (*cse_sink)(void *state, uint32_t channel, uint64_t tag, bool final,
                         const struct csn_ring_piece pieces[2]);

/* count: at most CSN_WIRE_BATCH_COUNT_MAX. */
void cse_session_batch(struct cse_session *session, const struct cse_input *inputs, uint32_t count,
                       cse_sink sink, void *state);

#endif
