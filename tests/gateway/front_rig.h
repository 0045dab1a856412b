/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front_rig.h: a front and its clients in one thread: what a client sends is there after the next
 * iteration, and a test says what it waits for, never how long.
 *
 * The service: POST /echo gives back the body; GET /bytes?N gives N bytes; /hold keeps the exchange
 * in rig.held for the test to answer; /refused answers 403 in begin(); all else is 404.
 */
#ifndef CSN_TEST_FRONT_RIG_H
#define CSN_TEST_FRONT_RIG_H

#include <gateway/front.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIG_HELD_MAX 64u

struct rig {
    struct csn_front *front;
    struct csn_view_front counters;
    size_t body_max;
    struct csn_exchange *held[RIG_HELD_MAX];
    uint32_t held_count;
    uint32_t begun;
    uint32_t done;
    uint32_t gone;
    uint32_t gone_status; /* of the last one */
    uint32_t done_status;
    uint64_t done_size;
    uint32_t hidden;   /* requests for /hidden, which nobody has made */
    char fields[4096]; /* of the last request: "name=value;" */
    char path[256];
    char query[256];
    char host[256];
};

/* Listener 0 is cleartext. With certificate, listener 1 is TLS. Ends the test if it cannot. */
void rig_start(struct rig *rig, const struct csn_front_limits *limits);
void rig_stop(struct rig *rig);

/* A client's socket, not blocking. */
int rig_connect(struct rig *rig);
int rig_connect_from(struct rig *rig, const char *address);
int rig_connect_to(struct rig *rig, uint32_t listener, const char *from); /* 1 outlives a drain */
/* All of it; the front runs meanwhile. */
void rig_send(struct rig *rig, int fd, const void *bytes, size_t size);
void rig_say(struct rig *rig, int fd, const char *text);
void rig_turn(struct rig *rig, uint32_t count); /* iterations that do not wait */
/*
 * How long a test waits for what must come: ten seconds; two for a seeded bug, with which it may
 * well not come.
 */
uint64_t rig_patience_ns(void);
uint64_t rig_clock_ns(void);
/* Iterates until it is true, or for that time at most; what it is then. */
bool rig_until(struct rig *rig, bool (*is)(void *state), void *state);
/* Until the counter is that. */
bool rig_until_equal(struct rig *rig, const uint32_t *counter, uint32_t value);
bool rig_until_count(struct rig *rig, const uint64_t *counter, uint64_t value);
/* A request for /hold; its exchange. */
struct csn_exchange *rig_hold(struct rig *rig, int fd);

/* What a client has heard, as answers in HTTP/1.1. */
struct heard {
    int fd;
    char *bytes;
    size_t size;
    size_t room;
    bool is_closed;
    bool is_reset;
    uint32_t count; /* whole answers */
    uint32_t status[32];
    size_t body_size[32];
    const char *body[32]; /* chunked bodies as they are on the wire */
};
void heard_start(struct heard *heard, int fd);
void heard_stop(struct heard *heard); /* closes the socket, too */
/* Until there are so many answers, and the end if it shall be closed; false: it did not come. */
bool rig_hear(struct rig *rig, struct heard *heard, uint32_t count, bool closed);
/* Takes what is there. */
void heard_take(struct heard *heard);
void heard_parse(struct heard *heard);

#endif
