/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c: the defaults that front.h documents. */
#include "front.h"

#define SECOND UINT64_C(1000000000)
#define MIB    (UINT64_C(1) << 20)

static void set32(uint32_t *field, uint32_t value)
{
    if (*field == 0) {
        *field = value;
    }
}

static void set64(uint64_t *field, uint64_t value)
{
    if (*field == 0) {
        *field = value;
    }
}

void csn_front_limits_complete(struct csn_front_limits *limits)
{
    set32(&limits->connections_max, 16384);
    set32(&limits->connections_client_max, 1024);
    set32(&limits->requests_max, 4096);
    set32(&limits->streams_max, 128);
    set32(&limits->fields_size_max, 16384);
    set32(&limits->continuations_max, 8);
    set32(&limits->resets_max, 200);
    set32(&limits->controls_max, 400);
    set64(&limits->interval_ns, 10 * SECOND);
    set64(&limits->memory_max, 256 * MIB);
    set64(&limits->memory_client_max, 64 * MIB);
    set64(&limits->output_size_max, 8 * MIB);
    set64(&limits->head_ns, 10 * SECOND);
    set64(&limits->body_ns, 30 * SECOND);
    set64(&limits->request_ns, 30 * SECOND);
    set64(&limits->idle_ns, 60 * SECOND);
    set64(&limits->stall_ns, 20 * SECOND);
    set64(&limits->linger_ns, SECOND);
}
