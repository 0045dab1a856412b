/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_double.h: a host that keeps objects in memory, for sessions in this process: it does what
 * include/caisson/wire/outside.h says, fails where it is told to, and lies where a test wants it
 * to.
 *
 * Threads: one. Memory: allocated as needed, freed by store_double_stop().
 */
#ifndef TESTS_ENCLAVE_STORE_DOUBLE_H
#define TESTS_ENCLAVE_STORE_DOUBLE_H

#include "../../src/enclave/outside.h"

#define STORE_DOUBLE_OBJECTS 64u

struct store_object {
    char name[CSN_WIRE_OBJECT_NAME_MAX + 1]; /* empty: not in use */
    uint8_t *bytes;
    uint64_t size;
    uint64_t synced; /* bytes that a loss of power leaves */
    uint8_t *parts;  /* what will replace it */
    uint64_t parts_size;
};

struct store_answer {
    struct store_answer *next;
    uint64_t tag;
    bool final;
    uint32_t size;
    uint8_t *bytes; /* head and what follows it */
};

struct store_double {
    const struct csn_wire_manifest *manifest; /* whose limits asks must keep; may be NULL */
    struct store_object objects[STORE_DOUBLE_OBJECTS];
    struct store_answer *answers; /* not taken yet */
    struct csn_wire_outside_ask last;
    uint64_t asks;      /* so far */
    uint64_t syncs;     /* of them */
    uint64_t in_flight; /* now, and the most there were */
    uint64_t in_flight_max;
    /* The ask of that number (from 1 on; 0: none), and with `on` each later one, gets this status.
     */
    uint64_t fail_at;
    uint32_t fail_status;
    bool fail_on;
    uint32_t fail_operation; /* only those; 0: any */
    bool fail_does;          /* it is done all the same */
    /* Changes an answer before it is queued, or queues others; NULL: the truth. */
    void (*lie)(struct store_double *store, struct store_answer *answer);
    void *lie_state;
    /* What a TPM answers: response has CSN_WIRE_OUTSIDE_TPM_SIZE bytes. NULL: there is none. */
    uint32_t (*tpm)(void *state, const uint8_t *command, uint32_t size, uint8_t *response,
                    uint32_t *response_size);
    void *tpm_state;
};

void store_double_start(struct store_double *store);
void store_double_stop(struct store_double *store);
struct cse_outside_port store_double_port(struct store_double *store);

/* NULL: there is none. */
struct store_object *store_double_find(struct store_double *store, const char *name);
/* The one whose name ends so; NULL: none, or several. */
struct store_object *store_double_ending(struct store_double *store, const char *end);
/* Makes or replaces an object, durably. */
void store_double_put(struct store_double *store, const char *name, const void *bytes,
                      uint64_t size);
/* target: started; all objects of source, parts that were not made objects left out. */
void store_double_copy(struct store_double *target, const struct store_double *source);
/* Appends an answer to those that wait. */
void store_double_queue(struct store_double *store, uint64_t tag, const void *bytes, uint32_t size);

#endif
