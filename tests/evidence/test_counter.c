/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_counter.c: a journal whose counter is in a TPM (swtpm): what a host that keeps older copies
 * gets, one that makes up a TPM, one that changes what it carries, and two enclaves at a time.
 */
#include "../enclave/store_rig.h"
#include "../skip.h"
#include "swtpm.h"
#include <caisson/evidence.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY_HANDLE     UINT32_C(0x81010002)
#define NV_READ        0x14eu
#define COUNT_SIZE     93u /* of the response with a count */
#define NV_READ_PUBLIC 0x169u
#define START_SESSION  0x176u

static struct swtpm real;
static struct swtpm made_up;
static struct csn_tpm_link *real_link;
static struct csn_tpm_link *made_up_link;
static uint32_t stride = 11;             /* bytes of responses that are tried: one in so many */
static uint32_t next_index = 0x01800100; /* and the one behind it */
static const uint32_t sizes[] = {1, 40, 16, 300};
#define SIZE_COUNT 4u

/* ---- the host's way to a TPM ---- */

struct way {
    struct csn_tpm_link *link;
    uint32_t commands; /* so far */
    uint32_t codes[64];
    /* The response to the command of that number (from 1 on) is changed so; 0: none. */
    uint32_t change_at;
    uint32_t change_byte; /* counted from the end where drop is set */
    uint8_t change_bits;
    uint32_t cut;  /* bytes off its end */
    uint32_t more; /* bytes behind it */
    bool has_lied;
    uint32_t lose; /* 1: it is done and nothing comes back; 2: it is not done at all */
    bool replay;   /* what was answered to the same command last comes again */
    uint32_t last_code;
    uint32_t last_size;
    uint8_t last[CSN_WIRE_OUTSIDE_TPM_SIZE];
    uint32_t sizes[64];     /* of responses */
    uint32_t session_count; /* begun in this boot */
    uint8_t sessions[64][4];
    /* The command itself is changed; 0: none. */
    uint32_t command_at;
    uint32_t command_byte;
    uint32_t intrude_at; /* somebody counts before the command of that number */
    uint32_t intrude_index;
    const uint8_t *secret; /* 32 bytes that no command may have in it */
    uint32_t secrets;      /* that had it */
};

static struct way way;

static uint32_t code_of(const uint8_t *command)
{
    return (uint32_t)command[8] << 8 | command[9];
}

/* Who can name a counter can count: with its empty password. */
static void intrude(struct way *at)
{
    uint8_t command[31] = {0x80, 0x02, 0, 0, 0, 31, 0, 0, 0x01, 0x34};
    uint8_t response[CSN_WIRE_OUTSIDE_TPM_SIZE];
    size_t got = sizeof response;
    for (uint32_t i = 0; i < 8; i++) {
        command[10 + i] = (uint8_t)(at->intrude_index >> 8 * (3 - i % 4));
    }
    command[21] = 9;
    command[22] = 0x40;
    command[25] = 9; /* TPM_RS_PW */
    assert_int_equal(csn_tpm_link_carry(at->link, command, sizeof command, response, &got), CSN_OK);
    assert_int_equal(response[8] | response[9], 0);
}

static uint32_t carry(void *state, const uint8_t *command, uint32_t size, uint8_t *response,
                      uint32_t *response_size)
{
    struct way *at = state;
    uint8_t changed[CSN_WIRE_OUTSIDE_TPM_SIZE];
    size_t got = CSN_WIRE_OUTSIDE_TPM_SIZE;
    const uint32_t number = ++at->commands;
    const bool mine = number == at->change_at;
    memcpy(changed, command, size);
    if (number == at->command_at) {
        changed[at->command_byte] ^= 1;
    }
    if (number < 64) {
        at->codes[number] = code_of(command);
    }
    if (number == at->intrude_at) {
        intrude(at);
    }
    at->secrets += at->secret != NULL && memmem(command, size, at->secret, 32) != NULL;
    if (mine && at->lose == 2) {
        return CSN_WIRE_OUTSIDE_FAILED;
    }
    if (mine && at->replay && at->last_code == code_of(command)) {
        memcpy(response, at->last, at->last_size);
        *response_size = at->last_size;
        return CSN_WIRE_OUTSIDE_OK;
    }
    if (csn_tpm_link_carry(at->link, changed, size, response, &got) != CSN_OK ||
        (mine && at->lose == 1)) {
        return CSN_WIRE_OUTSIDE_FAILED;
    }
    if (code_of(command) == NV_READ && got == COUNT_SIZE) {
        at->last_code = code_of(command);
        at->last_size = (uint32_t)got;
        memcpy(at->last, response, got);
    }
    if (number < 64) {
        at->sizes[number] = (uint32_t)got;
    }
    if (code_of(command) == START_SESSION && got > 14) {
        memcpy(at->sessions[at->session_count++ % 64], response + 10, 4);
    }
    if (mine && at->change_byte < got) {
        response[at->change_byte] ^= at->change_bits;
        at->has_lied = true;
    }
    at->has_lied |= mine && (at->cut != 0 || at->more != 0);
    *response_size = (uint32_t)got - (mine ? at->cut : 0) + (mine ? at->more : 0);
    return CSN_WIRE_OUTSIDE_OK;
}

/* ---- a world: a store, a counter, an enclave ---- */

struct world {
    struct store_double store;
    struct store_rig rig;
    struct csn_wire_counter counter;
};

static void begin(struct world *world)
{
    world->store.tpm = carry;
    world->store.tpm_state = &way;
    rig_begin(&world->rig, &world->store);
    world->rig.counter = &world->counter;
    way.commands = 0;
    way.change_at = 0;
    way.command_at = 0;
    way.has_lied = false;
}

static int make(void **state)
{
    char detail[200] = "";
    struct world *world = calloc(1, sizeof *world);
    store_double_start(&world->store);
    csn_tpm_link_close(real_link); /* the simulator serves one at a time */
    real_link = NULL;
    if (csn_tpm_counter_make(real.tcti, next_index += 2, KEY_HANDLE, &world->counter, detail) !=
            CSN_OK ||
        csn_tpm_link_open(real.tcti, &real_link, detail) != CSN_OK) {
        print_error("%s\n", detail);
        return 1;
    }
    way = (struct way){.link = real_link};
    begin(world);
    *state = world;
    return 0;
}

/* The session is ended as the host's side does it. */
static void end_boot(struct world *world)
{
    for (uint32_t i = 0; i < way.session_count; i++) {
        uint8_t flush[14] = {0x80, 0x01, 0, 0, 0, 14, 0, 0, 0x01, 0x65};
        uint8_t response[CSN_WIRE_OUTSIDE_TPM_SIZE];
        size_t got = sizeof response;
        memcpy(flush + 10, way.sessions[i], 4);
        assert_int_equal(csn_tpm_link_carry(way.link, flush, sizeof flush, response, &got), CSN_OK);
    }
    way.session_count = 0;
    rig_end(&world->rig);
}

static int unmake(void **state)
{
    struct world *world = *state;
    end_boot(world);
    store_double_stop(&world->store);
    free(world);
    return 0;
}

static void boot(struct world *world)
{
    end_boot(world);
    begin(world);
}

static void write_some(struct world *world, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(rig_write(&world->rig, sizes[world->rig.count % SIZE_COUNT]), CSN_OK);
    }
}

static uint64_t counter_now(struct world *world)
{
    uint64_t value = 0;
    struct cse_counter *counter = &cse_writing_of(world->rig.journal)->counter;
    assert_int_equal(cse_counter_read(counter, world->rig.outside, &value), CSN_OK);
    return value;
}

/* ---- it counts ---- */

static void each_commit_counts_once(void **state)
{
    struct world *world = *state;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    assert_int_equal(counter_now(world), world->counter.base + 1); /* who writes */
    write_some(world, 5);
    assert_int_equal(counter_now(world), world->counter.base + 6);
    for (uint32_t i = 0; i < 3; i++) {
        boot(world);
        assert_int_equal(rig_open(&world->rig), CSN_OK);
        assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, 5 + 2 * i));
        write_some(world, 2);
    }
    /* It loses its power: the session is gone, the count is not. */
    csn_tpm_link_close(real_link);
    assert_true(swtpm_restart(&real));
    char detail[200];
    assert_int_equal(csn_tpm_link_open(real.tcti, &real_link, detail), CSN_OK);
    way.link = real_link;
    assert_int_not_equal(rig_write(&world->rig, 1), CSN_OK);
    assert_int_equal(cse_journal_reopen(world->rig.journal), CSN_OK);
    write_some(world, 1);
}

/* ---- older copies ---- */

static void an_older_copy_is_refused(void **state)
{
    struct world *world = *state;
    struct store_double old[4];
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    for (uint32_t i = 0; i < 4; i++) {
        store_double_start(&old[i]);
        store_double_copy(&old[i], &world->store);
        write_some(world, 1);
    }
    struct store_double now;
    store_double_start(&now);
    store_double_copy(&now, &world->store);
    for (uint32_t i = 0; i < 5; i++) {
        struct store_double nothing;
        store_double_start(&nothing);
        store_double_copy(&world->store, i < 4 ? &old[i] : &nothing);
        store_double_stop(&nothing);
        boot(world);
        assert_int_equal(rig_open(&world->rig), CSN_ERR_REPLAY);
        assert_false(cse_journal_is_good(world->rig.journal));
        assert_int_equal(world->rig.count, 0);
    }
    store_double_copy(&world->store, &now);
    boot(world);
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, 4));
    for (uint32_t i = 0; i < 4; i++) {
        store_double_stop(&old[i]);
    }
    store_double_stop(&now);
}

/* Durable and not counted: nobody was told, it is rolled forward, once. */
static void a_crash_before_the_count(void **state)
{
    struct world *world = *state;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 2);
    for (uint32_t round = 0; round < 4; round++) {
        const uint64_t before = counter_now(world);
        const uint32_t count = world->rig.count;
        way.commands = 0;
        way.change_at = round < 2 ? 2 : 4; /* the extend, or the step: */
        way.lose = 1 + round % 2;          /* done and not told, or not done */
        assert_int_equal(rig_write(&world->rig, sizes[count % SIZE_COUNT]), CSN_ERR_SYSTEM);
        assert_false(cse_journal_is_good(world->rig.journal));
        way.lose = 0;
        boot(world);
        assert_int_equal(rig_open(&world->rig), CSN_OK);
        assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, count + 1));
        assert_int_equal(counter_now(world), before + 2); /* that one, and who writes */
        write_some(world, 1);
    }
    /* The same in one boot. */
    way.commands = 0;
    way.change_at = 1;
    way.lose = 2;
    const uint32_t count = world->rig.count;
    assert_int_equal(rig_write(&world->rig, sizes[count % SIZE_COUNT]), CSN_ERR_SYSTEM);
    way.change_at = 0;
    assert_int_equal(cse_journal_reopen(world->rig.journal), CSN_OK);
    assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, count + 1));
    write_some(world, 1);
}

/* ---- two at a time ---- */

/* Copies a store into another world, whose enclave then boots. */
static csn_err branch(struct world *to, const struct world *from, const struct store_double *store)
{
    memset(to, 0, sizeof *to);
    to->counter = from->counter;
    store_double_start(&to->store);
    store_double_copy(&to->store, store);
    begin(to);
    return rig_open(&to->rig);
}

static void end_branch(struct world *world)
{
    end_boot(world);
    store_double_stop(&world->store);
}

static void of_two_writers_one_goes_on(void **state)
{
    struct world *world = *state;
    static struct world other;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 2);
    assert_int_equal(branch(&other, world, &world->store), CSN_OK); /* and now it writes */
    assert_true(rig_is(&other.rig, sizes, SIZE_COUNT, 2));
    /* The first one finds out, at its next write: nothing of it is acknowledged. */
    assert_int_equal(rig_write(&world->rig, 16), CSN_ERR_REPLAY);
    assert_int_equal(cse_journal_reopen(world->rig.journal), CSN_ERR_REPLAY);
    write_some(&other, 3); /* it has not been in the way of the other */
    end_branch(&other);
}

/*
 * A host that has a record kept from being counted, and another one counted in its place: both say
 * the same count. The first one is no state that anybody was told of, and must not become one.
 */
static void two_records_of_one_count(void **state)
{
    struct world *world = *state;
    static struct world second;
    static struct world third;
    struct store_double before;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 2);
    store_double_start(&before);
    store_double_copy(&before, &world->store);
    way.commands = 0;
    way.change_at = 1; /* it is durable, and never counted */
    way.lose = 2;
    assert_int_equal(rig_write(&world->rig, 16), CSN_ERR_SYSTEM);
    way.lose = 0;
    way.change_at = 0;
    assert_int_equal(branch(&second, world, &before), CSN_OK); /* its first record has the count */
    assert_int_equal(branch(&third, world, &world->store), CSN_ERR_REPLAY);
    end_branch(&third); /* with all sessions there are */
    assert_int_equal(cse_journal_reopen(second.rig.journal), CSN_OK);
    write_some(&second, 1);
    assert_int_equal(branch(&third, world, &world->store), CSN_ERR_REPLAY);
    end_branch(&third);
    assert_int_equal(cse_journal_reopen(second.rig.journal), CSN_OK);
    write_some(&second, 2);
    end_branch(&second);
    store_double_stop(&before);
}

/*
 * To another TPM: by a grant without a counter, which takes what there is, and then one with the
 * new one. A state of the old counter is none of the new one's, whatever its number is.
 */
static void from_one_counter_to_another(void **state)
{
    struct world *world = *state;
    const struct csn_wire_counter first = world->counter;
    struct csn_wire_counter second;
    struct store_double old;
    char detail[200] = "";
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 3);
    store_double_start(&old);
    store_double_copy(&old, &world->store);
    csn_tpm_link_close(real_link);
    real_link = NULL;
    assert_int_equal(csn_tpm_counter_make(real.tcti, next_index += 2, KEY_HANDLE, &second, detail),
                     CSN_OK);
    assert_int_equal(csn_tpm_link_open(real.tcti, &real_link, detail), CSN_OK);
    way.link = real_link;
    boot(world);
    world->counter = second;
    assert_int_equal(rig_open(&world->rig), CSN_ERR_POLICY);
    boot(world);
    world->rig.counter = NULL;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 1);
    world->rig.counter = &world->counter; /* in the same boot */
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 1);
    assert_int_equal(counter_now(world), second.base + 2);
    boot(world);
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, 5));
    boot(world);
    world->counter = first;
    assert_int_equal(rig_open(&world->rig), CSN_ERR_POLICY);
    store_double_copy(&world->store, &old);
    boot(world);
    world->counter = second;
    assert_int_equal(rig_open(&world->rig), CSN_ERR_POLICY);
    store_double_stop(&old);
}

/* ---- another TPM ---- */

static void a_tpm_that_the_host_made_up(void **state)
{
    struct world *world = *state;
    char detail[200] = "";
    struct csn_wire_counter theirs;
    csn_tpm_link_close(made_up_link);
    made_up_link = NULL;
    /* The same index with the same attributes, so of the same name, and at the same handle a key.
     */
    assert_int_equal(
        csn_tpm_counter_make(made_up.tcti, world->counter.index, KEY_HANDLE, &theirs, detail),
        CSN_OK);
    assert_int_equal(csn_tpm_link_open(made_up.tcti, &made_up_link, detail), CSN_OK);
    assert_memory_equal(theirs.name, world->counter.name, sizeof theirs.name);
    assert_memory_not_equal(theirs.key, world->counter.key, sizeof theirs.key);
    way.link = made_up_link;
    assert_int_not_equal(rig_open(&world->rig), CSN_OK);
    way.link = real_link;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 2);
    way.link = made_up_link; /* later, in the middle of a session */
    assert_int_not_equal(rig_write(&world->rig, 16), CSN_OK);
    assert_int_not_equal(cse_journal_reopen(world->rig.journal), CSN_OK);
    way.link = real_link;
    assert_int_equal(cse_journal_reopen(world->rig.journal), CSN_OK);
    assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, world->rig.count));
}

static void what_cannot_be_pinned(void **state)
{
    const struct csn_wire_counter good = ((struct world *)*state)->counter;
    for (uint32_t i = 0; i < 4; i++) { /* what nobody says is zero */
        struct cse_counter counter = {.used = false};
        struct csn_wire_counter pin = good;
        assert_int_equal(cse_counter_begin(&counter, &pin), CSN_OK);
        pin.reserved = i == 0;
        pin.reserved2[3] = i == 1;
        pin.base = i == 2 ? 0 : pin.base;
        pin.mark_name[0] ^= i == 3;
        assert_int_equal(cse_counter_begin(&counter, &pin), CSN_ERR_POLICY);
    }
}

static void what_is_pinned_counts(void **state)
{
    struct world *world = *state;
    const struct csn_wire_counter good = world->counter;
    char detail[200] = "";
    struct csn_wire_counter other;
    csn_tpm_link_close(real_link);
    real_link = NULL;
    assert_int_equal(csn_tpm_counter_make(real.tcti, next_index += 2, KEY_HANDLE, &other, detail),
                     CSN_OK);
    assert_int_equal(csn_tpm_link_open(real.tcti, &real_link, detail), CSN_OK);
    way.link = real_link;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 1);
    for (uint32_t which = 0; which < 11; which++) {
        struct csn_wire_counter *pin = &world->counter;
        *pin = good;
        boot(world);
        switch (which) {
        case 0:
            *pin = other; /* a counter of the same TPM: of another journal */
            break;
        case 1:
            pin->index = other.index;
            break;
        case 2:
            memcpy(pin->name, other.name, sizeof pin->name);
            break;
        case 3:
            pin->key[5] ^= 1; /* no point */
            break;
        case 4:
            pin->key_handle = 0x40000001;
            break;
        case 5:
            pin->index = 0x81010002;
            break;
        case 6:
            pin->reserved = 1;
            break;
        case 7: /* a counter for a mark, a mark for a counter */
            pin->mark_index = good.index;
            memcpy(pin->mark_name, good.name, sizeof pin->mark_name);
            break;
        case 8:
            pin->index = good.mark_index;
            memcpy(pin->name, good.mark_name, sizeof pin->name);
            break;
        case 9:
            pin->reserved2[2] = 1;
            break;
        default:
            pin->name[1] = 0x0c;
            break;
        }
        csn_err err = rig_open(&world->rig);
        assert_int_not_equal(err, CSN_OK);
        assert_true(which == 0 || err == CSN_ERR_POLICY);
        world->counter = good;
    }
    boot(world);
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, 1));
}

/* ---- a host that changes what it carries ---- */

/* How many commands a boot and one write take, and how long each response is. */
static uint32_t learn(struct world *world)
{
    boot(world);
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 1);
    return way.commands;
}

/* Each byte of each response, cut and lengthened: refused, and the next boot goes on. */
static void a_host_that_lies_in_every_byte(void **state)
{
    struct world *world = *state;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 1);
    const uint32_t commands = learn(world);
    assert_in_range(commands, 10, 20);
    uint32_t lengths[64];
    memcpy(lengths, way.sizes, sizeof lengths);
    uint32_t ignored = 0;
    uint32_t lies = 0;
    for (uint32_t number = 1; number <= commands; number++) {
        for (uint32_t byte = number % 5; byte < lengths[number] + 2;
             byte += byte + 3 < lengths[number] ? stride : 1) {
            boot(world);
            way.change_at = number;
            way.change_byte = byte;
            way.change_bits = (uint8_t)(1 << byte % 8);
            way.cut = byte == lengths[number];
            way.more = byte == lengths[number] + 1;
            csn_err err = rig_open(&world->rig);
            const bool opened = err == CSN_OK;
            err = opened ? rig_write(&world->rig, sizes[world->rig.count % SIZE_COUNT]) : err;
            /* What names the index is hashed, its name behind that is not read. */
            const bool may_be = way.codes[number] == NV_READ_PUBLIC;
            ignored += err == CSN_OK && way.has_lied;
            lies += way.has_lied;
            /* What was left uncounted before makes other commands, and shorter ones. */
            assert_true(err != CSN_OK || may_be || !way.has_lied);
            assert_true(!opened || rig_is(&world->rig, sizes, SIZE_COUNT, world->rig.count));
            way.change_at = 0;
            way.cut = way.more = 0;
        }
    }
    assert_true(lies > 100 && ignored > 0 && ignored < lies / 4);
    boot(world);
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    assert_true(rig_is(&world->rig, sizes, SIZE_COUNT, world->rig.count));
}

/* What it said a moment ago, said again. */
static void old_responses_are_refused(void **state)
{
    struct world *world = *state;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 2);
    struct cse_counter *counter = &cse_writing_of(world->rig.journal)->counter;
    uint64_t value = 0;
    way.commands = 0;
    way.replay = true;
    assert_int_equal(cse_counter_read(counter, world->rig.outside, &value), CSN_OK);
    const uint64_t before = value;
    struct cse_counter_step step = {.wanted = before + 1};
    memcpy(step.mark, counter->mark, sizeof step.mark);
    way.commands = 0;
    way.change_at = 5; /* the count behind the step */
    assert_int_equal(cse_counter_step(counter, world->rig.outside, &step), CSN_ERR_AUTH);
    way.replay = false;
}

/* Between the look and the step somebody counts: nothing is acknowledged. */
static void who_counts_in_between_is_seen(void **state)
{
    struct world *world = *state;
    for (uint32_t at = 2; at <= 4; at++) { /* before the extend, the look at it, the step */
        if (at != 2) {
            unmake(state);
            assert_int_equal(make(state), 0);
            world = *state;
        }
        assert_int_equal(rig_open(&world->rig), CSN_OK);
        write_some(world, 1);
        way.commands = 0;
        way.intrude_at = at;
        way.intrude_index = world->counter.index;
        assert_int_equal(rig_write(&world->rig, 16), CSN_ERR_REPLAY);
        way.intrude_at = 0;
    }
}

/* Who knew it could make the mark anew, as it was at any time. */
static void what_extends_the_mark_is_secret(void **state)
{
    struct world *world = *state;
    struct cse_counter_step step;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 1);
    struct cse_counter *counter = &cse_writing_of(world->rig.journal)->counter;
    step.wanted = counter_now(world) + 1;
    memcpy(step.mark, counter->mark, sizeof step.mark);
    memset(step.data, 0x5a, sizeof step.data);
    way.secret = step.data;
    way.secrets = 0;
    assert_int_equal(cse_counter_step(counter, world->rig.outside, &step), CSN_OK);
    way.secret = NULL;
    assert_int_equal(way.secrets, 0);
}

/* Commands too: the TPM itself refuses what is not ours. */
static void changed_commands_do_nothing(void **state)
{
    struct world *world = *state;
    assert_int_equal(rig_open(&world->rig), CSN_OK);
    write_some(world, 1);
    struct cse_counter *counter = &cse_writing_of(world->rig.journal)->counter;
    const uint64_t before = counter_now(world);
    for (uint32_t byte = 10; byte < 91; byte += 3) { /* behind the head of an extend */
        struct cse_counter_step step = {.wanted = before + 1};
        uint8_t mark[CSE_TPM_MARK_SIZE];
        memcpy(step.mark, counter->mark, sizeof step.mark);
        memcpy(mark, counter->mark, sizeof mark);
        way.commands = 0;
        way.command_at = 2;
        way.command_byte = byte;
        assert_int_not_equal(cse_counter_step(counter, world->rig.outside, &step), CSN_OK);
        assert_int_equal(way.codes[2], 0x136);
        way.command_at = 0;
        assert_int_equal(counter_now(world), before);
        assert_memory_equal(counter->mark, mark, sizeof mark);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_commit_counts_once, make, unmake),
        cmocka_unit_test_setup_teardown(an_older_copy_is_refused, make, unmake),
        cmocka_unit_test_setup_teardown(a_crash_before_the_count, make, unmake),
        cmocka_unit_test_setup_teardown(of_two_writers_one_goes_on, make, unmake),
        cmocka_unit_test_setup_teardown(two_records_of_one_count, make, unmake),
        cmocka_unit_test_setup_teardown(from_one_counter_to_another, make, unmake),
        cmocka_unit_test_setup_teardown(a_tpm_that_the_host_made_up, make, unmake),
        cmocka_unit_test_setup_teardown(what_cannot_be_pinned, make, unmake),
        cmocka_unit_test_setup_teardown(what_is_pinned_counts, make, unmake),
        cmocka_unit_test_setup_teardown(old_responses_are_refused, make, unmake),
        cmocka_unit_test_setup_teardown(who_counts_in_between_is_seen, make, unmake),
        cmocka_unit_test_setup_teardown(what_extends_the_mark_is_secret, make, unmake),
        cmocka_unit_test_setup_teardown(changed_commands_do_nothing, make, unmake),
        cmocka_unit_test_setup_teardown(a_host_that_lies_in_every_byte, make, unmake),
    };
    setenv("TSS2_LOG", "all+NONE", 0); /* refusals are expected here */
    if (argc > 1 && strcmp(argv[1], "all") == 0) {
        stride = 1;
    } else if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    if (!swtpm_start(&real)) {
        return test_skip("swtpm does not run: apt-get install swtpm");
    }
    if (!swtpm_start(&made_up)) {
        swtpm_stop(&real);
        return test_skip("swtpm does not run twice");
    }
    int failed = cmocka_run_group_tests_name("counter", tests, NULL, NULL);
    csn_tpm_link_close(real_link);
    csn_tpm_link_close(made_up_link);
    swtpm_stop(&real);
    swtpm_stop(&made_up);
    return failed;
}
