/* SPDX-License-Identifier: Apache-2.0 */
/*
 * life.c: build, start, end, report.
 *
 * The boot region is read like shared memory, in whole words and once: the enclave writes it while
 * we read.
 */
#include "../backend/detail.h"
#include "../backend/memory.h"
#include "../backend/pause.h"
#include "enclave.h"
#include "store.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define START_WAIT_NS_MAX UINT64_C(20000000000)
#define MADE_TRIES_MAX    1000000u

_Static_assert(offsetof(struct csn_wire_boot_made, state) == 0, "first word: state, stop code");
_Static_assert(offsetof(struct csn_wire_boot_made, key_count) == 8, "second word: key version");
_Static_assert(sizeof(struct csn_wire_boot_made) % 8 == 0, "whole words");

bool csn_host_is_running(const struct csn_enclave *enclave)
{
    struct csn_fate fate;
    return csn_enclave_fate(enclave, &fate) == CSN_OK && fate.kind == CSN_FATE_RUNNING;
}

static struct csn_shared *made_of(const struct csn_enclave *enclave)
{
    return (struct csn_shared *)(void *)&enclave->backend->boot(enclave->instance)->made;
}

static csn_err await_serving(struct csn_enclave *enclave, struct csn_detail *detail)
{
    struct csn_pause pause;
    csn_pause_begin(&pause, START_WAIT_NS_MAX);
    do {
        uint64_t word = csn_shared_load_acquire(made_of(enclave), 0);
        if ((uint32_t)word == CSN_WIRE_STATE_SERVING) {
            return CSN_OK;
        }
        struct csn_fate fate;
        enclave->backend->fate(enclave->instance, &fate);
        if ((uint32_t)word == CSN_WIRE_STATE_REFUSED || fate.kind != CSN_FATE_RUNNING) {
            return csn_detail_set(detail, CSN_ERR_CRASHED,
                                  "the enclave did not start: stop code 0x%x, fate %u code 0x%x %s",
                                  (unsigned)(word >> 32), (unsigned)fate.kind, (unsigned)fate.code,
                                  fate.detail.text);
        }
    } while (csn_pause(&pause));
    return csn_detail_set(detail, CSN_ERR_CRASHED, "the enclave did not serve within 20 s");
}

static csn_err map_rings(struct csn_enclave *enclave, struct csn_detail *detail)
{
    CSN_TRY(csn_memory_file("caisson-rings", enclave->rings_size, &enclave->rings_fd, detail));
    /* Whoever starts the enclave touches them, while it waits for that. */
    void *rings =
        mmap(NULL, enclave->rings_size, PROT_READ | PROT_WRITE, MAP_SHARED, enclave->rings_fd, 0);
    if (rings == MAP_FAILED) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "mapping %llu bytes of rings",
                              (unsigned long long)enclave->rings_size);
    }
    enclave->rings = rings;
    return CSN_OK;
}

csn_err csn_host_start(struct csn_enclave *enclave, struct csn_detail *detail)
{
    uint64_t start = csn_now_ns();
    csn_err result = map_rings(enclave, detail);
    if (result == CSN_OK) {
        result = csn_channels_open(enclave);
    }
    if (result == CSN_OK) {
        const struct csn_backend_config config = {.image = enclave->image,
                                                  .image_size = enclave->image_size,
                                                  .manifest = &enclave->manifest,
                                                  .rings_fd = enclave->rings_fd,
                                                  .rings = enclave->rings,
                                                  .require = enclave->require};
        result = enclave->backend->create(&config, &enclave->instance, &enclave->report, detail);
    }
    if (result == CSN_OK) {
        result = await_serving(enclave, detail);
    }
    if (result == CSN_OK) {
        result = csn_store_servers_start(enclave);
        if (result != CSN_OK) {
            (void)csn_detail_set(detail, result, "no thread or memory to serve the store");
        }
    }
    if (result != CSN_OK) {
        csn_host_end(enclave);
        return result;
    }
    enclave->report.backend = enclave->backend->name;
    enclave->report.backend_id = enclave->backend->id;
    enclave->report.start_ns = csn_now_ns() - start;
    return CSN_OK;
}

void csn_host_end(struct csn_enclave *enclave)
{
    csn_store_servers_stop(enclave);
    if (enclave->instance != NULL) {
        enclave->backend->destroy(enclave->instance);
        enclave->instance = NULL;
    }
    if (enclave->rings != NULL) {
        munmap(enclave->rings, enclave->rings_size);
        enclave->rings = NULL;
    }
    if (enclave->rings_fd >= 0) {
        close(enclave->rings_fd);
        enclave->rings_fd = -1;
    }
}

csn_err csn_host_build(const struct csn_backend *backend, const struct csn_enclave_options *options,
                       const struct csn_wire_manifest *manifest, struct csn_enclave **enclave,
                       struct csn_detail *detail)
{
    *enclave = NULL;
    struct csn_enclave *built = calloc(1, sizeof *built);
    if (built == NULL) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "no memory for an enclave");
    }
    built->backend = backend;
    built->manifest = *manifest;
    built->require = options->require;
    built->rings_fd = -1;
    built->store = options->store;
    built->rings_size = csn_wire_rings_size(manifest);
    built->inflight_count_max =
        options->inflight_count_max == 0 ? CSN_HOST_INFLIGHT_COUNT : options->inflight_count_max;
    built->crash_count_max =
        options->crash_count_max == 0 ? CSN_HOST_CRASH_COUNT : options->crash_count_max;
    built->image_size = options->image_size;
    built->image = malloc(options->image_size + 1);
    csn_err result = CSN_ERR_MEMORY;
    if (built->image != NULL) {
        memcpy(built->image, options->image, options->image_size);
        result = csn_channels_allocate(built);
    }
    if (result != CSN_OK) {
        (void)csn_detail_set(detail, result, "no memory for the tables of inputs in flight");
    } else {
        result = csn_host_start(built, detail);
    }
    if (result != CSN_OK) {
        csn_enclave_destroy(built);
        return result;
    }
    *enclave = built;
    return CSN_OK;
}

void csn_enclave_destroy(struct csn_enclave *enclave)
{
    if (enclave == NULL) {
        return;
    }
    csn_host_end(enclave);
    csn_channels_free(enclave);
    free(enclave->image);
    free(enclave);
}

void csn_enclave_report(const struct csn_enclave *enclave, struct csn_enclave_report *report)
{
    *report = enclave->report;
}

const struct csn_wire_manifest *csn_enclave_manifest(const struct csn_enclave *enclave)
{
    return &enclave->manifest;
}

csn_err csn_enclave_made(const struct csn_enclave *enclave, struct csn_wire_boot_made *made)
{
    if (enclave->instance == NULL) {
        return CSN_ERR_STATE;
    }
    const struct csn_shared *source = made_of(enclave);
    /* A sequence lock: an odd version is being written, a changed one was (pairs with made.c). */
    for (uint32_t i = 0; i < MADE_TRIES_MAX; i++) {
        uint64_t before = csn_shared_load_acquire(source, 8);
        if ((before >> 32 & 1) != 0) {
            continue;
        }
        csn_shared_copy_in(made, source, 0, sizeof *made / 8);
        csn_shared_fence();
        if (csn_shared_load(source, 8) == before) {
            return made->key_count <= CSN_WIRE_BOOT_KEY_COUNT_MAX ? CSN_OK : CSN_ERR_PEER;
        }
    }
    return CSN_ERR_PEER;
}

csn_err csn_enclave_stats(const struct csn_enclave *enclave, uint32_t worker,
                          struct csn_wire_boot_stats *stats)
{
    if (enclave->instance == NULL) {
        return CSN_ERR_STATE;
    }
    if (worker >= enclave->manifest.worker_count) {
        return CSN_ERR_ARGUMENT;
    }
    const struct csn_wire_boot *boot = enclave->backend->boot(enclave->instance);
    csn_shared_copy_in(stats, (const struct csn_shared *)(const void *)&boot->stats[worker], 0,
                       sizeof *stats / 8);
    return CSN_OK;
}

csn_err csn_enclave_fate(const struct csn_enclave *enclave, struct csn_fate *fate)
{
    if (enclave->instance == NULL) {
        *fate = (struct csn_fate){.kind = CSN_FATE_UNKNOWN};
        (void)csn_detail_set(&fate->detail, CSN_OK, "a restart failed: there is no instance");
        return CSN_OK;
    }
    enclave->backend->fate(enclave->instance, fate);
    return CSN_OK;
}

csn_err csn_enclave_stop(struct csn_enclave *enclave)
{
    if (enclave->instance == NULL) {
        return CSN_ERR_STATE;
    }
    enclave->backend->stop(enclave->instance);
    return CSN_OK;
}

csn_err csn_enclave_counters(const struct csn_enclave *enclave,
                             struct csn_enclave_counters *counters)
{
    if (enclave->instance == NULL) {
        return CSN_ERR_STATE;
    }
    enclave->backend->counters(enclave->instance, counters);
    return CSN_OK;
}
