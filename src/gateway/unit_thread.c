/* SPDX-License-Identifier: Apache-2.0 */
/* unit_thread.c: starts and ends an enclave, and has its evidence signed, beside the loop. */
#include "unit_thread.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH_MAX 64u /* nonces under one signature */

static void tell(const struct csn_unit *unit)
{
    static const uint64_t one = 1;
    ssize_t written = write(unit->plan.event_fd, &one, sizeof one);
    (void)written; /* a full counter wakes the loop as well */
}

void csn_unit_nonces_add(struct csn_unit_nonces *list, struct csn_unit_nonce *nonce)
{
    nonce->next = NULL;
    if (list->first == NULL) {
        list->last = &list->first;
    }
    *list->last = nonce;
    list->last = &nonce->next;
}

/* ---- starting and ending ---- */

static void end_enclave(struct csn_unit *unit)
{
    if (unit->enclave == NULL) {
        csn_store_place_close(&unit->place);
        return;
    }
    (void)csn_enclave_stop(unit->enclave); /* whoever waits in it comes back */
    for (uint32_t i = 0; i < unit->worker_count; i++) {
        csn_pump_end(&unit->pumps[i]);
    }
    csn_enclave_destroy(unit->enclave);
    csn_store_place_close(&unit->place);
    unit->enclave = NULL;
    unit->worker_count = 0;
}

static csn_err start_pumps(struct csn_unit *unit)
{
    const struct csn_wire_manifest *manifest = csn_enclave_manifest(unit->enclave);
    csn_err err = CSN_OK;
    for (uint32_t i = 0; i < manifest->worker_count && err == CSN_OK; i++) {
        err = csn_pump_init(&unit->pumps[i], unit->enclave, i * manifest->channel_count,
                            unit->plan.service.inflight, unit->plan.event_fd);
        unit->worker_count += err == CSN_OK ? 1 : 0;
    }
    return err;
}

/* The same image again after a crash, whatever has become of its file. */
static csn_err start_enclave(struct csn_unit *unit, struct csn_detail *detail)
{
    const struct csn_config_service *service = &unit->plan.service;
    end_enclave(unit);
    if (unit->image.bytes == NULL) {
        CSN_TRY(csn_signed_image_read(service->image, service->signature, &unit->image, detail));
    }
    if (unit->plan.extend != NULL && unit->restarts == 0) {
        CSN_TRY(unit->plan.extend(unit->plan.extend_state, unit->image.measurement, detail));
    }
    CSN_TRY(csn_store_place_open(&unit->place, &unit->image.image.manifest, service->store.folder,
                                 service->store.tpm, detail));
    const struct csn_enclave_options options = {.image = unit->image.bytes,
                                                .image_size = unit->image.size,
                                                .backend = service->backend,
                                                .require = service->require,
                                                .inflight_count_max = service->inflight,
                                                .store = unit->place.store};
    csn_err err = csn_enclave_create(&options, &unit->enclave, detail);
    err = err == CSN_OK ? start_pumps(unit) : err;
    if (err != CSN_OK) {
        end_enclave(unit);
    }
    return err;
}

/* ---- evidence ---- */

struct batch {
    struct csn_unit_nonce *nonces[BATCH_MAX];
    uint8_t bytes[BATCH_MAX][32];
    size_t count;
};

static void take_bundle(void *state, size_t index, const uint8_t *bundle, size_t size)
{
    struct csn_unit_nonce *nonce = ((struct batch *)state)->nonces[index];
    nonce->bundle = malloc(size);
    if (nonce->bundle != NULL) {
        memcpy(nonce->bundle, bundle, size);
        nonce->bundle_size = size;
    }
}

/* All that were asked meanwhile, under one signature of the platform. */
static void answer_nonces(struct csn_unit *unit, struct csn_unit_nonce *first)
{
    struct csn_detail detail = {"the enclave is not running"};
    struct batch batch = {.count = 0};
    for (struct csn_unit_nonce *at = first; at != NULL; at = at->next) {
        memcpy(batch.bytes[batch.count], at->nonce, sizeof at->nonce);
        batch.nonces[batch.count++] = at;
    }
    if (unit->enclave != NULL) {
        (void)snprintf(detail.text, sizeof detail.text, "out of memory");
        csn_err err = csn_attest(unit->enclave, &unit->image.signature, &unit->plan.platform,
                                 (const uint8_t(*)[32])batch.bytes, batch.count, take_bundle,
                                 &batch, &detail);
        (void)err; /* each nonce has its bundle, or the detail */
    }
    for (size_t i = 0; i < batch.count; i++) {
        batch.nonces[i]->detail = detail;
    }
}

/* At most BATCH_MAX of those who ask. */
static struct csn_unit_nonce *take_asked(struct csn_unit_nonces *asked)
{
    struct csn_unit_nonce *first = asked->first;
    struct csn_unit_nonce *last = first;
    for (size_t i = 1; i < BATCH_MAX && last != NULL && last->next != NULL; i++) {
        last = last->next;
    }
    asked->first = last != NULL ? last->next : NULL;
    if (last != NULL) {
        last->next = NULL;
    }
    return first;
}

/* ---- the thread ---- */

static void do_start(struct csn_unit *unit)
{
    struct csn_detail detail = {""};
    pthread_mutex_unlock(&unit->lock);
    csn_err err = start_enclave(unit, &detail);
    pthread_mutex_lock(&unit->lock);
    unit->result = err;
    unit->result_detail = detail;
    if (unit->box == CSN_UNIT_START) { /* not told to end meanwhile */
        unit->box = CSN_UNIT_STARTED;
    }
}

static void do_evidence(struct csn_unit *unit)
{
    struct csn_unit_nonce *first = take_asked(&unit->asked);
    pthread_mutex_unlock(&unit->lock);
    answer_nonces(unit, first);
    pthread_mutex_lock(&unit->lock);
    while (first != NULL) {
        struct csn_unit_nonce *next = first->next;
        csn_unit_nonces_add(&unit->answered, first);
        first = next;
    }
}

void *csn_unit_thread(void *state)
{
    struct csn_unit *unit = state;
    pthread_mutex_lock(&unit->lock);
    while (unit->box != CSN_UNIT_END) {
        if (unit->box == CSN_UNIT_START) {
            do_start(unit);
        } else if (unit->asked.first != NULL) {
            do_evidence(unit);
        } else {
            pthread_cond_wait(&unit->changed, &unit->lock);
            continue;
        }
        tell(unit);
    }
    pthread_mutex_unlock(&unit->lock);
    end_enclave(unit);
    csn_signed_image_free(&unit->image);
    pthread_mutex_lock(&unit->lock);
    while (unit->asked.first != NULL) {
        do_evidence(unit);
    }
    unit->box = CSN_UNIT_GONE;
    pthread_mutex_unlock(&unit->lock);
    tell(unit);
    return NULL;
}
