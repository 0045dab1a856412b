/* SPDX-License-Identifier: Apache-2.0 */
/* test_request_record.c: requests over HTTP as the payload of records, in either form. */
#include "asker.h"
#include "solo.h"

static uint8_t reply[262144]; /* payloads of all outputs, one behind the other */
static uint32_t reply_size;
static struct csn_wire_result result;
static struct csn_bhttp_message response;

static struct ask ask_for(const char *path, const void *content, uint32_t size)
{
    return (struct ask){.path = path, .content = content, .content_size = size};
}

/* Seals it, sends it, and opens all outputs: the result's status. */
static uint32_t send_record(struct csv_sealer *sealer, const struct ask *ask, uint16_t operation)
{
    static uint8_t plain[CSN_WIRE_PAYLOAD_MAX];
    uint32_t size = asker_write(ask, NULL, plain, sizeof plain);
    uint32_t fault;
    fake_one(&fake, record, solo_seal(sealer, operation, plain, size));
    reply_size = 0;
    for (uint32_t i = 0; i < fake.answer_count; i++) {
        const struct fake_answer *answer = &fake.answers[i];
        assert_int_equal(answer->code, CSN_WIRE_DONE);
        assert_int_equal(answer->final, i + 1 == fake.answer_count);
        assert_int_equal(
            csv_reply_open(sealer, answer->body, answer->size, &result, reply + reply_size, &size),
            CSN_OK);
        assert_int_equal(result.part, i);
        assert_int_equal(result.part_count, fake.answer_count);
        reply_size += size;
    }
    if (result.status == CSN_WIRE_STATUS_OK && operation == CSN_WIRE_OPERATION_HTTP) {
        assert_int_equal(csn_bhttp_read(reply, reply_size, &response, &fault), CSN_OK);
        assert_true(response.is_response);
    }
    return result.status;
}

static void expect(struct csv_sealer *sealer, const struct ask *ask, uint32_t status)
{
    assert_int_equal(send_record(sealer, ask, CSN_WIRE_OPERATION_HTTP), CSN_WIRE_STATUS_OK);
    assert_int_equal(response.status, status);
}

static void expect_content(const void *content, uint32_t size)
{
    assert_int_equal(response.content.size, size);
    assert_memory_equal(response.content.bytes, content, size);
}

/* Full and short form; no credential is in the request, and any that may submit will do. */
static void both_forms(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    for (uint32_t form = 0; form < 2; form++) {
        struct ask ask = ask_for("/echo", "abc", 3);
        expect(sealer, &ask, 200);
        expect_content("abc", 3);
        assert_int_equal(fake.answers[0].alone, form == 1);
        ask.path = "/none";
        expect(sealer, &ask, 404);
        ask.path = "/fail";
        expect(sealer, &ask, 400);
        ask.path = "/late";
        expect(sealer, &ask, 200);
        expect_content("abc", 3);
        ask.headers[0] = "authorization"; /* another's word for it counts for nothing here */
        ask.headers[1] = "Bearer nonsense";
        expect(sealer, &ask, 200);
        ask.headers[0] = "caisson-purpose"; /* the record says it */
        ask.headers[1] = "1";
        expect(sealer, &ask, 400);
        ask.headers[1] = "0";
        expect(sealer, &ask, 200);
        solo_short(sealer);
    }
    csv_sealer_destroy(sealer);
}

/* Answers are as long as those of any record of the class. */
static void sizes(void **state)
{
    (void)state;
    static const char *const paths[] = {"/echo", "/full", "/fail", "/none", "/small", "/late"};
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    for (uint32_t form = 0; form < 2; form++) {
        struct ask ask = ask_for("/echo", NULL, 0);
        ask.plain_size = 250;
        assert_int_equal(send_record(sealer, &ask, FAKE_ECHO), CSN_WIRE_STATUS_OK);
        uint32_t size = fake.answers[0].size;
        for (uint32_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
            ask = ask_for(paths[i], "123456789012345", i % 2 == 0 ? 15 : 0);
            ask.plain_size = 250;
            assert_int_equal(send_record(sealer, &ask, CSN_WIRE_OPERATION_HTTP), 0);
            assert_int_equal(fake.answer_count, 1);
            assert_int_equal(fake.answers[0].size, size);
        }
        solo_short(sealer);
    }
    csv_sealer_destroy(sealer);
}

/* Further outputs are parts of one response. */
static void parts(void **state)
{
    (void)state;
    static uint8_t content[4000]; /* twice that is more than one output holds */
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    for (uint32_t i = 0; i < sizeof content; i++) {
        content[i] = (uint8_t)(i * 11);
    }
    for (uint32_t form = 0; form < 2; form++) {
        for (uint32_t size = 0; size <= sizeof content; size += 250) {
            struct ask ask = ask_for("/twice", content, size);
            expect(sealer, &ask, 200);
            assert_int_equal(fake.answer_count, 2);
            assert_int_equal(fake.answers[0].size, fake.answers[1].size);
            assert_int_equal(response.content.size, 2 * size);
            if (size != 0) {
                assert_memory_equal(response.content.bytes, content, size);
                assert_memory_equal(response.content.bytes + size, content, size);
            }
        }
        solo_short(sealer);
    }
    csv_sealer_destroy(sealer);
}

/* What is refused of a record is so of one with a request in it. */
static void refusals(void **state)
{
    (void)state;
    static struct fake small;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_opener *opener = solo_opener(&tenant.consumer);
    uint8_t payload[1024];
    uint8_t plain[256];
    struct ask ask = ask_for("/echo", "abc", 3);
    uint32_t size = asker_write(&ask, NULL, plain, sizeof plain);
    size = solo_seal(sealer, CSN_WIRE_OPERATION_HTTP, plain, size);
    struct csv_open_item item = solo_open(opener, fake_one(&fake, record, size), payload);
    assert_int_equal(item.result, CSN_OK); /* to the consumer: no output, and no response either */
    assert_int_equal(item.header.status, CSN_WIRE_STATUS_RIGHTS);
    assert_int_equal(item.header.flags, CSN_WIRE_RESULT_TOMBSTONE);
    assert_int_equal(item.payload_size, 0);
    csv_sealer_destroy(sealer);
    csv_opener_destroy(opener);

    struct cse_service service = fake_service;
    service.route_count = 0;
    sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    fake_start(&small,
               &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC, .service = &service});
    fake_grant(&small, &tenant, 1);
    size = asker_write(&ask, NULL, plain, sizeof plain);
    size = solo_seal(sealer, CSN_WIRE_OPERATION_HTTP, plain, size);
    const struct fake_answer *answer = fake_one(&small, record, size);
    assert_int_equal(csv_reply_open(sealer, answer->body, answer->size, &result, payload, &size),
                     CSN_OK);
    assert_int_equal(result.status, CSN_WIRE_STATUS_OPERATION);
    csv_sealer_destroy(sealer);
    fake_stop(&small);
}

/* Rooms that hold no response: the status says why, where there is one. */
static void no_room(void **state)
{
    (void)state;
    static struct fake small;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    uint8_t payload[1024];
    static const struct {
        const char *path;
        uint32_t status;
    } cases[] = {{"/echo", CSN_WIRE_STATUS_TOO_LARGE}, {"/none", CSN_WIRE_STATUS_TOO_LARGE}};
    const struct fake_options options = {.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                         .output_scale = 0,
                                         .output_extra = CSN_WIRE_OUTPUT_ROOM_MIN};
    fake_start(&small, &options);
    fake_grant(&small, &tenant, 1);
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t plain[256];
        struct ask ask = ask_for(cases[i].path, "abc", 3);
        uint32_t size = asker_write(&ask, NULL, plain, sizeof plain);
        size = solo_seal(sealer, CSN_WIRE_OPERATION_HTTP, plain, size);
        const struct fake_answer *answer = fake_one(&small, record, size);
        assert_int_equal(
            csv_reply_open(sealer, answer->body, answer->size, &result, payload, &size), CSN_OK);
        assert_int_equal(result.status, cases[i].status);
    }
    csv_sealer_destroy(sealer);
    fake_stop(&small);
}

/* A service that serves once only takes them in window mode, each once, with no challenge inside.
 */
static void window(void **state)
{
    (void)state;
    static struct fake once;
    static struct fake_tenant owner;
    uint8_t payload[1024];
    uint8_t plain[256];
    fake_start(&once, &(struct fake_options){.flags = 0});
    fake_tenant_new(&owner);
    fake_grant(&once, &owner, 1);
    struct csn_wire_challenge challenge = solo_challenge(&once);
    struct csv_sealer *sealer = solo_sealer(&owner, &owner.replier, &challenge);
    struct ask ask = ask_for("/echo", "abc", 3);
    uint32_t size = asker_write(&ask, NULL, plain, sizeof plain);
    uint32_t record_size = solo_seal(sealer, CSN_WIRE_OPERATION_HTTP, plain, size);
    for (uint32_t i = 0; i < 2; i++) {
        const struct fake_answer *answer = fake_one(&once, record, record_size);
        assert_int_equal(answer->code, CSN_WIRE_DONE);
        assert_int_equal(
            csv_reply_open(sealer, answer->body, answer->size, &result, payload, &size), CSN_OK);
        assert_int_equal(result.status, i == 0 ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_REPLAY);
        uint32_t fault;
        if (i == 0) {
            assert_int_equal(csn_bhttp_read(payload, size, &response, &fault), CSN_OK);
            assert_int_equal(response.status, 200);
        }
    }
    csv_sealer_destroy(sealer);
    sealer = solo_sealer(&owner, &owner.replier, NULL);
    size = solo_seal(sealer, CSN_WIRE_OPERATION_HTTP, plain, 70);
    assert_int_equal(fake_one(&once, record, size)->code, CSN_WIRE_REJECT_MODE);
    csv_sealer_destroy(sealer);
    fake_stop(&once);
}

/* Neither in outputs that were not used, nor where the request was. */
static void residue(void **state)
{
    (void)state;
    static const char *const paths[] = {"/echo", "/twice", "/fail", "/full", "/none", "/status"};
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    char mark[900];
    memset(mark, 'M', sizeof mark);
    for (uint32_t form = 0; form < 2; form++) {
        for (uint32_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
            struct ask ask = ask_for(paths[i], mark, sizeof mark);
            send_record(sealer, &ask, CSN_WIRE_OPERATION_HTTP);
            assert_null(memmem(fake.memory, fake.pool.size, mark, 16));
            assert_null(memmem(fake.memory, fake.pool.size, "wwwwwwwwwwwwwwww", 16));
            assert_null(memmem(fake.memory, fake.pool.size, "[[[[[[[[[[[[[[[[", 16));
        }
        solo_short(sealer);
    }
    csv_sealer_destroy(sealer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_forms, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(sizes, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(parts, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(refusals, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(no_room, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(window, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(residue, solo_start, solo_stop),
    };
    return cmocka_run_group_tests_name("request record", tests, NULL, NULL);
}
