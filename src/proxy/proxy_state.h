/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_state.h: what the files of the proxy share. */
#ifndef CSV_PROXY_PROXY_STATE_H
#define CSV_PROXY_PROXY_STATE_H

#include "gateway/front.h"
#include "proxy.h"

struct csv_proxy {
    struct csv_proxy_options options;
    struct csv_caller *caller;
    struct csv_upstream *upstream;
    struct csn_front *front;
    struct csn_timer timer; /* libcurl's */
    bool is_due;            /* it wants to go on at once */
    struct csn_front_watch signals;
    csn_err told; /* the last result that was told, CSN_ERR_STATE at first */
    uint64_t told_appraisals;
    uint64_t answered, refused, failed; /* requests; refused: by the proxy itself */
};

/* proxy_service.c: answers the listener's requests; its state is the proxy. */
extern const struct csn_service csv_proxy_service;
/* Hands out what has ended, and tells about verifications. */
void csv_proxy_finish(struct csv_proxy *proxy);

/* proxy_answer.c */
void csv_proxy_answer(struct csn_exchange *exchange, const struct csv_call_response *response);
/* The head of one whose content follows in pieces. */
void csv_proxy_begin(struct csn_exchange *exchange, const struct csv_call_response *response);
void csv_proxy_problem(struct csn_exchange *exchange, const struct csv_call_problem *problem);
void csv_proxy_status(const struct csv_proxy *proxy, struct csn_exchange *exchange);

#endif
