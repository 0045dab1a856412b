/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_shuffle.c: many requests at once through the pumps of a real enclave, which is killed now
 * and then: each gets one answer that opens for nobody else, or is told that it is lost.
 *
 * test_shuffle BACKEND IMAGE [COUNT]. No tenant has granted, so each answer is a refusal; but it is
 * sealed by the enclave to whoever asked, as any other.
 */
#include "gateway/pump.h"
#include "sealed_request.h"
#include "skip.h"
#include <caisson/wire/message.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define CLIENTS 512u
#define LIVES   8u /* of the enclave */

struct client {
    struct sealed_request request;
    bool is_waiting;
    bool is_gone; /* does not want its answer any more */
    uint32_t boot;
};

struct crowd {
    const char *backend;
    uint8_t *image;
    size_t image_size;
    struct csn_enclave *enclave;
    struct csn_pump *pumps;
    uint32_t pump_count;
    uint8_t keys[CSN_WIRE_OHTTP_KEYS_SIZE];
    uint32_t keys_size;
    int event_fd;
    uint32_t boot;
    struct client clients[CLIENTS];
    uint64_t random;
    uint64_t asked, opened, dropped, lost, foreign;
};

static struct crowd crowd;
static uint64_t count_wanted = 4000;

static uint32_t draw(uint32_t below)
{
    crowd.random = crowd.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(crowd.random >> 33) % below;
}

/* ---- lives of the enclave ---- */

static void begin_life(void)
{
    const struct csn_enclave_options options = {.image = crowd.image,
                                                .image_size = crowd.image_size,
                                                .backend = crowd.backend,
                                                .inflight_count_max = CLIENTS};
    static struct csn_wire_boot_made made;
    struct csn_detail detail = {""};
    if (csn_enclave_create(&options, &crowd.enclave, &detail) != CSN_OK) {
        fail_msg("%s", detail.text);
    }
    crowd.pump_count = csn_enclave_channel_count(crowd.enclave);
    crowd.pumps = calloc(crowd.pump_count, sizeof *crowd.pumps);
    for (uint32_t i = 0; i < crowd.pump_count; i++) {
        assert_int_equal(csn_pump_init(&crowd.pumps[i], crowd.enclave, i, CLIENTS, crowd.event_fd),
                         CSN_OK);
    }
    assert_int_equal(csn_enclave_made(crowd.enclave, &made), CSN_OK);
    crowd.keys_size = made.ohttp_keys_size;
    memcpy(crowd.keys, made.ohttp_keys, sizeof crowd.keys);
    crowd.boot++;
}

static void end_life(void)
{
    (void)csn_enclave_stop(crowd.enclave);
    for (uint32_t i = 0; i < crowd.pump_count; i++) {
        csn_pump_lose(&crowd.pumps[i]);
        csn_pump_end(&crowd.pumps[i]);
    }
    csn_enclave_destroy(crowd.enclave);
    free(crowd.pumps);
}

/* ---- one client ---- */

/* Nobody else who waits may open it. Now and then: it costs as much as the right one. */
static void try_another(const struct client *client, const uint8_t *bytes, uint32_t size)
{
    static uint8_t copy[SEALED_REQUEST_ROOM];
    struct csn_bhttp_message message;
    const struct client *other = &crowd.clients[draw(CLIENTS)];
    if (other != client && other->is_waiting) {
        memcpy(copy, bytes, size);
        assert_false(sealed_request_open(&other->request, copy, size, &message));
        crowd.foreign++;
    }
}

static void take_output(void *state, const uint8_t *bytes, uint32_t size, bool final)
{
    static uint8_t copy[SEALED_REQUEST_ROOM];
    struct client *client = state;
    struct csn_wire_answer answer;
    struct csn_bhttp_message message;
    uint32_t begin;
    assert_true(client->is_waiting && client->boot == crowd.boot);
    assert_true(csn_wire_answer_read(bytes, size, &answer, &begin));
    assert_int_equal(answer.code, CSN_WIRE_ANSWERED);
    assert_true(final && answer.size <= sizeof copy);
    client->is_waiting = false;
    if (client->is_gone) {
        crowd.dropped++;
        return;
    }
    if (draw(4) == 0) {
        try_another(client, bytes + begin, answer.size);
    }
    memcpy(copy, bytes + begin, answer.size);
    assert_true(sealed_request_open(&client->request, copy, answer.size, &message));
    assert_in_range(message.status, 400, 499);
    crowd.opened++;
}

static void take_loss(void *state)
{
    struct client *client = state;
    assert_true(client->is_waiting && client->boot == crowd.boot);
    client->is_waiting = false;
    crowd.lost++;
}

static const struct csn_pump_asker asker = {take_output, take_loss};

static void ask(struct client *client)
{
    const struct csn_wire_request head = {.kind = CSN_WIRE_REQUEST};
    struct csn_pump *pump = &crowd.pumps[draw(crowd.pump_count)];
    char content[1024];
    void *place;
    memset(content, 'x', sizeof content);
    assert_true(sealed_request_make(&client->request, crowd.keys, crowd.keys_size, "/v1/echo", NULL,
                                    content, draw(sizeof content)));
    uint32_t size = sizeof head + client->request.size;
    if (csn_pump_reserve(pump, size, &place) != CSN_OK) {
        return; /* asks again later */
    }
    memcpy(place, &head, sizeof head);
    memcpy((uint8_t *)place + sizeof head, client->request.bytes, client->request.size);
    client->is_waiting = true;
    client->is_gone = draw(50) == 0;
    client->boot = crowd.boot;
    csn_pump_hand_over(pump, size, &asker, client);
    crowd.asked++;
}

/* ---- all of them ---- */

static bool step_all(void)
{
    bool moved = false;
    for (uint32_t i = 0; i < crowd.pump_count; i++) {
        csn_err err = csn_pump_step(&crowd.pumps[i]);
        assert_true(err == CSN_OK || err == CSN_AGAIN);
        moved |= err == CSN_OK;
    }
    return moved;
}

static void sleep_until_told(void)
{
    struct pollfd polled = {.fd = crowd.event_fd, .events = POLLIN};
    uint64_t count;
    for (uint32_t i = 0; i < crowd.pump_count; i++) {
        csn_pump_rest(&crowd.pumps[i]);
    }
    assert_int_equal(poll(&polled, 1, 10000), 1);
    assert_int_equal(read(crowd.event_fd, &count, sizeof count), sizeof count);
}

static bool is_anybody_waiting(void)
{
    for (uint32_t i = 0; i < crowd.pump_count; i++) {
        if (csn_pump_inflight(&crowd.pumps[i]) != 0) {
            return true;
        }
    }
    return false;
}

static void live(uint64_t until, bool to_the_end)
{
    while (crowd.asked < until || (to_the_end && is_anybody_waiting())) {
        uint32_t burst = crowd.asked < until ? draw(64) : 0;
        for (uint32_t i = 0; i < burst; i++) {
            struct client *client = &crowd.clients[draw(CLIENTS)];
            if (!client->is_waiting) {
                ask(client);
            }
        }
        if (!step_all() && is_anybody_waiting()) {
            sleep_until_told();
        }
    }
}

static void test_shuffle(void **state)
{
    (void)state;
    crowd.event_fd = eventfd(0, EFD_NONBLOCK);
    crowd.random = 1;
    for (uint32_t i = 1; i <= LIVES; i++) {
        begin_life();
        live(count_wanted * i / LIVES, i == LIVES);
        end_life();
    }
    close(crowd.event_fd);
    printf("# %llu asked: %llu opened, %llu dropped for clients that had gone, %llu lost with "
           "their enclave; %llu tried at another's\n",
           (unsigned long long)crowd.asked, (unsigned long long)crowd.opened,
           (unsigned long long)crowd.dropped, (unsigned long long)crowd.lost,
           (unsigned long long)crowd.foreign);
    assert_int_equal(crowd.opened + crowd.dropped + crowd.lost, crowd.asked);
    assert_true(crowd.foreign > crowd.asked / 100 && crowd.opened > crowd.asked / 2);
}

static bool read_image(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    crowd.image = malloc(4 << 20);
    crowd.image_size = fread(crowd.image, 1, 4 << 20, file);
    fclose(file);
    return crowd.image_size != 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shuffle)};
    if (argc < 3 || !read_image(argv[2])) {
        return test_skip("no image");
    }
    crowd.backend = argv[1];
    count_wanted = argc > 3 ? strtoull(argv[3], NULL, 10) : count_wanted;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(crowd.image);
    return failed;
}
