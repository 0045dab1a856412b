/* SPDX-License-Identifier: Apache-2.0 */
/* test_loop.c: the run loop step by step, in one thread, against a host that is right or wrong. */
#include "core/event.h"
#include "enclave/loop.h"
#include "no_gate.h"
#include <caisson/wire/message.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE_LARGEST 504u

static const struct csn_wire_manifest manifest = {
    .worker_count = 1,
    .channel_count = 3,
    .input_line_count = 256,
    .output_line_count = 512,
    .input_size_max = SIZE_LARGEST,
    .output_size_max = SIZE_LARGEST + 8,
    .outputs_per_input_max = 1,
};

static struct cse_worker worker;
static struct csn_wire_boot_stats stats;
static struct csn_ring_writer host_writers[3];
static struct csn_ring_reader host_readers[3];
static struct csn_shared *areas[3];
static uint32_t batch_largest;

void cse_session_batch(struct cse_session *session, const struct cse_input *inputs, uint32_t count,
                       cse_sink sink, void *state)
{
    (void)session;
    batch_largest = count > batch_largest ? count : batch_largest;
    for (uint32_t i = 0; i < count; i++) {
        const struct csn_ring_piece pieces[2] = {{inputs[i].bytes, inputs[i].size}, {NULL, 0}};
        sink(state, inputs[i].channel, inputs[i].tag, true, pieces);
    }
}

static int make(void **state)
{
    uint64_t size = csn_wire_rings_size(&manifest);
    uint8_t *rings = aligned_alloc(4096, size);
    memset(rings, 0, size);
    memset(&stats, 0, sizeof stats);
    worker = (struct cse_worker){
        .manifest = &manifest, .stats = &stats, .event = (struct csn_shared *)(void *)rings};
    csn_pool_init(&worker.pool, malloc(1 << 20), 1 << 20);
    int failed = cse_loop_init(&worker) != CSN_OK;
    for (uint32_t c = 0; c < 3; c++) {
        areas[c] = csn_shared_at(worker.event, csn_wire_channel_offset(&manifest, 0, c));
        struct csn_shared *in = csn_shared_at(areas[c], 64 * CSN_WIRE_CHANNEL_LINES);
        failed |= csn_ring_writer_init(&host_writers[c], in,
                                       csn_shared_at(areas[c], CSN_WIRE_CHANNEL_INPUT_CREDIT), 256,
                                       SIZE_LARGEST) != CSN_OK;
        failed |= csn_ring_reader_init(&host_readers[c], csn_shared_at(in, 64 * 256),
                                       csn_shared_at(areas[c], CSN_WIRE_CHANNEL_OUTPUT_CREDIT), 512,
                                       SIZE_LARGEST + 8) != CSN_OK;
    }
    no_gate_parks = 0;
    batch_largest = 0;
    *state = rings;
    return failed;
}

static int unmake(void **state)
{
    free(*state);
    free(worker.pool.base);
    return 0;
}

static csn_err send(uint32_t channel, uint64_t tag, uint32_t size, bool final)
{
    static const uint8_t bytes[SIZE_LARGEST] = {1, 2, 3};
    const struct csn_ring_piece pieces[2] = {{bytes, size}, {NULL, 0}};
    csn_err result = csn_ring_write(&host_writers[channel], tag, final, pieces);
    (void)csn_ring_publish(&host_writers[channel]);
    return result;
}

static uint32_t receive_all(uint32_t channel)
{
    uint64_t target[SIZE_LARGEST / 8 + 2];
    struct csn_ring_message message;
    uint32_t count = 0;
    while (csn_ring_read(&host_readers[channel], target, &message) == CSN_OK) {
        count++;
    }
    (void)csn_ring_give_credit(&host_readers[channel]);
    return count;
}

/* Until it parks, or would: how many rounds that took. */
static uint32_t idle(void)
{
    uint32_t rounds = 0;
    do {
        cse_loop_idle(&worker);
        rounds++;
    } while (worker.loop->idle != 0);
    return rounds;
}

static uint32_t rounds_of(uint32_t lines)
{
    uint32_t round = CSE_LOOP_ROUND_COST + manifest.channel_count;
    return (lines + round - 1) / round + 1; /* the last one parks */
}

/* Each park in vain halves the next wait; each 16th wait, and the one after work, is whole. */
static void it_looks_as_long_as_it_pays(void **state)
{
    (void)state;
    static const uint32_t lines[] = {CSE_LOOP_SPIN_MAX, CSE_LOOP_SPIN_MAX / 2,
                                     CSE_LOOP_SPIN_MAX / 4, CSE_LOOP_SPIN_MIN, CSE_LOOP_SPIN_MIN};
    for (uint32_t i = 0; i < CSE_LOOP_PROBE; i++) {
        assert_int_equal(idle(), rounds_of(lines[i < 4 ? i : 4]));
        assert_int_equal(no_gate_parks, i + 1);
    }
    assert_int_equal(idle(), rounds_of(CSE_LOOP_SPIN_MAX));
    assert_int_equal(idle(), rounds_of(CSE_LOOP_SPIN_MAX / 2));
    assert_int_equal(send(1, 7, 100, false), CSN_OK); /* found at once, after a park */
    assert_true(cse_loop_step(&worker));
    assert_int_equal(idle(), rounds_of(CSE_LOOP_SPIN_MAX / 4));
    cse_loop_idle(&worker);
    assert_int_equal(send(1, 8, 100, false), CSN_OK); /* found by looking */
    assert_true(cse_loop_step(&worker));
    assert_int_equal(idle(), rounds_of(CSE_LOOP_SPIN_MAX));
}

static void it_parks_only_without_work(void **state)
{
    (void)state;
    assert_false(cse_loop_step(&worker));
    idle();
    assert_int_equal(no_gate_parks, 1);
    assert_int_equal(send(1, 7, 100, false), CSN_OK);
    idle(); /* the message is there: the second look finds it, which is no reason to look less */
    assert_int_equal(no_gate_parks, 1);
    assert_int_equal(worker.loop->idle_max, CSE_LOOP_SPIN_MAX / 2);
    assert_int_equal(stats.parks_with_credit, 0);
    assert_true(cse_loop_step(&worker));
    assert_int_equal(receive_all(1), 1);
}

/* More than a batch, and a host that sleeps: the first wake leaves work behind, the second none. */
static void wakes_with_work_are_told_apart(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < CSN_WIRE_BATCH_COUNT_MAX + 8; i++) {
        assert_int_equal(send(0, i, 8, false), CSN_OK);
    }
    for (uint32_t wakes = 1; wakes <= 2; wakes++) {
        (void)csn_event_arm(worker.channels[0].host_event);
        assert_true(cse_loop_step(&worker));
        assert_int_equal(stats.wakes, wakes);
        assert_int_equal(stats.wakes_with_work, 1);
    }
    assert_int_equal(receive_all(0), CSN_WIRE_BATCH_COUNT_MAX + 8);
}

static void idle_gives_all_credit_back(void **state)
{
    (void)state;
    assert_int_equal(send(0, 1, 100, false), CSN_OK);
    assert_true(cse_loop_step(&worker));
    assert_int_equal(csn_shared_load(areas[0], CSN_WIRE_CHANNEL_INPUT_CREDIT), 0);
    cse_loop_idle(&worker);
    assert_int_equal(csn_shared_load(areas[0], CSN_WIRE_CHANNEL_INPUT_CREDIT), 2);
}

static void without_output_credit_input_stays_unread(void **state)
{
    (void)state;
    uint64_t sent = 0;
    for (uint32_t round = 0; round < 150; round++) {
        sent += send(0, sent, SIZE_LARGEST, false) == CSN_OK;
        (void)cse_loop_step(&worker);
    }
    uint64_t taken = stats.inputs;
    assert_true(taken < sent);
    assert_false(cse_loop_step(&worker));
    idle();
    assert_int_equal(no_gate_parks, 1);
    assert_int_equal(send(2, 0, 8, false), CSN_OK); /* its neighbour is served */
    assert_true(cse_loop_step(&worker));
    assert_int_equal(receive_all(2), 1);
    uint64_t answered = receive_all(0);
    assert_int_equal(answered, taken);
    while (cse_loop_step(&worker)) {
        answered += receive_all(0);
    }
    assert_int_equal(answered, sent);
}

/* Room for some outputs, but not for those of a whole batch. */
static void a_batch_is_as_large_as_its_credit(void **state)
{
    (void)state;
    uint64_t sent = 0;
    for (uint32_t i = 0; i < 40; i++) {
        assert_int_equal(send(0, sent++, SIZE_LARGEST, false), CSN_OK);
        assert_true(cse_loop_step(&worker));
    }
    for (uint32_t i = 0; i < 25; i++) {
        sent += send(0, sent, SIZE_LARGEST, false) == CSN_OK;
    }
    assert_in_range(sent, 40 + 20, 40 + 25);
    assert_true(cse_loop_step(&worker));
    assert_in_range(stats.inputs, 40 + 10, 40 + 17);
    uint64_t answered = receive_all(0);
    assert_int_equal(answered, stats.inputs);
    assert_true(cse_loop_step(&worker));
    assert_int_equal(answered + receive_all(0), sent);
}

static void a_broken_channel_is_dropped_alone(void **state)
{
    (void)state;
    struct csn_shared *in = csn_shared_at(areas[0], 64 * CSN_WIRE_CHANNEL_LINES);
    csn_shared_store(in, 0, 0x12345);
    assert_int_equal(send(1, 1, 8, true), CSN_OK); /* a final input: no such thing */
    assert_int_equal(send(2, 1, 8, false), CSN_OK);
    assert_true(cse_loop_step(&worker));
    assert_int_equal(stats.poisoned, 2);
    assert_int_equal(receive_all(2), 1);
    csn_shared_store(in, 0, 0);
    assert_int_equal(send(0, 1, 8, false), CSN_OK); /* too late: it stays dropped */
    assert_int_equal(send(1, 2, 8, false), CSN_OK);
    assert_false(cse_loop_step(&worker));
    idle();
    assert_int_equal(no_gate_parks, 1);
    assert_int_equal(stats.poisoned, 2);
}

static void a_lying_credit_drops_the_channel(void **state)
{
    (void)state;
    csn_shared_store(areas[0], CSN_WIRE_CHANNEL_OUTPUT_CREDIT, UINT64_MAX / 2);
    for (uint64_t tag = 0; tag < 150; tag++) {
        (void)send(0, tag, SIZE_LARGEST, false);
        (void)cse_loop_step(&worker);
    }
    assert_int_equal(stats.poisoned, 1);
    assert_int_equal(send(1, 0, 8, false), CSN_OK);
    assert_true(cse_loop_step(&worker));
    assert_int_equal(receive_all(1), 1);
}

static void batches_are_bounded_and_channels_take_turns(void **state)
{
    (void)state;
    for (uint64_t tag = 0; tag < 100; tag++) {
        assert_int_equal(send(0, tag, 8, false), CSN_OK);
    }
    assert_int_equal(send(1, 0, 8, false), CSN_OK);
    assert_true(cse_loop_step(&worker));
    assert_true(cse_loop_step(&worker));
    assert_int_equal(receive_all(1), 1); /* at the latest in the second batch */
    assert_true(batch_largest <= CSN_WIRE_BATCH_COUNT_MAX);
}

/* ---- what is tended beside batches ---- */

static struct {
    bool holding;  /* calls are held */
    bool waited;   /* for room that is there now */
    uint32_t more; /* steps that leave something to do */
    uint32_t emit; /* messages of the next step, on channel 0 */
    uint32_t steps;
    uint32_t sent;
    uint64_t lost; /* bit per channel */
} tended;

static bool is_holding(const struct cse_session *session)
{
    (void)session;
    return tended.holding;
}

static bool step(struct cse_session *session, const struct cse_outlet *outlet)
{
    static const uint8_t bytes[SIZE_LARGEST];
    const struct csn_ring_piece pieces[2] = {{bytes, SIZE_LARGEST}, {NULL, 0}};
    (void)session;
    for (uint32_t i = 0; i < tended.emit && outlet->room(outlet->state, 0, SIZE_LARGEST); i++) {
        outlet->sink(outlet->state, 0, 1, false, pieces);
        tended.sent++;
    }
    tended.steps++;
    bool more = tended.more != 0;
    tended.more -= more;
    return more;
}

static bool has_waited(struct cse_session *session, const struct cse_outlet *outlet)
{
    (void)session;
    return tended.waited && outlet->room(outlet->state, 0, SIZE_LARGEST);
}

static void lost(struct cse_session *session, uint32_t channel)
{
    (void)session;
    assert_false((tended.lost >> channel & 1) != 0);
    tended.lost |= UINT64_C(1) << channel;
}

static const struct cse_tending tending = {
    .is_holding = is_holding, .step = step, .has_waited = has_waited, .lost = lost};

static int make_tended(void **state)
{
    int failed = make(state);
    memset(&tended, 0, sizeof tended);
    worker.tending = &tending;
    return failed;
}

static void steps_follow_batches_and_what_is_held(void **state)
{
    (void)state;
    assert_false(cse_loop_tend(&worker, false));
    assert_int_equal(tended.steps, 0);
    tended.more = 2;
    assert_true(cse_loop_tend(&worker, true));
    assert_true(cse_loop_tend(&worker, false)); /* it said that there is more */
    assert_false(cse_loop_tend(&worker, false));
    assert_int_equal(tended.steps, 3);
    assert_false(cse_loop_tend(&worker, false));
    assert_int_equal(tended.steps, 3);
    tended.holding = true;
    assert_false(cse_loop_tend(&worker, false));
    assert_int_equal(tended.steps, 4);
    worker.tending = NULL;
    assert_false(cse_loop_tend(&worker, true));
    assert_int_equal(tended.steps, 4);
}

/* A worker that only steps gives back what it consumed, as one that waits does. */
static void steps_give_all_credit_back(void **state)
{
    (void)state;
    assert_int_equal(send(0, 1, 100, false), CSN_OK);
    assert_true(cse_loop_step(&worker));
    tended.more = 2;
    assert_true(cse_loop_tend(&worker, true));
    assert_int_equal(csn_shared_load(areas[0], CSN_WIRE_CHANNEL_INPUT_CREDIT), 0);
    assert_true(cse_loop_tend(&worker, false));
    assert_int_equal(csn_shared_load(areas[0], CSN_WIRE_CHANNEL_INPUT_CREDIT), 2);
}

/* What a step sends is published with it, up to the ring's room; room that comes ends the sleep. */
static void steps_send_what_has_room(void **state)
{
    (void)state;
    tended.emit = 3;
    tended.holding = true;
    (void)cse_loop_tend(&worker, false);
    assert_int_equal(receive_all(0), 3);
    tended.emit = 1000;
    (void)cse_loop_tend(&worker, false);
    assert_in_range(tended.sent, 20, 3 + 512 / 9);
    const uint32_t full = tended.sent;
    tended.waited = true;
    idle();
    assert_int_equal(no_gate_parks, 1); /* no room: there is nothing to do but sleep */
    assert_int_equal(receive_all(0), full - 3);
    idle();
    assert_int_equal(no_gate_parks, 1);
    assert_int_equal(stats.parks_with_credit, 0);
    (void)cse_loop_tend(&worker, false);
    assert_true(tended.sent > full);
}

static void what_is_held_hears_of_a_broken_channel(void **state)
{
    (void)state;
    assert_int_equal(send(1, 1, 8, true), CSN_OK); /* a final input: no such thing */
    (void)cse_loop_step(&worker);
    assert_int_equal(tended.lost, 2);
    csn_shared_store(areas[0], CSN_WIRE_CHANNEL_OUTPUT_CREDIT, UINT64_MAX / 2);
    tended.emit = 1000;
    (void)cse_loop_tend(&worker, true);
    assert_int_equal(tended.lost, 3); /* of what a step found, behind that step */
    const uint32_t sent = tended.sent;
    (void)cse_loop_tend(&worker, true);
    assert_int_equal(tended.sent, sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_parks_only_without_work, make, unmake),
        cmocka_unit_test_setup_teardown(it_looks_as_long_as_it_pays, make, unmake),
        cmocka_unit_test_setup_teardown(wakes_with_work_are_told_apart, make, unmake),
        cmocka_unit_test_setup_teardown(idle_gives_all_credit_back, make, unmake),
        cmocka_unit_test_setup_teardown(without_output_credit_input_stays_unread, make, unmake),
        cmocka_unit_test_setup_teardown(a_batch_is_as_large_as_its_credit, make, unmake),
        cmocka_unit_test_setup_teardown(a_broken_channel_is_dropped_alone, make, unmake),
        cmocka_unit_test_setup_teardown(a_lying_credit_drops_the_channel, make, unmake),
        cmocka_unit_test_setup_teardown(batches_are_bounded_and_channels_take_turns, make, unmake),
        cmocka_unit_test_setup_teardown(steps_follow_batches_and_what_is_held, make_tended, unmake),
        cmocka_unit_test_setup_teardown(steps_give_all_credit_back, make_tended, unmake),
        cmocka_unit_test_setup_teardown(steps_send_what_has_room, make_tended, unmake),
        cmocka_unit_test_setup_teardown(what_is_held_hears_of_a_broken_channel, make_tended,
                                        unmake),
    };
    return cmocka_run_group_tests_name("run loop", tests, NULL, NULL);
}
