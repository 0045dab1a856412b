/* SPDX-License-Identifier: Apache-2.0 */
/* test_host.c: libcaisson against an enclave that is slow, full, killed, poisoned or lying. */
#define _GNU_SOURCE
#include "host/enclave.h"
#include "mock.h"
#include <caisson/wire/message.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define INPUT_MAX  600u /* of messages */
#define ROOM_MAX   650u /* of what the manifest allows */
#define OUTPUT_MAX 704u
#define GUARD      0xa5u
#define WAIT_NS    UINT64_C(5000000000)
#define TAG_MAX    20000u

#define STUCK_NS         UINT64_C(200000000)
#define STUCK_SLEEPS_MAX 100u /* 8 naps, 10 slices; a host that only naps: above 1,000 */

static const struct csn_wire_manifest manifest = {
    .worker_count = 2,
    .channel_count = 2,
    .input_line_count = 64,
    .output_line_count = 128,
    .input_size_max = ROOM_MAX,
    .output_size_max = OUTPUT_MAX,
    .outputs_per_input_max = 2,
    .held_max = 2,
};

static uint32_t seed = 1;

static uint32_t random_u32(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* The message of a tag is a function of it, so that any receiver can check it. */
static uint32_t message_of(uint64_t tag, uint8_t *bytes)
{
    uint32_t size = (uint32_t)(tag * 2654435761u >> 7) % INPUT_MAX;
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(tag * 7 + i);
    }
    return size;
}

static struct csn_enclave *start_with(const struct csn_wire_manifest *shape, uint32_t inflight)
{
    const struct csn_enclave_options options = {
        .image = "mock", .image_size = 4, .inflight_count_max = inflight};
    struct csn_enclave *enclave = NULL;
    struct csn_detail detail = {""};
    mock_script = (struct mock_script){.outputs = 1};
    assert_int_equal(csn_host_build(&mock_backend, &options, shape, &enclave, &detail), CSN_OK);
    return enclave;
}

static struct csn_enclave *start(uint32_t inflight)
{
    return start_with(&manifest, inflight);
}

/* An in ring that takes hundreds of inputs. */
static struct csn_enclave *start_deep(void)
{
    struct csn_wire_manifest deep = manifest;
    deep.input_line_count = 4096;
    return start_with(&deep, 0);
}

/* Every other message is made in its place, with more reserved than it takes. */
static csn_err submit(struct csn_enclave *enclave, uint32_t channel, uint64_t tag)
{
    uint8_t bytes[INPUT_MAX];
    uint32_t size = message_of(tag, bytes);
    void *place = NULL;
    if (tag % 2 == 0) {
        return csn_enclave_submit(enclave, channel, tag, bytes, size);
    }
    csn_err result = csn_enclave_reserve(enclave, channel, size + (uint32_t)tag % 50, &place);
    if (result == CSN_OK) {
        memcpy(place, bytes, size);
        result = csn_enclave_commit(enclave, channel, tag, size);
        if (result != CSN_OK) {
            assert_int_equal(csn_enclave_abandon(enclave, channel), CSN_OK);
        }
    }
    return result;
}

/* The next output, waiting for it; checks its bytes, and that no more than they were written. */
static csn_err receive(struct csn_enclave *enclave, uint32_t channel, struct csn_output *output)
{
    uint8_t target[OUTPUT_MAX];
    uint8_t expected[INPUT_MAX];
    memset(target, GUARD, sizeof target);
    csn_err result = csn_enclave_receive(enclave, channel, target, output);
    while (result == CSN_AGAIN) {
        result = csn_enclave_wait(enclave, channel, WAIT_NS);
        if (result != CSN_OK) {
            return result;
        }
        result = csn_enclave_receive(enclave, channel, target, output);
    }
    if (result == CSN_OK && output->size != 4) {
        assert_int_equal(output->size, message_of(output->tag, expected));
        assert_memory_equal(target, expected, output->size);
    }
    for (uint32_t i = (output->size + 7) / 8 * 8; result == CSN_OK && i < sizeof target; i++) {
        assert_int_equal(target[i], GUARD);
    }
    return result;
}

static void submit_all(struct csn_enclave *enclave, uint32_t channel, uint64_t first, uint64_t end,
                       uint64_t *answered)
{
    for (uint64_t tag = first; tag < end;) {
        csn_err result = submit(enclave, channel, tag);
        if (result == CSN_OK) {
            tag++;
            continue;
        }
        assert_int_equal(result, CSN_AGAIN);
        struct csn_output output;
        assert_int_equal(receive(enclave, channel, &output), CSN_OK);
        assert_int_equal(output.tag, *answered);
        *answered += output.final;
    }
    assert_int_equal(csn_enclave_flush(enclave, channel), CSN_OK);
}

static void drain(struct csn_enclave *enclave, uint32_t channel, uint64_t end, uint64_t *answered)
{
    while (*answered < end) {
        struct csn_output output;
        assert_int_equal(receive(enclave, channel, &output), CSN_OK);
        assert_int_equal(output.tag, *answered);
        *answered += output.final;
    }
}

static void all_are_answered_in_order(void **state)
{
    (void)state;
    for (uint32_t outputs = 1; outputs <= 2; outputs++) {
        struct csn_enclave *enclave = start(0);
        mock_script.outputs = outputs;
        uint64_t answered[4] = {0};
        for (uint32_t round = 0; round < 20; round++) {
            for (uint32_t c = 0; c < 4; c++) {
                submit_all(enclave, c, round * 200, round * 200 + 200, &answered[c]);
            }
        }
        for (uint32_t c = 0; c < 4; c++) {
            drain(enclave, c, 4000, &answered[c]);
        }
        struct csn_wire_boot_stats stats;
        for (uint32_t w = 0; w < 2; w++) {
            assert_int_equal(csn_enclave_stats(enclave, w, &stats), CSN_OK);
            assert_int_equal(stats.inputs, 8000);
            assert_int_equal(stats.parks_with_credit, 0);
            assert_int_equal(stats.poisoned, 0);
        }
        csn_enclave_destroy(enclave);
    }
}

static void ping_comes_back(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    const uint32_t ping[3] = {CSN_WIRE_PING, 7, 8};
    uint32_t target[OUTPUT_MAX / 4];
    struct csn_output output;
    assert_int_equal(csn_enclave_submit(enclave, 3, 42, ping, sizeof ping), CSN_OK);
    assert_int_equal(csn_enclave_flush(enclave, 3), CSN_OK);
    csn_err result;
    while ((result = csn_enclave_receive(enclave, 3, target, &output)) == CSN_AGAIN) {
        assert_int_equal(csn_enclave_wait(enclave, 3, WAIT_NS), CSN_OK);
    }
    assert_int_equal(result, CSN_OK);
    assert_int_equal(output.size, 8 + sizeof ping);
    assert_int_equal(target[0], CSN_WIRE_PONG);
    assert_int_equal(target[1], sizeof ping);
    assert_memory_equal(target + 2, ping, sizeof ping);
    assert_true(output.final);
    csn_enclave_destroy(enclave);
}

/* A worker that does not take inputs: the submitter alone sees it, and nothing is lost. */
static void a_full_ring_loses_nothing(void **state)
{
    (void)state;
    for (uint32_t inflight = 4; inflight <= 4096; inflight *= 32) {
        struct csn_enclave *enclave = start(inflight);
        mock_script.hold = 1;
        uint64_t taken = 0;
        uint32_t refused = 0;
        while (refused < 1000) {
            csn_err result = submit(enclave, 0, taken);
            refused += result == CSN_AGAIN;
            taken += result == CSN_OK;
            assert_true(result == CSN_OK || result == CSN_AGAIN);
        }
        assert_true(taken <= inflight && taken > 0);
        __atomic_store_n(&mock_script.hold, 0, __ATOMIC_RELEASE);
        uint64_t answered = 0;
        drain(enclave, 0, taken, &answered);
        submit_all(enclave, 0, taken, taken + 500, &answered);
        drain(enclave, 0, taken + 500, &answered);
        csn_enclave_destroy(enclave);
    }
}

/* Outputs of channel 0 are not read: it stops alone; its neighbour on the same worker goes on. */
static void a_consumer_that_stops_hurts_itself_alone(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(4096);
    uint64_t taken = 0;
    for (uint32_t idle = 0; idle < 200;) {
        csn_err result = submit(enclave, 0, taken);
        assert_true(result == CSN_OK || result == CSN_AGAIN);
        taken += result == CSN_OK;
        idle = result == CSN_OK ? 0 : idle + 1;
        assert_int_equal(csn_enclave_wait(enclave, 1, 100000), CSN_AGAIN);
    }
    uint64_t neighbour = 0;
    submit_all(enclave, 1, 0, 1000, &neighbour);
    drain(enclave, 1, 1000, &neighbour);

    uint64_t answered = 0;
    drain(enclave, 0, taken, &answered);
    csn_enclave_destroy(enclave);
}

/* ---- places ---- */

/* Fills the next places in with the messages of these tags, as far as there is room. */
static uint64_t reserve_some(struct csn_enclave *enclave, uint64_t tag, uint64_t end)
{
    void *place;
    for (; tag < end; tag++) {
        csn_err result = csn_enclave_reserve(enclave, 0, INPUT_MAX, &place);
        if (result != CSN_OK) {
            assert_int_equal(result, CSN_AGAIN);
            break;
        }
        memset(place, 0xee, INPUT_MAX);
        (void)message_of(tag, place);
    }
    return tag;
}

static csn_err commit(struct csn_enclave *enclave, uint64_t tag)
{
    uint8_t bytes[INPUT_MAX];
    return csn_enclave_commit(enclave, 0, tag, message_of(tag, bytes));
}

/* As many as there is room for at a time, in tables that hold few and many, and are gone round. */
static void places_are_filled_before_they_are_handed_over(void **state)
{
    (void)state;
    for (uint32_t inflight = 1; inflight <= 1024; inflight *= 4) {
        struct csn_enclave *enclave = start(inflight);
        uint64_t committed = 0;
        uint64_t answered = 0;
        while (committed < 5000) {
            uint64_t end = reserve_some(enclave, committed, committed + 1 + random_u32() % 60);
            csn_err result = CSN_OK;
            while (committed < end) {
                result = commit(enclave, committed);
                assert_true(result == CSN_OK || result == CSN_AGAIN);
                committed += result == CSN_OK;
                if (result == CSN_AGAIN) { /* what is reserved stays so */
                    drain(enclave, 0, answered + 1, &answered);
                }
            }
            assert_int_equal(csn_enclave_flush(enclave, 0), CSN_OK);
            assert_int_equal(commit(enclave, committed), CSN_ERR_STATE);
            if (csn_inflight_count(&enclave->channels[0].live) > random_u32() % 20) {
                drain(enclave, 0, answered + 1 + random_u32() % (committed - answered), &answered);
            }
        }
        drain(enclave, 0, committed, &answered);
        csn_enclave_destroy(enclave);
    }
}

static void places_are_held_to_their_rules(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(4);
    void *place = NULL;
    uint64_t answered = 0;
    assert_int_equal(csn_enclave_reserve(enclave, 4, 8, &place), CSN_ERR_ARGUMENT);
    assert_int_equal(csn_enclave_reserve(enclave, 0, 8, NULL), CSN_ERR_ARGUMENT);
    assert_int_equal(csn_enclave_reserve(enclave, 0, ROOM_MAX + 1, &place), CSN_ERR_SPACE);
    assert_int_equal(csn_enclave_commit(enclave, 4, 0, 0), CSN_ERR_ARGUMENT);
    assert_int_equal(csn_enclave_abandon(enclave, 4), CSN_ERR_ARGUMENT);
    assert_int_equal(csn_enclave_commit(enclave, 0, 0, 0), CSN_ERR_STATE);
    assert_null(place);

    assert_int_equal(reserve_some(enclave, 0, 9), 4); /* the table holds four */
    assert_int_equal(csn_enclave_commit(enclave, 0, 0, INPUT_MAX + 1), CSN_ERR_ARGUMENT);
    assert_int_equal(csn_enclave_commit(enclave, 0, 0, UINT32_MAX), CSN_ERR_ARGUMENT);
    assert_int_equal(submit(enclave, 0, 0), CSN_ERR_STATE); /* it would overtake */
    assert_int_equal(commit(enclave, 0), CSN_OK);           /* nothing was changed */
    assert_int_equal(commit(enclave, 1), CSN_OK);
    assert_int_equal(csn_enclave_abandon(enclave, 0), CSN_OK);
    assert_int_equal(commit(enclave, 2), CSN_ERR_STATE);
    submit_all(enclave, 0, 2, 4, &answered);
    assert_int_equal(submit(enclave, 1, 0), CSN_OK); /* channels do not share places */
    drain(enclave, 0, 4, &answered);
    for (uint32_t i = 0; i < 10000; i++) { /* nor do abandoned ones take room */
        assert_int_equal(reserve_some(enclave, 4, 6), 6);
        assert_int_equal(csn_enclave_abandon(enclave, 0), CSN_OK);
    }
    submit_all(enclave, 0, 4, 100, &answered);
    drain(enclave, 0, 100, &answered);
    csn_enclave_destroy(enclave);
}

/* ---- waiting ---- */

static uint64_t sleeps(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_THREAD, &usage), 0);
    return (uint64_t)usage.ru_nvcsw;
}

/* Much is in flight and nothing comes: naps first, but then a real sleep. */
static void a_stuck_enclave_costs_no_core(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start_deep();
    __atomic_store_n(&mock_script.hold, 1, __ATOMIC_RELEASE);
    uint64_t answered = 0;
    submit_all(enclave, 0, 0, 200, &answered);
    uint64_t before = sleeps();
    assert_int_equal(csn_enclave_wait(enclave, 0, STUCK_NS), CSN_AGAIN);
    assert_true(sleeps() - before < STUCK_SLEEPS_MAX);
    __atomic_store_n(&mock_script.hold, 0, __ATOMIC_RELEASE);
    drain(enclave, 0, 200, &answered);
    csn_enclave_destroy(enclave);
}

struct sleeper {
    struct csn_enclave *enclave;
    bool armed; /* the host's event was, while it waited */
};

/* Lets the enclave go on once the host has armed its event, or after two seconds. */
static void *let_go(void *state)
{
    struct sleeper *sleeper = state;
    const struct csn_shared *event = sleeper->enclave->channels[0].host_event;
    for (uint32_t i = 0; i < 2000 && !sleeper->armed; i++) {
        usleep(1000);
        sleeper->armed = csn_shared_load(event, CSN_WIRE_EVENT_ARMED) != 0;
    }
    __atomic_store_n(&mock_script.hold, 0, __ATOMIC_RELEASE);
    return NULL;
}

/* After its naps the host sleeps where a publication wakes it. */
static void a_host_that_sleeps_can_be_woken(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start_deep();
    uint64_t answered = 0;
    for (uint64_t end = 200; end <= 2000; end += 200) {
        pthread_t thread;
        struct sleeper sleeper = {.enclave = enclave};
        __atomic_store_n(&mock_script.hold, 1, __ATOMIC_RELEASE);
        submit_all(enclave, 0, end - 200, end, &answered);
        assert_int_equal(pthread_create(&thread, NULL, let_go, &sleeper), 0);
        csn_err result = csn_enclave_wait(enclave, 0, WAIT_NS);
        pthread_join(thread, NULL);
        assert_int_equal(result, CSN_OK);
        assert_true(sleeper.armed);
        drain(enclave, 0, end, &answered);
    }
    csn_enclave_destroy(enclave);
}

/* ---- counters ---- */

static struct csn_channel_counts counts_of(const struct csn_enclave *enclave, uint32_t channel)
{
    struct csn_channel_counts counts;
    assert_int_equal(csn_enclave_channel_counts(enclave, channel, &counts), CSN_OK);
    return counts;
}

/* One input after the other, each when the worker sleeps; answers that keep the host waiting. */
static void each_ring_is_counted(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    const struct csn_shared *event = enclave->channels[0].worker_event;
    struct csn_output output;
    for (uint64_t tag = 0; tag < 20; tag++) {
        pthread_t thread;
        struct sleeper sleeper = {.enclave = enclave};
        while (csn_shared_load(event, CSN_WIRE_EVENT_ARMED) == 0) {
            usleep(100);
        }
        __atomic_store_n(&mock_script.hold, 1, __ATOMIC_RELEASE);
        assert_int_equal(submit(enclave, 0, tag), CSN_OK);
        assert_int_equal(csn_enclave_flush(enclave, 0), CSN_OK);
        assert_int_equal(pthread_create(&thread, NULL, let_go, &sleeper), 0);
        assert_int_equal(receive(enclave, 0, &output), CSN_OK);
        pthread_join(thread, NULL);
    }
    struct csn_channel_counts counts = counts_of(enclave, 0);
    assert_int_equal(counts.in.messages, 20);
    assert_int_equal(counts.in.batches, 20);
    assert_in_range(counts.in.wakes, 10, 20); /* the mock sleeps in slices: a few find it awake */
    assert_int_equal(counts.in.parks + counts.in.poisoned + counts.out.poisoned, 0);
    assert_int_equal(counts.out.messages, 20);
    assert_int_equal(counts.out.batches, 20);
    assert_true(counts.out.parks >= 20);
    const struct csn_channel_counts other = counts_of(enclave, 1);
    assert_memory_equal(&other, &(struct csn_channel_counts){0}, sizeof other);
    assert_int_equal(csn_enclave_channel_counts(enclave, 4, &counts), CSN_ERR_ARGUMENT);
    csn_enclave_destroy(enclave);
}

/* A submitter that finds no room and sleeps for it; a batch of answers; the credit that wakes. */
static void a_full_ring_is_counted(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    uint64_t end = 0;
    uint64_t answered = 0;
    __atomic_store_n(&mock_script.hold, 1, __ATOMIC_RELEASE);
    do {
        while (submit(enclave, 0, end) == CSN_OK) {
            end++;
        }
    } while (csn_enclave_wait(enclave, 0, 1000000) == CSN_OK); /* room that the worker gave */
    assert_true(counts_of(enclave, 0).in.parks > 0);
    __atomic_store_n(&mock_script.hold, 0, __ATOMIC_RELEASE);
    drain(enclave, 0, end, &answered);
    const struct csn_channel_counts counts = counts_of(enclave, 0);
    assert_int_equal(counts.in.messages, end);
    assert_int_equal(counts.out.messages, end);
    assert_true(counts.out.batches > 0 && counts.out.batches < end);
    csn_enclave_destroy(enclave);
}

/* ---- crashes ---- */

struct listing {
    uint64_t tags[TAG_MAX];
    uint32_t count;
};

static void list(void *state, uint64_t tag, const void *message, uint32_t size)
{
    struct listing *listing = state;
    uint8_t expected[INPUT_MAX];
    if (size != 4) {
        assert_int_equal(size, message_of(tag, expected));
        assert_memory_equal(message, expected, size);
    }
    assert_true(listing->count < TAG_MAX);
    listing->tags[listing->count++] = tag;
}

/* Reads what was published until the crash is reported. */
static void drain_to_crash(struct csn_enclave *enclave, uint32_t channel, uint64_t *answered)
{
    struct csn_output output;
    csn_err result;
    while ((result = receive(enclave, channel, &output)) == CSN_OK) {
        assert_int_equal(output.tag, *answered);
        *answered += output.final;
    }
    assert_int_equal(result, CSN_ERR_CRASHED);
}

static void recover(struct csn_enclave *enclave, uint32_t channel, uint64_t *answered)
{
    csn_err result;
    while ((result = csn_enclave_resubmit(enclave, channel)) == CSN_AGAIN) {
        struct csn_output output;
        assert_int_equal(receive(enclave, channel, &output), CSN_OK);
        assert_int_equal(output.tag, *answered);
        *answered += output.final;
    }
    assert_int_equal(result, CSN_OK);
}

static void a_crash_hands_back_exactly_the_unfinished(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    static struct listing listing;
    uint64_t answered = 0;
    uint64_t next = 0;
    mock_script.outputs = 2;
    for (uint32_t round = 0; round < 60; round++) {
        __atomic_store_n(&mock_script.kill_after, 1 + random_u32() % 200, __ATOMIC_RELEASE);
        csn_err result = CSN_OK;
        while (result != CSN_ERR_CRASHED) {
            result = submit(enclave, 2, next);
            next += result == CSN_OK;
            struct csn_output output;
            if (result == CSN_AGAIN && receive(enclave, 2, &output) == CSN_OK) {
                assert_int_equal(output.tag, answered);
                answered += output.final;
            }
        }
        drain_to_crash(enclave, 2, &answered);
        listing.count = 0;
        assert_int_equal(csn_enclave_unfinished(enclave, 2, list, &listing), CSN_OK);
        assert_int_equal(listing.count, next - answered);
        for (uint32_t i = 0; i < listing.count; i++) {
            assert_int_equal(listing.tags[i], answered + i);
        }
        assert_int_equal(csn_enclave_restart(enclave, NULL), CSN_OK);
        recover(enclave, 2, &answered);
        assert_int_equal(answered, next);
    }
    assert_int_equal(mock_script.crash_count, 60);
    csn_enclave_destroy(enclave);
}

/* What was reserved when it ended is gone, what was committed is fed back byte for byte. */
static void a_crash_ends_what_is_reserved(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    static struct listing listing;
    uint64_t answered = 0;
    void *place;
    submit_all(enclave, 0, 0, 10, &answered);
    drain(enclave, 0, 10, &answered);
    __atomic_store_n(&mock_script.kill_after, 1, __ATOMIC_RELEASE);
    assert_int_equal(reserve_some(enclave, 10, 20), 20);
    for (uint64_t tag = 10; tag < 15; tag++) {
        assert_int_equal(commit(enclave, tag), CSN_OK);
    }
    csn_err flushed = csn_enclave_flush(enclave, 0);
    assert_true(flushed == CSN_OK || flushed == CSN_ERR_CRASHED);
    drain_to_crash(enclave, 0, &answered);
    listing.count = 0;
    assert_int_equal(csn_enclave_unfinished(enclave, 0, list, &listing), CSN_OK);
    assert_int_equal(listing.count, 15 - answered);
    assert_int_equal(csn_enclave_restart(enclave, NULL), CSN_OK);
    assert_int_equal(commit(enclave, 15), CSN_ERR_STATE);
    if (answered < 15) {
        assert_int_equal(csn_enclave_resubmit(enclave, 0), CSN_AGAIN);
        assert_int_equal(csn_enclave_reserve(enclave, 0, 8, &place), CSN_AGAIN);
        assert_int_equal(csn_enclave_reserve(enclave, 1, 8, &place), CSN_AGAIN);
    }
    recover(enclave, 0, &answered);
    assert_int_equal(answered, 15);
    assert_int_equal(reserve_some(enclave, 15, 16), 16);
    assert_int_equal(commit(enclave, 15), CSN_OK);
    assert_int_equal(csn_enclave_flush(enclave, 0), CSN_OK);
    drain(enclave, 0, 16, &answered);
    csn_enclave_destroy(enclave);
}

/* Places reserved on one channel wait while another one's inputs are fed back. */
static void a_recovery_is_not_disturbed_by_places(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    uint64_t answered = 0;
    uint64_t other = 0;
    __atomic_store_n(&mock_script.kill_after, 1, __ATOMIC_RELEASE);
    for (uint64_t tag = 0; tag < 6; tag++) {
        assert_int_equal(submit(enclave, 2, tag), CSN_OK);
    }
    csn_err flushed = csn_enclave_flush(enclave, 2);
    assert_true(flushed == CSN_OK || flushed == CSN_ERR_CRASHED);
    drain_to_crash(enclave, 2, &answered);
    assert_int_equal(csn_enclave_restart(enclave, NULL), CSN_OK);
    assert_int_equal(reserve_some(enclave, 0, 1), 1);
    assert_int_equal(csn_enclave_resubmit(enclave, 2), CSN_AGAIN);
    assert_int_equal(commit(enclave, 0), CSN_AGAIN);
    recover(enclave, 2, &answered);
    assert_int_equal(answered, 6);
    assert_int_equal(commit(enclave, 0), CSN_OK);
    assert_int_equal(csn_enclave_flush(enclave, 0), CSN_OK);
    drain(enclave, 0, 1, &other);
    csn_enclave_destroy(enclave);
}

static void an_undrained_or_running_enclave_is_not_restarted(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    uint64_t answered = 0;
    assert_int_equal(csn_enclave_restart(enclave, NULL), CSN_ERR_STATE);
    assert_int_equal(submit(enclave, 0, 0), CSN_OK);
    assert_int_equal(csn_enclave_flush(enclave, 0), CSN_OK);
    assert_int_equal(csn_enclave_wait(enclave, 0, WAIT_NS), CSN_OK);
    assert_int_equal(csn_enclave_stop(enclave), CSN_OK);
    assert_int_equal(csn_enclave_restart(enclave, NULL), CSN_ERR_STATE);
    drain(enclave, 0, 1, &answered);
    assert_int_equal(csn_enclave_restart(enclave, NULL), CSN_OK);
    submit_all(enclave, 0, 1, 100, &answered);
    drain(enclave, 0, 100, &answered);
    csn_enclave_destroy(enclave);
}

static void a_poison_pill_is_quarantined_once(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    static struct listing listing;
    const uint32_t pill = MOCK_PILL;
    uint8_t served[8] = {0};
    for (uint64_t tag = 0; tag < 8; tag++) {
        csn_err result = tag == 3 ? csn_enclave_submit(enclave, 0, tag, &pill, sizeof pill)
                                  : submit(enclave, 0, tag);
        assert_int_equal(result, CSN_OK);
    }
    csn_err flushed = csn_enclave_flush(enclave, 0); /* it may have died already */
    assert_true(flushed == CSN_OK || flushed == CSN_ERR_CRASHED);
    struct csn_output output;
    uint32_t restarts = 0;
    csn_err step = CSN_AGAIN;
    while (step != CSN_OK) {
        csn_err result = receive(enclave, 0, &output);
        if (result == CSN_OK) {
            served[output.tag] += output.final;
        } else {
            assert_int_equal(result, CSN_ERR_CRASHED);
            assert_int_equal(csn_enclave_restart(enclave, NULL), CSN_OK);
            restarts++;
            assert_true(restarts < 10);
        }
        step = csn_enclave_resubmit(enclave, 0);
    }
    assert_int_equal(restarts, 3); /* once among others, twice alone */
    for (uint64_t tag = 0; tag < 8; tag++) {
        assert_int_equal(served[tag], tag == 3 ? 0 : 1);
    }
    listing.count = 0;
    assert_int_equal(csn_enclave_quarantined(enclave, 0, list, &listing), CSN_OK);
    assert_int_equal(listing.count, 1);
    assert_int_equal(listing.tags[0], 3);
    assert_int_equal(csn_enclave_quarantined(enclave, 0, list, &listing), CSN_OK);
    assert_int_equal(listing.count, 1); /* reported once */
    uint64_t answered = 100;
    submit_all(enclave, 0, 100, 300, &answered);
    drain(enclave, 0, 300, &answered);
    csn_enclave_destroy(enclave);
}

static void an_enclave_that_lies_is_cut_off(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    mock_script.lie_tag = 1;
    struct csn_output output;
    uint64_t answered = 0;
    assert_int_equal(submit(enclave, 0, 5), CSN_OK);
    assert_int_equal(csn_enclave_flush(enclave, 0), CSN_OK);
    assert_int_equal(receive(enclave, 0, &output), CSN_ERR_PEER);
    assert_int_equal(receive(enclave, 0, &output), CSN_ERR_PEER);
    assert_int_equal(counts_of(enclave, 0).out.poisoned, 1);
    __atomic_store_n(&mock_script.lie_tag, 0, __ATOMIC_RELEASE);
    submit_all(enclave, 1, 0, 10, &answered);
    drain(enclave, 1, 10, &answered);
    csn_enclave_destroy(enclave);
}

static void count_one(void *state, uint64_t tag, const void *message, uint32_t size)
{
    (void)tag, (void)message, (void)size;
    ++*(uint32_t *)state;
}

/* Sends one word, and waits for the next output whatever it is. */
static csn_err say(struct csn_enclave *enclave, uint64_t tag, uint32_t word,
                   struct csn_output *output)
{
    uint8_t target[OUTPUT_MAX];
    csn_err result = CSN_OK;
    if (word != 0) {
        assert_int_equal(csn_enclave_submit(enclave, 0, tag, &word, sizeof word), CSN_OK);
        assert_int_equal(csn_enclave_flush(enclave, 0), CSN_OK);
    }
    do {
        result = csn_enclave_receive(enclave, 0, target, output);
    } while (result == CSN_AGAIN && csn_enclave_wait(enclave, 0, WAIT_NS) == CSN_OK);
    return result;
}

static void expect_output(const struct csn_output *output, uint64_t tag, bool final, bool later)
{
    assert_int_equal(output->tag, tag);
    assert_int_equal(output->final, final);
    assert_int_equal(output->later, later);
}

/* Others are answered meanwhile; what was promised comes under its own tag, once. */
static void an_answer_may_come_later(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    struct csn_output output;
    for (uint64_t tag = 3; tag < 5; tag++) {
        assert_int_equal(say(enclave, tag, MOCK_LATER, &output), CSN_OK);
        expect_output(&output, tag, false, true);
    }
    for (uint64_t tag = 5; tag < 300; tag++) { /* more than the table of those in order holds */
        assert_int_equal(submit(enclave, 0, tag), CSN_OK);
        assert_int_equal(csn_enclave_flush(enclave, 0), CSN_OK);
        assert_int_equal(receive(enclave, 0, &output), CSN_OK);
        expect_output(&output, tag, true, false);
    }
    assert_int_equal(say(enclave, 300, MOCK_TELL, &output), CSN_OK);
    expect_output(&output, 4, false, false);
    assert_int_equal(say(enclave, 0, 0, &output), CSN_OK);
    expect_output(&output, 4, true, false);
    assert_int_equal(say(enclave, 0, 0, &output), CSN_OK);
    expect_output(&output, 300, true, false);
    for (uint64_t tag = 301; tag < 331; tag += 2) { /* its place is free again */
        assert_int_equal(say(enclave, tag, MOCK_LATER, &output), CSN_OK);
        assert_int_equal(say(enclave, tag + 1, MOCK_TELL, &output), CSN_OK);
        assert_int_equal(say(enclave, 0, 0, &output), CSN_OK);
        expect_output(&output, tag, true, false);
        assert_int_equal(say(enclave, 0, 0, &output), CSN_OK);
    }
    assert_int_equal(say(enclave, 331, MOCK_TELL, &output), CSN_ERR_PEER); /* once more: a lie */
    csn_enclave_destroy(enclave);
}

static void more_than_the_manifest_come_later(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    struct csn_output output;
    assert_int_equal(say(enclave, 0, MOCK_LATER, &output), CSN_OK);
    assert_int_equal(say(enclave, 1, MOCK_LATER, &output), CSN_OK);
    assert_int_equal(say(enclave, 2, MOCK_LATER, &output), CSN_ERR_PEER);
    csn_enclave_destroy(enclave);
}

/* What was not answered when the enclave died, and was to be later, is not fed back. */
static void what_comes_later_is_not_kept(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    struct csn_output output;
    const uint32_t pill = MOCK_PILL;
    uint32_t count = 0;
    assert_int_equal(say(enclave, 1, MOCK_LATER, &output), CSN_OK);
    assert_int_equal(csn_enclave_submit(enclave, 0, 2, &pill, sizeof pill), CSN_OK);
    csn_err flushed = csn_enclave_flush(enclave, 0); /* it may have died already */
    assert_true(flushed == CSN_OK || flushed == CSN_ERR_CRASHED);
    assert_int_equal(receive(enclave, 0, &output), CSN_ERR_CRASHED);
    assert_int_equal(csn_enclave_unfinished(enclave, 0, count_one, &count), CSN_OK);
    assert_int_equal(count, 1);
    assert_int_equal(csn_enclave_restart(enclave, NULL), CSN_OK);
    for (uint64_t tag = 10; tag < 12; tag++) { /* the places are free again */
        assert_int_equal(say(enclave, tag, MOCK_LATER, &output), CSN_OK);
        expect_output(&output, tag, false, true);
    }
    csn_enclave_destroy(enclave);
}

static void bad_arguments_are_told(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start(0);
    uint8_t bytes[ROOM_MAX + 1] = {0};
    struct csn_output output;
    struct csn_wire_boot_stats stats;
    assert_int_equal(csn_enclave_submit(enclave, 4, 1, bytes, 1), CSN_ERR_ARGUMENT);
    assert_int_equal(csn_enclave_submit(enclave, 0, 1, bytes, sizeof bytes), CSN_ERR_SPACE);
    assert_int_equal(csn_enclave_submit(enclave, 0, 1, NULL, 1), CSN_ERR_ARGUMENT);
    assert_int_equal(csn_enclave_receive(enclave, 0, bytes, &output), CSN_AGAIN);
    assert_int_equal(csn_enclave_receive(enclave, 9, bytes, &output), CSN_ERR_ARGUMENT);
    assert_int_equal(csn_enclave_stats(enclave, 2, &stats), CSN_ERR_ARGUMENT);
    assert_int_equal(csn_enclave_wait(enclave, 0, 1000), CSN_AGAIN);
    assert_int_equal(csn_enclave_resubmit(enclave, 0), CSN_OK);
    csn_enclave_destroy(enclave);
    csn_enclave_destroy(NULL);
}

/* With an argument: only the tests whose names match it. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_answered_in_order),
        cmocka_unit_test(ping_comes_back),
        cmocka_unit_test(a_full_ring_loses_nothing),
        cmocka_unit_test(a_consumer_that_stops_hurts_itself_alone),
        cmocka_unit_test(places_are_held_to_their_rules),
        cmocka_unit_test(places_are_filled_before_they_are_handed_over),
        cmocka_unit_test(a_stuck_enclave_costs_no_core),
        cmocka_unit_test(a_host_that_sleeps_can_be_woken),
        cmocka_unit_test(each_ring_is_counted),
        cmocka_unit_test(a_full_ring_is_counted),
        cmocka_unit_test(a_crash_hands_back_exactly_the_unfinished),
        cmocka_unit_test(a_crash_ends_what_is_reserved),
        cmocka_unit_test(a_recovery_is_not_disturbed_by_places),
        cmocka_unit_test(an_undrained_or_running_enclave_is_not_restarted),
        cmocka_unit_test(a_poison_pill_is_quarantined_once),
        cmocka_unit_test(an_enclave_that_lies_is_cut_off),
        cmocka_unit_test(an_answer_may_come_later),
        cmocka_unit_test(more_than_the_manifest_come_later),
        cmocka_unit_test(what_comes_later_is_not_kept),
        cmocka_unit_test(bad_arguments_are_told),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
