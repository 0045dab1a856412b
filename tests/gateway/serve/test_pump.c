/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pump.c: one channel as the loop drives it, over an enclave that is made up here: it answers
 * when and what the test says, and checks nothing that the pump should.
 */
#include "gateway/pump.h"
#include <caisson/wire/message.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOM      4096u
#define COUNT_MAX 1000u
#define SIZE      24u
#define HELD_MAX  40u

/* ---- the enclave ---- */

struct made_message {
    uint64_t tag;
    uint32_t size;
    uint8_t bytes[SIZE];
};

struct csn_enclave {
    struct csn_wire_manifest manifest;
    struct made_message reserved[ROOM];
    uint32_t reserved_first, reserved_last;
    struct made_message taken[ROOM]; /* committed, by their order */
    uint32_t taken_count;
    uint32_t seen; /* of these, flushed */
    uint32_t answered;
    uint32_t count_max;
    uint32_t ring_room;              /* commits until CSN_AGAIN */
    uint32_t outputs;                /* for each message; 1 if 0 */
    uint32_t output_at;              /* of the message under way */
    uint32_t answer_max;             /* how many may be answered; the rest later */
    uint64_t tag_lie;                /* added to tags of answers */
    uint32_t later_every;            /* each message of such a number is answered later; 0: none */
    struct made_message later[ROOM]; /* those */
    uint32_t later_count;
    struct {
        uint32_t later; /* which of them */
        bool final;
    } told[ROOM]; /* what comes of them next */
    uint32_t told_first, told_last;
    bool is_dead;
    bool is_broken;                          /* its end of the in ring says impossible things */
    uint32_t waits, is_waiting, is_released; /* shared with the waiter */
};

const struct csn_wire_manifest *csn_enclave_manifest(const struct csn_enclave *enclave)
{
    return &enclave->manifest;
}

csn_err csn_enclave_reserve(struct csn_enclave *enclave, uint32_t channel, uint32_t size,
                            void **place)
{
    uint32_t held =
        enclave->taken_count - enclave->answered + enclave->reserved_last - enclave->reserved_first;
    (void)channel;
    if (enclave->is_dead) {
        return CSN_ERR_CRASHED;
    }
    if (size > SIZE) {
        return CSN_ERR_SPACE;
    }
    if (held >= enclave->count_max) {
        return CSN_AGAIN;
    }
    struct made_message *message = &enclave->reserved[enclave->reserved_last++ % ROOM];
    message->size = size;
    *place = message->bytes;
    return CSN_OK;
}

csn_err csn_enclave_commit(struct csn_enclave *enclave, uint32_t channel, uint64_t tag,
                           uint32_t size)
{
    (void)channel;
    if (enclave->is_dead) {
        return CSN_ERR_CRASHED;
    }
    assert_true(enclave->reserved_first != enclave->reserved_last);
    if (enclave->is_broken) {
        return CSN_ERR_PEER;
    }
    if (enclave->ring_room == 0) {
        return CSN_AGAIN;
    }
    enclave->ring_room--;
    struct made_message *message = &enclave->taken[enclave->taken_count++ % ROOM];
    *message = enclave->reserved[enclave->reserved_first++ % ROOM];
    assert_int_equal(message->size, size);
    message->tag = tag;
    return CSN_OK;
}

csn_err csn_enclave_abandon(struct csn_enclave *enclave, uint32_t channel)
{
    (void)channel;
    enclave->reserved_last = enclave->reserved_first;
    return CSN_OK;
}

csn_err csn_enclave_flush(struct csn_enclave *enclave, uint32_t channel)
{
    (void)channel;
    enclave->seen = enclave->taken_count;
    return enclave->is_dead ? CSN_ERR_CRASHED : CSN_OK;
}

csn_err csn_enclave_receive(struct csn_enclave *enclave, uint32_t channel, void *target,
                            struct csn_output *output)
{
    (void)channel;
    assert_false(__atomic_load_n(&enclave->is_waiting, __ATOMIC_ACQUIRE));
    if (enclave->told_first != enclave->told_last) {
        const struct made_message *later =
            &enclave->later[enclave->told[enclave->told_first].later];
        *output = (struct csn_output){.tag = later->tag,
                                      .final = enclave->told[enclave->told_first++].final,
                                      .size = later->size};
        memcpy(target, later->bytes, later->size);
        return CSN_OK;
    }
    if (enclave->answered == enclave->seen || enclave->answer_max == 0) {
        return enclave->is_dead ? CSN_ERR_CRASHED : CSN_AGAIN;
    }
    const struct made_message *message = &enclave->taken[enclave->answered % ROOM];
    uint32_t number;
    memcpy(&number, message->bytes, sizeof number);
    if (enclave->later_every != 0 && message->size == SIZE && number % enclave->later_every == 0) {
        enclave->later[enclave->later_count++] = *message;
        *output = (struct csn_output){.tag = message->tag, .later = true, .size = message->size};
        memcpy(target, message->bytes, message->size);
        enclave->answered++;
        return CSN_OK;
    }
    enclave->output_at++;
    *output = (struct csn_output){.tag = message->tag + enclave->tag_lie,
                                  .final = enclave->output_at >= enclave->outputs,
                                  .size = message->size};
    memcpy(target, message->bytes, message->size);
    if (output->final) {
        enclave->output_at = 0;
        enclave->answered++;
        enclave->answer_max--;
        enclave->ring_room++;
    }
    return CSN_OK;
}

csn_err csn_enclave_wait(struct csn_enclave *enclave, uint32_t channel, uint64_t timeout_ns)
{
    (void)channel;
    (void)timeout_ns;
    __atomic_store_n(&enclave->is_waiting, 1, __ATOMIC_RELEASE);
    usleep(1000);
    bool ready = __atomic_load_n(&enclave->is_released, __ATOMIC_ACQUIRE) != 0;
    __atomic_add_fetch(&enclave->waits, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&enclave->is_waiting, 0, __ATOMIC_RELEASE);
    return ready ? CSN_OK : CSN_AGAIN;
}

/* ---- who asks ---- */

struct asked {
    uint32_t number;
    uint32_t outputs;
    uint32_t finals;
    uint32_t losses;
};

static void take_output(void *state, const uint8_t *bytes, uint32_t size, bool final)
{
    struct asked *asked = state;
    uint32_t number;
    assert_int_equal(size, SIZE);
    memcpy(&number, bytes, sizeof number);
    assert_int_equal(number, asked->number);
    assert_int_equal(asked->finals + asked->losses, 0);
    asked->outputs++;
    asked->finals += final ? 1 : 0;
}

static void take_loss(void *state)
{
    struct asked *asked = state;
    assert_int_equal(asked->finals + asked->losses, 0);
    asked->losses++;
}

static const struct csn_pump_asker asker = {take_output, take_loss};

struct rig {
    struct csn_enclave enclave;
    struct csn_pump pump;
    int event_fd;
    struct asked asked[64 * 1024];
    uint32_t count;
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    rig->enclave.manifest.output_size_max = 64;
    rig->enclave.manifest.held_max = HELD_MAX;
    rig->enclave.count_max = COUNT_MAX;
    rig->enclave.ring_room = UINT32_MAX / 2;
    rig->enclave.answer_max = UINT32_MAX / 2;
    rig->event_fd = eventfd(0, EFD_NONBLOCK);
    *state = rig;
    return csn_pump_init(&rig->pump, &rig->enclave, 3, COUNT_MAX, rig->event_fd) == CSN_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    __atomic_store_n(&rig->enclave.is_released, 1, __ATOMIC_RELEASE);
    csn_pump_end(&rig->pump);
    close(rig->event_fd);
    free(rig);
    return 0;
}

static csn_err ask(struct rig *rig)
{
    void *place;
    CSN_TRY(csn_pump_reserve(&rig->pump, SIZE, &place));
    struct asked *asked = &rig->asked[rig->count];
    asked->number = rig->count++;
    memset(place, 0, SIZE);
    memcpy(place, &asked->number, sizeof asked->number);
    csn_pump_hand_over(&rig->pump, SIZE, &asker, asked);
    return CSN_OK;
}

static void expect_all(const struct rig *rig, uint32_t outputs)
{
    for (uint32_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->asked[i].finals, 1);
        assert_int_equal(rig->asked[i].outputs, outputs);
    }
}

/* ---- tests ---- */

/* Tables and rings fill up and empty at their own pace; each answer goes to its asker, once. */
static void test_order(void **state)
{
    struct rig *rig = *state;
    uint64_t seed = 7;
    uint32_t rounds = 0;
    rig->enclave.ring_room = 40;
    rig->enclave.outputs = 3;
    while (rig->count < 20000 || csn_pump_inflight(&rig->pump) != 0) {
        seed = seed * UINT64_C(6364136223846793005) + 1;
        uint32_t more = (uint32_t)(seed >> 33) % 200;
        while (more-- != 0 && rig->count < 20000 && ask(rig) == CSN_OK) {
        }
        rig->enclave.answer_max = (uint32_t)(seed >> 45) % 50;
        csn_err err = csn_pump_step(&rig->pump);
        assert_true(err == CSN_OK || err == CSN_AGAIN);
        assert_true(++rounds < 100000);
        assert_true(csn_pump_inflight(&rig->pump) <= COUNT_MAX);
    }
    expect_all(rig, 3);
    assert_int_equal(rig->pump.outputs, 60000);
    assert_int_equal(csn_pump_step(&rig->pump), CSN_AGAIN);
}

/* What is handed over is visible after one step, and not message by message. */
static void test_batches(void **state)
{
    struct rig *rig = *state;
    rig->enclave.answer_max = 0;
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(ask(rig), CSN_OK);
    }
    assert_int_equal(rig->enclave.taken_count, 10);
    assert_int_equal(rig->enclave.seen, 0);
    assert_int_equal(csn_pump_step(&rig->pump), CSN_AGAIN);
    assert_int_equal(rig->enclave.seen, 10);
}

static void test_full(void **state)
{
    struct rig *rig = *state;
    void *place;
    assert_int_equal(csn_pump_reserve(&rig->pump, SIZE + 1, &place), CSN_ERR_SPACE);
    rig->enclave.ring_room = 2;
    rig->enclave.answer_max = 0;
    for (uint32_t i = 0; i < COUNT_MAX; i++) {
        assert_int_equal(csn_pump_has_backlog(&rig->pump), i > 2);
        assert_int_equal(ask(rig), CSN_OK);
    }
    assert_int_equal(ask(rig), CSN_AGAIN);
    assert_int_equal(csn_pump_inflight(&rig->pump), COUNT_MAX);
    rig->enclave.answer_max = UINT32_MAX / 2;
    while (csn_pump_inflight(&rig->pump) != 0) {
        assert_int_equal(csn_pump_step(&rig->pump), CSN_OK);
    }
    expect_all(rig, 1);
}

/* An answer under any tag but the right one reaches nobody, and says so. */
static void test_lies(void **state)
{
    static const uint64_t lies[] = {1, UINT64_MAX, COUNT_MAX, 1024, 2048, UINT64_C(1) << 32};
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        rig->enclave.tag_lie = 0;
        assert_int_equal(ask(rig), CSN_OK);
        assert_int_equal(ask(rig), CSN_OK);
        rig->enclave.tag_lie = lies[i];
        assert_int_equal(csn_pump_step(&rig->pump), CSN_ERR_PEER);
        assert_int_equal(rig->asked[rig->count - 1].outputs + rig->asked[rig->count - 2].outputs,
                         0);
        csn_pump_lose(&rig->pump);
        assert_int_equal(rig->asked[rig->count - 1].losses + rig->asked[rig->count - 2].losses, 2);
        csn_pump_end(&rig->pump);
        memset(&rig->enclave.reserved_first, 0, 8);
        rig->enclave.taken_count = rig->enclave.seen = rig->enclave.answered = 0;
        assert_int_equal(csn_pump_init(&rig->pump, &rig->enclave, 3, COUNT_MAX, rig->event_fd),
                         CSN_OK);
    }
}

/* Nor does an answer to what the enclave cannot have: it was not committed yet. */
static void test_early(void **state)
{
    struct rig *rig = *state;
    rig->enclave.ring_room = 0;
    assert_int_equal(ask(rig), CSN_OK);
    rig->enclave.taken[0] = (struct made_message){.tag = rig->pump.oldest, .size = SIZE};
    rig->enclave.seen = rig->enclave.taken_count = 1;
    assert_int_equal(csn_pump_step(&rig->pump), CSN_ERR_PEER);
    assert_int_equal(rig->asked[0].outputs, 0);
}

/* What was published before the end counts; the rest is lost, once each. */
static void test_end(void **state)
{
    struct rig *rig = *state;
    rig->enclave.answer_max = 4;
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(ask(rig), CSN_OK);
    }
    assert_int_equal(csn_pump_step(&rig->pump), CSN_OK);
    rig->enclave.answer_max = 3;
    rig->enclave.is_dead = true;
    assert_int_equal(csn_pump_step(&rig->pump), CSN_ERR_CRASHED);
    csn_pump_lose(&rig->pump);
    assert_int_equal(csn_pump_inflight(&rig->pump), 0);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(rig->asked[i].finals, i < 7);
        assert_int_equal(rig->asked[i].losses, i >= 7);
    }
}

/* Dead before anything was taken: the step says so. */
static void test_dead(void **state)
{
    struct rig *rig = *state;
    rig->enclave.ring_room = 0;
    assert_int_equal(ask(rig), CSN_OK);
    rig->enclave.is_dead = true;
    assert_int_equal(csn_pump_step(&rig->pump), CSN_ERR_CRASHED);
    assert_int_equal(ask(rig), CSN_ERR_CRASHED);
}

/* A broken in ring, while answers are waited for that will not come. */
static void test_broken(void **state)
{
    struct rig *rig = *state;
    rig->enclave.answer_max = 0;
    assert_int_equal(ask(rig), CSN_OK);
    assert_int_equal(csn_pump_step(&rig->pump), CSN_AGAIN);
    csn_pump_rest(&rig->pump);
    rig->enclave.is_broken = true;
    assert_int_equal(ask(rig), CSN_OK);
    assert_int_equal(csn_pump_step(&rig->pump), CSN_ERR_PEER);
}

static void test_abandon(void **state)
{
    struct rig *rig = *state;
    void *place;
    for (uint32_t i = 0; i < COUNT_MAX; i++) {
        assert_int_equal(csn_pump_reserve(&rig->pump, SIZE, &place), CSN_OK);
    }
    assert_int_equal(csn_pump_reserve(&rig->pump, SIZE, &place), CSN_AGAIN);
    csn_pump_abandon(&rig->pump);
    assert_int_equal(ask(rig), CSN_OK);
    assert_int_equal(csn_pump_step(&rig->pump), CSN_OK);
    expect_all(rig, 1);
}

/* The loop sleeps on a descriptor: the waiter has the channel meanwhile, and wakes it. */
static void test_rest(void **state)
{
    struct rig *rig = *state;
    uint64_t count = 0;
    csn_pump_rest(&rig->pump); /* nothing to wait for */
    assert_false(csn_waiter_is_busy(&rig->pump.waiter));
    rig->enclave.answer_max = 0;
    assert_int_equal(ask(rig), CSN_OK);
    assert_int_equal(csn_pump_step(&rig->pump), CSN_AGAIN);
    csn_pump_rest(&rig->pump);
    assert_true(csn_waiter_is_busy(&rig->pump.waiter));
    rig->enclave.answer_max = 1;
    for (uint32_t i = 0; i < 100; i++) { /* receive() asserts that nobody waits */
        csn_pump_rest(&rig->pump);
        assert_int_equal(csn_pump_step(&rig->pump), CSN_AGAIN);
        usleep(100);
    }
    assert_int_equal(ask(rig), CSN_OK); /* submitting goes on */
    assert_int_equal(csn_pump_step(&rig->pump), CSN_AGAIN);
    assert_int_equal(rig->enclave.seen, 2);
    assert_int_equal(read(rig->event_fd, &count, sizeof count), -1);
    __atomic_store_n(&rig->enclave.is_released, 1, __ATOMIC_RELEASE);
    while (read(rig->event_fd, &count, sizeof count) < 0) {
        usleep(100);
    }
    assert_false(csn_waiter_is_busy(&rig->pump.waiter));
    assert_int_equal(csn_pump_step(&rig->pump), CSN_OK);
    assert_int_equal(rig->asked[0].finals, 1);
    assert_true(__atomic_load_n(&rig->enclave.waits, __ATOMIC_RELAXED) >= 2);
}

/* ---- what comes later ---- */

static void tell(struct rig *rig, uint32_t later, bool final)
{
    rig->enclave.told[rig->enclave.told_last].later = later;
    rig->enclave.told[rig->enclave.told_last++].final = final;
}

static void steps(struct rig *rig)
{
    csn_err err = CSN_OK;
    for (uint32_t i = 0; i < 1000 && err == CSN_OK; i++) {
        err = csn_pump_step(&rig->pump);
    }
    assert_int_equal(err, CSN_AGAIN);
}

/* Others pass by, many times around the table; each output reaches its own asker. */
static void test_later(void **state)
{
    struct rig *rig = *state;
    rig->enclave.later_every = 100;
    for (uint32_t i = 0; i < 3000; i++) {
        assert_int_equal(ask(rig), CSN_OK);
        steps(rig);
    }
    assert_int_equal(csn_pump_inflight(&rig->pump), 30);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 30; i++) {
            tell(rig, round == 2 ? 29 - i : i, round == 2);
        }
        steps(rig);
    }
    assert_int_equal(csn_pump_inflight(&rig->pump), 0);
    for (uint32_t i = 0; i < 3000; i++) {
        assert_int_equal(rig->asked[i].outputs, i % 100 == 0 ? 4 : 1);
        assert_int_equal(rig->asked[i].finals, 1);
    }
    tell(rig, 3, false); /* it is over: that is a lie */
    assert_int_equal(ask(rig), CSN_OK);
    assert_int_equal(csn_pump_step(&rig->pump), CSN_ERR_PEER);
}

static void test_later_limit(void **state)
{
    struct rig *rig = *state;
    rig->enclave.later_every = 1;
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        assert_int_equal(ask(rig), CSN_OK);
    }
    steps(rig);
    assert_int_equal(ask(rig), CSN_OK);
    assert_int_equal(csn_pump_step(&rig->pump), CSN_ERR_PEER);
    csn_pump_lose(&rig->pump);
    for (uint32_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->asked[i].losses, 1);
    }
}

/* A message of the pump's own tells the enclave, once, as soon as there is room. */
static void test_cancel(void **state)
{
    struct rig *rig = *state;
    struct csn_wire_cancel cancel;
    rig->enclave.later_every = 1;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(ask(rig), CSN_OK);
    }
    steps(rig);
    rig->enclave.count_max = 0;
    csn_pump_cancel(&rig->pump, &rig->asked[1]);
    csn_pump_cancel(&rig->pump, &rig->asked[1]);
    csn_pump_cancel(&rig->pump, &rig->count); /* of nobody */
    steps(rig);
    assert_int_equal(rig->enclave.taken_count, 3);
    rig->enclave.count_max = COUNT_MAX;
    steps(rig);
    steps(rig);
    assert_int_equal(rig->enclave.taken_count, 4);
    assert_int_equal(rig->enclave.taken[3].size, sizeof cancel);
    memcpy(&cancel, rig->enclave.taken[3].bytes, sizeof cancel);
    assert_int_equal(cancel.kind, CSN_WIRE_CANCEL);
    assert_int_equal(cancel.reserved, 0);
    assert_int_equal(cancel.tag, rig->enclave.taken[1].tag);
    assert_int_equal(csn_pump_inflight(&rig->pump), 3); /* its last output is still to come */
    tell(rig, 1, true);
    steps(rig);
    assert_int_equal(rig->asked[1].finals, 1);
    assert_int_equal(csn_pump_inflight(&rig->pump), 2);
    csn_pump_cancel(&rig->pump, &rig->asked[0]); /* and one that ends before it is told */
    tell(rig, 0, true);
    rig->enclave.count_max = 0;
    steps(rig);
    rig->enclave.count_max = COUNT_MAX;
    steps(rig);
    assert_int_equal(rig->enclave.taken_count, 4);
    assert_int_equal(rig->pump.unwanted_count, 0);
}

/* Silence of what comes later is no sign of an enclave that is stuck; of others it is. */
static void test_silence(void **state)
{
    struct rig *rig = *state;
    rig->enclave.later_every = 2;
    assert_int_equal(ask(rig), CSN_OK);
    steps(rig);
    assert_false(csn_pump_is_stuck(&rig->pump, 1000, 10));
    assert_false(csn_pump_is_stuck(&rig->pump, 2000, 10));
    rig->enclave.answer_max = 0;
    assert_int_equal(ask(rig), CSN_OK);
    steps(rig);
    assert_false(csn_pump_is_stuck(&rig->pump, 2005, 10));
    assert_true(csn_pump_is_stuck(&rig->pump, 3000, 10));
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGGED(test_order),   RIGGED(test_batches), RIGGED(test_full),  RIGGED(test_lies),
        RIGGED(test_early),   RIGGED(test_end),     RIGGED(test_dead),  RIGGED(test_broken),
        RIGGED(test_abandon), RIGGED(test_rest),    RIGGED(test_later), RIGGED(test_later_limit),
        RIGGED(test_cancel),  RIGGED(test_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
