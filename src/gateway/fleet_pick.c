/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_pick.c: which unit is meant. */
#include "fleet.h"
#include <string.h>

static bool serves(const struct csn_unit *unit)
{
    return unit->state == CSN_UNIT_CURRENT ||
           (unit->state == CSN_UNIT_RETIRING && !unit->is_closed);
}

struct csn_unit *csn_fleet_current(const struct csn_fleet *fleet, uint32_t slot)
{
    struct csn_unit *found = NULL;
    uint32_t best = UINT32_MAX;
    uint32_t count = fleet->plan.service.instances;
    for (struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        uint32_t distance = (unit->slot + count - slot % count) % count;
        if (unit->state == CSN_UNIT_CURRENT && distance < best) {
            best = distance;
            found = unit;
        }
    }
    return found;
}

struct csn_unit *csn_fleet_serving(const struct csn_fleet *fleet)
{
    struct csn_unit *unit = fleet->units;
    while (unit != NULL && !serves(unit)) {
        unit = unit->next;
    }
    return unit;
}

struct csn_unit *csn_fleet_by_key(const struct csn_fleet *fleet, uint8_t key_id)
{
    for (struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        if (serves(unit) && unit->ohttp_keys_size != 0 && unit->ohttp_key_id == key_id) {
            return unit;
        }
    }
    return NULL;
}

struct csn_unit *csn_fleet_newest(const struct csn_fleet *fleet, uint32_t slot)
{
    struct csn_unit *found = NULL;
    for (struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        bool takes = unit->state == CSN_UNIT_GRANTING || unit->state == CSN_UNIT_CURRENT;
        found = takes && unit->slot == slot ? unit : found;
    }
    return found;
}

struct csn_unit *csn_fleet_by_serial(const struct csn_fleet *fleet, uint64_t serial)
{
    struct csn_unit *unit = fleet->units;
    while (unit != NULL && unit->serial != serial) {
        unit = unit->next;
    }
    return unit;
}

void csn_fleet_token(const struct csn_unit *unit, const struct csn_pump *pump,
                     char token[CSN_FLEET_TOKEN_SIZE])
{
    /* By hand: printing took a tenth of the gateway's time for a request. */
    static const char digits[] = "0123456789abcdef";
    const uint32_t worker = (uint32_t)(pump - unit->pumps);
    for (size_t i = 0; i < 8; i++) {
        token[2 * i] = digits[unit->boot_id[i] >> 4];
        token[2 * i + 1] = digits[unit->boot_id[i] & 15];
    }
    token[16] = '.';
    token[17] = digits[worker / 10];
    token[18] = digits[worker % 10];
    token[19] = 0;
}

struct csn_pump *csn_fleet_by_token(const struct csn_fleet *fleet, const char *token, size_t size,
                                    struct csn_unit **found)
{
    char name[CSN_FLEET_TOKEN_SIZE];
    for (struct csn_unit *unit = fleet->units; unit != NULL; unit = unit->next) {
        for (uint32_t i = 0; serves(unit) && i < unit->worker_count; i++) {
            csn_fleet_token(unit, &unit->pumps[i], name);
            if (strlen(name) == size && memcmp(name, token, size) == 0) {
                *found = unit;
                return &unit->pumps[i];
            }
        }
    }
    return NULL;
}
