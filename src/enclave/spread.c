/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spread.c: one run of bytes over the outputs of a call, so that each but the last is full and
 * how long its pieces were does not show.
 *
 * The slots lie behind one another, and the main output's is the last: pieces only ever move
 * towards the front, in their order, so none is overwritten before it has moved.
 */
#include "http.h"

static uint32_t slot_count(const struct cse_call *call)
{
    return call->session->manifest->outputs_per_input_max;
}

static struct cse_pending *slot(const struct cse_call *call, uint32_t index)
{
    return &call->session->pending[call->first + index];
}

static uint8_t *content_of(const struct cse_call *call, uint32_t index)
{
    return cse_answer_payload(slot(call, index)) + call->offset;
}

void cse_spread_begin(struct cse_call *call)
{
    for (uint32_t i = 1; i < slot_count(call); i++) {
        cse_answer_slot(call->session, call->answer.input, &call->shape);
    }
    call->spread = true;
}

uint8_t *cse_spread_main(const struct cse_call *call)
{
    return content_of(call, slot_count(call) - 1);
}

/* Puts size bytes at a place of the run, counted from its start. */
static void put(struct cse_call *call, uint32_t at, const uint8_t *bytes, uint32_t size)
{
    const uint32_t room = cse_call_room(call);
    while (size != 0) {
        const uint32_t inside = at % room;
        const uint32_t part = room - inside < size ? room - inside : size;
        uint8_t *target = cse_answer_payload(slot(call, at / room)) + inside;
        if (target != bytes) {
            __builtin_memmove(target, bytes, part);
        }
        at += part;
        bytes += part;
        size -= part;
    }
}

uint32_t cse_spread_join(struct cse_call *call, uint32_t main_size, uint32_t begin)
{
    const uint8_t *main_content = cse_spread_main(call);
    uint32_t at = begin;
    if (main_content != content_of(call, 0) || begin != call->offset) {
        cse_answer_complete(call->session); /* what was put off writes where it stands now */
    }
    for (uint32_t i = 0; i < call->emitted_count; i++) {
        put(call, at, content_of(call, i), slot(call, i)->payload_size);
        at += slot(call, i)->payload_size;
    }
    put(call, at, main_content, main_size);
    return at + main_size;
}

void cse_spread_end(struct cse_call *call, uint32_t count)
{
    for (uint32_t i = count; i < slot_count(call); i++) {
        if (i <= call->emitted_count || i + 1 == slot_count(call)) {
            csn_wipe(cse_answer_payload(slot(call, i)), cse_call_room(call));
        }
    }
    call->emitted_count = 0;
    cse_answer_keep(call->session, call->first + count);
}
