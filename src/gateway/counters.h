/* SPDX-License-Identifier: Apache-2.0 */
/* counters.h: requests by route, status and time, and their course over the last ten minutes. */
#ifndef CSN_GATEWAY_COUNTERS_H
#define CSN_GATEWAY_COUNTERS_H

#include "view.h"

#define CSN_COUNTERS_STEPS 128u /* of time, in the step under way: eight to each power of two */

struct csn_counters {
    struct csn_view_requests requests[CSN_VIEW_ROUTE_COUNT];
    uint64_t inside_codes[64];
    /* since the last point */
    uint32_t recent;
    uint32_t recent_errors;
    uint32_t recent_steps[CSN_COUNTERS_STEPS];
    /* a ring of points */
    uint32_t point_count;
    uint32_t point_next;
    float requests_per_s[CSN_VIEW_POINTS];
    float errors_per_s[CSN_VIEW_POINTS];
    float latency_p99_ms[CSN_VIEW_POINTS];
};

/* A request that is over; status 0: the client left. */
void csn_counters_add(struct csn_counters *counters, enum csn_view_route route, uint32_t status,
                      uint64_t duration_ns);
/* Every CSN_VIEW_POINT_S seconds. */
void csn_counters_point(struct csn_counters *counters);
void csn_counters_view(const struct csn_counters *counters, struct csn_view *view);

#endif
