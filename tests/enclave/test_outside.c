/* SPDX-License-Identifier: Apache-2.0 */
/* test_outside.c: what an enclave asks of its store, and hosts that answer anything. */
#include "store_rig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct store_double store;
    struct store_rig rig;
};

static int make(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    store_double_start(&world->store);
    rig_begin(&world->rig, &world->store);
    *state = world;
    return 0;
}

static int unmake(void **state)
{
    struct world *world = *state;
    rig_end(&world->rig);
    store_double_stop(&world->store);
    free(world);
    return 0;
}

/* ---- as it should be ---- */

static void objects_are_kept(void **state)
{
    struct world *world = *state;
    struct cse_outside *outside = world->rig.outside;
    uint8_t *bytes = NULL;
    uint32_t got = 0;
    uint64_t size = 0;
    assert_int_equal(cse_outside_read_max(outside), 4096);
    assert_int_equal(cse_outside_write_max(outside), 4096);
    assert_int_equal(cse_outside_size(outside, "a", &size), CSN_ERR_UNKNOWN);
    assert_int_equal(cse_outside_read(outside, "a", 0, 10, &bytes, &got), CSN_ERR_UNKNOWN);
    assert_int_equal(cse_outside_append(outside, "a", 0, (const uint8_t *)"hello ", 6), CSN_OK);
    assert_int_equal(cse_outside_append(outside, "a", 6, (const uint8_t *)"world", 5), CSN_OK);
    assert_int_equal(cse_outside_sync(outside, "a"), CSN_OK);
    assert_int_equal(cse_outside_size(outside, "a", &size), CSN_OK);
    assert_int_equal(size, 11);
    assert_int_equal(cse_outside_read(outside, "a", 6, 10, &bytes, &got), CSN_OK);
    assert_int_equal(got, 5);
    assert_memory_equal(bytes, "world", 5);
    assert_int_equal((uintptr_t)bytes % 16, 0);
    assert_int_equal(cse_outside_part(outside, "a", 0, (const uint8_t *)"new", 3), CSN_OK);
    assert_int_equal(cse_outside_replace(outside, "a", 3), CSN_OK);
    assert_int_equal(cse_outside_size(outside, "a", &size), CSN_OK);
    assert_int_equal(size, 3);
    assert_int_equal(cse_outside_remove(outside, "a"), CSN_OK);
    assert_int_equal(cse_outside_size(outside, "a", &size), CSN_ERR_UNKNOWN);
}

static void what_cannot_be_asked(void **state)
{
    struct world *world = *state;
    struct cse_outside *outside = world->rig.outside;
    static const char *const bad[] = {
        "",    "A",   "a/b", "..",
        "a.b", "a_b", "a b", "0123456789012345678901234567890123456789012345678901234567890123x"};
    static const uint8_t large[8192];
    uint8_t *bytes = NULL;
    uint32_t got = 0;
    uint64_t size = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(cse_outside_size(outside, bad[i], &size), CSN_ERR_ARGUMENT);
        assert_int_equal(cse_outside_append(outside, bad[i], 0, large, 1), CSN_ERR_ARGUMENT);
        assert_int_equal(cse_outside_stream_begin(outside, bad[i], 0, 1, 1), CSN_ERR_ARGUMENT);
    }
    assert_int_equal(cse_outside_append(outside, "a", 0, large, 4097), CSN_ERR_ARGUMENT);
    assert_int_equal(cse_outside_part(outside, "a", 0, large, 4097), CSN_ERR_ARGUMENT);
    assert_int_equal(cse_outside_read(outside, "a", 0, 4097, &bytes, &got), CSN_ERR_ARGUMENT);
    assert_int_equal(cse_outside_read(outside, "a", CSN_WIRE_OBJECT_SIZE_MAX, 1, &bytes, &got),
                     CSN_ERR_ARGUMENT);
    assert_int_equal(cse_outside_read(outside, "a", UINT64_MAX, 1, &bytes, &got), CSN_ERR_ARGUMENT);
    assert_int_equal(cse_outside_replace(outside, "a", UINT64_MAX), CSN_ERR_ARGUMENT);
    assert_int_equal(cse_outside_stream_begin(outside, "a", 0, 1, 0), CSN_ERR_ARGUMENT);
    assert_int_equal(cse_outside_stream_begin(outside, "a", 0, 1, 4097), CSN_ERR_ARGUMENT);
    assert_int_equal(world->store.asks, 0);
}

static void fill(uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 31 + i / 256);
    }
}

/* Every piece, in order, with several on the way; from any place, in any size. */
static void a_stream_is_the_object(void **state)
{
    struct world *world = *state;
    struct cse_outside *outside = world->rig.outside;
    static uint8_t whole[100000];
    fill(whole, sizeof whole);
    store_double_put(&world->store, "weights", whole, sizeof whole);
    static const uint32_t pieces[] = {1000, 4096, 1, 999, 64};
    for (uint32_t i = 0; i < 5; i++) {
        const uint64_t begin = i * 777;
        uint64_t size = pieces[i] == 1 ? 500 : sizeof whole - begin;
        uint64_t at = begin;
        assert_int_equal(cse_outside_stream_begin(outside, "weights", begin, size, pieces[i]),
                         CSN_OK);
        while (size != 0) {
            uint8_t *bytes = NULL;
            uint32_t got = 0;
            assert_int_equal(cse_outside_stream_next(outside, &bytes, &got), CSN_OK);
            assert_int_equal(got, size < pieces[i] ? size : pieces[i]);
            assert_memory_equal(bytes, whole + at, got);
            assert_int_equal((uintptr_t)bytes % 16, 0);
            at += got;
            size -= got;
        }
        uint8_t *bytes = NULL;
        uint32_t got = 0;
        assert_int_equal(cse_outside_stream_next(outside, &bytes, &got), CSN_ERR_STATE);
        cse_outside_stream_end(outside);
    }
    assert_in_range(world->store.in_flight_max, 2, CSE_OUTSIDE_STREAM_MAX);
    /* One of full pieces: as many as the ring of 256 lines has room to answer. */
    world->store.in_flight_max = 0;
    assert_int_equal(cse_outside_stream_begin(outside, "weights", 0, 40960, 4096), CSN_OK);
    uint8_t *bytes = NULL;
    uint32_t got = 0;
    uint64_t size = 0;
    assert_int_equal(cse_outside_stream_next(outside, &bytes, &got), CSN_OK);
    assert_int_equal(world->store.in_flight_max, 255 / 65 - 1);
    /* Nothing else meanwhile; and the rest need not be read. */
    assert_int_equal(cse_outside_size(outside, "weights", &size), CSN_ERR_STATE);
    assert_int_equal(cse_outside_append(outside, "a", 0, whole, 1), CSN_ERR_STATE);
    assert_int_equal(cse_outside_stream_begin(outside, "weights", 0, 1, 1), CSN_ERR_STATE);
    cse_outside_stream_end(outside);
    assert_int_equal(cse_outside_size(outside, "weights", &size), CSN_OK);
    /* One that ends too early. */
    assert_int_equal(cse_outside_stream_begin(outside, "weights", 99000, 2000, 1500), CSN_OK);
    assert_int_equal(cse_outside_stream_next(outside, &bytes, &got), CSN_ERR_FORMAT);
    cse_outside_stream_end(outside);
    assert_int_equal(cse_outside_stream_begin(outside, "none", 0, 10, 10), CSN_OK);
    assert_int_equal(cse_outside_stream_next(outside, &bytes, &got), CSN_ERR_UNKNOWN);
    cse_outside_stream_end(outside);
    assert_int_equal(cse_outside_size(outside, "weights", &size), CSN_OK);
    assert_int_equal(world->store.in_flight, 0);
}

static void statuses_become_errors(void **state)
{
    struct world *world = *state;
    static const csn_err wanted[] = {CSN_OK,        CSN_ERR_UNKNOWN, CSN_ERR_MISSING,
                                     CSN_ERR_SPACE, CSN_ERR_SYSTEM,  CSN_ERR_SYSTEM};
    for (uint32_t status = 1; status <= CSN_WIRE_OUTSIDE_STATUS_LAST; status++) {
        world->store.fail_at = world->store.asks + 1;
        world->store.fail_status = status;
        assert_int_equal(cse_outside_append(world->rig.outside, "a", 0, (const uint8_t *)"x", 1),
                         wanted[status]);
        assert_int_equal(cse_outside_append(world->rig.outside, "a", 0, (const uint8_t *)"x", 1),
                         CSN_OK);
    }
}

/* Of several that were put without waiting, the first that failed is told, once. */
static void a_failure_is_not_lost(void **state)
{
    struct world *world = *state;
    struct cse_outside *outside = world->rig.outside;
    for (uint32_t at = 1; at <= 40; at++) {
        world->store.fail_at = world->store.asks + at;
        world->store.fail_status = CSN_WIRE_OUTSIDE_FULL;
        world->store.fail_does = true;
        for (uint32_t i = 0; i < 40; i++) {
            assert_int_equal(cse_outside_put_append(outside, "a", i, (const uint8_t *)"x", 1),
                             CSN_OK);
        }
        assert_int_equal(cse_outside_settle(outside), CSN_ERR_SPACE);
        assert_int_equal(cse_outside_settle(outside), CSN_OK);
    }
    assert_int_equal(world->store.in_flight_max, CSE_OUTSIDE_ASKS_MAX);
}

/* ---- lies ---- */

enum lie {
    LIE_TAG_LATER,
    LIE_TAG_EARLIER,
    LIE_TAG_ZERO,
    LIE_FINAL,
    LIE_SHORT,
    LIE_EMPTY,
    LIE_SIZE_MORE,
    LIE_SIZE_LESS,
    LIE_SIZE_HUGE,
    LIE_STATUS_UNKNOWN,
    LIE_FAILED_WITH_BYTES,
    LIE_LONGER_THAN_ASKED,
    LIE_VALUE,
    LIE_VALUE_HUGE,
    LIE_COUNT
};

static void set_u32(uint8_t *bytes, uint32_t value)
{
    memcpy(bytes, &value, sizeof value);
}

/* Each is refused; the changed answer has room for 64 bytes more. */
static void tell(struct store_double *store, struct store_answer *answer)
{
    const enum lie lie = *(const enum lie *)store->lie_state;
    const uint64_t huge = CSN_WIRE_OBJECT_SIZE_MAX + 1;
    const uint64_t one = 1;
    answer->bytes = realloc(answer->bytes, answer->size + 64);
    memset(answer->bytes + answer->size, 0, 64);
    switch (lie) {
    case LIE_TAG_LATER:
        answer->tag++;
        break;
    case LIE_TAG_EARLIER:
        answer->tag--;
        break;
    case LIE_TAG_ZERO:
        answer->tag = 0;
        break;
    case LIE_FINAL:
        answer->final = true;
        break;
    case LIE_SHORT:
        answer->size = 15;
        break;
    case LIE_EMPTY:
        answer->size = 0;
        break;
    case LIE_SIZE_MORE:
        set_u32(answer->bytes + 4, answer->size - 16 + 1);
        break;
    case LIE_SIZE_LESS:
        answer->size++;
        break;
    case LIE_SIZE_HUGE:
        set_u32(answer->bytes + 4, UINT32_MAX);
        break;
    case LIE_STATUS_UNKNOWN:
        set_u32(answer->bytes, CSN_WIRE_OUTSIDE_STATUS_LAST + 1);
        break;
    case LIE_FAILED_WITH_BYTES:
        set_u32(answer->bytes, CSN_WIRE_OUTSIDE_FAILED);
        set_u32(answer->bytes + 4, 4);
        answer->size = 20;
        break;
    case LIE_LONGER_THAN_ASKED:
        answer->size += 32;
        set_u32(answer->bytes + 4, answer->size - 16);
        break;
    case LIE_VALUE: /* where none belongs; of a size it is the host's word */
        memcpy(answer->bytes + 8, &one, sizeof one);
        break;
    default:
        memcpy(answer->bytes + 8, &huge, sizeof huge);
        break;
    }
}

/* Of every kind of ask; the store is of no use any more afterwards. */
static void each_lie_ends_it(void **state)
{
    (void)state;
    for (uint32_t lie = 0; lie < LIE_COUNT; lie++) {
        for (uint32_t kind = 0; kind < 5; kind++) {
            struct world *world;
            make((void **)&world);
            struct cse_outside *outside = world->rig.outside;
            uint8_t *bytes = NULL;
            uint32_t got = 0;
            uint64_t size = 0;
            store_double_put(&world->store, "a", "0123456789", 10);
            world->store.lie = tell;
            world->store.lie_state = &lie;
            csn_err err = CSN_OK;
            switch (kind) {
            case 0:
                err = cse_outside_read(outside, "a", 0, 10, &bytes, &got);
                break;
            case 1:
                err = cse_outside_size(outside, "a", &size);
                break;
            case 2:
                err = cse_outside_append(outside, "a", 10, (const uint8_t *)"x", 1);
                break;
            case 3:
                assert_int_equal(cse_outside_put_append(outside, "a", 10, (const uint8_t *)"x", 1),
                                 CSN_OK);
                err = cse_outside_settle(outside);
                break;
            default:
                assert_int_equal(cse_outside_stream_begin(outside, "a", 0, 10, 5), CSN_OK);
                err = cse_outside_stream_next(outside, &bytes, &got);
                cse_outside_stream_end(outside);
                break;
            }
            world->store.lie = NULL;
            if (lie == LIE_VALUE && kind == 1) {
                assert_int_equal(err, CSN_OK);
            } else {
                assert_int_equal(err, CSN_ERR_PEER);
                assert_int_equal(cse_outside_size(outside, "a", &size), CSN_ERR_PEER);
                assert_int_equal(cse_outside_settle(outside), CSN_ERR_PEER);
            }
            unmake((void **)&world);
        }
    }
}

/* The answer to one ask comes twice: the second is taken for nobody's. */
static void tell_twice(struct store_double *store, struct store_answer *answer)
{
    if (*(uint32_t *)store->lie_state == 0) {
        *(uint32_t *)store->lie_state = 1;
        store_double_queue(store, answer->tag, answer->bytes, answer->size);
    }
}

static void twice_is_once_too_often(void **state)
{
    struct world *world = *state;
    struct cse_outside *outside = world->rig.outside;
    uint32_t done = 0;
    uint64_t size = 0;
    store_double_put(&world->store, "a", "0123456789", 10);
    store_double_put(&world->store, "b", "01234", 5);
    world->store.lie = tell_twice;
    world->store.lie_state = &done;
    assert_int_equal(cse_outside_size(outside, "a", &size), CSN_OK);
    assert_int_equal(cse_outside_size(outside, "b", &size), CSN_ERR_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(objects_are_kept, make, unmake),
        cmocka_unit_test_setup_teardown(what_cannot_be_asked, make, unmake),
        cmocka_unit_test_setup_teardown(a_stream_is_the_object, make, unmake),
        cmocka_unit_test_setup_teardown(statuses_become_errors, make, unmake),
        cmocka_unit_test_setup_teardown(a_failure_is_not_lost, make, unmake),
        cmocka_unit_test(each_lie_ends_it),
        cmocka_unit_test_setup_teardown(twice_is_once_too_often, make, unmake),
    };
    return cmocka_run_group_tests_name("outside", tests, NULL, NULL);
}
