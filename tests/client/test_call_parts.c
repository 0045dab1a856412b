/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_call_parts.c: answers that are handed out as they come, in every cut: whole, cut off,
 * flipped, broken off, given up. What is handed out is always a beginning of the right answer, and
 * the end is told only where it is the end.
 */
#include "../images/ticker.h"
#include "call_rig.h"
#include <stdio.h>

extern const struct cse_service cse_service; /* tests/images/ticker.c */

static struct call_gateway gateway;
static struct csv_caller *caller;
static char told[65536]; /* what was handed out of the call */
static size_t told_size;
static uint32_t told_status;
static uint32_t moves;
static size_t stride = 23; /* of cuts and flips; 1: all of them */

static int start(void **state)
{
    (void)state;
    call_gateway_start(&gateway,
                       &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                              .service = &cse_service,
                                              .worker_state_size = sizeof(struct ticker_state),
                                              .held_max = TICKER_COUNT,
                                              .output_scale = 16,
                                              .output_extra = 1024});
    caller = call_caller(&gateway, &(struct csv_caller_options){.way = CSV_CALL_RECORDS});
    return 0;
}

static int start_oblivious(void **state)
{
    start(state);
    csv_caller_destroy(caller);
    caller = call_caller(&gateway, &(struct csv_caller_options){.way = CSV_CALL_OBLIVIOUS});
    return 0;
}

/* fake_service, which has nothing that comes later; flags: the manifest's. */
static void start_whole(uint32_t flags, uint32_t way)
{
    call_gateway_start(&gateway, &(struct fake_options){.flags = flags});
    caller = call_caller(&gateway, &(struct csv_caller_options){.way = way});
}

static int stop(void **state)
{
    (void)state;
    csv_caller_destroy(caller);
    call_gateway_stop(&gateway);
    return 0;
}

static struct csv_call *begin_at(const char *path, const char *text)
{
    struct csv_call *call = NULL;
    const struct csv_call_request request = {.method = "POST",
                                             .path = path,
                                             .content = text,
                                             .content_size = (uint32_t)strlen(text),
                                             .in_parts = true};
    assert_int_equal(csv_call_start(caller, &request, NULL, &call), CSN_OK);
    told_size = 0;
    told_status = 0;
    moves = 0;
    return call;
}

static struct csv_call *begin(const char *text)
{
    return begin_at("/v1/ticks", text);
}

static void hear(struct csv_call *call)
{
    const struct csv_call_response *response = csv_call_response(call);
    if (response != NULL) {
        assert_true(response->content_size <= sizeof told - told_size);
        memcpy(told + told_size, response->content, response->content_size);
        told_size += response->content_size;
        told_status = response->status;
        csv_call_consumed(call);
    }
}

static void hear_moved(struct csv_call *call)
{
    struct csv_call *moved = csv_caller_moved(caller);
    if (moved != NULL) {
        assert_ptr_equal(moved, call);
        moves++;
        hear(call);
        assert_null(csv_caller_moved(caller));
    }
}

/* The exchange at hand: its answer, which the test gives as it likes. */
static struct call_answer take_answer(void)
{
    assert_int_equal(call_ask(&gateway, caller), 1);
    gateway.held_count = 0;
    return gateway.held[0];
}

static struct csv_fetched fetched_of(const struct call_answer *answer, size_t from, size_t to)
{
    return (struct csv_fetched){.id = answer->id,
                                .status = answer->status,
                                .content_type = answer->content_type,
                                .worker = answer->worker[0] != 0 ? answer->worker : NULL,
                                .body = answer->body + from,
                                .body_size = to - from};
}

static bool more(const struct call_answer *answer, size_t from, size_t to)
{
    const struct csv_fetched fetched = fetched_of(answer, from, to);
    return csv_caller_more(caller, gateway.now, &fetched);
}

static void take(const struct call_answer *answer, size_t from, size_t to)
{
    const struct csv_fetched fetched = fetched_of(answer, from, to);
    csv_caller_take(caller, gateway.now, &fetched);
}

static csn_err finish(struct csv_call *call)
{
    assert_null(csv_caller_moved(caller)); /* what is new of it is in its response */
    struct csv_call *done = csv_caller_finished(caller);
    assert_ptr_equal(done, call);
    csn_err err = csv_call_result(call);
    hear(call);
    assert_int_equal(err == CSN_OK, csv_call_problem(call) == NULL);
    csv_call_destroy(call);
    return err;
}

/* Evidence, keys and hello are behind it. */
static void warm_up(void)
{
    struct csv_call *call = begin("0 0 warm");
    call_run(&gateway, caller);
    assert_int_equal(finish(call), CSN_OK);
}

/* Without the comments: is it the beginning of `wanted`? */
static bool is_beginning(const char *wanted)
{
    size_t at = 0;
    bool comment = false;
    for (size_t i = 0; i < told_size; i++) {
        comment |= told[i] == ':' && (i == 0 || told[i - 1] == '\n');
        if (!comment && told[i] != wanted[at++]) {
            return false;
        }
        comment &= told[i] != '\n';
    }
    return true;
}

static size_t events(void)
{
    size_t count = 0;
    for (size_t i = 0; i + 6 <= told_size; i++) {
        count += memcmp(told + i, "data: ", 6) == 0;
    }
    return count;
}

static const char wanted[] = "data: 1 abc\n\ndata: 2 abc\n\ndata: 3 abc\n\n";

/* ---- to the good ---- */

static void in_any_cut(void **state)
{
    (void)state;
    warm_up();
    size_t size = 1;
    for (size_t cut = 0; cut <= size; cut += stride) {
        struct csv_call *call = begin("3 3 abc");
        const struct call_answer answer = take_answer();
        size = answer.size;
        assert_true(more(&answer, 0, cut));
        hear_moved(call);
        assert_int_equal(csv_call_result(call), CSN_AGAIN);
        take(&answer, cut, size);
        assert_int_equal(finish(call), CSN_OK);
        assert_true(is_beginning(wanted) && events() == 3);
        assert_int_equal(told_status, 200);
        free(answer.body);
    }
}

static void byte_by_byte(void **state)
{
    (void)state;
    warm_up();
    struct csv_call *call = begin("3 3 abc");
    const struct call_answer answer = take_answer();
    size_t seen = 0;
    for (size_t i = 0; i < answer.size; i++) {
        assert_true(more(&answer, i, i + 1));
        hear_moved(call);
        assert_true(events() >= seen && events() <= seen + 1);
        seen = events();
    }
    assert_int_equal(seen, 3); /* each was handed out when it was there */
    assert_in_range(moves, 3, 4);
    take(&answer, answer.size, answer.size);
    assert_int_equal(finish(call), CSN_OK);
    assert_true(is_beginning(wanted));
    free(answer.body);
}

/* A transport that gives all at once is right, too; a cold context has a hello before it. */
static void all_at_once(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct csv_call *call = begin("3 3 abc");
        call_run(&gateway, caller);
        assert_int_equal(finish(call), CSN_OK);
        assert_true(is_beginning(wanted) && events() == 3);
    }
}

/* ---- to the bad ---- */

static uint32_t asked(void)
{
    return gateway.counts[CALL_RECORDS] + gateway.counts[CALL_OBLIVIOUS];
}

/*
 * The end of a call whose first answer was spoilt: it failed, or it was asked again, which is only
 * for what nothing was handed out of.
 */
static void expect_spoilt(struct csv_call *call, uint32_t asked_before)
{
    const bool heard = told_status != 0;
    call_run(&gateway, caller);
    if (finish(call) == CSN_OK) {
        assert_false(heard);
        assert_int_equal(asked(), asked_before + 2);
        assert_int_equal(events(), 3);
    }
    assert_true(is_beginning(wanted));
}

/* Ends well within HTTP, but without its last part; or breaks off. */
static void cut_off(void **state)
{
    (void)state;
    warm_up();
    size_t size = 1;
    for (size_t cut = 0; cut < 2 * size; cut += stride) {
        const uint32_t before = asked();
        struct csv_call *call = begin("3 3 abc");
        struct call_answer answer = take_answer();
        size = answer.size;
        assert_true(more(&answer, 0, cut / 2));
        hear_moved(call);
        answer.status = cut % 2 != 0 ? 0 : 200;
        take(&answer, 0, 0);
        if (answer.status == 200) {
            assert_int_equal(finish(call), CSN_ERR_AUTH);
        } else {
            expect_spoilt(call, before);
        }
        free(answer.body);
    }
}

static void flipped(void **state)
{
    (void)state;
    warm_up();
    size_t size = 1;
    for (size_t at = 0; at < size; at += stride) {
        const uint32_t before = asked();
        struct csv_call *call = begin("3 3 abc");
        struct call_answer answer = take_answer();
        size = answer.size;
        answer.body[at] ^= (uint8_t)(1 << at % 8);
        bool goes_on = true;
        for (size_t i = 0; goes_on && i < size; i += 97) {
            goes_on = more(&answer, i, i + 97 < size ? i + 97 : size);
            hear_moved(call);
        }
        if (goes_on) {
            take(&answer, size, size);
        }
        expect_spoilt(call, before);
        free(answer.body);
    }
}

/* Frames of an answer to a record: where each begins, and behind the last one. */
static uint32_t find_frames(const struct call_answer *answer, size_t begins[16])
{
    uint32_t count = 0;
    for (size_t at = 0; at < answer->size; count++) {
        uint32_t size;
        assert_true(count < 15);
        begins[count] = at;
        memcpy(&size, answer->body + at, sizeof size);
        at += sizeof size + size;
    }
    begins[count] = answer->size;
    return count;
}

/* Parts turned round, left out, or twice: what comes before the first wrong one is all there is. */
static void in_another_order(void **state)
{
    (void)state;
    static const uint32_t orders[][4] = {{1, 0, 2, 3}, {0, 2, 1, 3}, {0, 0, 1, 2},
                                         {0, 2, 3, 3}, {0, 1, 3, 3}, {3, 3, 3, 3}};
    warm_up();
    for (uint32_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct csv_call *call = begin("3 3 abc");
        const struct call_answer answer = take_answer();
        size_t begins[16];
        assert_int_equal(find_frames(&answer, begins), 4);
        bool goes_on = true;
        for (uint32_t k = 0; goes_on && k < 4; k++) {
            goes_on = more(&answer, begins[orders[i][k]], begins[orders[i][k] + 1]);
            hear_moved(call);
        }
        assert_false(goes_on);
        assert_int_equal(finish(call), CSN_ERR_AUTH);
        assert_true(is_beginning(wanted) && events() < 3);
        free(answer.body);
    }
}

/* The answer to another call of the same context. */
static void of_another_call(void **state)
{
    (void)state;
    warm_up();
    struct csv_call *first = begin("3 3 abc");
    const struct call_answer right = take_answer();
    struct csv_call *second = begin("3 3 xyz");
    struct call_answer wrong = take_answer();
    wrong.id = right.id;
    assert_false(more(&wrong, 0, wrong.size));
    assert_ptr_equal(csv_caller_finished(caller), first);
    assert_int_equal(csv_call_result(first), CSN_ERR_AUTH);
    assert_null(csv_call_response(first));
    csv_call_destroy(first);
    csv_call_destroy(second);
    free(right.body);
    free(wrong.body);
}

/* The service fails behind a part: what came is handed out, and that there is no more. */
static void failed_behind_a_part(void **state)
{
    (void)state;
    warm_up();
    struct csv_call *call = begin("1 1 fail");
    call_run(&gateway, caller);
    assert_true(csv_call_problem(call)->maybe_served);
    assert_int_not_equal(finish(call), CSN_OK);
    assert_int_equal(events(), 1);
    call = begin("0 0 fail");
    call_run(&gateway, caller);
    assert_int_equal(finish(call), CSN_OK);
    assert_int_equal(told_status, 500);
    assert_int_equal(moves, 0);
}

/* ---- nobody waits any more ---- */

static void abandoned(void **state)
{
    (void)state;
    uint64_t id = 0;
    warm_up();
    struct csv_call *call = begin("3 3 abc");
    const struct call_answer answer = take_answer();
    assert_true(more(&answer, 0, answer.size / 2));
    hear_moved(call);
    assert_false(csv_caller_abandoned(caller, &id));
    csv_call_destroy(call);
    assert_null(csv_caller_moved(caller));
    assert_true(csv_caller_abandoned(caller, &id));
    assert_int_equal(id, answer.id);
    assert_false(csv_caller_abandoned(caller, &id));
    assert_false(more(&answer, answer.size / 2, answer.size));
    take(&answer, answer.size, answer.size); /* passed over */
    free(answer.body);
    call = begin("3 3 abc");
    call_run(&gateway, caller);
    assert_int_equal(finish(call), CSN_OK);
}

/* The hello before it is for all: its answer is waited for, and no longer. */
static void abandoned_cold(void **state)
{
    (void)state;
    uint64_t id = 0;
    struct csv_call *call = begin("3 3 abc");
    assert_int_equal(call_ask(&gateway, caller), 1); /* evidence */
    call_give(&gateway, caller, 0);
    const struct call_answer answer = take_answer();
    csv_call_destroy(call);
    assert_false(csv_caller_abandoned(caller, &id));
    assert_true(more(&answer, 0, 10));
    assert_false(csv_caller_abandoned(caller, &id));
    assert_true(more(&answer, 10, answer.size / 2));
    assert_true(csv_caller_abandoned(caller, &id));
    free(answer.body);
    call = begin("3 3 abc");
    call_run(&gateway, caller);
    assert_int_equal(finish(call), CSN_OK);
    assert_int_equal(gateway.record_count, 1); /* in the short form: the context is warm */
}

/* ---- what is whole all the same ---- */

static void whole(void **state)
{
    (void)state;
    for (uint32_t way = CSV_CALL_RECORDS; way <= CSV_CALL_OBLIVIOUS; way++) {
        start_whole(CSN_WIRE_FLAG_DETERMINISTIC, way);
        for (uint32_t i = 0; i < 2; i++) {
            struct csv_call *call = begin_at("/echo", "abc");
            call_run(&gateway, caller);
            assert_int_equal(finish(call), CSN_OK);
            assert_int_equal(told_size, 3);
            assert_memory_equal(told, "abc", 3);
            assert_int_equal(moves, 0);
            call = begin_at("/twice", "abc");
            call_run(&gateway, caller);
            assert_int_equal(finish(call), CSN_OK);
            assert_int_equal(told_size, 6);
        }
        (void)stop(NULL);
    }
}

/* An image that serves each request once says so, and then it is asked that way. */
static void once(void **state)
{
    (void)state;
    for (uint32_t way = CSV_CALL_RECORDS; way <= CSV_CALL_OBLIVIOUS; way++) {
        start_whole(0, way);
        struct csv_call *call = begin_at("/echo", "abc");
        call_run(&gateway, caller);
        assert_int_equal(finish(call), CSN_OK);
        assert_int_equal(told_status, 200);
        (void)stop(NULL);
    }
}

#define BOTH(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, start, stop),                                            \
        cmocka_unit_test_setup_teardown(test, start_oblivious, stop)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        BOTH(in_any_cut),
        BOTH(byte_by_byte),
        BOTH(all_at_once),
        BOTH(cut_off),
        BOTH(flipped),
        BOTH(failed_behind_a_part),
        BOTH(abandoned),
        cmocka_unit_test_setup_teardown(abandoned_cold, start, stop),
        cmocka_unit_test_setup_teardown(in_another_order, start, stop),
        BOTH(of_another_call),
        cmocka_unit_test(whole),
        cmocka_unit_test(once),
    };
    stride = argc > 1 ? (size_t)atoi(argv[1]) : stride;
    return cmocka_run_group_tests_name("call in parts", tests, NULL, NULL);
}
