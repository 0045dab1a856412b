/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_model.c: every interleaving, with store buffers, of small cases of the real ring and event
 * code; and: each shared byte is read once. The same program is built over seeded bugs
 * (mutants in meson.build), where it must fail.
 */
#include "core/event.h"
#include "core/ring.h"
#include "model.h"
#include <caisson/wire/channel.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LINES     4u
#define SIZE_MAX_ 104u /* two lines */
#define RUNS_MAX  UINT64_C(1000000)

static _Alignas(64) uint64_t memory[(LINES + 2) * 8]; /* credit, event, ring */
static struct csn_ring_writer writer;
static struct csn_ring_reader reader;
static bool broken;
static uint64_t start_line;
static uint64_t expected; /* next tag */
static uint64_t total;
static uint32_t tries;

static struct csn_shared *shared_at(uint32_t line)
{
    return (struct csn_shared *)(void *)(memory + (size_t)line * 8);
}

static void reset(void)
{
    memset(memory, 0, sizeof memory);
    broken = csn_ring_writer_init(&writer, shared_at(2), shared_at(0), LINES, SIZE_MAX_) != CSN_OK;
    broken |= csn_ring_reader_init(&reader, shared_at(2), shared_at(0), LINES, SIZE_MAX_) != CSN_OK;
    writer.cursor = writer.published = writer.credit_seen = start_line;
    reader.cursor = reader.credit_given = start_line;
    memory[0] = start_line;
    /* What an earlier lap left behind: bodies that look like heads of this very position. */
    for (uint64_t line = start_line + 1; line < start_line + LINES; line++) {
        memory[16 + line % LINES * 8] = line << 32 | CSN_WIRE_HEAD_VALID | 8;
    }
    expected = 1;
}

static void put(uint64_t tag, uint32_t words)
{
    uint64_t body[SIZE_MAX_ / 8];
    for (uint32_t i = 0; i < words; i++) {
        body[i] = tag * 1000 + i;
    }
    const struct csn_ring_piece pieces[2] = {{body, words * 8}, {NULL, 0}};
    broken |= csn_ring_write(&writer, tag, false, pieces) != CSN_OK;
}

static void get_one(void)
{
    struct csn_ring_message message;
    uint64_t body[SIZE_MAX_ / 8 + 1];
    csn_err result = csn_ring_read(&reader, body, &message);
    if (result == CSN_AGAIN) {
        return;
    }
    broken |= result != CSN_OK || message.tag != expected;
    for (uint32_t i = 0; result == CSN_OK && i < message.size / 8; i++) {
        broken |= body[i] != expected * 1000 + i;
    }
    expected++;
}

static void write_batch(void)
{
    for (uint64_t tag = 1; tag <= total; tag++) {
        put(tag, 1);
    }
    (void)csn_ring_publish(&writer);
}

/* The same as a pack, whose first line is stored last. */
static void write_pack(void)
{
    uint64_t bodies[3 * 7];
    uint32_t count = (uint32_t)total;
    for (uint32_t i = 0; i < total * 7; i++) {
        bodies[i] = (i / 7 + 1) * 1000 + i % 7;
    }
    const struct csn_ring_piece messages = {bodies, 7 * 8};
    broken |= csn_ring_write_many(&writer, 1, false, &messages, &count) != CSN_OK;
    broken |= count != total;
    (void)csn_ring_publish(&writer);
}

/* Two at a time. */
static void read_many(void)
{
    struct csn_ring_message message;
    uint64_t bodies[2 * SIZE_MAX_ / 8];
    for (uint32_t i = 0; i < tries; i++) {
        uint32_t count = 2;
        csn_err result = csn_ring_read_many(&reader, bodies, &message, &count);
        broken |= result != CSN_OK && result != CSN_AGAIN;
        broken |= result == CSN_OK && (message.tag != expected || message.size != 7 * 8);
        for (uint32_t word = 0; word < count * 7; word++) {
            broken |= bodies[word] != (expected + word / 7) * 1000 + word % 7;
        }
        expected += count;
    }
}

static void read_some(void)
{
    for (uint32_t i = 0; i < tries; i++) {
        get_one();
    }
}

static bool all_came(void)
{
    uint32_t left = LINES;
    while (expected <= total && left-- != 0) {
        get_one();
    }
    /* and nothing behind them, whatever an earlier lap left there */
    return !broken && expected == total + 1 && !csn_ring_has_message(&reader) &&
           csn_ring_reader_check(&reader) && csn_ring_writer_check(&writer);
}

static void explore(const struct model_case *model_case, const char *name)
{
    struct model_result result = model_explore(model_case, RUNS_MAX);
    printf("# %s: %llu interleavings%s, %llu wrong\n", name, (unsigned long long)result.runs,
           result.complete ? ", all there are" : "", (unsigned long long)result.bad);
    assert_int_equal(result.bad, 0);
    assert_true(result.complete);
}

static void batches_arrive_whole(void **state)
{
    (void)state;
    const struct model_case model_case = {reset, {write_batch, read_some}, all_came};
    for (start_line = 0; start_line < LINES; start_line++) {
        for (total = 1; total <= (start_line == 0 ? 3u : 2u); total++) {
            tries = total == 2 ? 2 : 3;
            explore(&model_case, "batch");
        }
    }
}

static void packs_arrive_whole(void **state)
{
    (void)state;
    const struct model_case model_cases[2] = {{reset, {write_pack, read_some}, all_came},
                                              {reset, {write_pack, read_many}, all_came}};
    for (start_line = 0; start_line < LINES; start_line++) {
        for (total = 2; total <= (start_line == 0 ? 3u : 2u); total++) {
            tries = 2;
            explore(&model_cases[0], "pack");
            explore(&model_cases[1], "pack, many");
        }
    }
}

/* ---- credit ---- */

/* Three of four lines are taken: a message of two lines, and one of one line. */
static void reset_full(void)
{
    reset();
    put(1, 7);
    put(2, 1);
    (void)csn_ring_publish(&writer);
    total = 2;
}

/* More, if there is credit: the last one lies where the first message begins. */
static uint32_t more;
static void write_on(void)
{
    for (uint32_t i = 0; i < more; i++) {
        uint64_t body = (total + 1) * 1000;
        const struct csn_ring_piece pieces[2] = {{&body, sizeof body}, {NULL, 0}};
        csn_err result = csn_ring_write(&writer, total + 1, false, pieces);
        broken |= result != CSN_OK && result != CSN_AGAIN;
        total += result == CSN_OK;
    }
    (void)csn_ring_publish(&writer);
}

static void a_line_is_reused_only_after_it_was_read(void **state)
{
    (void)state;
    const struct model_case model_case = {reset_full, {write_on, get_one}, all_came};
    more = 2;
    for (start_line = 0; start_line < LINES; start_line += 2) { /* no pad at the end */
        explore(&model_case, "credit");
    }
}

/* A pack of two lines and a message; the reader gives a line back in the midst of the pack. */
static void reset_pack(void)
{
    reset();
    total = 2;
    write_pack();
    put(3, 1);
    (void)csn_ring_publish(&writer);
    total = 3;
}

static void a_line_of_a_pack_as_well(void **state)
{
    (void)state;
    const struct model_case model_cases[2] = {{reset_pack, {write_on, get_one}, all_came},
                                              {reset_pack, {write_on, read_many}, all_came}};
    for (start_line = 0; start_line < LINES; start_line += 2) {
        tries = 1;
        more = start_line == 0 ? 1 : 2;
        explore(&model_cases[0], "credit, pack");
        explore(&model_cases[1], "credit, pack, many");
    }
}

/* ---- events ---- */

static void waiter(void)
{
    if (!csn_ring_has_message(&reader)) {
        uint32_t seen = csn_event_arm(shared_at(1));
        if (!csn_ring_has_message(&reader)) {
            model_park(shared_at(1), seen);
        }
        csn_event_disarm(shared_at(1));
    }
}

static void publisher(void)
{
    put(1, 1);
    if (csn_ring_publish(&writer) && csn_event_signal(shared_at(1))) {
        model_wake();
    }
}

static bool nobody_sleeps(void)
{
    return !model_sleeps(1) && all_came();
}

static void no_wake_is_lost(void **state)
{
    (void)state;
    const struct model_case model_case = {reset, {publisher, waiter}, nobody_sleeps};
    for (start_line = 0; start_line < LINES; start_line++) {
        total = 1;
        explore(&model_case, "event");
    }
}

/* ---- each byte once ---- */

static void each_word_is_read_once(void **state)
{
    (void)state;
    static uint32_t loads[LINES * 8];
    for (uint32_t words = 0; words <= SIZE_MAX_ / 8; words++) {
        for (start_line = 0; start_line < LINES; start_line++) {
            reset();
            put(1, words);
            (void)csn_ring_publish(&writer);
            model_count_loads(memory + 16, LINES * 8, loads);
            get_one();
            model_count_loads(NULL, 0, NULL);
            assert_false(broken);
            uint32_t sum = 0;
            for (uint32_t i = 0; i < LINES * 8; i++) {
                assert_true(loads[i] <= 1);
                sum += loads[i];
            }
            uint32_t pad = start_line + csn_wire_lines(words * 8) > LINES ? 1 : 0;
            assert_int_equal(sum, words + 2 + pad);
        }
    }
}

/* Of a pack the head too: once for all of its messages. */
static void each_word_of_a_pack_is_read_once(void **state)
{
    (void)state;
    static uint32_t loads[LINES * 8];
    for (uint32_t many = 0; many < 2; many++) {
        for (start_line = 0; start_line < LINES - 1; start_line++) {
            reset();
            total = 2;
            write_pack();
            model_count_loads(memory + 16, LINES * 8, loads);
            tries = 2;
            (many == 1 ? read_many : read_some)();
            model_count_loads(NULL, 0, NULL);
            assert_false(broken);
            assert_int_equal(expected, 3);
            uint32_t sum = 0;
            for (uint32_t i = 0; i < LINES * 8; i++) {
                /* the second look of read_many() is at the next head */
                assert_true(loads[i] <= 1);
                sum += loads[i];
            }
            assert_int_equal(sum, 2 * 7 + 2 + many);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_is_read_once),
        cmocka_unit_test(each_word_of_a_pack_is_read_once),
        cmocka_unit_test(batches_arrive_whole),
        cmocka_unit_test(packs_arrive_whole),
        cmocka_unit_test(a_line_is_reused_only_after_it_was_read),
        cmocka_unit_test(a_line_of_a_pack_as_well),
        cmocka_unit_test(no_wake_is_lost),
    };
    return cmocka_run_group_tests_name("ring model", tests, NULL, NULL);
}
