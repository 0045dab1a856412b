/* SPDX-License-Identifier: Apache-2.0 */
/* ask_public.c: what anybody may fetch: key configurations, and evidence over a fresh nonce. */
#include "visit.h"
#include <stdio.h>
#include <stdlib.h>

#define NONCES_MAX 1024u /* that wait for a signature of the platform */

static const struct csn_problem starting = {
    .status = 503, .title = "No enclave of the service is ready", .retry_s = 1};

void csn_ask_keys(struct csn_visit *visit)
{
    static const struct csn_problem none = {.status = 404,
                                            .title = "The service takes no requests of this kind"};
    const struct csn_unit *unit = csn_fleet_current(visit->fleet, visit->slot);
    /* A copy in a cache is good as long as the key is taken. */
    uint32_t overlap_s = visit->fleet->plan.service.overlap_s;
    char cache[48];
    snprintf(cache, sizeof cache, "public, max-age=%u", overlap_s < 60 ? overlap_s : 60);
    if (unit == NULL) {
        csn_visit_refuse(visit, &starting);
    } else if (unit->ohttp_keys_size == 0) {
        csn_visit_refuse(visit, &none);
    } else {
        csn_visit_answer(visit, "application/ohttp-keys", cache, unit->ohttp_keys,
                         unit->ohttp_keys_size);
    }
}

static void take_evidence(struct csn_unit_nonce *nonce)
{
    static const struct csn_problem failed = {
        .status = 503, .title = "No evidence can be had now", .retry_s = 5};
    struct csn_visit *visit = nonce->state;
    if (visit->exchange != NULL && nonce->bundle != NULL) {
        csn_visit_answer(visit, "application/vnd.caisson.evidence", NULL, nonce->bundle,
                         nonce->bundle_size);
    } else if (visit->exchange != NULL) {
        csn_gateway_say(visit->gateway, "service %s: no evidence: %s", visit->service,
                        nonce->detail.text);
        csn_visit_refuse(visit, &failed);
    }
    free(nonce->bundle);
    csn_visit_release(visit);
}

void csn_ask_evidence(struct csn_visit *visit)
{
    static const struct csn_problem busy = {
        .status = 503, .title = "Too many ask for evidence", .retry_s = 1};
    struct csn_unit *unit = csn_fleet_current(visit->fleet, visit->slot);
    if (unit == NULL) {
        csn_visit_refuse(visit, &starting);
        return;
    }
    visit->nonce.done = take_evidence;
    visit->nonce.state = visit;
    if (csn_unit_ask_evidence(unit, &visit->nonce, NONCES_MAX)) {
        csn_visit_hold(visit);
    } else {
        csn_visit_refuse(visit, &busy);
    }
}
