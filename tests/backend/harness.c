/* SPDX-License-Identifier: Apache-2.0 */
/* harness.c: start a built image on a backend without libcaisson around it. */
#define _GNU_SOURCE
#include "harness.h"

#include "backend/detail.h"
#include "backend/memory.h"
#include "image/image.h"
#include <caisson/wire/channel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define HARNESS_POLL_COUNT_MAX 10000u

static void harness_pause(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    nanosleep(&pause, NULL);
}

static csn_err harness_read(struct harness *harness, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/images/%s.elf", getenv("CAISSON_BUILD"), name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return csn_detail_set(&harness->detail, CSN_ERR_SYSTEM, "no image %.150s", path);
    }
    harness->image = malloc(1u << 22);
    harness->image_size = fread(harness->image, 1, 1u << 22, file);
    fclose(file);
    return CSN_OK;
}

csn_err harness_prepare(struct harness *harness, const struct csn_backend *backend,
                        const char *name)
{
    *harness = (struct harness){.backend = backend, .rings_fd = -1};
    CSN_TRY(harness_read(harness, name));
    struct csn_image image;
    CSN_TRY(csn_image_parse(harness->image, harness->image_size, &image, NULL));
    harness->manifest = image.manifest;
    harness->rings_size = csn_wire_rings_size(&image.manifest);
    CSN_TRY(
        csn_memory_file("test-rings", harness->rings_size, &harness->rings_fd, &harness->detail));
    harness->rings =
        mmap(NULL, harness->rings_size, PROT_READ | PROT_WRITE, MAP_SHARED, harness->rings_fd, 0);
    return CSN_OK;
}

csn_err harness_create(struct harness *harness, uint32_t require)
{
    const struct csn_backend_config config = {.image = harness->image,
                                              .image_size = harness->image_size,
                                              .manifest = &harness->manifest,
                                              .rings_fd = harness->rings_fd,
                                              .rings = harness->rings,
                                              .require = require};
    return harness->backend->create(&config, &harness->instance, &harness->report,
                                    &harness->detail);
}

csn_err harness_start(struct harness *harness, const struct csn_backend *backend, const char *name,
                      uint32_t require)
{
    CSN_TRY(harness_prepare(harness, backend, name));
    return harness_create(harness, require);
}

void harness_stop(struct harness *harness)
{
    if (harness->instance != NULL) {
        harness->backend->destroy(harness->instance);
    }
    if (harness->rings != NULL) {
        munmap(harness->rings, harness->rings_size);
    }
    if (harness->rings_fd >= 0) {
        close(harness->rings_fd);
    }
    free(harness->image);
    *harness = (struct harness){.rings_fd = -1};
}

void harness_fate(struct harness *harness, struct csn_fate *fate)
{
    for (uint32_t i = 0; i < HARNESS_POLL_COUNT_MAX; i++) {
        harness->backend->fate(harness->instance, fate);
        if (fate->kind != CSN_FATE_RUNNING) {
            return;
        }
        harness_pause();
    }
}

void harness_bump(struct harness *harness, uint32_t worker)
{
    uint8_t *area = (uint8_t *)harness->rings + csn_wire_worker_offset(&harness->manifest, worker);
    __atomic_fetch_add((uint32_t *)(area + CSN_WIRE_EVENT_WORD), 1, __ATOMIC_SEQ_CST);
    harness->backend->wake(harness->instance, worker);
}

bool harness_parked(struct harness *harness, uint32_t worker, uint64_t count)
{
    struct csn_wire_boot *boot = harness->backend->boot(harness->instance);
    for (uint32_t i = 0; i < HARNESS_POLL_COUNT_MAX; i++) {
        if (__atomic_load_n(&boot->stats[worker].parks, __ATOMIC_RELAXED) >= count) {
            return true;
        }
        harness_pause();
    }
    return false;
}
