/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_state.h: what the parts of the gateway share. All of it is the loop's. */
#ifndef CSN_GATEWAY_GATEWAY_STATE_H
#define CSN_GATEWAY_GATEWAY_STATE_H

#include "access_log.h"
#include "buffer.h"
#include "control_server.h"
#include "counters.h"
#include "fleet.h"
#include "front.h"
#include "gateway.h"
#include "notify.h"
#include "rings_server.h"
#include "tenants.h"

struct csn_gateway_fleet {
    struct csn_fleet fleet;
    struct csn_control_server controls[CSN_CONFIG_INSTANCES_MAX];
    struct csn_rings_server rings;
    struct csn_gateway *gateway;
    struct csn_config *vouched; /* whose texts the platform has: held for as long as it is asked */
    char name[CSN_CONFIG_NAME_SIZE_MAX + 1];
};

/* What systemd was told last. */
enum csn_gateway_told { CSN_GATEWAY_TOLD_NOTHING, CSN_GATEWAY_TOLD_UP, CSN_GATEWAY_TOLD_READY };

struct csn_gateway {
    struct csn_config *config;
    struct csn_gateway_hooks hooks;
    struct csn_front *front;
    struct csn_view_front front_counters;
    struct csn_tenants tenants;
    struct csn_counters counters;
    struct csn_access_log log;
    struct csn_notify notify;
    struct csn_gateway_fleet fleets[CSN_CONFIG_SERVICES_MAX];
    uint32_t fleet_count;
    struct csn_view view; /* too large for a stack */
    uint64_t start_s;
    bool is_draining;
    bool is_told_ready;
    enum csn_gateway_told told;
    /* the loop */
    int event_fd; /* threads write it */
    int signal_fd;
    struct csn_front_watch event_watch;
    struct csn_front_watch signal_watch;
    struct csn_timer tick;
    uint64_t point_ns;           /* when the next one is due */
    uint64_t told_dropped;       /* lines of the log that were lost, as was said last, */
    uint64_t tell_dropped_ns;    /* and when that may be said again */
    uint64_t told_ns;            /* the watchdog, when last */
    uint64_t moved_ns;           /* when an output, or a message, moved last */
    uint64_t next_slot;          /* whose turn it is, for records without a worker */
    struct csn_account gathered; /* outputs that wait for the rest of their list */
    uint8_t *spare_answers;      /* room that goes from list to list; NULL: in use, or none yet */
    size_t spare_room;
};

/* The service of that name, the first one for size 0, or NULL. */
struct csn_fleet *csn_gateway_fleet(struct csn_gateway *gateway, const char *name, size_t size);
/* Each service has a current unit, and nothing is being drained. */
bool csn_gateway_is_ready(const struct csn_gateway *gateway);
/* For hooks.say. */
__attribute__((format(printf, 2, 3))) void csn_gateway_say(const struct csn_gateway *gateway,
                                                           const char *format, ...);

/* gateway_fleets.c */
CSN_MUST_USE csn_err csn_gateway_add_fleet(struct csn_gateway *gateway, struct csn_config *config,
                                           uint32_t index, struct csn_detail *detail);
void csn_gateway_end_fleets(struct csn_gateway *gateway);
void csn_gateway_free_fleets(struct csn_gateway *gateway);
/* gateway_reload.c */
void csn_gateway_reload(struct csn_gateway *gateway);
/* gateway_view.c: fills gateway->view. */
void csn_gateway_look(struct csn_gateway *gateway);

/* router.c, admin.c: what answers on the listeners; state: the gateway. */
extern const struct csn_service csn_router_service;
extern const struct csn_service csn_admin_service;

#endif
