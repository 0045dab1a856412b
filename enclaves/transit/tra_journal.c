/* SPDX-License-Identifier: Apache-2.0 */
/* tra_journal.c: see tra_journal.h. */
#include "tra_journal.h"
#include "tra_log.h"
#include <caisson/vouch.h>

static struct cse_journal *journal_of(struct tra_store *store)
{
    return (struct cse_journal *)(void *)store->journal;
}

static void clear(void *state)
{
    tra_store_clear(state);
}

static csn_err apply(void *state, uint8_t *bytes, uint32_t size)
{
    return tra_log_apply(state, bytes, size);
}

static csn_err save(void *state, struct cse_journal *journal)
{
    return tra_log_save(state, journal);
}

/* Replays it: what was in the pool of this store is gone, and all that was derived from it. */
static csn_err replay(struct tra_worker *worker, struct tra_store *store,
                      struct cse_outside *outside)
{
    const struct cse_journal_options options = {
        .outside = outside,
        .tenant = store->tenant,
        .secret = store->opening.secret,
        .name = "transit",
        .counter = store->opening.has_counter ? &store->opening.counter : NULL,
        .hooks = {.clear = clear, .apply = apply, .save = save, .state = store}};
    const csn_err result = cse_journal_open(journal_of(store), &options);
    if (result != CSN_OK && (store->durable || result != CSN_ERR_MISSING)) {
        tra_store_clear(store);
    }
    tra_forget(worker, NULL);
    return result;
}

/* What the evidence says of the tenant's grant. */
static csn_err claim(const struct cse_grant_view *view, const struct tra_store *store)
{
    uint8_t word[32];
    cse_claim_word(word, !store->durable               ? CSN_WIRE_STORE_NONE
                         : !store->opening.has_counter ? CSN_WIRE_STORE_JOURNAL
                                                       : CSN_WIRE_STORE_TPM);
    return cse_claim_grant(view, CSN_WIRE_CLAIM_STORE, word);
}

static void opening_of(const struct cse_grant_view *view, const struct tra_wanted *wanted,
                       struct tra_opening *opening)
{
    memset(opening, 0, sizeof *opening);
    memcpy(opening->secret, view->secret, sizeof opening->secret);
    opening->has_counter = wanted->counter != NULL;
    if (wanted->counter != NULL) {
        memcpy(&opening->counter, wanted->counter, sizeof opening->counter);
    }
}

static csn_err open_store(struct tra_worker *worker, struct tra_store *store,
                          const struct cse_grant_view *view, const struct tra_wanted *wanted)
{
    const csn_err result =
        view->outside != NULL ? replay(worker, store, view->outside) : CSN_ERR_MISSING;
    if (result == CSN_OK) {
        store->durable = true;
    } else if (result == CSN_ERR_MISSING) {
        return !store->durable && wanted->store == CSN_WIRE_TRANSIT_STORE_NONE ? CSN_OK
                                                                               : CSN_ERR_POLICY;
    }
    return result;
}

/* A grant that is refused leaves the one in force with what it had: it replays when it is asked. */
csn_err tra_journal_open(struct tra_worker *worker, struct tra_store *store,
                         const struct cse_grant_view *view, const struct tra_wanted *wanted)
{
    struct tra_opening before = store->opening;
    struct tra_opening now;
    csn_err result = CSN_OK;
    opening_of(view, wanted, &now);
    if (!store->durable || !cse_journal_is_good(journal_of(store)) ||
        !csn_equal_ct(&before, &now, sizeof now)) {
        store->opening = now;
        result = open_store(worker, store, view, wanted);
    }
    if (result == CSN_OK) {
        result = claim(view, store);
    }
    if (result != CSN_OK) {
        store->opening = before;
    }
    csn_wipe(&before, sizeof before);
    csn_wipe(&now, sizeof now);
    return result;
}

bool tra_journal_ready(struct tra_work *work)
{
    struct tra_store *store = work->store;
    if (!store->durable || cse_journal_is_good(journal_of(store))) {
        return true;
    }
    return replay(work->worker, store, cse_outside(work->call)) == CSN_OK;
}

cse_status tra_journal_append(struct tra_work *work, const uint8_t *bytes, uint32_t size)
{
    if (!work->store->durable) {
        return CSN_WIRE_STATUS_OK;
    }
    return cse_journal_append(work->call, journal_of(work->store), bytes, size) == CSN_OK
               ? CSN_WIRE_STATUS_OK
               : CSN_WIRE_STATUS_UNAVAILABLE;
}
