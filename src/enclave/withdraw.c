/* SPDX-License-Identifier: Apache-2.0 */
/*
 * withdraw.c: answers that were made and must not leave: what they rest on is not kept.
 *
 * Their plaintexts are still there, not yet sealed. Each becomes a refusal in its own form, of its
 * own size, so that the host sees what it would have seen.
 */
#include "http.h"
#include <caisson/wire/stop.h>

static void wipe_payload(struct cse_pending *pending)
{
    csn_wipe(cse_answer_payload(pending), pending->shape.plain_size - pending->shape.result_size);
}

static void withdraw_short(struct cse_pending *pending)
{
    struct csn_wire_short_result result;
    uint8_t *plain = pending->bytes + pending->shape.head_size;
    __builtin_memcpy(&result, plain, sizeof result);
    result.word = csn_wire_short_word(result.word & CSN_WIRE_SEQUENCE_LAST,
                                      CSN_WIRE_STATUS_UNAVAILABLE, CSN_WIRE_RESULT_TOMBSTONE);
    result.size = 0;
    __builtin_memcpy(plain, &result, sizeof result);
}

static void withdraw_full(struct cse_pending *pending)
{
    struct csn_wire_result result;
    uint8_t *plain = pending->bytes + pending->shape.head_size;
    __builtin_memcpy(&result, plain, sizeof result);
    result.status = CSN_WIRE_STATUS_UNAVAILABLE;
    result.flags = CSN_WIRE_RESULT_TOMBSTONE;
    result.payload_size = 0;
    result.detail = 0;
    __builtin_memcpy(plain, &result, sizeof result);
}

/* The first output of a request has the whole response. */
static void withdraw_request(struct cse_pending *pending)
{
    const struct cse_problem problem = {.refusal = (enum cse_refusal)CSN_WIRE_STATUS_UNAVAILABLE};
    uint32_t size = 0;
    if (cse_problem_write(&problem, cse_answer_payload(pending), pending->shape.plain_size,
                          &size) != CSN_OK) {
        cse_panic(CSN_WIRE_STOP_ASSERT); /* CSE_REQUEST_BESIDE holds every problem */
    }
}

void cse_answer_withdraw(struct cse_session *session, uint32_t first, const uint8_t tenant[32])
{
    const struct csn_ohttp_answer *before = NULL;
    for (uint32_t i = first; i < session->pending_count; i++) {
        struct cse_pending *pending = &session->pending[i];
        const bool is_first = pending->request != before;
        before = pending->request;
        if (pending->owner == NULL || __builtin_memcmp(pending->owner->id, tenant, 32) != 0) {
            continue;
        }
        wipe_payload(pending);
        if (pending->request == NULL) {
            (pending->alone ? withdraw_short : withdraw_full)(pending);
        } else if (is_first) {
            withdraw_request(pending);
        }
    }
}
