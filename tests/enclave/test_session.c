/* SPDX-License-Identifier: Apache-2.0 */
/* test_session.c: the life of records, from grant to opened output (docs/WIRE.md). */
#include "fake.h"
#include "test.h"

static struct fake fake;
static struct fake_tenant tenant;

static int start(void **state)
{
    (void)state;
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC});
    fake_tenant_new(&tenant);
    fake_grant(&fake, &tenant, 1);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_stop(&fake);
    return 0;
}

static struct csv_sealer *sealer_for(const struct csv_credential *credential)
{
    struct csv_sealer *sealer = NULL;
    const struct csv_sealer_options options = {.recipient = &tenant.recipient,
                                               .credential = credential};
    assert_int_equal(csv_sealer_create(&options, &sealer), CSN_OK);
    return sealer;
}

static struct csv_opener *opener_for(const struct csv_consumer *consumer)
{
    struct csv_opener *opener = NULL;
    const struct csv_opener_options options = {.consumer = consumer, .grant_version_min = 1};
    assert_int_equal(csv_opener_create(&options, &opener), CSN_OK);
    return opener;
}

static void end_to_end(void **state)
{
    (void)state;
    struct csv_sealer *sealer = sealer_for(&tenant.producer);
    struct csv_opener *opener = opener_for(&tenant.consumer);
    uint8_t record[2048];
    uint8_t payload[600];
    uint8_t opened[4096];
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
        struct csv_open_item out = {
            .record = answer->body, .size = answer->size, .payload = opened};
        assert_int_equal(csv_open_batch(opener, &out, 1), CSN_OK);
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
    const struct fake_answer *answer = fake_one(&fake, record, size);
    struct csv_open_item out = {.record = answer->body, .size = answer->size, .payload = opened};
    assert_int_equal(csv_open_batch(opener, &out, 1), CSN_OK);
    assert_int_equal(out.result, CSN_OK);
    assert_int_equal(csv_opener_stream_count(opener), 1);
    csv_opener_stream(opener, 0, &stream);
    assert_true(stream.fin_seen);
    assert_int_equal(stream.served, 3);
    assert_int_equal(stream.missing, 0);
    csv_sealer_destroy(sealer);
    csv_opener_destroy(opener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(end_to_end, start, stop),
    };
    if (csv_client_init() != CSN_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
