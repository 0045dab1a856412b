/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.h: a numbered stream of one party's records through one site: tags are sequence numbers,
 * answers come in order, each is opened and checked. And what follows a crash in the middle of it.
 */
#ifndef TESTS_HOST_FLOW_H
#define TESTS_HOST_FLOW_H

#include "party.h"

struct flow {
    struct site *site;
    struct party *party;
    uint64_t next;     /* tag of the next record */
    uint64_t answered; /* tag of the next answer */
    uint64_t refused;  /* tombstones among the answers */
};

/* A cmocka setup and teardown, of a program that begins with named.h: a granted party, no record.
 */
extern struct site site;
extern struct party party;
extern struct flow flow;
int flow_start(void **state);
int flow_stop(void **state);

/* Seals and submits up to tag `until`, taking answers when there is no room; then flushes. */
csn_err flow_feed(struct flow *flow, uint64_t until);
/* The next answer: that of `answered`. Or why there is none. */
csn_err flow_take(struct flow *flow);
/* All answers that the enclave published before it ended. */
void flow_drain(struct flow *flow);
/* The unfinished inputs are those without an answer, in order; returns how many. */
uint64_t flow_check_unfinished(const struct flow *flow);
/* Restart, then verify and grant anew: the two parts of a recovery, timed and printed. */
void flow_recover(struct flow *flow, uint64_t version);
/* Feeds the unfinished back, one at a time; CSN_OK once all are answered, or CSN_ERR_CRASHED. */
csn_err flow_resubmit(struct flow *flow);
/* FIN: the consumer knows that `missing` of the records are missing, and all others came once. */
void flow_finish(struct flow *flow, uint64_t missing);

#endif
