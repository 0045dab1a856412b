/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_backends.c: libcaisson with a real image on a named backend: pings in order, an enclave
 * that is ended at random points, exactly the unfinished inputs handed back and served.
 *
 * Usage: test_backends BACKEND IMAGE
 */
#include "children.h"
#include <caisson/host.h>
#include <caisson/wire/message.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WAIT_NS UINT64_C(5000000000)
#define PINGS   20000u
#define ROUNDS  10u

static const char *backend_name;
static uint8_t *image;
static size_t image_size;
static uint64_t answered;
static uint8_t *target;

static struct csn_enclave *start(void)
{
    const struct csn_enclave_options options = {
        .image = image, .image_size = image_size, .backend = backend_name};
    struct csn_enclave *enclave = NULL;
    struct csn_detail detail = {""};
    csn_err result = csn_enclave_create(&options, &enclave, &detail);
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

/* Ends it: by SIGKILL to the enclave's process where it is one, else by the backend. */
static void kill_it(struct csn_enclave *enclave)
{
    if (strcmp(backend_name, "process") == 0) {
        assert_true(children_signal(SIGKILL));
    } else {
        assert_int_equal(csn_enclave_stop(enclave), CSN_OK);
    }
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
        kill_it(enclave);
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

/* Meson takes cmocka's "not ok # SKIP" for a failure, so the whole program is skipped instead. */
static bool is_missing(struct csn_detail *detail)
{
    const struct csn_enclave_options options = {
        .image = image, .image_size = image_size, .backend = backend_name};
    struct csn_enclave *enclave = NULL;
    csn_err result = csn_enclave_create(&options, &enclave, detail);
    csn_enclave_destroy(enclave);
    return result == CSN_ERR_MISSING;
}

static int read_image(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return -1;
    }
    image = malloc(16u << 20);
    image_size = fread(image, 1, 16u << 20, file);
    fclose(file);
    return 0;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pings_come_back),
        cmocka_unit_test(what_a_kill_interrupts_is_handed_back_and_served),
    };
    if (count != 3 || read_image(arguments[2]) != 0) {
        fprintf(stderr, "usage: test_backends BACKEND IMAGE\n");
        return 2;
    }
    backend_name = arguments[1];
    struct csn_detail detail = {""};
    if (is_missing(&detail)) {
        printf("1..0 # SKIP %s\n", detail.text);
        return 0;
    }
    return cmocka_run_group_tests_name("host on a backend", tests, NULL, NULL);
}
