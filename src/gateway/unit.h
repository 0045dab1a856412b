/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit.h: one running enclave of a service: its thread, its channels, its life.
 *
 * Threads:  the loop owns the unit. What may take long (to start an enclave, to end it, to have
 *           evidence signed) is done by the unit's own thread, which hands back through the box and
 *           the loop's event descriptor. Between csn_unit_start() and the state after it, the
 *           enclave and its pumps are the thread's; then they are the loop's.
 */
#ifndef CSN_GATEWAY_UNIT_H
#define CSN_GATEWAY_UNIT_H

#include "attest.h"
#include "config.h"
#include "pump.h"
#include "signed_image.h"
#include "store_place.h"
#include "view.h"
#include <pthread.h>

enum csn_unit_state {
    CSN_UNIT_STARTING, /* the thread is at it */
    CSN_UNIT_GRANTING, /* serves evidence and takes grants */
    CSN_UNIT_CURRENT,  /* its keys are published */
    CSN_UNIT_RETIRING, /* its keys are still taken */
    CSN_UNIT_DOWN,     /* crashed, or did not start; retry_ns says when it is tried again */
    CSN_UNIT_ENDING,   /* the thread ends it for good */
    CSN_UNIT_ENDED,    /* may be freed */
};

/* One nonce to be answered. The asker's memory, until done() was called, by the loop. */
struct csn_unit_nonce {
    uint8_t nonce[32];
    void (*done)(struct csn_unit_nonce *nonce);
    void *state;
    uint8_t *bundle; /* malloc'd, the asker frees it; NULL: detail says why */
    size_t bundle_size;
    struct csn_detail detail;
    struct csn_unit_nonce *next;
};

struct csn_unit_nonces {
    struct csn_unit_nonce *first;
    struct csn_unit_nonce **last;
};

/* How to run it; what it points to outlives the unit. */
struct csn_unit_plan {
    struct csn_config_service service;
    struct csn_config *config; /* whose texts these are: held */
    struct csn_platform platform;
    /* Before the image runs; NULL: nothing. In the unit's thread. */
    csn_err (*extend)(void *state, const uint8_t measurement[48], struct csn_detail *detail);
    void *extend_state;
    int event_fd; /* the loop's */
};

struct csn_unit {
    /* set at the beginning */
    struct csn_unit_plan plan;
    uint32_t slot;   /* which of the service's instances */
    uint64_t serial; /* of all units of the process */

    /* the loop's */
    enum csn_unit_state state;
    struct csn_enclave *enclave;
    uint32_t worker_count;
    struct csn_pump pumps[CSN_MAP_WORKER_COUNT_MAX]; /* channel 0 of each worker */
    struct csn_signed_image image;                   /* bytes: the thread's */
    struct csn_store_place place;                    /* the thread's */
    struct csn_enclave_report report;
    uint8_t boot_id[16];
    uint8_t ohttp_keys[CSN_WIRE_OHTTP_KEYS_SIZE];
    uint32_t ohttp_keys_size; /* 0: takes no requests */
    uint8_t ohttp_key_id;
    uint8_t ohttp_keys_hash[32];
    uint32_t tenant_count; /* with a grant in this boot */
    uint32_t grant_count;  /* accepted in this boot */
    uint32_t grants_wanted;
    uint64_t restarts;
    uint64_t start_s;     /* UNIX time */
    uint64_t up_ns;       /* CLOCK_MONOTONIC */
    uint64_t down_ns;     /* of the last crash; 0: none */
    uint64_t recovery_ns; /* from the last crash to current again */
    uint64_t retry_ns;
    uint32_t failures;    /* in a row */
    uint64_t retire_ns;   /* when the overlap is over */
    bool is_closed;       /* it is over: only what is under way is still answered */
    uint32_t nonce_count; /* asked, and not yet answered */
    struct csn_detail detail;
    struct csn_unit *next; /* in its fleet */

    /* the box: under lock */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum { CSN_UNIT_REST, CSN_UNIT_START, CSN_UNIT_STARTED, CSN_UNIT_END, CSN_UNIT_GONE } box;
    csn_err result;
    struct csn_detail result_detail;
    struct csn_unit_nonces asked;
    struct csn_unit_nonces answered;
};

/* A unit that is starting; NULL: out of memory or threads. */
struct csn_unit *csn_unit_create(const struct csn_unit_plan *plan, uint32_t slot);
/* Only in state ENDED. */
void csn_unit_free(struct csn_unit *unit);

/* The event descriptor woke the loop: takes what the thread has done. True: the state changed. */
bool csn_unit_take(struct csn_unit *unit, uint64_t now_ns);
/*
 * It crashed, or must end: tells all who wait for answers, and starts it again at retry_ns. why: if
 * it still runs.
 */
void csn_unit_crash(struct csn_unit *unit, uint64_t now_ns, const char *why);
void csn_unit_restart(struct csn_unit *unit);
/* For good. Those who wait for answers are told that they are lost. */
void csn_unit_end(struct csn_unit *unit);

/*
 * Answers by nonce->done(), also if it never comes up. False: as many as waiting_max wait already.
 * Who asked and left still waits: a platform signs slowly, and what it owes has to be bounded.
 */
CSN_MUST_USE bool csn_unit_ask_evidence(struct csn_unit *unit, struct csn_unit_nonce *nonce,
                                        uint32_t waiting_max);
/* Reads again what grants change. */
void csn_unit_read_grants(struct csn_unit *unit);

static inline bool csn_unit_is_up(const struct csn_unit *unit)
{
    return unit->state == CSN_UNIT_GRANTING || unit->state == CSN_UNIT_CURRENT ||
           unit->state == CSN_UNIT_RETIRING;
}

/* Messages under way, and the worker that has the fewest. */
uint32_t csn_unit_inflight(const struct csn_unit *unit);
struct csn_pump *csn_unit_idlest(struct csn_unit *unit);

#endif
