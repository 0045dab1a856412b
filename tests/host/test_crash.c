/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_crash.c: an enclave that ends in the middle of a stream of sealed records, by a fault of its
 * own or from outside, on a named backend: the cause is told, exactly the unfinished records are
 * handed back, served one at a time after restart and re-grant, and the one that kills is set
 * aside.
 *
 * Usage: test_crash BACKEND build/tests/images/faulty.elf
 */
#include "../images/faulty.h"
#include "flow.h"
#include "named.h"
#include "outside.h"
#include <caisson/wire/map.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define BEFORE 40u /* records before the one that kills, and after it */
#define TOTAL  (2 * BEFORE + 1)
#define HELD   60u
#define ROUNDS 4u

/* ---- the causes ---- */

struct cause {
    const char *name;
    uint16_t operation;
    enum csn_fate_kind kind;
    uint32_t code;    /* process: the signal; or the stop code on both */
    uint32_t vector;  /* kvm */
    uint64_t address; /* kvm, of page faults */
};

static const struct cause causes[] = {
    {"division by zero", FAULTY_DIVIDE, CSN_FATE_FAULT, SIGFPE, 0, 0},
    {"null pointer", FAULTY_NULL, CSN_FATE_FAULT, SIGSEGV, 14, 8},
    {"guard page", FAULTY_GUARD, CSN_FATE_FAULT, SIGSEGV, 14,
     CSN_MAP_STACKS + CSN_MAP_PAGE_SIZE - 1},
    {"write to code", FAULTY_TEXT, CSN_FATE_FAULT, SIGSEGV, 14, CSN_MAP_IMAGE},
    {"invalid instruction", FAULTY_INVALID, CSN_FATE_FAULT, SIGILL, 6, 0},
    {"panic", FAULTY_PANIC, CSN_FATE_PANIC, FAULTY_PANIC_CODE, 0, 0},
};

static void check_cause(const struct cause *cause)
{
    struct csn_fate fate;
    assert_int_equal(csn_enclave_fate(site.enclave, &fate), CSN_OK);
    printf("# %s: %s\n", cause->name, fate.detail.text);
    assert_int_equal(fate.kind, cause->kind);
    if (cause->kind == CSN_FATE_PANIC || strcmp(named_options.backend, "process") == 0) {
        assert_int_equal(fate.code, cause->code);
        return;
    }
    assert_int_equal(fate.vector, cause->vector);
    assert_int_equal(fate.address, cause->address);
    assert_in_range(fate.instruction, CSN_MAP_IMAGE, CSN_MAP_IMAGE_END - 1);
    assert_non_null(strstr(fate.detail.text, "CPL 3"));
}

/* ---- quarantine ---- */

static uint64_t set_aside;

static void read_quarantined(void *state, uint64_t tag, const void *message, uint32_t size)
{
    const uint64_t *expected = state;
    struct csn_wire_record header;
    assert_true(size > sizeof header);
    memcpy(&header, message, sizeof header);
    assert_int_equal(tag, *expected);
    assert_int_equal(header.sequence, tag);
    set_aside++;
}

/* One record is set aside, and is told once. */
static void check_quarantine(uint64_t tag)
{
    set_aside = 0;
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(csn_enclave_quarantined(site.enclave, 0, read_quarantined, &tag), CSN_OK);
        assert_int_equal(set_aside, 1);
    }
}

/* A record that kills, amid others: two crashes alone, then all others are served, each once. */
static void kill_by_record(const struct cause *cause)
{
    assert_int_equal(flow_feed(&flow, BEFORE), CSN_OK);
    party.operation = cause->operation;
    assert_true(flow_feed(&flow, BEFORE + 1) != CSN_AGAIN); /* it may have ended by then */
    party.operation = FAULTY_ECHO;
    (void)flow_feed(&flow, TOTAL);
    flow_drain(&flow);
    check_cause(cause);
    assert_true(flow.answered <= BEFORE);
    assert_int_equal(flow_check_unfinished(&flow), TOTAL - flow.answered);
    for (uint32_t alone = 0; alone < 2; alone++) {
        flow_recover(&flow, 1);
        assert_int_equal(flow_resubmit(&flow), CSN_ERR_CRASHED);
        check_cause(cause);
        assert_int_equal(flow.answered, BEFORE);
        assert_int_equal(flow_check_unfinished(&flow), TOTAL - BEFORE);
    }
    flow_recover(&flow, 1);
    check_quarantine(BEFORE);
    flow.answered++; /* the one set aside has no answer */
    assert_int_equal(flow_resubmit(&flow), CSN_OK);
    assert_int_equal(flow.answered, TOTAL);
    flow_finish(&flow, 1);
}

static void a_record_that_kills_is_set_aside(void **state)
{
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        (void)flow_start(state);
        kill_by_record(&causes[i]);
        (void)flow_stop(state);
    }
}

/* ---- from outside ---- */

/* After an end from outside: the cause, the unfinished, and all of them served; how many. */
static uint64_t serve_the_rest(void)
{
    flow_drain(&flow);
    outside_check_fate(site.enclave);
    uint64_t unfinished = flow_check_unfinished(&flow);
    flow_recover(&flow, 1);
    assert_int_equal(flow_resubmit(&flow), CSN_OK);
    assert_int_equal(flow.answered, flow.next);
    return unfinished;
}

/* Held before it looks, then ended: every record is unfinished, and every one is served after. */
static void what_a_kill_interrupts_is_served(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        assert_int_equal(flow_feed(&flow, flow.next + HELD), CSN_OK);
        while (flow.answered < flow.next) {
            assert_int_equal(flow_take(&flow), CSN_OK);
        }
        outside_hold(site.enclave);
        (void)flow_feed(&flow, flow.next + HELD); /* a micro-VM ends as it is woken */
        outside_end(site.enclave);
        assert_int_equal(serve_the_rest(), HELD);
    }
    flow_finish(&flow, 0);
}

/* Ended at any point while it works: what has no answer is handed back and served. */
static void killed_at_any_point(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        assert_int_equal(flow_feed(&flow, flow.next + HELD * (1 + round)), CSN_OK);
        outside_end(site.enclave);
        (void)serve_the_rest();
    }
    flow_finish(&flow, 0);
}

/* Alone in flight at two kills from outside: the host cannot tell, and sets it aside as well. */
static void alone_at_two_kills(void **state)
{
    (void)state;
    for (uint32_t crash = 0; crash < 2; crash++) {
        outside_hold(site.enclave);
        if (crash == 0) {
            (void)flow_feed(&flow, 1);
        } else {
            assert_int_equal(csn_enclave_resubmit(site.enclave, 0), CSN_AGAIN);
        }
        outside_end(site.enclave);
        flow_drain(&flow);
        outside_check_fate(site.enclave);
        assert_int_equal(flow_check_unfinished(&flow), 1);
        flow_recover(&flow, 1);
    }
    check_quarantine(0);
    flow.answered++;
    assert_int_equal(csn_enclave_resubmit(site.enclave, 0), CSN_OK);
    assert_int_equal(flow_feed(&flow, 2), CSN_OK);
    assert_int_equal(flow_take(&flow), CSN_OK);
    flow_finish(&flow, 1);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_kills_is_set_aside),
        cmocka_unit_test_setup_teardown(what_a_kill_interrupts_is_served, flow_start, flow_stop),
        cmocka_unit_test_setup_teardown(killed_at_any_point, flow_start, flow_stop),
        cmocka_unit_test_setup_teardown(alone_at_two_kills, flow_start, flow_stop),
    };
    int ready = named_begin(count, arguments);
    if (ready >= 0) {
        return ready;
    }
    return csv_client_init() != CSN_OK ? 1
                                       : cmocka_run_group_tests_name("crashes", tests, NULL, NULL);
}
