/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_snapshot.c: what the log amounts to, as one object that replaces the one before it in one
 * step; the log then begins anew, under another name.
 *
 * Until that step nothing has changed. If it is not known to have happened, a replay finds out.
 */
#include "../core/bytes.h"
#include "journal.h"

static csn_err put_part(struct cse_writing *writing, uint32_t kind, const uint8_t *bytes,
                        uint32_t size)
{
    const uint64_t offset = writing->save.offset;
    const uint32_t used = cse_journal_seal(writing, &writing->save, kind, bytes, size);
    return cse_outside_part(writing->outside, cse_journal_object(writing, CSN_WIRE_JOURNAL_HEAD, 0),
                            offset, writing->outside->sealed, used);
}

csn_err cse_journal_save(struct cse_journal *journal, const uint8_t *bytes, uint32_t size)
{
    struct cse_writing *writing = cse_writing_of(journal);
    if (!writing->saving || size == 0) {
        return CSN_ERR_STATE;
    }
    if (size > cse_journal_record_max(writing->outside)) {
        return CSN_ERR_ARGUMENT;
    }
    return put_part(writing, CSN_WIRE_JOURNAL_PART, bytes, size);
}

static csn_err write_parts(struct cse_writing *writing)
{
    struct cse_position *save = &writing->save;
    struct csn_wire_journal_head head = {.number = writing->acked.number,
                                         .counter = writing->acked.counter};
    __builtin_memcpy(head.chain, writing->acked.chain, sizeof head.chain);
    __builtin_memcpy(head.guard, writing->acked.guard, sizeof head.guard);
    __builtin_memcpy(head.mark, writing->acked.mark, sizeof head.mark);
    *save = (struct cse_position){.generation = writing->acked.generation + 1};
    cse_journal_chain(writing, CSN_WIRE_JOURNAL_HEAD, save->generation, save->chain);
    CSN_TRY(put_part(writing, CSN_WIRE_JOURNAL_HEAD, (const uint8_t *)&head, sizeof head));
    writing->saving = true;
    csn_err result =
        writing->hooks.save(writing->hooks.state, (struct cse_journal *)(void *)writing);
    writing->saving = false;
    CSN_TRY(result);
    return put_part(writing, CSN_WIRE_JOURNAL_END, (const uint8_t *)"", 0);
}

static void make_snapshot(struct cse_writing *writing)
{
    const uint64_t old = writing->acked.generation;
    if (write_parts(writing) != CSN_OK) {
        writing->snapshot_next = writing->acked.offset * 2; /* not again at once */
        return;
    }
    const uint64_t size = writing->save.offset;
    if (cse_outside_replace(writing->outside, cse_journal_object(writing, CSN_WIRE_JOURNAL_HEAD, 0),
                            size) != CSN_OK) {
        writing->good = false; /* the old one or the new one */
        return;
    }
    writing->acked.generation = old + 1;
    writing->acked.offset = 0;
    writing->at = writing->acked;
    writing->snapshot_next =
        size * 2 > writing->snapshot_after ? size * 2 : writing->snapshot_after;
    csn_err removed = cse_outside_remove(writing->outside,
                                         cse_journal_object(writing, CSN_WIRE_JOURNAL_RECORD, old));
    (void)removed; /* nobody will ask for it again */
}

void cse_journal_tend(struct cse_outside *outside)
{
    outside->tend = NULL;
    while (outside->grown != NULL) {
        struct cse_writing *writing = outside->grown;
        outside->grown = writing->next_grown;
        writing->grown = false;
        if (writing->good && !writing->dirty && writing->acked.offset >= writing->snapshot_next) {
            make_snapshot(writing);
        }
    }
}
