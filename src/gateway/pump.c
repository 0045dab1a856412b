/* SPDX-License-Identifier: Apache-2.0 */
/* pump.c: see pump.h. */
#include "pump.h"
#include <caisson/wire/message.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVE_MAX 256u /* outputs in one step, so that sockets get their turn */

static struct csn_pump_place *place_of(const struct csn_pump *pump, uint64_t tag)
{
    return &pump->places[tag & (pump->place_count - 1)];
}

/* ---- life ---- */

csn_err csn_pump_init(struct csn_pump *pump, struct csn_enclave *enclave, uint32_t channel,
                      uint32_t count_max, int event_fd)
{
    const struct csn_wire_manifest *manifest = csn_enclave_manifest(enclave);
    *pump = (struct csn_pump){.enclave = enclave, .channel = channel, .place_count = 1};
    while (pump->place_count < count_max) {
        pump->place_count *= 2;
    }
    /* No tag of another channel, or of nothing, can be one of these. */
    pump->oldest = pump->commit = pump->next = (uint64_t)(channel + 1) << 48;
    pump->places = calloc(pump->place_count, sizeof *pump->places);
    pump->later = calloc((size_t)manifest->held_max + 1, sizeof *pump->later);
    pump->output = malloc(manifest->output_size_max);
    csn_err err = pump->places != NULL && pump->later != NULL && pump->output != NULL
                      ? CSN_OK
                      : CSN_ERR_MEMORY;
    err = err == CSN_OK ? csn_waiter_init(&pump->waiter, enclave, channel, event_fd) : err;
    if (err != CSN_OK) {
        free(pump->places);
        free(pump->later);
        free(pump->output);
        pump->places = NULL;
    }
    return err;
}

void csn_pump_end(struct csn_pump *pump)
{
    if (pump->places == NULL) {
        return;
    }
    csn_waiter_end(&pump->waiter);
    free(pump->places);
    free(pump->later);
    free(pump->output);
    pump->places = NULL;
}

/* ---- to the enclave ---- */

csn_err csn_pump_reserve(struct csn_pump *pump, uint32_t size, void **place)
{
    return csn_enclave_reserve(pump->enclave, pump->channel, size, place);
}

static csn_err commit_all(struct csn_pump *pump, bool *moved)
{
    csn_err err = CSN_OK;
    while (err == CSN_OK && pump->commit != pump->next) {
        uint32_t size = place_of(pump, pump->commit)->size;
        err = csn_enclave_commit(pump->enclave, pump->channel, pump->commit, size);
        pump->commit += err == CSN_OK ? 1 : 0;
        *moved |= err == CSN_OK;
    }
    pump->is_dirty |= *moved;
    return err;
}

void csn_pump_hand_over(struct csn_pump *pump, uint32_t size, const struct csn_pump_asker *asker,
                        void *state)
{
    bool moved = false;
    *place_of(pump, pump->next++) =
        (struct csn_pump_place){.asker = asker, .state = state, .size = size};
    (void)commit_all(pump, &moved); /* what it says, the next step says again */
}

void csn_pump_abandon(struct csn_pump *pump)
{
    (void)csn_enclave_abandon(pump->enclave, pump->channel);
}

/* ---- what comes later ---- */

static struct csn_pump_later *find_later(struct csn_pump *pump, uint64_t tag)
{
    for (uint32_t i = 0; i < pump->later_count; i++) {
        if (pump->later[i].tag == tag) {
            return &pump->later[i];
        }
    }
    return NULL;
}

static csn_err keep_later(struct csn_pump *pump, uint64_t tag, const struct csn_pump_place *asked)
{
    if (pump->later_count == csn_enclave_manifest(pump->enclave)->held_max) {
        return CSN_ERR_PEER;
    }
    pump->later[pump->later_count++] =
        (struct csn_pump_later){.tag = tag, .asker = asked->asker, .state = asked->state};
    return CSN_OK;
}

static void forget_later(struct csn_pump *pump, struct csn_pump_later *later)
{
    pump->unwanted_count -= later->is_unwanted;
    *later = pump->later[--pump->later_count];
}

void csn_pump_cancel(struct csn_pump *pump, const void *state)
{
    for (uint32_t i = 0; i < pump->later_count; i++) {
        if (pump->later[i].state == state && !pump->later[i].is_unwanted) {
            pump->later[i].is_unwanted = true;
            pump->unwanted_count++;
        }
    }
}

static void pass_over(void *state, const uint8_t *bytes, uint32_t size, bool final)
{
    (void)state, (void)bytes, (void)size, (void) final;
}

static void pass_over_loss(void *state)
{
    (void)state;
}

/* False: the ring, or what is kept for it, has no room now. */
static bool tell_unwanted(struct csn_pump *pump, const struct csn_pump_later *later)
{
    static const struct csn_pump_asker nobody = {pass_over, pass_over_loss};
    const struct csn_wire_cancel cancel = {.kind = CSN_WIRE_CANCEL, .tag = later->tag};
    void *place;
    if (csn_pump_has_backlog(pump) || csn_pump_reserve(pump, sizeof cancel, &place) != CSN_OK) {
        return false;
    }
    memcpy(place, &cancel, sizeof cancel);
    csn_pump_hand_over(pump, sizeof cancel, &nobody, NULL);
    return true;
}

static void tell_all_unwanted(struct csn_pump *pump)
{
    for (uint32_t i = 0; pump->unwanted_count != 0 && i < pump->later_count; i++) {
        struct csn_pump_later *later = &pump->later[i];
        if (later->is_unwanted) {
            if (!tell_unwanted(pump, later)) {
                return;
            }
            later->is_unwanted = false;
            pump->unwanted_count--;
        }
    }
}

/* ---- to the enclave, as far as it has room ---- */

/* What is committed becomes visible, all at once. */
static csn_err send_all(struct csn_pump *pump, bool *moved)
{
    tell_all_unwanted(pump);
    csn_err err = commit_all(pump, moved);
    if (!pump->is_dirty) {
        return err;
    }
    pump->is_dirty = false;
    csn_err flushed = csn_enclave_flush(pump->enclave, pump->channel);
    return err == CSN_OK || err == CSN_AGAIN ? flushed : err;
}

/* ---- from the enclave ---- */

static csn_err deliver_later(struct csn_pump *pump, const struct csn_output *output)
{
    struct csn_pump_later *later = find_later(pump, output->tag);
    if (later == NULL) {
        return CSN_ERR_PEER;
    }
    const struct csn_pump_later asked = *later;
    if (output->final) {
        forget_later(pump, later);
    }
    pump->outputs++;
    asked.asker->output(asked.state, pump->output, output->size, output->final);
    return CSN_OK;
}

static csn_err deliver(struct csn_pump *pump, const struct csn_output *output)
{
    if (output->tag != pump->oldest || pump->oldest == pump->commit) {
        return deliver_later(pump, output);
    }
    const struct csn_pump_place asked = *place_of(pump, output->tag);
    if (output->later) {
        CSN_TRY(keep_later(pump, output->tag, &asked));
    }
    pump->oldest += output->final || output->later ? 1 : 0;
    pump->outputs++;
    asked.asker->output(asked.state, pump->output, output->size, output->final);
    return CSN_OK;
}

static csn_err receive_all(struct csn_pump *pump, bool *moved)
{
    struct csn_output output;
    csn_err err = CSN_OK;
    for (uint32_t i = 0; err == CSN_OK && i < RECEIVE_MAX; i++) {
        err = csn_enclave_receive(pump->enclave, pump->channel, pump->output, &output);
        if (err == CSN_OK) {
            *moved = true;
            err = deliver(pump, &output);
        }
    }
    return err == CSN_AGAIN ? CSN_OK : err;
}

csn_err csn_pump_step(struct csn_pump *pump)
{
    bool moved = false;
    csn_err sent = send_all(pump, &moved);
    csn_err err = CSN_OK;
    if (!csn_waiter_is_busy(&pump->waiter) && csn_pump_inflight(pump) != 0) {
        /* Also of an enclave that ended: what it published counts. */
        err = receive_all(pump, &moved);
    }
    /* Of a crash the receiver tells, once it has everything; of a broken ring nobody else does. */
    if (err == CSN_OK && sent != CSN_AGAIN && sent != CSN_ERR_CRASHED) {
        err = sent;
    }
    return err != CSN_OK ? err : moved ? CSN_OK : CSN_AGAIN;
}

void csn_pump_rest(struct csn_pump *pump)
{
    if (csn_pump_inflight(pump) != 0 && !csn_waiter_is_busy(&pump->waiter)) {
        csn_waiter_ask(&pump->waiter);
    }
}

bool csn_pump_is_stuck(struct csn_pump *pump, uint64_t now_ns, uint64_t patience_ns)
{
    bool is_first = pump->since_ns == 0;
    if (is_first || pump->oldest == pump->next || pump->outputs != pump->seen) {
        pump->seen = pump->outputs;
        pump->since_ns = now_ns;
    }
    return now_ns - pump->since_ns > patience_ns;
}

void csn_pump_lose(struct csn_pump *pump)
{
    while (pump->oldest != pump->next) {
        const struct csn_pump_place asked = *place_of(pump, pump->oldest++);
        asked.asker->lost(asked.state);
    }
    while (pump->later_count != 0) {
        const struct csn_pump_later asked = pump->later[0];
        forget_later(pump, &pump->later[0]);
        asked.asker->lost(asked.state);
    }
    pump->commit = pump->next;
}
