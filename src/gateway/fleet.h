/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet.h: the units of one configured service: which of them is asked, and how they follow each
 * other.
 *
 * A service has as many slots as it has instances. In each slot one unit is current; beside it
 * there may be the next one, which starts and takes grants, and the one before, whose keys are
 * still taken until the overlap is over.
 *
 * Threads:  the loop's.
 */
#ifndef CSN_GATEWAY_FLEET_H
#define CSN_GATEWAY_FLEET_H

#include "unit.h"

struct csn_fleet {
    struct csn_unit_plan plan; /* of the next unit */
    struct csn_unit *units;    /* oldest first */
    uint64_t rotated_ns;       /* when the last rotation began */
    uint64_t patience_ns;      /* a worker that has not answered for so long is started again */
    bool is_ending;
    /* Says what happened, for the operator's log. */
    void (*say)(void *state, const struct csn_unit *unit, const char *what);
    void *say_state;
};

/* What a worker is called in Caisson-Worker: 16 digits of its unit's boot id, '.', its number. */
#define CSN_FLEET_TOKEN_SIZE 20u

/* Its service by a configuration, which it holds from now on: at first, and at a reload. */
void csn_fleet_set_service(struct csn_fleet *fleet, const struct csn_config_service *service,
                           struct csn_config *config);
/* Starts a unit in each slot. CSN_ERR_MEMORY. */
CSN_MUST_USE csn_err csn_fleet_start(struct csn_fleet *fleet);
/* A new unit in each slot, unless one is on its way there or an overlap goes on: then false. */
bool csn_fleet_rotate(struct csn_fleet *fleet, uint64_t now_ns);
/* Ends all units. csn_fleet_is_ended() once they are gone. */
void csn_fleet_end(struct csn_fleet *fleet);
bool csn_fleet_is_ended(const struct csn_fleet *fleet);

/* The event descriptor woke the loop. */
void csn_fleet_take(struct csn_fleet *fleet, uint64_t now_ns);
/* Some times a second: crashes, workers that hang, restarts, overlaps. */
void csn_fleet_tick(struct csn_fleet *fleet, uint64_t now_ns);
/* True: something moved. */
bool csn_fleet_step(struct csn_fleet *fleet, uint64_t now_ns);
void csn_fleet_rest(struct csn_fleet *fleet);
uint32_t csn_fleet_inflight(const struct csn_fleet *fleet);

/* The current unit of a slot, modulo their number; another slot's where it has none; or NULL. */
struct csn_unit *csn_fleet_current(const struct csn_fleet *fleet, uint32_t slot);
/* Any unit that is current or retiring, or NULL. */
struct csn_unit *csn_fleet_serving(const struct csn_fleet *fleet);
/* The unit that takes requests sealed to that key: current or retiring; or NULL. */
struct csn_unit *csn_fleet_by_key(const struct csn_fleet *fleet, uint8_t key_id);
/* The newest unit of a slot that takes grants, or NULL. */
struct csn_unit *csn_fleet_newest(const struct csn_fleet *fleet, uint32_t slot);
struct csn_unit *csn_fleet_by_serial(const struct csn_fleet *fleet, uint64_t serial);

void csn_fleet_token(const struct csn_unit *unit, const struct csn_pump *pump,
                     char token[CSN_FLEET_TOKEN_SIZE]);
/* The worker of that name in a unit that serves, or NULL. */
struct csn_pump *csn_fleet_by_token(const struct csn_fleet *fleet, const char *token, size_t size,
                                    struct csn_unit **unit);

#endif
