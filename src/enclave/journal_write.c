/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_write.c: records into the log.
 *
 * Order:    sealed, put, synced, counted, and only then acknowledged. What fails on the way leaves
 *           the journal not good: only a replay says which of it is there.
 */
#include "../core/bytes.h"
#include "journal.h"
#include <caisson/wire/stop.h>

uint32_t cse_journal_record_max(const struct cse_outside *outside)
{
    uint32_t write = cse_outside_write_max(outside);
    uint32_t read = cse_outside_read_max(outside);
    uint32_t size = write < read ? write : read;
    return size / CSN_WIRE_JOURNAL_ALIGN * CSN_WIRE_JOURNAL_ALIGN - CSE_JOURNAL_BESIDE;
}

uint32_t cse_journal_seal(struct cse_writing *writing, struct cse_position *position, uint32_t kind,
                          const uint8_t *bytes, uint32_t size)
{
    uint8_t *at = writing->outside->sealed;
    struct csn_wire_journal head = {.magic = CSN_WIRE_JOURNAL_MAGIC,
                                    .kind = kind,
                                    .size = size,
                                    .number = position->number + 1,
                                    .generation = position->generation,
                                    .counter = position->counter,
                                    .synced = position->synced};
    __builtin_memcpy(head.chain, position->chain, sizeof head.chain);
    __builtin_memcpy(head.mark, position->mark, sizeof head.mark);
    if (csn_random_fill(writing->outside->options.random, head.nonce, sizeof head.nonce) !=
        CSN_OK) {
        cse_panic(CSN_WIRE_STOP_ENTROPY);
    }
    struct csn_gcm_siv_item item = {.key = &writing->key,
                                    .aad = (const uint8_t *)&head,
                                    .aad_size = sizeof head,
                                    .size = size,
                                    .input = at + sizeof head,
                                    .output = at + sizeof head,
                                    .tag = at + sizeof head + size};
    __builtin_memcpy(item.nonce, head.nonce, sizeof item.nonce);
    __builtin_memcpy(at, &head, sizeof head);
    __builtin_memcpy(at + sizeof head, bytes, size);
    csn_gcm_siv_seal_batch(&item, 1);
    uint32_t used = CSE_JOURNAL_BESIDE + size;
    for (; used % CSN_WIRE_JOURNAL_ALIGN != 0; used++) {
        at[used] = 0;
    }
    struct csn_sha256 hash;
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, position->chain, sizeof position->chain);
    csn_sha256_update(&hash, &head.number, sizeof head.number);
    csn_sha256_update(&hash, item.tag, CSN_GCM_SIV_TAG_SIZE);
    csn_sha256_final(&hash, position->chain);
    position->number++;
    position->offset += used;
    return used;
}

csn_err cse_journal_put(struct cse_writing *writing, uint32_t kind, const uint8_t *bytes,
                        uint32_t size)
{
    struct cse_position *at = &writing->at;
    const uint64_t offset = at->offset;
    if (!writing->good) {
        return CSN_ERR_STATE;
    }
    if (size > cse_journal_record_max(writing->outside)) {
        return CSN_ERR_ARGUMENT;
    }
    /* One step of the counter for all that is acknowledged together. */
    at->counter = writing->counter.used ? writing->acked.counter + 1 : 0;
    __builtin_memcpy(at->mark, writing->counter.mark, sizeof at->mark);
    const uint32_t used = cse_journal_seal(writing, at, kind, bytes, size);
    csn_err result = cse_outside_put_append(
        writing->outside, cse_journal_object(writing, CSN_WIRE_JOURNAL_RECORD, at->generation),
        offset, writing->outside->sealed, used);
    writing->good = result == CSN_OK;
    return result;
}

static csn_err make_durable(struct cse_writing *writing)
{
    CSN_TRY(cse_outside_settle(writing->outside));
    CSN_TRY(cse_outside_sync(writing->outside, cse_journal_object(writing, CSN_WIRE_JOURNAL_RECORD,
                                                                  writing->at.generation)));
    if (writing->counter.used) {
        struct cse_counter_step step;
        cse_journal_step(writing, &writing->at, &step);
        CSN_TRY(cse_counter_step(&writing->counter, writing->outside, &step));
    }
    return CSN_OK;
}

csn_err cse_journal_commit(struct cse_writing *writing)
{
    if (!writing->good) {
        writing->claims = false;
        return CSN_ERR_STATE;
    }
    csn_err result = make_durable(writing);
    writing->good = result == CSN_OK;
    if (result == CSN_OK) {
        writing->at.synced = writing->at.number;
        writing->acked = writing->at;
        writing->writes |= writing->claims;
    }
    writing->claims = false;
    return result;
}

csn_err cse_journal_claim(struct cse_writing *writing)
{
    struct csn_wire_journal_opened opened = {.worker = writing->outside->options.worker};
    if (writing->writes || writing->claims) {
        return CSN_OK;
    }
    __builtin_memcpy(opened.boot_id, writing->outside->options.boot_id, sizeof opened.boot_id);
    cse_counter_guard(&writing->counter, opened.guard);
    CSN_TRY(
        cse_journal_put(writing, CSN_WIRE_JOURNAL_OPENED, (const uint8_t *)&opened, sizeof opened));
    __builtin_memcpy(writing->at.guard, opened.guard, sizeof opened.guard);
    writing->claims = true;
    return CSN_OK;
}

void cse_journal_look(struct cse_writing *writing)
{
    struct cse_outside *outside = writing->outside;
    if (writing->hooks.save != NULL && writing->acked.offset >= writing->snapshot_next &&
        !writing->grown) {
        writing->grown = true;
        writing->next_grown = outside->grown;
        outside->grown = writing;
        outside->tend = cse_journal_tend;
    }
}

csn_err cse_journal_write(struct cse_journal *journal, const uint8_t *bytes, uint32_t size)
{
    struct cse_writing *writing = cse_writing_of(journal);
    if (!writing->good || writing->dirty || writing->saving) {
        return CSN_ERR_STATE;
    }
    if (size == 0 || size > cse_journal_record_max(writing->outside)) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(cse_journal_claim(writing));
    CSN_TRY(cse_journal_put(writing, CSN_WIRE_JOURNAL_RECORD, bytes, size));
    CSN_TRY(cse_journal_commit(writing));
    cse_journal_look(writing);
    return CSN_OK;
}
