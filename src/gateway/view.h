/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h: what the gateway shows of itself: one picture, taken by the loop, from which the metrics,
 * the admin page and its JSON are written. Nothing in here is secret, nor finer than a size class.
 *
 * Lifetime: a picture is the taker's; its texts are the gateway's and outlive it.
 */
#ifndef CSN_GATEWAY_VIEW_H
#define CSN_GATEWAY_VIEW_H

#include <caisson/wire/boot.h>
#include <caisson/wire/map.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_VIEW_INSTANCES_MAX 16u
#define CSN_VIEW_TENANTS_MAX   64u
#define CSN_VIEW_POINTS        120u /* of each plot, CSN_VIEW_POINT_S seconds apart */
#define CSN_VIEW_POINT_S       5u
#define CSN_VIEW_BUCKETS       14u /* of latency; the last one has no upper bound */

/* Upper bounds of the latency buckets, in seconds. */
extern const double csn_view_bounds[CSN_VIEW_BUCKETS - 1];

enum csn_view_state {
    CSN_VIEW_STARTING, /* serves evidence and takes grants, no requests */
    CSN_VIEW_CURRENT,  /* its keys are published */
    CSN_VIEW_RETIRING, /* its keys are not published any more, but still taken */
    CSN_VIEW_DOWN,     /* crashed; detail says how */
};
/* "starting", "current", "retiring", "down" */
const char *csn_view_state_name(enum csn_view_state state);

/* What of a worker rises; the gauges are told apart. */
struct csn_view_worker {
    struct csn_wire_boot_stats stats;
    uint32_t inflight; /* gauge: requests handed over and not yet answered */
};

struct csn_view_instance {
    const char *service; /* its name in the configuration */
    const char *image_name;
    const char *backend;
    const char *evidence_type;
    const char *detail; /* why it is down, or "" */
    enum csn_view_state state;
    bool debug;
    uint32_t security_version;
    uint8_t measurement[48];
    uint8_t signer_key[32];
    uint8_t boot_id[16];
    uint8_t ohttp_key_id;
    uint8_t ohttp_keys_hash[32]; /* what the evidence says of them */
    uint32_t grant_count;        /* accepted in this boot */
    uint64_t start_s;            /* UNIX time */
    uint64_t restarts;           /* since the gateway started */
    uint32_t worker_count;
    struct csn_view_worker workers[CSN_MAP_WORKER_COUNT_MAX];
};

struct csn_view_tenant {
    const char *label; /* from the configuration; never an id or a key */
    uint64_t requests;
    uint64_t refused_rate; /* by its rate limit */
    uint64_t refused_quota;
};

/* By what was asked for: rows of the request counters. */
enum csn_view_route {
    CSN_VIEW_ROUTE_OHTTP,
    CSN_VIEW_ROUTE_RECORDS,
    CSN_VIEW_ROUTE_KEYS,
    CSN_VIEW_ROUTE_EVIDENCE,
    CSN_VIEW_ROUTE_OTHER,
    CSN_VIEW_ROUTE_COUNT,
};
const char *csn_view_route_name(enum csn_view_route route);

struct csn_view_requests {
    uint64_t by_status[6]; /* [s]: answers with status s00 to s99; [0]: the client left */
    uint64_t buckets[CSN_VIEW_BUCKETS]; /* answered within the bound: each request in one bucket */
    double seconds;                     /* sum of all */
};

/* What the front refused before it was a request, and its gauges. */
struct csn_view_front {
    uint64_t connections_accepted;
    uint64_t connections_refused; /* the table is full, or too many from one address */
    uint64_t tls_failed;
    uint64_t bad_requests;     /* framing */
    uint64_t slow_closed;      /* a head or body that took too long */
    uint64_t abuse_closed;     /* resets, CONTINUATION, pings, settings: over their limits */
    uint64_t deadlines;        /* requests answered 504 */
    uint32_t connections_open; /* gauge */
    uint32_t streams_open;     /* gauge: requests under way */
};

struct csn_view {
    const char *version;
    uint64_t now_s;   /* UNIX time */
    uint64_t start_s; /* of the gateway */
    bool is_ready;
    bool is_draining;
    struct csn_view_front front;
    struct csn_view_requests requests[CSN_VIEW_ROUTE_COUNT];
    uint64_t inside_codes[64]; /* answers of enclaves by enum csn_wire_code, below 64 */
    uint32_t instance_count;
    struct csn_view_instance instances[CSN_VIEW_INSTANCES_MAX];
    uint32_t tenant_count;
    struct csn_view_tenant tenants[CSN_VIEW_TENANTS_MAX];
    /* For the plots, oldest first; point_count at most CSN_VIEW_POINTS. */
    uint32_t point_count;
    float requests_per_s[CSN_VIEW_POINTS];
    float errors_per_s[CSN_VIEW_POINTS];
    float latency_p99_ms[CSN_VIEW_POINTS];
};

/*
 * What the admin listener answers with: content types, and the page's Content-Security-Policy (its
 * own style, no more). The page links to /metrics and to /view.json.
 */
#define CSN_VIEW_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define CSN_VIEW_PAGE_TYPE    "text/html; charset=utf-8"
#define CSN_VIEW_JSON_TYPE    "application/json"
#define CSN_VIEW_PAGE_POLICY                                                                       \
    "default-src 'none'; style-src 'sha256-P/+0Poul8JhRruhjnPhm28u7pmRA481AAzb4wnolDAE='; "        \
    "img-src data:; "                                                                              \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
#define CSN_VIEW_DATA_POLICY "default-src 'none'; frame-ancestors 'none'"

/*
 * Each writes text for one picture into bytes, at most room with its terminating NUL, and returns
 * the size that the whole text needs, without it (as snprintf() does).
 */
size_t csn_view_metrics(const struct csn_view *view, char *bytes, size_t room); /* Prometheus */
size_t csn_view_page(const struct csn_view *view, char *bytes, size_t room); /* HTML, no script */
size_t csn_view_json(const struct csn_view *view, char *bytes, size_t room);

#endif
