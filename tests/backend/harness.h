/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harness.h: start a built image on a backend without libcaisson around it.
 *
 * Threads:  one. Lifetime: harness_stop() undoes harness_start(), also after a failed start.
 */
#ifndef CSN_TEST_BACKEND_HARNESS_H
#define CSN_TEST_BACKEND_HARNESS_H

#include "backend/backend.h"
#include <caisson/host.h>
#include <sys/types.h>

struct harness {
    const struct csn_backend *backend;
    struct csn_instance *instance;
    struct csn_wire_manifest manifest;
    struct csn_enclave_report report;
    struct csn_detail detail;
    void *image;
    size_t image_size;
    void *rings;
    size_t rings_size;
    int rings_fd;
};

/* name: an image under $CAISSON_BUILD/tests/images. require: CSN_PROTECT_*. */
csn_err harness_start(struct harness *harness, const struct csn_backend *backend, const char *name,
                      uint32_t require);
/* Its two halves: image and rings in memory; the instance. */
csn_err harness_prepare(struct harness *harness, const struct csn_backend *backend,
                        const char *name);
csn_err harness_create(struct harness *harness, uint32_t require);
void harness_stop(struct harness *harness);
/* Wait until it ended, at most ten seconds. */
void harness_fate(struct harness *harness, struct csn_fate *fate);
/* The value of the host's futex word of a worker, and a bump with a wake. */
void harness_bump(struct harness *harness, uint32_t worker);
/* Wait until a worker has parked at least this often; false after ten seconds. */
bool harness_parked(struct harness *harness, uint32_t worker, uint64_t count);

#endif
