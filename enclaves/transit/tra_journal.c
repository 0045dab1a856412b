/* SPDX-License-Identifier: Apache-2.0 */
/* tra_journal.c: see tra_journal.h. Keys are in the pool alone: none survives a restart. */
#include "tra_journal.h"

csn_err tra_journal_open(struct tra_worker *worker, struct tra_store *store,
                         const struct cse_grant_view *view, const struct tra_wanted *wanted)
{
    (void)worker, (void)store, (void)view;
    return wanted->store == CSN_WIRE_TRANSIT_STORE_NONE ? CSN_OK : CSN_ERR_POLICY;
}

bool tra_journal_ready(struct tra_work *work)
{
    return !work->store->durable;
}

cse_status tra_journal_append(struct tra_work *work, const uint8_t *bytes, uint32_t size)
{
    (void)work, (void)bytes, (void)size;
    return CSN_WIRE_STATUS_OK;
}
