/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_peers.h: what the gateway is compared with: nginx with one worker, which gives a static body
 * of 1 KiB, and which hands requests over HTTP/1.1 to a small echo server in C.
 *
 * Ends the program when something does not work, as sealed.h does. One thread.
 */
#ifndef CSN_BENCH_WEB_PEERS_H
#define CSN_BENCH_WEB_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEB_PEERS_BODY_SIZE 1024u

struct web_peers {
    uint16_t clear; /* ports: HTTP/2 in cleartext, and over TLS */
    uint16_t tls;
};
#define WEB_PEERS_STATIC "/static" /* GET: WEB_PEERS_BODY_SIZE bytes */
#define WEB_PEERS_ECHO   "/echo"   /* POST: what came, from the echo server behind nginx */

/* What is missing for it on this machine, or NULL. */
const char *web_peers_lack(void);
/* A certificate for this run: files of the folder, also for the gateway. */
#define WEB_PEERS_CERTIFICATE "certificate.pem"
#define WEB_PEERS_KEY         "key.pem"
void web_peers_certificate(void);
/* Starts both; they end with the program. */
void web_peers_start(struct web_peers *peers);

#endif
