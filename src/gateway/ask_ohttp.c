/* SPDX-License-Identifier: Apache-2.0 */
/* ask_ohttp.c: an encapsulated request (RFC 9458, and its chunked draft) to a worker and back. */
#include "visit.h"
#include <caisson/wire/message.h>
#include <string.h>

static const char *type_of(const struct csn_visit *visit)
{
    return visit->is_chunked ? "message/ohttp-chunked-res" : "message/ohttp-res";
}

/* What the enclave says of a request that it could not open. */
static void refuse_code(struct csn_visit *visit, uint32_t code)
{
    static const struct {
        uint32_t code;
        struct csn_problem problem;
    } rows[] = {
        {CSN_WIRE_REJECT_KEY,
         {.status = 400, .type = CSN_PROBLEM_OHTTP_KEY, .title = "Key not recognised"}},
        {CSN_WIRE_REJECT_FRAMING, {.status = 400, .title = "Not an encapsulated request"}},
        {CSN_WIRE_REJECT_SUITE, {.status = 400, .title = "Algorithms that are not offered"}},
        {CSN_WIRE_REJECT_AUTH, {.status = 400, .title = "The request does not open"}},
        {CSN_WIRE_REJECT_SIZE, {.status = 413, .title = "Too large for the service"}},
        {CSN_WIRE_REJECT_BUSY, {.status = 503, .title = "Busy", .retry_s = 1}},
        {CSN_WIRE_DROPPED,
         {.status = 503, .title = "The enclave gave it up: its grant was replaced", .retry_s = 1}},
    };
    static const struct csn_problem other = {.status = 502, .title = "No answer was understood"};
    const struct csn_problem *problem = &other;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        problem = rows[i].code == code ? &rows[i].problem : problem;
    }
    csn_visit_refuse(visit, problem);
}

/* Bytes of the response, as they come: in one answer where they come at once. */
static void pass_on(struct csn_visit *visit, const uint8_t *bytes, uint32_t size, bool final)
{
    if (!visit->has_begun && final) {
        csn_visit_answer(visit, type_of(visit), NULL, bytes, size);
        return;
    }
    if (!visit->has_begun) {
        csn_visit_begin(visit, type_of(visit));
    }
    csn_visit_piece(visit, bytes, size, final);
}

static void take_output(void *state, const uint8_t *bytes, uint32_t size, bool final)
{
    struct csn_visit *visit = state;
    struct csn_wire_answer answer;
    uint32_t begin;
    bool good = csn_wire_answer_read(bytes, size, &answer, &begin);
    visit->gateway->counters.inside_codes[answer.code % 64]++;
    if (visit->exchange == NULL) {
        csn_visit_cancel(visit); /* the client has gone, or a refusal was the answer */
    } else if (good && answer.code == CSN_WIRE_HELD) {
        /* Its first bytes decide what the answer is; until then the deadline counts. */
    } else if (good && answer.code == CSN_WIRE_ANSWERED) {
        pass_on(visit, bytes + begin, answer.size, final);
    } else if (visit->has_begun) {
        csn_visit_break(visit);
    } else {
        refuse_code(visit, good ? answer.code : CSN_WIRE_DONE);
    }
    if (final) {
        visit->pump = NULL; /* which may end before the client has its answer */
        csn_visit_release(visit);
    }
}

static void take_loss(void *state)
{
    static const struct csn_problem lost = {
        .status = 502, .title = "The enclave stopped", .retry_s = 1};
    struct csn_visit *visit = state;
    visit->pump = NULL;
    if (visit->exchange != NULL && visit->has_begun) {
        csn_visit_break(visit);
    } else if (visit->exchange != NULL) {
        csn_visit_refuse(visit, &lost);
    }
    csn_visit_release(visit);
}

static const struct csn_pump_asker asker = {take_output, take_loss};

void csn_ask_ohttp(struct csn_visit *visit)
{
    static const struct csn_problem unknown = {
        .status = 400, .type = CSN_PROBLEM_OHTTP_KEY, .title = "Key not recognised"};
    static const struct csn_problem empty = {.status = 400, .title = "Not an encapsulated request"};
    const struct csn_exchange *exchange = visit->exchange;
    const struct csn_wire_request head = {.kind = CSN_WIRE_REQUEST, .form = visit->is_chunked};
    struct csn_pump *pump = NULL;
    void *place = NULL;
    if (exchange->body_size == 0) {
        csn_visit_refuse(visit, &empty);
        return;
    }
    struct csn_unit *unit = csn_fleet_by_key(visit->fleet, exchange->body[0]);
    if (unit == NULL) {
        csn_visit_refuse(visit, &unknown);
        return;
    }
    if (!csn_visit_worker(visit, &unit, &pump)) {
        return;
    }
    pump = pump != NULL ? pump : csn_unit_idlest(unit);
    uint64_t size = sizeof head + (uint64_t)exchange->body_size;
    csn_err err =
        size > UINT32_MAX ? CSN_ERR_SPACE : csn_pump_reserve(pump, (uint32_t)size, &place);
    if (err != CSN_OK) {
        csn_visit_refuse_place(visit, err);
        return;
    }
    memcpy(place, &head, sizeof head);
    memcpy((uint8_t *)place + sizeof head, exchange->body, exchange->body_size);
    csn_visit_hold(visit);
    visit->pump = pump;
    csn_pump_hand_over(pump, (uint32_t)size, &asker, visit);
}
