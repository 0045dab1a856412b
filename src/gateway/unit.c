/* SPDX-License-Identifier: Apache-2.0 */
/* unit.c: a unit as the loop sees it. */
#include "unit.h"
#include "unit_thread.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S       UINT64_C(1000000000)
#define RETRY_FIRST_NS UINT64_C(100000000) /* after the second failure in a row; then doubled */
#define RETRY_MAX      7u
#define STEADY_NS      (30 * NS_PER_S) /* whoever ran so long has not failed in a row */

/* ---- the box ---- */

static void tell_thread(struct csn_unit *unit, int box)
{
    pthread_mutex_lock(&unit->lock);
    unit->box = box;
    pthread_cond_signal(&unit->changed);
    pthread_mutex_unlock(&unit->lock);
}

struct csn_unit *csn_unit_create(const struct csn_unit_plan *plan, uint32_t slot)
{
    static uint64_t serial;
    struct csn_unit *unit = calloc(1, sizeof *unit);
    if (unit == NULL) {
        return NULL;
    }
    unit->plan = *plan;
    (void)csn_config_hold(plan->config);
    unit->slot = slot;
    unit->serial = ++serial;
    unit->grants_wanted = plan->service.grants;
    unit->box = CSN_UNIT_START;
    pthread_mutex_init(&unit->lock, NULL);
    pthread_cond_init(&unit->changed, NULL);
    if (pthread_create(&unit->thread, NULL, csn_unit_thread, unit) != 0) {
        csn_config_free(unit->plan.config);
        free(unit);
        return NULL;
    }
    return unit;
}

void csn_unit_free(struct csn_unit *unit)
{
    pthread_join(unit->thread, NULL);
    pthread_mutex_destroy(&unit->lock);
    pthread_cond_destroy(&unit->changed);
    csn_config_free(unit->plan.config);
    free(unit);
}

/* ---- what an enclave that has started says of itself ---- */

static void read_made(struct csn_unit *unit, const struct csn_wire_boot_made *made)
{
    memcpy(unit->boot_id, made->boot_id, sizeof unit->boot_id);
    unit->ohttp_keys_size =
        made->ohttp_keys_size <= CSN_WIRE_OHTTP_KEYS_SIZE ? made->ohttp_keys_size : 0;
    memcpy(unit->ohttp_keys, made->ohttp_keys, sizeof unit->ohttp_keys);
    unit->ohttp_key_id = unit->ohttp_keys_size > 2 ? made->ohttp_keys[2] : 0;
    for (uint32_t i = 0; i < made->key_count; i++) {
        if (made->keys[i].purpose == CSN_WIRE_KEY_OHTTP) {
            memcpy(unit->ohttp_keys_hash, made->keys[i].public_key, 32);
        }
    }
}

/* Tenants are told apart by their recipient keys in the evidence. */
static uint32_t count_tenants(const struct csn_wire_boot_made *made)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < made->key_count; i++) {
        bool is_new = made->keys[i].purpose == CSN_WIRE_KEY_RECIPIENT;
        for (uint32_t k = 0; k < i && is_new; k++) {
            is_new = made->keys[k].purpose != CSN_WIRE_KEY_RECIPIENT ||
                     memcmp(made->keys[k].tenant, made->keys[i].tenant, 32) != 0;
        }
        count += is_new ? 1 : 0;
    }
    return count;
}

void csn_unit_read_grants(struct csn_unit *unit)
{
    static struct csn_wire_boot_made made;
    if (csn_unit_is_up(unit) && csn_enclave_made(unit->enclave, &made) == CSN_OK) {
        unit->tenant_count = count_tenants(&made);
    }
}

static void come_up(struct csn_unit *unit, uint64_t now)
{
    static struct csn_wire_boot_made made;
    csn_enclave_report(unit->enclave, &unit->report);
    unit->tenant_count = unit->grant_count = 0;
    unit->start_s = (uint64_t)time(NULL);
    unit->up_ns = now;
    if (csn_enclave_made(unit->enclave, &made) == CSN_OK) {
        unit->state = CSN_UNIT_GRANTING;
        unit->detail.text[0] = 0;
        read_made(unit, &made);
    }
}

static void stay_down(struct csn_unit *unit, uint64_t now)
{
    uint32_t doublings = unit->failures < RETRY_MAX ? unit->failures : RETRY_MAX;
    unit->state = CSN_UNIT_DOWN;
    unit->retry_ns = now + (doublings == 0 ? 0 : RETRY_FIRST_NS << (doublings - 1));
    unit->failures++;
}

bool csn_unit_take(struct csn_unit *unit, uint64_t now)
{
    pthread_mutex_lock(&unit->lock);
    struct csn_unit_nonce *answered = unit->answered.first;
    bool started = unit->box == CSN_UNIT_STARTED;
    bool gone = unit->box == CSN_UNIT_GONE && unit->state != CSN_UNIT_ENDED;
    csn_err result = unit->result;
    unit->answered.first = NULL;
    if (started) {
        unit->box = CSN_UNIT_REST;
    }
    pthread_mutex_unlock(&unit->lock);
    if (started && result == CSN_OK) {
        come_up(unit, now);
    } else if (started) {
        unit->detail = unit->result_detail;
        stay_down(unit, now);
    } else if (gone) {
        unit->state = CSN_UNIT_ENDED;
    }
    while (answered != NULL) {
        struct csn_unit_nonce *next = answered->next;
        unit->nonce_count--;
        answered->done(answered);
        answered = next;
    }
    return started || gone;
}

/* ---- the end of an enclave ---- */

static void lose_all(struct csn_unit *unit)
{
    for (uint32_t i = 0; i < unit->worker_count; i++) {
        csn_pump_lose(&unit->pumps[i]);
    }
}

void csn_unit_crash(struct csn_unit *unit, uint64_t now, const char *why)
{
    struct csn_fate fate = {.kind = CSN_FATE_RUNNING};
    csn_err err = csn_enclave_fate(unit->enclave, &fate);
    bool told = err == CSN_OK && fate.kind != CSN_FATE_RUNNING;
    snprintf(unit->detail.text, sizeof unit->detail.text, "%s", told ? fate.detail.text : why);
    if (now - unit->up_ns > STEADY_NS) {
        unit->failures = 0;
    }
    unit->down_ns = now;
    stay_down(unit, now);
    lose_all(unit);
}

void csn_unit_restart(struct csn_unit *unit)
{
    unit->state = CSN_UNIT_STARTING;
    unit->restarts++;
    tell_thread(unit, CSN_UNIT_START);
}

void csn_unit_end(struct csn_unit *unit)
{
    bool up = csn_unit_is_up(unit);
    unit->state = CSN_UNIT_ENDING;
    if (up) {
        lose_all(unit);
    }
    tell_thread(unit, CSN_UNIT_END);
}

/* ---- asking ---- */

bool csn_unit_ask_evidence(struct csn_unit *unit, struct csn_unit_nonce *nonce,
                           uint32_t waiting_max)
{
    if (unit->nonce_count >= waiting_max) {
        return false;
    }
    unit->nonce_count++;
    nonce->bundle = NULL;
    pthread_mutex_lock(&unit->lock);
    csn_unit_nonces_add(&unit->asked, nonce);
    pthread_cond_signal(&unit->changed);
    pthread_mutex_unlock(&unit->lock);
    return true;
}

uint32_t csn_unit_inflight(const struct csn_unit *unit)
{
    uint32_t count = 0;
    for (uint32_t i = 0; csn_unit_is_up(unit) && i < unit->worker_count; i++) {
        count += csn_pump_inflight(&unit->pumps[i]);
    }
    return count;
}

struct csn_pump *csn_unit_idlest(struct csn_unit *unit)
{
    struct csn_pump *found = &unit->pumps[0];
    for (uint32_t i = 1; i < unit->worker_count; i++) {
        if (csn_pump_inflight(&unit->pumps[i]) < csn_pump_inflight(found)) {
            found = &unit->pumps[i];
        }
    }
    return found;
}
