/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rings_server.h: the socket at which processes of this machine get a channel of a service's
 * enclave for themselves (include/caisson/wire/rings.h). The gateway keeps channel 0 of each
 * worker.
 *
 * Trust:    whoever may connect (the socket's mode is 0600) can stop the service, as it can write
 *           every ring; it sees what the gateway sees, and passes no rate, quota or log.
 * Threads:  the loop's.
 */
#ifndef CSN_GATEWAY_RINGS_SERVER_H
#define CSN_GATEWAY_RINGS_SERVER_H

#include "fleet.h"
#include "front.h"

#define CSN_RINGS_PEER_MAX 64u

struct csn_rings_peer {
    struct csn_front_watch watch; /* fd -1: nobody */
    struct csn_rings_server *server;
    uint64_t unit_serial;
    uint32_t worker, channel;
};

struct csn_rings_server {
    const struct csn_fleet *fleet;
    struct csn_front *front;
    char *path; /* NULL: not started */
    struct csn_front_watch watch;
    struct csn_rings_peer peers[CSN_RINGS_PEER_MAX];
};

CSN_MUST_USE csn_err csn_rings_server_start(struct csn_rings_server *server,
                                            struct csn_detail *detail);
/* Some times a second: hangs up on those whose unit is not current any more. */
void csn_rings_server_tick(struct csn_rings_server *server);
/* Also if it was never started. */
void csn_rings_server_end(struct csn_rings_server *server);

#endif
