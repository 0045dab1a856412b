/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_server.h: a control socket of the gateway: evidence and grants for the newest unit of one
 * slot of a service.
 *
 * Trust:    whoever connects is hostile until a grant's signature, which only the enclave checks.
 * Threads:  a thread of its own speaks on the socket, one connection at a time, and puts one
 * request at a time into a box; the loop does what it says.
 */
#ifndef CSN_GATEWAY_CONTROL_SERVER_H
#define CSN_GATEWAY_CONTROL_SERVER_H

#include "control_socket.h"
#include "fleet.h"
#include <pthread.h>

struct csn_control_server {
    struct csn_fleet *fleet;
    uint32_t slot;
    int event_fd; /* the loop's */
    int listen_fd;
    int wake[2]; /* a pipe: its end ends the thread */
    char *path;
    void (*say)(void *state, const struct csn_unit *unit, const char *what);
    void *say_state;

    /* the box: under lock */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum { CSN_CONTROL_EMPTY, CSN_CONTROL_ASKED, CSN_CONTROL_BUSY, CSN_CONTROL_ANSWERED } box;
    bool is_ended;
    int peer_fd;      /* -1: nobody is connected */
    bool is_new_peer; /* of the request in the box: the first of its connection */
    uint32_t type;
    uint32_t size;
    uint8_t *bytes;
    uint32_t reply_type;
    uint32_t reply_size;
    uint8_t *reply; /* malloc'd, or NULL where the size is 0 */

    /* the loop's */
    uint64_t asked_ns;    /* since when a request waits for an enclave that starts; 0: none does */
    uint64_t unit_serial; /* to whom this connection speaks, since its evidence */
    struct csn_unit_nonce nonce;
    uint32_t grant_sent;
    uint32_t grant_left; /* workers that have not answered yet */
    uint32_t grant_authentic;
    uint8_t config_before[32];
};

CSN_MUST_USE csn_err csn_control_server_start(struct csn_control_server *server,
                                              struct csn_detail *detail);
/* The event descriptor woke the loop; and some times a second. */
void csn_control_server_take(struct csn_control_server *server, uint64_t now_ns);
/* After the units have ended: nothing is under way any more. */
void csn_control_server_end(struct csn_control_server *server);

#endif
