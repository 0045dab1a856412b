/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.c: submit, flush, receive, wait.
 *
 * Threads:  one submitting and one receiving thread per channel; see enclave.h for who owns what.
 * Bounds:   nothing allocates; a wait looks for HOST_SPIN_NS, naps a few times if much is in
 * flight, and then sleeps in slices, so that the end of the enclave is seen even if nobody is left
 *           to wake us.
 */
#include "../core/event.h"
#include "enclave.h"
#include <caisson/wire/message.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HOST_SPIN_NS    UINT64_C(10000) /* about what a sleep and a wake cost */
#define HOST_SPIN_LOOKS 32u             /* from one look at the clock to the next */
#define HOST_NAP_NS     UINT64_C(50000)
#define HOST_NAPS_MAX   8u
#define HOST_NAP_COUNT  64u /* inputs in flight: two batches, more than a nap's work */
#define HOST_SLICE_NS   UINT64_C(20000000)
#define NS_PER_S        UINT64_C(1000000000)
#define LIVE_SHARE      4u /* copies of inputs kept, in sizes of the in ring */

/* ---- tables and rings ---- */

static csn_err allocate_one(struct csn_enclave *enclave, struct csn_host_channel *channel)
{
    const struct csn_wire_manifest *manifest = &enclave->manifest;
    uint64_t size = (uint64_t)manifest->input_line_count * CSN_WIRE_LINE_SIZE * LIVE_SHARE +
                    2 * (uint64_t)manifest->input_size_max;
    CSN_TRY(csn_inflight_init(&channel->live, enclave->inflight_count_max, size));
    /* csn_channel_may_submit() bounds lost and live together; the rest is room to turn the list. */
    CSN_TRY(csn_inflight_init(&channel->lost, 2 * enclave->inflight_count_max, 4 * size));
    CSN_TRY(csn_inflight_init(&channel->quarantine, CSN_HOST_QUARANTINE_COUNT,
                              (uint64_t)CSN_HOST_QUARANTINE_COUNT * 2 *
                                  (manifest->input_size_max + 1)));
    channel->later = calloc((size_t)manifest->held_max + 1, sizeof *channel->later);
    if (channel->later == NULL) {
        return CSN_ERR_MEMORY;
    }
    if (manifest->output_size_max % 8 == 0) {
        return CSN_OK; /* a read in whole words never passes the end of the caller's target */
    }
    channel->bounce = malloc((uint64_t)manifest->output_size_max + 8);
    return channel->bounce == NULL ? CSN_ERR_MEMORY : CSN_OK;
}

csn_err csn_channels_allocate(struct csn_enclave *enclave)
{
    enclave->channel_count = enclave->manifest.worker_count * enclave->manifest.channel_count;
    enclave->channels = calloc(enclave->channel_count, sizeof *enclave->channels);
    if (enclave->channels == NULL || enclave->inflight_count_max > UINT32_MAX / 2) {
        return CSN_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < enclave->channel_count; i++) {
        CSN_TRY(allocate_one(enclave, &enclave->channels[i]));
    }
    return CSN_OK;
}

void csn_channels_free(struct csn_enclave *enclave)
{
    for (uint32_t i = 0; enclave->channels != NULL && i < enclave->channel_count; i++) {
        csn_inflight_free(&enclave->channels[i].live);
        csn_inflight_free(&enclave->channels[i].lost);
        csn_inflight_free(&enclave->channels[i].quarantine);
        free(enclave->channels[i].bounce);
        free(enclave->channels[i].later);
    }
    free(enclave->channels);
    enclave->channels = NULL;
}

csn_err csn_channels_open(struct csn_enclave *enclave)
{
    const struct csn_wire_manifest *manifest = &enclave->manifest;
    struct csn_shared *rings = enclave->rings;
    for (uint32_t i = 0; i < enclave->channel_count; i++) {
        struct csn_host_channel *channel = &enclave->channels[i];
        uint32_t worker = i / manifest->channel_count;
        uint32_t index = i % manifest->channel_count;
        struct csn_shared *area =
            csn_shared_at(rings, csn_wire_channel_offset(manifest, worker, index));
        struct csn_shared *in =
            csn_shared_at(area, (uint64_t)CSN_WIRE_CHANNEL_LINES * CSN_WIRE_LINE_SIZE);
        struct csn_shared *out =
            csn_shared_at(in, (uint64_t)manifest->input_line_count * CSN_WIRE_LINE_SIZE);
        channel->worker = worker;
        channel->starved = 0;
        channel->later_count = 0;
        channel->input_wakes = channel->input_parks = 0;
        channel->output_wakes = channel->output_parks = channel->output_batches = 0;
        channel->output_empty = true;
        channel->worker_event = csn_shared_at(rings, csn_wire_worker_offset(manifest, worker));
        channel->host_event = csn_shared_at(area, CSN_WIRE_CHANNEL_HOST_EVENT);
        channel->input_credit = csn_shared_at(area, CSN_WIRE_CHANNEL_INPUT_CREDIT);
        CSN_TRY(csn_ring_writer_init(&channel->writer, in, channel->input_credit,
                                     manifest->input_line_count, manifest->input_size_max));
        CSN_TRY(csn_ring_reader_init(&channel->reader, out,
                                     csn_shared_at(area, CSN_WIRE_CHANNEL_OUTPUT_CREDIT),
                                     manifest->output_line_count, manifest->output_size_max));
    }
    return CSN_OK;
}

struct csn_host_channel *csn_channel_at(const struct csn_enclave *enclave, uint32_t channel)
{
    return channel < enclave->channel_count ? &enclave->channels[channel] : NULL;
}

uint32_t csn_enclave_channel_count(const struct csn_enclave *enclave)
{
    return enclave->channel_count;
}

/* ---- submitting ---- */

static void wake_worker(struct csn_enclave *enclave, const struct csn_host_channel *channel,
                        uint64_t *wakes)
{
    if (csn_event_signal(channel->worker_event)) {
        (*wakes)++;
        enclave->backend->wake(enclave->instance, channel->worker);
    }
}

void csn_channel_publish(struct csn_enclave *enclave, struct csn_host_channel *channel)
{
    if (csn_ring_publish(&channel->writer)) {
        wake_worker(enclave, channel, &channel->input_wakes);
    }
}

/* What is written so far must go out, or nothing would ever make room. */
static csn_err starve(struct csn_enclave *enclave, struct csn_host_channel *channel)
{
    __atomic_store_n(&channel->starved, channel->writer.credit_seen + 1, __ATOMIC_RELAXED);
    csn_channel_publish(enclave, channel);
    return csn_host_is_running(enclave) ? CSN_AGAIN : CSN_ERR_CRASHED;
}

static csn_err write_message(struct csn_enclave *enclave, struct csn_host_channel *channel,
                             uint64_t tag, const void *message, uint32_t size)
{
    const struct csn_ring_piece pieces[2] = {{message, size}, {NULL, 0}};
    csn_err result = csn_ring_write(&channel->writer, tag, false, pieces);
    return result == CSN_AGAIN ? starve(enclave, channel) : result;
}

csn_err csn_channel_put(struct csn_enclave *enclave, struct csn_host_channel *channel, uint64_t tag,
                        const void *message, uint32_t size, uint32_t crashes)
{
    if (size > enclave->manifest.input_size_max) {
        return CSN_ERR_SPACE;
    }
    if (csn_inflight_next(&channel->live) != NULL) {
        return CSN_ERR_STATE; /* it would overtake what is reserved */
    }
    if (!csn_inflight_has_room(&channel->live, size)) {
        return starve(enclave, channel);
    }
    CSN_TRY(write_message(enclave, channel, tag, message, size));
    /* Before it is published: no output can come for what is not in the table. */
    csn_inflight_add(&channel->live, tag, message, size, crashes);
    if (csn_ring_batch_is_full(&channel->writer)) {
        csn_channel_publish(enclave, channel);
    }
    return CSN_OK;
}

bool csn_channel_may_submit(const struct csn_host_channel *channel, uint32_t size)
{
    uint32_t lost = csn_inflight_count(&channel->lost);
    return lost == 0 ||
           (lost + csn_inflight_held(&channel->live) < channel->live.count_max &&
            csn_inflight_span(&channel->lost) + csn_inflight_span(&channel->live) + size <=
                channel->live.size_max);
}

/* Nothing new goes out while an input of before a crash has the enclave to itself. */
static bool is_recovering(const struct csn_enclave *enclave)
{
    return __atomic_load_n(&enclave->recovering, __ATOMIC_ACQUIRE) != 0;
}

csn_err csn_enclave_submit(struct csn_enclave *enclave, uint32_t channel, uint64_t tag,
                           const void *message, uint32_t size)
{
    struct csn_host_channel *found = csn_channel_at(enclave, channel);
    if (found == NULL || (message == NULL && size != 0)) {
        return CSN_ERR_ARGUMENT;
    }
    if (enclave->instance == NULL) {
        return CSN_ERR_CRASHED;
    }
    if (is_recovering(enclave) || !csn_channel_may_submit(found, size)) {
        return CSN_AGAIN;
    }
    return csn_channel_put(enclave, found, tag, message, size, 0);
}

csn_err csn_enclave_reserve(struct csn_enclave *enclave, uint32_t channel, uint32_t size,
                            void **place)
{
    struct csn_host_channel *found = csn_channel_at(enclave, channel);
    if (found == NULL || place == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    if (enclave->instance == NULL) {
        return CSN_ERR_CRASHED;
    }
    if (size > enclave->manifest.input_size_max) {
        return CSN_ERR_SPACE;
    }
    if (is_recovering(enclave) || !csn_channel_may_submit(found, size)) {
        return CSN_AGAIN;
    }
    if (!csn_inflight_has_room(&found->live, size)) {
        return starve(enclave, found);
    }
    *place = csn_inflight_reserve(&found->live, size);
    return CSN_OK;
}

csn_err csn_enclave_commit(struct csn_enclave *enclave, uint32_t channel, uint64_t tag,
                           uint32_t size)
{
    struct csn_host_channel *found = csn_channel_at(enclave, channel);
    if (found == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    if (enclave->instance == NULL) {
        return CSN_ERR_CRASHED;
    }
    const struct csn_inflight_entry *entry = csn_inflight_next(&found->live);
    if (entry == NULL) {
        return CSN_ERR_STATE;
    }
    if (size > entry->size) {
        return CSN_ERR_ARGUMENT;
    }
    if (is_recovering(enclave)) {
        return CSN_AGAIN;
    }
    CSN_TRY(write_message(enclave, found, tag, csn_inflight_bytes(&found->live, entry), size));
    csn_inflight_commit(&found->live, tag, size, 0);
    if (csn_ring_batch_is_full(&found->writer)) {
        csn_channel_publish(enclave, found);
    }
    return CSN_OK;
}

csn_err csn_enclave_abandon(struct csn_enclave *enclave, uint32_t channel)
{
    struct csn_host_channel *found = csn_channel_at(enclave, channel);
    if (found == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    csn_inflight_abandon(&found->live);
    return CSN_OK;
}

csn_err csn_enclave_flush(struct csn_enclave *enclave, uint32_t channel)
{
    struct csn_host_channel *found = csn_channel_at(enclave, channel);
    if (found == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    if (enclave->instance == NULL) {
        return CSN_ERR_CRASHED;
    }
    csn_channel_publish(enclave, found);
    return csn_host_is_running(enclave) ? found->writer.fate : CSN_ERR_CRASHED;
}

/* ---- receiving ---- */

static void wake_for_credit(struct csn_enclave *enclave, struct csn_host_channel *channel,
                            uint64_t given_before)
{
    if (channel->reader.credit_given != given_before) {
        wake_worker(enclave, channel, &channel->output_wakes);
    }
}

/* Not the oldest input's: of one whose answer comes later, or of none. */
static csn_err account_later(struct csn_host_channel *channel,
                             const struct csn_ring_message *message)
{
    for (uint32_t i = 0; i < channel->later_count; i++) {
        if (channel->later[i] == message->tag) {
            channel->later_count -= message->final;
            channel->later[i] = channel->later[message->final ? channel->later_count : i];
            return CSN_OK;
        }
    }
    return CSN_ERR_PEER;
}

static bool says_later(const void *body, const struct csn_ring_message *message)
{
    struct csn_wire_answer answer;
    uint32_t begin;
    return !message->final && csn_wire_answer_read(body, message->size, &answer, &begin) &&
           answer.code == CSN_WIRE_HELD;
}

/* The enclave must answer the oldest input first, and nothing that was not asked. */
static csn_err account(const struct csn_enclave *enclave, struct csn_host_channel *channel,
                       const void *body, const struct csn_ring_message *message, bool *later)
{
    const struct csn_inflight_entry *oldest = csn_inflight_oldest(&channel->live);
    *later = false;
    if (oldest == NULL || oldest->tag != message->tag) {
        return account_later(channel, message);
    }
    if (says_later(body, message)) {
        if (channel->later_count == enclave->manifest.held_max) {
            return CSN_ERR_PEER;
        }
        channel->later[channel->later_count++] = message->tag;
        *later = true;
    }
    if (message->final || *later) {
        csn_inflight_remove(&channel->live);
    }
    return CSN_OK;
}

csn_err csn_enclave_receive(struct csn_enclave *enclave, uint32_t channel, void *target,
                            struct csn_output *output)
{
    struct csn_host_channel *found = csn_channel_at(enclave, channel);
    if (found == NULL || target == NULL || output == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    if (enclave->instance == NULL) {
        return CSN_ERR_CRASHED;
    }
    struct csn_ring_message message;
    uint64_t given = found->reader.credit_given;
    void *place = found->bounce == NULL ? target : found->bounce;
    csn_err result = csn_ring_read(&found->reader, place, &message);
    if (result == CSN_AGAIN && !csn_host_is_running(enclave)) {
        /* It may have published between the look and its end: nothing comes after this look. */
        result = csn_ring_read(&found->reader, place, &message);
        result = result == CSN_AGAIN ? CSN_ERR_CRASHED : result;
    }
    if (result == CSN_AGAIN) {
        (void)csn_ring_give_credit(&found->reader);
        found->output_empty = true;
    }
    wake_for_credit(enclave, found, given);
    CSN_TRY(result);
    found->output_batches += found->output_empty;
    found->output_empty = false;
    bool later;
    if (account(enclave, found, place, &message, &later) != CSN_OK) {
        found->reader.fate = CSN_ERR_PEER;
        found->reader.counters.poisoned++;
        return CSN_ERR_PEER;
    }
    if (place != target) {
        memcpy(target, place, message.size);
    }
    *output = (struct csn_output){
        .tag = message.tag, .final = message.final, .later = later, .size = message.size};
    return CSN_OK;
}

/* ---- waiting ---- */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* An output, a broken ring (receive says so), or room for a submitter who found none. */
static bool something_to_do(struct csn_host_channel *channel)
{
    if (channel->reader.fate != CSN_OK || csn_ring_has_message(&channel->reader)) {
        return true;
    }
    uint64_t starved = __atomic_load_n(&channel->starved, __ATOMIC_RELAXED);
    if (starved == 0 || csn_shared_load(channel->input_credit, 0) + 1 == starved) {
        return false;
    }
    __atomic_store_n(&channel->starved, 0, __ATOMIC_RELAXED);
    return true;
}

/*
 * Whoever spins keeps a core from those that it waits for, where there are fewer cores than
 * threads: so no longer than a sleep and a wake would take.
 */
static bool spin(struct csn_host_channel *channel, uint64_t start, uint64_t timeout_ns)
{
    uint64_t limit = timeout_ns < HOST_SPIN_NS ? timeout_ns : HOST_SPIN_NS;
    do {
        for (uint32_t i = 0; i < HOST_SPIN_LOOKS; i++) {
            if (something_to_do(channel)) {
                return true;
            }
            __builtin_ia32_pause();
        }
    } while (now_ns() - start < limit);
    return false;
}

/*
 * An enclave with that much before it will publish soon, batch after batch. If we slept on the
 * event, it would have to leave its work to wake us after each of them; a nap costs it nothing.
 */
static bool is_deep(const struct csn_host_channel *channel)
{
    return csn_inflight_count(&channel->live) >= HOST_NAP_COUNT;
}

static bool nap(struct csn_host_channel *channel, uint64_t start, uint64_t timeout_ns)
{
    for (uint32_t i = 0; i < HOST_NAPS_MAX; i++) {
        uint64_t elapsed = now_ns() - start;
        if (elapsed >= timeout_ns || !is_deep(channel)) {
            return false;
        }
        uint64_t left = timeout_ns - elapsed;
        const struct timespec pause = {.tv_nsec = (long)(left < HOST_NAP_NS ? left : HOST_NAP_NS)};
        (void)nanosleep(&pause, NULL);
        if (something_to_do(channel)) {
            return true;
        }
    }
    return false;
}

static void give_credit(struct csn_enclave *enclave, struct csn_host_channel *channel)
{
    uint64_t given = channel->reader.credit_given;
    (void)csn_ring_give_credit(&channel->reader);
    wake_for_credit(enclave, channel, given);
}

static void sleep_on(struct csn_shared *event, uint32_t seen, uint64_t timeout_ns)
{
    const struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_S),
                                     .tv_nsec = (long)(timeout_ns % NS_PER_S)};
    syscall(SYS_futex, event, FUTEX_WAIT, seen, &timeout, NULL, 0);
}

csn_err csn_enclave_wait(struct csn_enclave *enclave, uint32_t channel, uint64_t timeout_ns)
{
    struct csn_host_channel *found = csn_channel_at(enclave, channel);
    if (found == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    if (enclave->instance == NULL) {
        return CSN_ERR_CRASHED;
    }
    uint64_t start = now_ns();
    if (timeout_ns != 0) {
        if (!is_deep(found) && spin(found, start, timeout_ns)) {
            return CSN_OK;
        }
        give_credit(enclave, found);
        if (nap(found, start, timeout_ns)) {
            return CSN_OK;
        }
    }
    for (;;) {
        give_credit(enclave, found);
        uint32_t seen = csn_event_arm(found->host_event);
        bool ready = something_to_do(found);
        bool running = ready || csn_host_is_running(enclave);
        uint64_t elapsed = now_ns() - start;
        if (!ready && running && elapsed < timeout_ns) {
            uint64_t left = timeout_ns - elapsed;
            bool starved = __atomic_load_n(&found->starved, __ATOMIC_RELAXED) != 0;
            (*(starved ? &found->input_parks : &found->output_parks))++;
            sleep_on(found->host_event, seen, left < HOST_SLICE_NS ? left : HOST_SLICE_NS);
        }
        csn_event_disarm(found->host_event);
        if (ready) {
            return CSN_OK;
        }
        if (!running) {
            return something_to_do(found) ? CSN_OK : CSN_ERR_CRASHED;
        }
        if (elapsed >= timeout_ns) {
            return CSN_AGAIN;
        }
    }
}

/* ---- counters ---- */

csn_err csn_enclave_channel_counts(const struct csn_enclave *enclave, uint32_t channel,
                                   struct csn_channel_counts *counts)
{
    const struct csn_host_channel *found = csn_channel_at(enclave, channel);
    if (found == NULL || counts == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    *counts = (struct csn_channel_counts){
        .in = {.messages = found->writer.counters.messages,
               .batches = found->writer.counters.batches,
               .parks = found->input_parks,
               .wakes = found->input_wakes,
               .poisoned = found->writer.counters.poisoned},
        .out = {.messages = found->reader.counters.messages,
                .batches = found->output_batches,
                .parks = found->output_parks,
                .wakes = found->output_wakes,
                .poisoned = found->reader.counters.poisoned},
    };
    return CSN_OK;
}
