/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_view.c: the picture of the gateway for the renderers of view.h. */
#include "gateway_state.h"
#include <string.h>
#include <time.h>

#define VERSION "0.1.0"

static enum csn_view_state state_of(const struct csn_unit *unit)
{
    switch (unit->state) {
    case CSN_UNIT_CURRENT:
        return CSN_VIEW_CURRENT;
    case CSN_UNIT_RETIRING:
        return CSN_VIEW_RETIRING;
    case CSN_UNIT_STARTING:
    case CSN_UNIT_GRANTING:
        return CSN_VIEW_STARTING;
    default:
        return CSN_VIEW_DOWN;
    }
}

static const char *backend_of(const struct csn_unit *unit)
{
    return unit->report.backend != NULL ? unit->report.backend : unit->plan.service.backend;
}

static void look_at_workers(const struct csn_unit *unit, struct csn_view_instance *instance)
{
    instance->worker_count = unit->worker_count;
    for (uint32_t i = 0; i < unit->worker_count; i++) {
        struct csn_view_worker *worker = &instance->workers[i];
        if (csn_enclave_stats(unit->enclave, i, &worker->stats) != CSN_OK) {
            worker->stats = (struct csn_wire_boot_stats){0};
        }
        worker->inflight = csn_pump_inflight(&unit->pumps[i]);
    }
}

static void look_at_unit(const struct csn_unit *unit, struct csn_view_instance *instance)
{
    const struct csn_wire_manifest *manifest = &unit->image.image.manifest;
    bool is_known = unit->up_ns != 0; /* the image is the thread's until it has started once */
    *instance = (struct csn_view_instance){
        .service = unit->plan.service.name,
        .image_name = is_known ? manifest->name : "",
        .backend = backend_of(unit),
        .evidence_type = unit->plan.platform.producer->name,
        .detail = unit->detail.text,
        .state = state_of(unit),
        .ohttp_key_id = unit->ohttp_key_id,
        .grant_count = unit->grant_count,
        .start_s = unit->start_s,
        .restarts = unit->restarts,
    };
    if (is_known) {
        instance->debug = (manifest->flags & CSN_WIRE_FLAG_DEBUG) != 0;
        instance->security_version = manifest->security_version;
        memcpy(instance->measurement, unit->image.measurement, sizeof instance->measurement);
        memcpy(instance->signer_key, unit->image.signature.signer_key, 32);
    }
    memcpy(instance->boot_id, unit->boot_id, sizeof instance->boot_id);
    memcpy(instance->ohttp_keys_hash, unit->ohttp_keys_hash, sizeof instance->ohttp_keys_hash);
    if (csn_unit_is_up(unit)) {
        look_at_workers(unit, instance);
    }
}

void csn_gateway_look(struct csn_gateway *gateway)
{
    struct csn_view *view = &gateway->view;
    view->version = VERSION;
    view->now_s = (uint64_t)time(NULL);
    view->start_s = gateway->start_s;
    view->is_ready = csn_gateway_is_ready(gateway);
    view->is_draining = gateway->is_draining;
    view->front = gateway->front_counters;
    csn_counters_view(&gateway->counters, view);
    view->instance_count = 0;
    for (uint32_t i = 0; i < gateway->fleet_count; i++) {
        const struct csn_unit *unit = gateway->fleets[i].fleet.units;
        for (; unit != NULL && view->instance_count < CSN_VIEW_INSTANCES_MAX; unit = unit->next) {
            look_at_unit(unit, &view->instances[view->instance_count++]);
        }
    }
    view->tenant_count = gateway->tenants.count;
    for (uint32_t i = 0; i < gateway->tenants.count; i++) {
        const struct csn_tenant *tenant = &gateway->tenants.tenants[i];
        view->tenants[i] = (struct csn_view_tenant){.label = tenant->label,
                                                    .requests = tenant->requests,
                                                    .refused_rate = tenant->refused_rate,
                                                    .refused_quota = tenant->refused_quota};
    }
}
