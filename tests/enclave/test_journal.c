/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_journal.c: what was acknowledged is there after a crash at any byte; what the host changes,
 * keeps back or mixes is refused.
 */
#include "store_rig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint32_t sizes[] = {1, 40, 16, 300, 7, 3000};
#define SIZE_COUNT      ((uint32_t)(sizeof sizes / sizeof sizes[0]))
#define LOG(generation) "-l000000000000000" #generation
#define SNAPSHOT        "-s"

static void write_some(struct store_rig *rig, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(rig_write(rig, sizes[rig->count % SIZE_COUNT]), CSN_OK);
    }
}

/* Another boot over a copy of the store, as it is given back then. */
static csn_err reopened(const struct store_double *store, uint32_t *count)
{
    static struct store_rig rig; /* large */
    struct store_double copy;
    store_double_start(&copy);
    store_double_copy(&copy, store);
    rig_begin(&rig, &copy);
    csn_err result = rig_open(&rig);
    assert_int_equal(cse_journal_is_good(rig.journal), result == CSN_OK);
    if (result == CSN_OK) {
        assert_true(rig_is(&rig, sizes, SIZE_COUNT, rig.count));
        /* It goes on from there, and what is written is read again. */
        const uint32_t before = rig.count;
        assert_int_equal(rig_write(&rig, sizes[before % SIZE_COUNT]), CSN_OK);
        assert_int_equal(rig_open(&rig), CSN_OK);
        assert_true(rig_is(&rig, sizes, SIZE_COUNT, before + 1));
        *count = before;
    }
    rig_end(&rig);
    store_double_stop(&copy);
    return result;
}

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

/* ---- it keeps ---- */

static void what_is_written_is_there(void **state)
{
    struct world *world = *state;
    uint32_t count = 99;
    assert_false(cse_journal_is_good(world->rig.journal));
    assert_int_equal(rig_write(&world->rig, 1), CSN_ERR_STATE);
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    assert_int_equal(world->rig.count, 0);
    for (uint32_t i = 0; i < 20; i++) {
        write_some(&world->rig, 1);
        assert_int_equal(reopened(&world->store, &count), CSN_OK);
        assert_int_equal(count, i + 1);
    }
    assert_int_equal(rig_write(&world->rig, 0), CSN_ERR_ARGUMENT);
    assert_int_equal(rig_write(&world->rig, cse_journal_record_max(world->rig.outside) + 1),
                     CSN_ERR_ARGUMENT);
    assert_int_equal(cse_journal_record_max(world->rig.outside), 4096 - 128 - 16);
}

/* Every length that the last write can have been cut to, and every byte of it that was not yet. */
static void a_crash_at_any_byte(void **state)
{
    struct world *world = *state;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    for (uint32_t i = 0; i < SIZE_COUNT; i++) {
        struct store_object *log = store_double_ending(&world->store, LOG(0));
        const uint64_t before = log->size;
        write_some(&world->rig, 1);
        const uint64_t after = log->size;
        for (uint64_t size = before; size <= after; size++) {
            uint32_t count = 99;
            log->size = size;
            assert_int_equal(reopened(&world->store, &count), CSN_OK);
            assert_int_equal(count, size == after ? i + 1 : i);
            log->size = after;
        }
        for (uint64_t at = before; at < after; at += at % 13 + 1) {
            uint32_t count = 99;
            log->bytes[at] ^= 0x10; /* a page that was not written, or in part */
            csn_err result = reopened(&world->store, &count);
            assert_int_equal(result, CSN_OK);
            assert_true(count == i || (count == i + 1 && at >= after - 31));
            log->bytes[at] ^= 0x10;
        }
    }
}

/* ---- it notices ---- */

/* Any change to what was durable when something was written behind it. */
static void damage_is_not_an_end(void **state)
{
    struct world *world = *state;
    uint32_t count = 0;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(&world->rig, 8);
    struct store_object *log = store_double_ending(&world->store, LOG(0));
    const uint64_t last = log->size - (128 + 16 + 40 + 31) / 32 * 32; /* where the last begins */
    uint32_t unseen = 0;
    for (uint64_t at = 0; at < last; at++) {
        log->bytes[at] ^= 1;
        csn_err result = reopened(&world->store, &count);
        unseen += result == CSN_OK; /* zeros that fill up a record */
        assert_true(result == CSN_ERR_AUTH || result == CSN_OK);
        assert_true(result == CSN_ERR_AUTH || count == 8);
        log->bytes[at] ^= 1;
    }
    assert_in_range(unseen, 1, 8 * 31);
}

static void an_older_copy_while_it_lives(void **state)
{
    struct world *world = *state;
    struct store_double old;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(&world->rig, 3);
    store_double_start(&old);
    store_double_copy(&old, &world->store);
    write_some(&world->rig, 1);
    assert_int_equal(rig_open(&world->rig), CSN_OK); /* as it should be */
    assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, 4));
    struct store_double now;
    store_double_start(&now);
    store_double_copy(&now, &world->store);
    store_double_copy(&world->store, &old);
    assert_int_equal(rig_open(&world->rig), CSN_ERR_REPLAY);
    assert_false(cse_journal_is_good(world->rig.journal));
    assert_int_equal(world->rig.count, 0);
    assert_int_equal(rig_write(&world->rig, 1), CSN_ERR_STATE);
    /* Nor what another enclave made of the older copy, as long as it is and longer. */
    static struct store_rig other;
    for (uint32_t more = 1; more < 4; more++) {
        rig_begin(&other, &old);
        assert_int_equal(rig_open(&other), CSN_OK);
        write_some(&other, 1);
        rig_end(&other);
        store_double_copy(&world->store, &old);
        world->store.manifest = &world->rig.manifest;
        assert_int_equal(rig_open(&world->rig), CSN_ERR_REPLAY);
    }
    store_double_copy(&world->store, &now);
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, 4));
    store_double_stop(&now);
    store_double_stop(&old);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_there, make, unmake),
        cmocka_unit_test_setup_teardown(a_crash_at_any_byte, make, unmake),
        cmocka_unit_test_setup_teardown(damage_is_not_an_end, make, unmake),
        cmocka_unit_test_setup_teardown(an_older_copy_while_it_lives, make, unmake),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
