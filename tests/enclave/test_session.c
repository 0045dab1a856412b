/* SPDX-License-Identifier: Apache-2.0 */
/* test_session.c: the life of records, from grant to opened output (docs/WIRE.md). */
#include "solo.h"
#include <stdlib.h>

static uint32_t pairs = 100000; /* of records that differ only in content */

static uint8_t opened[16384];

static void end_to_end(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_opener *opener = solo_opener(&tenant.consumer);
    uint8_t payload[600];
    for (uint32_t i = 0; i < 3; i++) {
        memset(payload, (int)('a' + i), sizeof payload);
        struct csv_seal_item item = {.payload = payload,
                                     .payload_size = sizeof payload,
                                     .operation = FAKE_ECHO,
                                     .route = "north/7",
                                     .route_size = 7,
                                     .record = record,
                                     .record_size_max = sizeof record};
        assert_int_equal(csv_seal_batch(sealer, &item, 1), CSN_OK);
        assert_int_equal(item.result, CSN_OK);
        const struct fake_answer *answer = fake_one(&fake, record, item.record_size);
        assert_int_equal(answer->code, CSN_WIRE_DONE);
        /* The route of the input is the route of the output. */
        assert_memory_equal(answer->body + sizeof(struct csn_wire_record), "north/7", 7);
        struct csv_open_item out = solo_open(opener, answer, opened);
        assert_int_equal(out.result, CSN_OK);
        assert_int_equal(out.header.status, CSN_WIRE_STATUS_OK);
        assert_int_equal(out.header.sequence, i);
        assert_int_equal(out.payload_size, sizeof payload);
        assert_memory_equal(opened, payload, sizeof payload);
        assert_memory_equal(out.header.grant_digest, tenant.grant.digest, 32);
    }
    uint32_t size;
    struct csv_stream stream;
    assert_int_equal(csv_seal_fin(sealer, record, sizeof record, &size), CSN_OK);
    assert_int_equal(solo_open(opener, fake_one(&fake, record, size), opened).result, CSN_OK);
    assert_int_equal(csv_opener_stream_count(opener), 1);
    csv_opener_stream(opener, 0, &stream);
    assert_true(stream.fin_seen);
    assert_int_equal(stream.served, 3);
    assert_int_equal(stream.missing, 0);
    csv_sealer_destroy(sealer);
    csv_opener_destroy(opener);
}

/* ---- short form, window, repeats ---- */

/* The status in the reply to the record just sealed; its payload is in opened. */
static int reply_status(struct csv_sealer *sealer, uint32_t size, struct csn_wire_result *result,
                        uint32_t *payload_size)
{
    const struct fake_answer *answer = fake_one(&fake, record, size);
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    assert_int_equal(
        csv_reply_open(sealer, answer->body, answer->size, result, opened, payload_size), CSN_OK);
    return result->status;
}

static void short_form(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    solo_short(sealer);
    uint32_t size = solo_seal(sealer, FAKE_ECHO, "abc", 3);
    assert_int_equal(size, 16 + 80 + 16);
    assert_int_equal(fake_one(&fake, record, size)->code, CSN_WIRE_DONE);
    /* Another handle, a flipped bit, and a repeat under another sequence number: refused. */
    for (uint32_t bit = 0; bit < size * 8; bit++) {
        record[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(fake_one(&fake, record, size)->code, CSN_WIRE_DONE);
        record[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    /* A new salt: full form first, short again behind it, in one batch. */
    assert_int_equal(csv_sealer_renew(sealer), CSN_OK);
    uint8_t batch[3][512];
    struct fake_message messages[3];
    for (uint32_t i = 0; i < 3; i++) {
        size = solo_seal(sealer, FAKE_ECHO, "abc", 3);
        memcpy(batch[i], record, size);
        messages[i] = (struct fake_message){batch[i], size};
    }
    assert_int_equal(messages[0].size, 176 + 80 + 16);
    assert_int_equal(messages[1].size, 16 + 80 + 16);
    fake_send(&fake, messages, 3);
    assert_int_equal(fake.answer_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(fake.answers[i].code, CSN_WIRE_DONE);
        assert_int_equal(fake.answers[i].tag, i);
    }
    /* After a re-grant the handle is of nobody. */
    fake_grant(&fake, &tenant, 2);
    size = solo_seal(sealer, FAKE_ECHO, "abc", 3);
    assert_int_equal(fake_one(&fake, record, size)->code, CSN_WIRE_REJECT_KEY);
    csv_sealer_destroy(sealer);
}

/* What only a path can name is nothing for a record. */
static void no_name(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    struct csn_wire_result result;
    uint32_t size = solo_seal(sealer, FAKE_NAME, "abc", 3);
    const struct fake_answer *answer = fake_one(&fake, record, size);
    assert_int_equal(csv_reply_open(sealer, answer->body, answer->size, &result, opened, &size),
                     CSN_OK);
    assert_int_equal(size, 4);
    assert_memory_equal(opened, "none", 4);
    csv_sealer_destroy(sealer);
}

/* A window record counts at the worker and in the boot that issued its challenge, nowhere else. */
static void window_elsewhere(void **state)
{
    (void)state;
    static struct fake other;
    struct csn_wire_challenge challenge = solo_challenge(&fake);
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, &challenge);
    uint32_t size = solo_seal(sealer, FAKE_ECHO, "abc", 3);
    for (uint32_t i = 0; i < 3; i++) {
        struct cse_instance instance = fake.instance;
        instance.boot_id[0] ^= (uint8_t)(i == 1); /* after a restart */
        const struct fake_options options = {.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                             .worker = i == 0, /* another worker */
                                             .worker_count = 2,
                                             .instance = i == 2 ? NULL : &instance};
        fake_start(&other, &options);
        fake_grant(&other, &tenant, 1);
        /* The same counter was issued there as well: what differs is in the key alone. */
        assert_int_equal(solo_challenge(&other).counter, challenge.counter);
        assert_int_equal(fake_one(&other, record, size)->code, CSN_WIRE_REJECT_AUTH);
        fake_stop(&other);
    }
    assert_int_equal(fake_one(&fake, record, size)->code, CSN_WIRE_DONE);
    csv_sealer_destroy(sealer);
}

/* Full of window contexts: the next is refused, none is forgotten, replays stay replays. */
#define WINDOW_MAX  48u /* of 64 contexts */
#define WINDOW_SIZE (176u + 80u + 16u)

static uint32_t replayed(struct csv_sealer *sealer, const uint8_t saved[WINDOW_SIZE])
{
    struct csn_wire_result result;
    uint32_t size;
    memcpy(record, saved, WINDOW_SIZE);
    return reply_status(sealer, WINDOW_SIZE, &result, &size);
}

static uint32_t begun_again(const uint8_t saved[WINDOW_SIZE])
{
    memcpy(record, saved, WINDOW_SIZE);
    return fake_one(&fake, record, WINDOW_SIZE)->code;
}

/*
 * More window contexts than there may be: the one that waited longest goes, nothing of it is served
 * again, and no other stream notices.
 */
static void window_full(void **state)
{
    (void)state;
    struct csv_sealer *sealers[WINDOW_MAX + 3];
    static uint8_t records[WINDOW_MAX + 3][512];
    struct csn_wire_challenge early = solo_challenge(&fake);
    struct csn_wire_result result;
    uint32_t size = 0;
    for (uint32_t i = 0; i < WINDOW_MAX + 3; i++) {
        struct csn_wire_challenge challenge = solo_challenge(&fake);
        sealers[i] = solo_sealer(&tenant, &tenant.replier, &challenge);
        if (i == WINDOW_MAX) { /* the first one is not the idlest any more; 1, 2 and 3 are */
            size = solo_seal(sealers[0], FAKE_ECHO, "abc", 3);
            assert_int_equal(reply_status(sealers[0], size, &result, &size), CSN_WIRE_STATUS_OK);
        }
        assert_int_equal(solo_seal(sealers[i], FAKE_ECHO, "abc", 3), WINDOW_SIZE);
        memcpy(records[i], record, WINDOW_SIZE);
        assert_int_equal(fake_one(&fake, record, WINDOW_SIZE)->code, CSN_WIRE_DONE);
    }
    /* A crowd of idempotent contexts evicts idempotent ones only. */
    for (uint32_t i = 0; i < 40; i++) {
        struct csv_sealer *crowd = solo_sealer(&tenant, &tenant.replier, NULL);
        assert_int_equal(reply_status(crowd, solo_seal(crowd, FAKE_ECHO, "x", 1), &result, &size),
                         CSN_WIRE_STATUS_OK);
        csv_sealer_destroy(crowd);
    }
    for (uint32_t i = 0; i < WINDOW_MAX + 3; i++) {
        if (i >= 1 && i <= 3) {
            assert_int_equal(begun_again(records[i]), CSN_WIRE_REJECT_STALE);
        } else {
            assert_int_equal(replayed(sealers[i], records[i]), CSN_WIRE_STATUS_REPLAY);
        }
    }
    /* Its challenge is older than those that were spent, and it is served on all the same. */
    size = solo_seal(sealers[0], FAKE_ECHO, "abc", 3);
    assert_int_equal(reply_status(sealers[0], size, &result, &size), CSN_WIRE_STATUS_OK);
    for (uint32_t i = 0; i < WINDOW_MAX + 3; i++) {
        csv_sealer_destroy(sealers[i]);
    }
    sealers[0] = solo_sealer(&tenant, &tenant.replier, &early);
    size = solo_seal(sealers[0], FAKE_ECHO, "abc", 3);
    assert_int_equal(fake_one(&fake, record, size)->code, CSN_WIRE_REJECT_STALE);
    csv_sealer_destroy(sealers[0]);
}

/* Each sequence number once, in any order within the window, none behind it. */
static void window_order(void **state)
{
    (void)state;
    struct csn_wire_challenge challenge = solo_challenge(&fake);
    struct csn_wire_result result;
    static uint8_t records[1100][272];
    uint32_t size;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, &challenge);
    for (uint32_t i = 0; i < 1100; i++) {
        assert_int_equal(solo_seal(sealer, FAKE_ECHO, "abc", 3), 272);
        memcpy(records[i], record, 272);
    }
    const struct {
        uint32_t index;
        int status;
    } steps[] = {{50, 0}, {3, 0}, {3, 6}, {50, 6}, {1099, 0}, {75, 6}, {76, 0}, {76, 6}, {1098, 0}};
    for (uint32_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        memcpy(record, records[steps[i].index], 272);
        assert_int_equal(reply_status(sealer, 272, &result, &size), steps[i].status);
    }
    csv_sealer_destroy(sealer);
}

/* A redelivery: the same record id and answer under another nonce; the far end drops it. */
static void repeats_are_dropped(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_opener *opener = solo_opener(&tenant.consumer);
    struct csv_opener *second = solo_opener(&tenant.consumer);
    uint32_t size = solo_seal(sealer, FAKE_ECHO, "abc", 3);
    struct csv_open_item first = solo_open(opener, fake_one(&fake, record, size), opened);
    assert_int_equal(first.result, CSN_OK);
    uint8_t cipher[64];
    memcpy(cipher, fake.answers[0].body + 176, sizeof cipher);
    struct csv_open_item again = solo_open(opener, fake_one(&fake, record, size), opened);
    assert_int_equal(again.result, CSN_ERR_REPLAY);
    assert_memory_not_equal(cipher, fake.answers[0].body + 176, sizeof cipher);
    again = solo_open(second, &fake.answers[0], opened);
    assert_int_equal(again.result, CSN_OK);
    assert_memory_equal(again.header.record_id, first.header.record_id, 32);
    /* A hole and a FIN: the gap has a name. */
    solo_seal(sealer, FAKE_ECHO, "lost", 4);
    size = solo_seal(sealer, FAKE_FAIL, "refused", 7);
    again = solo_open(opener, fake_one(&fake, record, size), opened);
    assert_int_equal(again.result, CSN_OK);
    assert_int_equal(again.header.status, CSN_WIRE_STATUS_MALFORMED);
    assert_int_equal(again.header.detail, 7);
    assert_int_equal(again.payload_size, 0);
    assert_int_equal(csv_seal_fin(sealer, record, sizeof record, &size), CSN_OK);
    assert_int_equal(solo_open(opener, fake_one(&fake, record, size), opened).result, CSN_OK);
    struct csv_stream stream;
    csv_opener_stream(opener, 0, &stream);
    assert_true(stream.fin_seen);
    assert_int_equal(stream.sent, 3);
    assert_int_equal(stream.served, 1);
    assert_int_equal(stream.refused, 1);
    assert_int_equal(stream.missing, 1);
    assert_int_equal(stream.first_gap, 1);
    assert_int_equal(stream.repeats, 1);
    csv_sealer_destroy(sealer);
    csv_opener_destroy(opener);
    csv_opener_destroy(second);
}

static void several_outputs_and_fields(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_sealer *replier = solo_sealer(&tenant, &tenant.replier, NULL);
    struct csv_opener *opener = solo_opener(&tenant.consumer);
    struct csn_wire_result result;
    uint8_t value[64];
    uint32_t size = solo_seal(sealer, FAKE_TWICE, "pair", 4);
    fake_one(&fake, record, size);
    assert_int_equal(fake.answer_count, 2);
    assert_false(fake.answers[0].final);
    for (uint32_t i = 0; i < 2; i++) {
        struct csv_open_item item = solo_open(opener, &fake.answers[i], opened);
        assert_int_equal(item.result, CSN_OK);
        assert_int_equal(item.header.part, i);
        assert_int_equal(item.header.part_count, 2);
        assert_int_equal(item.payload_size, 4);
    }
    /* A field: the consumer opens it, and so does the enclave for who may. */
    uint8_t payload[400] = "4111111111111111";
    size = solo_seal(replier, FAKE_FIELD, payload, sizeof payload);
    assert_int_equal(reply_status(replier, size, &result, &size), CSN_WIRE_STATUS_OK);
    assert_int_equal(size, CSE_FIELD_OVERHEAD + sizeof payload);
    uint8_t sealed[1024];
    uint8_t back[1024];
    uint32_t back_size;
    memcpy(sealed, opened, size);
    assert_int_equal(csv_field_open(opener, sealed, size, back, &back_size), CSN_OK);
    assert_int_equal(back_size, sizeof payload);
    assert_memory_equal(back, payload, sizeof payload);
    uint32_t field_size = size;
    size = solo_seal(replier, FAKE_UNFIELD, sealed, field_size);
    assert_int_equal(reply_status(replier, size, &result, &size), CSN_WIRE_STATUS_OK);
    assert_memory_equal(opened, payload, sizeof payload);
    size = solo_seal(replier, FAKE_MOVED, sealed, field_size);
    assert_int_equal(reply_status(replier, size, &result, &size), CSN_WIRE_STATUS_NOT_FOUND);
    sealed[field_size - 20] ^= 1;
    size = solo_seal(replier, FAKE_UNFIELD, sealed, field_size);
    assert_int_equal(reply_status(replier, size, &result, &size), CSN_WIRE_STATUS_NOT_FOUND);
    assert_int_not_equal(csv_field_open(opener, sealed, field_size, value, &back_size), CSN_OK);
    csv_sealer_destroy(sealer);
    csv_sealer_destroy(replier);
    csv_opener_destroy(opener);
}

/* A redelivery after its context was evicted: the same record id once more, and dropped. */
static void repeats_after_eviction(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_opener *opener = solo_opener(&tenant.consumer);
    struct csv_opener *second = solo_opener(&tenant.consumer);
    static uint8_t kept[512];
    uint32_t kept_size = solo_seal(sealer, FAKE_ECHO, "abc", 3);
    memcpy(kept, record, kept_size);
    struct csv_open_item first = solo_open(opener, fake_one(&fake, kept, kept_size), opened);
    assert_int_equal(first.result, CSN_OK);
    for (uint32_t i = 0; i <= fake.manifest.context_count_max; i++) {
        struct csv_sealer *crowd = solo_sealer(&tenant, &tenant.replier, NULL);
        solo_short(crowd); /* it is in the cache now */
        csv_sealer_destroy(crowd);
    }
    const struct fake_answer *again = fake_one(&fake, kept, kept_size);
    assert_int_equal(solo_open(opener, again, opened).result, CSN_ERR_REPLAY);
    struct csv_open_item other = solo_open(second, again, opened);
    assert_int_equal(other.result, CSN_OK);
    assert_memory_equal(other.header.record_id, first.header.record_id, 32);
    assert_int_equal(other.payload_size, first.payload_size);
    csv_sealer_destroy(sealer);
    csv_opener_destroy(opener);
    csv_opener_destroy(second);
}

/* A record that exhausts the scratch is refused by itself; the others of its batch are served. */
static void scratch_exhausted(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_opener *opener = solo_opener(&tenant.consumer);
    static uint8_t batch[5][512];
    struct fake_message messages[5];
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t size = solo_seal(sealer, i % 2 == 1 ? FAKE_GREEDY : FAKE_ECHO, "abc", 3);
        memcpy(batch[i], record, size);
        messages[i] = (struct fake_message){batch[i], size};
    }
    fake_send(&fake, messages, 5);
    assert_int_equal(fake.answer_count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        struct csv_open_item item = solo_open(opener, &fake.answers[i], opened);
        assert_int_equal(item.result, CSN_OK);
        assert_int_equal(item.header.sequence, i);
        assert_int_equal(item.header.status,
                         i % 2 == 1 ? CSN_WIRE_STATUS_LIMIT : CSN_WIRE_STATUS_OK);
    }
    csv_sealer_destroy(sealer);
    csv_opener_destroy(opener);
}

/* Idempotent records in any order: each is served, and the consumer sees the stream as whole. */
static void reordered(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_opener *opener = solo_opener(&tenant.consumer);
    static uint8_t records[16][272];
    uint32_t size = 0;
    struct csv_stream stream;
    for (uint32_t i = 0; i < 15; i++) {
        assert_int_equal(solo_seal(sealer, FAKE_ECHO, &i, sizeof i), 272);
        memcpy(records[i], record, 272);
    }
    assert_int_equal(csv_seal_fin(sealer, records[15], 272, &size), CSN_OK);
    assert_int_equal(size, 272);
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t index = (i * 7 + 15) % 16; /* FIN first */
        struct csv_open_item item = solo_open(opener, fake_one(&fake, records[index], 272), opened);
        assert_int_equal(item.result, CSN_OK);
        assert_int_equal(item.header.status, CSN_WIRE_STATUS_OK);
        assert_true(index == 15 || memcmp(opened, &index, sizeof index) == 0);
    }
    csv_opener_stream(opener, 0, &stream);
    assert_true(stream.fin_seen);
    assert_int_equal(stream.served, 15);
    assert_int_equal(stream.missing, 0);
    csv_sealer_destroy(sealer);
    csv_opener_destroy(opener);
}

/* What the host sees of records that differ only in content: codes and sizes are equal. */
static void sizes_say_nothing(void **state)
{
    (void)state;
    struct csv_sealer *sealers[2] = {solo_sealer(&tenant, &tenant.replier, NULL),
                                     solo_sealer(&tenant, &tenant.replier, NULL)};
    uint32_t seed = 1;
    uint8_t payload[1024];
    solo_short(sealers[1]);
    for (uint32_t pair = 0; pair < pairs; pair++) {
        struct csv_sealer *sealer = sealers[pair % 2];
        uint32_t code[2];
        uint32_t size[2];
        uint32_t sent[2];
        for (uint32_t i = 0; i < 2; i++) {
            seed = seed * 1664525 + 1013904223;
            uint32_t length = 513 + (seed >> 16) % 512; /* one class: 513 to 1024 */
            memset(payload, (int)(seed >> 24), length);
            uint16_t operation = (uint16_t)(1 + (seed >> 8) % 10);       /* 10: unknown */
            operation = operation == FAKE_TWICE ? FAKE_ECHO : operation; /* count is public */
            sent[i] = solo_seal(sealer, operation, payload, length);
            const struct fake_answer *answer = fake_one(&fake, record, sent[i]);
            code[i] = answer->code;
            size[i] = answer->size;
        }
        assert_int_equal(sent[0], sent[1]);
        assert_int_equal(code[0], code[1]);
        assert_int_equal(size[0], size[1]);
        assert_int_equal(sent[0], (pair % 2 == 0 ? 176 : 16) + 1040 + 16);
        assert_int_equal(size[0], (pair % 2 == 0 ? 176 + 128 : 16 + 16) + 1712 + 16);
    }
    csv_sealer_destroy(sealers[0]);
    csv_sealer_destroy(sealers[1]);
}

/* Usage: test_session [PAIRS] */
int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(end_to_end, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(short_form, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(no_name, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(window_elsewhere, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(window_full, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(window_order, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(repeats_are_dropped, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(repeats_after_eviction, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(scratch_exhausted, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(reordered, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(several_outputs_and_fields, solo_start, solo_stop),
        cmocka_unit_test_setup_teardown(sizes_say_nothing, solo_start, solo_stop),
    };
    if (count > 1) {
        pairs = (uint32_t)strtoul(arguments[1], NULL, 10);
    }
    if (csv_client_init() != CSN_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
