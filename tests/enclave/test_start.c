/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_start.c: does a whole image (start-up, loop, sessions) start on a backend, answer pings of
 * every size, and use as much memory as the size table says? usage: test_start BACKEND
 */
#include "../skip.h"
#include "core/bytes.h"
#include "crypto/sha2.h"
#include "enclave/size.h"
#include "image/support/elf.h"
#include "ohttp/bhttp.h"
#include "ohttp/ohttp.h"
#include <caisson/host.h>
#include <caisson/wire/message.h>
#include <caisson/wire/record.h>
#include <caisson/wire/stop.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define WAIT_NS UINT64_C(10000000000)

static const char *backend;

static csn_err try_start(const char *path, struct csn_enclave **enclave, struct csn_detail *detail)
{
    struct elf_file file;
    if (elf_load(&file, path) != 0) {
        return CSN_ERR_SYSTEM;
    }
    const struct csn_enclave_options options = {
        .image = file.bytes, .image_size = file.size, .backend = backend};
    csn_err err = csn_enclave_create(&options, enclave, detail);
    elf_free(&file);
    return err;
}

static struct csn_enclave *start(const char *path)
{
    struct csn_enclave *enclave = NULL;
    struct csn_detail detail = {""};
    csn_err err = try_start(path, &enclave, &detail);
    if (err != CSN_OK) {
        fail_msg("%s: %s", path, detail.text);
    }
    return enclave;
}

static void ping(struct csn_enclave *enclave, uint32_t channel, uint64_t tag, uint32_t size)
{
    static uint8_t body[0x20000];
    static uint8_t answer[0x20000];
    const uint32_t kind = CSN_WIRE_PING;
    struct csn_output output;
    for (uint32_t i = 0; i < size; i++) {
        body[i] = (uint8_t)(i * 7 + tag);
    }
    memcpy(body, &kind, sizeof kind);
    assert_int_equal(csn_enclave_submit(enclave, channel, tag, body, size), CSN_OK);
    assert_int_equal(csn_enclave_flush(enclave, channel), CSN_OK);
    csn_err err;
    while ((err = csn_enclave_receive(enclave, channel, answer, &output)) == CSN_AGAIN) {
        assert_int_equal(csn_enclave_wait(enclave, channel, WAIT_NS), CSN_OK);
    }
    assert_int_equal(err, CSN_OK);
    assert_int_equal(output.tag, tag);
    assert_true(output.final);
    assert_int_equal(output.size, size + sizeof(struct csn_wire_answer));
    const struct csn_wire_answer wanted = {.code = CSN_WIRE_PONG, .size = size};
    assert_memory_equal(answer, &wanted, sizeof wanted);
    assert_memory_equal(answer + sizeof wanted, body, size);
}

/*
 * A worker measures its stack when it parks, which may be after its last answer was read: wait for
 * it, with a bound.
 */
static void stats_of_parked(const struct csn_enclave *enclave, uint32_t worker,
                            struct csn_wire_boot_stats *stats)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    assert_int_equal(csn_enclave_stats(enclave, worker, stats), CSN_OK);
    for (int tries = 0; tries < 5000 && stats->stack_high_water == 0; tries++) {
        nanosleep(&pause, NULL);
        assert_int_equal(csn_enclave_stats(enclave, worker, stats), CSN_OK);
    }
}

static void run(const char *path)
{
    struct csn_enclave *enclave = start(path);
    const struct csn_wire_manifest *manifest = csn_enclave_manifest(enclave);
    uint32_t channels = manifest->worker_count * manifest->channel_count;
    for (uint32_t channel = 0; channel < channels; channel++) {
        for (uint32_t size = 4; size <= manifest->input_size_max; size += 997) {
            ping(enclave, channel, size, size);
        }
        ping(enclave, channel, 1, manifest->input_size_max);
    }
    for (uint32_t worker = 0; worker < manifest->worker_count; worker++) {
        struct csn_wire_boot_stats stats;
        stats_of_parked(enclave, worker, &stats);
        assert_int_equal(stats.inputs, stats.outputs);
        assert_int_equal(stats.poisoned, 0);
        assert_true(stats.carves > 0 && stats.pool_used > 0);
        assert_true(stats.pool_used <= cse_size_share(manifest));
        assert_true(stats.stack_high_water > 0);
        assert_true(stats.stack_high_water < manifest->stack_size);
    }
    csn_enclave_destroy(enclave);
}

static void test_ping_image(void **state)
{
    (void)state;
    run("tests/images/ping.elf");
}

static void test_echo_image(void **state)
{
    (void)state;
    run("enclaves/echo.elf");
}

/* One request of nobody to each worker, sealed to the key that the image gives: a sealed 401. */
static void ask(struct csn_enclave *enclave, uint32_t channel, enum csn_aead aead)
{
    static const uint8_t request[] = "\x00\x03GET\x05https\x01"
                                     "a\x01/\x00\x00"; /* and a zero */
    static uint8_t answer[0x20000];
    uint8_t message[sizeof(struct csn_wire_request) + CSN_OHTTP_HEAD_SIZE + sizeof request + 16];
    const struct csn_wire_request head = {.kind = CSN_WIRE_REQUEST};
    const uint8_t ephemeral[32] = {7, (uint8_t)aead};
    struct csn_wire_boot_made made;
    struct csn_ohttp_config config;
    struct csn_ohttp_exchange exchange;
    struct csn_ohttp_answer opened;
    struct csn_bhttp_message response;
    struct csn_output output;
    uint32_t offset = 0;
    csn_err err;
    assert_int_equal(csn_enclave_made(enclave, &made), CSN_OK);
    assert_int_equal(csn_ohttp_keys_next(made.ohttp_keys, made.ohttp_keys_size, &offset, &config),
                     CSN_OK);
    memcpy(message, &head, sizeof head);
    assert_int_equal(
        csn_ohttp_send(&exchange, &config, aead, CSN_OHTTP_WHOLE, ephemeral, message + sizeof head),
        CSN_OK);
    assert_int_equal(csn_ohttp_seal(&exchange, true, request, sizeof request,
                                    message + sizeof head + CSN_OHTTP_HEAD_SIZE),
                     CSN_OK);
    assert_int_equal(csn_enclave_submit(enclave, channel, 9, message, sizeof message), CSN_OK);
    assert_int_equal(csn_enclave_flush(enclave, channel), CSN_OK);
    while ((err = csn_enclave_receive(enclave, channel, answer, &output)) == CSN_AGAIN) {
        assert_int_equal(csn_enclave_wait(enclave, channel, WAIT_NS), CSN_OK);
    }
    assert_int_equal(err, CSN_OK);
    assert_int_equal(csn_load_u32(answer), CSN_WIRE_ANSWERED);
    uint32_t before = sizeof(struct csn_wire_answer) + csn_ohttp_nonce_size(&exchange);
    csn_ohttp_answer(&exchange, answer + sizeof(struct csn_wire_answer), &opened);
    assert_int_equal(csn_ohttp_answer_open(&opened, true, answer + before, output.size - before,
                                           answer + before),
                     CSN_OK);
    assert_int_equal(csn_bhttp_read(answer + before, output.size - before - 16, &response, &offset),
                     CSN_OK);
    assert_int_equal(response.status, 401);
}

static void test_requests(void **state)
{
    (void)state;
    struct csn_enclave *enclave = start("enclaves/echo.elf");
    const struct csn_wire_manifest *manifest = csn_enclave_manifest(enclave);
    for (uint32_t channel = 0; channel < manifest->worker_count * manifest->channel_count;
         channel++) {
        for (uint32_t aead = CSN_AEAD_AES_128_GCM; aead <= CSN_AEAD_CHACHA20_POLY1305; aead++) {
            ask(enclave, channel, (enum csn_aead)aead);
        }
    }
    csn_enclave_destroy(enclave);
}

/* The table is an upper bound, and not by more than the rounding of a few carves. */
static void test_size_table(void **state)
{
    struct csn_enclave *enclave = start("enclaves/echo.elf");
    const struct csn_wire_manifest *manifest = csn_enclave_manifest(enclave);
    struct csn_wire_boot_stats stats;
    (void)state;
    assert_int_equal(csn_enclave_stats(enclave, 0, &stats), CSN_OK);
    uint64_t need = cse_size_need(manifest);
    assert_true(stats.pool_used <= need);
    assert_true(need - stats.pool_used < 4096);
    assert_true(need <= cse_size_share(manifest));
    csn_enclave_destroy(enclave);
}

/* One configuration, with all three AEADs; what evidence lists is the hash of those very bytes. */
static void expect_request_key(const struct csn_wire_boot_made *made)
{
    struct csn_ohttp_config config;
    uint8_t hash[32];
    uint32_t offset = 0;
    assert_int_equal(made->ohttp_keys_size, CSN_OHTTP_KEYS_SIZE);
    assert_int_equal(csn_ohttp_keys_next(made->ohttp_keys, made->ohttp_keys_size, &offset, &config),
                     CSN_OK);
    assert_int_equal(offset, made->ohttp_keys_size);
    assert_int_equal(config.aeads, 0xe);
    csn_sha256(config.public_key, 32, hash);
    assert_int_equal(config.key_id, hash[0]);
    csn_sha256(made->ohttp_keys, made->ohttp_keys_size, hash);
    assert_int_equal(made->keys[1].purpose, CSN_WIRE_KEY_OHTTP);
    assert_int_equal(made->keys[1].suite, CSN_WIRE_SUITE);
    assert_memory_equal(made->keys[1].public_key, hash, 32);
    assert_memory_equal(made->keys[1].tenant, (uint8_t[32]){0}, 32);
}

/* Two starts never share a key or a boot id. */
static void test_fresh_keys(void **state)
{
    struct csn_wire_boot_made made[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct csn_enclave *enclave = start("enclaves/echo.elf");
        assert_int_equal(csn_enclave_made(enclave, &made[i]), CSN_OK);
        csn_enclave_destroy(enclave);
        assert_int_equal(made[i].state, CSN_WIRE_STATE_SERVING);
        assert_int_equal(made[i].key_count, 2);
        assert_int_equal(made[i].keys[0].purpose, CSN_WIRE_KEY_INSTANCE);
        expect_request_key(&made[i]);
    }
    assert_memory_not_equal(made[0].ohttp_keys, made[1].ohttp_keys, CSN_OHTTP_KEYS_SIZE);
    assert_memory_not_equal(made[0].boot_id, made[1].boot_id, 16);
    assert_memory_not_equal(made[0].keys[0].public_key, made[1].keys[0].public_key, 32);
}

/* Whether an image serves a ping. If not, it must say that a kernel failed its test. */
static bool serves(const char *path)
{
    static uint8_t answer[0x20000];
    const uint32_t kind = CSN_WIRE_PING;
    struct csn_enclave *enclave = NULL;
    struct csn_detail detail = {""};
    struct csn_output output;
    struct csn_fate fate;
    char decimal[32];
    char hexadecimal[32];
    snprintf(decimal, sizeof decimal, "code %u", (unsigned)CSN_WIRE_STOP_CPU);
    snprintf(hexadecimal, sizeof hexadecimal, "code 0x%x", (unsigned)CSN_WIRE_STOP_CPU);
    csn_err err = try_start(path, &enclave, &detail);
    if (err != CSN_OK) {
        assert_int_equal(err, CSN_ERR_CRASHED);
        assert_true(strstr(detail.text, decimal) != NULL ||
                    strstr(detail.text, hexadecimal) != NULL);
        return false;
    }
    (void)!csn_enclave_submit(enclave, 0, 1, &kind, sizeof kind);
    (void)!csn_enclave_flush(enclave, 0);
    while ((err = csn_enclave_receive(enclave, 0, answer, &output)) == CSN_AGAIN &&
           csn_enclave_wait(enclave, 0, WAIT_NS) == CSN_OK) {
    }
    assert_int_equal(csn_enclave_fate(enclave, &fate), CSN_OK);
    if (err != CSN_OK) {
        assert_int_equal(fate.kind, CSN_FATE_REFUSED);
        assert_int_equal(fate.code, CSN_WIRE_STOP_CPU);
    }
    csn_enclave_destroy(enclave);
    return err == CSN_OK;
}

static void test_no_service_without_self_tests(void **state)
{
    (void)state;
    assert_false(serves("tests/enclave/failing_exchange.elf"));
    assert_false(serves("tests/enclave/failing_signature.elf"));
    assert_true(serves("tests/enclave/failing_unproved.elf")); /* the control */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ping_image), cmocka_unit_test(test_echo_image),
        cmocka_unit_test(test_requests),   cmocka_unit_test(test_size_table),
        cmocka_unit_test(test_fresh_keys), cmocka_unit_test(test_no_service_without_self_tests),
    };
    backend = argc > 1 ? argv[1] : "process";
    struct csn_enclave *enclave = NULL;
    struct csn_detail detail = {""};
    csn_err err = try_start("tests/images/ping.elf", &enclave, &detail);
    csn_enclave_destroy(enclave);
    if (err == CSN_ERR_MISSING || err == CSN_ERR_ARGUMENT) {
        return test_skip(detail.text);
    }
    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}
