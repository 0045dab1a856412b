/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_fleets.c: from services of a configuration to fleets and their control sockets. */
#include "backend/detail.h"
#include "gateway_state.h"
#include <stdio.h>
#include <string.h>

static void say_of_unit(void *state, const struct csn_unit *unit, const char *what)
{
    const struct csn_gateway_fleet *owner = state;
    char slot[16] = "";
    if (unit->plan.service.instances > 1) {
        snprintf(slot, sizeof slot, " (instance %u)", unit->slot);
    }
    csn_gateway_say(owner->gateway, "service %s%s: enclave %llu %s%s%s", unit->plan.service.name,
                    slot, (unsigned long long)unit->serial, what,
                    unit->detail.text[0] != 0 ? ": " : "", unit->detail.text);
}

static csn_err extend(void *state, const uint8_t measurement[48], struct csn_detail *detail)
{
    const struct csn_gateway_fleet *owner = state;
    const struct csn_gateway_hooks *hooks = &owner->gateway->hooks;
    return hooks->extend(hooks->state, owner->name, measurement, detail);
}

static void end_controls(struct csn_gateway_fleet *owner, uint32_t count)
{
    for (uint32_t slot = 0; slot < count; slot++) {
        csn_control_server_end(&owner->controls[slot]);
    }
}

/* All of them, or none. */
static csn_err start_controls(struct csn_gateway_fleet *owner, uint32_t count,
                              struct csn_detail *detail)
{
    csn_err err = CSN_OK;
    uint32_t started = 0;
    while (err == CSN_OK && started < count) {
        err = csn_control_server_start(&owner->controls[started], detail);
        started += err == CSN_OK ? 1 : 0;
    }
    end_controls(owner, err == CSN_OK ? 0 : started);
    return err;
}

/*
 * What was started is ended by csn_gateway_end_fleets(). Without its control sockets a service is
 * not there at all, so that it can be added again.
 */
csn_err csn_gateway_add_fleet(struct csn_gateway *gateway, struct csn_config *config,
                              uint32_t index, struct csn_detail *detail)
{
    struct csn_gateway_fleet *owner = &gateway->fleets[gateway->fleet_count];
    const struct csn_gateway_hooks *hooks = &gateway->hooks;
    const struct csn_config_service *service = &config->services[index];
    struct csn_fleet *fleet = &owner->fleet;
    *owner = (struct csn_gateway_fleet){.gateway = gateway};
    snprintf(owner->name, sizeof owner->name, "%s", service->name);
    fleet->plan.event_fd = gateway->event_fd;
    fleet->plan.extend = hooks->extend != NULL ? extend : NULL;
    fleet->plan.extend_state = owner;
    fleet->say = say_of_unit;
    fleet->say_state = owner;
    if (!hooks->platform(hooks->state, service, &fleet->plan.platform, detail)) {
        return CSN_ERR_EVIDENCE;
    }
    csn_fleet_set_service(fleet, service, config);
    for (uint32_t slot = 0; slot < service->instances; slot++) {
        struct csn_control_server *control = &owner->controls[slot];
        control->fleet = fleet;
        control->slot = slot;
        control->event_fd = gateway->event_fd;
        control->say = say_of_unit;
        control->say_state = owner;
    }
    csn_err err = start_controls(owner, service->instances, detail);
    if (err == CSN_OK && service->rings != NULL) {
        owner->rings.fleet = fleet;
        owner->rings.front = gateway->front;
        err = csn_rings_server_start(&owner->rings, detail);
        end_controls(owner, err == CSN_OK ? 0 : service->instances);
    }
    if (err != CSN_OK) {
        csn_config_free(fleet->plan.config);
        return err;
    }
    owner->vouched = csn_config_hold(config);
    gateway->fleet_count++;
    err = csn_fleet_start(fleet);
    return err == CSN_OK ? CSN_OK : csn_detail_set(detail, err, "out of memory or threads");
}

void csn_gateway_end_fleets(struct csn_gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        csn_fleet_end(&gateway->fleets[i].fleet);
    }
}

void csn_gateway_free_fleets(struct csn_gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        end_controls(&gateway->fleets[i], CSN_CONFIG_INSTANCES_MAX);
        csn_config_free(gateway->fleets[i].fleet.plan.config);
        csn_config_free(gateway->fleets[i].vouched);
    }
    gateway->fleet_count = 0;
}

struct csn_fleet *csn_gateway_fleet(struct csn_gateway *gateway, const char *name, size_t size)
{
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        const char *known = gateway->fleets[i].name;
        if (size == 0 || (strlen(known) == size && memcmp(known, name, size) == 0)) {
            return &gateway->fleets[i].fleet;
        }
    }
    return NULL;
}

bool csn_gateway_is_ready(const struct csn_gateway *gateway)
{
    bool ready = !gateway->is_draining && gateway->fleet_count != 0;
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        ready = ready && csn_fleet_current(&gateway->fleets[i].fleet, 0) != NULL;
    }
    return ready;
}
