/* SPDX-License-Identifier: Apache-2.0 */
/* counters.c: see counters.h. */
#include "counters.h"
#include <string.h>

#define STEP_FIRST_BITS 13u /* 8.2 µs: whatever is faster is in the first step */

/* Eight steps to each power of two: 8.2 µs and more, to about half a second, then the last one. */
static uint32_t step_of(uint64_t ns)
{
    uint64_t value = ns < (UINT64_C(1) << STEP_FIRST_BITS) ? UINT64_C(1) << STEP_FIRST_BITS : ns;
    uint32_t bits = 63u - (uint32_t)__builtin_clzll(value);
    uint32_t step = (bits - STEP_FIRST_BITS) * 8 + (uint32_t)(value >> (bits - 3) & 7);
    return step < CSN_COUNTERS_STEPS ? step : CSN_COUNTERS_STEPS - 1;
}

/* Where a step ends, in milliseconds. */
static float step_end_ms(uint32_t step)
{
    uint64_t power = UINT64_C(1) << (STEP_FIRST_BITS + step / 8);
    return (float)((double)(power + power / 8 * (step % 8 + 1)) / 1e6);
}

void csn_counters_add(struct csn_counters *counters, enum csn_view_route route, uint32_t status,
                      uint64_t duration_ns)
{
    struct csn_view_requests *requests = &counters->requests[route];
    double seconds = (double)duration_ns / 1e9;
    uint32_t bucket = 0;
    while (bucket < CSN_VIEW_BUCKETS - 1 && seconds > csn_view_bounds[bucket]) {
        bucket++;
    }
    requests->by_status[status < 600 ? status / 100 : 5]++;
    requests->buckets[bucket]++;
    requests->seconds += seconds;
    counters->recent++;
    counters->recent_errors += status >= 500 ? 1 : 0;
    counters->recent_steps[step_of(duration_ns)]++;
}

static float p99_ms(const struct csn_counters *counters)
{
    uint64_t wanted = ((uint64_t)counters->recent * 99 + 99) / 100;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < CSN_COUNTERS_STEPS && wanted != 0; i++) {
        seen += counters->recent_steps[i];
        if (seen >= wanted) {
            return step_end_ms(i);
        }
    }
    return 0;
}

void csn_counters_point(struct csn_counters *counters)
{
    uint32_t at = counters->point_next;
    counters->requests_per_s[at] = (float)counters->recent / CSN_VIEW_POINT_S;
    counters->errors_per_s[at] = (float)counters->recent_errors / CSN_VIEW_POINT_S;
    counters->latency_p99_ms[at] = p99_ms(counters);
    counters->point_next = (at + 1) % CSN_VIEW_POINTS;
    counters->point_count += counters->point_count < CSN_VIEW_POINTS ? 1 : 0;
    counters->recent = counters->recent_errors = 0;
    memset(counters->recent_steps, 0, sizeof counters->recent_steps);
}

void csn_counters_view(const struct csn_counters *counters, struct csn_view *view)
{
    memcpy(view->requests, counters->requests, sizeof view->requests);
    memcpy(view->inside_codes, counters->inside_codes, sizeof view->inside_codes);
    view->point_count = counters->point_count;
    uint32_t first = (counters->point_next + CSN_VIEW_POINTS - counters->point_count);
    for (uint32_t i = 0; i < counters->point_count; i++) {
        uint32_t at = (first + i) % CSN_VIEW_POINTS;
        view->requests_per_s[i] = counters->requests_per_s[at];
        view->errors_per_s[i] = counters->errors_per_s[at];
        view->latency_p99_ms[i] = counters->latency_p99_ms[at];
    }
}
