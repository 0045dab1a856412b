/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_rig.h: `caisson serve` with the echo image and one tenant that came in over its own
 * HTTP: evidence appraised, granted, a context that is warm, a key for oblivious requests.
 *
 * Ends the program when something does not work, as sealed.h does. One thread.
 */
#ifndef CSN_BENCH_GATEWAY_RIG_H
#define CSN_BENCH_GATEWAY_RIG_H

#include "asked.h"
#include "sealed.h"
#include "web.h"
#include <sys/types.h>

#define GATEWAY_RIG_SERVICE "echo"
#define GATEWAY_RIG_ROOM    ASKED_ANSWER_MAX

/* One sealed request that is sent over and over: an idempotent service answers each. */
struct gateway_body {
    uint8_t bytes[GATEWAY_RIG_ROOM];
    size_t size;
    size_t answer_size; /* of its answers, each of them */
};

struct gateway_rig {
    pid_t pid;
    uint16_t clear; /* ports: cleartext, and TLS */
    uint16_t tls;
    const struct sealed_tenant *tenant;
    struct csv_recipient *recipient;
    struct csv_sealer *sealer;
    struct csn_ohttp_config config;
    struct csn_ohttp_exchange exchange;
    struct asked asked;
    char worker[96];           /* "Caisson-Worker: TOKEN" */
    struct gateway_body warm;  /* a record in the short form */
    struct gateway_body fresh; /* message/ohttp-req */
};

/* With the files of web_peers_certificate(). asked outlives the rig. */
void gateway_rig_start(struct gateway_rig *rig, const struct sealed_image *image,
                       const struct sealed_tenant *tenant, const char *backend,
                       const struct asked *asked);
/* Requests for web_ask() and web_load(), on the port for cleartext. */
struct web_request gateway_rig_warm(const struct gateway_rig *rig);
struct web_request gateway_rig_fresh(const struct gateway_rig *rig);
/* Sends each body once and opens the answer. */
void gateway_rig_check(struct gateway_rig *rig);
void gateway_rig_stop(struct gateway_rig *rig);

#endif
