/* SPDX-License-Identifier: Apache-2.0 */
/*
 * growth.h: two places in which the same small echo is served to any number of contexts: the
 * session alone in this process, and a worker of a real enclave between its rings. What is asked of
 * them: the CPU time of one record, in slices, for one use after the other of one place.
 *
 * Both end the program when something does not work. One thread.
 */
#ifndef CSN_BENCH_GROWTH_H
#define CSN_BENCH_GROWTH_H

#include "sealed.h"

#define GROWTH_SLICE_NS UINT64_C(4000000)

/* Which of a place's contexts take turns, in how many channels, with payloads of which size. */
struct growth_use {
    uint32_t size;
    uint32_t contexts;
    uint32_t channels;
};

/* tenants, and contexts of each: all are granted, and have handles for the short form. */
struct growth_session;
struct growth_session *growth_session_new(uint32_t tenants, uint32_t contexts);
void growth_session_free(struct growth_session *session);
struct growth_stock; /* records of one use */
struct growth_stock *growth_stock_new(struct growth_session *session, const struct growth_use *use);
void growth_stock_free(struct growth_stock *stock);
/* ns a record, of this thread, over a slice. state: a stock. */
double growth_session_slice(void *state);

struct growth_rings;
struct growth_rings *growth_rings_new(const struct sealed_image *image, const char *backend,
                                      uint32_t tenants, uint32_t contexts);
void growth_rings_free(struct growth_rings *rings);
struct growth_blocks;
struct growth_blocks *growth_blocks_new(struct growth_rings *rings, const struct growth_use *use);
void growth_blocks_free(struct growth_blocks *blocks);
/* ns a record, of the worker, over a slice. state: blocks. */
double growth_rings_slice(void *state);

#endif
