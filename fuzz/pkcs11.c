/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pkcs11.c: what libcaisson-pkcs11 makes of an enclave's answers in the binary form.
 *
 * First byte, modulo 5: 0 list, 1 info, 2 create, 3 delete, 4 use. Second: the operation and the
 * hash of a use, and bit 7: answers are as long as the room for them (their outputs, over and
 * over). Third: the status, from a table. Fourth: room for an output, in steps of 8 bytes. Then the
 * answer to each ask, its size (u16) before it. Oracle: what is handed out is what stands in the
 * answer, or nothing; keys of a list have no public half; nothing that makes or deletes a key may
 * be repeated; asking comes to an end.
 */
#include "../src/pkcs11/lane.h"
#include "../src/pkcs11/service.h"
#include "check.h"
#include <string.h>

#define ROOM_MAX   2040u
#define ANSWER_MAX 140000u
#define ASKED      "key"
#define HEADS      (sizeof(struct csn_wire_transit_answer) + sizeof(struct csn_wire_transit_result))

/* ---- in place of lanes.c: the input answers ---- */

static const uint8_t *next;
static size_t left;
static bool is_long;
static uint32_t status;
static uint32_t asks;
static uint8_t answer[ANSWER_MAX];
static uint32_t answer_size, answer_room;
static uint16_t operation; /* of the request */
static char last[CSN_WIRE_TRANSIT_NAME_SIZE];

struct p11_lanes *p11_lanes_create(const struct p11_settings *settings, const char **why)
{
    static int lanes;
    (void)settings;
    (void)why;
    return (struct p11_lanes *)(void *)&lanes;
}

void p11_lanes_destroy(struct p11_lanes *lanes)
{
    (void)lanes;
}

void p11_lanes_forget(struct p11_lanes *lanes)
{
    (void)lanes;
}

static void check_request(const struct p11_exchange *exchange)
{
    struct csn_wire_transit_request head;
    struct csn_wire_transit_item item;
    const uint8_t *bytes = exchange->request;
    CHECK(exchange->request_size >= sizeof head + sizeof item && exchange->request_size % 8 == 0);
    memcpy(&head, bytes, sizeof head);
    memcpy(&item, bytes + sizeof head, sizeof item);
    CHECK(head.version == CSN_WIRE_TRANSIT_VERSION && head.item_count == 1);
    CHECK(head.name[head.name_size] == 0);
    CHECK(sizeof head + sizeof item + item.input_size + item.extra_size <= exchange->request_size);
    operation = head.operation;
    CHECK(!exchange->is_repeatable ||
          (operation != CSN_WIRE_TRANSIT_CREATE && operation != CSN_WIRE_TRANSIT_DELETE));
    if (operation == CSN_WIRE_TRANSIT_LIST) {
        CHECK(item.input_size == strlen(last));
        CHECK(memcmp(bytes + sizeof head + sizeof item, last, item.input_size) == 0);
    }
}

/* The next answer of the input; behind the last one there are empty ones. */
static void take_answer(uint32_t room)
{
    size_t size = left >= 2 ? (size_t)(next[0] | next[1] << 8) : 0;
    size_t skip = left >= 2 ? 2 : left;
    size = size < left - skip ? size : left - skip;
    size = size < sizeof answer ? size : sizeof answer;
    memcpy(answer, next + skip, size);
    next += skip + size;
    left -= skip + size;
    answer_size = (uint32_t)size;
    if (is_long && size > HEADS && room > size && room <= ANSWER_MAX) {
        struct csn_wire_transit_result result;
        for (size_t i = size; i < room; i++) {
            answer[i] = answer[i - (size - HEADS)];
        }
        memcpy(&result, answer + sizeof(struct csn_wire_transit_answer), sizeof result);
        result.output_size = room - result.second_size - (uint32_t)HEADS;
        memcpy(answer + sizeof(struct csn_wire_transit_answer), &result, sizeof result);
        answer_size = room;
    }
}

csn_err p11_lanes_exchange(struct p11_lanes *lanes, struct p11_exchange *exchange)
{
    (void)lanes;
    CHECK(asks++ < 1024);
    check_request(exchange);
    answer_room = exchange->answer_size_max;
    take_answer(answer_room);
    exchange->status = status;
    exchange->answer_size = answer_size;
    snprintf(exchange->why, sizeof exchange->why, "%u", status);
    if (status == 0 || (status == 200 && answer_size > answer_room)) {
        return CSN_ERR_SPACE;
    }
    if (status == 200) { /* and behind it nothing that anybody should read */
        uint32_t beyond = answer_room - answer_size < 4096 ? answer_room - answer_size : 4096;
        memcpy(exchange->answer, answer, answer_size);
        memset(exchange->answer + answer_size, 0xee, beyond);
    }
    return CSN_OK;
}

/* ---- what stands in the answer, by other code ---- */

struct output {
    const uint8_t *bytes; /* NULL: it is no answer to this request */
    uint32_t size;
};

static struct output expected(void)
{
    uint16_t half[2];
    uint32_t word[4];
    if (status != 200 || answer_size < HEADS || answer_size > answer_room) {
        return (struct output){NULL, 0};
    }
    memcpy(half, answer, sizeof half);
    memcpy(word, answer + 4, sizeof word[0]);
    bool good = half[0] == 1 && half[1] == operation && word[0] == 1;
    memcpy(word, answer + HEADS - sizeof word, sizeof word);
    uint64_t both = (uint64_t)word[2] + word[3];
    good = good && word[0] == CSN_WIRE_STATUS_OK && both + HEADS <= answer_size;
    return good ? (struct output){answer + HEADS, word[2]} : (struct output){NULL, 0};
}

static void check_key(const struct p11_key_info *info, const uint8_t *bytes, bool with_public)
{
    struct csn_wire_transit_key key;
    memcpy(&key, bytes, sizeof key);
    CHECK(memchr(info->name, 0, sizeof info->name) != NULL);
    CHECK(memcmp(info->name, key.name, sizeof key.name) == 0);
    CHECK(memcmp(info->id, key.id, sizeof key.id) == 0);
    CHECK(info->type == key.type && info->operations == key.operations);
    uint32_t size = with_public && key.public_size <= P11_PUBLIC_MAX ? key.public_size : 0;
    CHECK(info->public_size == size);
    CHECK(memcmp(info->public_key, bytes + sizeof key, size) == 0);
}

static uint32_t taken; /* of this page */

static CK_RV take(void *state, const struct p11_key_info *info)
{
    uint32_t *page = state;
    const struct output output = expected();
    taken = *page == asks ? taken + 1 : 0;
    *page = asks;
    size_t at = taken * sizeof(struct csn_wire_transit_key);
    CHECK(output.bytes != NULL && at + sizeof(struct csn_wire_transit_key) <= output.size);
    check_key(info, output.bytes + at, false);
    memcpy(last, info->name, sizeof last);
    return CKR_OK;
}

/* ---- calls ---- */

static void call_use(struct p11_service *service, uint8_t which, size_t room)
{
    static uint8_t bytes[ROOM_MAX + 8];
    const struct p11_key_info key = {.name = ASKED, .version = 3};
    const struct p11_use use = {.operation = which & 15,
                                .hash = which >> 4 & 3,
                                .output_size = (uint32_t)room,
                                .input = {(const uint8_t *)"input", 5},
                                .extra = {(const uint8_t *)"extra", which % 6}};
    size_t size = room;
    memset(bytes, 0xa5, sizeof bytes);
    CK_RV rv = p11_service_use(service, use.operation != CSN_WIRE_TRANSIT_RANDOM ? &key : NULL,
                               &use, bytes, &size);
    const struct output output = expected();
    bool fits = output.bytes != NULL && output.size <= room;
    CHECK((rv == CKR_OK) == fits && (rv == CKR_OK || size == room));
    CHECK(!fits || (size == output.size && memcmp(bytes, output.bytes, size) == 0));
    for (size_t i = fits ? size : 0; i < sizeof bytes; i++) {
        CHECK(bytes[i] == 0xa5);
    }
    CHECK(p11_service_was_surprised(service) == (rv == CKR_KEY_HANDLE_INVALID));
}

static void call_one(struct p11_service *service, uint8_t kind, uint8_t which, size_t room)
{
    struct p11_key_info info = {.name = ASKED, .type = which % 8 + 1u};
    uint32_t page = 0;
    CK_RV rv;
    switch (kind) {
    case 0:
        last[0] = 0;
        (void)p11_service_list(service, take, &page);
        break;
    case 1:
    case 2:
        rv = kind == 1 ? p11_service_info(service, &info) : p11_service_create_key(service, &info);
        if (rv == CKR_OK) {
            const struct output output = expected();
            CHECK(output.bytes != NULL && output.size >= sizeof(struct csn_wire_transit_key));
            CHECK(strcmp(info.name, ASKED) == 0);
            check_key(&info, output.bytes, true);
        }
        break;
    case 3:
        rv = p11_service_delete_key(service, &info);
        CHECK(rv != CKR_OK || expected().bytes != NULL);
        break;
    default:
        call_use(service, which, room);
    }
    CHECK(strlen(p11_service_why()) < 320);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t statuses[] = {200, 200, 200, 200, 200, 403, 404, 413, 422, 400, 500, 0};
    static const struct p11_settings settings = {.debug = false};
    static struct p11_service *service;
    const char *why;
    if (size < 4) {
        return 0;
    }
    if (service == NULL) {
        CHECK(p11_service_create(&settings, &service, &why) == CKR_OK);
    }
    is_long = (data[1] & 128) != 0;
    status = statuses[data[2] % (sizeof statuses / sizeof statuses[0])];
    next = data + 4;
    left = size - 4;
    asks = 0;
    call_one(service, data[0] % 5, data[1] & 127, (size_t)data[3] * 8);
    return 0;
}
