/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_session.c: what handlers append, committed once for a batch: its answers are sealed
 * behind that, or say that the service cannot be had.
 */
#include "../core/bytes.h"
#include "journal.h"
#include "state.h"

/* What was put without waiting may be of any of them: a failure is each one's. */
static void settle(struct cse_session *session)
{
    struct cse_outside *outside = session->options.outside;
    const csn_err put = cse_outside_settle(outside);
    session->settle = NULL;
    while (outside->dirty != NULL) {
        struct cse_writing *writing = outside->dirty;
        outside->dirty = writing->next_dirty;
        writing->dirty = false;
        writing->good = writing->good && put == CSN_OK;
        if (cse_journal_commit(writing) == CSN_OK) {
            cse_journal_look(writing);
        } else {
            cse_answer_withdraw(session, writing->first, writing->tenant);
        }
    }
}

csn_err cse_journal_append(struct cse_call *call, struct cse_journal *journal, const uint8_t *bytes,
                           uint32_t size)
{
    struct cse_writing *writing = cse_writing_of(journal);
    struct cse_session *session = call->session;
    if (!writing->good || writing->saving) {
        return CSN_ERR_STATE;
    }
    if (writing->outside != session->options.outside || size == 0 ||
        size > cse_journal_record_max(writing->outside) ||
        __builtin_memcmp(writing->tenant, call->answer.tenant->id, 32) != 0) {
        return CSN_ERR_ARGUMENT;
    }
    if (!writing->dirty) { /* whatever becomes of it: the answers of this batch depend on it */
        writing->dirty = true;
        writing->first = call->first;
        writing->next_dirty = writing->outside->dirty;
        writing->outside->dirty = writing;
        session->settle = settle;
    }
    CSN_TRY(cse_journal_claim(writing));
    return cse_journal_put(writing, CSN_WIRE_JOURNAL_RECORD, bytes, size);
}
