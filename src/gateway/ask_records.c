/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask_records.c: a list of ring messages to one worker, and all its outputs in one answer: each
 * with its size in front, as `caisson run` reads and writes them.
 *
 * All messages have room in the worker's ring, or none is taken: there is no half of a list.
 */
#include "visit.h"
#include <caisson/wire/message.h>
#include <string.h>

#define MESSAGES_MAX 256u
#define ANSWERS_TYPE "application/vnd.caisson.answers"

/* ---- outputs ---- */

/* Into the answer, which is in pieces once one of its messages is answered later. */
static void put_output(struct csn_visit *visit, const uint8_t *bytes, uint32_t size, bool last)
{
    static const struct csn_problem full = {.status = 503, .title = "Out of memory", .retry_s = 1};
    const bool good = csn_visit_gather(visit, bytes, size);
    if (visit->has_begun) {
        if (good) {
            csn_visit_piece(visit, visit->answers, visit->answers_size, last);
        } else {
            csn_visit_break(visit);
        }
        csn_visit_give_room(visit);
    } else if (!good) {
        csn_visit_refuse(visit, &full);
    } else if (last) {
        csn_visit_answer(visit, ANSWERS_TYPE, NULL, visit->answers, visit->answers_size);
        csn_visit_give_room(visit);
    }
}

static void take_output(void *state, const uint8_t *bytes, uint32_t size, bool final)
{
    struct csn_visit *visit = state;
    struct csn_wire_answer answer;
    uint32_t begin;
    (void)csn_wire_answer_read(bytes, size, &answer, &begin);
    visit->gateway->counters.inside_codes[answer.code % 64]++;
    visit->parts -= final;
    if (visit->exchange == NULL) {
        csn_visit_cancel(visit);
    } else if (answer.code != CSN_WIRE_HELD) {
        put_output(visit, bytes, size, visit->parts == 0);
    } else if (!visit->has_begun) {
        csn_visit_send_gathered(visit, ANSWERS_TYPE);
    }
    if (final) {
        visit->pump = visit->parts != 0 ? visit->pump : NULL;
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

/* ---- messages ---- */

struct message {
    const uint8_t *bytes;
    uint32_t size;
};

/* How many there are; 0: broken, too many, or none. */
static uint32_t split(const uint8_t *bytes, size_t size, struct message *messages)
{
    uint32_t count = 0;
    size_t at = 0;
    while (at < size && count < MESSAGES_MAX) {
        struct message *message = &messages[count++];
        if (size - at < sizeof message->size) {
            return 0;
        }
        memcpy(&message->size, bytes + at, sizeof message->size);
        message->bytes = bytes + at + sizeof message->size;
        at += sizeof message->size;
        if (message->size == 0 || message->size > size - at) {
            return 0;
        }
        at += message->size;
    }
    return at == size ? count : 0;
}

static csn_err reserve_all(struct csn_pump *pump, const struct message *messages, uint32_t count,
                           void **places)
{
    csn_err err = csn_pump_has_backlog(pump) ? CSN_AGAIN : CSN_OK;
    uint32_t done = 0;
    while (err == CSN_OK && done < count) {
        err = csn_pump_reserve(pump, messages[done].size, &places[done]);
        done += err == CSN_OK ? 1 : 0;
    }
    if (err != CSN_OK && done != 0) {
        csn_pump_abandon(pump);
    }
    return err;
}

static void hand_over(struct csn_visit *visit, const struct csn_unit *unit, struct csn_pump *pump,
                      const struct message *messages, uint32_t count)
{
    void *places[MESSAGES_MAX];
    csn_err err = reserve_all(pump, messages, count, places);
    if (err != CSN_OK) {
        csn_visit_refuse_place(visit, err);
        return;
    }
    csn_fleet_token(unit, pump, visit->token);
    visit->parts = count;
    visit->pump = pump;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(places[i], messages[i].bytes, messages[i].size);
        csn_visit_hold(visit);
        csn_pump_hand_over(pump, messages[i].size, &asker, visit);
    }
}

void csn_ask_records(struct csn_visit *visit)
{
    static const struct csn_problem broken = {
        .status = 400,
        .title = "Not a list of messages",
        .detail = "Each message has its size in front (32 bits, little-endian); 1 to 256 of them."};
    static const struct csn_problem starting = {
        .status = 503, .title = "No enclave of the service is ready", .retry_s = 1};
    struct message messages[MESSAGES_MAX];
    struct csn_gateway *gateway = visit->gateway;
    struct csn_unit *unit = NULL;
    struct csn_pump *pump = NULL;
    uint32_t count = split(visit->exchange->body, visit->exchange->body_size, messages);
    if (count == 0) {
        csn_visit_refuse(visit, &broken);
        return;
    }
    if (!csn_visit_worker(visit, &unit, &pump)) {
        return;
    }
    if (pump == NULL) {
        unit = csn_fleet_current(visit->fleet, (uint32_t)gateway->next_slot++);
        pump = unit != NULL ? csn_unit_idlest(unit) : NULL;
    }
    if (pump == NULL) {
        csn_visit_refuse(visit, &starting);
        return;
    }
    hand_over(visit, unit, pump, messages, count);
}
