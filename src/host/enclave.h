/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclave.h: libcaisson's own view of one enclave: its life, its channels, what is in flight.
 *
 * Trust:    the enclave may be hostile to the host as well: its rings are read like any peer's.
 * Threads:  as in host.h. Fields that two threads share are marked.
 * Lifetime: all memory is taken by csn_host_build(); a restart changes the instance and the rings.
 */
#ifndef CSN_HOST_ENCLAVE_H
#define CSN_HOST_ENCLAVE_H

#include "../backend/backend.h"
#include "../core/ring.h"
#include "inflight.h"
#include <caisson/host.h>
#include <caisson/wire/channel.h>
#include <stdbool.h>
#include <stdint.h>

#define CSN_HOST_INFLIGHT_COUNT   1024u /* inputs kept per channel, unless the options say so */
#define CSN_HOST_CRASH_COUNT      2u    /* crashes that one input alone may cause */
#define CSN_HOST_QUARANTINE_COUNT 4u    /* per channel, until they are collected */

struct csn_host_channel {
    struct csn_ring_writer writer;   /* submitting thread */
    struct csn_ring_reader reader;   /* receiving thread */
    struct csn_shared *worker_event; /* wakes the worker */
    struct csn_shared *host_event;   /* wakes us */
    struct csn_shared *input_credit; /* what a starved submitter waits for */
    uint32_t worker;
    uint64_t starved;               /* shared: 1 + credit word when a submit found no room, or 0 */
    struct csn_inflight live;       /* both threads: in the rings now */
    struct csn_inflight lost;       /* submitting thread: to be fed back after a crash */
    struct csn_inflight quarantine; /* nobody runs: not fed back any more */
    uint64_t *later;                /* receiving thread: tags whose answers come later, */
    uint32_t later_count;           /* at most manifest.held_max */
    uint8_t *bounce;                /* for an output_size_max that is no multiple of 8 */
    uint64_t input_wakes;           /* submitting thread */
    uint64_t input_parks;           /* these and the rest: receiving thread */
    uint64_t output_wakes;
    uint64_t output_parks;
    uint64_t output_batches;
    bool output_empty; /* the last look found nothing */
};

struct csn_enclave {
    const struct csn_backend *backend;
    struct csn_instance *instance;
    struct csn_wire_manifest manifest;
    void *image;
    size_t image_size;
    uint32_t require;
    uint32_t inflight_count_max;
    uint32_t crash_count_max;
    int rings_fd;
    void *rings;
    uint64_t rings_size; /* bytes */
    struct csn_enclave_report report;
    uint32_t recovering; /* shared: inputs are fed back one at a time, new ones wait */
    uint32_t channel_count;
    struct csn_host_channel *channels;
    struct csn_store *store;          /* the caller's; NULL: none */
    struct csn_store_server *servers; /* store_server.c's, one per worker; NULL: no store */
};

/*
 * Everything of csn_enclave_create() but the choice of the backend and the reading of the image:
 * the manifest has been checked. Copies the image.
 */
CSN_MUST_USE csn_err csn_host_build(const struct csn_backend *backend,
                                    const struct csn_enclave_options *options,
                                    const struct csn_wire_manifest *manifest,
                                    struct csn_enclave **enclave, struct csn_detail *detail);
/* Fresh rings and a fresh instance; waits until it serves. On failure nothing of it is left. */
CSN_MUST_USE csn_err csn_host_start(struct csn_enclave *enclave, struct csn_detail *detail);
/* Ends the instance and unmaps its rings; the in-flight tables stay. */
void csn_host_end(struct csn_enclave *enclave);
bool csn_host_is_running(const struct csn_enclave *enclave);

/* Memory for the tables of every channel; both NULL-safe and for half-built enclaves. */
CSN_MUST_USE csn_err csn_channels_allocate(struct csn_enclave *enclave);
void csn_channels_free(struct csn_enclave *enclave);
/* Both ends of every channel at the start of the present rings. */
CSN_MUST_USE csn_err csn_channels_open(struct csn_enclave *enclave);
/* The submit path without the recovery rule; crashes is kept with the input. */
CSN_MUST_USE csn_err csn_channel_put(struct csn_enclave *enclave, struct csn_host_channel *channel,
                                     uint64_t tag, const void *message, uint32_t size,
                                     uint32_t crashes);
/* While inputs wait to be fed back, they and the new ones share one allowance. */
bool csn_channel_may_submit(const struct csn_host_channel *channel, uint32_t size);
void csn_channel_publish(struct csn_enclave *enclave, struct csn_host_channel *channel);
/* NULL if there is no such channel. */
struct csn_host_channel *csn_channel_at(const struct csn_enclave *enclave, uint32_t channel);

#endif
