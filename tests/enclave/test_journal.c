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

/* ---- snapshots ---- */

static void snapshots_replace_the_log(void **state)
{
    struct world *world = *state;
    uint32_t count = 99;
    world->rig.snapshot_after = 6000;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    for (uint32_t i = 0; i < 40; i++) {
        write_some(&world->rig, 1);
        assert_int_equal(reopened(&world->store, &count), CSN_OK);
        assert_int_equal(count, i + 1);
    }
    assert_non_null(store_double_ending(&world->store, SNAPSHOT));
    assert_null(store_double_ending(&world->store, LOG(0)));
    assert_int_equal(rig_open(&world->rig), CSN_OK); /* what it remembers is in the snapshot */
    assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, 40));
    /* Without a hook the log only grows. */
    world->rig.saves = false;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    const uint64_t generation = cse_writing_of(world->rig.journal)->acked.generation;
    assert_true(generation >= 2);
    write_some(&world->rig, 20);
    assert_int_equal(cse_writing_of(world->rig.journal)->acked.generation, generation);
    assert_int_equal(reopened(&world->store, &count), CSN_OK);
    assert_int_equal(count, 60);
}

/* The host fails at each ask on the way through a snapshot, doing it or not; then power is lost. */
static void a_crash_in_a_snapshot(void **state)
{
    (void)state;
    uint32_t snapshots = 0;
    for (uint32_t at = 1; at < 24; at++) {
        for (uint32_t does = 0; does < 2; does++) {
            struct world *world;
            make((void **)&world);
            world->rig.snapshot_after = 6000;
            assert_int_equal(rig_open(&world->rig), CSN_OK);
            write_some(&world->rig, 11); /* the next one makes it grow beyond */
            world->store.fail_at = world->store.asks + at;
            world->store.fail_on = true;
            world->store.fail_does = does != 0;
            world->store.fail_status = CSN_WIRE_OUTSIDE_FAILED;
            csn_err err = rig_write(&world->rig, sizes[world->rig.count % SIZE_COUNT]);
            const uint32_t acked = world->rig.count;
            uint32_t count = 99;
            assert_int_equal(acked, err == CSN_OK ? 12 : 11);
            world->store.fail_at = 0;
            assert_int_equal(reopened(&world->store, &count), CSN_OK);
            assert_true(count == acked || (err != CSN_OK && count == acked + 1));
            snapshots += cse_writing_of(world->rig.journal)->acked.generation;
            /* In the same boot, too; what it takes for good is what is outside. */
            if (cse_journal_is_good(world->rig.journal)) {
                cse_writing_of(world->rig.journal)->snapshot_next = UINT64_MAX;
                write_some(&world->rig, 1);
                assert_int_equal(reopened(&world->store, &count), CSN_OK);
                assert_int_equal(count, world->rig.count);
                cse_writing_of(world->rig.journal)->snapshot_next = 0;
            }
            if (!cse_journal_is_good(world->rig.journal)) {
                assert_int_equal(cse_journal_reopen(world->rig.journal), CSN_OK);
                assert_int_equal(world->rig.count, count);
            }
            write_some(&world->rig, 30);
            assert_int_equal(reopened(&world->store, &count), CSN_OK);
            assert_int_equal(count, world->rig.count);
            unmake((void **)&world);
        }
    }
    assert_in_range(snapshots, 4, 30);
}

/* A log or a snapshot of before with one of now; each byte of a snapshot; none at all. */
static void generations_do_not_mix(void **state)
{
    struct world *world = *state;
    struct store_double before;
    struct store_double mixed;
    uint32_t count = 0;
    world->rig.snapshot_after = 6000;
    store_double_start(&before);
    store_double_start(&mixed);
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    while (cse_writing_of(world->rig.journal)->acked.generation < 1) {
        write_some(&world->rig, 1);
    }
    write_some(&world->rig, 2);
    store_double_copy(&before, &world->store);
    while (cse_writing_of(world->rig.journal)->acked.generation < 2) {
        write_some(&world->rig, 1);
    }
    write_some(&world->rig, 2);
    const struct store_object *old = store_double_ending(&before, SNAPSHOT);
    const struct store_object *old_log = store_double_ending(&before, LOG(1));
    char name[65];
    /* The old snapshot: its log is gone, so that is a state of before, and a short one. */
    store_double_copy(&mixed, &world->store);
    store_double_put(&mixed, old->name, old->bytes, old->size);
    assert_int_equal(reopened(&mixed, &count), CSN_OK);
    assert_true(count < world->rig.count);
    /* The old log's bytes under the new one's name. */
    store_double_copy(&mixed, &world->store);
    strcpy(name, store_double_ending(&mixed, LOG(2))->name);
    store_double_put(&mixed, name, old_log->bytes, old_log->size);
    assert_int_equal(reopened(&mixed, &count), CSN_OK);
    assert_true(count < world->rig.count);
    /* While it lives, it takes neither. */
    store_double_copy(&world->store, &mixed);
    assert_int_equal(cse_journal_reopen(world->rig.journal), CSN_ERR_REPLAY);
    store_double_copy(&world->store, &before);
    assert_int_equal(cse_journal_reopen(world->rig.journal), CSN_ERR_REPLAY);
    for (uint64_t at = 0; at < old->size; at += 7) {
        old->bytes[at] ^= 4;
        csn_err err = reopened(&before, &count);
        assert_true(err == CSN_ERR_AUTH || err == CSN_OK);
        assert_true(err == CSN_ERR_AUTH || at % 32 != 0); /* zeros that fill up */
        old->bytes[at] ^= 4;
    }
    struct store_object *cut = store_double_ending(&before, SNAPSHOT);
    for (cut->size--; cut->size > 0; cut->size--) {
        assert_int_equal(reopened(&before, &count), CSN_ERR_AUTH);
        cut->size -= cut->size > 40 ? 37 : 0;
    }
    store_double_stop(&before);
    store_double_stop(&mixed);
}

/* ---- nothing of it stays ---- */

/* Bytes that a record was made of, in a row as store_rig.c makes them. */
static bool says(const uint8_t *bytes, uint32_t size)
{
    uint32_t run = 1;
    for (uint32_t i = 1; i < size; i++) {
        run = bytes[i] == (uint8_t)(bytes[i - 1] + 1) ? run + 1 : 1;
        if (run == 12) {
            return true;
        }
    }
    return false;
}

/* What a replay opened is wiped from where it was read, and so is what only proved a damage. */
static void what_was_replayed_is_wiped(void **state)
{
    struct world *world = *state;
    static struct store_rig rig;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(&world->rig, SIZE_COUNT);
    struct store_object *log = store_double_ending(&world->store, LOG(0));
    for (uint32_t damaged = 0; damaged < 2; damaged++) {
        struct store_double copy;
        store_double_start(&copy);
        log->bytes[300] ^= damaged != 0;
        store_double_copy(&copy, &world->store);
        rig_begin(&rig, &copy);
        memset(rig.outside->buffer, 0, rig.manifest.input_size_max);
        memset(rig.outside->sealed, 0, rig.manifest.output_size_max);
        assert_int_equal(rig_open(&rig), damaged != 0 ? CSN_ERR_AUTH : CSN_OK);
        assert_int_equal(rig.count, damaged != 0 ? 0 : SIZE_COUNT);
        assert_false(says(rig.outside->buffer, rig.manifest.input_size_max));
        assert_false(says(rig.outside->sealed, rig.manifest.output_size_max));
        rig_end(&rig);
        store_double_stop(&copy);
    }
}

/* ---- whose it is ---- */

static void of_another_it_is_none(void **state)
{
    struct world *world = *state;
    static struct store_rig rig;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(&world->rig, 3);
    const struct store_object *log = store_double_ending(&world->store, LOG(0));
    for (uint32_t which = 0; which < 3; which++) {
        struct store_double copy;
        store_double_start(&copy);
        rig_begin(&rig, &copy);
        rig.tenant[31] ^= which == 0; /* not in the name of the object */
        rig.secret[5] ^= which == 1;
        rig.name = which == 2 ? "other" : "keys";
        assert_int_equal(rig_open(&rig), CSN_OK);
        assert_int_equal(rig_write(&rig, 5), CSN_OK);
        char name[65];
        strcpy(name, store_double_ending(&copy, LOG(0))->name);
        store_double_put(&copy, name, log->bytes, log->size);
        rig_end(&rig);
        rig_begin(&rig, &copy);
        rig.tenant[31] ^= which == 0;
        rig.secret[5] ^= which == 1;
        rig.name = which == 2 ? "other" : "keys";
        assert_int_equal(rig_open(&rig), CSN_OK); /* nothing that it knows */
        assert_int_equal(rig.count, 0);
        rig_end(&rig);
        store_double_stop(&copy);
    }
    world->store.manifest = &world->rig.manifest;
    /* The same memory is for one journal, until it is closed. */
    world->rig.name = "kegs";
    assert_int_equal(rig_open(&world->rig), CSN_ERR_ARGUMENT);
    world->rig.name = "key";
    assert_int_equal(rig_open(&world->rig), CSN_ERR_ARGUMENT);
    world->rig.name = "keys";
    world->rig.tenant[0] ^= 1;
    assert_int_equal(rig_open(&world->rig), CSN_ERR_ARGUMENT);
    cse_journal_close(world->rig.journal);
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    static const char *const bad[] = {"", "Keys", "a-name-of-seventeen", "a/b"};
    for (uint32_t i = 0; i < 4; i++) {
        cse_journal_close(world->rig.journal);
        world->rig.name = bad[i];
        assert_int_equal(rig_open(&world->rig), CSN_ERR_ARGUMENT);
    }
}

/* ---- several in one commit ---- */

/* Put and not synced: any of them may be missing after a loss of power. */
static void a_hole_ends_it(void **state)
{
    struct world *world = *state;
    struct cse_writing *writing = cse_writing_of(world->rig.journal);
    uint64_t offsets[6];
    uint32_t count = 0;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(&world->rig, 2);
    struct store_object *log = store_double_ending(&world->store, LOG(0));
    for (uint32_t i = 0; i < 5; i++) {
        uint8_t bytes[4096];
        const uint32_t size = sizes[(2 + i) % SIZE_COUNT];
        for (uint32_t k = 0; k < size; k++) {
            bytes[k] = (uint8_t)((2 + i) * 7 + k);
        }
        offsets[i] = log->size;
        assert_int_equal(cse_journal_put(writing, CSN_WIRE_JOURNAL_RECORD, bytes, size), CSN_OK);
    }
    offsets[5] = log->size;
    for (uint32_t lost = 0; lost < 5; lost++) {
        struct store_double copy;
        store_double_start(&copy);
        store_double_copy(&copy, &world->store);
        struct store_object *torn = store_double_ending(&copy, LOG(0));
        memset(torn->bytes + offsets[lost], 0, offsets[lost + 1] - offsets[lost]);
        assert_int_equal(reopened(&copy, &count), CSN_OK);
        assert_int_equal(count, 2 + lost);
        store_double_stop(&copy);
    }
    assert_int_equal(reopened(&world->store, &count), CSN_OK);
    assert_int_equal(count, 7);
    /* Moved, repeated or in another order they end it, too. */
    const uint64_t size = offsets[3] - offsets[2];
    struct store_double copy;
    store_double_start(&copy);
    store_double_copy(&copy, &world->store);
    struct store_object *moved = store_double_ending(&copy, LOG(0));
    memmove(moved->bytes + offsets[1], log->bytes + offsets[2], size);
    assert_int_equal(reopened(&copy, &count), CSN_OK);
    assert_int_equal(count, 3);
    store_double_copy(&copy, &world->store);
    store_double_put(&copy, log->name, log->bytes, offsets[3]);
    moved = store_double_ending(&copy, LOG(0));
    moved->bytes = realloc(moved->bytes, offsets[3] + size);
    memcpy(moved->bytes + offsets[3], log->bytes + offsets[2], size);
    moved->size += size;
    assert_int_equal(reopened(&copy, &count), CSN_OK);
    assert_int_equal(count, 5);
    store_double_stop(&copy);
}

/* Two that went on from the same record: none of one continues the other. */
static void branches_do_not_mix(void **state)
{
    struct world *world = *state;
    static struct store_rig rig;
    struct store_double other;
    uint32_t count = 0;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(&world->rig, 2);
    store_double_start(&other);
    store_double_copy(&other, &world->store);
    rig_begin(&rig, &other);
    rig.store->manifest = &rig.manifest;
    /* As if it were the same boot: no record of its own says that it writes. */
    memcpy(rig.journal, world->rig.journal, CSE_JOURNAL_SIZE);
    cse_writing_of(rig.journal)->outside = rig.outside;
    rig.count = 2;
    const uint64_t begin = store_double_ending(&other, LOG(0))->size;
    write_some(&rig, 1);
    const uint64_t middle = store_double_ending(&other, LOG(0))->size;
    write_some(&rig, 1);
    write_some(&world->rig, 2);
    const struct store_object *theirs = store_double_ending(&other, LOG(0));
    struct store_object *ours = store_double_ending(&world->store, LOG(0));
    assert_int_equal(ours->size, theirs->size);
    assert_memory_not_equal(ours->bytes + begin, theirs->bytes + begin, middle - begin);
    memcpy(ours->bytes + middle, theirs->bytes + middle, theirs->size - middle);
    assert_int_equal(reopened(&world->store, &count), CSN_OK);
    assert_int_equal(count, 3);
    rig_end(&rig);
    store_double_stop(&other);
    world->store.manifest = &world->rig.manifest;
}

static void no_nonce_comes_twice(void **state)
{
    struct world *world = *state;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(rig_write(&world->rig, 16), CSN_OK);
    }
    const struct store_object *log = store_double_ending(&world->store, LOG(0));
    const uint64_t size = (128 + 16 + 16 + 31) / 32 * 32;
    const uint8_t *last = log->bytes + log->size - size + offsetof(struct csn_wire_journal, nonce);
    for (uint32_t i = 1; i < 20; i++) {
        assert_memory_not_equal(last, last - i * size, 12);
    }
}

/* What was read may be in the host's memory alone: it is made durable before anything rests on it.
 */
static void what_was_read_is_synced(void **state)
{
    struct world *world = *state;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(&world->rig, 2);
    struct store_object *log = store_double_ending(&world->store, LOG(0));
    log->synced = 0;
    rig_end(&world->rig);
    rig_begin(&world->rig, &world->store);
    world->store.fail_at = 1;
    world->store.fail_on = true;
    world->store.fail_operation = CSN_WIRE_OUTSIDE_APPEND;
    world->store.fail_status = CSN_WIRE_OUTSIDE_FULL;
    assert_int_equal(rig_open(&world->rig), CSN_OK); /* for reading */
    assert_int_equal(log->synced, log->size);
    assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, 2));
    assert_true(cse_journal_is_good(world->rig.journal));
    assert_int_equal(rig_write(&world->rig, 16), CSN_ERR_SPACE);
    assert_int_equal(rig_write(&world->rig, 16), CSN_ERR_STATE);
    assert_int_equal(cse_journal_reopen(world->rig.journal), CSN_OK);
    world->store.fail_at = 0;
    write_some(&world->rig, 1);
    uint32_t count = 0;
    assert_int_equal(reopened(&world->store, &count), CSN_OK);
    assert_int_equal(count, 3);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_there, make, unmake),
        cmocka_unit_test_setup_teardown(a_crash_at_any_byte, make, unmake),
        cmocka_unit_test_setup_teardown(damage_is_not_an_end, make, unmake),
        cmocka_unit_test_setup_teardown(an_older_copy_while_it_lives, make, unmake),
        cmocka_unit_test_setup_teardown(snapshots_replace_the_log, make, unmake),
        cmocka_unit_test(a_crash_in_a_snapshot),
        cmocka_unit_test_setup_teardown(generations_do_not_mix, make, unmake),
        cmocka_unit_test_setup_teardown(what_was_replayed_is_wiped, make, unmake),
        cmocka_unit_test_setup_teardown(of_another_it_is_none, make, unmake),
        cmocka_unit_test_setup_teardown(a_hole_ends_it, make, unmake),
        cmocka_unit_test_setup_teardown(branches_do_not_mix, make, unmake),
        cmocka_unit_test_setup_teardown(no_nonce_comes_twice, make, unmake),
        cmocka_unit_test_setup_teardown(what_was_read_is_synced, make, unmake),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
