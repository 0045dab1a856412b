/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_journal.h: a tenant's store in a journal outside (caisson/enclave_store.h).
 *
 * Where the host has no store for us, keys live in the pool alone: a grant may refuse that. Once a
 * store had a journal, it is never without one again.
 */
#ifndef TRA_JOURNAL_H
#define TRA_JOURNAL_H

#include "tra_state.h"

/* What the grant wants of the store. */
struct tra_wanted {
    uint32_t store;         /* CSN_WIRE_TRANSIT_STORE_*: at least that */
    const uint8_t *counter; /* struct csn_wire_counter, or NULL */
};

/* From the grant hook. Not OK: the keys are not there, or not kept as well as is wanted. */
csn_err tra_journal_open(struct tra_worker *worker, struct tra_store *store,
                         const struct cse_grant_view *view, const struct tra_wanted *wanted);
/* Before a request: what is in the pool is what is in the journal. */
bool tra_journal_ready(struct tra_work *work);
/* UNAVAILABLE: it was not taken, nothing may change. */
cse_status tra_journal_append(struct tra_work *work, const uint8_t *bytes, uint32_t size);

#endif
