/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain_echo.h: the server behind nginx: HTTP/1.1 with keep-alive, answers each POST with its body.
 * One thread, epoll, no allocation, nothing sealed, nothing checked that nginx has checked.
 */
#ifndef CSN_BENCH_PLAIN_ECHO_H
#define CSN_BENCH_PLAIN_ECHO_H

#include <stdint.h>

struct plain_echo {
    int fd;
    uint16_t port;
};

/* On a port of 127.0.0.1 that is free. */
void plain_echo_listen(struct plain_echo *echo);
/* Serves a struct plain_echo; does not return. */
void plain_echo_serve(void *echo);

#endif
