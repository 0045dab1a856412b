/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park_looks.c: the real run loop in this process, with nothing to do: what it spends on looking
 * before it parks. No rings move, so that the lines it looks at stay in its cache, as they do in an
 * enclave whose host is silent.
 */
#include "enclave/loop.h"
#include "host/no_gate.h"
#include "measure.h"
#include "park.h"
#include <stdlib.h>
#include <string.h>

#define POOL_SIZE (1u << 20)
#define LARGEST   512u

void cse_session_batch(struct cse_session *session, const struct cse_input *inputs, uint32_t count,
                       cse_sink sink, void *state)
{
    (void)session;
    (void)inputs;
    (void)count;
    (void)sink;
    (void)state;
}

struct park_looks {
    struct csn_wire_manifest manifest;
    struct csn_wire_boot_stats stats;
    struct cse_worker worker;
    uint8_t *rings;
};

struct park_looks *park_looks_new(uint32_t channels)
{
    struct park_looks *looks = calloc(1, sizeof *looks);
    bench_require(looks != NULL, "no memory");
    looks->manifest = (struct csn_wire_manifest){.worker_count = 1,
                                                 .channel_count = channels,
                                                 .input_line_count = 64,
                                                 .output_line_count = 64,
                                                 .input_size_max = LARGEST,
                                                 .output_size_max = LARGEST,
                                                 .outputs_per_input_max = 1};
    uint64_t size = csn_wire_rings_size(&looks->manifest);
    looks->rings = aligned_alloc(4096, size);
    bench_require(looks->rings != NULL, "no memory");
    memset(looks->rings, 0, size);
    looks->worker = (struct cse_worker){.manifest = &looks->manifest,
                                        .stats = &looks->stats,
                                        .event = (struct csn_shared *)(void *)looks->rings};
    csn_pool_init(&looks->worker.pool, malloc(POOL_SIZE), POOL_SIZE);
    bench_require(cse_loop_init(&looks->worker) == CSN_OK, "no loop");
    return looks;
}

void park_looks_free(struct park_looks *looks)
{
    free(looks->worker.pool.base);
    free(looks->rings);
    free(looks);
}

/* One whole wait, from the end of the work to the gate, as after work that was found by looking. */
uint64_t park_looks_wait(void *state)
{
    struct park_looks *looks = state;
    uint32_t before = no_gate_parks;
    looks->worker.loop->idle_max = CSE_LOOP_SPIN_MAX;
    while (no_gate_parks == before) {
        bench_require(!cse_loop_step(&looks->worker), "work out of nothing");
        cse_loop_idle(&looks->worker);
    }
    return 1;
}
