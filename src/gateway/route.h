/* SPDX-License-Identifier: Apache-2.0 */
/* route.h: what a path and a query mean. Reads bytes, knows of no service. */
#ifndef CSN_GATEWAY_ROUTE_H
#define CSN_GATEWAY_ROUTE_H

#include "http1.h"

enum csn_route_kind {
    CSN_ROUTE_NONE,
    CSN_ROUTE_GATEWAY,  /* /gateway[/SERVICE[/LABEL]], /.well-known/ohttp-gateway */
    CSN_ROUTE_RECORDS,  /* /records[/SERVICE[/LABEL]] */
    CSN_ROUTE_EVIDENCE, /* /.well-known/caisson/evidence?nonce=...&service=... */
};

struct csn_route {
    enum csn_route_kind kind;
    struct csn_http1_text service; /* size 0: the default one */
    struct csn_http1_text label;   /* size 0: none */
};

struct csn_route csn_route_read(const struct csn_http1_text *path);
/* The value of a key of a query ("a=1&b=2"), which stands there once; else size 0 and NULL. */
struct csn_http1_text csn_route_query(const struct csn_http1_text *query, const char *key);

#endif
