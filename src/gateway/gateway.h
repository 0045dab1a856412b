/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway.h: `caisson serve` as a library: listeners, enclaves, and what is between them.
 *
 * Trust:    the whole gateway is of the untrusted host. Whoever asks is a stranger to it, and what
 *           passes through it is sealed.
 * Threads:  all functions are those of one thread, which must have the signals of csn_gateway_run()
 *           blocked before it calls csn_gateway_create().
 */
#ifndef CSN_GATEWAY_GATEWAY_H
#define CSN_GATEWAY_GATEWAY_H

#include "attest.h"
#include "config.h"

struct csn_gateway;

/* What is not the gateway's to know; all functions are called by the gateway's thread but extend.
 */
struct csn_gateway_hooks {
    void *state;
    /* Who vouches for a service, once for each name. False: detail says why. */
    bool (*platform)(void *state, const struct csn_config_service *service,
                     struct csn_platform *platform, struct csn_detail *detail);
    /* Before an image runs for the first time. Called by threads of the gateway, one at a time for
     * a service. */
    csn_err (*extend)(void *state, const char *service, const uint8_t measurement[48],
                      struct csn_detail *detail);
    /* The configuration's file again, for a reload; NULL: detail says why. */
    struct csn_config *(*read_config)(void *state, struct csn_detail *detail);
    /* One line for the operator. */
    void (*say)(void *state, const char *line);
};

/* Takes the configuration over, also where it fails. Listens, and starts the enclaves. */
CSN_MUST_USE csn_err csn_gateway_create(struct csn_config *config,
                                        const struct csn_gateway_hooks *hooks,
                                        struct csn_gateway **gateway, struct csn_detail *detail);
/*
 * Until SIGTERM or SIGINT and the drain after it. SIGHUP reads the configuration again, SIGUSR1
 * rotates all services.
 */
void csn_gateway_run(struct csn_gateway *gateway);
void csn_gateway_destroy(struct csn_gateway *gateway);

/* Where it listens; index listener_count of the configuration: the admin's. */
uint16_t csn_gateway_port(const struct csn_gateway *gateway, uint32_t listener);
/* Blocks what csn_gateway_run() waits for. Before any thread is started. */
void csn_gateway_block_signals(void);

#endif
