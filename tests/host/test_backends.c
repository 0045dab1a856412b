/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_backends.c: libcaisson with a real image on a named backend: pings in order, an enclave
 * that is ended at random points, exactly the unfinished inputs handed back and served.
 *
 * Usage: test_backends BACKEND IMAGE
 */
#include "named.h"
#include "outside.h"
#include <caisson/host.h>
#include <caisson/wire/message.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define WAIT_NS UINT64_C(5000000000)
#define PINGS   20000u
#define ROUNDS  10u

#define IN_FLIGHT 131072u /* so that a ring is full first */
#define STALLS    200u

static uint64_t answered;
static uint8_t *target;

static struct csn_enclave *start(void)
{
    struct csn_enclave *enclave = NULL;
    struct csn_detail detail = {""};
    csn_err result = csn_enclave_create(&named_options, &enclave, &detail);
    if (result != CSN_OK) {
        fail_msg("%s: %s", csn_err_name(result), detail.text);
    }
    target = malloc(csn_enclave_manifest(enclave)->output_size_max);
    answered = 0;
    return enclave;
}

static void end(struct csn_enclave *enclave)
{
    csn_enclave_destroy(enclave);
    free(target);
}

static csn_err ping(struct csn_enclave *enclave, uint64_t tag)
{
    uint32_t words[64] = {CSN_WIRE_PING, (uint32_t)tag};
    return csn_enclave_submit(enclave, 0, tag, words, 8 + (uint32_t)tag % 60 * 4);
}

/* One output, in order and with its bytes, or the reason why there is none. */
static csn_err pong(struct csn_enclave *enclave)
{
    struct csn_output output;
    csn_err result = csn_enclave_receive(enclave, 0, target, &output);
    while (result == CSN_AGAIN) {
        result = csn_enclave_wait(enclave, 0, WAIT_NS);
        if (result != CSN_OK) {
            return result;
        }
        result = csn_enclave_receive(enclave, 0, target, &output);
    }
    if (result == CSN_OK) {
        uint32_t words[4];
        memcpy(words, target, sizeof words);
        assert_int_equal(output.tag, answered);
        assert_int_equal(words[0], CSN_WIRE_PONG);
        assert_int_equal(words[3], (uint32_t)answered);
        assert_true(output.final);
        answered++;
    }
    return result;
}

static void pings_come_back(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start();
    for (uint64_t tag = 0; tag < PINGS;) {
        csn_err result = ping(enclave, tag);
        tag += result == CSN_OK;
        if (result != CSN_OK) {
            assert_int_equal(result, CSN_AGAIN);
            assert_int_equal(pong(enclave), CSN_OK);
        }
    }
    assert_int_equal(csn_enclave_flush(enclave, 0), CSN_OK);
    while (answered < PINGS) {
        assert_int_equal(pong(enclave), CSN_OK);
    }
    struct csn_wire_boot_stats stats;
    /* At most one wait returns early: room came after the last submit that found none. */
    csn_err idle = csn_enclave_wait(enclave, 0, 20000000);
    idle = idle == CSN_OK ? csn_enclave_wait(enclave, 0, 20000000) : idle;
    assert_int_equal(idle, CSN_AGAIN);
    assert_int_equal(csn_enclave_stats(enclave, 0, &stats), CSN_OK);
    assert_int_equal(stats.inputs, PINGS);
    assert_int_equal(stats.outputs, PINGS);
    assert_true(stats.parks > 0); /* it sleeps now */
    assert_int_equal(stats.parks_with_credit, 0);
    end(enclave);
}

/*
 * A consumer that stops reading: the enclave goes on until its ring is full, then leaves input
 * unread and sleeps; once the consumer goes on, every input is answered, in order and once.
 */
static void a_consumer_that_stops(void **state)
{
    (void)state;
    named_options.inflight_count_max = IN_FLIGHT;
    struct csn_enclave *enclave = start();
    named_options.inflight_count_max = 0;
    struct csn_wire_boot_stats stats;
    const struct timespec pause = {.tv_nsec = 1000000};
    uint64_t next = 0;
    for (uint32_t refused = 0; refused < STALLS;) {
        csn_err result = ping(enclave, next);
        if (result == CSN_OK) {
            next++;
            refused = 0;
        } else {
            assert_int_equal(result, CSN_AGAIN);
            refused++;
            nanosleep(&pause, NULL);
        }
    }
    assert_int_equal(csn_enclave_stats(enclave, 0, &stats), CSN_OK);
    printf("# %llu submitted, %llu answered, %llu parks\n", (unsigned long long)next,
           (unsigned long long)stats.outputs, (unsigned long long)stats.parks);
    assert_true(stats.outputs < next); /* its ring is full */
    assert_true(stats.parks > 0);
    assert_int_equal(stats.parks_with_credit, 0);
    while (answered < next) {
        assert_int_equal(pong(enclave), CSN_OK);
    }
    assert_int_equal(ping(enclave, next), CSN_OK);
    assert_int_equal(csn_enclave_flush(enclave, 0), CSN_OK);
    assert_int_equal(pong(enclave), CSN_OK);
    assert_int_equal(csn_enclave_stats(enclave, 0, &stats), CSN_OK);
    assert_int_equal(stats.outputs, next + 1);
    end(enclave);
}

static uint64_t listed;

static void list(void *state, uint64_t tag, const void *message, uint32_t size)
{
    (void)state;
    uint32_t words[2];
    memcpy(words, message, sizeof words);
    assert_int_equal(tag, answered + listed);
    assert_int_equal(words[1], (uint32_t)tag);
    assert_int_equal(size, 8 + (uint32_t)tag % 60 * 4);
    listed++;
}

static void what_a_kill_interrupts_is_handed_back_and_served(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start();
    uint64_t next = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint64_t until = next + 50 + (round * 7919u) % 900;
        while (next < until) {
            csn_err result = ping(enclave, next);
            next += result == CSN_OK;
            if (result != CSN_OK) {
                assert_int_equal(result, CSN_AGAIN);
                assert_int_equal(pong(enclave), CSN_OK);
            }
        }
        outside_end(enclave);
        csn_err result = CSN_OK;
        while (result == CSN_OK) {
            result = pong(enclave);
        }
        assert_int_equal(result, CSN_ERR_CRASHED);
        listed = 0;
        assert_int_equal(csn_enclave_unfinished(enclave, 0, list, NULL), CSN_OK);
        assert_int_equal(listed, next - answered);
        struct csn_detail detail = {""};
        if (csn_enclave_restart(enclave, &detail) != CSN_OK) {
            fail_msg("restart: %s", detail.text);
        }
        while ((result = csn_enclave_resubmit(enclave, 0)) == CSN_AGAIN) {
            assert_int_equal(pong(enclave), CSN_OK);
        }
        assert_int_equal(result, CSN_OK);
        assert_int_equal(answered, next);
    }
    end(enclave);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pings_come_back),
        cmocka_unit_test(a_consumer_that_stops),
        cmocka_unit_test(what_a_kill_interrupts_is_handed_back_and_served),
    };
    int ready = named_begin(count, arguments);
    return ready >= 0 ? ready : cmocka_run_group_tests_name("host on a backend", tests, NULL, NULL);
}
