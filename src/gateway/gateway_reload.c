/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_reload.c: a new configuration for a gateway that runs: all of it, or none.
 *
 * What needs another socket or another kind of enclave needs a restart; a reload that would change
 * it is refused as a whole, and says so, rather than do a part of it.
 */
#include "backend/detail.h"
#include "gateway_state.h"
#include <string.h>

static bool same(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static bool is_same_listener(const struct csn_config_listener *one,
                             const struct csn_config_listener *other)
{
    return same(one->address, other->address) && one->port == other->port &&
           same(one->certificate, other->certificate) && same(one->key, other->key);
}

static csn_err check_listeners(const struct csn_config *before, const struct csn_config *after,
                               struct csn_detail *detail)
{
    bool equal = before->listener_count == after->listener_count &&
                 before->has_admin == after->has_admin &&
                 (!before->has_admin || is_same_listener(&before->admin, &after->admin));
    for (uint32_t i = 0; equal && i < before->listener_count; i++) {
        equal = is_same_listener(&before->listeners[i], &after->listeners[i]);
    }
    return equal ? CSN_OK
                 : csn_detail_set(detail, CSN_ERR_STATE,
                                  "listeners or admin have changed: that needs a restart");
}

static bool is_same_evidence(const struct csn_config_evidence *one,
                             const struct csn_config_evidence *other)
{
    return same(one->name, other->name) && same(one->root, other->root) &&
           same(one->path, other->path) && same(one->privlevel, other->privlevel) &&
           same(one->tcti, other->tcti) && same(one->ak, other->ak) &&
           same(one->ak_certificate, other->ak_certificate) && same(one->pcrs, other->pcrs) &&
           same(one->extend, other->extend);
}

static const struct csn_config_service *find(const struct csn_config *config, const char *name)
{
    for (uint32_t i = 0; i < config->service_count; i++) {
        if (strcmp(config->services[i].name, name) == 0) {
            return &config->services[i];
        }
    }
    return NULL;
}

static csn_err check_service(const struct csn_config_service *before,
                             const struct csn_config *config, struct csn_detail *detail)
{
    const struct csn_config_service *after = find(config, before->name);
    if (after == NULL) {
        return csn_detail_set(detail, CSN_ERR_STATE,
                              "service %s is not there any more: that needs a restart",
                              before->name);
    }
    bool equal = same(before->control, after->control) && same(before->backend, after->backend) &&
                 same(before->rings, after->rings) && before->instances == after->instances &&
                 before->require == after->require && before->inflight == after->inflight &&
                 same(before->store.folder, after->store.folder) &&
                 same(before->store.tpm, after->store.tpm) &&
                 is_same_evidence(&before->evidence, &after->evidence);
    return equal ? CSN_OK
                 : csn_detail_set(
                       detail, CSN_ERR_STATE,
                       "service %s: control, backend, instances, require, inflight, rings, "
                       "store and evidence need a restart",
                       before->name);
}

static csn_err check(const struct csn_gateway *gateway, const struct csn_config *config,
                     struct csn_detail *detail)
{
    CSN_TRY(check_listeners(gateway->config, config, detail));
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        CSN_TRY(check_service(&gateway->fleets[i].fleet.plan.service, config, detail));
    }
    if (!same(gateway->config->access_log, config->access_log) ||
        gateway->config->limits.connections_max != config->limits.connections_max) {
        return csn_detail_set(
            detail, CSN_ERR_STATE,
            "access_log or limits.connections have changed: that needs a restart");
    }
    return CSN_OK;
}

static void add_service(struct csn_gateway *gateway, struct csn_config *config, uint32_t index)
{
    struct csn_detail detail = {""};
    if (csn_gateway_add_fleet(gateway, config, index, &detail) != CSN_OK) {
        csn_gateway_say(gateway, "service %s: not started: %s", config->services[index].name,
                        detail.text);
    }
}

/* Its file may have been moved away. The old one is kept where a new one cannot be had. */
static void reopen_log(struct csn_gateway *gateway, const struct csn_config *config)
{
    struct csn_detail detail = {""};
    if (csn_access_log_open(&gateway->log, config->access_log, config->log_clients, &detail) !=
        CSN_OK) {
        csn_gateway_say(gateway, "the access log stays where it was: %s", detail.text);
    }
}

/* Nothing here can fail for what runs already. */
static void apply(struct csn_gateway *gateway, struct csn_config *config)
{
    csn_err err = csn_tenants_set(&gateway->tenants, config);
    (void)err; /* its memory was taken at the start */
    csn_front_set_limits(gateway->front, &config->limits);
    gateway->gathered.max = csn_front_limits_of(gateway->front)->memory_max;
    reopen_log(gateway, config);
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        csn_fleet_set_service(&gateway->fleets[i].fleet, find(config, gateway->fleets[i].name),
                              config);
    }
    for (uint32_t i = 0; i < config->service_count; i++) {
        const char *name = config->services[i].name;
        if (csn_gateway_fleet(gateway, name, strlen(name)) == NULL) {
            add_service(gateway, config, i);
        }
    }
    csn_config_free(gateway->config);
    gateway->config = config;
}

void csn_gateway_reload(struct csn_gateway *gateway)
{
    struct csn_detail detail = {""};
    csn_notify_reloading(&gateway->notify);
    struct csn_config *config = gateway->hooks.read_config(gateway->hooks.state, &detail);
    csn_err err = config != NULL ? check(gateway, config, &detail) : CSN_ERR_FORMAT;
    err = err == CSN_OK ? csn_front_reload(gateway->front, &detail) : err;
    if (err == CSN_OK) {
        apply(gateway, config);
        csn_gateway_say(gateway, "the configuration was read again");
    } else {
        csn_config_free(config);
        csn_gateway_say(gateway, "the configuration stays as it was: %s", detail.text);
    }
    csn_notify_tell(&gateway->notify, "READY=1");
}
