/* SPDX-License-Identifier: Apache-2.0 */
/* view_fields.c: see view_fields.h; names and bounds of view.h. */
#include "view_fields.h"
#include <caisson/wire/message.h>
#include <string.h>

const double csn_view_bounds[CSN_VIEW_BUCKETS - 1] = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10};

#define FRONT(name) offsetof(struct csn_view_front, name), sizeof((struct csn_view_front *)0)->name
#define WORKER(name)                                                                               \
    offsetof(struct csn_view_worker, name), sizeof((struct csn_view_worker *)0)->name

const struct csn_view_field csn_view_front_fields[CSN_VIEW_FRONT_FIELDS] = {
    {"connections_accepted", "Connections accepted", FRONT(connections_accepted), false},
    {"connections_refused", "Connections refused: too many, or too many from one address",
     FRONT(connections_refused), false},
    {"tls_failed", "TLS handshakes that failed", FRONT(tls_failed), false},
    {"bad_requests", "Requests refused for their framing", FRONT(bad_requests), false},
    {"slow_closed", "Connections closed because a head or a body took too long", FRONT(slow_closed),
     false},
    {"abuse_closed", "Connections closed over a limit of resets, pings, settings or continuations",
     FRONT(abuse_closed), false},
    {"deadlines", "Requests answered 504 at their deadline", FRONT(deadlines), false},
    {"connections_open", "Connections open now", FRONT(connections_open), true},
    {"streams_open", "Requests under way now", FRONT(streams_open), true},
};

const struct csn_view_field csn_view_worker_fields[CSN_VIEW_WORKER_FIELDS] = {
    {"inflight", "Requests handed over and not yet answered", WORKER(inflight), true},
    {"inputs", "Ring messages taken", WORKER(stats.inputs), false},
    {"outputs", "Ring messages published", WORKER(stats.outputs), false},
    {"records_served", "Records and requests that authenticated", WORKER(stats.records_served),
     false},
    {"records_refused", "Records and requests refused before that", WORKER(stats.records_refused),
     false},
    {"parks", "Calls to wait for work", WORKER(stats.parks), false},
    {"parks_with_credit", "Of the calls to wait, those with work at hand: must stay 0",
     WORKER(stats.parks_with_credit), false},
    {"wakes", "Calls to wake the host", WORKER(stats.wakes), false},
    {"wakes_with_work", "Of the calls to wake, those with work at hand",
     WORKER(stats.wakes_with_work), false},
    {"carves", "Allocations from the pool: constant in steady state", WORKER(stats.carves), false},
    {"pool_bytes", "Bytes of the pool in use", WORKER(stats.pool_used), true},
    {"poisoned", "Channels given up because of an impossible value", WORKER(stats.poisoned), false},
};

uint64_t csn_view_field_value(const struct csn_view_field *field, const void *of)
{
    uint64_t value = 0; /* little-endian, as the whole of Caisson */
    memcpy(&value, (const char *)of + field->offset, field->size);
    return value;
}

const char *csn_view_state_name(enum csn_view_state state)
{
    static const char *const names[] = {"starting", "current", "retiring", "down"};
    return (uint32_t)state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

const char *csn_view_route_name(enum csn_view_route route)
{
    static const char *const names[] = {"ohttp", "records", "keys", "evidence", "other"};
    _Static_assert(sizeof names / sizeof names[0] == CSN_VIEW_ROUTE_COUNT, "one for each");
    return (uint32_t)route < CSN_VIEW_ROUTE_COUNT ? names[route] : "unknown";
}

const char *csn_view_status_name(uint32_t status)
{
    static const char *const names[CSN_VIEW_STATUSES] = {"gone", "1xx", "2xx", "3xx", "4xx", "5xx"};
    return status < CSN_VIEW_STATUSES ? names[status] : "unknown";
}

const char *csn_view_code_name(uint32_t code)
{
    static const char *const names[] = {
        [CSN_WIRE_DONE] = "done",
        [CSN_WIRE_REJECT_FRAMING] = "framing",
        [CSN_WIRE_REJECT_VERSION] = "version",
        [CSN_WIRE_REJECT_SUITE] = "suite",
        [CSN_WIRE_REJECT_TENANT] = "tenant",
        [CSN_WIRE_REJECT_KEY] = "key",
        [CSN_WIRE_REJECT_SIZE] = "size",
        [CSN_WIRE_REJECT_QUOTA] = "quota",
        [CSN_WIRE_REJECT_BUSY] = "busy",
        [CSN_WIRE_REJECT_AUTH] = "auth",
        [CSN_WIRE_REJECT_STALE] = "stale",
        [CSN_WIRE_REJECT_MODE] = "mode",
        [CSN_WIRE_PONG] = "pong",
        [CSN_WIRE_CHALLENGED] = "challenged",
        [CSN_WIRE_GRANTED] = "granted",
        [CSN_WIRE_ANSWERED] = "answered",
        [CSN_WIRE_HELD] = "held",
        [CSN_WIRE_DROPPED] = "dropped",
        [CSN_WIRE_CANCELLED] = "cancelled",
    };
    return code < sizeof names / sizeof names[0] ? names[code] : NULL;
}

/* ---- instances ---- */

static bool same_text(const char *left, const char *right)
{
    return strcmp(left != NULL ? left : "", right != NULL ? right : "") == 0;
}

bool csn_view_is_software(const struct csn_view_instance *instance)
{
    return same_text(instance->evidence_type, "software");
}

bool csn_view_has_series(const struct csn_view *view, uint32_t instance)
{
    static const uint8_t none[sizeof view->instances->boot_id];
    const uint8_t *boot_id = view->instances[instance].boot_id;
    for (uint32_t i = 0; i < instance; i++) {
        if (memcmp(view->instances[i].boot_id, boot_id, sizeof none) == 0) {
            return false;
        }
    }
    return memcmp(boot_id, none, sizeof none) != 0;
}

bool csn_view_same_service(const struct csn_view *view, uint32_t left, uint32_t right)
{
    return same_text(view->instances[left].service, view->instances[right].service);
}

bool csn_view_is_first_of_service(const struct csn_view *view, uint32_t instance)
{
    for (uint32_t i = 0; i < instance; i++) {
        if (csn_view_same_service(view, i, instance)) {
            return false;
        }
    }
    return true;
}

static uint32_t at_most(uint32_t count, uint32_t room)
{
    return count < room ? count : room;
}

uint32_t csn_view_instances(const struct csn_view *view)
{
    return at_most(view->instance_count, CSN_VIEW_INSTANCES_MAX);
}

uint32_t csn_view_workers(const struct csn_view_instance *instance)
{
    return at_most(instance->worker_count, CSN_MAP_WORKER_COUNT_MAX);
}

uint32_t csn_view_tenants(const struct csn_view *view)
{
    return at_most(view->tenant_count, CSN_VIEW_TENANTS_MAX);
}

uint32_t csn_view_points(const struct csn_view *view)
{
    return at_most(view->point_count, CSN_VIEW_POINTS);
}
