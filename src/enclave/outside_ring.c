/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outside_ring.c: asks and answers over the worker's last channel.
 *
 * While it waits the worker serves nobody: its answers would have to wait for this one anyway. It
 * looks for about as long as a sleep and a wake cost, then arms its event, looks again and parks;
 * messages on other channels wake it as well, and it parks again.
 */
#include "../core/event.h"
#include "gate.h"
#include "loop.h"

static struct cse_channel *store_of(struct cse_worker *worker)
{
    return &worker->channels[worker->manifest->channel_count];
}

static void wake(struct cse_worker *worker)
{
    struct csn_shared *event = store_of(worker)->host_event;
    if (csn_event_signal(event)) {
        cse_gate_wake(event, worker->manifest->channel_count);
    }
}

static bool has_answer(struct cse_channel *channel)
{
    return channel->reader.fate != CSN_OK || csn_ring_has_message(&channel->reader);
}

/* For the largest there is: what waits was refused by less. */
static bool has_room(struct cse_channel *channel)
{
    return csn_ring_has_credit(&channel->writer, 1, channel->writer.size_max) ||
           channel->writer.fate != CSN_OK;
}

static void await(struct cse_worker *worker, bool (*is_there)(struct cse_channel *))
{
    struct cse_channel *channel = store_of(worker);
    if (csn_ring_give_credit(&channel->reader)) {
        wake(worker); /* the host may wait for it */
    }
    for (uint32_t i = 0; i < CSE_LOOP_SPIN_MAX; i++) {
        if (is_there(channel)) {
            return;
        }
        __builtin_ia32_pause();
    }
    uint32_t seen = csn_event_arm(worker->event);
    if (!is_there(channel)) {
        cse_gate_park(worker->event, seen);
    }
    csn_event_disarm(worker->event);
}

static csn_err put(void *state, uint64_t tag, const struct csn_ring_piece pieces[2])
{
    struct cse_worker *worker = state;
    struct csn_ring_writer *writer = &store_of(worker)->writer;
    csn_err result;
    while ((result = csn_ring_write(writer, tag, true, pieces)) == CSN_AGAIN) {
        await(worker, has_room);
    }
    if (result == CSN_OK && csn_ring_publish(writer)) {
        wake(worker);
    }
    return result;
}

static csn_err take(void *state, uint8_t *target, struct csn_ring_message *message)
{
    struct cse_worker *worker = state;
    struct csn_ring_reader *reader = &store_of(worker)->reader;
    const uint64_t given = reader->credit_given;
    csn_err result;
    while ((result = csn_ring_read(reader, target, message)) == CSN_AGAIN) {
        await(worker, has_answer);
    }
    if (reader->credit_given != given) {
        wake(worker);
    }
    return result;
}

csn_err cse_loop_outside(struct cse_worker *worker)
{
    const struct cse_outside_options options = {
        .manifest = worker->manifest,
        .port = {.put = put, .take = take, .state = worker},
        .random = &worker->random,
        .boot_id = worker->instance->boot_id,
        .worker = worker->index,
    };
    return cse_outside_init(&worker->outside, &worker->pool, &options);
}
