/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_fields.h: the numbers of a picture by name, so that metrics, page and JSON say the same.
 * What a worker's line has of sizes below a class (scratch and stack of one record) is in no list.
 */
#ifndef CSN_GATEWAY_VIEW_FIELDS_H
#define CSN_GATEWAY_VIEW_FIELDS_H

#include "view.h"

struct csn_view_field {
    const char *key;  /* in JSON; the metric is caisson_[worker_]KEY, with _total if it rises */
    const char *help; /* what it counts, a sentence without its dot */
    size_t offset;
    size_t size; /* of the number, bytes: 4 or 8 */
    bool is_gauge;
};

#define CSN_VIEW_FRONT_FIELDS  9u
#define CSN_VIEW_WORKER_FIELDS 12u
extern const struct csn_view_field csn_view_front_fields[CSN_VIEW_FRONT_FIELDS];
extern const struct csn_view_field csn_view_worker_fields[CSN_VIEW_WORKER_FIELDS];
/* of: the struct csn_view_front, or the struct csn_view_worker. */
uint64_t csn_view_field_value(const struct csn_view_field *field, const void *of);

/* Of by_status[]: "gone", "1xx" to "5xx". */
#define CSN_VIEW_STATUSES 6u
const char *csn_view_status_name(uint32_t status);
/* Of inside_codes[]; NULL: no such code. */
const char *csn_view_code_name(uint32_t code);

/* Loud on the page: evidence that proves nothing about the machine. */
bool csn_view_is_software(const struct csn_view_instance *instance);
/*
 * An instance whose boot another one before it has, or that has not booted yet: its series would
 * be those of another, and a scrape with one series twice is refused as a whole.
 */
bool csn_view_has_series(const struct csn_view *view, uint32_t instance);
bool csn_view_same_service(const struct csn_view *view, uint32_t left, uint32_t right);
/* No instance before it is of the same service. */
bool csn_view_is_first_of_service(const struct csn_view *view, uint32_t instance);
/* No more than the room of the picture, whatever it says. */
uint32_t csn_view_instances(const struct csn_view *view);
uint32_t csn_view_workers(const struct csn_view_instance *instance);
uint32_t csn_view_tenants(const struct csn_view *view);
uint32_t csn_view_points(const struct csn_view *view);

#endif
