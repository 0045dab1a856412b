/* SPDX-License-Identifier: Apache-2.0 */
/* view_picture.c: see view_picture.h. view_test.py knows in which order numbers are given. */
#include "view_picture.h"
#include <math.h>
#include <string.h>

#define START_S UINT64_C(1795000000)

static uint64_t last_number;

static uint64_t next(void)
{
    last_number += 37;
    return last_number;
}

static void fill_stats(struct csn_wire_boot_stats *stats)
{
    stats->inputs = next();
    stats->outputs = next();
    stats->records_served = next();
    stats->records_refused = next();
    stats->parks = next();
    stats->parks_with_credit = next();
    stats->wakes = next();
    stats->carves = next();
    stats->pool_used = next();
    stats->scratch_high_water = next();
    stats->stack_high_water = next();
    stats->poisoned = next();
    stats->wakes_with_work = next();
}

static void fill_instance(struct csn_view_instance *instance, uint32_t index)
{
    instance->service = index < 2 ? "echo" : "tokenize";
    instance->image_name = index < 2 ? "echo-image" : "tokenize-image";
    instance->backend = index == 0 ? "kvm" : "process";
    instance->evidence_type = index == 0 ? "tsm" : "software";
    instance->detail = index == 2 ? "killed by signal 9" : "";
    instance->state = index == 0   ? CSN_VIEW_CURRENT
                      : index == 1 ? CSN_VIEW_RETIRING
                                   : CSN_VIEW_DOWN;
    instance->debug = index == 1;
    instance->security_version = (uint32_t)next();
    memset(instance->measurement, 0x10 + (int)index, sizeof instance->measurement);
    memset(instance->signer_key, 0x20 + (int)index, sizeof instance->signer_key);
    memset(instance->boot_id, 0x30 + (int)index, sizeof instance->boot_id);
    memset(instance->ohttp_keys_hash, 0x40 + (int)index, sizeof instance->ohttp_keys_hash);
    instance->ohttp_key_id = (uint8_t)(0xa0 + index);
    instance->grant_count = (uint32_t)next();
    instance->start_s = START_S + 60 * (index + 1);
    instance->restarts = next();
    instance->worker_count = 2 - index % 2;
    for (uint32_t i = 0; i < instance->worker_count; i++) {
        fill_stats(&instance->workers[i].stats);
        instance->workers[i].inflight = (uint32_t)next();
    }
}

static void fill_front(struct csn_view_front *front)
{
    front->connections_accepted = next();
    front->connections_refused = next();
    front->tls_failed = next();
    front->bad_requests = next();
    front->slow_closed = next();
    front->abuse_closed = next();
    front->deadlines = next();
    front->connections_open = (uint32_t)next();
    front->streams_open = (uint32_t)next();
}

static void fill_requests(struct csn_view *view)
{
    for (uint32_t route = 0; route < CSN_VIEW_ROUTE_COUNT; route++) {
        for (uint32_t i = 0; i < 6; i++) {
            view->requests[route].by_status[i] = next();
        }
        for (uint32_t i = 0; i < CSN_VIEW_BUCKETS; i++) {
            view->requests[route].buckets[i] = next();
        }
        view->requests[route].seconds = (double)next() + 0.25;
    }
    for (uint32_t i = 0; i < 64; i++) {
        view->inside_codes[i] = next();
    }
}

static void fill_points(struct csn_view *view)
{
    view->point_count = CSN_VIEW_POINTS;
    for (uint32_t i = 0; i < CSN_VIEW_POINTS; i++) {
        double at = (double)i / CSN_VIEW_POINTS;
        view->requests_per_s[i] = (float)(2100 + 700 * sin(9 * at) + 260 * sin(61 * at));
        view->errors_per_s[i] = (float)(i % 17 == 3 ? 2.4 : 0);
        view->latency_p99_ms[i] = (float)(0.34 + 0.1 * sin(13 * at) + (i == 70 ? 1.2 : 0));
    }
}

static void make_plain(struct csn_view *view)
{
    last_number = 1000;
    view->version = "0.1.0";
    view->now_s = START_S + 93784;
    view->start_s = START_S;
    view->is_ready = true;
    fill_front(&view->front);
    fill_requests(view);
    view->instance_count = 3;
    for (uint32_t i = 0; i < view->instance_count; i++) {
        fill_instance(&view->instances[i], i);
    }
    view->tenant_count = 2;
    for (uint32_t i = 0; i < view->tenant_count; i++) {
        view->tenants[i].label = i == 0 ? "bank" : "clinic";
        view->tenants[i].requests = next();
        view->tenants[i].refused_rate = next();
        view->tenants[i].refused_quota = next();
    }
    fill_points(view);
}

/* What would end a string, a tag, a line or a sequence; view_test.py has the same. */
#define HOSTILE                                                                                    \
    "a\"b'c<script>alert(1)</script>&amp;\\\n# HELP x "                                            \
    "y\r\x01\x7f\xc3(\xed\xa0\x80\xff\xe2\x80\xae"

static void make_hostile(struct csn_view *view)
{
    make_plain(view);
    view->version = HOSTILE;
    for (uint32_t i = 0; i < view->instance_count; i++) {
        struct csn_view_instance *instance = &view->instances[i];
        instance->service = i < 2 ? HOSTILE : HOSTILE "2";
        instance->image_name = HOSTILE;
        instance->backend = HOSTILE;
        instance->evidence_type = HOSTILE;
        instance->detail = HOSTILE;
    }
    view->tenants[0].label = HOSTILE;
    view->tenants[1].label = "\xf0\x9f\x94\x91 \xc3\xa9t\xc3\xa9";      /* all of it well formed */
    memcpy(view->instances[1].boot_id, view->instances[0].boot_id, 16); /* one boot twice */
    memset(view->instances[2].boot_id, 0, 16);                          /* none yet */
}

static void make_full(struct csn_view *view)
{
    memset(view, 0xff, sizeof *view);
    view->version = "0.1.0";
    view->is_ready = false;
    view->is_draining = true;
    for (uint32_t i = 0; i < CSN_VIEW_ROUTE_COUNT; i++) {
        memset(view->requests[i].buckets, 0, sizeof view->requests[i].buckets);
        view->requests[i].buckets[CSN_VIEW_BUCKETS - 1] = UINT64_MAX;
        view->requests[i].seconds = 1e300;
    }
    for (uint32_t i = 0; i < CSN_VIEW_INSTANCES_MAX; i++) {
        struct csn_view_instance *instance = &view->instances[i];
        instance->service = instance->image_name = instance->backend = "x";
        instance->evidence_type = instance->detail = "x";
        instance->state = i % 4;
        instance->debug = true;
        instance->boot_id[0] = (uint8_t)i;
    }
    static char labels[CSN_VIEW_TENANTS_MAX][2];
    for (uint32_t i = 0; i < CSN_VIEW_TENANTS_MAX; i++) {
        labels[i][0] = (char)('0' + i);
        view->tenants[i].label = labels[i];
    }
    for (uint32_t i = 0; i < CSN_VIEW_POINTS; i++) {
        view->requests_per_s[i] = i % 2 == 0 ? 3e38f : -3e38f;
        view->errors_per_s[i] = NAN;
        view->latency_p99_ms[i] = INFINITY;
    }
}

static void make_small(struct csn_view *view)
{
    make_plain(view);
    view->instance_count = 1;
    view->instances[0].worker_count = 1;
    view->tenant_count = 1;
    view->point_count = 2;
}

static void make_empty(struct csn_view *view)
{
    (void)view;
}

bool view_picture(const char *name, struct csn_view *view)
{
    static const struct {
        const char *name;
        void (*make)(struct csn_view *view);
    } pictures[] = {{"plain", make_plain},
                    {"hostile", make_hostile},
                    {"empty", make_empty},
                    {"full", make_full},
                    {"small", make_small}};
    memset(view, 0, sizeof *view);
    for (uint32_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++) {
        if (strcmp(pictures[i].name, name) == 0) {
            pictures[i].make(view);
            return true;
        }
    }
    return false;
}
