/* SPDX-License-Identifier: Apache-2.0 */
/* fleet.c: how units follow each other. */
#include "fleet.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S       UINT64_C(1000000000)
#define RETIRED_MAX_NS (30 * NS_PER_S) /* beyond the overlap, for what is still under way */

static void say(const struct csn_fleet *fleet, const struct csn_unit *unit, const char *what)
{
    if (fleet->say != NULL) {
        fleet->say(fleet->say_state, unit, what);
    }
}

/* ---- starting and ending ---- */

/* NULL: out of memory or threads. */
static struct csn_unit *add_unit(struct csn_fleet *fleet, uint32_t slot)
{
    struct csn_unit **last = &fleet->units;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = csn_unit_create(&fleet->plan, slot);
    return *last;
}

void csn_fleet_set_service(struct csn_fleet *fleet, const struct csn_config_service *service,
                           struct csn_config *config)
{
    csn_config_free(fleet->plan.config);
    fleet->plan.config = csn_config_hold(config);
    fleet->plan.service = *service;
}

csn_err csn_fleet_start(struct csn_fleet *fleet)
{
    for (uint32_t slot = 0; slot < fleet->plan.service.instances; slot++) {
        if (add_unit(fleet, slot) == NULL) {
            return CSN_ERR_MEMORY;
        }
    }
    return CSN_OK;
}

/* A store is one enclave's at a time: its successor starts when what is under way is answered. */
static void make_way(struct csn_fleet *fleet, uint64_t now_ns)
{
    for (struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        if (unit->state == CSN_UNIT_CURRENT) {
            unit->state = CSN_UNIT_RETIRING;
            unit->retire_ns = now_ns;
            say(fleet, unit, "retires: its store goes to the next");
        }
    }
}

bool csn_fleet_rotate(struct csn_fleet *fleet, uint64_t now_ns)
{
    bool is_free = !fleet->is_ending;
    for (const struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        is_free = is_free && unit->state == CSN_UNIT_CURRENT;
    }
    fleet->rotated_ns = is_free ? now_ns : fleet->rotated_ns; /* what is late is tried again */
    for (uint32_t slot = 0; is_free && slot < fleet->plan.service.instances; slot++) {
        const struct csn_unit *before = csn_fleet_current(fleet, slot);
        struct csn_unit *made = add_unit(fleet, slot);
        is_free = made != NULL;
        if (is_free && before != NULL && before->tenant_count > made->grants_wanted) {
            made->grants_wanted = before->tenant_count;
        }
    }
    if (is_free && fleet->plan.service.store.folder != NULL) {
        make_way(fleet, now_ns);
    }
    return is_free;
}

void csn_fleet_end(struct csn_fleet *fleet)
{
    fleet->is_ending = true;
    for (struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        if (unit->state != CSN_UNIT_ENDING && unit->state != CSN_UNIT_ENDED) {
            csn_unit_end(unit);
        }
    }
}

bool csn_fleet_is_ended(const struct csn_fleet *fleet)
{
    return fleet->units == NULL;
}

static void free_ended(struct csn_fleet *fleet)
{
    struct csn_unit **at = &fleet->units;
    while (*at != NULL) {
        struct csn_unit *unit = *at;
        if (unit->state == CSN_UNIT_ENDED) {
            *at = unit->next;
            csn_unit_free(unit);
        } else {
            at = &unit->next;
        }
    }
}

/* ---- one after the other ---- */

/* Two keys of one number could not be told apart in a request: then this unit makes another. */
static bool has_double_key(const struct csn_fleet *fleet, const struct csn_unit *unit)
{
    for (const struct csn_unit *other = fleet->units; other != NULL; other = other->next) {
        if (other != unit && csn_unit_is_up(other) && unit->ohttp_keys_size != 0 &&
            other->ohttp_keys_size != 0 && other->ohttp_key_id == unit->ohttp_key_id) {
            return true;
        }
    }
    return false;
}

static void retire_others(struct csn_fleet *fleet, const struct csn_unit *current, uint64_t now_ns)
{
    for (struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        if (unit != current && unit->slot == current->slot && unit->state == CSN_UNIT_CURRENT) {
            unit->state = CSN_UNIT_RETIRING;
            unit->retire_ns = now_ns + fleet->plan.service.overlap_s * NS_PER_S;
            say(fleet, unit, "retires");
        } else if (unit != current && unit->slot == current->slot && unit->state == CSN_UNIT_DOWN) {
            csn_unit_end(unit); /* its successor is there */
        }
    }
}

/*
 * As many tenants as the unit before had; or, once the overlap's time has passed without them, as
 * many as the configuration wants, so that a tenant who is away does not hold up everybody.
 */
static bool has_its_grants(const struct csn_fleet *fleet, const struct csn_unit *unit,
                           uint64_t now_ns)
{
    bool waited = now_ns - unit->up_ns >= fleet->plan.service.overlap_s * NS_PER_S ||
                  csn_fleet_current(fleet, unit->slot) == NULL;
    uint32_t wanted = waited ? fleet->plan.service.grants : unit->grants_wanted;
    return unit->tenant_count >= wanted;
}

static void consider(struct csn_fleet *fleet, struct csn_unit *unit, uint64_t now_ns)
{
    if (unit->state != CSN_UNIT_GRANTING || !has_its_grants(fleet, unit, now_ns)) {
        return;
    }
    unit->state = CSN_UNIT_CURRENT;
    unit->recovery_ns = unit->down_ns != 0 ? now_ns - unit->down_ns : 0;
    unit->down_ns = 0;
    say(fleet, unit, "is current");
    retire_others(fleet, unit, now_ns);
}

static void end_retired(struct csn_fleet *fleet, struct csn_unit *unit, uint64_t now_ns)
{
    unit->is_closed = unit->state == CSN_UNIT_RETIRING && now_ns >= unit->retire_ns;
    if (unit->is_closed &&
        (csn_unit_inflight(unit) == 0 || now_ns >= unit->retire_ns + RETIRED_MAX_NS)) {
        say(fleet, unit, "ends: its overlap is over");
        csn_unit_end(unit);
    }
}

static void crash(struct csn_fleet *fleet, struct csn_unit *unit, uint64_t now_ns, const char *why)
{
    bool retiring = unit->state == CSN_UNIT_RETIRING;
    csn_unit_crash(unit, now_ns, why);
    say(fleet, unit, "stopped");
    if (retiring) {
        csn_unit_end(unit); /* nobody comes back to its keys */
    }
}

void csn_fleet_take(struct csn_fleet *fleet, uint64_t now_ns)
{
    for (struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        if (!csn_unit_take(unit, now_ns)) {
            continue;
        }
        if (unit->state == CSN_UNIT_GRANTING && has_double_key(fleet, unit)) {
            csn_unit_restart(unit);
        } else if (unit->state == CSN_UNIT_GRANTING) {
            say(fleet, unit, "has started");
        } else if (unit->state == CSN_UNIT_DOWN) {
            say(fleet, unit, "does not start");
        }
        consider(fleet, unit, now_ns);
    }
    free_ended(fleet);
}

static bool is_stuck(const struct csn_fleet *fleet, struct csn_unit *unit, uint64_t now_ns)
{
    bool stuck = false;
    for (uint32_t i = 0; csn_unit_is_up(unit) && i < unit->worker_count; i++) {
        stuck |= csn_pump_is_stuck(&unit->pumps[i], now_ns, fleet->patience_ns);
    }
    return stuck;
}

void csn_fleet_tick(struct csn_fleet *fleet, uint64_t now_ns)
{
    for (struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        struct csn_fate fate = {.kind = CSN_FATE_RUNNING};
        if (csn_unit_is_up(unit) && csn_unit_inflight(unit) == 0 &&
            csn_enclave_fate(unit->enclave, &fate) == CSN_OK && fate.kind != CSN_FATE_RUNNING) {
            crash(fleet, unit, now_ns, ""); /* with messages under way, the step sees it */
        }
        if (is_stuck(fleet, unit, now_ns)) {
            crash(fleet, unit, now_ns, "a worker has stopped to answer");
        }
        if (unit->state == CSN_UNIT_DOWN && now_ns >= unit->retry_ns) {
            csn_unit_restart(unit);
        }
        consider(fleet, unit, now_ns);
        end_retired(fleet, unit, now_ns);
    }
}

/* ---- messages ---- */

bool csn_fleet_step(struct csn_fleet *fleet, uint64_t now_ns)
{
    bool moved = false;
    for (struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        for (uint32_t i = 0; csn_unit_is_up(unit) && i < unit->worker_count; i++) {
            if (csn_pump_inflight(&unit->pumps[i]) == 0) {
                continue;
            }
            csn_err err = csn_pump_step(&unit->pumps[i]);
            moved |= err == CSN_OK;
            if (err != CSN_OK && err != CSN_AGAIN) {
                crash(fleet, unit, now_ns, "it broke the protocol of its rings");
                moved = true;
            }
        }
    }
    return moved;
}

void csn_fleet_rest(struct csn_fleet *fleet)
{
    for (struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        for (uint32_t i = 0; csn_unit_is_up(unit) && i < unit->worker_count; i++) {
            csn_pump_rest(&unit->pumps[i]);
        }
    }
}

uint32_t csn_fleet_inflight(const struct csn_fleet *fleet)
{
    uint32_t count = 0;
    for (const struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        count += csn_unit_inflight(unit);
    }
    return count;
}
