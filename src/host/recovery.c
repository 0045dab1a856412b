/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recovery.c: after a crash: keep exactly the unfinished inputs, feed them back one at a time, and
 * set aside the one that kills.
 *
 * Threads:  none of the other calls on this enclave may run during csn_enclave_restart(),
 *           csn_enclave_unfinished() and csn_enclave_quarantined(). csn_enclave_resubmit() is the
 *           submitting thread's.
 *
 * Blame: an input that is alone in flight in the whole enclave when it ends has caused one crash.
 * While inputs are fed back, no new ones are taken anywhere, so that each is alone.
 */
#include "../backend/detail.h"
#include "enclave.h"

static uint32_t live_count(const struct csn_enclave *enclave)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < enclave->channel_count; i++) {
        count += csn_inflight_count(&enclave->channels[i].live);
    }
    return count;
}

static void move_entry(struct csn_inflight *source, const struct csn_inflight_entry *entry,
                       uint32_t crashes, struct csn_inflight *target)
{
    csn_inflight_add(target, entry->tag, csn_inflight_bytes(source, entry), entry->size, crashes);
}

/*
 * The lost list after a crash: what was in flight comes first, because it was fed back first, then
 * what still waits. The list is turned round by moving the waiting ones to its back.
 */
static csn_err keep_unfinished(struct csn_enclave *enclave, struct csn_host_channel *channel,
                               bool alone)
{
    csn_inflight_abandon(&channel->live); /* never handed over: nothing of it is lost */
    uint32_t waiting = csn_inflight_count(&channel->lost);
    struct csn_inflight_entry *entry = csn_inflight_oldest(&channel->live);
    while (entry != NULL) {
        uint32_t crashes = entry->crashes + (alone ? 1 : 0);
        bool killer = crashes >= enclave->crash_count_max;
        struct csn_inflight *target = killer ? &channel->quarantine : &channel->lost;
        if (!csn_inflight_has_room(target, entry->size)) {
            return CSN_ERR_LIMIT;
        }
        move_entry(&channel->live, entry, crashes, target);
        csn_inflight_remove(&channel->live);
        entry = csn_inflight_oldest(&channel->live);
    }
    for (uint32_t i = 0; i < waiting; i++) {
        struct csn_inflight_entry oldest = *csn_inflight_oldest(&channel->lost);
        if (!csn_inflight_has_room(&channel->lost, oldest.size)) {
            return CSN_ERR_LIMIT;
        }
        move_entry(&channel->lost, &oldest, oldest.crashes, &channel->lost);
        csn_inflight_remove(&channel->lost);
    }
    return CSN_OK;
}

/* All that must hold before anything is changed. */
static csn_err may_restart(const struct csn_enclave *enclave, struct csn_detail *detail)
{
    if (csn_host_is_running(enclave)) {
        return csn_detail_set(detail, CSN_ERR_STATE, "it still runs: stop it first");
    }
    for (uint32_t i = 0; i < enclave->channel_count; i++) {
        const struct csn_host_channel *channel = &enclave->channels[i];
        if (enclave->instance != NULL && csn_ring_has_message(&channel->reader)) {
            return csn_detail_set(detail, CSN_ERR_STATE,
                                  "channel %u: receive what was published first", i);
        }
        if (csn_inflight_count(&channel->quarantine) == channel->quarantine.count_max) {
            return csn_detail_set(detail, CSN_ERR_LIMIT,
                                  "channel %u: collect the quarantined inputs first", i);
        }
    }
    return CSN_OK;
}

csn_err csn_enclave_restart(struct csn_enclave *enclave, struct csn_detail *detail)
{
    CSN_TRY(may_restart(enclave, detail));
    struct csn_fate fate;
    CSN_TRY(csn_enclave_fate(enclave, &fate));
    bool alone = live_count(enclave) == 1 && fate.kind != CSN_FATE_STOPPED;
    csn_host_end(enclave);
    for (uint32_t i = 0; i < enclave->channel_count; i++) {
        csn_err result = keep_unfinished(enclave, &enclave->channels[i], alone);
        if (result != CSN_OK) {
            return csn_detail_set(detail, result, "channel %u: no room for lost inputs", i);
        }
    }
    __atomic_store_n(&enclave->recovering, 0, __ATOMIC_RELEASE);
    return csn_host_start(enclave, detail);
}

csn_err csn_enclave_resubmit(struct csn_enclave *enclave, uint32_t channel)
{
    struct csn_host_channel *found = csn_channel_at(enclave, channel);
    if (found == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    if (enclave->instance == NULL) {
        return CSN_ERR_CRASHED;
    }
    struct csn_inflight_entry *entry = csn_inflight_oldest(&found->lost);
    if (entry != NULL) {
        __atomic_store_n(&enclave->recovering, channel + 1, __ATOMIC_RELEASE);
    }
    if (live_count(enclave) != 0) {
        return csn_host_is_running(enclave) ? CSN_AGAIN : CSN_ERR_CRASHED;
    }
    if (entry == NULL) {
        if (__atomic_load_n(&enclave->recovering, __ATOMIC_ACQUIRE) == channel + 1) {
            __atomic_store_n(&enclave->recovering, 0, __ATOMIC_RELEASE);
        }
        return CSN_OK;
    }
    CSN_TRY(csn_channel_put(enclave, found, entry->tag, csn_inflight_bytes(&found->lost, entry),
                            entry->size, entry->crashes));
    csn_channel_publish(enclave, found);
    csn_inflight_remove(&found->lost);
    return CSN_AGAIN;
}

static csn_err for_each(const struct csn_inflight *table, csn_unfinished callback, void *state)
{
    uint32_t count = csn_inflight_count(table);
    for (uint32_t i = 0; i < count; i++) {
        const struct csn_inflight_entry *entry = csn_inflight_at(table, i);
        callback(state, entry->tag, csn_inflight_bytes(table, entry), entry->size);
    }
    return CSN_OK;
}

csn_err csn_enclave_unfinished(struct csn_enclave *enclave, uint32_t channel,
                               csn_unfinished callback, void *state)
{
    const struct csn_host_channel *found = csn_channel_at(enclave, channel);
    if (found == NULL || callback == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    /* What was fed back is older than what still waits. */
    CSN_TRY(for_each(&found->live, callback, state));
    return for_each(&found->lost, callback, state);
}

csn_err csn_enclave_quarantined(struct csn_enclave *enclave, uint32_t channel,
                                csn_unfinished callback, void *state)
{
    struct csn_host_channel *found = csn_channel_at(enclave, channel);
    if (found == NULL || callback == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(for_each(&found->quarantine, callback, state));
    csn_inflight_clear(&found->quarantine);
    return CSN_OK;
}
