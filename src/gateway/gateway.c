/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.c: putting the parts together, and the loop. */
#define _GNU_SOURCE
#include "backend/detail.h"
#include "gateway_state.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)
#define TICK_NS  UINT64_C(100000000)
#define SPIN_NS  UINT64_C(20000) /* looks for outputs before it sleeps: about what that costs */

void csn_gateway_say(const struct csn_gateway *gateway, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    gateway->hooks.say(gateway->hooks.state, line);
}

/* ---- signals ---- */

static sigset_t signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    return set;
}

void csn_gateway_block_signals(void)
{
    const sigset_t set = signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void rotate(struct csn_gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        bool begun = csn_fleet_rotate(&gateway->fleets[i].fleet, csn_front_now(gateway->front));
        csn_gateway_say(gateway, "service %s: %s", gateway->fleets[i].name,
                        begun ? "rotates: the next enclave starts"
                              : "does not rotate now: it is starting, down, or in an overlap");
    }
}

static void drain(struct csn_gateway *gateway)
{
    csn_gateway_say(gateway, gateway->is_draining ? "asked again to end: it ends now"
                                                  : "ends, once what is under way is answered");
    csn_notify_tell(&gateway->notify, "STOPPING=1\nSTATUS=drains");
    csn_front_drain(gateway->front, gateway->is_draining ? 0 : gateway->config->drain_ns);
    gateway->is_draining = true;
}

static void on_signal(void *state, uint32_t events)
{
    struct csn_gateway *gateway = state;
    struct signalfd_siginfo info;
    (void)events;
    while (read(gateway->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
            drain(gateway);
        } else if (gateway->is_draining) {
            csn_gateway_say(gateway, "ends: it reads and rotates nothing any more");
        } else if (info.ssi_signo == SIGHUP) {
            csn_gateway_reload(gateway);
        } else {
            rotate(gateway);
        }
    }
}

/* ---- the loop ---- */

static void take_controls(struct csn_gateway_fleet *owner, uint64_t now_ns)
{
    for (uint32_t slot = 0; slot < owner->fleet.plan.service.instances; slot++) {
        csn_control_server_take(&owner->controls[slot], now_ns);
    }
}

static void on_event(void *state, uint32_t events)
{
    struct csn_gateway *gateway = state;
    uint64_t count;
    ssize_t got = read(gateway->event_fd, &count, sizeof count);
    (void)got;
    (void)events;
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        csn_fleet_take(&gateway->fleets[i].fleet, csn_front_now(gateway->front));
        take_controls(&gateway->fleets[i], csn_front_now(gateway->front));
    }
}

/* Each service has an enclave that serves evidence and takes grants, at least. */
static bool are_up(const struct csn_gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        const struct csn_unit *unit = gateway->fleets[i].fleet.units;
        while (unit != NULL && !csn_unit_is_up(unit)) {
            unit = unit->next;
        }
        if (unit == NULL) {
            return false;
        }
    }
    return true;
}

/*
 * READY does not wait for tenants, who may be away while the machine starts: what is missing then
 * is in the status, and at /readyz.
 */
static void tell_state(struct csn_gateway *gateway)
{
    static const char *const states[] = {[CSN_GATEWAY_TOLD_NOTHING] = "STATUS=an enclave is down",
                                         [CSN_GATEWAY_TOLD_UP] = "STATUS=waits for grants",
                                         [CSN_GATEWAY_TOLD_READY] = "STATUS=serves"};
    enum csn_gateway_told told = csn_gateway_is_ready(gateway) ? CSN_GATEWAY_TOLD_READY
                                 : are_up(gateway)             ? CSN_GATEWAY_TOLD_UP
                                                               : CSN_GATEWAY_TOLD_NOTHING;
    if (told == gateway->told || gateway->is_draining) {
        return;
    }
    if (!gateway->is_told_ready) {
        gateway->is_told_ready = true;
        csn_notify_tell(&gateway->notify, "READY=1");
    }
    gateway->told = told;
    csn_notify_tell(&gateway->notify, states[told]);
}

static void tell_dropped(struct csn_gateway *gateway, uint64_t now)
{
    const struct csn_access_log *log = &gateway->log;
    if (log->dropped != gateway->told_dropped && now >= gateway->tell_dropped_ns) {
        gateway->told_dropped = log->dropped;
        gateway->tell_dropped_ns = now + 60 * NS_PER_S;
        csn_gateway_say(gateway, "the access log takes no lines: %llu were lost so far",
                        (unsigned long long)log->dropped);
    }
}

static void on_tick(void *state)
{
    struct csn_gateway *gateway = state;
    uint64_t now = csn_front_now(gateway->front);
    uint64_t rotate_ns = gateway->config->rotate_s * NS_PER_S;
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        struct csn_fleet *fleet = &gateway->fleets[i].fleet;
        /* Whoever asked first of those that wait has had a 504 for as long again. */
        fleet->patience_ns = 2 * csn_front_limits_of(gateway->front)->request_ns;
        csn_fleet_tick(fleet, now);
        take_controls(&gateway->fleets[i], now);
        csn_rings_server_tick(&gateway->fleets[i].rings);
        if (rotate_ns != 0 && now - fleet->rotated_ns >= rotate_ns &&
            csn_fleet_rotate(fleet, now)) {
            csn_gateway_say(gateway, "service %s: rotates: its time has come",
                            gateway->fleets[i].name);
        }
    }
    if (now >= gateway->point_ns) {
        gateway->point_ns = now + CSN_VIEW_POINT_S * NS_PER_S;
        csn_counters_point(&gateway->counters);
    }
    if (gateway->notify.watchdog_ns != 0 &&
        now - gateway->told_ns >= gateway->notify.watchdog_ns / 3) {
        gateway->told_ns = now;
        csn_notify_tell(&gateway->notify, "WATCHDOG=1");
    }
    tell_state(gateway);
    csn_access_log_flush(&gateway->log);
    tell_dropped(gateway, now);
    csn_front_after(gateway->front, &gateway->tick, TICK_NS);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Looks a little longer while outputs are to come; then the waiters do. */
static bool poll_fleets(void *state)
{
    struct csn_gateway *gateway = state;
    uint32_t inflight = 0;
    bool moved = false;
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        moved |= csn_fleet_step(&gateway->fleets[i].fleet, csn_front_now(gateway->front));
        inflight += csn_fleet_inflight(&gateway->fleets[i].fleet);
    }
    if (inflight == 0) {
        return false;
    }
    uint64_t now = now_ns();
    if (moved) {
        gateway->moved_ns = now;
    }
    if (now - gateway->moved_ns < SPIN_NS) {
        return true;
    }
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        csn_fleet_rest(&gateway->fleets[i].fleet);
    }
    return false;
}

/* ---- life ---- */

static csn_err open_descriptors(struct csn_gateway *gateway, struct csn_detail *detail)
{
    const sigset_t set = signals();
    gateway->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    gateway->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return gateway->event_fd >= 0 && gateway->signal_fd >= 0
               ? CSN_OK
               : csn_detail_set(detail, CSN_ERR_SYSTEM, "a descriptor: %s", strerror(errno));
}

static void describe(struct csn_front_listener *target, const struct csn_config_listener *source,
                     const struct csn_service *service, struct csn_gateway *gateway)
{
    *target = (struct csn_front_listener){
        .address = strcmp(source->address, "localhost") == 0 ? "127.0.0.1" : source->address,
        .port = (uint16_t)source->port,
        .certificate = source->certificate,
        .key = source->key,
        .service = service,
        .state = gateway};
}

static csn_err open_front(struct csn_gateway *gateway, struct csn_detail *detail)
{
    struct csn_front_listener listeners[CSN_CONFIG_LISTENERS_MAX + 1];
    const struct csn_config *config = gateway->config;
    uint32_t count = config->listener_count;
    for (uint32_t i = 0; i < count; i++) {
        describe(&listeners[i], &config->listeners[i], &csn_router_service, gateway);
    }
    if (config->has_admin) {
        describe(&listeners[count], &config->admin, &csn_admin_service, gateway);
        listeners[count++].outlives_drain = true; /* /readyz says that it drains */
    }
    const struct csn_front_options options = {.listeners = listeners,
                                              .listener_count = count,
                                              .limits = config->limits,
                                              .counters = &gateway->front_counters};
    CSN_TRY(csn_front_create(&options, &gateway->front, detail));
    gateway->event_watch =
        (struct csn_front_watch){.ready = on_event, .state = gateway, .fd = gateway->event_fd};
    gateway->signal_watch =
        (struct csn_front_watch){.ready = on_signal, .state = gateway, .fd = gateway->signal_fd};
    CSN_TRY(csn_front_watch(gateway->front, &gateway->event_watch, EPOLLIN));
    CSN_TRY(csn_front_watch(gateway->front, &gateway->signal_watch, EPOLLIN));
    csn_front_set_poll(gateway->front, poll_fleets, gateway);
    gateway->gathered.max = csn_front_limits_of(gateway->front)->memory_max;
    return CSN_OK;
}

static csn_err open_all(struct csn_gateway *gateway, struct csn_detail *detail)
{
    const struct csn_config *config = gateway->config;
    CSN_TRY(open_descriptors(gateway, detail));
    if (csn_tenants_set(&gateway->tenants, config) != CSN_OK) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "out of memory");
    }
    CSN_TRY(csn_access_log_open(&gateway->log, config->access_log, config->log_clients, detail));
    CSN_TRY(open_front(gateway, detail));
    for (uint32_t i = 0; i < config->service_count; i++) {
        CSN_TRY(csn_gateway_add_fleet(gateway, gateway->config, i, detail));
        gateway->fleets[i].fleet.rotated_ns = now_ns();
    }
    return CSN_OK;
}

csn_err csn_gateway_create(struct csn_config *config, const struct csn_gateway_hooks *hooks,
                           struct csn_gateway **gateway, struct csn_detail *detail)
{
    struct csn_gateway *made = calloc(1, sizeof *made);
    *gateway = NULL;
    if (made == NULL) {
        csn_config_free(config);
        return csn_detail_set(detail, CSN_ERR_MEMORY, "out of memory");
    }
    made->config = config;
    made->hooks = *hooks;
    made->event_fd = made->signal_fd = made->log.fd = -1;
    made->start_s = (uint64_t)time(NULL);
    made->point_ns = now_ns() + CSN_VIEW_POINT_S * NS_PER_S;
    csn_notify_init(&made->notify);
    csn_err err = open_all(made, detail);
    if (err != CSN_OK) {
        csn_gateway_destroy(made);
        return err;
    }
    *gateway = made;
    return CSN_OK;
}

void csn_gateway_run(struct csn_gateway *gateway)
{
    gateway->tick = (struct csn_timer){.fire = on_tick, .state = gateway};
    csn_front_after(gateway->front, &gateway->tick, TICK_NS);
    csn_front_run(gateway->front);
}

static bool are_ended(const struct csn_gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        if (!csn_fleet_is_ended(&gateway->fleets[i].fleet)) {
            return false;
        }
    }
    return true;
}

void csn_gateway_destroy(struct csn_gateway *gateway)
{
    if (gateway == NULL) {
        return;
    }
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        csn_rings_server_end(&gateway->fleets[i].rings);
    }
    csn_front_destroy(gateway->front); /* whoever still waits is told gone */
    csn_gateway_end_fleets(gateway);
    while (!are_ended(gateway)) {
        const struct timespec moment = {.tv_nsec = 1000000};
        for (uint32_t i = 0; i < gateway->fleet_count; i++) {
            csn_fleet_take(&gateway->fleets[i].fleet, now_ns());
        }
        nanosleep(&moment, NULL);
    }
    csn_gateway_free_fleets(gateway);
    csn_access_log_close(&gateway->log);
    csn_notify_end(&gateway->notify);
    csn_tenants_free(&gateway->tenants);
    if (gateway->event_fd >= 0) {
        close(gateway->event_fd);
    }
    if (gateway->signal_fd >= 0) {
        close(gateway->signal_fd);
    }
    csn_config_free(gateway->config);
    free(gateway->spare_answers);
    free(gateway);
}

uint16_t csn_gateway_port(const struct csn_gateway *gateway, uint32_t listener)
{
    return csn_front_port(gateway->front, listener);
}
