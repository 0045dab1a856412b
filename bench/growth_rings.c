/* SPDX-License-Identifier: Apache-2.0 */
/*
 * growth_rings.c: blocks of records (block.h) in one or more in rings of a worker, and its core
 * time. A block ends with the worker's own end: what it looks in vain, and one park. That is what a
 * block of one record in each ring costs, which is taken off.
 */
#define _GNU_SOURCE
#include "block.h"
#include "cli/bench.h"
#include "growth.h"
#include "measure.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETTLE_NS 50000L

struct growth_rings {
    struct sealed first;
    int process;            /* of the enclave, 0: it is threads of this one */
    struct sealed *tenants; /* of all tenants but the first */
    struct sealed_tenant *keys;
    uint32_t tenant_count;
    uint32_t count; /* of sealers */
    struct csv_sealer **sealers;
};

struct growth_blocks {
    int process;
    uint32_t channels;
    uint32_t each; /* records in a channel */
    struct sealed *sealed;
    struct block *blocks;
};

/* ---- who seals ---- */

static void add_sealer(struct growth_rings *rings, const struct sealed *sealed)
{
    rings->sealers[rings->count++] = sealed->sealer;
}

/* Further contexts of a tenant: each is a sealer of its own. */
static void add_contexts(struct growth_rings *rings, struct sealed *sealed,
                         const struct sealed_tenant *tenant, uint32_t contexts)
{
    const struct csv_sealer_options options = {.recipient = sealed->recipient,
                                               .credential = &tenant->producer};
    struct sealed other = *sealed;
    for (uint32_t c = 1; c < contexts; c++) {
        bench_require(csv_sealer_create(&options, &other.sealer) == CSN_OK, "no sealer");
        sealed_short(&other);
        add_sealer(rings, &other);
    }
    sealed->tag = other.tag;
}

struct growth_rings *growth_rings_new(const struct sealed_image *image, const char *backend,
                                      uint32_t tenants, uint32_t contexts)
{
    struct growth_rings *rings = calloc(1, sizeof *rings);
    bench_require(rings != NULL, "no memory");
    rings->tenant_count = tenants;
    rings->tenants = calloc(tenants, sizeof *rings->tenants);
    rings->keys = calloc(tenants, sizeof *rings->keys);
    rings->sealers = calloc((size_t)tenants * contexts, sizeof(struct csv_sealer *));
    bench_require(rings->tenants != NULL && rings->keys != NULL && rings->sealers != NULL,
                  "no memory");
    for (uint32_t t = 0; t < tenants; t++) {
        struct sealed *sealed = t == 0 ? &rings->first : &rings->tenants[t];
        sealed_tenant_new(&rings->keys[t], image, true);
        if (t == 0) {
            sealed_start(sealed, image, &rings->keys[t], backend);
            rings->process = strcmp(backend, "process") == 0 ? bench_descendant() : 0;
            bench_require(strcmp(backend, "process") != 0 || rings->process != 0,
                          "the enclave's process is not found");
        } else {
            sealed_join(sealed, &rings->first, image, &rings->keys[t], 0);
        }
        sealed_short(sealed);
        add_sealer(rings, sealed);
        add_contexts(rings, sealed, &rings->keys[t], contexts);
    }
    return rings;
}

void growth_rings_free(struct growth_rings *rings)
{
    uint32_t contexts = rings->count / rings->tenant_count;
    for (uint32_t i = 0; i < rings->count; i++) {
        if (i % contexts != 0) { /* the others go with their tenant */
            csv_sealer_destroy(rings->sealers[i]);
        }
    }
    for (uint32_t t = rings->tenant_count; t-- > 1;) {
        sealed_stop(&rings->tenants[t]);
    }
    sealed_stop(&rings->first);
    for (uint32_t t = 0; t < rings->tenant_count; t++) {
        sealed_tenant_free(&rings->keys[t]);
    }
    free(rings->tenants);
    free(rings->keys);
    free(rings->sealers);
    free(rings);
}

/* ---- blocks ---- */

/* The kernel's account of a thread is exact once it sleeps. */
static void await_park(const struct block *block, uint64_t parks)
{
    const struct timespec pause = {.tv_nsec = SETTLE_NS};
    struct csn_wire_boot_stats stats;
    uint64_t begin = bench_wall_ns();
    do {
        nanosleep(&pause, NULL);
        block_stats(block, &stats);
        bench_require(bench_wall_ns() - begin < UINT64_C(10000000000), "the worker never sleeps");
    } while (stats.parks <= parks);
    nanosleep(&pause, NULL);
}

/* As block_core_ns(), without the search for the process, which takes longer than a block. */
static uint64_t core_ns(const struct growth_blocks *blocks)
{
    struct timespec own;
    if (blocks->process != 0) {
        return bench_process_ns(blocks->process);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    return (uint64_t)own.tv_sec * UINT64_C(1000000000) + (uint64_t)own.tv_nsec - bench_thread_ns();
}

/* Core time of a block of `each` records in each channel. */
static double block_ns(struct growth_blocks *blocks, uint32_t each)
{
    struct csn_wire_boot_stats stats;
    block_stats(&blocks->blocks[0], &stats);
    uint64_t outputs = stats.outputs + (uint64_t)each * blocks->channels;
    for (uint32_t c = 0; c < blocks->channels; c++) {
        block_fill(&blocks->blocks[c], each);
        blocks->blocks[c].outputs = outputs;
    }
    uint64_t core = core_ns(blocks);
    for (uint32_t c = 0; c < blocks->channels; c++) {
        block_publish(&blocks->blocks[c]);
    }
    block_wait(&blocks->blocks[0]);
    await_park(&blocks->blocks[0], stats.parks);
    core = block_core_ns() - core;
    for (uint32_t c = 0; c < blocks->channels; c++) {
        block_drain(&blocks->blocks[c]);
    }
    return (double)core;
}

struct growth_blocks *growth_blocks_new(struct growth_rings *rings, const struct growth_use *use)
{
    struct growth_blocks *blocks = calloc(1, sizeof *blocks);
    bench_require(blocks != NULL, "no memory");
    blocks->sealed = calloc(use->channels, sizeof *blocks->sealed);
    blocks->blocks = calloc(use->channels, sizeof *blocks->blocks);
    bench_require(blocks->sealed != NULL && blocks->blocks != NULL, "no memory");
    blocks->process = rings->process;
    blocks->channels = use->channels;
    for (uint32_t c = 0; c < use->channels; c++) {
        struct block *block = &blocks->blocks[c];
        blocks->sealed[c] = rings->first;
        blocks->sealed[c].channel = c;
        block_init(block, &blocks->sealed[c], use->size);
        /* A context's answers are opened in their order, so that each channel has its own. */
        block->sealer_count = use->contexts / use->channels;
        block->sealers = rings->sealers + (size_t)c * block->sealer_count;
    }
    blocks->each = blocks->blocks[0].count_max / use->channels; /* alike for all numbers of them */
    bench_require(blocks->each > 1, "rings that small");
    return blocks;
}

void growth_blocks_free(struct growth_blocks *blocks)
{
    free(blocks->sealed);
    free(blocks->blocks);
    free(blocks);
}

double growth_rings_slice(void *state)
{
    struct growth_blocks *blocks = state;
    double slice_ns = (double)bench_scaled(GROWTH_SLICE_NS);
    double spent = 0;
    double count = 0;
    while (spent < slice_ns) {
        /* Neighbours, so that both meet the same moment of the machine. */
        double more = block_ns(blocks, blocks->each) - block_ns(blocks, 1);
        spent += more > 1 ? more : 1;
        count += (double)(blocks->each - 1) * blocks->channels;
    }
    return spent / count;
}
