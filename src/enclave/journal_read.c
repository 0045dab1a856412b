/* SPDX-License-Identifier: Apache-2.0 */
/* journal_read.c: records out of an object: only those that continue what was there before. */
#include "../core/bytes.h"
#include "journal.h"
#include <caisson/wire/channel.h>

static uint32_t whole_size(uint32_t size)
{
    return (CSE_JOURNAL_BESIDE + size + CSN_WIRE_JOURNAL_ALIGN - 1) / CSN_WIRE_JOURNAL_ALIGN *
           CSN_WIRE_JOURNAL_ALIGN;
}

/* From an offset on, as much as one answer holds. */
static csn_err fill(struct cse_writing *writing, struct cse_reading *reading, uint64_t offset)
{
    const uint32_t size =
        cse_outside_read_max(writing->outside) / CSN_WIRE_JOURNAL_ALIGN * CSN_WIRE_JOURNAL_ALIGN;
    uint32_t got = 0;
    CSN_TRY(
        cse_outside_read(writing->outside, writing->object, offset, size, &reading->bytes, &got));
    reading->offset = offset;
    reading->size = got;
    reading->used = 0;
    reading->at_end = got < size;
    return CSN_OK;
}

/* A header, and all that it says follows, is in the bytes. */
static bool is_whole(const struct cse_writing *writing, const struct cse_reading *reading,
                     struct csn_wire_journal *head)
{
    const uint32_t left = reading->size - reading->used;
    if (left < sizeof *head) {
        return false;
    }
    __builtin_memcpy(head, reading->bytes + reading->used, sizeof *head);
    return head->magic == CSN_WIRE_JOURNAL_MAGIC &&
           head->size <= cse_journal_record_max(writing->outside) && whole_size(head->size) <= left;
}

/* Into output; its bytes are zeros if the tag is wrong. */
static csn_err open_record(const struct cse_writing *writing, const struct cse_reading *reading,
                           const struct csn_wire_journal *head, uint8_t *output)
{
    uint8_t *at = reading->bytes + reading->used;
    struct csn_gcm_siv_item item = {.key = &writing->key,
                                    .aad = (const uint8_t *)head,
                                    .aad_size = sizeof *head,
                                    .size = head->size,
                                    .input = at + sizeof *head,
                                    .output = output,
                                    .tag = at + sizeof *head + head->size};
    __builtin_memcpy(item.nonce, head->nonce, sizeof item.nonce);
    csn_gcm_siv_open_batch(&item, 1);
    return item.result;
}

/* It is the one that comes next. */
static bool continues(const struct csn_wire_journal *head, const struct cse_position *position)
{
    return head->number == position->number + 1 && head->generation == position->generation &&
           head->synced < head->number &&
           __builtin_memcmp(head->chain, position->chain, sizeof head->chain) == 0;
}

csn_err cse_journal_next(struct cse_writing *writing, struct cse_reading *reading,
                         struct cse_position *position, struct csn_wire_journal *head,
                         uint8_t **plain)
{
    if (reading->bytes == NULL || (!is_whole(writing, reading, head) && !reading->at_end)) {
        CSN_TRY(fill(writing, reading, reading->offset + reading->used));
    }
    if (!is_whole(writing, reading, head) || !continues(head, position)) {
        return CSN_AGAIN;
    }
    uint8_t tag[CSN_GCM_SIV_TAG_SIZE];
    *plain = reading->bytes + reading->used + sizeof *head;
    __builtin_memcpy(tag, *plain + head->size, sizeof tag);
    if (open_record(writing, reading, head, *plain) != CSN_OK) {
        return CSN_AGAIN;
    }
    struct csn_sha256 hash;
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, head->chain, sizeof head->chain);
    csn_sha256_update(&hash, &head->number, sizeof head->number);
    csn_sha256_update(&hash, tag, sizeof tag);
    csn_sha256_final(&hash, position->chain);
    reading->used += whole_size(head->size);
    position->number = head->number;
    position->counter = head->counter;
    __builtin_memcpy(position->mark, head->mark, sizeof position->mark);
    position->offset = reading->offset + reading->used;
    return CSN_OK;
}

/* It says that it was written when the one after position was durable. */
static bool is_later(const struct cse_reading *reading, const struct cse_position *position,
                     struct csn_wire_journal *head)
{
    __builtin_memcpy(head, reading->bytes + reading->used, sizeof *head);
    return head->magic == CSN_WIRE_JOURNAL_MAGIC && head->generation == position->generation &&
           head->synced > position->number && head->size <= CSN_WIRE_HEAD_SIZE_MASK;
}

csn_err cse_journal_check_end(struct cse_writing *writing, struct cse_reading *reading,
                              const struct cse_position *position)
{
    struct csn_wire_journal head;
    const uint64_t end = reading->offset + reading->used;
    CSN_TRY(fill(writing, reading, end)); /* what did not open was wiped */
    for (;;) {
        const uint32_t left = reading->size - reading->used;
        const bool is_candidate = left >= sizeof head && is_later(reading, position, &head);
        const bool is_cut = left < sizeof head || (is_candidate && whole_size(head.size) > left);
        if (is_cut && !reading->at_end && reading->used != 0) {
            CSN_TRY(fill(writing, reading, reading->offset + reading->used));
            continue;
        }
        if (left < sizeof head) {
            return CSN_OK;
        }
        if (is_candidate && is_whole(writing, reading, &head) &&
            open_record(writing, reading, &head, writing->outside->sealed) == CSN_OK) {
            return CSN_ERR_AUTH; /* what should be here was durable: it is damaged or taken out */
        }
        reading->used += CSN_WIRE_JOURNAL_ALIGN;
    }
}
