/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.c: poll the channels, take a batch, have it answered, publish, wait.
 *
 * Trust:    inputs are copied to private memory before anyone looks at them; a channel whose peer
 *           breaks the protocol is dropped for good and the others go on.
 * Threads:  one worker, one thread, its own channels; nothing is shared with other workers.
 * Bounds:   a step takes at most one batch; every loop ends by a private count.
 */
#include "loop.h"
#include "../core/bytes.h"
#include "../core/event.h"
#include "gate.h"
#include "request.h"
#include <caisson/wire/message.h>
#include <caisson/wire/record.h>

#define LOOP_LINE          CSN_WIRE_LINE_SIZE
#define LOOP_CHANNEL_LIMIT 64u

/* Only this worker writes its counters; the launcher reads them at any time: whole words. */
static void set(uint64_t *counter, uint64_t value)
{
    csn_shared_store((struct csn_shared *)(void *)counter, 0, value);
}

static void add(uint64_t *counter, uint64_t amount)
{
    set(counter, *counter + amount);
}

static bool is_dropped(const struct cse_loop *loop, uint32_t channel)
{
    return (loop->dropped >> channel & 1) != 0;
}

static void drop(struct cse_worker *worker, uint32_t channel)
{
    if (!is_dropped(worker->loop, channel)) {
        worker->loop->dropped |= UINT64_C(1) << channel;
        add(&worker->stats->poisoned, 1);
        if (worker->tending != NULL) {
            worker->tending->lost(worker->session, channel);
        }
    }
}

/* ---- opening ---- */

static csn_err open_channel(const struct csn_wire_manifest *manifest, struct csn_shared *area,
                            struct cse_channel *channel)
{
    struct csn_shared *in = csn_shared_at(area, LOOP_LINE * CSN_WIRE_CHANNEL_LINES);
    struct csn_shared *out = csn_shared_at(in, (uint64_t)LOOP_LINE * manifest->input_line_count);
    channel->host_event = csn_shared_at(area, CSN_WIRE_CHANNEL_HOST_EVENT);
    CSN_TRY(csn_ring_reader_init(&channel->reader, in,
                                 csn_shared_at(area, CSN_WIRE_CHANNEL_INPUT_CREDIT),
                                 manifest->input_line_count, manifest->input_size_max));
    return csn_ring_writer_init(&channel->writer, out,
                                csn_shared_at(area, CSN_WIRE_CHANNEL_OUTPUT_CREDIT),
                                manifest->output_line_count, manifest->output_size_max);
}

csn_err cse_loop_init(struct cse_worker *worker)
{
    const struct csn_wire_manifest *manifest = worker->manifest;
    if (manifest->channel_count == 0 || manifest->channel_count > LOOP_CHANNEL_LIMIT ||
        manifest->input_size_max > CSN_WIRE_HEAD_SIZE_MASK) {
        return CSN_ERR_ARGUMENT;
    }
    struct cse_loop *loop = csn_pool_carve(&worker->pool, sizeof *loop, LOOP_LINE);
    worker->channels = csn_pool_carve(
        &worker->pool, sizeof *worker->channels * (uint64_t)csn_wire_channels(manifest), LOOP_LINE);
    if (loop == NULL || worker->channels == NULL) {
        return CSN_ERR_MEMORY;
    }
    loop->input_room = cse_loop_round(manifest->input_size_max) + LOOP_LINE;
    loop->output_lines_max =
        (uint64_t)csn_wire_lines(manifest->output_size_max) * manifest->outputs_per_input_max;
    loop->buffer_size = cse_loop_buffer_size(manifest);
    loop->buffer = csn_pool_carve(&worker->pool, loop->buffer_size, LOOP_LINE);
    if (loop->buffer == NULL) {
        return CSN_ERR_MEMORY;
    }
    loop->idle_max = CSE_LOOP_SPIN_MAX;
    worker->loop = loop;
    uint64_t start = csn_wire_worker_offset(manifest, worker->index);
    for (uint32_t c = 0; c < csn_wire_channels(manifest); c++) {
        uint64_t offset = csn_wire_channel_offset(manifest, worker->index, c) - start;
        CSN_TRY(open_channel(manifest, csn_shared_at(worker->event, offset), &worker->channels[c]));
    }
    return CSN_OK;
}

/* ---- answers ---- */

static bool has_work(struct cse_worker *worker);

/* A sleeping host is woken at once, work or not: nobody else would give it its answers. */
static void wake_host(struct cse_worker *worker, uint32_t channel)
{
    struct csn_shared *event = worker->channels[channel].host_event;
    if (csn_event_signal(event)) {
        add(&worker->stats->wakes, 1);
        add(&worker->stats->wakes_with_work, has_work(worker));
        cse_gate_wake(event, channel);
    }
}

static void publish(struct cse_worker *worker, uint32_t channel)
{
    struct csn_ring_writer *writer = &worker->channels[channel].writer;
    uint32_t count = writer->batch_count;
    if (csn_ring_publish(writer)) {
        add(&worker->stats->outputs, count);
        wake_host(worker, channel);
    }
}

/* A cse_sink. A poisoned channel swallows its outputs; everything else was reserved. */
static void append(void *state, uint32_t channel, uint64_t tag, bool final,
                   const struct csn_ring_piece pieces[2])
{
    struct cse_worker *worker = state;
    struct csn_ring_writer *writer = &worker->channels[channel].writer;
    csn_err result = csn_ring_write(writer, tag, final, pieces);
    if (result != CSN_OK && result != CSN_ERR_PEER) {
        cse_panic(CSN_WIRE_STOP_ASSERT); /* more or larger than was reserved: our own bug */
    }
    if (csn_ring_batch_is_full(writer)) {
        publish(worker, channel);
    }
}

static void answer_ping(struct cse_worker *worker, const struct cse_input *input)
{
    bool fits = input->size + sizeof(struct csn_wire_answer) <= worker->manifest->output_size_max;
    const struct csn_wire_answer answer = {.code = fits ? CSN_WIRE_PONG : CSN_WIRE_REJECT_SIZE,
                                           .size = fits ? input->size : 0};
    const struct csn_ring_piece pieces[2] = {{&answer, sizeof answer}, {input->bytes, answer.size}};
    append(worker, input->channel, input->tag, true, pieces);
}

static bool is_ping(const struct cse_input *input)
{
    return input->size >= sizeof(uint32_t) && csn_load_u32(input->bytes) == CSN_WIRE_PING;
}

/* In order: runs of other messages go to the sessions, pings in between are answered here. */
static void answer_batch(struct cse_worker *worker)
{
    struct cse_loop *loop = worker->loop;
    uint32_t first = 0;
    for (uint32_t i = 0; i < loop->count; i++) {
        if (!is_ping(&loop->inputs[i])) {
            continue;
        }
        if (i != first) {
            cse_session_batch(worker->session, &loop->inputs[first], i - first, append, worker);
        }
        answer_ping(worker, &loop->inputs[i]);
        first = i + 1;
    }
    if (first != loop->count) {
        cse_session_batch(worker->session, &loop->inputs[first], loop->count - first, append,
                          worker);
    }
}

/* ---- inputs ---- */

static bool batch_is_full(const struct cse_loop *loop)
{
    return loop->count == CSN_WIRE_BATCH_COUNT_MAX || loop->body_size >= CSN_WIRE_BATCH_SIZE_MAX ||
           loop->buffer_size - loop->used < loop->input_room;
}

/*
 * Lines of the largest outputs of an input, which follow from its size and kind alone: the output
 * of a record or request is of the class that belongs to its own; anything else may yield the
 * largest there is.
 */
static uint64_t output_lines(const struct csn_wire_manifest *manifest,
                             const struct cse_input *input)
{
    uint32_t kind = input->size >= sizeof kind ? csn_load_u32(input->bytes) : 0;
    bool is_short = (kind & CSN_WIRE_SHORT) != 0;
    uint32_t size = manifest->output_size_max;
    if (kind == CSN_WIRE_RECORD || is_short) {
        uint32_t head = CSN_WIRE_TAG_SIZE + (is_short ? (uint32_t)sizeof(struct csn_wire_short)
                                                      : (uint32_t)sizeof(struct csn_wire_record));
        uint32_t cipher = input->size > head ? input->size - head : 0;
        uint32_t bound = sizeof(struct csn_wire_answer) + sizeof(struct csn_wire_record) +
                         CSN_WIRE_ROUTE_SIZE_MAX + CSN_WIRE_TAG_SIZE +
                         csn_wire_output_bound(manifest, cipher);
        size = bound < size ? bound : size;
    } else if (kind == CSN_WIRE_REQUEST) {
        uint32_t bound = cse_request_bound(manifest, input->size);
        size = bound < size ? bound : size;
    }
    return (uint64_t)csn_wire_lines(size) * manifest->outputs_per_input_max;
}

/* Credit for `lines` lines of inputs that were taken, and for one more input of any size. */
static bool has_output_credit(struct cse_worker *worker, uint32_t channel, uint64_t lines)
{
    struct csn_ring_writer *writer = &worker->channels[channel].writer;
    bool granted = csn_ring_has_lines(writer, lines + worker->loop->output_lines_max,
                                      worker->manifest->output_size_max);
    if (writer->fate != CSN_OK) {
        drop(worker, channel);
    }
    return granted;
}

/* Credit for a whole batch of the largest there are, so that no input of it needs a look. */
static bool has_plenty(struct cse_worker *worker, uint32_t channel)
{
    uint64_t lines = worker->loop->output_lines_max * (CSN_WIRE_BATCH_COUNT_MAX - 1);
    return lines < worker->manifest->output_line_count && has_output_credit(worker, channel, lines);
}

static bool has_input(struct cse_worker *worker, uint32_t channel)
{
    return !is_dropped(worker->loop, channel) &&
           csn_ring_has_message(&worker->channels[channel].reader);
}

/* Copies what one channel has, as far as batch and credit go. */
static void take_from(struct cse_worker *worker, uint32_t channel)
{
    struct cse_loop *loop = worker->loop;
    struct csn_ring_reader *reader = &worker->channels[channel].reader;
    uint64_t credit_before = reader->credit_given;
    uint64_t reserved = 0; /* lines of the out ring */
    bool plenty = has_plenty(worker, channel);

    while (!batch_is_full(loop) && (plenty || has_output_credit(worker, channel, reserved))) {
        struct csn_ring_message message;
        uint8_t *target = loop->buffer + loop->used;
        csn_err result = csn_ring_read(reader, target, &message);
        if (result == CSN_AGAIN) {
            break;
        }
        if (result != CSN_OK || message.final) { /* an input has no last output to announce */
            drop(worker, channel);
            break;
        }
        struct cse_input *input = &loop->inputs[loop->count++];
        *input = (struct cse_input){
            .bytes = target, .size = message.size, .channel = channel, .tag = message.tag};
        loop->used += cse_loop_round(message.size);
        loop->body_size += message.size;
        reserved += plenty ? 0 : output_lines(worker->manifest, input);
    }
    if (reader->credit_given != credit_before) {
        wake_host(worker, channel);
    }
}

static void take_batch(struct cse_worker *worker)
{
    struct cse_loop *loop = worker->loop;
    uint32_t channel_count = worker->manifest->channel_count;
    uint32_t channel = loop->next_channel;
    loop->count = 0;
    loop->used = 0;
    loop->body_size = 0;
    for (uint32_t i = 0; i < channel_count && !batch_is_full(loop); i++) {
        if (has_input(worker, channel)) {
            take_from(worker, channel);
        }
        channel = channel + 1 == channel_count ? 0 : channel + 1;
    }
    loop->next_channel = channel;
}

/* While a record is opened, the lines of a later one come from the other core. */
static void expect_more(struct cse_worker *worker)
{
    struct cse_loop *loop = worker->loop;
    for (uint32_t i = 0; i < loop->count; i++) {
        struct cse_input *input = &loop->inputs[i];
        input->ahead = csn_ring_expect(&worker->channels[input->channel].reader, input->size);
    }
}

static void write_stats(struct cse_worker *worker)
{
    set(&worker->stats->carves, worker->pool.carves);
    set(&worker->stats->pool_used, worker->pool.used);
}

bool cse_loop_step(struct cse_worker *worker)
{
    struct cse_loop *loop = worker->loop;
    take_batch(worker);
    if (loop->count == 0) {
        return false;
    }
    add(&worker->stats->inputs, loop->count);
    expect_more(worker);
    answer_batch(worker);
    for (uint32_t c = 0; c < worker->manifest->channel_count; c++) {
        publish(worker, c);
    }
    if (worker->outside != NULL && worker->outside->tend != NULL) {
        worker->outside->tend(worker->outside);
    }
    write_stats(worker);
    if (loop->idle != 0) { /* it was worth looking */
        loop->idle_max = CSE_LOOP_SPIN_MAX;
    }
    loop->idle = 0;
    return true;
}

/* What withholding would save is nothing now, and a submitter may be waiting for it. */
static void give_all_credit(struct cse_worker *worker)
{
    for (uint32_t c = 0; c < worker->manifest->channel_count; c++) {
        if (!is_dropped(worker->loop, c) && csn_ring_give_credit(&worker->channels[c].reader)) {
            wake_host(worker, c);
        }
    }
}

/* ---- answers that come later ---- */

/* A cse_outlet's: also false for a channel that is broken, which is dropped after the step. */
static bool has_room(void *state, uint32_t channel, uint32_t size)
{
    struct cse_worker *worker = state;
    return !is_dropped(worker->loop, channel) &&
           csn_ring_has_lines(&worker->channels[channel].writer, csn_wire_lines(size), size);
}

bool cse_loop_tend(struct cse_worker *worker, bool after_batch)
{
    struct cse_loop *loop = worker->loop;
    if (worker->tending == NULL ||
        !(after_batch || loop->more || worker->tending->is_holding(worker->session))) {
        return false;
    }
    const struct cse_outlet outlet = {.sink = append, .room = has_room, .state = worker};
    if (!after_batch && loop->idle == 0) { /* as before any wait: a submitter may wait for it */
        give_all_credit(worker);
        loop->idle = 1;
    }
    loop->more = worker->tending->step(worker->session, &outlet);
    for (uint32_t c = 0; c < worker->manifest->channel_count; c++) {
        publish(worker, c);
        if (worker->channels[c].writer.fate != CSN_OK) {
            drop(worker, c);
        }
    }
    return loop->more;
}

static bool has_waited(struct cse_worker *worker)
{
    const struct cse_outlet outlet = {.room = has_room, .state = worker};
    return worker->tending != NULL && worker->tending->has_waited(worker->session, &outlet);
}

/* ---- waiting ---- */

/* Input and credit for its outputs: the one reason not to sleep. */
static bool has_work(struct cse_worker *worker)
{
    for (uint32_t c = 0; c < worker->manifest->channel_count; c++) {
        if (has_input(worker, c) && has_output_credit(worker, c, 0)) {
            return true;
        }
    }
    return false;
}

/*
 * parks_with_credit is a check of the decision, not of the race: work that comes after the look
 * moves the event word, and the park returns at once. Seeded: a loop that sleeps regardless.
 * False: the second look found work.
 */
static bool park(struct cse_worker *worker)
{
    uint32_t seen = csn_event_arm(worker->event);
    /* The second look: what came before the arming is seen here. */
    bool work = has_work(worker) || has_waited(worker);
    bool sleep = !work;
    if (sleep) {
        set(&worker->stats->stack_high_water, cse_stack_high_water(worker));
        write_stats(worker);
        add(&worker->stats->parks, 1);
        add(&worker->stats->parks_with_credit, work);
        cse_gate_park(worker->event, seen);
    }
    csn_event_disarm(worker->event);
    return sleep;
}

static void look_less(struct cse_loop *loop)
{
    loop->idle_max /= 2;
    if (loop->idle_max < CSE_LOOP_SPIN_MIN) {
        loop->idle_max = CSE_LOOP_SPIN_MIN;
    }
    if (++loop->probe == CSE_LOOP_PROBE) { /* else gaps a little longer would not be noticed */
        loop->probe = 0;
        loop->idle_max = CSE_LOOP_SPIN_MAX;
    }
}

void cse_loop_idle(struct cse_worker *worker)
{
    struct cse_loop *loop = worker->loop;
    if (loop->idle == 0) {
        give_all_credit(worker);
    }
    if (loop->idle < loop->idle_max) {
        loop->idle += CSE_LOOP_ROUND_COST + worker->manifest->channel_count;
        __builtin_ia32_pause();
        return;
    }
    if (park(worker)) {
        look_less(loop);
    }
    loop->idle = 0;
}

void cse_loop_run(struct cse_worker *worker)
{
    for (;;) {
        if (cse_loop_step(worker)) {
            cse_loop_tend(worker, true);
        } else if (!cse_loop_tend(worker, false)) {
            cse_loop_idle(worker);
        }
    }
}
