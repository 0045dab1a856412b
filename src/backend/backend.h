/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend.h: one const struct per way of running an image. Nothing outside src/backend/ knows which
 * one runs; the image does not know either.
 */
#ifndef CSN_BACKEND_BACKEND_H
#define CSN_BACKEND_BACKEND_H

#include <caisson/host.h>
#include <caisson/wire/boot.h>
#include <caisson/wire/manifest.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csn_instance; /* a backend's own state */

struct csn_backend_config {
    const void *image; /* private copy of the ELF, already checked by csn_image_parse() */
    size_t image_size;
    const struct csn_wire_manifest *manifest;
    int rings_fd; /* sealed memfd of csn_wire_rings_size(manifest) bytes, zeroed */
    void *rings;  /* the host's mapping of it, for the backend to touch in full */
    uint32_t require;
};

/* Each field is required unless marked optional. */
struct csn_backend {
    const char *name;
    uint32_t id; /* CSN_WIRE_BACKEND_* */
    /* Can it run here? CSN_OK or CSN_ERR_MISSING; detail says what was found and the remedy. */
    csn_err (*probe)(struct csn_detail *detail);
    /* Build private memory, measure the copy that will run, start every worker. */
    csn_err (*create)(const struct csn_backend_config *config, struct csn_instance **instance,
                      struct csn_enclave_report *report, struct csn_detail *detail);
    /* The boot region as the launcher sees it (never the rings). Valid until destroy. */
    struct csn_wire_boot *(*boot)(struct csn_instance *instance);
    /* An event word of this worker was bumped: let it run if it sleeps. Any thread. */
    void (*wake)(struct csn_instance *instance, uint32_t worker);
    /* Running or why not; never blocks. Any thread. */
    void (*fate)(struct csn_instance *instance, struct csn_fate *fate);
    void (*counters)(struct csn_instance *instance, struct csn_enclave_counters *counters);
    /* End it now, whatever it does, and wait for its end. Idempotent. */
    void (*stop)(struct csn_instance *instance);
    void (*destroy)(struct csn_instance *instance); /* stops first */
};

extern const struct csn_backend csn_backend_process;
extern const struct csn_backend csn_backend_kvm;

/* In order of preference for "auto"; NULL-terminated. */
extern const struct csn_backend *const csn_backends[];

#endif
